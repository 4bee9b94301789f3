"""A record as a list of rows: one value for each packet, call or timer that is worth telling, in order.

Rows say what happened in terms of hosts, relative numbers and reasons. They hold no layout, so a ladder, a
capture's comments, JSON or a page can be made of the same rows.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from tcpemu.explain.facts.flow_memory import FlowMemory
from tcpemu.explain.facts.flow_numbers import InitialNumbers, Relative
from tcpemu.explain.facts.foresight import Foresight
from tcpemu.explain.facts.record_steps import HostStep, PacketLife, StepReader
from tcpemu.network.record import NO_HOST, PROGRAM_ENDS, WAITS, Call, PacketSeen, Point, Record
from tcpemu.stack.base.events import (
    LISTENER_GONE,
    GivenUp,
    IcmpArrived,
    Outcome,
    QueueChanged,
    Reason,
    Sent,
    StateChanged,
    Verdict,
)
from tcpemu.stack.base.states import State
from tcpemu.wire.icmp import IcmpError
from tcpemu.wire.segment import FlowKey, Segment, endpoint_text


@dataclass(slots=True, unsafe_hash=True)  # not frozen, as below
class ListenerQueues:
    """The queues of one listener. Nobody changes it."""

    node: str
    port: int
    accept: int
    syn: int
    backlog: int


@dataclass(frozen=True, slots=True)
class Evicted:
    """A half-open connection that was thrown out because a SYN found no room."""

    flow: FlowKey
    client: str
    """Whose it was: host and port, with the address where the host has several."""
    waited: int | None
    """How long it had been half-open; None where the record does not say."""
    oldest: bool
    """Whether no other one of the listener was older."""
    reason: Reason


@dataclass(slots=True, unsafe_hash=True)  # not frozen, which takes four times as long to make
class PacketRow:
    """One packet, from where it was sent to where it ended. Nobody changes it."""

    at: int
    """When it was sent; for a copy that a link made, when it arrived."""
    number: int
    sender: str
    receiver: str | None
    """None for a packet to an address that nobody has."""
    segment: Segment
    relative: Relative
    arrived: int | None = None
    lost: str = ""
    """How it was lost on the way."""
    lost_at: int | None = None
    copy_of: int | None = None
    sent: Sent | None = None
    sent_because: Verdict | None = None
    """What became of the packet whose arrival made the sender send this one."""
    since_last: int | None = None
    """For one that is sent again: nanoseconds since the last time."""
    verdict: Verdict | None = None
    sender_change: StateChanged | None = None
    """The sender's change of state in the call or the timer that sent it."""
    receiver_change: StateChanged | None = None
    """The receiver's change of state when it arrived."""
    sender_state: State | None = None
    """The sender's state of this flow once it was sent; None where it has none."""
    receiver_state: State | None = None
    """The receiver's state of this flow once it had arrived."""
    queues: ListenerQueues | None = None
    """The listener's queues once it had arrived (or, for a listener that sends, once it was sent)."""
    queues_changed: bool = False
    counted: tuple[tuple[str, int], ...] = ()
    """Counters that moved at the receiver when it arrived."""
    sender_counted: tuple[tuple[str, int], ...] = ()
    """Counters that moved at the sender in the call or the timer that sent it and nothing else."""
    evicted: Evicted | None = None
    """The half-open connection that had to go when it arrived."""
    gone: StateChanged | None = None
    """Where the receiver had no connection of this flow any more: how the one that was there had ended."""
    waited: int | None = None
    """For a delayed ACK: nanoseconds since the data had arrived. For data that was held: since it was written."""
    unread: int | None = None
    """For one that offers a window of 0: octets that wait for recv() at its sender."""

    @property
    def outcome(self) -> Outcome | None:
        return self.verdict.outcome if self.verdict else None


@dataclass(frozen=True, slots=True)
class CallRow:
    """An application's call."""

    at: int
    node: str
    application: str
    text: str
    result: str
    queues: ListenerQueues | None = None
    flow: FlowKey | None = None
    """The connection that it was made on, or that it gave."""
    why: str = ""
    """For one that failed: what stood in its way, where the errno alone does not say it."""


