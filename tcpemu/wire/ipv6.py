"""Octets of one IPv6 packet to a `Segment`, and back (RFC 8200).

There is no checksum of the header, no fragmentation on the way and no identification: `df` is true and `ip_id` 0.
`tos` is the traffic class, `ttl` the hop limit. Of extension headers those are read that a host goes past without
acting upon them: hop-by-hop and destination options that hold nothing but padding. They stand in `ip_options`,
after an octet with the kind of the first, so that they are written as they were. A packet with any other is refused,
in words.

Differs: a TCP checksum written as 65535 where 0 means the same is BAD_TCP_CHECKSUM, as for IPv4.
"""

import struct

from tcpemu.wire.checked_tcp import PROTOCOL_TCP, check_fields, sum_of, tcp_refusal
from tcpemu.wire.options import decode_options, encode_options
from tcpemu.wire.refused import Refused, RefusedReason
from tcpemu.wire.segment import Segment

HEADER_LENGTH = 40
_HOP_BY_HOP, _FRAGMENT, _DESTINATION = 0, 44, 60
_EXTENSIONS = {
    0: "hop-by-hop options",
    43: "routing",
    50: "ESP",
    51: "authentication",
    60: "destination options",
    135: "mobility",
    139: "HIP",
    140: "Shim6",
}
_PAD1, _PADN = 0, 1
_MOST_PADDING = 7
LEAST_IPV6_MTU = 1280
"""Octets that every link of IPv6 carries in one packet (RFC 8200 section 5)."""
header_layout = struct.Struct("!IHBB16s16s")
"""Version, traffic class and flow label; payload length, next header, hop limit; both addresses."""
_tcp_header = struct.Struct("!HHIIHHHH")


def decode_ipv6(packet: bytes) -> Segment | Refused:
    """The segment in a raw IPv6 packet, or why there is none; never raises.

    The tests come in the order of ip6_input.c: ip6_rcv_core and tcp_ipv6.c: tcp_v6_rcv, Linux 6.12. Octets beyond the
    payload length are ignored.
    """
    if len(packet) < HEADER_LENGTH:
        return Refused(RefusedReason.TRUNCATED, f"{len(packet)} octets of an IPv6 header of {HEADER_LENGTH}")
    first, length, kind, hop_limit, src, dst = header_layout.unpack_from(packet)
    if len(packet) < HEADER_LENGTH + length:
        return Refused(
            RefusedReason.TRUNCATED,
            f"{len(packet)} octets of an IPv6 packet of {HEADER_LENGTH + length}",
        )
    rest = packet[HEADER_LENGTH : HEADER_LENGTH + length]
    size = extensions_size(kind, rest)
    if isinstance(size, Refused):
        return size
    tcp = rest[size:]
    refused = tcp_refusal(tcp, src + dst)
    if refused is not None:
        return refused
    sport, dport, seq, ack, bits, window, _, urgent = _tcp_header.unpack_from(tcp)
    data_at = bits >> 10 & 0x3C
    return Segment(
        *(src, sport, dst, dport, seq, ack, bits & 0x1FF, window),
        options=decode_options(tcp[20:data_at]),
        payload=tcp[data_at:],
        urgent=urgent,
        ttl=hop_limit,
        tos=first >> 20 & 0xFF,
        reserved=bits >> 9 & 7,
        ip_options=bytes((kind,)) + rest[:size] if size else b"",
        flow_label=first & 0xFFFFF,
    )


def extensions_size(kind: int, octets: bytes) -> int | Refused:
    """Octets that the extension headers take, the first of them of this kind, if TCP is behind them; or why not."""
    at = 0
    while kind in (_HOP_BY_HOP, _DESTINATION):
        if kind == _HOP_BY_HOP and at:
            return Refused(RefusedReason.BAD_IP_HEADER, "a hop-by-hop header that is not the first")
        if len(octets) < at + 8 or len(octets) < at + 8 + octets[at + 1] * 8:
            return Refused(RefusedReason.TRUNCATED, f"a header of {_EXTENSIONS[kind]} is cut off")
        end = at + 8 + octets[at + 1] * 8
        option = _not_padding(octets[at + 2 : end])
        if option is not None:
            return Refused(
                RefusedReason.EXTENSION_HEADER, f"{_EXTENSIONS[kind]} with {option}; only padding is read"
            )
        kind, at = octets[at], end
    if kind == PROTOCOL_TCP:
        return at
    if kind == _FRAGMENT:
        return Refused(RefusedReason.FRAGMENT, "a fragment; put it together first")
    if kind in _EXTENSIONS:
        return Refused(RefusedReason.EXTENSION_HEADER, f"a header of {_EXTENSIONS[kind]} is not read")
    return Refused(RefusedReason.NOT_TCP, f"the next header is {kind}, not {PROTOCOL_TCP}")


def _not_padding(options: bytes) -> str | None:
    """What else there is among options that may be padding (exthdrs.c: ip6_parse_tlv); None for nothing."""
    at, run = 0, 0
    while at < len(options):
        kind = options[at]
        if kind == _PAD1:
            size = 1
        elif len(options) < at + 2 or len(options) < at + 2 + options[at + 1]:
            return "an option that is cut off"
        elif kind != _PADN:
            return f"an option of kind {kind}"
        else:
            size = 2 + options[at + 1]
            if any(options[at + 2 : at + size]):
                return "padding that is not zeros"
        run, at = run + size, at + size
        if run > _MOST_PADDING:
            return f"more than {_MOST_PADDING} octets of padding"
    return None


def encode_ipv6(segment: Segment) -> bytes:
    """The IPv6 packet that carries the segment, with its lengths and checksum. ValueError for what does not fit."""
    check_fields(segment, 16)
    _check(segment)
    (
        src, sport, dst, dport, seq, ack, flags, window, options, payload, urgent,
        ttl, tos, _, _, reserved, extensions, flow_label,
    ) = segment  # fmt: skip
    tail = encode_options(options)
    bits = 0x5000 + (len(tail) << 10) | reserved << 9 | flags
    size = 20 + len(tail) + len(payload)
    header = _tcp_header.pack(sport, dport, seq, ack, bits, window, 0, urgent)
    covered = src + dst + struct.pack("!HH", PROTOCOL_TCP, size) + header + tail + payload
    checksum = -sum_of(covered + bytes(size & 1)) % 65535
    kind = extensions[0] if extensions else PROTOCOL_TCP
    length = max(len(extensions) - 1, 0) + size
    first = header_layout.pack(0x60000000 | tos << 20 | flow_label, length, kind, ttl, src, dst)
    written = header[:16] + checksum.to_bytes(2, "big") + header[18:]
    return first + extensions[1:] + written + tail + payload


def _check(segment: Segment) -> None:
    """Raises ValueError for what IPv6 has no place for."""
    if segment.ip_id or not segment.df:
        said = f"ip_id is {segment.ip_id}" if segment.ip_id else f"df is {segment.df}"
        raise ValueError(f"{said}; IPv6 has no such field: leave ip_id 0 and df true")
    extensions = segment.ip_options
    if extensions:
        size = extensions_size(extensions[0], extensions[1:])
        if isinstance(size, Refused) or size != len(extensions) - 1 or not size:
            why = size.detail if isinstance(size, Refused) else "they end elsewhere"
            raise ValueError(f"ip_options holds no extension headers of IPv6: {why}")
    length = len(extensions) + 20 + len(encode_options(segment.options)) + len(segment.payload)
    if length - bool(extensions) > 65535:
        raise ValueError(
            f"the packet has {length + HEADER_LENGTH} octets; IPv6 allows 65575, so shorten the payload"
        )
