"""What IPv4 and IPv6 differ in, as far as TCP sees it. An address says which it is by its length: 4 octets or 16.

A socket of IPv6 that is not IPV6_V6ONLY speaks IPv4 too. Its peers of IPv4 then look as if they had addresses of
IPv6, `::ffff:192.0.2.1` (RFC 4291 section 2.5.5.2), to the application alone: on the wire, and in the table of flows,
they are what they are.
"""

from __future__ import annotations

from tcpemu.wire.segment import MAPPED, Address

IPV4_LENGTH, IPV6_LENGTH = 4, 16
"""Octets of an address. As bits they say which a listener takes: both for a dual-stack one."""
LOCALHOST: Address = b"\x7f\0\0\1"
LOCALHOST6: Address = bytes(15) + b"\1"
ANY4: Address = bytes(4)
ANY6: Address = bytes(16)
IPV6_LONGER = 20
"""Octets by which a header of IPv6 is longer than one of IPv4."""
DEFAULT_IPV6_MSS = 1220
"""What a peer of IPv6 takes that does not say: the least MTU less headers (tcp_v6_connect)."""
_LONGEST_PREFIX = 64
_UNIQUE_LOCAL = 0xFC


def is_ipv6(address: Address) -> bool:
    """Whether an address is one of IPv6."""
    return len(address) == IPV6_LENGTH


def is_loopback(address: Address) -> bool:
    """Whether an address is ::1 or of 127.0.0.0/8, which never leave the host (RFC 1122 section 3.2.1.3, RFC 4291)."""
    if len(address) == IPV4_LENGTH:
        return address[0] == 127
    return address == LOCALHOST6


def is_for_many(address: Address) -> bool:
    """Whether an address is of a multicast group, or of everybody: TCP connects to neither (tcp_v4_connect)."""
    if len(address) == IPV4_LENGTH:
        return address[0] & 0xF0 == 0xE0 or address == b"\xff\xff\xff\xff"
    return len(address) == IPV6_LENGTH and address[0] == 0xFF


def is_link_local(address: Address) -> bool:
    """Whether an address is of fe80::/10, which means nothing without an interface."""
    return len(address) == IPV6_LENGTH and address[0] == 0xFE and address[1] & 0xC0 == 0x80


def mapped(address: Address) -> Address:
    """An address of IPv4 as a socket of IPv6 has it; one of IPv6 as it is."""
    return MAPPED + address if len(address) == IPV4_LENGTH else address


def is_mapped(address: Address) -> bool:
    """Whether an address of IPv6 stands for one of IPv4."""
    return len(address) == IPV6_LENGTH and address[:12] == MAPPED


def unmapped(address: Address) -> Address:
    """What is on the wire for an address of a socket of IPv6."""
    return address[12:] if is_mapped(address) else address


def best_source(own: tuple[Address, ...], peer: Address) -> Address | None:
    """The address that speaks with this peer (RFC 6724; addrconf.c: ipv6_dev_get_saddr); None where none has its IP.

    Of IPv4 the first. Of IPv6 one of the same kind, unique local (RFC 4193) or not, before others; then the one that
    shares most leading bits, up to 64.
    """
    same = [one for one in own if len(one) == len(peer)]
    if not same:
        return None
    if len(peer) == IPV4_LENGTH:
        return same[0]
    return max(same, key=lambda one: (_label(one) == _label(peer), _shared_bits(one, peer)))


def _label(address: Address) -> bool:
    return address[0] & 0xFE == _UNIQUE_LOCAL


def _shared_bits(one: Address, other: Address) -> int:
    different = int.from_bytes(one, "big") ^ int.from_bytes(other, "big")
    return min(128 - different.bit_length(), _LONGEST_PREFIX)
