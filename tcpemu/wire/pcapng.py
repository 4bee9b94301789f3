"""The pcapng format: blocks, each with a type, its length before and behind, and a list of options.

A file is one or more sections. A section header block opens each and settles its byte order; interface
description blocks follow, numbered from 0 in their section; then a block of names for addresses; packet blocks
name an interface by its number.
`dump` writes one little-endian section with times in nanoseconds. `load` reads any number of sections in
either order, any resolution of times (rounded down to nanoseconds), and steps over blocks and options that
it does not know. The interfaces of several sections become one list, so a packet's interface number may
change.

**Names** are those of IPv4 and IPv6 addresses. The format has no record for the name of a port, so there are
none: programs take these from a list of their own (/etc/services, or `services` of a Wireshark profile).
"""

import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from tcpemu.wire.capture_values import (
    MOST_PACKETS,
    Capture,
    CaptureError,
    Direction,
    Interface,
    Packet,
    cut_off,
    damaged,
    link_type_of,
    too_many,
)

MAGIC = b"\x0a\x0d\x0d\x0a"
"""What a pcapng file begins with; the same in both byte orders."""
_BYTE_ORDER_MAGIC = 0x1A2B3C4D

# Types of blocks.
_SECTION, _INTERFACE, _OLD_PACKET, _SIMPLE_PACKET, _NAME_RESOLUTION, _PACKET = 0x0A0D0D0A, 1, 2, 3, 4, 6

# Codes of options; the same code means something else in each type of block.
_END, _COMMENT = 0, 1
_APPLICATION = 4  # of a section
_NAME, _DESCRIPTION, _RESOLUTION, _OFFSET = 2, 3, 9, 14  # of an interface
_FLAGS = 2  # of a packet
_ADDRESS_LENGTHS = {1: 4, 2: 16}
"""Octets of the address in a record of a name, by the record's type; other types are stepped over."""
_NAME_RECORDS = {length: kind for kind, length in _ADDRESS_LENGTHS.items()}

_SECOND = 1_000_000_000
_WHOLE_LENGTH_UNKNOWN = -1


def dump(capture: Capture) -> bytes:
    """The file. Raises CaptureError for a packet or text that the format cannot hold."""
    return b"".join(pieces(capture, capture.packets))


def pieces(capture: Capture, packets: Iterable[Packet]) -> Iterator[bytes]:
    """The file piece by piece, with these packets in place of the capture's own. Raises CaptureError likewise."""
    yield _section_block(capture)
    yield from map(_interface_block, capture.interfaces)
    if capture.names:
        yield _name_resolution_block(capture.names)
    for number, packet in enumerate(packets):
        if not 0 <= packet.interface < len(capture.interfaces):
            raise CaptureError(
                f"packet {number}: interface {packet.interface} is not one of the capture's "
                f"{len(capture.interfaces)}; add it to Capture.interfaces"
            )
        yield _packet_block(number, packet)


def _section_block(capture: Capture) -> bytes:
    options = [(_COMMENT, _text(comment, "the capture's comment")) for comment in capture.comments]
    if capture.application:
        options.append((_APPLICATION, _text(capture.application, "the application")))
    fixed = struct.pack("<IHHq", _BYTE_ORDER_MAGIC, 1, 0, _WHOLE_LENGTH_UNKNOWN)
    return _block(_SECTION, fixed, options)


def _interface_block(interface: Interface) -> bytes:
    if not 0 <= interface.link_type <= 0xFFFF:
        raise CaptureError(
            f"interface {interface.name!r}: link type {interface.link_type}; it must be 0 to 65535"
        )
    options = []
    if interface.name:
        options.append((_NAME, _text(interface.name, "an interface's name")))
    if interface.description:
        options.append((_DESCRIPTION, _text(interface.description, "an interface's description")))
    options.append((_RESOLUTION, b"\x09"))
    return _block(_INTERFACE, struct.pack("<HHI", interface.link_type, 0, 0), options)


def _name_resolution_block(names: Sequence[tuple[bytes, str]]) -> bytes:
    """The name resolution block: addresses and their names.

    Its records are laid out as options are, and end with the same four octets of nought.
    """
    return _block(_NAME_RESOLUTION, b"", [_name_record(address, name) for address, name in names])


def _name_record(address: bytes, name: str) -> tuple[int, bytes]:
    kind = _NAME_RECORDS.get(len(address))
    if kind is None:
        raise CaptureError(f"name {name!r}: its address has {len(address)} octets; it must have 4 or 16")
    if not name or "\0" in name:
        raise CaptureError(f"name {name!r}: it must not be empty, nor have a NUL in it")
    octets = address + _text(name, f"name {name[:20]!r}") + b"\0"
    if len(octets) > 0xFFFF:
        raise CaptureError(
            f"name {name[:20]!r}... does not fit; shorten it to {0xFFFE - len(address)} octets"
        )
    return kind, octets


