"""A run as a ladder: hosts as columns, one line for each packet, and under it what is unusual about it.

A packet stands at the time at which it was sent. What its arrival changed (states, queues, a drop) stands on
its line or under it, although it happened later by the time it travelled: the head says how long that is,
and a packet that took longer or shorter carries its own time.
"""

import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from tcpemu.explain.cast import LONGEST_LABEL, Cast
from tcpemu.explain.fold import WHOLE, Fold, Folded, folded
from tcpemu.explain.notes import DISAGREEMENT, Note, moved, notes_of
from tcpemu.explain.rows import CallRow, PacketRow, Queues, Row, TimerRow, rows_of
from tcpemu.explain.style import Line, Role, Span, line
from tcpemu.explain.words import (
    decimals_for,
    duration,
    flag_words,
    option_words,
    seconds,
)
from tcpemu.network.record import Record
from tcpemu.stack.events import Outcome, StateChanged
from tcpemu.stack.states import State
from tcpemu.wire.segment import FIN, RST, SYN

SHORTEST_ARROW = 40
"""With less room than this the queues are shown by numbers alone."""
PAUSE = 150_000_000
"""After so many nanoseconds without anything an empty line sets apart what follows."""


@dataclass(frozen=True, slots=True)
class Heading:
    """What stands above a ladder."""

    title: str
    look_at: str = ""
    facts: tuple[str, ...] = ()
    """Seed, kernel and the like, each a few words."""


def ladder(
    record: Record, heading: Heading | None = None, width: int = 100, whole: int = WHOLE
) -> list[Line]:
    """The lines of a ladder, none longer than `width` (80 or more).

    With more than `whole` rows repetitions are folded.
    """
    return ladder_of_rows(rows_of(record), heading, width, whole)


def ladder_of_rows(
    rows: Sequence[Row], heading: Heading | None = None, width: int = 100, whole: int = WHOLE
) -> list[Line]:
    """The same, of rows that were made before."""
    drawn = _Drawing(rows, folded(rows, whole), width)
    return [*_heading_lines(heading, width), *drawn.lines()]


def _heading_lines(heading: Heading | None, width: int) -> Iterator[Line]:
    if heading is None:
        return
    yield from _wrapped(heading.title, width, "", Role.TITLE)
    if heading.look_at:
        yield from _wrapped(f"Look at: {heading.look_at}", width, "")
    if heading.facts:
        yield from _wrapped(" · ".join(heading.facts), width, "", Role.QUIET)


def _wrapped(text: str, width: int, indent: str, role: Role = Role.PLAIN) -> list[Line]:
    lines = textwrap.wrap(text, width, initial_indent=indent, subsequent_indent=indent)
    return [line(each, role) for each in lines]


