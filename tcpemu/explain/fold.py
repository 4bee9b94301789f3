"""Long runs made short: of many rows that tell the same, the first few are shown and the others counted."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from tcpemu.explain.rows import CallRow, PacketRow, Queues, Row, TimerRow
from tcpemu.explain.words import flag_words

WHOLE = 80
"""Up to so many rows nothing is folded."""
KEPT = 3
"""How often each kind of row is shown before it is folded."""
SHORTEST = 3
"""Fewer rows than this in a row are not worth a fold."""


@dataclass(frozen=True, slots=True)
class Fold:
    """Rows like some that were shown before."""

    at: int
    until: int
    """When the last of them was."""
    tally: tuple[tuple[str, int], ...]
    """How many of each kind, the most frequent first."""
    queues: Queues | None
    """The queues as the last of them left them."""

    @property
    def count(self) -> int:
        return sum(number for _, number in self.tally)


Folded: TypeAlias = Row | Fold


def folded(rows: Sequence[Row], whole: int = WHOLE) -> list[Folded]:
    """The rows, with repetitions folded if there are more than `whole`."""
    return list(rows) if len(rows) <= whole else list(_fold(rows))


def kind(row: Row) -> str:
    """What a row is, in a word or two, for a tally."""
    match row:
        case PacketRow():
            again = " again" if row.sent and row.sent.repeat else ""
            lost = " lost" if row.lost else ""
            return flag_words(row.segment.flags) + again + lost
        case CallRow():
            return row.text.split("(")[0] + ("()" if "(" in row.text else "")
        case TimerRow():
            return "timer"


def _fold(rows: Sequence[Row]) -> Iterator[Folded]:
    shown: dict[tuple[object, ...], int] = {}
    hidden: list[Row] = []
    for row in rows:
        shape = _shape(row)
        if shown.get(shape, 0) >= KEPT:
            hidden.append(row)
            continue
        shown[shape] = shown.get(shape, 0) + 1
        yield from _closed(hidden)
        hidden = []
        yield row
    yield from _closed(hidden)


def _shape(row: Row) -> tuple[object, ...]:
    """What makes two rows alike: everything but times, ports, numbers and the lengths of queues."""
    match row:
        case PacketRow():
            return (
                row.sender,
                row.receiver,
                row.segment.flags,
                bool(row.segment.payload),
                row.sent and (row.sent.reason.name, row.sent.repeat),
                row.verdict and row.verdict.reason.name,
                bool(row.lost),
                row.copy_of is None,
            )
        case CallRow():
            return row.node, kind(row), row.result if row.result.isupper() else ""
        case TimerRow():
            return row.node, row.reason and row.reason.name, row.change and row.change.new


def _closed(hidden: Sequence[Row]) -> Iterator[Folded]:
    """A fold for the rows, or the rows themselves if they are few."""
    if len(hidden) < SHORTEST:
        yield from hidden
        return
    tally: dict[str, int] = {}
    for row in hidden:
        tally[kind(row)] = tally.get(kind(row), 0) + 1
    most = sorted(tally.items(), key=lambda pair: -pair[1])
    queues = next((row.queues for row in reversed(hidden) if row.queues), None)
    yield Fold(hidden[0].at, hidden[-1].at, tuple(most), queues)
