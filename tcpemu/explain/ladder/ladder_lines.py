"""A run as a ladder: hosts as columns, one line for each packet, and under it what is unusual about it.

A packet stands at the time at which it was sent. What its arrival changed (states, queues, a drop) stands on
its line or under it, although it happened later by the time it travelled: the head says so and how long that is,
and a packet that took longer or shorter carries its own time.
"""

import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from tcpemu.explain.facts.host_sides import LONGEST_HOST_LABEL, HostSides
from tcpemu.explain.facts.listen_backlog import backlog_words
from tcpemu.explain.facts.record_steps import HostStep
from tcpemu.explain.facts.row_notes import DISAGREEMENT, Note, counters_moved, drop_word, notes_of
from tcpemu.explain.facts.rows import CallRow, IcmpRow, ListenerQueues, PacketRow, Row, TimerRow, each_row
from tcpemu.explain.ladder.fold import DATA, WHOLE, Fold, Folded, Folding
from tcpemu.explain.ladder.ladder_columns import TIME_HEAD, LadderColumns, QueueWords
from tcpemu.explain.ladder.travel_times import (
    DIGITS,
    TravelTimes,
    UsualDelays,
    note_travel,
    travel_time,
    travel_words,
)
from tcpemu.explain.lines.heading import Heading, heading_lines
from tcpemu.explain.lines.segment_words import flag_words, option_words
from tcpemu.explain.lines.style import Line, Role, Span, line, lines_text
from tcpemu.explain.lines.time_words import decimals_for, moment, seconds, span_words
from tcpemu.explain.lines.wrapping import JOINED, wrapped
from tcpemu.explain.phases.followed_transfers import followed_transfers
from tcpemu.explain.phases.phase_notes import phase_notes
from tcpemu.network.endpoint import KnownHost
from tcpemu.network.record import Record
from tcpemu.network.recorded.transfers import Transfers
from tcpemu.stack.base.events import Outcome, StateChanged
from tcpemu.stack.base.states import State
from tcpemu.wire.segment import FIN, RST, SYN, Segment

SHORTEST_ARROW = 40
"""With less room than this the queues are shown by numbers alone."""
PAUSE = 150_000_000
"""After so many nanoseconds without anything an empty line sets apart what follows."""


def ladder_lines(
    record: Record,
    heading: Heading | None = None,
    width: int = 100,
    whole: int = WHOLE,
    hosts: Mapping[str, KnownHost] | None = None,
    transfers: Transfers | None = None,
) -> list[Line]:
    """The lines of a ladder, none longer than `width` (80 or more).

    With more than `whole` rows repetitions are folded. `hosts` are those whose settings are known, by their names. With
    `transfers`, which a network keeps where it is asked to, it says where slow start ends, and where recoveries and
    time-outs begin and end.
    """
    return list(each_ladder_line(record, heading, width, whole, hosts, transfers=transfers))


def each_ladder_line(
    record: Record,
    heading: Heading | None = None,
    width: int = 100,
    whole: int = WHOLE,
    hosts: Mapping[str, KnownHost] | None = None,
    watch: Callable[[HostStep], None] | None = None,
    *,
    transfers: Transfers | None = None,
    since: int = 0,
) -> Iterator[Line]:
    """The same one by one. Of the rows no more are kept than are shown: those of a long record are let go.

    Rows before `since` are not shown. `watch` is called with every step of a host before the first line is there.
    """
    rows: Iterable[Row] = each_row(record, watch=watch)
    notes: dict[int, list[Note]] = {}
    if transfers is not None:
        rows = list(rows)
        ended = max((row.at for row in rows), default=0)
        notes = phase_notes(followed_transfers(record, rows, transfers, ended))
    facts, folding = _FactsOfRows(), Folding(whole, notes)
    for row in rows:
        facts.note(row)
        if row.at >= since:
            folding.add(row)
    facts.settle()
    drawing = _Drawing(facts, folding.shown(), width, hosts or {}, notes)
    yield from heading_lines(heading, width)
    if since:
        yield line(f"From {moment(since)} on.", Role.QUIET)
    yield from drawing.lines()


def ladder_text(record: Record, width: int = 100) -> str:
    """The ladder of a run, none of its lines longer than `width` (80 or more), without colours."""
    return lines_text(ladder_lines(record, width=width))


