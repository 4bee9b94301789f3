"""The timers of a host that are armed: which flow each belongs to, what it is for, when it is due.

Only looks: nothing is fired, and nothing is kept for it while the host runs.
"""

from __future__ import annotations

from dataclasses import dataclass

from tcpemu.stack.base.states import State
from tcpemu.stack.base.timer_queue import Armable, Timer, TimerKind
from tcpemu.stack.listening import request_timer, shared_timer
from tcpemu.stack.records.connection import Connection
from tcpemu.stack.records.host_services import HostServices
from tcpemu.stack.records.listener import SharedTimer
from tcpemu.stack.records.request import Request
from tcpemu.stack.records.time_wait import TimeWait
from tcpemu.wire.segment import FlowKey


@dataclass(frozen=True, slots=True)
class PendingTimer:
    """A timer that waits for its time."""

    flow: FlowKey
    """Remote address, remote port, local address, local port; of a listener's timer no remote address."""
    what: str
    """What it is for, as it stands now: `SYN|ACK again`, `delayed ACK`, `TIME-WAIT ends`."""
    due: int


def pending(host: HostServices) -> list[PendingTimer]:
    """The timers of a host in the order in which they will fire."""
    return [PendingTimer(*_described(what), due) for due, what in host.timers.waiting()]


def _described(what: Armable) -> tuple[FlowKey, str]:
    match what:
        case Request():
            return what.key, _of_request(what)
        case TimeWait():
            return what.key, f"{what.state.ss_name} ends"
        case SharedTimer():
            return _listener_of(what), "half-open connections, a slice of the table"
        case Timer(owner=Connection() as conn):
            return conn.key, _of_connection(conn, what.kind)
    raise TypeError(f"nobody knows what {what!r} is for")


def _of_request(request: Request) -> str:
    if request.listener.state is not State.LISTEN:
        return "request ends, its listener is gone"
    expires, resends = request_timer.next_time_out(request)
    if expires:
        return "request ends"
    return "SYN|ACK again" if resends else "TCP_DEFER_ACCEPT waits on"


def _of_connection(conn: Connection, kind: TimerKind) -> str:
    if kind is TimerKind.DELAYED_ACK:
        return "delayed ACK"
    if kind is TimerKind.COMPRESSED_ACK:
        return "compressed ACK"
    if kind is TimerKind.PACING:
        return "pacing"
    if kind is TimerKind.LINGER:
        return "close() waits no longer"
    if kind is TimerKind.KEEPALIVE:
        orphan = conn.state is State.FIN_WAIT2 and conn.orphan
        return f"{State.FIN_WAIT2.ss_name} ends" if orphan else "keepalive"
    if conn.opened_early:
        return "SYN|ACK again"
    return conn.rtx.timer_is_for.value


def _listener_of(timer: SharedTimer) -> FlowKey:
    """The listener whose requests the timer looks after, found by one of these."""
    request = next(shared_timer.requests(timer))
    assert isinstance(request, Request)
    return request.listener.key
