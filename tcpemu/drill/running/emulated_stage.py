"""The emulated host in virtual time: its packets with their times, and why each was sent.

Time moves from timer to timer. A timer that is due at the very time of an event fires after it, as a kernel's timers
are never early.
"""

from __future__ import annotations

from collections import deque

from tcpemu.drill.playing.drill_stage import BEGINNING, DrillStage
from tcpemu.stack import Host, Sent, Verdict
from tcpemu.stack.base.events import Event, IcmpArrived
from tcpemu.wire.capture_values import Direction
from tcpemu.wire.codec_choice import encode
from tcpemu.wire.icmp import IcmpError, encode_icmp
from tcpemu.wire.segment import Segment

_EVENTS_KEPT = 12


class EmulatedStage(DrillStage):
    """The emulated host, whose clock is moved."""

    __slots__ = ("host", "last_events", "now")

    def __init__(self, host: Host) -> None:
        super().__init__()
        self.host = host
        self.now = BEGINNING
        host.advance(BEGINNING)
        self.last_events: deque[Event] = deque(maxlen=_EVENTS_KEPT)

    # --- time -------------------------------------------------------------------------------------

    def clock(self) -> int:
        """Nanoseconds of the host's clock."""
        return self.now

    def fire(self, due: int) -> None:
        """Fire the timers due at that time."""
        self.now = max(self.now, due)
        self.host.advance(self.now)
        self.drain()

    # --- packets ----------------------------------------------------------------------------------

    def arrive(self, segment: Segment) -> None:
        """A segment reaches the host."""
        self.record(encode(segment), Direction.INBOUND, self.now)
        self.host.receive(segment, self.now)
        self.drain()

    def arrive_icmp(self, error: IcmpError) -> None:
        """An ICMP error reaches the host."""
        self.record(encode_icmp(error), Direction.INBOUND, self.now)
        self.host.receive_icmp(error, self.now)
        self.drain()

    def drain(self) -> None:
        """Take what the host has sent and said."""
        events = self.host.events()
        self.last_events += events
        reasons = {id(event.segment): event.reason.text for event in events if isinstance(event, Sent)}
        for segment in self.host.transmit():
            reason = reasons.get(id(segment), "")
            self.sent(segment, encode(segment), self.now, reason)

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
