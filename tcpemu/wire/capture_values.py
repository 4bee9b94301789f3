"""What a capture file holds, whichever its format: interfaces, packets, and what is said about them."""

from dataclasses import dataclass
from enum import Enum, IntEnum


class CaptureError(ValueError):
    """A capture that cannot be read or written: what, where, and the mend."""


MOST_PACKETS = 2_000_000
"""Of a capture that is read."""


def too_many() -> CaptureError:
    """The error for a capture with more packets than are read."""
    return CaptureError(
        f"the file has more than {MOST_PACKETS} packets, which are not read; cut it with 'editcap -c'"
    )


class LinkType(IntEnum):
    """What a packet's data begins with. A file may hold others; they are read as plain numbers."""

    ETHERNET = 1
    RAW = 101
    """The IP header."""


_LINK_TYPES = {kind.value: kind for kind in LinkType}


class Direction(Enum):
    """Which way a packet went at its interface."""

    UNKNOWN = 0
    INBOUND = 1
    OUTBOUND = 2


@dataclass(frozen=True, slots=True)
class Interface:
    """Where packets were seen."""

    name: str
    link_type: int = LinkType.RAW
    description: str = ""


@dataclass(slots=True, unsafe_hash=True)  # not frozen, which takes four times as long to make
class Packet:
    """One packet as it was seen at one interface. Nobody changes it."""

    at: int
    """Nanoseconds since the epoch."""
    data: bytes
    interface: int = 0
    """Its place in `Capture.interfaces`."""
    comments: tuple[str, ...] = ()
    direction: Direction = Direction.UNKNOWN
    original_length: int | None = None
    """The octets it had on the wire; None where `data` holds them all."""


@dataclass(frozen=True, slots=True)
class Capture:
    """A whole capture file."""

    interfaces: tuple[Interface, ...]
    packets: tuple[Packet, ...]
    application: str = ""
    """The program that made it."""
    comments: tuple[str, ...] = ()
    """What is said about the whole file."""
    names: tuple[tuple[bytes, str], ...] = ()
    """Addresses (4 octets of IPv4, 16 of IPv6), each with its name. An address may have several."""


def link_type_of(number: int) -> int:
    """The link type by its name where it has one here."""
    return _LINK_TYPES.get(number, number)


def damaged(what: str, at: int) -> CaptureError:
    """The error for octets that cannot be right."""
    return CaptureError(f"{what} at octet {at}: the file is damaged; capture again{_or_keep(at)}")


def cut_off(what: str, at: int) -> CaptureError:
    """The error for a file that ends too early."""
    return CaptureError(
        f"the file ends inside {what} at octet {at}: it was cut off; capture again{_or_keep(at)}"
    )


def _or_keep(at: int) -> str:
    return f", or keep what stands before it with 'head -c {at}'" if at else ""
