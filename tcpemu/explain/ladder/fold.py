"""Long runs made short: of many rows that tell the same, the first few are shown and the others counted."""

from collections import Counter
from collections.abc import Iterator, Sequence
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


def folded(rows: Sequence[Row], whole: int = WHOLE) -> list[Folded]:
    """The rows, with repetitions folded if there are more than `whole`."""
    return list(rows) if len(rows) <= whole else list(_fold(rows, fine=len(rows) <= FINE))


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


def _fold(rows: Sequence[Row], *, fine: bool) -> Iterator[Folded]:
    shown: Counter[Shape] = Counter()
    busy = Counter(map(_hosts, rows))
    few_troubles = sum(map(_is_trouble, rows)) <= MOST_TROUBLES
    hidden: list[Row] = []
    for row in rows:
        shape = _shape(row, fine=fine)
        needed = (few_troubles and _is_trouble(row)) or _is_alone(row, busy)
        if shown[shape] >= KEPT and not needed:
            hidden.append(row)
            continue
        shown[shape] += 1
        yield from _closed(hidden)
        hidden = []
        yield row
    yield from _closed(hidden)


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


def _closed(hidden: Sequence[Row]) -> Iterator[Folded]:
    """A fold for the rows, or the rows themselves if they are few."""
    if len(hidden) < SHORTEST:
        yield from hidden
        return
    troubles = Counter(row_kind(row) for row in hidden if _is_trouble(row))
    others = Counter(row_kind(row) for row in hidden if not _is_trouble(row))
    tally = (*troubles.most_common(), *others.most_common())
    queues = next((row.queues for row in reversed(hidden) if row.queues), None)
    yield Fold(hidden[0].at, hidden[-1].at, tally, queues)
