"""The emulated host in virtual time: its packets with their times, and why each was sent.

Time moves from timer to timer. A timer that is due at the very time of an event fires after it, as a kernel's timers
are never early.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from tcpemu.stack import Host, Sent, Verdict
from tcpemu.stack.base.events import Event, IcmpArrived
from tcpemu.wire.capture_values import Direction, Packet
from tcpemu.wire.codec_choice import encode
from tcpemu.wire.icmp import IcmpError, encode_icmp
from tcpemu.wire.segment import Segment

BEGINNING = 1_000 * 10**9
"""The host's clock at the first event, in nanoseconds: it has been up for a while."""
_EVENTS_KEPT = 12


@dataclass(frozen=True, slots=True)
class Departure:
    """A segment that the host sent."""

    at: int
    """Nanoseconds of the host's clock."""
    segment: Segment
    reason: str


class EmulatedStage:
    """One host, its clock, what it has sent and nobody has looked at, and a record of all packets."""

    __slots__ = ("heard", "host", "last_events", "now", "packets", "remark")

    def __init__(self, host: Host) -> None:
        self.host = host
        self.now = BEGINNING
        host.advance(BEGINNING)
        self.heard: dict[tuple[int, int], deque[Departure]] = {}
        """By the peer's port and the host's."""
        self.packets: list[Packet] = []
        """For a capture; times are nanoseconds from the first event."""
        self.last_events: deque[Event] = deque(maxlen=_EVENTS_KEPT)
        self.remark = ""
        """What the next packet is said to be about: a line of the script."""

    # --- time -------------------------------------------------------------------------------------

    def fire(self, due: int) -> None:
        """Fire the timers due at that time."""
        self.now = max(self.now, due)
        self.host.advance(self.now)
        self.drain()

    # --- packets ----------------------------------------------------------------------------------

    def arrive(self, segment: Segment) -> None:
        """A segment reaches the host."""
        self._record(encode(segment), Direction.INBOUND)
        self.host.receive(segment, self.now)
        self.drain()

    def arrive_icmp(self, error: IcmpError) -> None:
        """An ICMP error reaches the host."""
        self._record(encode_icmp(error), Direction.INBOUND)
        self.host.receive_icmp(error, self.now)
        self.drain()

    def drain(self) -> None:
        """Take what the host has sent and said."""
        events = self.host.events()
        self.last_events += events
        reasons = {id(event.segment): event.reason.text for event in events if isinstance(event, Sent)}
        for segment in self.host.transmit():
            reason = reasons.get(id(segment), "")
            queue = self.heard.setdefault((segment.dport, segment.sport), deque())
            queue.append(Departure(self.now, segment, reason))
            self._record(encode(segment), Direction.OUTBOUND, reason)

    def _record(self, octets: bytes, direction: Direction, reason: str = "") -> None:
        said = tuple(
            words for words in (self.remark if direction is Direction.INBOUND else "", reason) if words
        )
        self.packets.append(Packet(self.now - BEGINNING, octets, 0, said, direction))

    def since_start(self, at: int) -> int:
        """A time of the host's clock in nanoseconds from the first event."""
        return at - BEGINNING

    def last_reasons(self) -> list[str]:
        """What the host did last with what arrived, and why."""
        said = [
            f"{self.since_start(event.at) / 1e9:.6f} s: {event.reason.text} ({event.reason.source})"
            for event in self.last_events
            if isinstance(event, Verdict | IcmpArrived)
        ]
        return said[-2:]
