"""When a listener's queue became full, as packets found it.

What full means differs from kernel to kernel, and the record does not know the rule. But it knows which
packets met a full queue and how long the queue was then: from the moment it was as long as that, it was full.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from tcpemu.explain.rows import PacketRow, Queues, Row
from tcpemu.network.record import Record

ACCEPT_FULL, SYN_FULL = "ACCEPT_FULL", "SYN_FULL"

_MET = {
    "ACCEPT_QUEUE_FULL": ACCEPT_FULL,
    "ACCEPT_QUEUE_FULL_RST": ACCEPT_FULL,
    "ABORT_ON_OVERFLOW": ACCEPT_FULL,
    "ACCEPT_QUEUE_FULL_SYN": ACCEPT_FULL,
    "COOKIE_ACCEPT_QUEUE_FULL": ACCEPT_FULL,
    "SYN_COOKIE": SYN_FULL,
    "SYN_QUEUE_FULL": SYN_FULL,
}
"""Which queue a packet found full, by the reason of its verdict."""


@dataclass(frozen=True, slots=True)
class Filling:
    """One queue that was full, once or more often."""

    kind: str
    node: str
    queues: Queues
    """As it was full for the first time."""
    times: tuple[int, ...]
    """When it became full."""
    room: int | None
    """When it had room again after the first time; None if never."""

    @property
    def at(self) -> int:
        return self.times[0]


def fillings(record: Record, rows: Sequence[Row]) -> list[Filling]:
    """The queues that packets found full."""
    met: dict[tuple[str, str, int], list[Queues]] = {}
    for row in rows:
        kind = _MET.get(row.verdict.reason.name) if isinstance(row, PacketRow) and row.verdict else None
        if kind and row.queues:
            met.setdefault((kind, row.queues.node, row.queues.port), []).append(row.queues)
    found = (_filling(record, kind, seen) for (kind, _, _), seen in met.items())
    return [filling for filling in found if filling]


def _filling(record: Record, kind: str, seen: Sequence[Queues]) -> Filling | None:
    """The shortest length at which a packet found the queue full, for each backlog there was, is the limit."""
    limits: dict[int, int] = {}
    for queues in seen:
        length = _length(kind, queues)
        limits[queues.backlog] = min(limits.get(queues.backlog, length), length)
    times: list[int] = []
    room, full, first = None, False, seen[0]
    for at, accept, syn, backlog in record.queue_lengths(first.node, first.port):
        now = Queues(first.node, first.port, accept, syn, backlog)
        was, full = full, _length(kind, now) >= limits.get(backlog, 1 << 62)
        if full and not was:
            first = first if times else now
            times.append(at)
        elif was and not full and room is None:
            room = at
    return Filling(kind, first.node, first, tuple(times), room) if times else None


def _length(kind: str, queues: Queues) -> int:
    return queues.syn if kind == SYN_FULL else queues.accept