@dataclass(frozen=True, slots=True)
class TimerRow:
    """A timer that sent nothing, or a change of state without a packet."""

    at: int
    node: str
    flow: FlowKey
    """Remote address, remote port, local address, local port."""
    reason: Reason | None
    change: StateChanged | None = None
    queues: ListenerQueues | None = None
    given_up: GivenUp | None = None
    """For a timer that gave up: what decided that."""


@dataclass(frozen=True, slots=True)
class IcmpRow(TimerRow):
    """An ICMP error that arrived about a segment of the flow, and what it did."""

    error: IcmpError | None = None
    """Always there."""


Row: TypeAlias = PacketRow | CallRow | TimerRow
"""A thing worth telling of a run: a packet with what became of it, a call, a timer, or an ICMP error (IcmpRow)."""

EVICTION = "REQUEST_EVICTED"
"""The reason of what stands in `PacketRow.evicted`."""

UNKNOWN_FLOW = frozenset({"NO_SOCKET", "NO_SOCKET_RST", "LISTENER_ACK", "LISTENER_ACK_RST"})
"""Reasons of what belongs to no connection that is there."""

QUIET_CALLS = ("recv(", "connect(", "bind(", "setsockopt(", "getsockopt(")
"""Calls of which only an error is told: what they do is seen in packets and states, or is no news."""


def rows_of(record: Record, *, every_call: bool = False) -> list[Row]:
    """The rows of a record; with `every_call` also calls that tell a reader nothing new."""
    return list(each_row(record, every_call=every_call))


def each_row(
    record: Record,
    *,
    every_call: bool = False,
    foresight: Foresight | None = None,
    watch: Callable[[HostStep], None] | None = None,
) -> Iterator[Row]:
    """The same one by one: of packets, no more are kept than are under way at a time.

    `foresight` is the record's, for who has it already. `watch` is called with every step of a host, in order.
    """
    return _RowsOfRecord(record, foresight or Foresight(record), watch, every_call=every_call).rows()


