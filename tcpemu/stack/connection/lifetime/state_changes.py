"""The one place where the state of a connection changes (tcp.c: tcp_set_state)."""

from __future__ import annotations

from tcpemu.stack.base.states import State
from tcpemu.stack.records.connection import Connection

_ESTABLISHED, _CLOSE_WAIT, _CLOSE, _SYN_RECV = (
    State.ESTABLISHED,
    State.CLOSE_WAIT,
    State.CLOSE,
    State.SYN_RECV,
)

_OPEN = (_ESTABLISHED, _CLOSE_WAIT)


def set_state(conn: Connection, new: State, cause: str, shown: State | None = None) -> None:
    """Change the state, with what hangs on it: counters, the table of flows, an event.

    `shown` is what others see in its place when a TIME_WAIT bucket takes over.
    """
    old, host = conn.state, conn.host
    if new is _ESTABLISHED or (new is _CLOSE_WAIT and old is _SYN_RECV):
        host.count("CurrEstab")
    elif old in _OPEN and new not in _OPEN:
        host.count("CurrEstab", -1)
    if new is _CLOSE:
        if old in _OPEN:
            host.count("EstabResets")
        if host.flows.get(conn.key) is conn:
            del host.flows[conn.key]
    conn.state = new
    if host.observe and old is not (shown or new):
        host.state_changed(conn.key, old, shown or new, cause)