class _Drawing:
    """The layout of one ladder: widths of columns, and how each kind of row is drawn in them."""

    def __init__(self, rows: Sequence[Row], shown: Sequence[Folded], width: int) -> None:
        self._shown, self._width = shown, width
        self._cast = Cast(rows)
        self._listeners = {(row.queues.node, row.queues.port) for row in rows if row.queues}
        self._usual = _usual_delays(rows)
        self._decimals = decimals_for([row.at for row in rows])
        self._explained: set[str] = set()
        self._options: set[str] = set()
        self._measure([row for row in shown if not isinstance(row, Fold)])

    def _measure(self, rows: Sequence[Row]) -> None:
        packets = [row for row in rows if isinstance(row, PacketRow)]
        last = max((row.at for row in self._shown), default=0)
        self._time = max(len(seconds(last, self._decimals)), len("time (s)"))
        labels = [self._cast.left_label(*self._cast.left_end(row)) for row in packets]
        self._left = min(max(map(len, labels), default=0), LONGEST_LABEL)
        self._right = max((len(self._right_label(row)) for row in packets), default=0)
        self._left_state, self._right_state = self._state_widths(packets)
        self._compact = False
        self._queue = max((len(self._queue_text(row.queues)) for row in self._shown), default=0)
        if self._arrow < SHORTEST_ARROW:
            self._compact = True
            self._queue = max((len(self._queue_text(row.queues)) for row in self._shown), default=0)
            self._queue = max(self._queue, len(_COMPACT_HEAD) if self._queue else 0)

    def _state_widths(self, packets: Sequence[PacketRow]) -> tuple[int, int]:
        left = [len(self._left_word(row)) for row in packets]
        right = [len(self._right_word(row)) for row in packets]
        return max(left, default=0), max(right, default=0)

    @property
    def _arrow(self) -> int:
        """What the other columns leave for the arrow."""
        columns = (self._time, self._left, self._left_state, self._right, self._right_state, self._queue)
        return self._width - sum(size + (2 if i in {0, 5} else 1) for i, size in enumerate(columns) if size)

    # The whole.

    def lines(self) -> Iterator[Line]:
        yield from self._legend()
        yield ()
        yield self._head()
        before = None
        for row in self._shown:
            if before is not None and row.at - before >= PAUSE:
                yield ()
            before = row.until if isinstance(row, Fold) else row.at
            yield from self._row(row)

    def _legend(self) -> Iterator[Line]:
        words = []
        if self._usual:
            words.append(_travel_words(self._usual))
        if self._listeners:
            words.append(
                "accept 2/1: 2 connections wait for accept(), the backlog is 1; "
                "syn: half-open ones wait for the final ACK."
            )
        if any(row.queues and row.queues.accept > row.queues.backlog for row in self._shown):
            words.append("Linux lets one more than the backlog wait in each queue.")
        if words:
            yield from _wrapped(" ".join(words), self._width, "", Role.QUIET)

    def _head(self) -> Line:
        room = self._left + self._left_state + self._arrow + self._right + self._right_state + 4
        left, right = self._cast.left_title(), self._cast.right_title()
        middle = f"{left}{right:>{max(room - len(left), len(right) + 2)}}"
        queues = _COMPACT_HEAD if self._compact and self._queue else ""
        return (Span(f"{'time (s)':>{self._time}}  {middle}  {queues}", Role.QUIET),)

    def _row(self, row: Folded) -> Iterator[Line]:
        match row:
            case PacketRow():
                yield self._packet(row)
                yield from self._options_of(row)
                yield from self._notes(row)
            case CallRow():
                yield self._call(row)
            case TimerRow():
                yield self._timer(row)
                yield from self._notes(row)
            case Fold():
                yield self._fold(row)

    # Packets.

    def _packet(self, row: PacketRow) -> Line:
        node, port = self._cast.left_end(row)
        label = self._cast.left_label(node, port)[-self._left :] if self._left else ""
        return self._line(
            row.at,
            Span(f"{label:<{self._left}}"),
            Span(self._left_word(row), Role.STATE),
            self._arrow_of(row),
            Span(self._right_label(row)),
            Span(self._right_word(row), Role.LOST if row.outcome is Outcome.DROPPED else Role.STATE),
            row.queues if self._queues_matter(row) else None,
        )

    def _right_label(self, row: PacketRow) -> str:
        return self._cast.right_label(*self._cast.right_end(row))

    def _left_word(self, row: PacketRow) -> str:
        return _departure_word(row) if self._cast.points_right(row) else _arrival_word(row)

    def _right_word(self, row: PacketRow) -> str:
        return _arrival_word(row) if self._cast.points_right(row) else _departure_word(row)

    def _queues_matter(self, row: PacketRow) -> bool:
        """They changed, or they are why the packet was dropped, answered or sent again."""
        again = bool(row.sent and row.sent.repeat and row.segment.flags & SYN)
        return row.queues_changed or again or row.outcome in {Outcome.DROPPED, Outcome.ANSWERED}

    def _arrow_of(self, row: PacketRow) -> Span:
        size = self._arrow
        text = _fitting(self._words(row), size - 6)
        right = self._cast.points_right(row)
        if row.lost:
            drawn = f"─ {text} ───✗" if right else f"✗─── {text} ─"
            return Span(f"{drawn:<{size}}" if right else f"{drawn:>{size}}", Role.LOST)
        dashes = "─" * (size - len(text) - 4)
        drawn = f"─ {text} {dashes}▶" if right else f"◀─ {text} {dashes[1:]}─"
        return Span(drawn, _role(row))

    def _words(self, row: PacketRow) -> list[tuple[int, str]]:
        """What is said on the arrow, each with its rank: the higher it is, the sooner it gives way."""
        segment, relative = row.segment, row.relative
        words = [(0, flag_words(segment.flags)), (1, f"seq {relative.seq}")]
        if relative.ack is not None:
            words.append((1, f"ack {relative.ack}"))
        if segment.payload:
            words.append((0, f"len {len(segment.payload)}"))
        if segment.window or not segment.flags & RST:
            words.append((3 if segment.window else 1, f"win {relative.window}"))
        if row.arrived is not None and row.copy_of is None:
            took = row.arrived - row.at
            if took != self._usual.get((row.sender, row.receiver)):
                words.append((2, f"+{duration(took)}"))
        return words

    def _options_of(self, row: PacketRow) -> Iterator[Line]:
        """The options of a SYN, once for each set of them."""
        words = option_words(row.segment) if row.segment.flags & SYN else ""
        known = f"{row.segment.flags} {words}"
        if words and known not in self._options:
            self._options.add(known)
            yield from self._under(Note(f"options: {words}", Role.QUIET), "")

    # Calls, timers, folds.

    def _call(self, row: CallRow) -> Line:
        text = f"{row.text} → {row.result}" if row.result else row.text
        if row.node not in self._cast.right:
            who = row.application or row.node
            return self._aside(row.at, f"{who}: {text}", row.queues, right=False, role=Role.CALL)
        who = f"{row.node}: " if len(self._cast.right) > 1 else ""
        return self._aside(row.at, f"{who}{text}", row.queues, right=True, role=Role.CALL)

    def _timer(self, row: TimerRow) -> Line:
        right = row.node in self._cast.right
        label = self._cast.label_of_flow(row.node, row.flow)
        change = _change_words(row.change)
        text = f"timer of {label}: {change}" if row.reason else f"{label}: {change}"
        return self._aside(row.at, text.removesuffix(": "), row.queues, right=right, role=Role.LOST)

    def _aside(self, at: int, text: str, queues: Queues | None, *, right: bool, role: Role) -> Line:
        """Text on the side of the one host that it is about."""
        sizes = (self._left, self._left_state, self._arrow, self._right, self._right_state)
        room = sum(size + 1 for size in sizes if size) - 1
        shown = text if len(text) <= room else text[: room - 1] + "…"
        body = Span(f"{shown:>{room}}" if right else f"{shown:<{room}}", role)
        return (self._moment(at), body, *self._queue_spans(queues))

    def _fold(self, row: Fold) -> Line:
        tally = ", ".join(f"{number:,} {word}" for word, number in row.tally[:4])
        rest = ", …" if len(row.tally) > 4 else ""
        until = seconds(row.until, self._decimals).rstrip("0").rstrip(".")
        text = f"… {row.count:,} more like these until {until} s: {tally}{rest}"
        return self._aside(row.at, text, row.queues, right=False, role=Role.QUIET)

    # Columns.

    def _line(
        self,
        at: int,
        left: Span,
        left_state: Span,
        arrow: Span,
        right: Span,
        right_state: Span,
        queues: Queues | None,
    ) -> Line:
        sizes = (self._left, self._left_state, self._arrow, self._right, self._right_state)
        spans: list[Span] = []
        for size, span in zip(sizes, (left, left_state, arrow, right, right_state), strict=True):
            if size:
                spans += (Span(f"{span.text:<{size}}", span.role), Span(" "))
        return (self._moment(at), *spans[:-1], *self._queue_spans(queues))

    def _moment(self, at: int) -> Span:
        return Span(f"{seconds(at, self._decimals):>{self._time}}  ", Role.QUIET)

    def _queue_spans(self, queues: Queues | None) -> tuple[Span, ...]:
        return (Span("  "), Span(self._queue_text(queues), Role.QUEUE)) if queues else ()

    def _queue_text(self, queues: Queues | None) -> str:
        if queues is None:
            return ""
        where = ""
        if len(self._listeners) > 1:
            nodes = {node for node, _ in self._listeners}
            where = f"{queues.node}:{queues.port} " if len(nodes) > 1 else f":{queues.port} "
        accept, syn = f"{queues.accept}/{queues.backlog}", f"{queues.syn}/{queues.backlog}"
        return f"{where}{accept:<6} {syn}" if self._compact else f"{where}accept {accept}  syn {syn}"

    # Notes.

    def _notes(self, row: Row) -> Iterator[Line]:
        for note in notes_of(row):
            if note.rule not in self._explained:
                yield from self._under(note, _details(row, note))
            elif note.rule != DISAGREEMENT:
                yield from self._under(replace(note, text=note.text.split(";")[0]), "")
            if note.rule:
                self._explained.add(note.rule)

    def _under(self, note: Note, details: str) -> Iterator[Line]:
        """A note under its row, with the kernel's function behind it the first time."""
        indent = self._time + 2
        whole = note.text + (f" [{details.replace(' ', _JOINED)}]" if details else "")
        lines = textwrap.wrap(whole, self._width - indent - 2, break_long_words=False, break_on_hyphens=False)
        for i, each in enumerate(lines):
            head = Span(" " * indent + ("└ " if i == 0 else "  "), Role.QUIET)
            yield (head, Span(each.replace(_JOINED, " "), note.role))


