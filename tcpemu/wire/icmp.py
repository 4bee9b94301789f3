"""ICMP errors of IPv4 (RFC 792, RFC 1191) and IPv6 (RFC 4443): what a router or host says of a packet that it quotes.

Other ICMP, such as echo, says nothing to TCP and is not read.
"""

import struct
from typing import NamedTuple

from tcpemu.wire.checked_tcp import PROTOCOL_TCP, sum_of
from tcpemu.wire.codec import DONT_FRAGMENT
from tcpemu.wire.ipv6 import HEADER_LENGTH, LEAST_IPV6_MTU, extensions_size, header_layout
from tcpemu.wire.refused import Refused, RefusedReason
from tcpemu.wire.segment import Address, FlowKey, Segment, address_text, endpoint_text, ip_header_length

PROTOCOL_ICMP, PROTOCOL_ICMPV6 = 1, 58
UNREACHABLE, SOURCE_QUENCH, REDIRECT, TIME_EXCEEDED, PARAMETER_PROBLEM = 3, 4, 5, 11, 12
FRAGMENTATION_NEEDED = 4
"""Code of UNREACHABLE: the packet is larger than the next link's MTU and may not be cut."""
V6_UNREACHABLE, V6_TOO_BIG, V6_TIME_EXCEEDED, V6_PARAMETER_PROBLEM = 1, 2, 3, 4
"""Types of ICMPv6."""
_KINDS = {
    UNREACHABLE: "destination unreachable",
    SOURCE_QUENCH: "source quench",
    REDIRECT: "redirect",
    TIME_EXCEEDED: "time exceeded",
    PARAMETER_PROBLEM: "parameter problem",
}
_V6_KINDS = {
    V6_UNREACHABLE: "destination unreachable",
    V6_TOO_BIG: "packet too big",
    V6_TIME_EXCEEDED: "time exceeded",
    V6_PARAMETER_PROBLEM: "parameter problem",
}
_UNREACHABLE_CODES = {
    0: "net",
    1: "host",
    2: "protocol",
    3: "port",
    4: "fragmentation needed",
    5: "source route failed",
    6: "net unknown",
    7: "host unknown",
    8: "host isolated",
    9: "net prohibited",
    10: "host prohibited",
    11: "net for this TOS",
    12: "host for this TOS",
    13: "administratively prohibited",
    14: "precedence violated",
    15: "precedence cut off",
}
_V6_UNREACHABLE_CODES = {
    0: "no route",
    1: "administratively prohibited",
    2: "beyond scope of source address",
    3: "address",
    4: "port",
    5: "source address failed policy",
    6: "reject route",
}
_ip = struct.Struct("!BBHHHBBH4s4s")
_icmp = struct.Struct("!BBHI")
_LEAST_QUOTE = 28
"""An IP header and 8 octets: both ports and the sequence number."""