class _FactsOfRows:
    """What the head of a ladder and its columns need of all rows, those too that are not shown."""

    def __init__(self) -> None:
        self.sides = HostSides()
        self.decimals = decimals_for(())
        """Of a second, that show all times."""
        self._finest = 10 ** (9 - self.decimals)
        """That many nanoseconds are one of them."""
        self.listeners: set[tuple[str, int]] = set()
        """Node and port of each."""
        self._times: TravelTimes = {}

    def note(self, row: Row) -> None:
        """One more row; `settle` when there are no more."""
        self.sides.note(row)
        note_travel(row, self._times)
        if row.at % self._finest:
            self.decimals = decimals_for((row.at,), self.decimals)
            self._finest = 10 ** (9 - self.decimals)
        if row.queues:
            self.listeners.add((row.queues.node, row.queues.port))

    def settle(self) -> None:
        """All rows are noted."""
        self.sides.settle()
        self.usual = UsualDelays.of(self._times)


class _Drawing:
    """One ladder: its columns, and what has been said already."""

    def __init__(
        self,
        facts: _FactsOfRows,
        shown: Sequence[Folded],
        width: int,
        hosts: Mapping[str, KnownHost],
        phases: Mapping[int, Sequence[Note]],
    ) -> None:
        self._shown = shown
        self._phases = phases
        """By the number of a packet: what phase of a transfer begins or ends there."""
        self._hosts = hosts
        self._sides = facts.sides
        self._usual = facts.usual
        self._columns = self._measured(facts, width)
        self._explained: set[str] = set()

    def _measured(self, facts: _FactsOfRows, width: int) -> LadderColumns:
        """Columns as wide as what is shown in them; queues by numbers alone if the arrow gets too short."""
        packets = [row for row in self._shown if isinstance(row, PacketRow)]
        decimals = facts.decimals
        last = max((row.at for row in self._shown), default=0)
        words = QueueWords(frozenset(facts.listeners))
        columns = LadderColumns(
            width=width,
            decimals=decimals,
            time=max(len(seconds(last, decimals)), len(TIME_HEAD)),
            left=min(_longest(self._left_label(row) for row in packets), LONGEST_HOST_LABEL),
            left_state=_longest(self._left_word(row) for row in packets),
            right=_longest(self._right_label(row) for row in packets),
            right_state=_longest(self._right_word(row) for row in packets),
            queues=words.width(row.queues for row in self._shown),
            words=words,
        )
        if columns.arrow >= SHORTEST_ARROW:
            return columns
        words = replace(words, short=True)
        return replace(columns, words=words, queues=words.width(row.queues for row in self._shown))

    def lines(self) -> Iterator[Line]:
        yield from wrapped(" ".join(self._legend()), self._columns.width, Role.QUIET)
        yield ()
        yield self._columns.head(*self._sides.titles(self._columns.room))
        before = None
        for row in self._shown:
            if before is not None and row.at - before >= PAUSE:
                yield ()
            before = row.until if isinstance(row, Fold) else row.at
            yield from self._row(row)

    def _legend(self) -> Iterator[str]:
        """What has to be known to read this ladder."""
        yield from travel_words(self._usual, self._own_delays())
        shown = [queues for queues in map(_queues_beside, self._shown) if queues]
        if shown:
            yield _example(max(shown, key=lambda queues: queues.accept))
            yield "syn: half-open ones wait for the final ACK."
        beyond = max((queues.accept - queues.backlog for queues in shown), default=0)
        if beyond > 0:
            yield f"This kernel admits {'one more' if beyond == 1 else 'more'} than the backlog."

    def _own_delays(self) -> Iterator[int]:
        """How long those packets travelled that carry their own time on their arrow."""
        for row in self._shown:
            if isinstance(row, PacketRow) and self._usual.differs(row):
                yield travel_time(row)

    def _row(self, row: Folded) -> Iterator[Line]:
        match row:
            case PacketRow():
                yield self._packet(row)
                yield from self._options(row)
                yield from self._notes(row)
                for note in self._phases.get(row.number, ()):
                    yield from self._under(note)
            case CallRow():
                yield self._call(row)
                yield from self._backlog(row)
            case TimerRow():
                yield self._timer(row)
                yield from self._notes(row)
            case Fold():
                yield self._fold(row)

    # Packets.

    def _packet(self, row: PacketRow) -> Line:
        cells = (
            Span(self._left_label(row)[-LONGEST_HOST_LABEL:]),
            _state_span(self._left_word(row)),
            self._arrow(row),
            Span(self._right_label(row)),
            _state_span(self._right_word(row)),
        )
        return self._columns.line(row.at, cells, _queues_beside(row))

    def _left_label(self, row: PacketRow) -> str:
        return self._sides.left_label(*self._sides.left_end(row))

    def _right_label(self, row: PacketRow) -> str:
        return self._sides.right_label(*self._sides.right_end(row))

    def _left_word(self, row: PacketRow) -> str:
        return _departure_word(row) if self._sides.points_right(row) else _arrival_word(row)

    def _right_word(self, row: PacketRow) -> str:
        return _arrival_word(row) if self._sides.points_right(row) else _departure_word(row)

    def _arrow(self, row: PacketRow) -> Span:
        """The arrow with what it carries; one that breaks off for a packet that was lost."""
        size, right = self._columns.arrow, self._sides.points_right(row)
        text = _fitting(self._words(row), size - (7 if row.lost else 5))
        if row.lost:
            drawn = f"─ {text} ───✗" if right else f"✗─── {text} ─"
            return Span(f"{drawn:<{size}}" if right else f"{drawn:>{size}}", Role.LOST)
        dashes = "─" * (size - len(text) - 4)
        return Span(f"─ {text} {dashes}▶" if right else f"◀─ {text} {dashes}", arrow_role(row))

    def _words(self, row: PacketRow) -> list[tuple[int, str]]:
        """What is said on the arrow, each with its rank: the higher it is, the sooner it gives way.

        Flags and the packet's own delay never do: without it the line would claim the usual one.
        """
        segment, relative = row.segment, row.relative
        words = [(0, flag_words(segment.flags)), (2 if segment.payload else 3, f"seq {relative.seq}")]
        if relative.ack is not None:
            words.append((3 if segment.payload else 2, f"ack {relative.ack}"))
        if segment.payload:
            words.append((1, f"len {len(segment.payload)}"))
        if segment.window or not segment.flags & RST:
            words.append((4 if segment.window else 1, f"win {relative.window}"))
        if self._usual.differs(row):
            words.append((0, f"+{span_words(travel_time(row), DIGITS)}"))
        return words

    # What stands under a line.

    def _options(self, row: PacketRow) -> Iterator[Line]:
        """The options of a SYN, once for each set of them."""
        words = option_words(row.segment) if row.segment.flags & SYN else ""
        known = f"options {row.segment.flags} {words}"
        if words and known not in self._explained:
            self._explained.add(known)
            yield from self._under(Note(f"options: {words}", Role.QUIET))

    def _notes(self, row: Row) -> Iterator[Line]:
        """Why it is unusual: at length the first time, then in short."""
        for note in notes_of(row):
            if note.rule not in self._explained:
                yield from self._under(note, _details(row, note))
            elif note.rule != DISAGREEMENT:
                yield from self._under(replace(note, text=note.text.split(";")[0]))
            if note.rule:
                self._explained.add(note.rule)

    def _under(self, note: Note, details: str = "") -> Iterator[Line]:
        indent = self._columns.indent
        whole = note.text + (f" [{details.replace(' ', JOINED)}]" if details else "")
        room = self._columns.width - indent - 2
        lines = textwrap.wrap(whole, room, break_long_words=False, break_on_hyphens=False)
        for i, each in enumerate(lines):
            head = Span(" " * indent + ("└ " if i == 0 else "  "), Role.QUIET)
            yield (head, Span(each.replace(JOINED, " "), note.role))

    # Calls, timers, folds.

    def _call(self, row: CallRow) -> Line:
        text = f"{row.text} → {row.result}" if row.result else row.text
        right = row.node in self._sides.right
        alone = right and len(self._sides.right) == 1
        who = "" if alone else f"{row.node if right else row.application or row.node}: "
        return self._columns.aside(row.at, who + text, row.queues, right=right, role=Role.CALL)

    def _backlog(self, row: CallRow) -> Iterator[Line]:
        """Why a listener got another backlog than it asked for."""
        words = backlog_words(row, self._hosts.get(row.node))
        if words:
            yield from self._under(Note(f"{row.node}: {words}", Role.AGAIN))

    def _timer(self, row: TimerRow) -> Line:
        label, change = self._sides.label_of_flow(row.node, row.flow), _change_words(row.change)
        text = f"timer of {label}" if row.reason else label
        if isinstance(row, IcmpRow) and row.error is not None:
            text = f"ICMP about {label}: {row.error.says}"
        right = row.node in self._sides.right
        return self._columns.aside(
            row.at, f"{text}: {change}" if change else text, row.queues, right=right, role=Role.LOST
        )

    def _fold(self, row: Fold) -> Line:
        until = seconds(row.until, self._columns.decimals).rstrip("0").rstrip(".")
        head = f"… {row.count:,} more like these until {until} s: "
        kinds = [f"{number:,} {word}{_octets(row, word)}" for word, number in row.tally]
        shown = len(kinds)
        while shown > 1 and len(head + ", ".join(kinds[:shown])) + 3 > self._columns.room:
            shown -= 1
        text = head + ", ".join(kinds[:shown]) + (", …" if shown < len(kinds) else "")
        return self._columns.aside(row.at, text, row.queues, right=False, role=Role.QUIET)


