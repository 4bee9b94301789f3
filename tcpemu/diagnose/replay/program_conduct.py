"""What the programs of an emulated host do that no capture shows; and a witness of all that happens there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from tcpemu.diagnose.reading.seen_segment import SeenSegment
from tcpemu.diagnose.replay.supposed_settings import Supposed
from tcpemu.stack import Event, Host, Sent, StateChanged, Verdict
from tcpemu.stack.sockets.ss_table import SocketRow
from tcpemu.wire.segment import FlowKey, Segment


@dataclass(frozen=True, slots=True)
class Conduct:
    """How its programs listen, accept and read."""

    supposed: Supposed | None = None
    """Backlog and options of its listeners; None for a backlog that nothing fills."""
    ports: tuple[int, ...] = ()
    """Those on which it listens from the beginning; on others from the first SYN on."""
    accepts: tuple[int, ...] | None = None
    """When accept() is called, in nanoseconds since the epoch, in order; None as soon as anybody waits."""
    lost: frozenset[int] = frozenset()
    """Frames that do not come to its TCP."""
    unread: dict[FlowKey, int] = field(default_factory=dict)
    """By connection, as the host calls it: up to which frame its program reads nothing, so that its window closes."""

    closes: frozenset[FlowKey] = frozenset()
    """Connections that are closed with close() when the real host sent its FIN; others with shutdown(SHUT_WR), as the
    same FIN is sent."""

    def lets_wait(self, flow: FlowKey) -> bool:
        """Whether the program of that connection does not read from the beginning."""
        return flow in self.unread

    def reads_on(self, flow: FlowKey, seen: SeenSegment) -> bool:
        """Whether it has read by the time that its host sends this."""
        return seen.frame > self.unread[flow] and seen.segment.window > 0


@dataclass(frozen=True, slots=True)
class Heard:
    """A segment was given to the host, in its own numbers."""

    at: int
    frame: int
    segment: Segment


@dataclass(frozen=True, slots=True)
class Called:
    """A program made a call, which did something."""

    at: int
    verb: str
    """`accept`, `recv`, `send`, `shutdown`, `close` or `rst_close`."""
    flow: FlowKey
    number: int = 0
    """Octets; of shutdown() its argument."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What had changed at the host after a step."""

    at: int
    counted: dict[str, int]
    """By how much each counter moved."""
    rows: tuple[tuple[FlowKey | None, SocketRow | None], ...]
    """Sockets that are new or changed, and those that are gone; a listener has no connection."""


WitnessEntry: TypeAlias = Heard | Called | Looked | Event


@dataclass(slots=True)
class HostWitness:
    """All that happened at an emulated host, in order, in its own time."""

    entries: list[WitnessEntry] = field(default_factory=list)
    _looked: int = 0
    _counters: dict[str, int] = field(default_factory=dict)
    _rows: dict[FlowKey | None, SocketRow] = field(default_factory=dict)

    def looks(self, host: Host, now: int) -> None:
        """Note what has changed since the last look."""
        counters = host.counters
        moved = {
            name: value - self._counters.get(name, 0)
            for name, value in counters.items()
            if value != self._counters.get(name, 0)
        }
        touched = dict.fromkeys(
            flow for entry in self.entries[self._looked :] if (flow := _flow_of(entry)) is not None
        )
        rows = {_key(row): row for row in host.sockets(touched)}
        gone = [flow for flow in touched if flow not in rows and flow in self._rows]
        changed = [(key, row) for key, row in rows.items() if self._rows.get(key) != row]
        for flow in gone:
            del self._rows[flow]
        self._rows.update(changed)
        self._counters.update(counters)
        if moved or changed or gone:
            self.entries.append(Looked(now, moved, (*changed, *((flow, None) for flow in gone))))
        self._looked = len(self.entries)


def _key(row: SocketRow) -> FlowKey | None:
    return None if row.remote is None else (*row.remote, *row.local)


def _flow_of(entry: WitnessEntry) -> FlowKey | None:
    """The connection that it is about, as the host calls it."""
    match entry:
        case Heard(segment=segment) | Verdict(segment=Segment() as segment):
            return segment[:4]
        case Sent(segment=segment):
            return segment.sender_flow
        case Called(flow=flow) | StateChanged(flow=flow):
            return flow
    return None
