"""Any capture as a stream of frames, in flat memory: what is broken ends it or is stepped over, and is told.

`tcpemu.wire` reads captures whole and refuses a broken one, as is right for captures of our own. What an engineer
brings was cut off by a full disk, or by the end of the machine it was taken on: all that stands before is of use.
Frames are counted as Wireshark counts them, from 1 on.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from tcpemu.diagnose.reading.unpacked import OctetStream
from tcpemu.wire import pcap, pcapng
from tcpemu.wire.capture_values import CaptureError, Interface, Packet

MOST_OCTETS_OF_FRAME = 1 << 24
"""Of a frame or a block. A longer one is none: its length is damaged."""
MOST_EMPTY = 10_000
"""Frames in a row without an octet. Nobody captures that: a file of zeros, as a disk gives after a power cut, has 16 of
them in each 256 octets, and gigabytes of them would be counted for an hour."""
_SECTION_START = 12
_BLOCK_ENDS = 12


class Frame(NamedTuple):
    """One packet of a capture, with what has to be known of its interface."""

    number: int
    """As Wireshark counts, from 1 on."""
    packet: Packet
    link_type: int


@dataclass(slots=True)
class FileFacts:
    """What the file itself says, and what of it could not be read."""

    kind: str = ""
    """`pcap` or `pcapng`."""
    packed: str = ""
    application: str = ""
    """The program that says it has written the file."""
    interfaces: list[Interface] = field(default_factory=list)
    frames: int = 0
    octets_read: int = 0
    """Of the file as it lies there, packed or not."""
    damaged_blocks: int = 0
    """Blocks of pcapng that were stepped over."""
    ended: str = ""
    """Why the rest of the file was not read; empty where it was."""

    @property
    def ours(self) -> bool:
        """Whether this program says that it has written the file, so that comments in it are its own."""
        return self.application.startswith("tcpemu ")


def frames_of(path: Path, facts: FileFacts) -> Iterator[Frame]:
    """The frames one by one; `facts` is filled meanwhile.

    Raises CaptureError, with the mend, for a file that is no capture; OSError from the disk.
    """
    try:
        with OctetStream(path) as stream:
            facts.packed = stream.packed
            empty = 0
            for frame in _frames(stream, facts):
                if not frame.number & 0xFF:
                    facts.octets_read = stream.place
                yield frame
                empty = 0 if frame.packet.data else empty + 1
                if empty >= MOST_EMPTY:
                    facts.ended = (
                        f"{empty:,} packets in a row have no octet; up to octet {stream.at:,} it was read"
                    )
                    return
            if stream.spoilt:
                facts.ended = f"{stream.spoilt} after {stream.at:,} octets"
    except CaptureError as error:
        raise CaptureError(f"{path}: {error}") from None


def _frames(stream: OctetStream, facts: FileFacts) -> Iterator[Frame]:
    magic = stream.read(4)
    if magic in pcap.MAGICS:
        facts.kind = "pcap"
        return _frames_of_pcap(magic, stream, facts)
    if magic == pcapng.MAGIC:
        facts.kind = "pcapng"
        return _frames_of_pcapng(magic, stream, facts)
    if stream.spoilt:
        raise CaptureError(f"{stream.spoilt}; capture again")
    raise CaptureError(
        f"the file begins with {magic.hex(' ')}, so it is neither pcapng nor pcap; convert it with 'editcap'"
    )


def is_readable(path: Path) -> bool:
    """Whether there is a file that is a capture, packed or not, however broken further on."""
    if not path.is_file():
        return False
    try:
        next(frames_of(path, FileFacts()), None)
    except (CaptureError, OSError):
        return False
    return True


def is_ours(path: Path) -> bool:
    """Whether this program says that it has written the capture, so that comments in it are its own.

    Raises CaptureError for a file that is no capture; OSError from the disk.
    """
    facts = FileFacts()
    next(frames_of(path, facts), None)
    return facts.ours


# pcap.


def _frames_of_pcap(magic: bytes, stream: OctetStream, facts: FileFacts) -> Iterator[Frame]:
    link_type, header, unit = pcap.head_of(magic + stream.read(pcap.HEAD_LENGTH - 4))
    facts.interfaces.append(Interface("", link_type))
    while head := stream.read(header.size):
        if len(head) < header.size:
            facts.ended = f"the file ends inside the header of a packet, at octet {stream.at:,}"
            return
        seconds, rest, size, original = header.unpack(head)
        if size > MOST_OCTETS_OF_FRAME:
            facts.ended = (
                f"a packet of {size:,} octets at octet {stream.at:,}: the file is damaged from there on"
            )
            return
        data = stream.read(size)
        if len(data) < size:
            facts.ended = f"the file ends inside a packet, at octet {stream.at:,}"
            return
        facts.frames += 1
        at = seconds * 1_000_000_000 + rest * unit
        yield Frame(facts.frames, Packet(at, data, original_length=_longer(original, size)), link_type)


def _longer(original: int, size: int) -> int | None:
    """The length on the wire where that is more than was captured; some programs write less, which means nothing."""
    return original if original > size else None


# pcapng.


def _frames_of_pcapng(magic: bytes, stream: OctetStream, facts: FileFacts) -> Iterator[Frame]:
    reader = pcapng.BlockReader(b"")
    head = magic
    while head:
        block = _block(head, stream, reader, facts)
        if block is None:
            return
        yield from _read_block(block, reader, facts)
        head = stream.read(4)


def _block(head: bytes, stream: OctetStream, reader: pcapng.BlockReader, facts: FileFacts) -> bytes | None:
    """The whole block that begins so; None, with the reason told, where there is none."""
    begin = stream.at - len(head)
    head += stream.read(_SECTION_START - len(head))
    order = reader.order
    if head[:4] == pcapng.MAGIC:
        order = pcapng.order_of(head[8:12]) or order
    size = int.from_bytes(head[4:8], "little" if order == "<" else "big")
    if len(head) < _SECTION_START:
        facts.ended = f"the file ends inside a block, at octet {stream.at:,}"
        return None
    if size < _BLOCK_ENDS or size % 4 or size > MOST_OCTETS_OF_FRAME:
        facts.ended = f"a block of {size:,} octets at octet {begin:,}: the file is damaged from there on"
        return None
    block = head + stream.read(size - len(head))
    if len(block) < size:
        facts.ended = f"the file ends inside a block, at octet {stream.at:,}"
        return None
    return block


def _read_block(block: bytes, reader: pcapng.BlockReader, facts: FileFacts) -> Iterator[Frame]:
    reader.octets = block
    try:
        reader.read_block(0)
    except CaptureError:
        facts.damaged_blocks += 1
        # A packet that cannot be read is one that Wireshark counts.
        facts.frames += block[:4] in (b"\6\0\0\0", b"\0\0\0\6", b"\3\0\0\0", b"\0\0\0\3")
    facts.application = facts.application or reader.application
    facts.interfaces = reader.interfaces
    packets, reader.packets = reader.packets, []
    reader.names.clear()
    del reader.comments[1:]
    for packet in packets:
        facts.frames += 1
        yield Frame(facts.frames, packet, reader.interfaces[packet.interface].link_type)
