"""A record as a list of rows: one value for each packet, call or timer that is worth telling, in order.

Rows say what happened in terms of hosts, relative numbers and reasons. They hold no layout, so a ladder, a
capture's comments, JSON or a page can be made of the same rows.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from tcpemu.explain.facts.flow_memory import FlowMemory
from tcpemu.explain.facts.flow_numbers import InitialNumbers, Relative
from tcpemu.explain.facts.foresight import Foresight
from tcpemu.explain.facts.record_steps import HostStep, PacketLife, RecordItem, StepReader
from tcpemu.network.record import NO_HOST, PROGRAM_ENDS, WAITS, Call, PacketSeen, Record
from tcpemu.stack.base.events import (
    LISTENER_GONE,
    GivenUp,
    Outcome,
    QueueChanged,
    Reason,
    Sent,
    StateChanged,
    Verdict,
)
from tcpemu.stack.base.states import State
from tcpemu.wire.segment import FlowKey, Segment, endpoint_text


@dataclass(frozen=True, slots=True)
class ListenerQueues:
    """The queues of one listener."""

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


Row: TypeAlias = PacketRow | CallRow | TimerRow
"""A thing worth telling of a run: a packet with what became of it, a call, or a timer."""

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
    record: Record, *, every_call: bool = False, foresight: Foresight | None = None
) -> Iterator[Row]:
    """The same one by one: of packets, no more are kept than are under way at a time.

    `foresight` is the record's, for who has it already.
    """
    return _RowsOfRecord(record, foresight or Foresight(record), every_call=every_call).rows()


class _RowsOfRecord:
    """Goes through the record in order, and remembers what the rows need of what went before.

    What a packet leaves behind at its arrival is told with its departure. So the record is read as far as to where
    the oldest packet that is not told yet has arrived or was lost; what is known there is what is `ahead`.
    """

    def __init__(self, record: Record, foresight: Foresight, *, every_call: bool) -> None:
        self._record = record
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
        self._states_ahead: dict[tuple[str, FlowKey], State] = {}
        self._queues_ahead: dict[tuple[str, int], ListenerQueues] = {}
        self._memory = FlowMemory(foresight.sent_again)
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
        items = reader.items
        for entry in self._record:
            reader.read(entry)
            if reader.last is not last:
                if last is not None:
                    self._look_ahead(last)
                last = reader.last
                while items and self._is_complete(items[0], last):
                    yield from self._rows_of(items.popleft())
        if last is not None:
            self._look_ahead(last)
        while items:
            yield from self._rows_of(items.popleft())

    def _is_complete(self, item: RecordItem, last: HostStep | None) -> bool:
        if isinstance(item, HostStep):
            return item is not last
        life = self._lives[item.number]
        return life.lost is not None or (life.arrival is not None and life.arrival is not last)

    def _rows_of(self, item: RecordItem) -> Iterator[Row]:
        if isinstance(item, PacketSeen):
            yield self._packet(item)
            if item.number not in self._copied:
                del self._lives[item.number]
        else:
            _note_step(item, self._states, self._queues)
            self._memory.step(item, item.arrived)
            if item.arrival is None:
                yield from self._quiet_step(item)

    def _look_ahead(self, step: HostStep) -> None:
        """What a step that is complete leaves behind."""
        if step.timers:
            self._note_eviction(step)
        _note_step(step, self._states_ahead, self._queues_ahead)
        if step.changes:
            self._note_half_open(step)
        self._note_end(step)
        number, segment = step.arrival, step.arrived
        if number is not None and segment is not None:
            self._settled[number] = (
                self._states_ahead.get((step.node, segment[:4])),
                self._queues_ahead.get((step.node, segment.dport)),
            )

    def _note_end(self, step: HostStep) -> None:
        """What met no connection: how the one that had been there ended."""
        arrived = step.arrived
        if step.arrival is not None and arrived is not None and _met_no_connection(step):
            ended = _orphaned(step, arrived) or self._ends.get((step.node, arrived[:4]))
            if ended is not None:
                self._gone[step.arrival] = ended
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

    def _packet(self, seen: PacketSeen) -> PacketRow:
        life = self._lives[seen.number]
        receiver_state, queues = self._settled.pop(seen.number, (None, None))
        segment, sender, receiver = seen.segment, self._sender(life, seen), self._receiver(life, seen)
        departure, arrival = life.departure, life.arrival
        because = departure.verdict if departure else None
        alone = departure if departure and departure.arrival is None else None
        backwards = segment.sender_flow
        relative = self._relative(life, segment)
        if life.lost and life.lost.why == NO_HOST:
            self._numbers.went_to_nobody(segment)
        since_last = self._memory.since_last(seen.node, segment, seen.at)
        return PacketRow(
            at=seen.at,
            number=seen.number,
            sender=sender,
            receiver=receiver,
            segment=segment,
            relative=relative,
            arrived=life.received.at if life.received else None,
            lost=life.lost.why if life.lost else "",
            lost_at=life.lost.at if life.lost else None,
            copy_of=seen.copy_of,
            sent=life.reason,
            sent_because=because,
            since_last=since_last if life.reason and life.reason.repeat else None,
            verdict=arrival.verdict if arrival else None,
            sender_change=_change(alone, backwards),
            receiver_change=_change(arrival, segment[:4]),
            sender_state=self._states.get((sender, backwards)),
            receiver_state=receiver_state,
            queues=queues or self._queues.get((sender, segment.sport)),
            queues_changed=bool(arrival and arrival.queues),
            counted=_sums(arrival),
            sender_counted=_sums(alone) if alone and len(alone.sent) == 1 else (),
            evicted=self._evicted.pop(seen.number, None),
            gone=self._gone.pop(seen.number, None),
            waited=self._memory.waited(seen.node, segment, seen.at, life.reason),
            unread=self._memory.unread(seen.node, segment, relative),
        )

    def _sender(self, life: PacketLife, seen: PacketSeen) -> str:
        if life.sent is None and seen.copy_of is not None:
            original = self._lives[seen.copy_of].sent
            return original.node if original else ""
        return seen.node

    def _receiver(self, life: PacketLife, seen: PacketSeen) -> str | None:
        return life.received.node if life.received else self._homes.get(seen.segment.dst)

    def _relative(self, life: PacketLife, segment: Segment) -> Relative:
        verdict = life.arrival.verdict if life.arrival else None
        return self._numbers.relative(segment, refused=bool(verdict and verdict.outcome != Outcome.ACCEPTED))

    # Steps that sent nothing.

    def _quiet_step(self, step: HostStep) -> Iterator[Row]:
        if step.call is not None:
            if self._every_call or step.queues or _worth_telling(step.call, sent=bool(step.sent)):
                yield call_row(step, step.call)
        elif not step.sent or any(timer.given_up for timer in step.timers):
            yield from _timer_rows(step)


def call_row(step: HostStep, call: Call) -> CallRow:
    """The row of the call that a step began with."""
    queues = _queues_after(step)
    return CallRow(call.at, call.node, call.application, call.text, call.result, queues, call.flow, call.why)


def _queues_after(step: HostStep) -> ListenerQueues | None:
    """The queues that the step changed last."""
    return _queues(step.node, step.queues[-1]) if step.queues else None


def _timer_rows(step: HostStep) -> Iterator[TimerRow]:
    queues = _queues_after(step)
    changes = {change.flow: change for change in step.changes}
    fired = {timer.flow: timer for timer in step.timers}
    for flow in dict.fromkeys([*fired, *changes]):
        timer = fired.get(flow)
        reason, given_up = (timer.reason, timer.given_up) if timer else (None, None)
        yield TimerRow(step.at, step.node, flow, reason, changes.get(flow), queues, given_up)


def _worth_telling(call: Call, *, sent: bool) -> bool:
    """Whether a call says something that its packets do not."""
    if call.result == WAITS or call.text == PROGRAM_ENDS:  # what ended it was a call that failed, and is told
        return False
    if call.result.isupper():  # the name of an errno
        return True
    if call.text.startswith("send("):
        return not sent
    return not call.text.startswith(QUIET_CALLS)


def _orphaned(step: HostStep, arrived: Segment) -> StateChanged | None:
    """The end of the half-open connection that the segment was for, if its listener is gone."""
    ends = (change for change in step.changes if change.flow == arrived[:4] and change.cause == LISTENER_GONE)
    return next(ends, None)


def _met_no_connection(step: HostStep) -> bool:
    return step.verdict is not None and step.verdict.reason.name in UNKNOWN_FLOW


def _note_step(
    step: HostStep, states: dict[tuple[str, FlowKey], State], queues: dict[tuple[str, int], ListenerQueues]
) -> None:
    """The states and queues once the step is over."""
    for change in step.changes:
        states[step.node, change.flow] = change.new
    for changed in step.queues:
        queues[step.node, changed.port] = _queues(step.node, changed)


def _change(step: HostStep | None, flow: FlowKey) -> StateChanged | None:
    """The last change of that flow in the step, from the state it had before."""
    if step is None or not step.changes:
        return None
    changes = [change for change in step.changes if change.flow == flow]
    if not changes:
        return None
    first, last = changes[0], changes[-1]
    return StateChanged(last.at, flow, first.old, last.new, last.cause)


def _queues(node: str, changed: QueueChanged) -> ListenerQueues:
    return ListenerQueues(node, changed.port, changed.accept, changed.syn, changed.backlog)


def _sums(step: HostStep | None) -> tuple[tuple[str, int], ...]:
    return tuple(step.sums.items()) if step and step.counted else ()
