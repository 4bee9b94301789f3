"""What a user may give to a `Host` and its sockets, and what is said of anything else."""

from __future__ import annotations

from collections.abc import Sequence

from tcpemu.stack.base.errors import ConfigurationError, NotEmulatedError
from tcpemu.stack.base.generation import Generation
from tcpemu.stack.base.ip_families import is_for_many, is_ipv6, is_link_local, is_mapped
from tcpemu.wire.ipv6 import LEAST_IPV6_MTU
from tcpemu.wire.refused import Refused
from tcpemu.wire.segment import Address, address, address_text

_LEAST_MTU = 68
_LARGEST = 65535


def own_addresses(addresses: Sequence[Address | str]) -> tuple[Address, ...]:
    """A host's addresses, packed. Raises ConfigurationError, also for one that no host has."""
    if isinstance(addresses, str | bytes):
        raise ConfigurationError(f"addresses is {addresses!r}; give a list of them: [{addresses!r}]")
    if not addresses:
        raise ConfigurationError("a host needs an address")
    own = tuple(map(packed_address, addresses))
    for one in own:
        if not any(one) or is_for_many(one) or is_mapped(one):
            raise ConfigurationError(
                f"{address_text(one)} can be no host's address; give one such as 192.0.2.1"
            )
    return own


def check_mtu(mtu: int, addresses: Sequence[Address]) -> None:
    """Raises ConfigurationError for an MTU that no link has, or where an address is of IPv6 one that carries none."""
    least = LEAST_IPV6_MTU if any(map(is_ipv6, addresses)) else _LEAST_MTU
    if not least <= mtu <= _LARGEST:
        why = "; a link with less carries no IPv6" if _LEAST_MTU <= mtu < least else ""
        raise ConfigurationError(f"mtu is {mtu}; it can be {least} to {_LARGEST}{why}")


def check_gro(size: int) -> None:
    """Raises ConfigurationError for a size that no segments have that a network card puts together."""
    if type(size) is not int or not 0 <= size <= _LARGEST:
        raise ConfigurationError(
            f"gro_size is {size!r}; it can be 0, where nothing is put together, to {_LARGEST}"
        )


def check_queue_limit(packets: int | None) -> None:
    """Raises ConfigurationError for what is no number of packets."""
    if packets is not None and (type(packets) is not int or packets < 0):
        raise ConfigurationError(
            f"the limit of the queue is {packets!r}; it can be 0 or more packets, or None"
        )


def check_route(mtu: int, link: int, advmss: int, initcwnd: int) -> None:
    """Raises ConfigurationError for what no route says, and for an MTU that the link does not carry."""
    for name, value, most in (
        ("mtu", mtu, link),
        ("advmss", advmss, _LARGEST - 40),
        ("initcwnd", initcwnd, _LARGEST),
    ):
        if type(value) is not int or not 0 <= value <= most:
            why = ", what its link carries" if name == "mtu" else ""
            raise ConfigurationError(f"{name} of the route is {value!r}; it can be 0 to {most}{why}")


def packed_address(each: object) -> Address:
    """An address in packed form or in text. Raises ConfigurationError, and NotEmulatedError for a link-local one."""
    try:
        packed = address(each) if isinstance(each, str) else each
    except ValueError:
        packed = None
    if not isinstance(packed, bytes) or len(packed) not in (4, 16):
        raise ConfigurationError(
            f"{each!r} is no IP address; write it as '192.0.2.1', or packed as tcpemu.address('192.0.2.1')"
        )
    if is_link_local(packed):
        raise NotEmulatedError(
            f"{address_text(packed)}: link-local addresses, which need an interface, are not emulated; "
            "give another, such as 2001:db8::1"
        )
    return packed


def check_generation(value: object) -> None:
    """Raises ConfigurationError for what is no generation."""
    if not isinstance(value, Generation):
        raise ConfigurationError(
            f"generation is {value!r}; give the value, as tcpemu.generation('linux-6.18') does, and not its name"
        )


def check_backlog(value: object) -> int:
    """The backlog. Raises ConfigurationError for what is no whole number."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise ConfigurationError(f"backlog={value!r}: a backlog is a whole number, such as 128")
    return value


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
