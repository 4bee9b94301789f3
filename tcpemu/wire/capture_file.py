"""Capture files: written by the suffix of their name, read by what they begin with."""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from tcpemu.wire import pcap, pcapng
from tcpemu.wire.atomic_write import write_pieces
from tcpemu.wire.capture_values import Capture, CaptureError, Direction, Interface, LinkType, Packet

__all__ = [
    "Capture",
    "CaptureError",
    "Direction",
    "Interface",
    "LinkType",
    "Packet",
    "ip_of",
    "read_capture",
    "write_capture",
    "write_packets",
]

_KINDS: dict[str, ModuleType] = {".pcapng": pcapng, ".pcap": pcap}
_ETHERTYPES_IP = (b"\x08\x00", b"\x86\xdd")
_ETHERTYPES_VLAN = (b"\x81\x00", b"\x88\xa8", b"\x91\x00")


MOST_OCTETS = 2**28
"""Of a capture that is read, since all of it is held in memory."""


def write_capture(path: str | os.PathLike[str], capture: Capture) -> None:
    """Writes a .pcapng or .pcap file. A plain file of that name is replaced when the new one is whole, not before.

    Raises CaptureError for another suffix or what the format cannot hold; OSError from the disk.
    """
    _write(path, lambda kind: iter((kind.dump(capture),)))


def write_packets(path: str | os.PathLike[str], head: Capture, packets: Iterable[Packet]) -> None:
    """The same of a capture whose packets come one by one, and are not kept; `head` is all else of it.

    Where one cannot be made, or the work is interrupted, there is no new file.
    """
    _write(path, lambda kind: kind.pieces(head, packets))


def _write(path: str | os.PathLike[str], pieces: Callable[[ModuleType], Iterator[bytes]]) -> None:
    target = Path(path)
    kind = _KINDS.get(target.suffix.lower())
    if kind is None:
        raise CaptureError(f"{target}: unknown suffix {target.suffix!r}; name the file .pcapng or .pcap")
    with _named(target):
        write_pieces(target, pieces(kind))


def read_capture(path: str | os.PathLike[str]) -> Capture:
    """The capture in a pcapng or pcap file, whatever its name.

    Raises CaptureError, with the offset and the mend, for a file that is neither or is broken; OSError from
    the disk.
    """
    with _named(path), Path(path).open("rb") as file:
        load = _loader(file.read(4))
        _check_size(os.fstat(file.fileno()).st_size)
        file.seek(0)
        return load(file.read())


def _check_size(size: int) -> None:
    if size > MOST_OCTETS:
        raise CaptureError(
            f"the file has {size} octets, and at most {MOST_OCTETS} are read; cut it with 'editcap -c'"
        )


def check_size_of(path: str | os.PathLike[str]) -> None:
    """Raises CaptureError for a capture that is too large to be gone through for one frame; OSError from the disk."""
    with _named(path), Path(path).open("rb") as file:
        if is_capture(file.read(4)):
            _check_size(os.fstat(file.fileno()).st_size)


@contextmanager
def _named(path: str | os.PathLike[str]) -> Iterator[None]:
    """What is said of a capture begins with its name."""
    try:
        yield
    except CaptureError as error:
        raise CaptureError(f"{os.fspath(path)}: {error}") from None


def is_capture(octets: bytes) -> bool:
    """Whether a file that begins so is a capture, in a format that `read_capture` knows."""
    return octets[:4] == pcapng.MAGIC or octets[:4] in pcap.MAGICS


def _loader(magic: bytes) -> Callable[[bytes], Capture]:
    if magic == pcapng.MAGIC:
        return pcapng.load
    if magic in pcap.MAGICS:
        return pcap.load
    if magic[:2] == b"\x1f\x8b":
        raise CaptureError("the file is compressed; unpack it with gunzip")
    if not magic:
        raise CaptureError("the file is empty; capture again")
    raise CaptureError(f"the file begins with {magic.hex(' ')}, so it is neither pcapng nor pcap; convert it")


def ip_of(data: bytes, link_type: int) -> bytes | None:
    """The IP packet in a captured packet's data, behind Ethernet and VLAN tags; None where there is none."""
    if link_type == LinkType.RAW:
        return data or None
    if link_type != LinkType.ETHERNET:
        return None
    at = 12
    while data[at : at + 2] in _ETHERTYPES_VLAN:
        at += 4
    return data[at + 2 :] or None if data[at : at + 2] in _ETHERTYPES_IP else None
