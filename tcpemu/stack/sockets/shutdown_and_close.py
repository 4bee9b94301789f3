"""shutdown() and close() on a connection (af_inet.c: inet_shutdown; tcp.c: __tcp_close).

With SO_LINGER on and some seconds, close() waits until the peer has acknowledged the data and the FIN, at most that
long, be the socket blocking or not; what it returns is no different. Nobody waits in here: the connection is in
`lingering` for that time and still has its socket, which is woken when the wait is over.
"""

from __future__ import annotations

import errno

from tcpemu.stack.base import reasons
from tcpemu.stack.base.errors import SocketError
from tcpemu.stack.base.states import State
from tcpemu.stack.base.timer_queue import Timer, TimerKind
from tcpemu.stack.base.units import SECOND
from tcpemu.stack.connection.lifetime import closing, fast_open_end, state_changes
from tcpemu.stack.connection.measures import blackhole, orphan_limit
from tcpemu.stack.connection.sending import data_out, transmit
from tcpemu.stack.records.connection import BOTH_SHUTDOWN, Connection
from tcpemu.stack.records.host_services import HostServices

_AFTER_CLOSE = {
    State.ESTABLISHED: State.FIN_WAIT1,
    State.SYN_RECV: State.FIN_WAIT1,
    State.CLOSE_WAIT: State.LAST_ACK,
}
_FIN_IS_OPEN = frozenset((State.FIN_WAIT1, State.CLOSING, State.LAST_ACK))
"""Our FIN is not acknowledged yet (stream.c: sk_stream_closing)."""


def shutdown(conn: Connection, how: int) -> None:
    """shutdown() with the kernel's bits: 1 for receiving, 2 for sending (af_inet.c: inet_shutdown)."""
    if conn.state is State.CLOSE:
        conn.shutdown |= how
        conn.host.wake(conn.socket)
        raise SocketError(errno.ENOTCONN)
    if conn.state is State.SYN_SENT:
        closing.disconnect(conn, "shutdown() while connecting")
        conn.host.wake(conn.socket)
        return
    conn.shutdown |= how
    if how & 2 and conn.state in (State.ESTABLISHED, State.CLOSE_WAIT):
        state_changes.set_state(conn, _AFTER_CLOSE[conn.state], "shutdown()")
        data_out.send_fin(conn)
    conn.host.wake(conn.socket)


def close(conn: Connection, exiting: bool = False) -> None:
    """close(): the connection goes on as an orphan until the peer has everything (__tcp_close).

    Where the process is `exiting` nobody waits, whatever SO_LINGER says (af_inet.c: inet_release).
    """
    conn.shutdown = BOTH_SHUTDOWN
    unread = 0
    for chunk in conn.rcv.queue or ():
        unread += len(chunk.payload)
        conn.rcv.rmem -= chunk.memory
    conn.rcv.queue = None
    if conn.state is not State.CLOSE:
        _part(conn, unread)
    if conn.options.linger and not exiting and conn.state in _FIN_IS_OPEN:
        _linger(conn, conn.options.linger)
    else:
        _leave(conn)


def _linger(conn: Connection, seconds: int) -> None:
    """close() begins to wait; a negative number of seconds is for ever (stream.c: sk_stream_wait_close)."""
    host = conn.host
    timer = Timer(TimerKind.LINGER, conn)
    host.lingering[conn] = timer
    if seconds > 0:
        host.timers.arm(timer, host.now + seconds * SECOND, host.now)


def linger_timer_fired(conn: Connection) -> None:
    """close() has waited for as long as it was told to, and the peer has not acknowledged all of it."""
    conn.host.timer_fired(conn.key, reasons.LINGER_OVER)
    _end_wait(conn)


def end_waits(host: HostServices) -> None:
    """Every close() that waits looks whether it has what it waited for: called after each step of the host."""
    for timer in list(host.lingering.values()):
        conn: Connection = timer.owner
        if conn.state not in _FIN_IS_OPEN:
            _end_wait(conn)


def _end_wait(conn: Connection) -> None:
    host, socket = conn.host, conn.socket
    host.timers.cancel(host.lingering.pop(conn))
    _leave(conn)
    host.wake(socket)


def _leave(conn: Connection) -> None:
    """The socket lets go of the connection."""
    conn.orphan = True
    conn.socket = None
    if conn.state is not State.CLOSE:
        orphan_limit.begins(conn.host)
        _left_alone(conn)
    if conn.state is State.CLOSE:
        closing.stop_timers(conn)
        closing.purge(conn)
        fast_open_end.remove(conn)
        blackhole.at_end(conn)


def _left_alone(conn: Connection) -> None:
    """Nobody holds it any more: it goes on by itself, unless it waits for the peer only or there are too many."""
    host = conn.host
    if conn.state is State.FIN_WAIT2:
        _leave_fin_wait2(conn)
    if conn.state is not State.CLOSE and orphan_limit.too_many(host, 0):
        orphan_limit.ends(host)
        state_changes.set_state(conn, State.CLOSE, "close(): too many orphans (net.ipv4.tcp_max_orphans)")
        transmit.send_active_reset(conn, reasons.SENT_TOO_MANY_ORPHANS_RST)
        host.count("TCPAbortOnMemory")


def _part(conn: Connection, unread: int) -> None:
    """RST where `unread` octets are thrown away or the application does not linger, else FIN."""
    if unread:
        conn.host.count("TCPAbortOnClose")
        octets = "1 octet" if unread == 1 else f"{unread:,} octets"
        aborts = conn.options.linger == 0
        why = ", and SO_LINGER on and 0 s" if aborts else ""
        state_changes.set_state(conn, State.CLOSE, f"close() with {octets} unread{why}")
        transmit.send_active_reset(conn, reasons.SENT_ACTIVE_RST if aborts else reasons.SENT_UNREAD_RST)
    elif conn.options.linger == 0:
        closing.disconnect(conn, "close() with SO_LINGER on and 0 s")
        conn.host.count("TCPAbortOnData")
    elif conn.state is State.SYN_SENT:
        state_changes.set_state(conn, State.CLOSE, "close()")
    elif conn.state in _AFTER_CLOSE:
        state_changes.set_state(conn, _AFTER_CLOSE[conn.state], "close()")
        data_out.send_fin(conn)


def _leave_fin_wait2(conn: Connection) -> None:
    """An orphan does not stay in FIN_WAIT2 as a whole connection: RST, or a bucket that waits for the peer's FIN."""
    if conn.options.linger2 < 0:
        orphan_limit.ends(conn.host)
        state_changes.set_state(conn, State.CLOSE, "close() with TCP_LINGER2 below 0")
        transmit.send_active_reset(conn, reasons.SENT_LINGER2_RST)
        conn.host.count("TCPAbortOnLinger")
    else:
        closing.wait_in_fin_wait2(conn, False)
