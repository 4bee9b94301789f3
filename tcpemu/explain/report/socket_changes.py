"""The socket table after each step of a run, kept as what changed in it."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple, TypeAlias

from tcpemu.network import Network, Node
from tcpemu.network.record import Call, Entry, HostEvent
from tcpemu.stack.base.events import Sent, StateChanged, Verdict
from tcpemu.stack.sockets.ss_table import SocketRow
from tcpemu.wire.segment import FlowKey, Segment

SocketKey: TypeAlias = tuple[tuple[bytes, int], tuple[bytes, int] | None]
"""Local address and port; the remote ones, or None for a listener."""


class SocketChange(NamedTuple):
    """A socket that is new, changed or gone."""

    entries: int
    """How many entries the record had after the step that changed it."""
    node: str
    key: SocketKey
    row: SocketRow | None
    """None for one that is gone."""


class SocketWatch:
    """Looks at a host after each of its steps, and only at those sockets that the step can have changed."""

    def __init__(self, network: Network) -> None:
        self.changes: list[SocketChange] = []
        self._network = network
        self._seen = len(network.record)
        self._rows: dict[tuple[str, SocketKey], SocketRow] = {}
        self._listeners: dict[str, set[SocketKey]] = {}
        network.after_each_step(self._look)

    def _look(self, node: Node, flow: FlowKey | None) -> None:
        entries = list(self._network.record.since(self._seen))
        self._seen += len(entries)
        touched = dict.fromkeys([flow] if flow else [])
        touched.update(dict.fromkeys(_flows(node.name, entries)))
        rows = {(row.local, row.remote): row for row in self._network.table(node, touched)}
        for key in dict.fromkeys([*self._listeners.get(node.name, ()), *map(_key, touched)]):
            if key not in rows:
                self._note(node.name, key, None)
        for key, row in rows.items():
            self._note(node.name, key, row)
        self._listeners[node.name] = {key for key in rows if key[1] is None}

    def _note(self, node: str, key: SocketKey, row: SocketRow | None) -> None:
        if row == self._rows.get((node, key)):
            return
        if row is None:
            del self._rows[node, key]
        else:
            self._rows[node, key] = row
        self.changes.append(SocketChange(self._seen, node, key, row))


def _key(flow: FlowKey) -> SocketKey:
    remote, remote_port, local, local_port = flow
    return (local, local_port), (remote, remote_port)


def _flows(node: str, entries: Iterable[Entry]) -> Iterator[FlowKey]:
    """The connections of that host that these entries are about."""
    for entry in entries:
        if entry.node != node:
            continue
        match entry:
            case Call(flow=(_, _, _, _) as flow):
                yield flow
            case HostEvent(event=StateChanged(flow=flow)):
                yield flow
            case HostEvent(event=Sent(segment=segment)):
                yield segment.sender_flow
            case HostEvent(event=Verdict(segment=Segment() as segment)):
                yield segment[:4]