def _packet_block(number: int, packet: Packet) -> bytes:
    size = len(packet.data)
    original = size if packet.original_length is None else packet.original_length
    if not 0 <= packet.at < 1 << 64:
        raise CaptureError(f"packet {number}: time {packet.at} ns; it must be 0 to 2**64 - 1")
    if not 0 <= original < 1 << 32:
        raise CaptureError(f"packet {number}: original length {original}; it must be 0 to 2**32 - 1")
    options = b"".join([_comment_option(number, comment) for comment in packet.comments])
    options += _DIRECTION_OPTIONS[packet.direction]
    data = _padded(packet.data) + (options + bytes(4) if options else b"")
    length = len(data) + 32
    fixed = _PACKET_HEAD.pack(
        _PACKET, length, packet.interface, packet.at >> 32, packet.at & 0xFFFFFFFF, size, original
    )
    return fixed + data + length.to_bytes(4, "little")


_PACKET_HEAD = struct.Struct("<IIIIIII")
"""Type and length of the block, interface, time in two halves, octets in the file and on the wire."""


def _comment_option(number: int, comment: str) -> bytes:
    return _option(_COMMENT, _text(comment, f"packet {number}: its comment"))


def _option(code: int, value: bytes) -> bytes:
    return struct.pack("<HH", code, len(value)) + _padded(value)


def _text(text: str, where: str) -> bytes:
    try:
        octets = text.encode()
    except UnicodeEncodeError as error:
        raise CaptureError(f"{where} cannot be UTF-8: {error.reason} at character {error.start}") from None
    if len(octets) > 0xFFFF:
        raise CaptureError(f"{where} has {len(octets)} octets; shorten it to 65535")
    return octets


def _block(kind: int, fixed: bytes, options: list[tuple[int, bytes]]) -> bytes:
    parts = [fixed]
    parts += [_option(code, value) for code, value in options]
    if options:
        parts.append(bytes(4))
    body = b"".join(parts)
    size = len(body) + 12
    return struct.pack("<II", kind, size) + body + struct.pack("<I", size)


def _padded(octets: bytes) -> bytes:
    return octets + bytes(-len(octets) % 4)


_DIRECTION_OPTIONS = {
    one: b"" if one is Direction.UNKNOWN else _option(_FLAGS, one.value.to_bytes(4, "little"))
    for one in Direction
}
"""The option with the direction of a packet."""


def load(octets: bytes) -> Capture:
    """The capture in a file. Raises CaptureError where it is broken."""
    if octets[:4] != MAGIC:
        raise CaptureError(f"the file begins with {octets[:4].hex(' ')!r}, so it is not pcapng; convert it")
    reader = BlockReader(octets)
    at = 0
    while at < len(octets):
        at = reader.read_block(at)
    return Capture(
        interfaces=tuple(reader.interfaces),
        packets=tuple(reader.packets),
        application=reader.application,
        comments=tuple(reader.comments),
        names=tuple(reader.names),
    )


@dataclass(frozen=True, slots=True)
class _Clock:
    """How an interface counts time. The defaults are the format's: microseconds since the epoch."""

    ticks_per_second: int = 1_000_000
    offset: int = 0
    """Seconds to add."""

    def nanoseconds(self, ticks: int) -> int:
        return ticks * _SECOND // self.ticks_per_second + self.offset * _SECOND


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a section's packets need to know of an interface."""

    place: int
    """In the list of all sections' interfaces."""
    snaplen: int
    clock: _Clock


