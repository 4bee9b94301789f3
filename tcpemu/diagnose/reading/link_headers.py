"""What stands before the IP header, for the kinds of links that captures of TCP are taken on.

Numbers and layouts: https://www.tcpdump.org/linktypes.html.
"""

from collections.abc import Callable
from typing import TypeAlias

Stripped: TypeAlias = tuple[int, int] | str
"""Where the IP packet begins, and the octet before it that tells copies apart; or why there is none."""

_IPV4, _IPV6 = 0x0800, 0x86DD
_VLAN = frozenset((0x8100, 0x88A8, 0x9100))
_MPLS = frozenset((0x8847, 0x8848))
_PPPOE = 0x8864
_PPP_IP = frozenset((0x0021, 0x0057))
_NOT_IP = "is not IP"
_SHORT = "was cut off before its IP header"
_NO_NUMBERS = frozenset((24, 28, 30, 10))
"""AF_INET6 in a loopback header: of NetBSD, FreeBSD, macOS, Linux. AF_INET is 2 everywhere."""


def ip_begins(data: bytes, link_type: int) -> Stripped:
    """Where the IP packet begins in a frame of that kind of link."""
    strip = _LINKS.get(link_type)
    return (
        strip(data) if strip else f"is of a kind of link that is not read here (link type {int(link_type)})"
    )


def _behind_type(data: bytes, at: int) -> Stripped:
    """What an EtherType at this place says of what is behind it, through VLAN tags, MPLS labels and PPPoE."""
    tags = 0
    while True:
        if at + 2 > len(data):
            return _SHORT
        kind = data[at] << 8 | data[at + 1]
        at += 2
        if kind in (_IPV4, _IPV6):
            return at, tags
        if kind in _VLAN:
            at, tags = at + 2, tags + 1
        elif kind in _MPLS:
            return _behind_labels(data, at)
        elif kind == _PPPOE:
            return _behind_ppp(data, at + 6)
        else:
            return _NOT_IP


def _behind_labels(data: bytes, at: int) -> Stripped:
    while at + 4 <= len(data):
        at += 4
        if data[at - 2] & 1:  # the bottom of the stack
            return (at, 0) if data[at : at + 1] and data[at] >> 4 in (4, 6) else _NOT_IP
    return _SHORT


def _behind_ppp(data: bytes, at: int) -> Stripped:
    kind = int.from_bytes(data[at : at + 2])
    if len(data) < at + 2:
        return _SHORT
    return (at + 2, 0) if kind in _PPP_IP else _NOT_IP


def _ethernet(data: bytes) -> Stripped:
    if data[12:14] == b"\x08\x00":
        return 14, 0
    return _behind_type(data, 12)


def _cooked(data: bytes) -> Stripped:
    """Linux cooked capture: what `tcpdump -i any` writes. The packet's direction stands in front."""
    found = _behind_type(data, 14)
    return found if isinstance(found, str) else (found[0], data[1])


def _cooked_2(data: bytes) -> Stripped:
    """Its second version: the protocol stands first, the number of the interface behind it."""
    if len(data) < 20:
        return _SHORT
    kind = data[0] << 8 | data[1]
    if kind in (_IPV4, _IPV6):
        return 20, data[7] << 8 | data[10]
    if kind in _VLAN:
        found = _behind_type(data, 22)
        return found if isinstance(found, str) else (found[0], data[10])
    return _NOT_IP


def _loopback(data: bytes) -> Stripped:
    """BSD's loopback: a protocol family in the byte order of the machine, or in that of the network."""
    if len(data) < 4:
        return _SHORT
    family = int.from_bytes(data[:4], "little")
    if family > 0xFFFF:
        family = int.from_bytes(data[:4])
    return (4, 0) if family == 2 or family in _NO_NUMBERS else _NOT_IP


def _raw(data: bytes) -> Stripped:
    if not data:
        return _SHORT
    return (0, 0) if data[0] >> 4 in (4, 6) else _NOT_IP


def _ppp(data: bytes) -> Stripped:
    return _behind_ppp(data, 2 if data[:2] == b"\xff\x03" else 0)


def _hdlc(data: bytes) -> Stripped:
    """Cisco HDLC: an EtherType behind two octets."""
    return _behind_type(data, 2)


def _fddi(data: bytes) -> Stripped:
    """FDDI: a header of 13 octets, then LLC and SNAP with an EtherType."""
    if len(data) < 21:
        return _SHORT
    return _behind_type(data, 19) if data[13:16] == b"\xaa\xaa\x03" else _NOT_IP


_LINKS: dict[int, Callable[[bytes], Stripped]] = {
    0: _loopback,
    1: _ethernet,
    9: _ppp,
    10: _fddi,
    12: _raw,
    14: _raw,
    50: _ppp,
    101: _raw,
    104: _hdlc,
    108: _loopback,
    113: _cooked,
    228: _raw,
    229: _raw,
    276: _cooked_2,
}
