"""Keepalive: a peer that is silent is probed, and given up when it answers none; and the end of an orphan.

As in the kernel one timer serves both: what it does depends on the state when it fires. tcp_timer.c:
tcp_keepalive_timer, tcp_set_keepalive; tcp.c: tcp_sock_set_keepidle_locked.
"""

from __future__ import annotations

from tcpemu.stack.base import reasons
from tcpemu.stack.base.events import GivenUp
from tcpemu.stack.base.states import State
from tcpemu.stack.base.units import MILLISECOND, SECOND
from tcpemu.stack.connection.lifetime import closing, probes
from tcpemu.stack.connection.sending import transmit
from tcpemu.stack.records.connection import Connection

_NEVER_PROBED = (State.CLOSE, State.SYN_SENT)


def timer_fired(conn: Connection) -> None:
    """The timer is due (tcp_keepalive_timer)."""
    if conn.state is State.FIN_WAIT2 and conn.orphan:
        _fin_wait2_over(conn)
    elif conn.options.keepalive and conn.state not in _NEVER_PROBED:
        wait = _probe_if_idle(conn)
        if wait:
            closing.set_keepalive_timer(conn, wait)


def _fin_wait2_over(conn: Connection) -> None:
    """The peer has not closed in time; what is left of a time beyond a minute a bucket waits."""
    left = closing.fin_time(conn) - conn.host.generation.time_wait
    if conn.options.linger2 >= 0 and left > 0:
        closing.time_wait(conn, State.FIN_WAIT2, left)
        return
    conn.host.timer_fired(conn.key, reasons.FIN_WAIT2_OVER)
    cause = closing.fin_wait2_cause(conn.host, closing.fin_time(conn))
    transmit.send_active_reset(conn, reasons.SENT_ACTIVE_RST)
    closing.done(conn, cause)


def _probe_if_idle(conn: Connection) -> int:
    """Nanoseconds until the timer is to fire again; 0 when the connection was given up."""
    idle = idle_time(conn)
    if conn.scoreboard or conn.snd.has_unsent:
        # Retransmission finds out by itself whether the peer is there.
        return idle
    silent = _silence(conn)
    if silent < idle:
        return idle - silent
    if _given_up(conn, silent):
        conn.host.timer_fired(conn.key, reasons.KEEPALIVE_OVER, _what_decided(conn, silent))
        transmit.send_active_reset(conn, reasons.SENT_KEEPALIVE_RST)
        closing.give_up(conn, "no answer to keepalive")
        conn.host.count("TCPAbortOnTimeout")
        return 0
    probes.wake_up(conn, "TCPKeepAlive", reasons.SENT_KEEPALIVE)
    conn.rtx.probes_out += 1
    return (conn.options.keepintvl or conn.host.sysctls.tcp_keepalive_intvl) * SECOND


def _given_up(conn: Connection, silent: int) -> bool:
    """Whether enough probes are without an answer; TCP_USER_TIMEOUT stands in for their number."""
    limit = conn.options.user_timeout * MILLISECOND
    if limit:
        return silent >= limit and conn.rtx.probes_out > 0
    return conn.rtx.probes_out >= (conn.options.keepcnt or conn.host.sysctls.tcp_keepalive_probes)


def _what_decided(conn: Connection, silent: int) -> GivenUp:
    """The setting by which `_given_up` gave up."""
    options = conn.options
    if options.user_timeout:
        return GivenUp("TCP_USER_TIMEOUT", options.user_timeout, silent)
    if options.keepcnt:
        return GivenUp("TCP_KEEPCNT", options.keepcnt, silent)
    return GivenUp("net.ipv4.tcp_keepalive_probes", conn.host.sysctls.tcp_keepalive_probes, silent)


def idle_time(conn: Connection) -> int:
    """Nanoseconds of silence after which the peer is probed (tcp.h: keepalive_time_when)."""
    return (conn.options.keepidle or conn.host.sysctls.tcp_keepalive_time) * SECOND


def _silence(conn: Connection) -> int:
    """Nanoseconds since data or an ACK came (tcp.h: keepalive_time_elapsed)."""
    return conn.host.now - max(conn.ack.last_data_at, conn.rtx.heard_at)


def begin(conn: Connection) -> None:
    """A connection is open now, perhaps one with SO_KEEPALIVE (tcp_finish_connect, tcp_create_openreq_child)."""
    if conn.options.keepalive:
        closing.set_keepalive_timer(conn, idle_time(conn))


def switched(conn: Connection, was: bool) -> None:
    """SO_KEEPALIVE was set or cleared (tcp_set_keepalive)."""
    if conn.state is State.CLOSE:
        return
    if conn.options.keepalive and not was:
        closing.set_keepalive_timer(conn, idle_time(conn))
    elif not conn.options.keepalive and conn.keepalive_timer is not None:
        conn.host.timers.cancel(conn.keepalive_timer)


def idle_time_changed(conn: Connection) -> None:
    """TCP_KEEPIDLE was set: what has passed of it counts (tcp_sock_set_keepidle_locked)."""
    if conn.options.keepalive and conn.state is not State.CLOSE:
        closing.set_keepalive_timer(conn, max(idle_time(conn) - _silence(conn), 0))
