"""The classic pcap format: one link type for the file, and for each packet a time, two lengths and its data.

Written with nanoseconds; read in both resolutions and both byte orders. The format has no place for
interfaces, comments, directions, names or the application: writing drops them, and what is read has one interface
without a name. pcapng keeps them.
"""

import struct
from collections.abc import Iterable, Iterator

from tcpemu.wire.capture_values import (
    MOST_PACKETS,
    Capture,
    CaptureError,
    Interface,
    LinkType,
    Packet,
    cut_off,
    damaged,
    link_type_of,
    too_many,
)

_NANOSECONDS, _MICROSECONDS = 0xA1B23C4D, 0xA1B2C3D4
_UNITS = {
    struct.pack(order + "I", magic): (order, unit)
    for order in "<>"
    for magic, unit in ((_NANOSECONDS, 1), (_MICROSECONDS, 1000))
}
MAGICS = frozenset(_UNITS)
"""What a pcap file may begin with."""
_FILE_HEADER = "IHHiIII"
_PACKET_HEADER = "IIII"
HEAD_LENGTH = 24
"""Octets before the first packet."""
_SNAPLEN = 262_144
_SECOND = 1_000_000_000


def dump(capture: Capture) -> bytes:
    """The file. Raises CaptureError for several link types or a time that 32 bits of seconds cannot hold."""
    longest = max((len(packet.data) for packet in capture.packets), default=0)
    return b"".join(pieces(capture, capture.packets, longest))


def pieces(capture: Capture, packets: Iterable[Packet], longest: int = 0) -> Iterator[bytes]:
    """The file piece by piece, with these packets in place of the capture's own. Raises CaptureError likewise.

    `longest` are the octets of the longest one, where that is more than an IP packet can have.
    """
    snaplen = max(_SNAPLEN, longest)
    yield struct.pack("<" + _FILE_HEADER, _NANOSECONDS, 2, 4, 0, 0, snaplen, _one_link_type(capture))
    for number, packet in enumerate(packets):
        yield _record(number, packet)


def _one_link_type(capture: Capture) -> int:
    kinds = sorted({int(interface.link_type) for interface in capture.interfaces})
    if len(kinds) > 1:
        raise CaptureError(f"a pcap file has one link type, not {kinds}; write a .pcapng file")
    return kinds[0] if kinds else LinkType.RAW


def _record(number: int, packet: Packet) -> bytes:
    seconds, rest = divmod(packet.at, _SECOND)
    size = len(packet.data)
    original = size if packet.original_length is None else packet.original_length
    try:
        return struct.pack("<" + _PACKET_HEADER, seconds, rest, size, original) + packet.data
    except struct.error:
        raise CaptureError(
            f"packet {number}: time {packet.at} ns or original length {original} is out of range; "
            f"a pcap file holds 0 to 2**32 - 1 seconds and octets"
        ) from None


def load(octets: bytes) -> Capture:
    """The capture in a file. Raises CaptureError where it is broken."""
    link_type, header, unit = head_of(octets)
    return Capture((Interface("", link_type),), _packets(octets, header, unit))


def head_of(octets: bytes) -> tuple[int, struct.Struct, int]:
    """The link type of a file that begins so, how a packet's header is laid out, nanoseconds in its unit of time.

    Raises CaptureError for a file that is no pcap, or too short.
    """
    if octets[:4] not in _UNITS:
        raise CaptureError(f"the file begins with {octets[:4].hex(' ')!r}, so it is not pcap; convert it")
    if len(octets) < HEAD_LENGTH:
        raise cut_off("its header", 0)
    order, unit = _UNITS[octets[:4]]
    link_type = struct.unpack_from(order + _FILE_HEADER, octets)[6] & 0xFFFF  # above it: about a frame check
    return link_type_of(link_type), struct.Struct(order + _PACKET_HEADER), unit


def _packets(octets: bytes, header: struct.Struct, unit: int) -> tuple[Packet, ...]:
    packets: list[Packet] = []
    at, end = HEAD_LENGTH, len(octets)
    while at < end:
        if at + 16 > end:
            raise cut_off("a packet's header", at)
        seconds, rest, size, original = header.unpack_from(octets, at)
        if rest * unit >= _SECOND:
            raise damaged(f"a packet's time has {rest * unit} ns beside its seconds", at)
        data = octets[at + 16 : at + 16 + size]
        if len(data) < size:
            raise cut_off(f"a packet of {size} octets", at)
        if len(packets) >= MOST_PACKETS:
            raise too_many()
        packets.append(
            Packet(
                at=seconds * _SECOND + rest * unit,
                data=data,
                original_length=None if original == size else original,
            )
        )
        at += 16 + size
    return tuple(packets)
