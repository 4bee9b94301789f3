"""Octets of one IP packet to a `Segment`, and back.

Reading goes two ways. `decode` tries the common packet first: IPv4, no IP options, a whole header, both
checksums right. Whatever is not that goes to `_decode_with_care`, which reads everything again slowly, in the
order in which the kernel looks, and either finds what is wrong or reads the IP options too.

Checksums: 2**16 is 1 modulo 65535, so the one's complement sum of 16-bit words is the number that the octets
make, modulo 65535. A header whose checksum is right is a multiple of 65535; the checksum to write is the
negative of the rest, and comes out as 0 rather than 65535, as the kernel writes it.

`encode(decode(b)) == b` for every packet that decodes, padding of the link behind it apart. Three things that
a Segment has no place for are refused to keep that true, though the kernel would take them:

Differs: the reserved bit of the IP header's flags (RFC 3514) is BAD_IP_HEADER when set.
Differs: an IP checksum written as 65535 where 0 means the same is BAD_IP_CHECKSUM.
Differs: a TCP checksum written as 65535 where 0 means the same is BAD_TCP_CHECKSUM.
"""

import struct
from dataclasses import dataclass
from enum import Enum

from tcpemu.wire.options import decode_options, encode_options
from tcpemu.wire.segment import Segment

PROTOCOL_TCP = 6
RESERVED_BIT, DONT_FRAGMENT, MORE_FRAGMENTS, FRAGMENT_OFFSET = 0x8000, 0x4000, 0x2000, 0x1FFF


class RefusedReason(Enum):
    """Why octets are not a Segment, in the order of the tests."""

    TRUNCATED = "truncated"
    """Shorter than a header or a length in it says."""
    NOT_IP = "not IP"
    UNSUPPORTED_IP_VERSION = "unsupported IP version"
    BAD_IP_HEADER = "bad IP header"
    BAD_IP_CHECKSUM = "bad IP checksum"
    FRAGMENT = "fragment"
    NOT_TCP = "not TCP"
    BAD_TCP_HEADER = "bad TCP header"
    """A data offset below five words."""
    BAD_TCP_CHECKSUM = "bad TCP checksum"


@dataclass(frozen=True, slots=True)
class Refused:
    """Octets that are not a segment, and why."""

    reason: RefusedReason
    detail: str


_headers = struct.Struct("!BBHHHBBH4s4sHHIIHHHH")
_ip_header = struct.Struct("!BBHHHBBH4s4s")
_tcp_header = struct.Struct("!HHIIHHHH")
_read_headers = _headers.unpack_from
_write_headers = _headers.pack
_number = int.from_bytes  # of octets in network order
_new = tuple.__new__


def _sum(octets: bytes) -> int:
    """A short number, equal to the octets' modulo 65535. To divide a long one costs more than folding it."""
    number = _number(octets)
    bits = len(octets) * 8
    while bits > 1024:
        bits = (bits + 31) >> 5 << 4  # half, and whole words
        number = (number >> bits) + (number & ((1 << bits) - 1))
    return number


def decode(packet: bytes) -> Segment | Refused:
    """The segment in a raw IP packet, or why there is none; never raises.

    The tests come in the order of ip_input.c: ip_rcv_core and tcp_ipv4.c: tcp_v4_rcv, Linux 6.12. Octets beyond the
    IP total length are ignored; IPv6 is not read.
    """
    size = len(packet)
    if size < 40:
        return _decode_with_care(packet)
    (
        version_ihl, tos, total, ip_id, fragment, ttl, protocol, ip_checksum, src, dst,
        sport, dport, seq, ack, bits, window, checksum, urgent,
    ) = _read_headers(packet)  # fmt: skip
    data_at = 20 + (bits >> 10 & 0x3C)
    whole = packet if size == total else packet[:total]
    covered = _sum(whole[12:]) if total > 128 else _number(whole[12:])
    if (
        version_ihl != 0x45
        or protocol != 6
        or (fragment != DONT_FRAGMENT and fragment != 0)  # noqa: PLR1714 (a tuple would be slower)
        or not 40 <= data_at <= total <= size
        or _number(packet[:20]) % 65535
        or ((covered << 8 if total & 1 else covered) + total - 14) % 65535  # 6 for TCP, less 20 of IP header
        or ip_checksum == 65535
        or checksum == 65535
    ):
        return _decode_with_care(packet)
    options = decode_options(whole[40:data_at]) if data_at > 40 else ()
    values = (
        src, sport, dst, dport, seq, ack, bits & 0x1FF, window, options, whole[data_at:], urgent,
        ttl, tos, ip_id, fragment == DONT_FRAGMENT, bits >> 9 & 7, b"",
    )  # fmt: skip
    return _new(Segment, values)


