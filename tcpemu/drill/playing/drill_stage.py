"""Where a script plays: a host, its clock, what it has sent and nobody has looked at, and a record of all packets."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from dataclasses import dataclass

from tcpemu.wire.capture_values import Direction, Packet
from tcpemu.wire.icmp import IcmpError
from tcpemu.wire.segment import Segment

BEGINNING = 1_000 * 10**9
"""The host's clock at the first event, in nanoseconds: it has been up for a while."""


@dataclass(frozen=True, slots=True)
class Departure:
    """A segment that the host sent."""

    at: int
    """Nanoseconds of the host's clock."""
    segment: Segment
    reason: str


class DrillStage(ABC):
    """One host with its clock, and its packets."""

    __slots__ = ("heard", "packets", "remark")

    def __init__(self) -> None:
        self.heard: dict[tuple[int, int], deque[Departure]] = {}
        """By the peer's port and the host's."""
        self.packets: list[Packet] = []
        """For a capture; times are nanoseconds from the first event."""
        self.remark = ""
        """What the next packet is said to be about: a line of the script."""

    @abstractmethod
    def clock(self) -> int:
        """Nanoseconds of the host's clock."""

    @abstractmethod
    def arrive(self, segment: Segment) -> None:
        """A segment reaches the host. ValueError for one that cannot be on a wire."""

    @abstractmethod
    def arrive_icmp(self, error: IcmpError) -> None:
        """An ICMP error reaches the host."""

    @abstractmethod
    def last_reasons(self) -> list[str]:
        """What the host did last with what arrived, and why; empty where it does not say."""

    def sent(self, segment: Segment, octets: bytes, at: int, reason: str = "") -> None:
        """The host has sent a segment."""
        queue = self.heard.setdefault((segment.dport, segment.sport), deque())
        queue.append(Departure(at, segment, reason))
        self.record(octets, Direction.OUTBOUND, at, reason)

    def record(self, octets: bytes, direction: Direction, at: int, reason: str = "") -> None:
        """A packet for the capture, with what there is to say of it."""
        said = tuple(
            words for words in (self.remark if direction is Direction.INBOUND else "", reason) if words
        )
        self.packets.append(Packet(at - BEGINNING, octets, 0, said, direction))
