"""The one timer of a sender, which serves retransmission, RACK's reordering wait, and both kinds of probes.

`conn.rtx.timer_is_for` says which it is set for. tcp_timer.c: tcp_write_timer_handler; tcp_input.c: tcp_rearm_rto.
"""

from __future__ import annotations

from tcpemu.stack.base.timer_queue import Timer, TimerKind
from tcpemu.stack.records.connection import Connection, WriteTimer

_NOTHING, _LOSS_PROBE, _REORDERING, _RETRANS = (
    WriteTimer.NOTHING,
    WriteTimer.LOSS_PROBE,
    WriteTimer.REORDERING,
    WriteTimer.RETRANS,
)


def set_timer(conn: Connection, purpose: WriteTimer, wait: int) -> None:
    """Set the one write timer, whatever it was set for before."""
    host, rtx, longest = conn.host, conn.rtx, conn.options.rto_max
    timer = conn.write_timer
    if timer is None:
        timer = conn.write_timer = Timer(TimerKind.WRITE, conn)
    rtx.timer_is_for = purpose
    host.timers.arm(timer, host.now + (wait if wait < longest else longest), host.now)


def clear_timer(conn: Connection) -> None:
    """Nothing is waited for any longer."""
    conn.rtx.timer_is_for = _NOTHING
    if conn.write_timer is not None:
        conn.host.timers.cancel(conn.write_timer)


def rearm(conn: Connection) -> None:
    """RTO from now, or what is left of it where a probe was waited for (tcp_rearm_rto).

    Before the final ACK of Fast Open it is for the SYN|ACK alone.
    """
    if conn.fast_open is not None and conn.opened_early:
        return
    if not conn.scoreboard:
        clear_timer(conn)
        return
    wait = conn.rtt.rto
    if conn.rtx.timer_is_for is _LOSS_PROBE or conn.rtx.timer_is_for is _REORDERING:
        wait = max(rto_left(conn), conn.host.jiffy)
    set_timer(conn, _RETRANS, wait)


def rto_left(conn: Connection) -> int:
    """Until the RTO of the oldest segment (tcp_rto_delta_us)."""
    assert conn.scoreboard
    return conn.scoreboard[0].sent_at + conn.rtt.rto - conn.host.now
