"""Addresses as Python writes them, a pair of text and port, and as the stack has them."""

from __future__ import annotations

import errno
import socket

from tcpemu.programs.calls.host_lookup import address_named
from tcpemu.programs.waiting.computers import Process
from tcpemu.programs.waiting.standing_still import refused
from tcpemu.programs.waiting.whereabouts import caller
from tcpemu.stack.base.ip_families import ANY6, is_ipv6
from tcpemu.wire.segment import Address, address, address_text

ANY = bytes(4)


def to_stack(process: Process, call: str, pair: object, ipv6: bool = False) -> tuple[Address, int]:
    """Address and port of what a program gave; a name is looked up. Raises as Python does."""
    family = "AF_INET6" if ipv6 else "AF_INET"
    if not isinstance(pair, tuple):
        raise TypeError(f"{call}(): {family} address must be tuple, not {type(pair).__name__}")
    if ipv6 and not 2 <= len(pair) <= 4:
        raise TypeError(f"{call}(): AF_INET6 address must be a tuple (host, port[, flowinfo[, scopeid]])")
    if not ipv6 and len(pair) != 2:
        raise TypeError(f"{call}(): AF_INET address must be a pair (host, port)")
    name, port, *rest = pair
    if not isinstance(port, int):
        raise TypeError(f"'{type(port).__name__}' object cannot be interpreted as an integer")
    if not 0 <= port <= 65535:
        raise OverflowError(f"{call}(): port must be 0-65535.")
    if any(rest):
        raise not_emulated(errno.EINVAL, "an address with a flow label or a scope")
    if isinstance(name, bytes | bytearray):
        name = bytes(name).decode()
    if not isinstance(name, str):
        raise TypeError(f"{call}(): host must be str, bytes or bytearray, not {type(name).__name__}")
    if name == "":
        return ANY6 if ipv6 else ANY, port
    if name == "<broadcast>" and not ipv6:
        return address("255.255.255.255"), port
    return address(address_named(process, name, socket.AF_INET6 if ipv6 else socket.AF_INET)), port


def from_stack(pair: tuple[Address, int] | None) -> tuple[str, int] | tuple[str, int, int, int]:
    """As getsockname() and getpeername() give it; ENOTCONN without one."""
    if pair is None:
        raise OSError(errno.ENOTCONN, "Transport endpoint is not connected")
    octets, port = pair
    if is_ipv6(octets):
        return socket.inet_ntop(socket.AF_INET6, octets), port, 0, 0
    return address_text(octets) if octets else "0.0.0.0", port


def not_emulated(number: int, what: str) -> OSError:
    """For what a kernel has and this does not."""
    return OSError(number, refused(caller(), f"{what} is not emulated"))


FAMILIES = {socket.AF_INET, socket.AF_INET6, -1, 0}
