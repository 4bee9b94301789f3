"""Where every random stream of a network comes from: its seed and the names of who draws.

A stream depends on nothing else, so another host or link leaves the draws of all others as they were.
"""

import hashlib
from random import Random


def derive(seed: int, *names: str | int) -> int:
    """A 64-bit seed for the one that is named so, in a network with this seed."""
    return int.from_bytes(hashlib.sha256(repr((seed, *names)).encode()).digest()[:8])


def stream(seed: int, *names: str | int) -> Random:
    """The random numbers of the one that is named so."""
    return Random(derive(seed, *names))
