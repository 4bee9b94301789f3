"""The capture and the best explanation in rows: each frame with what the emulated host made of it, or said as well.

A row is a frame, or something that only the emulated host did. They part where one of both sends what the other does
not, or where a packet has to be lost that the capture shows. ACKs of data do not count: when they are sent hangs on
when programs read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from tcpemu.diagnose.reading.seen_segment import SeenSegment
from tcpemu.diagnose.replay.answering_host import Answer, Conversation
from tcpemu.diagnose.replay.program_conduct import Called, Heard, Looked, WitnessEntry
from tcpemu.diagnose.reproducing.explained_host import ExplainedRun
from tcpemu.stack import QueueChanged, StateChanged
from tcpemu.wire.segment import FIN, RST, SYN, Segment

_ROW_OF_ITS_OWN = ("accept", "rst_close")
"""Calls that are worth a row: what else programs do shows in what is sent."""


@dataclass(slots=True, eq=False)
class BesideRow:
    """One row of both ladders."""

    at: int
    """Nanoseconds since the epoch, where the capture was taken."""
    told: Conversation | None
    """The connection; None for what is of none."""
    seen: SeenSegment | None = None
    """The frame; None for what only the emulated host did."""
    outbound: bool = False
    """The server sent it."""
    lost: bool = False
    """In the best explanation the frame does not come to TCP."""
    answers: list[Answer] = field(default_factory=list)
    """What the emulated host sent here."""
    entries: list[WitnessEntry] = field(default_factory=list)
    """What happened at it."""
    unlike: str = ""
    """What the emulated host has otherwise in the same segment."""

    @property
    def frame(self) -> int:
        """0 for none."""
        return self.seen.frame if self.seen is not None else 0

    @property
    def parts(self) -> bool:
        """Whether the capture and the best explanation part here."""
        if self.lost:
            return True
        if self.seen is not None and self.outbound:
            return not self.answers and _counts(self.seen.segment, self.seen.length)
        return any(
            not answer.same_as and _counts(answer.segment, len(answer.segment.payload))
            for answer in self.answers
        )


@dataclass(slots=True, eq=False)
class _Group:
    """What happened at the emulated host at one moment, for one cause."""

    at: int
    heard: Heard | None = None
    called: Called | None = None
    entries: list[WitnessEntry] = field(default_factory=list)


def beside_rows(run: ExplainedRun, ends: int) -> list[BesideRow]:
    """All rows, in the order of the capture; what the emulated host does after its end is left out."""
    rows = _Rows(run)
    for group in _groups(run.entries):
        rows.add(group)
    first = min(rows.frames.values(), key=lambda row: row.at, default=None)
    own = []
    for row in rows.own:
        if first is not None and row.at < first.at:
            first.entries[:0] = row.entries  # listen()
        elif row.at <= ends:
            own.append(row)
    shown = [*rows.frames.values(), *own]
    return sorted(shown, key=lambda row: (row.at, row.frame or 1 << 60))


def first_parting(rows: list[BesideRow]) -> BesideRow | None:
    """The first row where the capture and the best explanation part; None where they nowhere do."""
    return next((row for row in rows if row.parts), None)


def _counts(segment: Segment, length: int) -> bool:
    return bool(segment.flags & (SYN | FIN | RST) or length)


def _frames(told: Conversation, run: ExplainedRun) -> Iterator[BesideRow]:
    for seen, outbound in told.seen:
        at = seen.at + (run.away if outbound else -run.away)
        unlike = told.unlike.get(seen.frame, "")
        yield BesideRow(at, told, seen, outbound, seen.frame in run.lost, unlike=unlike)


def _groups(entries: list[WitnessEntry]) -> list[_Group]:
    groups: list[_Group] = []
    for entry in entries:
        if isinstance(entry, Heard):
            groups.append(_Group(entry.at, heard=entry))
        elif isinstance(entry, Called) and entry.verb != "recv":
            groups.append(_Group(entry.at, called=entry))
        elif (isinstance(entry, Looked | Called) and groups) or (groups and groups[-1].at == entry.at):
            groups[-1].entries.append(entry)
        else:
            groups.append(_Group(entry.at, entries=[entry]))
    return groups


class _Rows:
    """Gives what happened to the rows of the frames that it belongs to, and rows of their own to the rest."""

    def __init__(self, run: ExplainedRun) -> None:
        self.run = run
        self.frames = {row.frame: row for told in run.conversations for row in _frames(told, run)}
        self.own: list[BesideRow] = []
        self._answers = {
            id(answer.sent): (told, answer) for told in run.conversations for answer in told.answers
        }
        self._told = {told.life.key_of(told.life.server): told for told in run.conversations}
        self._without_a_row: list[WitnessEntry] = []

    def add(self, group: _Group) -> None:
        home = self._home(group)
        for entry in group.entries:
            if (found := self._answers.get(id(entry))) is not None:
                row = self._row_of(*found)
                row.answers.append(found[1])
                home = home or row
        if home is None and any(isinstance(entry, QueueChanged | StateChanged) for entry in group.entries):
            home = self._new(group, None)
        entries = [*([] if group.called is None else [group.called]), *group.entries]
        if home is None:
            self._without_a_row += entries
        else:
            home.entries += [*self._without_a_row, *entries]
            self._without_a_row = []

    def _home(self, group: _Group) -> BesideRow | None:
        if group.heard is not None:
            return self.frames[group.heard.frame]
        if group.called is not None and group.called.verb in _ROW_OF_ITS_OWN:
            return self._new(group, self._told.get(group.called.flow))
        return None

    def _row_of(self, told: Conversation, answer: Answer) -> BesideRow:
        if answer.same_as:
            return self.frames[answer.same_as]
        self.own.append(BesideRow(answer.at + self.run.away, told))
        return self.own[-1]

    def _new(self, group: _Group, told: Conversation | None) -> BesideRow:
        self.own.append(BesideRow(group.at + self.run.base + self.run.away, told))
        return self.own[-1]


def counted(row: BesideRow) -> dict[str, int]:
    """By how much counters moved in that row."""
    moved: dict[str, int] = {}
    for entry in row.entries:
        if isinstance(entry, Looked):
            for name, by in entry.counted.items():
                moved[name] = moved.get(name, 0) + by
    return moved
