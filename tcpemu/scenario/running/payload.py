"""What programs of a scenario send, and how much they read at once."""

from itertools import cycle, islice

CHUNK = 65536
"""Octets that a program asks for in one recv()."""
LETTERS = b"abcdefghijklmnopqrstuvwxyz"


def payload(send: str | int) -> bytes:
    """What { send = ... } sends: the text, or so many letters of the alphabet."""
    return send.encode() if isinstance(send, str) else bytes(islice(cycle(LETTERS), send))