class _RowsOfRecord:
    """Goes through the record in order, and remembers what the rows need of what went before.

    What a packet leaves behind at its arrival is told with its departure. So the record is read as far as to where
    the oldest packet that is not told yet has arrived or was lost; what is known there is what is `ahead`.
    """

    def __init__(
        self,
        record: Record,
        foresight: Foresight,
        watch: Callable[[HostStep], None] | None,
        *,
        every_call: bool,
    ) -> None:
        self._record = record
        self._watch = watch
        self._every_call = every_call
        self._reader = StepReader()
        self._lives = self._reader.lives
        self._homes = foresight.homes
        self._copied = foresight.copied
        self._addresses: Counter[str] | None = None
        """How many each node has, once somebody has asked."""
        self._numbers = InitialNumbers()
        self._states: dict[tuple[str, FlowKey], State] = {}
        self._queues: dict[tuple[str, int], ListenerQueues] = {}
        self._memory = FlowMemory(foresight.sent_again)
        self._left: dict[int, tuple[str, State | None, ListenerQueues | None]] = {}
        """By the number of a packet: who sent it, and what its departure left of its flow and of a listener there."""
        self._settled: dict[int, tuple[State | None, ListenerQueues | None]] = {}
        """By the number of a packet: what its arrival left of its flow and of the listener."""
        self._half_open: dict[tuple[str, int], dict[FlowKey, int]] = {}
        """By node and port: since when each connection is half-open, the oldest first."""
        self._ends: dict[tuple[str, FlowKey], StateChanged] = {}
        """How the last connection of each flow ended at each node."""
        self._gone: dict[int, StateChanged] = {}
        """By the number of the packet that came too late."""
        self._evicted: dict[int, Evicted] = {}
        """By the number of the packet whose arrival did it."""

    def rows(self) -> Iterator[Row]:
        reader, last = self._reader, None
        for entry in self._record:
            reader.read(entry)
            if reader.last is not last:
                self._look_ahead(last)
                last = reader.last
                yield from self._complete(last)
        self._look_ahead(last)
        yield from self._complete(None)

    def _complete(self, last: HostStep | None) -> list[Row]:
        """The rows of all before the first that is not complete yet; `last` is the step that goes on, if one does."""
        rows: list[Row] = []
        items, lives = self._reader.items, self._lives
        while items:
            item = items[0]
            if isinstance(item, HostStep):
                if item is last:
                    break
                self._memory.step(item)
                if item.arrival is None:
                    self._quiet_step(item, rows)
            else:
                life = lives[item.number]
                if last is not None and life.lost is None and (life.arrival is None or life.arrival is last):
                    break
                rows.append(self._packet(item, life))
                if item.number not in self._copied:
                    del lives[item.number]
            items.popleft()
        return rows

    def _look_ahead(self, step: HostStep | None) -> None:
        """What a step that is complete leaves behind, and then what the packets do that began to exist since."""
        if step is not None:
            self._note_step(step)
            if self._watch is not None:
                self._watch(step)
        begun = self._reader.begun
        if begun:
            for seen in begun:
                self._note_departure(seen)
            begun.clear()

    def _note_departure(self, seen: PacketSeen) -> None:
        segment, sender = seen.segment, self._sender(seen)
        state = self._states.get((sender, segment.sender_flow))
        self._left[seen.number] = sender, state, self._queues.get((sender, segment.sport))

    def _note_step(self, step: HostStep) -> None:
        node, number, arrived = step.node, step.arrival, step.arrived
        if step.timers:
            self._note_eviction(step)
        if step.changes:
            for change in step.changes:
                self._states[node, change.flow] = change.new
            self._note_half_open(step)
        for changed in step.queues:
            self._queues[node, changed.port] = _queues(node, changed)
        if number is None or arrived is None:
            if step.changes:
                self._note_ends(step)
            return
        flow: FlowKey = (arrived.src, arrived.sport, arrived.dst, arrived.dport)
        if step.verdict is not None and step.verdict.reason.name in UNKNOWN_FLOW:
            ended = _orphaned(step, flow) or self._ends.get((node, flow))
            if ended is not None:
                self._gone[number] = ended
        if step.changes:
            self._note_ends(step)
        self._settled[number] = self._states.get((node, flow)), self._queues.get((node, arrived.dport))

    def _note_ends(self, step: HostStep) -> None:
        for change in step.changes:
            if change.new is State.CLOSE:
                self._ends[step.node, change.flow] = change

    def _note_half_open(self, step: HostStep) -> None:
        for change in step.changes:
            if change.new is State.SYN_RECV:
                self._half_open.setdefault((step.node, change.flow[3]), {})[change.flow] = change.at
            elif change.old is State.SYN_RECV:
                self._half_open.get((step.node, change.flow[3]), {}).pop(change.flow, None)

    def _note_eviction(self, step: HostStep) -> None:
        if step.arrival is None:
            return
        for timer in step.timers:
            if timer.reason.name == EVICTION:
                waiting = self._half_open.get((step.node, timer.flow[3]), {})
                since = waiting.get(timer.flow)
                self._evicted[step.arrival] = Evicted(
                    flow=timer.flow,
                    client=self._client(timer.flow),
                    waited=None if since is None else step.at - since,
                    oldest=since is not None and next(iter(waiting)) == timer.flow,
                    reason=timer.reason,
                )

    def _client(self, flow: FlowKey) -> str:
        home, end = self._homes.get(flow[0]), endpoint_text(flow[:2])
        if home is None:
            return end
        if self._addresses is None:
            self._addresses = Counter(self._homes.values())
        return f"{home}:{flow[1]}" if self._addresses[home] == 1 else f"{home} ({end})"

    # Packets.

    def _packet(self, seen: PacketSeen, life: PacketLife) -> PacketRow:
        number, segment = seen.number, seen.segment
        sender, sender_state, sender_queues = self._left.pop(number)
        receiver_state, queues = self._settled.pop(number, _NOT_THERE)
        departure, arrival, received, lost, why = (
            life.departure, life.arrival, life.received, life.lost, life.reason
        )  # fmt: skip
        verdict = arrival.verdict if arrival else None
        alone = departure if departure and departure.arrival is None else None
        refused = verdict is not None and verdict.outcome is not Outcome.ACCEPTED
        relative = self._numbers.relative(segment, refused=refused)
        if lost and lost.why == NO_HOST:
            self._numbers.went_to_nobody(segment)
        since_last = self._memory.since_last(seen.node, segment, seen.at)
        return PacketRow(
            at=seen.at,
            number=number,
            sender=sender,
            receiver=received.node if received else self._homes.get(segment.dst),
            segment=segment,
            relative=relative,
            arrived=received.at if received else None,
            lost=lost.why if lost else "",
            lost_at=lost.at if lost else None,
            copy_of=seen.copy_of,
            sent=why,
            sent_because=departure.verdict if departure else None,
            since_last=since_last if why and why.repeat else None,
            verdict=verdict,
            sender_change=_change(alone, segment.sender_flow) if alone and alone.changes else None,
            receiver_change=_change(arrival, segment[:4]) if arrival and arrival.changes else None,
            sender_state=sender_state,
            receiver_state=receiver_state,
            queues=queues or sender_queues,
            queues_changed=bool(arrival and arrival.queues),
            counted=_sums(arrival) if arrival and arrival.counted else (),
            sender_counted=_sums(alone) if alone and len(alone.sent) == 1 else (),
            evicted=self._evicted.pop(number, None) if self._evicted else None,
            gone=self._gone.pop(number, None) if self._gone else None,
            waited=self._memory.waited(seen.node, segment, seen.at, why),
            unread=None if relative.window else self._memory.unread(seen.node, segment, relative),
        )

    def _sender(self, seen: PacketSeen) -> str:
        if seen.point is not Point.SENT and seen.copy_of is not None:
            original = self._lives[seen.copy_of].sent
            return original.node if original else ""
        return seen.node

    # Steps that sent nothing.

    def _quiet_step(self, step: HostStep, rows: list[Row]) -> None:
        if step.call is not None:
            if self._every_call or step.queues or _worth_telling(step.call, sent=bool(step.sent)):
                rows.append(call_row(step, step.call))
        elif step.icmp is not None:
            rows.append(_icmp_row(step, step.icmp))
        elif not step.sent or any(timer.given_up for timer in step.timers):
            _add_timer_rows(step, rows)


