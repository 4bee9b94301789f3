"""Pacing: the segments of a paced connection leave no faster than its pace.

After a piece the next one waits for as long as the piece takes at the pace (`departed`); until then nothing new goes
out, and nothing is sent again by recovery (`must_wait`), and a timer of its own is set for that moment
(`timer_fired` in `connection/lifetime/timeouts.py`). It is exact, unlike others: the kernel has a timer of high
resolution for it. tcp_output.c: tcp_pacing_check, tcp_update_skb_after_send (Linux 6.18).
"""

from __future__ import annotations

from tcpemu.stack.base.congestion_hooks import UNLIMITED_RATE
from tcpemu.stack.base.timer_queue import Timer, TimerKind
from tcpemu.stack.base.units import SECOND
from tcpemu.stack.records.connection import Connection
from tcpemu.stack.records.sent_pieces import Unacked

_UNPACED = 10
"""Segments that a connection sends at first without waiting, as the scheduler fq has it."""


def must_wait(conn: Connection) -> bool:
    """Whether the next piece may not leave yet; then the timer is set for it (tcp_pacing_check)."""
    snd, host = conn.snd, conn.host
    if snd.departed_at <= host.now:
        return False
    if conn.pacing_timer is None:
        conn.pacing_timer = Timer(TimerKind.PACING, conn)
    if not conn.pacing_timer.armed:
        host.timers.arm_exactly(conn.pacing_timer, snd.departed_at)
    return True


def departed(conn: Connection, entry: Unacked, prior: int) -> None:
    """A piece has left: when the next one may (tcp_update_skb_after_send).

    `prior` is when the one before it left or might have: a piece that comes late makes up for half of its time.
    """
    snd = conn.snd
    rate = snd.pacing_rate
    if not rate or rate == UNLIMITED_RATE or snd.data_segs_out < _UNPACED:
        return
    takes = len(entry.payload) * SECOND // rate
    snd.departed_at += takes - min(takes // 2, snd.departed_at - prior)
