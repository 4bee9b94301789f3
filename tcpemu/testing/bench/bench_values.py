"""Addresses, options and times that tests have in common, and what reads them."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tcpemu.generations import DEFAULT, generation
from tcpemu.network.clock import duration
from tcpemu.stack import SYSCTLS, ConfigurationError, SocketError
from tcpemu.stack.base.sysctls import attribute
from tcpemu.stack.base.units import MILLISECOND
from tcpemu.wire.options import NOP, SACK_OK, Mss, Option, Timestamps, WScale
from tcpemu.wire.refused import Refused
from tcpemu.wire.segment import Segment, address

MS = MILLISECOND
"""Nanoseconds."""
GENERATION = generation(DEFAULT)
HOST, PEER = "10.0.0.1", "10.0.0.2"
PORT, CLIENT = 8080, 41001
"""The port that the host listens on, and the port of a peer that says nothing else."""
MSS: tuple[Option, ...] = (Mss(1460),)
"""The options of a peer that has no others."""
FULL: tuple[Option, ...] = (Mss(1460), SACK_OK, Timestamps(100, 0), NOP, WScale(7))
"""What a Linux client offers; the peer's clock of timestamps stands at 100."""
TS: tuple[Option, ...] = (Mss(1460), NOP, NOP, Timestamps(100, 0))
"""A peer with timestamps."""
SACK: tuple[Option, ...] = (Mss(1460), NOP, NOP, SACK_OK)
"""A peer with SACK."""
MASK = 0xFFFFFFFF
_SETTINGS = (
    "backlog",
    "opts",
    "options",
    "win",
    "orphan",
    "seed",
    "hz",
    "mtu",
    "observe",
    "generation",
    "ip",
)
"""What a bench and the constructors of states take beside sysctls."""


@contextmanager
def fails(name: str) -> Iterator[None]:
    """What stands within fails with this errno, told by its name: `with fails("EAGAIN"):`. Raises AssertionError."""
    __tracebackhide__ = True
    try:
        yield
    except SocketError as error:
        if error.name != name:
            raise AssertionError(f"the call fails with {error.name}, not with {name}") from error
        return
    raise AssertionError(f"the call does not fail, where {name} was expected")


def pattern(size: int) -> bytes:
    """So many octets, of which no two neighbours are equal and none is for nothing."""
    return bytes(n % 251 for n in range(size))


def octets(data: bytes | int) -> bytes:
    """Octets as they are; of a number so many of them."""
    if isinstance(data, str):
        raise ConfigurationError(f"data={data!r}: octets are meant, as b'...', or how many of them")
    return pattern(data) if isinstance(data, int) else bytes(data)


def sysctl_of(name: str) -> str:
    """The full name: `syncookies` is net.ipv4.tcp_syncookies, `somaxconn` net.core.somaxconn."""
    if name in SYSCTLS:
        return name
    found = [full for full in SYSCTLS if attribute(full) in (name, f"tcp_{name}")]
    if len(found) != 1:
        known = [*_SETTINGS, *(attribute(full).removeprefix("tcp_") for full in SYSCTLS)]
        near = difflib.get_close_matches(name, known, 1)
        hint = f"did you mean {near[0]}?" if near else "`tcpemu schema --text` lists sysctls"
        raise ConfigurationError(f"{name}= is no setting of a bench and no end of a sysctl's name; {hint}")
    return found[0]


def instant(at: int | str) -> int:
    """Nanoseconds of a time: a whole number of them, or text as `1.01 s`."""
    if isinstance(at, str):
        return duration(at)
    if isinstance(at, bool) or not isinstance(at, int):
        raise ConfigurationError(f"at={at!r}: whole nanoseconds, or text as '1.01 s'")
    return at


def packed_address(ip: str | bytes) -> bytes:
    """The octets of an address: in text, or as they are."""
    if isinstance(ip, bytes):
        return ip
    try:
        return address(ip)
    except ValueError:
        raise ConfigurationError(f"ip={ip!r} is no IP address; write it as '192.0.2.1'") from None


def segment_of(thing: Any) -> Segment | Refused:
    """A segment, a Scapy packet or the octets of an IP packet, as a host takes it."""
    if isinstance(thing, Segment) and not (isinstance(thing.src, bytes) and isinstance(thing.dst, bytes)):
        raise ConfigurationError(
            f"{thing!r}: its addresses are octets, as tcpemu.address('192.0.2.1') gives them"
        )
    if isinstance(thing, Segment | Refused):
        return thing
    if isinstance(thing, bytes | bytearray):
        from tcpemu.wire.codec_choice import decode  # noqa: PLC0415 - with the first octets

        return decode(bytes(thing))
    if type(thing).__module__.partition(".")[0] == "scapy":
        from tcpemu.wire.bridge import from_scapy  # noqa: PLC0415 - loads Scapy, which is there already

        return from_scapy(thing)
    raise ConfigurationError(
        f"{thing!r} is no packet: give a Segment, a Scapy packet, or the octets of an IP packet"
    )
