"""Long runs made short: of many rows that tell the same, the first few are shown and the others counted."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from tcpemu.explain.facts.rows import CallRow, ListenerQueues, PacketRow, Row, TimerRow
from tcpemu.explain.lines.segment_words import flag_words
from tcpemu.network.record import NO_HOST

WHOLE = 60
"""Up to so many rows nothing is folded."""
FINE = 240
"""Up to so many rows a 2nd repeat and a 3rd are two things; beyond, both are 'sent again'."""
KEPT = 3
"""How often each kind of row is shown before it is folded."""
FEW = 30
"""Packets between two hosts that exchange no more than this are never folded: a lone client in a crowd."""
MOST_TROUBLES = 120
"""Up to so many packets that were lost or sent again none of them is folded; beyond, they are like any others."""
SHORTEST = 3
"""Fewer rows than this, one after the other, are not worth a fold."""


@dataclass(frozen=True, slots=True)
class Fold:
    """Rows like some that were shown before."""

    at: int
    until: int
    """When the last of them was."""
    tally: tuple[tuple[str, int], ...]
    """How many of each kind: first what was lost or sent again, then the others; the most frequent first."""
    queues: ListenerQueues | None
    """The queues as the last of them left them."""

    @property
    def count(self) -> int:
        return sum(number for _, number in self.tally)


Folded: TypeAlias = Row | Fold
Shape: TypeAlias = tuple[object, ...]


class RowCounts:
    """What has to be known of all rows before the first can be folded."""

    def __init__(self, rows: Iterable[Row] = ()) -> None:
        self.rows = self.troubles = 0
        self.busy: Counter[frozenset[str | None]] = Counter()
        """How many rows there are between which hosts."""
        for row in rows:
            self.note(row)

    def note(self, row: Row) -> None:
        """One more row."""
        self.rows += 1
        self.troubles += _is_trouble(row)
        self.busy[_hosts(row)] += 1


def folded(rows: Sequence[Row], whole: int = WHOLE) -> list[Folded]:
    """The rows, with repetitions folded if there are more than `whole`."""
    return list(each_folded(rows, RowCounts(rows), whole))


def each_folded(rows: Iterable[Row], counts: RowCounts, whole: int = WHOLE) -> Iterator[Folded]:
    """The same one by one; `counts` are those of all the rows."""
    return iter(rows) if counts.rows <= whole else _fold(rows, counts)


def row_kind(row: Row) -> str:
    """What a row is, in a word or two, for a tally."""
    match row:
        case PacketRow():
            again = " again" if row.sent and row.sent.repeat else ""
            lost = " to nobody" if row.lost == NO_HOST else " lost" if row.lost else ""
            evicts = " that evicts" if row.evicted else ""
            return flag_words(row.segment.flags) + again + lost + evicts
        case CallRow():
            return row.text.split("(")[0] + ("()" if "(" in row.text else "")
        case TimerRow():
            return "timer"


def _fold(rows: Iterable[Row], counts: RowCounts) -> Iterator[Folded]:
    fine = counts.rows <= FINE
    shown: Counter[Shape] = Counter()
    few_troubles = counts.troubles <= MOST_TROUBLES
    hidden = _Hidden()
    for row in rows:
        shape = _shape(row, fine=fine)
        needed = (few_troubles and _is_trouble(row)) or _is_alone(row, counts.busy)
        if shown[shape] >= KEPT and not needed:
            hidden.add(row)
            continue
        shown[shape] += 1
        yield from hidden.closed()
        hidden = _Hidden()
        yield row
    yield from hidden.closed()


class _Hidden:
    """Rows one after the other that are not shown, counted."""

    def __init__(self) -> None:
        self._first: list[Row] = []
        """Only so many as are not worth a fold."""
        self._until = 0
        self._troubles: Counter[str] = Counter()
        self._others: Counter[str] = Counter()
        self._queues: ListenerQueues | None = None

    def add(self, row: Row) -> None:
        """One more."""
        if len(self._first) < SHORTEST:
            self._first.append(row)
        self._until = row.at
        (self._troubles if _is_trouble(row) else self._others)[row_kind(row)] += 1
        self._queues = row.queues or self._queues

    def closed(self) -> Iterator[Folded]:
        """A fold for the rows, or the rows themselves if they are few."""
        if len(self._first) < SHORTEST:
            yield from self._first
            return
        tally = (*self._troubles.most_common(), *self._others.most_common())
        yield Fold(self._first[0].at, self._until, tally, self._queues)


def _is_trouble(row: Row) -> bool:
    """Whether the packet was lost or sent again; of what goes to an address that no host has there is a flood."""
    if not isinstance(row, PacketRow) or row.lost == NO_HOST:
        return False
    return bool(row.lost) or bool(row.sent and row.sent.repeat)


def _is_alone(row: Row, busy: Counter[frozenset[str | None]]) -> bool:
    """Whether it is a packet between two hosts that exchange few."""
    return isinstance(row, PacketRow) and busy[_hosts(row)] <= FEW


def _hosts(row: Row) -> frozenset[str | None]:
    """Between which hosts it happened."""
    return frozenset((row.sender, row.receiver) if isinstance(row, PacketRow) else (row.node,))


def _shape(row: Row, *, fine: bool) -> Shape:
    """What makes two rows alike: everything but times, ports, numbers and the lengths of queues."""
    match row:
        case PacketRow() if row.arrived is None and not row.lost:
            return ("still on its way",)
        case PacketRow():
            repeat = row.sent.repeat if row.sent else 0
            return (
                row.sender,
                row.receiver,
                row.segment.flags,
                bool(row.segment.payload),
                row.sent and row.sent.reason.name,
                repeat if fine else bool(repeat),
                row.verdict and row.verdict.reason.name,
                bool(row.lost),
                row.copy_of is None,
                row.evicted is None,
            )
        case CallRow():
            return row.node, row_kind(row), row.result if row.result.isupper() else ""
        case TimerRow():
            return row.node, row.reason and row.reason.name, row.change and row.change.new