_NOT_THERE: tuple[State | None, ListenerQueues | None] = (None, None)


def call_row(step: HostStep, call: Call) -> CallRow:
    """The row of the call that a step began with."""
    queues = _queues_after(step)
    return CallRow(call.at, call.node, call.application, call.text, call.result, queues, call.flow, call.why)


def _queues_after(step: HostStep) -> ListenerQueues | None:
    """The queues that the step changed last."""
    return _queues(step.node, step.queues[-1]) if step.queues else None


def _add_timer_rows(step: HostStep, rows: list[Row]) -> None:
    queues = _queues_after(step)
    changes = {change.flow: change for change in step.changes}
    fired = {timer.flow: timer for timer in step.timers}
    for flow in dict.fromkeys([*fired, *changes]):
        timer = fired.get(flow)
        reason, given_up = (timer.reason, timer.given_up) if timer else (None, None)
        rows.append(TimerRow(step.at, step.node, flow, reason, changes.get(flow), queues, given_up))


def _icmp_row(step: HostStep, told: IcmpArrived) -> IcmpRow:
    flow = told.error.flow
    change = _change(step, flow) if step.changes else None
    return IcmpRow(step.at, step.node, flow, told.reason, change, _queues_after(step), error=told.error)


def _worth_telling(call: Call, *, sent: bool) -> bool:
    """Whether a call says something that its packets do not."""
    if call.result == WAITS or call.text == PROGRAM_ENDS:  # what ended it was a call that failed, and is told
        return False
    if call.result.isupper():  # the name of an errno
        return True
    if call.text.startswith("send("):
        return not sent
    return not call.text.startswith(QUIET_CALLS)


def _orphaned(step: HostStep, flow: FlowKey) -> StateChanged | None:
    """The end of the half-open connection of that flow, if its listener is gone."""
    ends = [change for change in step.changes if change.flow == flow and change.cause == LISTENER_GONE]
    return ends[0] if ends else None


def _change(step: HostStep, flow: FlowKey) -> StateChanged | None:
    """The last change of that flow in the step, from the state it had before."""
    changes = [change for change in step.changes if change.flow == flow]
    if len(changes) < 2:
        return changes[0] if changes else None
    first, last = changes[0], changes[-1]
    return StateChanged(last.at, flow, first.old, last.new, last.cause)


def _queues(node: str, changed: QueueChanged) -> ListenerQueues:
    return ListenerQueues(node, changed.port, changed.accept, changed.syn, changed.backlog)


def _sums(step: HostStep) -> tuple[tuple[str, int], ...]:
    return tuple(step.sums.items())
