"""Long runs made short: of many rows that tell the same, the first few are shown and the others counted."""

from collections import Counter
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from tcpemu.explain.facts.rows import CallRow, IcmpRow, ListenerQueues, PacketRow, Row, TimerRow
from tcpemu.explain.lines.segment_words import segment_kind
from tcpemu.network.record import NO_HOST
from tcpemu.wire.icmp import IcmpError
from tcpemu.wire.segment import PSH

WHOLE = 60
"""Up to so many rows nothing is folded."""
FINE = 240
"""Up to so many rows a 2nd repeat and a 3rd are two things; beyond, both are 'sent again'."""
KEPT = 3
"""How often each kind of row is shown before it is folded."""
FEW = 30
"""Packets between two hosts that exchange no more than this are never folded: a lone client in a crowd."""
MOST_TROUBLES, MOST_DATA_TROUBLES = 120, 500
"""Up to so many packets that were lost or sent again none of them is folded; beyond, they are like any others. Those
with data are counted by themselves: a transfer may lose many.
"""
DATA = "data"
"""The kind of a row that is data without trouble."""
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
    octets: int = 0
    """Of data in them, if they are data without trouble: what a train carries."""

    @property
    def count(self) -> int:
        return sum(number for _, number in self.tally)


Folded: TypeAlias = Row | Fold
Shape: TypeAlias = tuple[object, ...]
Hosts: TypeAlias = frozenset[str | None]


def folded(rows: Iterable[Row], whole: int = WHOLE) -> list[Folded]:
    """The rows, with repetitions folded if there are more than `whole`."""
    folding = Folding(whole)
    for row in rows:
        folding.add(row)
    return folding.shown()


class Folding:
    """Folds rows as they come, and keeps few of them.

    Whether a row is shown may depend on rows that come later: how many packets were lost in all, how many two hosts
    exchange. What only that may hide is kept until the end; what nothing can show any more is counted at once.
    """

    def __init__(self, whole: int = WHOLE, kept: Container[int] = ()) -> None:
        """`kept` are the numbers of packets that are shown in any case."""
        self._whole = whole
        self._always = kept
        self._begin: list[Row] | None = []
        """The first rows, as long as there are so few that all of them may be shown, or 2nd and 3rd repeats."""
        self._rows = self._troubles = self._data_troubles = 0
        self._busy: dict[Hosts, int] = {}
        """How many rows there are between which hosts."""
        self._between: dict[tuple[str, str | None], Hosts] = {}
        """Sets of hosts that were made already."""
        self._times: dict[Shape, int] = {}
        """How often rows of each shape were there."""
        self._items: list[_Kept | _Hidden] = []

    def add(self, row: Row) -> None:
        """One more row."""
        self._rows += 1
        if self._begin is None:
            self._take(row, fine=False)
            return
        self._begin.append(row)
        if self._rows > max(self._whole, FINE):
            first, self._begin = self._begin, None
            for one in first:
                self._take(one, fine=False)

    def shown(self) -> list[Folded]:
        """All of them, once there are no more."""
        if self._begin is not None:
            if self._rows <= self._whole:
                return list(self._begin)
            for one in self._begin:
                self._take(one, fine=self._rows <= FINE)
        return list(self._settled())

    def _take(self, row: Row, *, fine: bool) -> None:
        hosts, trouble = self._hosts(row), _is_trouble(row)
        self._busy[hosts] = self._busy.get(hosts, 0) + 1
        if trouble and _has_data(row):
            self._data_troubles += 1
        else:
            self._troubles += trouble
        shape = _shape(row, fine=fine)
        times = self._times[shape] = self._times.get(shape, 0) + 1
        early = times <= KEPT or (isinstance(row, PacketRow) and row.number in self._always)
        if self._is_shown(row, hosts, trouble, early):
            self._items.append(_Kept(row, hosts, trouble, early))
            return
        last = self._items[-1] if self._items else None
        if not isinstance(last, _Hidden):
            last = _Hidden()
            self._items.append(last)
        last.add(row, trouble)

    def _hosts(self, row: Row) -> Hosts:
        """Between which hosts it happened."""
        ends = (row.sender, row.receiver) if isinstance(row, PacketRow) else (row.node, row.node)
        hosts = self._between.get(ends)
        if hosts is None:
            hosts = self._between[ends] = frozenset(ends)
        return hosts

    def _is_shown(self, row: Row, hosts: Hosts, trouble: bool, early: bool) -> bool:
        """Whether it is, as far as anybody knows yet."""
        if early or (trouble and self._few_like_it(row)):
            return True
        return isinstance(row, PacketRow) and self._busy[hosts] <= FEW  # between two hosts that exchange few

    def _few_like_it(self, row: Row) -> bool:
        """Whether there are few packets in trouble, with data or without."""
        if _has_data(row):
            return self._data_troubles <= MOST_DATA_TROUBLES
        return self._troubles <= MOST_TROUBLES

    def _settled(self) -> Iterator[Folded]:
        hidden = _Hidden()
        for item in self._items:
            if isinstance(item, _Hidden):
                hidden.join(item)
            elif self._is_shown(*item):
                yield from hidden.closed()
                hidden = _Hidden()
                yield item.row
            else:
                hidden.add(item.row, item.trouble)
        yield from hidden.closed()


