"""What belongs together in a record: the steps of hosts, and the life of each packet.

A host does everything in steps. A packet arrives, an application makes a call, or a timer is due; what
follows from that stands behind it in the record, up to the next step. So one pass over the record finds for
each event what caused it.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import TypeAlias

from tcpemu.network.record import Call, Entry, HostEvent, PacketSeen, Point, Record
from tcpemu.stack.base.events import Counted, QueueChanged, Sent, StateChanged, TimerFired, Verdict
from tcpemu.wire.segment import Segment


@dataclass(slots=True)
class HostStep:
    """One step of a host and what followed from it."""

    at: int
    node: str
    first: int
    """Which entry of the record it began with, counted from 0."""
    arrival: int | None = None
    """The number of the packet that arrived, if that is what the step began with."""
    arrived: Segment | None = None
    """That packet itself."""
    call: Call | None = None
    """The call that was made, if it began with one. With neither, a timer was due."""
    verdict: Verdict | None = None
    timers: list[TimerFired] = field(default_factory=list)
    changes: list[StateChanged] = field(default_factory=list)
    queues: list[QueueChanged] = field(default_factory=list)
    counted: list[Counted] = field(default_factory=list)
    sent: list[int] = field(default_factory=list)
    """Numbers of the packets that were sent."""

    @property
    def sums(self) -> dict[str, int]:
        """By how much each counter moved."""
        sums: dict[str, int] = {}
        for each in self.counted:
            sums[each.name] = sums.get(each.name, 0) + each.by
        return sums


@dataclass(slots=True)
class PacketLife:
    """One packet from its departure to its end. A copy that a link made has no departure."""

    sent: PacketSeen | None = None
    received: PacketSeen | None = None
    lost: PacketSeen | None = None
    reason: Sent | None = None
    """Why it was sent; a raw node gives no reasons."""
    departure: HostStep | None = None
    """The step that sent it."""
    arrival: HostStep | None = None
    """The step that its arrival began."""


RecordItem: TypeAlias = HostStep | PacketSeen


class StepReader:
    """Cuts a record into steps, entry by entry."""

    def __init__(self) -> None:
        self.items: deque[RecordItem] = deque()
        """Every step and every packet that began to exist, in order, as far as nobody took them."""
        self.lives: dict[int, PacketLife] = {}
        """Packets by their numbers, likewise."""
        self.last: HostStep | None = None
        """The step that goes on; all others are complete."""
        self._place = -1

    def read(self, entry: Entry) -> None:
        """Take one more entry."""
        self._place += 1
        if isinstance(entry, HostEvent):  # the most frequent kind first
            self._event(entry)
        elif isinstance(entry, PacketSeen):
            self._packet(entry)
        else:
            self._begin(HostStep(entry.at, entry.node, self._place, call=entry))

    def _packet(self, seen: PacketSeen) -> None:
        life = self._life(seen.number)
        match seen.point:
            case Point.SENT:
                life.sent = seen
                self.items.append(seen)
            case Point.LOST:
                life.lost = seen
            case Point.RECEIVED:
                life.received = seen
                if life.sent is None:
                    self.items.append(seen)
                step = HostStep(seen.at, seen.node, self._place, arrival=seen.number, arrived=seen.segment)
                life.arrival = self._begin(step)

    def _life(self, number: int) -> PacketLife:
        life = self.lives.get(number)
        if life is None:
            life = self.lives[number] = PacketLife()
        return life

    def _begin(self, step: HostStep) -> HostStep:
        self.items.append(step)
        self.last = step
        return step

    def _event(self, entry: HostEvent) -> None:
        step = self._step_of(entry)
        match entry.event:  # the most frequent kind first
            case Counted():
                step.counted.append(entry.event)
            case Sent():
                self._sent(step, entry)
            case Verdict():
                step.verdict = entry.event
            case TimerFired():
                step.timers.append(entry.event)
            case StateChanged():
                step.changes.append(entry.event)
            case QueueChanged():
                step.queues.append(entry.event)

    def _sent(self, step: HostStep, entry: HostEvent) -> None:
        assert isinstance(entry.event, Sent)
        if entry.packet is None:
            return
        life = self._life(entry.packet)
        life.reason, life.departure = entry.event, step
        step.sent.append(entry.packet)

    def _step_of(self, entry: HostEvent) -> HostStep:
        """The step that goes on, or a new one of a timer."""
        last = self.last
        if (
            last is not None
            and last.at == entry.at
            and last.node == entry.node
            and (isinstance(entry.event, Sent) or entry.packet == last.arrival)
        ):
            return last
        return self._begin(HostStep(entry.at, entry.node, self._place))


class RecordSteps:
    """A whole record cut into steps."""

    def __init__(self, record: Record) -> None:
        reader = StepReader()
        for entry in record:
            reader.read(entry)
        self.items: list[RecordItem] = list(reader.items)
        """Every step and every packet that began to exist, in order."""
        self.lives = reader.lives