def _decode_with_care(packet: bytes) -> Segment | Refused:
    """The same as `decode` for any octets at all."""
    return _ip_refusal(packet) or _tcp_refusal(packet) or _decode_checked(packet)


def _ip_refusal(packet: bytes) -> Refused | None:
    """What is wrong with the IP header, tested in the order of ip_input.c: ip_rcv_core, Linux 6.12."""
    size = len(packet)
    if size == 0:
        return Refused(RefusedReason.TRUNCATED, "the packet is empty")
    version, ihl = packet[0] >> 4, (packet[0] & 15) * 4
    if version == 6:
        return Refused(RefusedReason.UNSUPPORTED_IP_VERSION, "IPv6 is not read yet")
    if version != 4:
        return Refused(RefusedReason.NOT_IP, f"the version field is {version}")
    if ihl < 20:
        return Refused(RefusedReason.BAD_IP_HEADER, f"the header length is {ihl} octets, below 20")
    if size < ihl:
        return Refused(RefusedReason.TRUNCATED, f"{size} octets of an IP header of {ihl}")
    if _number(packet[:ihl]) % 65535 or packet[10:12] == b"\xff\xff":
        return Refused(RefusedReason.BAD_IP_CHECKSUM, f"the IP checksum 0x{packet[10:12].hex()} is wrong")
    total = _number(packet[2:4])
    if size < total:
        return Refused(RefusedReason.TRUNCATED, f"{size} octets of an IP packet of {total}")
    if total < ihl:
        return Refused(RefusedReason.BAD_IP_HEADER, f"the total length {total} is below the header's {ihl}")
    return _fragment_refusal(_number(packet[6:8]))


def _fragment_refusal(fragment: int) -> Refused | None:
    """Fragments are not put together here."""
    if fragment & (MORE_FRAGMENTS | FRAGMENT_OFFSET):
        return Refused(
            RefusedReason.FRAGMENT,
            f"a fragment, offset {(fragment & FRAGMENT_OFFSET) * 8}; put it together first",
        )
    if fragment & RESERVED_BIT:
        return Refused(RefusedReason.BAD_IP_HEADER, "the reserved bit of the IP flags is set")
    return None


def _tcp_refusal(packet: bytes) -> Refused | None:
    """What is wrong with the TCP header, tested in the order of tcp_ipv4.c: tcp_v4_rcv, Linux 6.12."""
    if packet[9] != PROTOCOL_TCP:
        return Refused(RefusedReason.NOT_TCP, f"the IP protocol is {packet[9]}, not {PROTOCOL_TCP}")
    tcp = packet[(packet[0] & 15) * 4 : _number(packet[2:4])]
    if len(tcp) < 20:
        return Refused(RefusedReason.TRUNCATED, f"{len(tcp)} octets of a TCP header of 20")
    offset = (tcp[12] >> 4) * 4
    if offset < 20:
        return Refused(RefusedReason.BAD_TCP_HEADER, f"the data offset is {offset} octets, below 20")
    if len(tcp) < offset:
        return Refused(RefusedReason.TRUNCATED, f"{len(tcp)} octets of a TCP header of {offset}")
    pseudo_header = packet[12:20] + struct.pack("!HH", PROTOCOL_TCP, len(tcp))
    padding = bytes(len(tcp) & 1)
    if _sum(pseudo_header + tcp + padding) % 65535 or tcp[16:18] == b"\xff\xff":
        return Refused(RefusedReason.BAD_TCP_CHECKSUM, f"the TCP checksum 0x{tcp[16:18].hex()} is wrong")
    return None


