"""What a record has of each sender of data: what it sent again and why, and the step behind each change of figures."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import merge

from tcpemu.explain.facts.flow_memory import FlowEnd
from tcpemu.explain.facts.record_steps import HostStep, StepReader
from tcpemu.explain.facts.rows import PacketRow, Row
from tcpemu.network.record import Record
from tcpemu.network.recorded.transfers import FiguresChanged, Transfers

_DUPLICATES = frozenset({"DUP_ACK", "COMPRESSED_ACK"})
PROBE = "LOSS_PROBE"
"""The reason of a tail loss probe that is a segment sent again."""


@dataclass(frozen=True, slots=True)
class Mark:
    """The step of the host in which figures changed."""

    at: int
    place: int
    """How many entries the record had when it was over."""
    number: int | None
    """The packet that arrived, or else the first that was sent."""
    by_timer: bool
    counted: Mapping[str, int]
    """By how much the host's counters moved."""


@dataclass(frozen=True, slots=True)
class Repeat:
    """A segment that was sent again."""

    at: int
    reason: str
    number: int
    seq: int
    """Counted from the start of the flow."""
    since_last: int | None


@dataclass(slots=True)
class FlowHistory:
    """Of one sender of data on one connection."""

    ended: int
    """When the run was over."""
    peer: str = ""
    first_data: int | None = None
    last_data: int = 0
    repeats: list[Repeat] = field(default_factory=list)
    lost: dict[int, str] = field(default_factory=dict)
    """How its packets with data were lost that did not arrive, by their numbers."""
    lost_seqs: dict[int, int] = field(default_factory=dict)
    """By the sequence number that they begin with, counted from the start: when the last of these left."""
    kept: list[int] = field(default_factory=list)
    """When its data arrived out of order."""
    duplicates: list[int] = field(default_factory=list)
    """When duplicate ACKs for it arrived."""
    marks: dict[int, Mark] = field(default_factory=dict)
    """By the place of a change of figures."""

    def mark_at(self, place: int) -> Mark | None:
        """The step behind the change of figures with that place."""
        return self.marks.get(place)

    def repeats_between(self, since: int, until: int) -> list[Repeat]:
        """What was sent again from then on, and not after."""
        return [one for one in self.repeats if since <= one.at <= until]

    @property
    def probes(self) -> list[Mark]:
        """The steps that sent a tail loss probe."""
        return [mark for mark in self.marks.values() if "TCPLossProbes" in mark.counted]


def histories_of(
    record: Record, rows: Iterable[Row], transfers: Transfers, ended: int
) -> dict[FlowEnd, FlowHistory]:
    """Of each host and connection on which it sent data, the connection as that host has it."""
    found: dict[FlowEnd, FlowHistory] = {}
    for row in rows:
        if isinstance(row, PacketRow):
            _note_sent(found, row, ended)
            _note_answer(found, row)
    _note_marks(found, record, transfers)
    return found


def _note_sent(found: dict[FlowEnd, FlowHistory], row: PacketRow, ended: int) -> None:
    if not row.segment.payload or row.copy_of is not None:
        return
    here = row.sender, row.segment.sender_flow
    history = found.get(here)
    if history is None:
        history = found[here] = FlowHistory(ended, row.receiver or "")
    if history.first_data is None:
        history.first_data = row.at
    history.last_data = row.at
    if row.lost:
        history.lost[row.number] = row.lost
        history.lost_seqs[row.relative.seq] = row.at
    if row.sent is not None and row.sent.repeat:
        history.repeats.append(
            Repeat(row.at, row.sent.reason.name, row.number, row.relative.seq, row.since_last)
        )
    if row.arrived is not None and row.verdict is not None and row.verdict.reason.name == "DATA_AHEAD":
        history.kept.append(row.arrived)


def _note_answer(found: Mapping[FlowEnd, FlowHistory], row: PacketRow) -> None:
    if row.sent is None or row.arrived is None or row.sent.reason.name not in _DUPLICATES:
        return
    history = found.get((row.receiver or "", row.segment[:4]))
    if history is not None:
        history.duplicates.append(row.arrived)


def _note_marks(found: Mapping[FlowEnd, FlowHistory], record: Record, transfers: Transfers) -> None:
    """Each change belongs to the last step of its host that had begun by then."""
    changes = merge(
        *(_places(history, node, transfers.of(node, flow)) for (node, flow), history in found.items()),
        key=lambda one: one[0].place,
    )
    pending = list(changes)
    pending.reverse()
    reader, last = StepReader(), None
    latest: dict[str, HostStep] = {}

    def settle(until: int) -> None:
        while pending and pending[-1][0].place <= until:
            change, node, history = pending.pop()
            step = latest.get(node)
            if step is not None:
                history.marks[change.place] = _mark(change, step)

    for entry in record:
        reader.read(entry)
        if reader.last is not last and reader.last is not None:
            last = reader.last
            settle(last.first)
            latest[last.node] = last
            reader.items.clear()
            reader.begun.clear()
            reader.lives.clear()
    settle(len(record))


def _places(
    history: FlowHistory, node: str, changes: Sequence[FiguresChanged]
) -> list[tuple[FiguresChanged, str, FlowHistory]]:
    return [(change, node, history) for change in changes]


def _mark(change: FiguresChanged, step: HostStep) -> Mark:
    number = step.arrival if step.arrival is not None else next(iter(step.sent), None)
    by_timer = step.arrival is None and step.call is None and step.icmp is None
    return Mark(step.at, change.place, number, by_timer, step.sums)
