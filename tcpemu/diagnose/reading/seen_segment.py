"""A TCP segment as a capture shows it, which is not always all that was on the wire."""

from enum import Enum
from typing import NamedTuple

from tcpemu.wire.segment import Segment


class Sum(Enum):
    """What the checksum of TCP tells."""

    GOOD = "good"
    UNFILLED = "not filled in yet"
    """Offloaded: the network card fills it in, after the capture saw the packet."""
    BAD = "bad"
    UNKNOWN = "unknown"
    """The packet was snapped, so that nobody can add it up."""


class SeenSegment(NamedTuple):
    """One segment at the place where the capture was taken."""

    frame: int
    """Its number as Wireshark counts."""
    at: int
    """Nanoseconds since the epoch, never before those of the segment ahead of it."""
    segment: Segment
    """Its payload is what of it is in the file."""
    length: int
    """Octets of payload on the wire."""
    sum: Sum
    direction: int
    """Which way it went at its interface, where the file says so: 0 unknown, 1 in, 2 out."""
    interface: int

    @property
    def end(self) -> int:
        """The sequence number behind it, modulo 2**32."""
        segment = self.segment
        flags = segment.flags
        return (segment.seq + self.length + (flags & 1) + (flags >> 1 & 1)) & 0xFFFFFFFF

    @property
    def whole(self) -> Segment:
        """The segment with as many octets as it had on the wire: those that are not in the file are zeros."""
        segment = self.segment
        if len(segment.payload) == self.length:
            return segment
        return segment._replace(payload=bytes(segment.payload).ljust(self.length, b"\0"))
