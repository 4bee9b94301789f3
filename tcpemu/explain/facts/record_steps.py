"""What belongs together in a record: the steps of hosts, and the life of each packet.

A host does everything in steps. A packet arrives, an application makes a call, or a timer is due; what
follows from that stands behind it in the record, up to the next step. So one pass over the record finds for
each event what caused it.
"""

from collections import deque
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from tcpemu.network.record import Call, Entry, HostEvent, PacketSeen, Point, Record
from tcpemu.stack.base.events import (
    Counted,
    Event,
    IcmpArrived,
    QueueChanged,
    Sent,
    StateChanged,
    TimerFired,
    Verdict,
)
from tcpemu.wire.segment import Segment


@dataclass(slots=True)
class HostStep:
    """One step of a host and what followed from it. Most steps have few of the lists below, which are () till then."""

    at: int
    node: str
    first: int
    """Which entry of the record it began with, counted from 0."""
    arrival: int | None = None
    """The number of the packet that arrived, if that is what the step began with."""
    arrived: Segment | None = None
    """That packet itself."""
    call: Call | None = None
    """The call that was made, if it began with one. With none of these, a timer was due."""
    icmp: IcmpArrived | None = None
    """The ICMP error that arrived, if it began with one."""
    verdict: Verdict | None = None
    timers: list[TimerFired] | tuple[()] = ()
    changes: list[StateChanged] | tuple[()] = ()
    queues: list[QueueChanged] | tuple[()] = ()
    counted: list[Counted] | tuple[()] = ()
    sent: list[int] | tuple[()] = ()
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


T = TypeVar("T")
RecordItem: TypeAlias = HostStep | PacketSeen


class StepReader:
    """Cuts a record into steps, entry by entry."""

    def __init__(self) -> None:
        self.items: deque[RecordItem] = deque()
        """Every step and every packet that began to exist, in order, as far as nobody took them."""
        self.begun: list[PacketSeen] = []
        """Every packet that began to exist, as far as nobody took them."""
        self.lives: dict[int, PacketLife] = {}
        """Packets by their numbers, likewise."""
        self.last: HostStep | None = None
        """The step that goes on; all others are complete."""
        self._place = -1

    def read(self, entry: Entry) -> None:
        """Take one more entry."""
        self._place += 1
        if type(entry) is HostEvent:  # the most frequent kind first
            at, node, event, packet = entry
            step = self.last
            if (
                step is None
                or step.at != at
                or step.node != node
                or (packet != step.arrival and type(event) is not Sent)
                or type(event) is IcmpArrived
            ):
                icmp = event if isinstance(event, IcmpArrived) else None
                step = self._begin(HostStep(at, node, self._place, icmp=icmp))  # without that of a timer
            if type(event) is not Counted:
                self._event(step, event, packet)
            elif step.counted:
                step.counted.append(event)
            else:
                step.counted = [event]
        elif type(entry) is PacketSeen:
            self._packet(entry)
        elif isinstance(entry, Call):
            self._begin(HostStep(entry.at, entry.node, self._place, call=entry))

    def _packet(self, seen: PacketSeen) -> None:
        number, point = seen.number, seen.point
        life = self.lives.get(number)
        if life is None:
            life = self.lives[number] = PacketLife()
        if point is Point.SENT:
            life.sent = seen
            self._begins(seen)
        elif point is Point.RECEIVED:
            life.received = seen
            if life.sent is None:
                self._begins(seen)
            step = HostStep(seen.at, seen.node, self._place, arrival=number, arrived=seen.segment)
            life.arrival = self._begin(step)
        else:
            life.lost = seen

    def _begins(self, seen: PacketSeen) -> None:
        self.items.append(seen)
        self.begun.append(seen)

    def _begin(self, step: HostStep) -> HostStep:
        self.items.append(step)
        self.last = step
        return step

    def _event(self, step: HostStep, event: Event, packet: int | None) -> None:
        if type(event) is Sent:
            if packet is not None:
                self._sent(step, event, packet)
        elif type(event) is Verdict:
            step.verdict = event
        elif type(event) is StateChanged:
            step.changes = _with(event, step.changes)
        elif type(event) is QueueChanged:
            step.queues = _with(event, step.queues)
        elif type(event) is TimerFired:
            step.timers = _with(event, step.timers)

    def _sent(self, step: HostStep, event: Sent, packet: int) -> None:
        life = self.lives.get(packet)
        if life is None:
            life = self.lives[packet] = PacketLife()
        life.reason, life.departure = event, step
        step.sent = _with(packet, step.sent)


def _with(one: T, others: list[T] | tuple[()]) -> list[T]:
    """The list that has it too; made where it is the first."""
    if others:
        others.append(one)
        return others
    return [one]


class RecordSteps:
    """A whole record cut into steps."""

    def __init__(self, record: Record) -> None:
        reader = StepReader()
        for entry in record:
            reader.read(entry)
        self.items: list[RecordItem] = list(reader.items)
        """Every step and every packet that began to exist, in order."""
        self.lives = reader.lives