class _Kept(NamedTuple):
    """A row that may have to be shown."""

    row: Row
    hosts: Hosts
    trouble: bool
    early: bool
    """One of the first of its shape, which are always shown."""


def row_kind(row: Row) -> str:
    """What a row is, in a word or two, for a tally."""
    match row:
        case PacketRow():
            kind = segment_kind(row.segment)
            if row.sent and row.sent.repeat:
                kind += " again"
            if row.lost:
                kind += " to nobody" if row.lost == NO_HOST else " lost"
            return kind + " that evicts" if row.evicted else kind
        case CallRow():
            return row.text.split("(")[0] + ("()" if "(" in row.text else "")
        case IcmpRow():
            return "ICMP error"
        case TimerRow():
            return "timer"


class _Hidden:
    """Rows one after the other that are not shown, counted."""

    def __init__(self) -> None:
        self._first: list[Row] = []
        """Only so many as are not worth a fold."""
        self._until = 0
        self._troubles: dict[str, int] = {}
        self._others: dict[str, int] = {}
        self._octets = 0
        self._queues: ListenerQueues | None = None

    def add(self, row: Row, trouble: bool) -> None:
        """One more."""
        if len(self._first) < SHORTEST:
            self._first.append(row)
        self._until = row.at
        tally, kind = self._troubles if trouble else self._others, row_kind(row)
        tally[kind] = tally.get(kind, 0) + 1
        if isinstance(row, PacketRow) and not trouble:
            self._octets += len(row.segment.payload)
        self._queues = row.queues or self._queues

    def join(self, other: "_Hidden") -> None:
        """Those that come next."""
        self._first += other._first[: SHORTEST - len(self._first)]
        self._until = other._until
        self._octets += other._octets
        for own, others in ((self._troubles, other._troubles), (self._others, other._others)):
            for kind, number in others.items():
                own[kind] = own.get(kind, 0) + number
        self._queues = other._queues or self._queues

    def closed(self) -> Iterator[Folded]:
        """A fold for the rows, or the rows themselves if they are few."""
        if len(self._first) < SHORTEST:
            yield from self._first
            return
        tally = (*Counter(self._troubles).most_common(), *Counter(self._others).most_common())
        yield Fold(self._first[0].at, self._until, tally, self._queues, self._octets)


def _is_trouble(row: Row) -> bool:
    """Whether the packet was lost or sent again; of what goes to an address that no host has there is a flood."""
    if not isinstance(row, PacketRow) or row.lost == NO_HOST:
        return False
    return bool(row.lost) or bool(row.sent and row.sent.repeat)


def _has_data(row: Row) -> bool:
    return isinstance(row, PacketRow) and bool(row.segment.payload)


def _shape(row: Row, *, fine: bool) -> Shape:
    """What makes two rows alike: everything but times, ports, numbers and the lengths of queues."""
    match row:
        case PacketRow() if row.arrived is None and not row.lost:
            return ("still on its way",)
        case PacketRow():
            segment, sent, verdict = row.segment, row.sent, row.verdict
            repeat = sent.repeat if sent else 0
            return (
                row.sender,
                row.receiver,
                segment.flags & ~PSH if segment.payload else segment.flags,
                bool(segment.payload),
                sent and sent.reason.name,
                repeat if fine else bool(repeat),
                verdict and verdict.reason.name,
                bool(row.lost),
                row.copy_of is None,
                row.evicted is None,
            )
        case CallRow():
            return row.node, row_kind(row), row.result if row.result.isupper() else ""
        case IcmpRow(error=IcmpError() as error):
            return row.node, error.says, row.reason and row.reason.name
        case TimerRow():
            return row.node, row.reason and row.reason.name, row.change and row.change.new
