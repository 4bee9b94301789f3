"""What a TCP header is tested for, whichever IP carries it: lengths and checksum when read, ranges when written."""

import struct

from tcpemu.wire.options import encode_options
from tcpemu.wire.refused import Refused, RefusedReason
from tcpemu.wire.segment import Segment

PROTOCOL_TCP = 6
_MOST_OPTIONS = 40


def sum_of(octets: bytes) -> int:
    """A short number, equal to the octets' modulo 65535. To divide a long one costs more than folding it."""
    number = int.from_bytes(octets)
    bits = len(octets) * 8
    while bits > 1024:
        bits = (bits + 31) >> 5 << 4  # half, and whole words
        number = (number >> bits) + (number & ((1 << bits) - 1))
    return number


def tcp_refusal(tcp: bytes, addresses: bytes) -> Refused | None:
    """What is wrong with a TCP header and its payload between these addresses (tcp_v4_rcv, Linux 6.12)."""
    if len(tcp) < 20:
        return Refused(RefusedReason.TRUNCATED, f"{len(tcp)} octets of a TCP header of 20")
    offset = (tcp[12] >> 4) * 4
    if offset < 20:
        return Refused(RefusedReason.BAD_TCP_HEADER, f"the data offset is {offset} octets, below 20")
    if len(tcp) < offset:
        return Refused(RefusedReason.TRUNCATED, f"{len(tcp)} octets of a TCP header of {offset}")
    # The longer pseudo-header of IPv6 has the same words besides zeros, so it has the same sum.
    pseudo_header = addresses + struct.pack("!HH", PROTOCOL_TCP, len(tcp))
    padding = bytes(len(tcp) & 1)
    if sum_of(pseudo_header + tcp + padding) % 65535 or tcp[16:18] == b"\xff\xff":
        return Refused(RefusedReason.BAD_TCP_CHECKSUM, f"the TCP checksum 0x{tcp[16:18].hex()} is wrong")
    return None


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
    "flow_label": 20,
}
"""The bits of each field that is a number."""


def check_fields(segment: Segment, address_size: int) -> None:
    """Raises ValueError for the first field that does not fit, and for an address of another size."""
    for name, bits in _RANGES.items():
        value = getattr(segment, name)
        if not 0 <= value < 1 << bits:
            raise ValueError(f"{name} is {value}; it must be between 0 and {(1 << bits) - 1}")
    for name in ("src", "dst"):
        size = len(getattr(segment, name))
        if size not in (4, 16):
            raise ValueError(f"{name} has {size} octets; an address of IPv4 has 4, one of IPv6 has 16")
        if size != address_size:
            raise ValueError(
                f"{name} has {size} octets and the other address {address_size}; both are of one IP"
            )
    options = len(encode_options(segment.options))
    if options > _MOST_OPTIONS:
        raise ValueError(f"options take {options} octets; a TCP header has room for {_MOST_OPTIONS}")