class IcmpError(NamedTuple):
    """One ICMP error in one IP packet; with addresses of IPv6 one of ICMPv6."""

    src: Address
    """Who says so."""
    dst: Address
    kind: int
    """ICMP type: UNREACHABLE, TIME_EXCEEDED, ...; that of ICMPv6: V6_UNREACHABLE, V6_TOO_BIG, ..."""
    code: int
    quoted: bytes
    """The packet that it is about, or its beginning: its IP header and 8 octets at least."""
    rest: int = 0
    """The second word of the header. Where a packet is too large it is the MTU of the next link: all of it in
    ICMPv6, its low half in ICMP."""
    ttl: int = 64
    tos: int = 0
    ip_id: int = 0
    df: bool = False

    def __str__(self) -> str:
        """As `192.0.2.254 says: destination unreachable (port) of 10.0.0.1:80 > 10.0.0.2:5000`."""
        flow = self.flow
        about = f"{endpoint_text(flow[2:])} > {endpoint_text(flow[:2])}"
        return f"{address_text(self.src)} says: {self.says} of {about}"

    @property
    def says(self) -> str:
        """Type and code in words: `destination unreachable (port)`, `packet too big (MTU 1280)`."""
        six = len(self.src) == 16
        kinds, codes = (_V6_KINDS, _V6_UNREACHABLE_CODES) if six else (_KINDS, _UNREACHABLE_CODES)
        more = []
        if self.kind == (V6_UNREACHABLE if six else UNREACHABLE):
            more.append(str(codes.get(self.code, self.code)))
        if self.too_large and self.mtu:
            more.append(f"MTU {self.mtu}")
        words = str(kinds.get(self.kind, self.kind))
        return f"{words} ({', '.join(more)})" if more else words

    @property
    def mtu(self) -> int:
        """The MTU of the next link, 0 where a router does not tell."""
        return self.rest if len(self.src) == 16 else self.rest & 0xFFFF

    @property
    def too_large(self) -> bool:
        """Whether it says that the packet was larger than the next link's MTU."""
        if len(self.src) == 16:
            return self.kind == V6_TOO_BIG
        return self.kind == UNREACHABLE and self.code == FRAGMENTATION_NEEDED

    @property
    def flow(self) -> FlowKey:
        """The flow of the quoted segment as its sender calls it: remote address and port, own address and port."""
        source, target = struct.unpack_from("!HH", self.quoted, _tcp_at(self.quoted))
        if self.quoted[0] >> 4 == 6:
            return self.quoted[24:40], target, self.quoted[8:24], source
        return self.quoted[16:20], target, self.quoted[12:16], source

    @property
    def quoted_tcp(self) -> bytes:
        """What is quoted of the segment, from its TCP header on."""
        return self.quoted[_tcp_at(self.quoted) :]

    @property
    def seq(self) -> int:
        """The sequence number of the quoted segment."""
        return int.from_bytes(self.quoted[_tcp_at(self.quoted) + 4 :][:4], "big")


def _tcp_at(quoted: bytes) -> int:
    """Where the TCP header begins in a packet that is quoted."""
    if quoted[0] >> 4 != 6:
        return (quoted[0] & 15) * 4
    size = extensions_size(quoted[6], quoted[HEADER_LENGTH:])
    return HEADER_LENGTH + (size if isinstance(size, int) else 0)


def quote(segment: Segment, octets: bytes) -> bytes:
    """The part of a packet that is quoted: of IPv4 its header and 8 octets (RFC 792), of IPv6 what fits 1280 octets."""
    if len(segment.src) == 16:
        return octets[: LEAST_IPV6_MTU - HEADER_LENGTH - _icmp.size]
    return octets[: ip_header_length(segment) + 8]


def encode_icmp(error: IcmpError) -> bytes:
    """The IP packet that carries the error, with lengths and checksums filled in. ValueError for what does not fit."""
    try:
        body = _icmp.pack(error.kind, error.code, 0, error.rest) + error.quoted
        if len(error.src) == 16:
            return _encode_v6(error, body)
        body = body[:2] + _checksum(body) + body[4:]
        fragment = DONT_FRAGMENT if error.df else 0
        header = _ip.pack(
            *(0x45, error.tos, 20 + len(body), error.ip_id, fragment, error.ttl, PROTOCOL_ICMP, 0),
            *(error.src, error.dst),
        )
    except struct.error as error_of_field:
        raise ValueError(f"a field of {error!r} does not fit: {error_of_field}") from None
    return header[:10] + _checksum(header) + header[12:] + body


def _encode_v6(error: IcmpError, body: bytes) -> bytes:
    """The same for ICMPv6, whose checksum covers the addresses too (RFC 4443 section 2.3)."""
    if len(error.dst) != 16 or not 0 <= error.tos <= 255:
        raise ValueError(f"a field of {error!r} does not fit: dst has 16 octets, tos is 0 to 255")
    header = header_layout.pack(
        0x60000000 | error.tos << 20, len(body), PROTOCOL_ICMPV6, error.ttl, error.src, error.dst
    )
    return header + body[:2] + _checksum(_pseudo_header(error.src, error.dst, len(body)) + body) + body[4:]


def _pseudo_header(src: Address, dst: Address, size: int) -> bytes:
    return src + dst + struct.pack("!II", size, PROTOCOL_ICMPV6)


