"""When a listener's queue became full, as packets found it.

What full means differs from kernel to kernel, and the record does not know the rule. But it knows which
packets met a full queue and how long the queue was then: from the moment it was as long as that, it was full.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TypeAlias

from tcpemu.explain.facts.changed_states import each_change
from tcpemu.explain.facts.rows import CallRow, ListenerQueues, PacketRow, Row
from tcpemu.network.record import QueueLength, Record
from tcpemu.stack.base.states import State

ACCEPT_FULL, SYN_FULL = "ACCEPT_FULL", "SYN_FULL"
QUEUE_FULL = "QUEUE_FULL"
"""Of a kernel where half-open and completed connections stand in one queue."""

_Place: TypeAlias = tuple[str, int, int]
"""Node, port and time."""
_MET = {
    "ACCEPT_QUEUE_FULL": ACCEPT_FULL,
    "ACCEPT_QUEUE_FULL_RST": ACCEPT_FULL,
    "ABORT_ON_OVERFLOW": ACCEPT_FULL,
    "ACCEPT_QUEUE_FULL_SYN": ACCEPT_FULL,
    "COOKIE_ACCEPT_QUEUE_FULL": ACCEPT_FULL,
    "SYN_COOKIE": SYN_FULL,
    "SYN_QUEUE_FULL": SYN_FULL,
    "QUEUE_FULL_SYN": QUEUE_FULL,
    "SYN_REFUSED": QUEUE_FULL,
}
"""Which queue a packet found full, by the reason of its verdict."""


@dataclass(frozen=True, slots=True)
class FullQueue:
    """One queue that was full, once or more often."""

    kind: str
    node: str
    queues: ListenerQueues
    """As it was full for the first time."""
    times: tuple[int, ...]
    """When it became full."""
    room: int | None
    """When it had room again after the first time; None if never."""
    by_accept: bool = False
    """Whether it was accept() that made the room."""
    by_end: bool = False
    """Whether there was no room at all, for the listener ended then."""

    @property
    def at(self) -> int:
        return self.times[0]


def full_queues(record: Record, rows: Sequence[Row], one_queue: Collection[str] = ()) -> list[FullQueue]:
    """The queues that packets found full; `one_queue` are the hosts that have one queue for all."""
    met: dict[tuple[str, str, int], list[ListenerQueues]] = {}
    for row in rows:
        kind = _met(row, one_queue) if isinstance(row, PacketRow) else None
        if kind and row.queues:
            met.setdefault((kind, row.queues.node, row.queues.port), []).append(row.queues)
    found = (_full_queue(record, kind, seen) for (kind, _, _), seen in met.items())
    accepts, ends = set(_accepts(rows)), set(_ends(record))
    return [
        replace(
            full, by_accept=_by_accept(full, accepts), by_end=(full.node, full.queues.port, full.room) in ends
        )
        for full in found
        if full
    ]


def _ends(record: Record) -> Iterator[_Place]:
    """Where and when a listener ended."""
    for node, change in each_change(record):
        if change.old is State.LISTEN:
            yield node, change.flow[3], change.at


def _accepts(rows: Sequence[Row]) -> Iterator[_Place]:
    """Where and when accept() took something out of a queue."""
    for row in rows:
        if isinstance(row, CallRow) and row.queues and row.text.startswith("accept("):
            yield row.node, row.queues.port, row.at


def _by_accept(full: FullQueue, accepts: Collection[_Place]) -> bool:
    here = full.node, full.queues.port
    return full.kind != SYN_FULL and full.room is not None and (*here, full.room) in accepts


def _met(row: PacketRow, one_queue: Collection[str]) -> str | None:
    """Which queue the packet found full. What takes the place of another leaves the queue as long as it was."""
    if row.evicted:
        return QUEUE_FULL if row.receiver in one_queue else SYN_FULL
    return _MET.get(row.verdict.reason.name) if row.verdict else None


def _full_queue(record: Record, kind: str, seen: Sequence[ListenerQueues]) -> FullQueue | None:
    """The shortest length at which a packet found the queue full, for each backlog there was, is the limit."""
    limits: dict[int, int] = {}
    for queues in seen:
        length = _length(kind, queues)
        limits[queues.backlog] = min(limits.get(queues.backlog, length), length)
    times: list[int] = []
    room, full, first = None, False, seen[0]
    for at, moments in _moments(record, first):
        fulls = [_length(kind, now) >= limits.get(now.backlog, 1 << 62) for now in moments]
        if any(fulls) and not full:
            first = first if times else moments[fulls.index(True)]
            times.append(at)
        if not fulls[-1] and (full or any(fulls)) and room is None:
            room = at
        full = fulls[-1]
    return FullQueue(kind, first.node, first, tuple(times), room) if times else None


def _moments(record: Record, of: ListenerQueues) -> Iterator[tuple[int, list[ListenerQueues]]]:
    """The lengths of the queues, those of one moment together: room that lasts no time is no room."""

    def time(length: QueueLength) -> int:
        return length.at

    for at, lengths in groupby(record.queue_lengths(of.node, of.port), time):
        yield at, [ListenerQueues(of.node, of.port, each.accept, each.syn, each.backlog) for each in lengths]


def _length(kind: str, queues: ListenerQueues) -> int:
    if kind == QUEUE_FULL:
        return queues.accept + queues.syn
    return queues.syn if kind == SYN_FULL else queues.accept
