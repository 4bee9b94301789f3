"""How the states of sockets and requests changed, of all hosts in order."""

from collections.abc import Iterator

from tcpemu.network.record import Record
from tcpemu.stack.base.events import StateChanged


def each_change(record: Record) -> Iterator[tuple[str, StateChanged]]:
    """Each change with the node where it was, one by one."""
    for entry in record.each_event(StateChanged):
        if isinstance(entry.event, StateChanged):
            yield entry.node, entry.event