def _octets(fold: Fold, word: str) -> str:
    """How much the data of a fold is."""
    return f" ({fold.octets:,} octets)" if word == DATA and fold.octets else ""


def _longest(texts: Iterator[str]) -> int:
    return max(map(len, texts), default=0)


def _queues_matter(row: PacketRow) -> bool:
    """They changed, or they are why the packet was dropped, answered or sent again."""
    here = row.queues is not None and row.queues.node == row.receiver
    unusual = here and row.outcome in {Outcome.DROPPED, Outcome.ANSWERED}
    again = bool(row.sent and row.sent.repeat and row.segment.flags & SYN)
    return row.queues_changed or again or unusual


def _queues_beside(row: Folded) -> ListenerQueues | None:
    """The queues that stand on the row's line."""
    return None if isinstance(row, PacketRow) and not _queues_matter(row) else row.queues


def _example(queues: ListenerQueues) -> str:
    """How to read the lengths of a queue, told of some that stand in the ladder."""
    number = f"{queues.accept or 'no'} {'connections wait' if queues.accept > 1 else 'connection waits'}"
    return f"accept {queues.accept}/{queues.backlog}: {number} for accept(), the backlog is {queues.backlog};"


def _details(row: Row, note: Note) -> str:
    """The kernel's function, and the counters that moved with a drop."""
    counters = counters_moved(row) if isinstance(row, PacketRow) and note.role is Role.LOST else ""
    return "; ".join(filter(None, (note.source, counters)))