def decode_icmp(packet: bytes) -> IcmpError | Refused:
    """The ICMP error in a raw packet of IPv4 or IPv6, or why there is none; never raises.

    Differs: of the quoted packet all of IP header and 8 octets must be there, as for the kernel's TCP.
    """
    if packet and packet[0] >> 4 == 6:
        return _decode_v6(packet)
    if len(packet) < 20 or packet[0] >> 4 != 4:
        return Refused(RefusedReason.NOT_IP, "no header of IPv4 or IPv6")
    ihl, total = (packet[0] & 15) * 4, int.from_bytes(packet[2:4], "big")
    if ihl < 20 or not ihl + 8 <= total <= len(packet):
        return Refused(RefusedReason.TRUNCATED, f"{len(packet)} octets of an IP packet of {total}")
    if _checksum(packet[:ihl]) != b"\0\0":
        return Refused(RefusedReason.BAD_IP_CHECKSUM, "the IP checksum is wrong")
    if packet[9] != PROTOCOL_ICMP:
        return Refused(RefusedReason.NOT_TCP, f"the IP protocol is {packet[9]}, not ICMP")
    body = packet[ihl:total]
    if _checksum(body) != b"\0\0":
        return Refused(RefusedReason.NOT_TCP, "the checksum of ICMP is wrong")
    kind, code, _, rest = _icmp.unpack_from(body)
    quoted = body[8:]
    if kind not in _KINDS or not _is_quote(quoted):
        return Refused(RefusedReason.NOT_TCP, f"ICMP of type {kind} that quotes no segment of TCP")
    _, tos, _, ip_id, fragment, ttl, _, _, src, dst = _ip.unpack_from(packet)
    return IcmpError(src, dst, kind, code, quoted, rest, ttl, tos, ip_id, bool(fragment & DONT_FRAGMENT))


def _decode_v6(packet: bytes) -> IcmpError | Refused:
    """The same for IPv6; extension headers before ICMPv6 are not read."""
    if len(packet) < HEADER_LENGTH + 8:
        return Refused(RefusedReason.TRUNCATED, f"{len(packet)} octets of an IPv6 header and one of ICMPv6")
    first, length, protocol, hop_limit, src, dst = header_layout.unpack_from(packet)
    if protocol != PROTOCOL_ICMPV6:
        return Refused(RefusedReason.NOT_TCP, f"the next header is {protocol}, not ICMPv6")
    body = packet[HEADER_LENGTH : HEADER_LENGTH + length]
    if len(body) < length or length < 8:
        return Refused(
            RefusedReason.TRUNCATED,
            f"{len(packet)} octets of an IPv6 packet of {HEADER_LENGTH + length}",
        )
    if _checksum(_pseudo_header(src, dst, length) + body) != b"\0\0":
        return Refused(RefusedReason.NOT_TCP, "the checksum of ICMPv6 is wrong")
    kind, code, _, rest = _icmp.unpack_from(body)
    quoted = body[8:]
    if kind not in _V6_KINDS or not _is_quote_v6(quoted):
        return Refused(RefusedReason.NOT_TCP, f"ICMPv6 of type {kind} that quotes no segment of TCP")
    return IcmpError(src, dst, kind, code, quoted, rest, hop_limit, first >> 20 & 0xFF)


def _is_quote(quoted: bytes) -> bool:
    """Whether it is the beginning of a TCP segment: its IP header and 8 octets."""
    if len(quoted) < _LEAST_QUOTE or quoted[0] >> 4 != 4 or quoted[9] != PROTOCOL_TCP:
        return False
    ihl = (quoted[0] & 15) * 4
    return 20 <= ihl <= len(quoted) - 8


def _is_quote_v6(quoted: bytes) -> bool:
    """The same for a packet of IPv6."""
    if len(quoted) < HEADER_LENGTH + 8 or quoted[0] >> 4 != 6:
        return False
    size = extensions_size(quoted[6], quoted[HEADER_LENGTH:])
    return isinstance(size, int) and len(quoted) >= HEADER_LENGTH + size + 8


def _checksum(octets: bytes) -> bytes:
    """The checksum of the Internet (RFC 1071): 0 over octets that have a right one in them."""
    return (-sum_of(octets + bytes(len(octets) & 1)) % 65535).to_bytes(2, "big")