class BlockReader:
    """Reads block after block, and keeps what they say.

    One that is given a file piece by piece puts each whole block into `octets` and takes `packets` out: see
    `tcpemu.diagnose.reading`.
    """

    def __init__(self, octets: bytes) -> None:
        self.octets = octets
        self.order = "<"
        self.section: list[_Seen] = []
        self.interfaces: list[Interface] = []
        self.packets: list[Packet] = []
        self.application = ""
        self.comments: list[str] = []
        self.names: list[tuple[bytes, str]] = []

    def read_block(self, at: int) -> int:
        """Reads the block there. Returns where the next begins."""
        if at + 12 > len(self.octets):
            raise cut_off("a block", at)
        if self.octets[at : at + 4] == MAGIC:
            self._set_order(at)
        kind, size = self._unpack("II", at, at + 8)
        if size < 12 or size % 4:
            raise damaged(f"a block has length {size}", at)
        end = at + size
        if end > len(self.octets):
            raise cut_off(f"a block of {size} octets", at)
        (again,) = self._unpack("I", end - 4, end)
        if again != size:
            raise damaged(f"a block has lengths {size} and {again}", at)
        read = self._readers.get(kind)
        if read:
            read(self, at + 8, end - 4)
        return end

    def _set_order(self, at: int) -> None:
        magic = self.octets[at + 8 : at + 12]
        order = order_of(magic)
        if order is None:
            raise damaged(f"a section has byte order mark {magic.hex(' ')}", at)
        self.order = order

    def _unpack(self, layout: str, at: int, end: int) -> tuple[int, ...]:
        size = struct.calcsize(self.order + layout)
        if at + size > end:
            raise damaged(f"{size} octets do not fit in their block", at)
        return struct.unpack_from(self.order + layout, self.octets, at)

    def _options(self, at: int, end: int, what: str = "an option") -> Iterator[tuple[int, int, int]]:
        """Code, offset and end of each option, or of each record of names."""
        while at < end:
            code, size = self._unpack("HH", at, end)
            if code == _END:
                return
            if at + 4 + size > end:
                raise damaged(f"{what} of {size} octets does not fit in its block", at)
            yield code, at + 4, at + 4 + size
            at += 4 + size + -size % 4

    def _string(self, at: int, end: int) -> str:
        return self.octets[at:end].decode(errors="replace")

    def _read_section(self, at: int, end: int) -> None:
        _, major, _, _ = self._unpack("IHHq", at, end)
        if major != 1:
            raise CaptureError(f"a section at octet {at - 8} has version {major}; convert it to version 1")
        self.section = []
        for code, start, stop in self._options(at + 16, end):
            if code == _COMMENT:
                self.comments.append(self._string(start, stop))
            elif code == _APPLICATION and not self.application:
                self.application = self._string(start, stop)

    def _read_interface(self, at: int, end: int) -> None:
        link_type, _, snaplen = self._unpack("HHI", at, end)
        name = description = ""
        ticks, offset = 1_000_000, 0
        for code, start, stop in self._options(at + 8, end):
            if code == _NAME:
                name = self._string(start, stop)
            elif code == _DESCRIPTION:
                description = self._string(start, stop)
            elif code == _RESOLUTION:
                ticks = _ticks_per_second(*self._unpack("B", start, stop))
            elif code == _OFFSET:
                (offset,) = self._unpack("q", start, stop)
        self.section.append(_Seen(len(self.interfaces), snaplen, _Clock(ticks, offset)))
        self.interfaces.append(Interface(name, link_type_of(link_type), description))

    def _read_name_resolution(self, at: int, end: int) -> None:
        for kind, start, stop in self._options(at, end, "a record of names"):
            length = _ADDRESS_LENGTHS.get(kind)
            if length is None:
                continue
            if start + length > stop:
                raise damaged(
                    f"a record of names has {stop - start} octets, too few for its address", start - 4
                )
            address = self.octets[start : start + length]
            names = self._string(start + length, stop).split("\0")
            self.names += [(address, name) for name in names if name]

    def _read_packet(self, at: int, end: int) -> None:
        self._add_packet(at, end, *self._unpack("IIIII", at, end))

    def _read_old_packet(self, at: int, end: int) -> None:
        interface, _dropped, *rest = self._unpack("HHIIII", at, end)
        self._add_packet(at, end, interface, *rest)

    def _add_packet(
        self, at: int, end: int, interface: int, high: int, low: int, size: int, original: int
    ) -> None:
        seen = self._seen(interface, at)
        comments: list[str] = []
        direction = Direction.UNKNOWN
        data = self._data(at + 20, end, size)
        if len(self.packets) >= MOST_PACKETS:
            raise too_many()
        for code, start, stop in self._options(at + 20 + size + -size % 4, end):
            if code == _COMMENT:
                comments.append(self._string(start, stop))
            elif code == _FLAGS:
                direction = _direction(*self._unpack("I", start, stop))
        self.packets.append(
            Packet(
                at=seen.clock.nanoseconds(high << 32 | low),
                data=data,
                interface=seen.place,
                comments=tuple(comments),
                direction=direction,
                original_length=None if original == size else original,
            )
        )

    def _read_simple_packet(self, at: int, end: int) -> None:
        """A packet without a time, of the section's first interface."""
        (original,) = self._unpack("I", at, end)
        seen = self._seen(0, at)
        size = min(original, seen.snaplen) if seen.snaplen else original
        data = self._data(at + 4, end, size)
        self.packets.append(
            Packet(0, data, seen.place, original_length=None if original == size else original)
        )

    def _seen(self, interface: int, at: int) -> _Seen:
        if interface >= len(self.section):
            raise damaged(f"a packet names interface {interface} of {len(self.section)}", at - 8)
        return self.section[interface]

    def _data(self, at: int, end: int, size: int) -> bytes:
        if at + size > end:
            raise damaged(f"a packet of {size} octets does not fit in its block", at)
        return self.octets[at : at + size]

    _readers: dict[int, Callable[["BlockReader", int, int], None]] = {  # noqa: RUF012 (never changed)
        _SECTION: _read_section,
        _INTERFACE: _read_interface,
        _OLD_PACKET: _read_old_packet,
        _SIMPLE_PACKET: _read_simple_packet,
        _NAME_RESOLUTION: _read_name_resolution,
        _PACKET: _read_packet,
    }


def order_of(mark: bytes) -> str | None:
    """The byte order of a section with that mark, as `struct` writes it; None where it is no mark."""
    return next((order for order in "<>" if mark == struct.pack(order + "I", _BYTE_ORDER_MAGIC)), None)


def _ticks_per_second(resolution: int) -> int:
    """A power of ten, or of two with the highest bit set."""
    return 1 << (resolution & 0x7F) if resolution & 0x80 else int(10**resolution)


def _direction(flags: int) -> Direction:
    bits = flags & 3
    return Direction(bits) if bits < 3 else Direction.UNKNOWN
