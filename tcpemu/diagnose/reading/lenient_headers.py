"""Headers of IP and TCP as a capture shows them: snapped, with checksums that are not filled in, or too long.

`tcpemu.wire.decode` reads a packet as a host does that has received it. A capture at a sender sees packets before the
network card has finished them: checksums that hold the sum of the pseudo-header alone, and segments that TSO will cut.
At a receiver GRO has put several together. None of these is an error of a host.
"""

import struct
from typing import TypeAlias

from tcpemu.diagnose.reading.seen_segment import Sum
from tcpemu.wire.checked_tcp import PROTOCOL_TCP, sum_of
from tcpemu.wire.codec import DONT_FRAGMENT, FRAGMENT_OFFSET, MORE_FRAGMENTS
from tcpemu.wire.options import decode_options
from tcpemu.wire.segment import Segment, make_segment

_TCP = struct.Struct("!HHIIHHHH")
_LEAST_TCP = 20
_ICMP = frozenset((1, 58))
_HOP_BY_HOP, _ROUTING, _FRAGMENT, _AUTHENTICATION, _DESTINATION = 0, 43, 44, 51, 60
_MOST_EXTENSIONS = 16


class Fragment:
    """Part of an IP packet."""

    __slots__ = ("data", "head", "key", "more", "offset")

    def __init__(self, key: tuple[bytes, int], head: bytes, data: bytes, offset: int, more: bool) -> None:
        self.key = key
        """Addresses and protocol, and identification: what the parts of one packet share."""
        self.head = head
        """The IP header that the whole packet gets, its length to be written."""
        self.data = data
        self.offset = offset
        self.more = more


class LeftOut:
    """Why a packet is no segment that is followed here."""

    __slots__ = ("why",)

    def __init__(self, why: str) -> None:
        self.why = why


Read: TypeAlias = tuple[Segment, int, Sum] | Fragment | LeftOut
"""The segment, its payload's length on the wire, its checksum; or what else it is."""


def read_packet(ip: bytes, on_wire: int) -> Read:
    """What an IP packet is, of which these octets are in the file and `on_wire` were on the wire. Never raises."""
    if not ip:
        return LeftOut("was cut off before its IP header")
    version = ip[0] >> 4
    if version == 4:
        return _read_ipv4(ip, on_wire)
    if version == 6:
        return _read_ipv6(ip, on_wire)
    return LeftOut("is not IP")


def _read_ipv4(ip: bytes, on_wire: int) -> Read:
    if len(ip) < 20:
        return LeftOut("was cut off inside its IP header")
    header = (ip[0] & 15) * 4
    total = ip[2] << 8 | ip[3] or on_wire  # 0: longer than the field can say, or still to be filled in
    if header < 20 or total < header:
        return LeftOut("has an IP header that cannot be right")
    fragment = ip[6] << 8 | ip[7]
    if fragment & (MORE_FRAGMENTS | FRAGMENT_OFFSET):
        if ip[9] != PROTOCOL_TCP:
            return _not_tcp(ip[9])
        if len(ip) < total:
            return LeftOut("is a fragment that was snapped")
        head = ip[:6] + bytes((fragment >> 8 & 0x40, 0)) + ip[8:header]
        more = bool(fragment & MORE_FRAGMENTS)
        key = ip[12:20] + ip[9:10], ip[4] << 8 | ip[5]
        return Fragment(key, head, ip[header:total], (fragment & FRAGMENT_OFFSET) * 8, more)
    if ip[9] != PROTOCOL_TCP:
        return _not_tcp(ip[9])
    return _read_tcp(
        ip[header:total],
        total - header,
        (ip[12:16], ip[16:20]),
        (ip[8], ip[1], ip[4] << 8 | ip[5], bool(fragment & DONT_FRAGMENT)),
        (ip[20:header], 0),
    )


def _read_ipv6(ip: bytes, on_wire: int) -> Read:
    if len(ip) < 40:
        return LeftOut("was cut off inside its IP header")
    length = ip[4] << 8 | ip[5]
    total = length + 40 if length else on_wire
    kind, at = ip[6], 40
    for _ in range(_MOST_EXTENSIONS):
        if kind not in (_HOP_BY_HOP, _ROUTING, _DESTINATION, _AUTHENTICATION) or at + 2 > len(ip):
            break
        size = (ip[at + 1] + 2) * 4 if kind == _AUTHENTICATION else (ip[at + 1] + 1) * 8
        kind, at = ip[at], at + size
    if kind == _FRAGMENT and at + 8 <= len(ip):
        if len(ip) < total:
            return LeftOut("is a fragment that was snapped")
        if ip[at] != PROTOCOL_TCP:
            return _not_tcp(ip[at])
        bits = ip[at + 2] << 8 | ip[at + 3]
        head = ip[:6] + bytes((PROTOCOL_TCP,)) + ip[7:40]
        key = ip[8:40] + ip[at : at + 1], int.from_bytes(ip[at + 4 : at + 8])
        return Fragment(key, head, ip[at + 8 : total], bits & 0xFFF8, bool(bits & 1))
    if kind != PROTOCOL_TCP:
        return _not_tcp(kind)
    if total < at:
        return LeftOut("has an IP header that cannot be right")
    first = int.from_bytes(ip[:4])
    extensions = ip[6:7] + ip[40:at] if at > 40 else b""
    return _read_tcp(
        ip[at:total],
        total - at,
        (ip[8:24], ip[24:40]),
        (ip[7], first >> 20 & 0xFF, 0, True),
        (extensions, first & 0xFFFFF),
    )


def _not_tcp(protocol: int) -> LeftOut:
    return LeftOut("is ICMP" if protocol in _ICMP else "is IP, but not TCP")


def _read_tcp(
    tcp: bytes,
    on_wire: int,
    ends: tuple[bytes, bytes],
    of_ip: tuple[int, int, int, bool],
    more_of_ip: tuple[bytes, int],
) -> Read:
    """The segment in what is left of a packet behind its IP header, of `on_wire` octets on the wire."""
    if len(tcp) < _LEAST_TCP:
        cut = len(tcp) < on_wire
        return LeftOut("was snapped inside its TCP header" if cut else "has a TCP header that is too short")
    sport, dport, seq, ack, bits, window, checksum, urgent = _TCP.unpack_from(tcp)
    data_at = bits >> 10 & 0x3C
    if data_at < _LEAST_TCP or data_at > on_wire:
        return LeftOut("has a TCP header that cannot be right")
    ttl, tos, ip_id, df = of_ip
    src, dst = ends
    segment = make_segment(
        *(src, sport, dst, dport, seq, ack, bits & 0x1FF, window),
        *(decode_options(tcp[_LEAST_TCP:data_at]), tcp[data_at:], urgent),
        *(ttl, tos, ip_id, df, bits >> 9 & 7, *more_of_ip),
    )
    return segment, on_wire - data_at, _sum_of(tcp, on_wire, src + dst, checksum)


def _sum_of(tcp: bytes, on_wire: int, addresses: bytes, checksum: int) -> Sum:
    pseudo = sum_of(addresses) + PROTOCOL_TCP
    if len(tcp) < on_wire:
        return Sum.UNKNOWN
    covered = sum_of(tcp)
    if (pseudo + on_wire + (covered << 8 if on_wire & 1 else covered)) % 65535 == 0:
        return Sum.GOOD
    # What Linux leaves for the card: the sum of the pseudo-header, with the length or (TSO) without it.
    if not checksum or checksum % 65535 in ((pseudo + on_wire) % 65535, pseudo % 65535):
        return Sum.UNFILLED
    return Sum.BAD
