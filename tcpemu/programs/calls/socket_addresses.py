"""Addresses as Python writes them, a pair of text and port, and as the stack has them."""

from __future__ import annotations

import errno
import socket

from tcpemu.programs.calls.host_lookup import address_named
from tcpemu.programs.waiting.computers import Process
from tcpemu.programs.waiting.standing_still import refused
from tcpemu.programs.waiting.whereabouts import caller
from tcpemu.wire.segment import Address, address, address_text

ANY = b"\0\0\0\0"


def to_stack(process: Process, call: str, pair: object) -> tuple[Address, int]:
    """Address and port of what a program gave; a name is looked up. Raises as Python does."""
    if not isinstance(pair, tuple):
        raise TypeError(f"{call}(): AF_INET address must be tuple, not {type(pair).__name__}")
    if len(pair) != 2:
        raise TypeError(f"{call}(): AF_INET address must be a pair (host, port)")
    name, port = pair
    if not isinstance(port, int):
        raise TypeError(f"'{type(port).__name__}' object cannot be interpreted as an integer")
    if not 0 <= port <= 65535:
        raise OverflowError(f"{call}(): port must be 0-65535.")
    if isinstance(name, bytes | bytearray):
        name = bytes(name).decode()
    if not isinstance(name, str):
        raise TypeError(f"{call}(): host must be str, bytes or bytearray, not {type(name).__name__}")
    if name == "":
        return ANY, port
    text = "255.255.255.255" if name == "<broadcast>" else address_named(process, name)
    return address(text), port


def from_stack(pair: tuple[Address, int] | None) -> tuple[str, int]:
    """As getsockname() and getpeername() give it; ENOTCONN without one."""
    if pair is None:
        raise OSError(errno.ENOTCONN, "Transport endpoint is not connected")
    octets, port = pair
    return (address_text(octets) if octets else "0.0.0.0", port)


def not_emulated(number: int, what: str) -> OSError:
    """For what a kernel has and this does not."""
    return OSError(number, refused(caller(), f"{what} is not emulated"))


FAMILIES = {socket.AF_INET, -1, 0}
