"""The inner life of the connections of a network: windows, round-trip times and recovery, whenever they changed.

It is kept only where somebody asked for it (`Network.watch_transfers`). After each step of a host the connections that
the step was about are looked at: those of the packets that it received or sent, of the timers that fired, and of the
call. What is as it was before takes no room.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from tcpemu.network.recorded.entries import HostEvent, PacketSeen, Point
from tcpemu.stack.base.events import TimerFired
from tcpemu.stack.host import Host

if TYPE_CHECKING:
    from tcpemu.network.node import Node
    from tcpemu.network.record import Record
    from tcpemu.stack.sockets.tcp_info import FlowFigures
    from tcpemu.wire.segment import FlowKey


class FiguresChanged(NamedTuple):
    """How a connection stands from this time on."""

    at: int
    """Nanoseconds since the start of the network."""
    figures: FlowFigures
    place: int = 0
    """How many entries the record had once the step was over that changed them."""


class Transfers:
    """The figures of each connection at each of its hosts, in order of time."""

    __slots__ = ("_changes", "_controls", "_place")

    def __init__(self, place: int = 0) -> None:
        """`place` is how many entries of the record there are already, which nobody looks at."""
        self._place = place
        self._changes: dict[tuple[str, FlowKey], list[FiguresChanged]] = {}
        self._controls: dict[tuple[str, FlowKey], str] = {}

    def look(self, record: Record, node: Node, flow: FlowKey | None) -> None:
        """A host has made a step, and `flow` is that of the call, if it was one."""
        flows = {} if flow is None else {flow: None}
        for entry in record.since(self._place):
            _note_flow(entry, node.name, flows)
        self._place = len(record)
        host = node.host
        if not isinstance(host, Host):
            return
        for each in flows:
            figures = host.figures(each)
            if figures is None:
                self._note_end(host.now, (node.name, each))
                continue
            changes = self._changes.setdefault((node.name, each), [])
            if not changes or changes[-1].figures != figures:
                changes.append(FiguresChanged(host.now, figures, self._place))
                self._controls[node.name, each] = host.congestion_control(each)

    def _note_end(self, now: int, end: tuple[str, FlowKey]) -> None:
        """The connection is closed or in TIME-WAIT: nothing of it is under way or waits any more."""
        changes = self._changes.get(end)
        if not changes:
            return
        last = changes[-1].figures
        over = last._replace(in_flight=0, unacked=0, sacked=0, lost=0, retrans=0, notsent=0)
        if over != last:
            changes.append(FiguresChanged(now, over, self._place))

    def of(self, node: str, flow: FlowKey) -> list[FiguresChanged]:
        """The changes at that host of the connection with that remote address and port, and local ones."""
        return list(self._changes.get((node, flow), ()))

    def control_of(self, node: str, flow: FlowKey) -> str:
        """The congestion control of that connection, as it was last; empty where there is no such connection."""
        return self._controls.get((node, flow), "")

    def __iter__(self) -> Iterator[tuple[str, FlowKey, list[FiguresChanged]]]:
        """Each host with each of its connections, in the order in which they began there, and its changes."""
        for (node, flow), changes in self._changes.items():
            yield node, flow, list(changes)

    def __len__(self) -> int:
        return len(self._changes)


def _note_flow(entry: object, node: str, flows: dict[FlowKey, None]) -> None:
    """The flow of what happened at this host, as the host has it."""
    if isinstance(entry, PacketSeen):
        if entry.node == node and entry.point is not Point.LOST:
            src, sport, dst, dport = entry.segment[:4]
            sent = entry.point is Point.SENT
            flows[(dst, dport, src, sport) if sent else (src, sport, dst, dport)] = None
    elif isinstance(entry, HostEvent) and entry.node == node and isinstance(entry.event, TimerFired):
        flows[entry.event.flow] = None
