"""What a user may give to a `Host` and its sockets, and what is said of anything else."""

from __future__ import annotations

from collections.abc import Sequence

from tcpemu.stack.base.errors import ConfigurationError, NotEmulatedError
from tcpemu.stack.base.generation import Generation
from tcpemu.wire.refused import Refused
from tcpemu.wire.segment import Address, address, address_text


def own_addresses(addresses: Sequence[Address | str]) -> tuple[Address, ...]:
    """A host's addresses, packed. Raises ConfigurationError, and NotEmulatedError for those of IPv6."""
    if isinstance(addresses, str | bytes):
        raise ConfigurationError(f"addresses is {addresses!r}; give a list of them: [{addresses!r}]")
    if not addresses:
        raise ConfigurationError("a host needs an address")
    return tuple(map(packed_address, addresses))


def packed_address(each: object) -> Address:
    """An address in packed form or in text. Raises ConfigurationError, and NotEmulatedError for one of IPv6."""
    try:
        packed = address(each) if isinstance(each, str) else each
    except ValueError:
        packed = None
    if not isinstance(packed, bytes) or len(packed) not in (4, 16):
        raise ConfigurationError(
            f"{each!r} is no IP address; write it as '192.0.2.1', or packed as tcpemu.address('192.0.2.1')"
        )
    if len(packed) == 16:
        raise NotEmulatedError(f"{address_text(packed)}: IPv6 is not emulated; give an IPv4 address")
    return packed


def check_generation(value: object) -> None:
    """Raises ConfigurationError for what is no generation."""
    if not isinstance(value, Generation):
        raise ConfigurationError(
            f"generation is {value!r}; give the value, as tcpemu.generation('linux-6.18') does, and not its name"
        )


def check_time(now: object, last: int) -> None:
    """Raises ConfigurationError for what is no time, or lies before the last."""
    if not isinstance(now, int) or isinstance(now, bool):
        raise ConfigurationError(f"now is {now!r}; a time is a whole number of nanoseconds")
    if now < last:
        raise ConfigurationError(f"now is {now} ns, but it is {last} ns already; time does not go back")


def check_arrival(segment: object) -> None:
    """Raises ConfigurationError for what is neither a segment nor octets that are none."""
    if not isinstance(segment, Refused):
        raise ConfigurationError(
            f"a {type(segment).__name__} is no Segment; a Scapy packet becomes one by tcpemu.from_scapy(packet), "
            "octets by tcpemu.decode(octets)"
        )


def why_no_ticks(generation: Generation) -> str:
    """Why a host of this kernel has no `hz`; empty where it has."""
    if generation.late_timers is not None:
        return ""
    return f"how late the timers of {generation.name} are is not emulated, only those of Linux"


def check_ticks(hz: int | None, generation: Generation) -> None:
    """Raises ConfigurationError where ticks are asked for of a kernel whose ticks are not known."""
    if hz is not None and (why := why_no_ticks(generation)):
        raise ConfigurationError(f"hz is {hz}: {why}; leave it out")