_COMPACT_HEAD = "accept syn"
_JOINED = "\N{NO-BREAK SPACE}"
"""Keeps a file and its function on one line."""


def _details(row: Row, note: Note) -> str:
    counters = moved(row) if isinstance(row, PacketRow) and note.role is Role.LOST else ""
    return "; ".join(filter(None, (note.source, counters)))


def _departure_word(row: PacketRow) -> str:
    return _state_word(row.sender_change)


def _arrival_word(row: PacketRow) -> str:
    """The receiver's new state; or, where nothing came of it, that it was dropped."""
    if row.outcome is Outcome.DROPPED:
        return "ignored"
    return _state_word(row.receiver_change)


def _state_word(change: StateChanged | None) -> str:
    if change is None:
        return ""
    return "closed" if change.new is State.CLOSE else change.new.ss_name


def _change_words(change: StateChanged | None) -> str:
    if change is None:
        return ""
    return f"{change.old.ss_name} → {_state_word(change)}"


def _role(row: PacketRow) -> Role:
    flags = row.segment.flags
    if flags & RST:
        return Role.RESET
    if row.sent and row.sent.repeat:
        return Role.AGAIN
    if flags & SYN:
        return Role.OPEN
    return Role.CLOSE if flags & FIN else Role.PLAIN