def _state_span(word: str) -> Span:
    return Span(word, Role.LOST if word in {"dropped", "ignored"} else Role.STATE)


def _departure_word(row: PacketRow) -> str:
    return _state_word(row.sender_change)


def _arrival_word(row: PacketRow) -> str:
    """The receiver's new state; or, where nothing came of it, that it was dropped."""
    return drop_word(row.verdict) or _state_word(row.receiver_change)


def _state_word(change: StateChanged | None) -> str:
    if change is None:
        return ""
    return "closed" if change.new is State.CLOSE else change.new.ss_name


def _change_words(change: StateChanged | None) -> str:
    return f"{change.old.ss_name} → {_state_word(change)}" if change else ""


def arrow_role(row: PacketRow) -> Role:
    """What colour its arrow has, as a role."""
    return role_of_segment(row.segment, again=bool(row.sent and row.sent.repeat))


def role_of_segment(segment: Segment, *, again: bool) -> Role:
    """What colour the arrow of any segment has, as a role; `again`: it was sent before."""
    flags = segment.flags
    if flags & RST:
        return Role.RESET
    if again:
        return Role.AGAIN
    if flags & SYN:
        return Role.OPEN
    return Role.CLOSE if flags & FIN else Role.PLAIN


def _fitting(words: Sequence[tuple[int, str]], room: int) -> str:
    """The words that fit, those of the highest rank left out first."""
    kept = list(words)
    while len(" ".join(text for _, text in kept)) > room and any(rank for rank, _ in kept):
        kept.remove(max(reversed(kept), key=lambda word: word[0]))
    return " ".join(text for _, text in kept)[:room]