def _decode_checked(packet: bytes) -> Segment:
    """The segment in a packet that has nothing wrong, IP options included."""
    _, tos, total, ip_id, fragment, ttl, _, _, src, dst = _ip_header.unpack_from(packet)
    tcp_at = (packet[0] & 15) * 4
    sport, dport, seq, ack, bits, window, _, urgent = _tcp_header.unpack_from(packet, tcp_at)
    data_at = tcp_at + (bits >> 10 & 0x3C)
    return Segment(
        *(src, sport, dst, dport, seq, ack, bits & 0x1FF, window),
        options=decode_options(packet[tcp_at + 20 : data_at]),
        payload=packet[data_at:total],
        urgent=urgent,
        ttl=ttl,
        tos=tos,
        ip_id=ip_id,
        df=bool(fragment & DONT_FRAGMENT),
        reserved=bits >> 9 & 7,
        ip_options=packet[20:tcp_at],
    )


def encode(segment: Segment) -> bytes:
    """The IP packet that carries the segment, with lengths and checksums filled in.

    Raises ValueError that names the field and its range where a number does not fit its field, and for an address
    that is none of IPv4.
    """
    (
        src, sport, dst, dport, seq, ack, flags, window, options, payload, urgent,
        ttl, tos, ip_id, df, reserved, ip_options,
    ) = segment  # fmt: skip
    version_ihl, total = 0x45, 40
    if ip_options or len(src) != 4 or len(dst) != 4 or flags > 0x1FF or reserved > 7:
        _check(segment)
        version_ihl += len(ip_options) >> 2
        total += len(ip_options)
    tail = encode_options(options) if options else b""
    bits = 0x5000 + (len(tail) << 10) | reserved << 9 | flags
    if payload:
        tail += payload
    size = len(tail)
    total += size
    fragment = DONT_FRAGMENT if df else 0
    body = _sum(tail) if size > 128 else _number(tail) if size else 0
    both = _number(src + dst) + 6  # the protocol
    ip_sum = both + (version_ihl << 8) + tos + total + ip_id + fragment + (ttl << 8)
    if ip_options:
        ip_sum += _number(ip_options)
    tcp_sum = both + 20 + size + sport + dport + seq + ack + bits + window + urgent
    tcp_sum += body << 8 if size & 1 else body
    try:
        headers = _write_headers(
            version_ihl, tos, total, ip_id, fragment, ttl, 6, -ip_sum % 65535, src, dst,
            sport, dport, seq, ack, bits, window, -tcp_sum % 65535, urgent,
        )  # fmt: skip
    except struct.error:
        _check(segment)
        raise
    if ip_options:
        return headers[:20] + ip_options + headers[20:] + tail
    return headers + tail


_RANGES = {
    "sport": 16,
    "dport": 16,
    "seq": 32,
    "ack": 32,
    "flags": 9,
    "window": 16,
    "urgent": 16,
    "ttl": 8,
    "tos": 8,
    "ip_id": 16,
    "reserved": 3,
}
"""The bits of each field that is a number."""


def _check(segment: Segment) -> None:
    """Raises ValueError for the first field that does not fit the packet."""
    for name, bits in _RANGES.items():
        value = getattr(segment, name)
        if not 0 <= value < 1 << bits:
            raise ValueError(f"{name} is {value}; it must be between 0 and {(1 << bits) - 1}")
    for name in ("src", "dst"):
        if len(getattr(segment, name)) != 4:
            raise ValueError(
                f"{name} has {len(getattr(segment, name))} octets; only IPv4, 4 octets, is written yet"
            )
    if len(segment.ip_options) > 40 or len(segment.ip_options) % 4:
        raise ValueError(
            f"ip_options has {len(segment.ip_options)} octets; it must be a multiple of 4 and at most 40"
        )
    _check_sizes(segment)


def _check_sizes(segment: Segment) -> None:
    """Raises ValueError where the options or the whole packet are too long."""
    options = len(encode_options(segment.options))
    if options > 40:
        raise ValueError(f"options take {options} octets; a TCP header has room for 40")
    total = 40 + len(segment.ip_options) + options + len(segment.payload)
    if total > 65535:
        raise ValueError(f"the packet has {total} octets; IP allows 65535, so shorten the payload")