def _fitting(words: Sequence[tuple[int, str]], room: int) -> str:
    """The words that fit, those of the highest rank left out first."""
    kept = list(words)
    while len(" ".join(text for _, text in kept)) > room and len(kept) > 1:
        kept.remove(max(reversed(kept), key=lambda word: word[0]))
    return " ".join(text for _, text in kept)[:room]


def _usual_delays(rows: Sequence[Row]) -> dict[tuple[str, str | None], int]:
    """For each way between two hosts, how long most packets travelled, if most took the same time."""
    times: dict[tuple[str, str | None], Counter[int]] = {}
    for row in rows:
        if isinstance(row, PacketRow) and row.arrived is not None and row.copy_of is None:
            times.setdefault((row.sender, row.receiver), Counter())[row.arrived - row.at] += 1
    usual = {way: counts.most_common(1)[0] for way, counts in times.items()}
    return {way: most for way, (most, often) in usual.items() if often * 2 > times[way].total()}


def _travel_words(usual: dict[tuple[str, str | None], int]) -> str:
    if len(set(usual.values())) == 1:
        return f"A packet arrives {duration(next(iter(usual.values())))} after the time shown."
    ways = [f"{duration(took)} from {sender} to {receiver}" for (sender, receiver), took in usual.items()]
    shown = ways[:4] + (["…"] if len(ways) > 4 else [])
    return f"A packet arrives later than the time shown: {', '.join(shown)}."
