"""Octets of one IP packet to a `Segment`, and back; those of IPv6 are read and written in `ipv6.py`.

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

from tcpemu.wire.checked_tcp import PROTOCOL_TCP, check_fields, sum_of, tcp_refusal
from tcpemu.wire.ipv6 import decode_ipv6, encode_ipv6
from tcpemu.wire.options import decode_options, encode_options
from tcpemu.wire.refused import Refused, RefusedReason
from tcpemu.wire.segment import Segment

RESERVED_BIT, DONT_FRAGMENT, MORE_FRAGMENTS, FRAGMENT_OFFSET = 0x8000, 0x4000, 0x2000, 0x1FFF


_headers = struct.Struct("!BBHHHBBH4s4sHHIIHHHH")
_ip_header = struct.Struct("!BBHHHBBH4s4s")
_tcp_header = struct.Struct("!HHIIHHHH")
_read_headers = _headers.unpack_from
_write_headers = _headers.pack
_number = int.from_bytes  # of octets in network order
_new = tuple.__new__


def decode(packet: bytes) -> Segment | Refused:
    """The segment in a raw IP packet, or why there is none; never raises.

    The tests come in the order of ip_input.c: ip_rcv_core and tcp_ipv4.c: tcp_v4_rcv. Octets beyond the
    IP total length are ignored.
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
    covered = sum_of(whole[12:]) if total > 128 else _number(whole[12:])
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
        ttl, tos, ip_id, fragment == DONT_FRAGMENT, bits >> 9 & 7, b"", 0,
    )  # fmt: skip
    return _new(Segment, values)


def _decode_with_care(packet: bytes) -> Segment | Refused:
    """The same as `decode` for any octets at all."""
    if packet and packet[0] >> 4 == 6:
        return decode_ipv6(packet)
    return _ip_refusal(packet) or _tcp_refusal(packet) or _decode_checked(packet)


def _ip_refusal(packet: bytes) -> Refused | None:
    """What is wrong with the IP header, tested in the order of ip_input.c: ip_rcv_core."""
    size = len(packet)
    if size == 0:
        return Refused(RefusedReason.TRUNCATED, "the packet is empty")
    version, ihl = packet[0] >> 4, (packet[0] & 15) * 4
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
    """What is wrong with the TCP header, tested in the order of tcp_ipv4.c: tcp_v4_rcv."""
    if packet[9] != PROTOCOL_TCP:
        return Refused(RefusedReason.NOT_TCP, f"the IP protocol is {packet[9]}, not {PROTOCOL_TCP}")
    return tcp_refusal(packet[(packet[0] & 15) * 4 : _number(packet[2:4])], packet[12:20])


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

    Raises ValueError that names the field and its range where a number does not fit its field, and for addresses
    that are not both of IPv4 or both of IPv6.
    """
    (
        src, sport, dst, dport, seq, ack, flags, window, options, payload, urgent,
        ttl, tos, ip_id, df, reserved, ip_options, flow_label,
    ) = segment  # fmt: skip
    version_ihl, total = 0x45, 40
    if ip_options or len(src) != 4 or len(dst) != 4 or flags > 0x1FF or reserved > 7 or flow_label:
        if len(src) == 16:
            return encode_ipv6(segment)
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
    body = sum_of(tail) if size > 128 else _number(tail) if size else 0
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


def _check(segment: Segment) -> None:
    """Raises ValueError for the first field that does not fit the packet."""
    check_fields(segment, 4)
    if segment.flow_label:
        raise ValueError(f"flow_label is {segment.flow_label}; IPv4 has none")
    if len(segment.ip_options) > 40 or len(segment.ip_options) % 4:
        raise ValueError(
            f"ip_options has {len(segment.ip_options)} octets; it must be a multiple of 4 and at most 40"
        )
    total = 40 + len(segment.ip_options) + len(encode_options(segment.options)) + len(segment.payload)
    if total > 65535:
        raise ValueError(f"the packet has {total} octets; IP allows 65535, so shorten the payload")
