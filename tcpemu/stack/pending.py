"""The timers of a host that are armed: which flow each belongs to, what it is for, when it is due.

Only looks: nothing is fired, and nothing is kept for it while the host runs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tcpemu.stack.connection import Connection
from tcpemu.stack.request import Request
from tcpemu.stack.slices import SharedTimer
from tcpemu.stack.states import State
from tcpemu.stack.timers import Armable, Timer
from tcpemu.stack.timewait import TimeWait
from tcpemu.wire.segment import FlowKey

if TYPE_CHECKING:
    from tcpemu.stack.host import Host


@dataclass(frozen=True, slots=True)
class PendingTimer:
    """A timer that waits for its time."""

    flow: FlowKey
    """Remote address, remote port, local address, local port; of a listener's timer no remote address."""
    what: str
    """What it is for, as it stands now: `SYN|ACK again`, `delayed ACK`, `TIME-WAIT ends`."""
    due: int


def pending(host: Host) -> list[PendingTimer]:
    """The timers of a host in the order in which they will fire."""
    return [PendingTimer(*_told(what), due) for due, what in host.timers.waiting()]


def _told(what: Armable) -> tuple[FlowKey, str]:
    match what:
        case Request():
            return what.key, _of_request(what)
        case TimeWait():
            return what.key, f"{what.state.ss_name} ends"
        case SharedTimer():
            return next(_listeners(what)), "half-open connections, a slice of the table"
        case Timer(owner=Connection() as conn):
            return conn.key, _of_connection(conn, what)
    raise TypeError(f"nobody knows what {what!r} is for")


def _of_request(request: Request) -> str:
    if request.listener.state is not State.LISTEN:
        return "request ends, its listener is gone"
    expires, resends = request.next_time_out()
    if expires:
        return "request ends"
    return "SYN|ACK again" if resends else "TCP_DEFER_ACCEPT waits on"


def _of_connection(conn: Connection, timer: Timer) -> str:
    if timer is conn.ack_timer:
        return "delayed ACK"
    if timer is conn.linger_timer:
        return f"{State.FIN_WAIT2.ss_name} ends"
    return conn.pending.value


def _listeners(timer: SharedTimer) -> Iterator[FlowKey]:
    """The listener whose requests the timer looks after, found by one of these."""
    for request in timer.requests():
        yield b"", 0, request.listener.address or b"", request.listener.port
