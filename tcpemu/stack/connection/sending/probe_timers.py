"""When to probe: the tail loss probe after what was sent last, the probe of a closed window.

tcp_output.c: tcp_schedule_loss_probe, tcp_check_probe_timer; tcp_input.c: tcp_ack_probe.
"""

from __future__ import annotations

from tcpemu.stack.base.sequence_numbers import add, before
from tcpemu.stack.base.states import OPENING, State
from tcpemu.stack.base.units import MICROSECOND, MILLISECOND, SECOND
from tcpemu.stack.records.connection import Connection, WriteTimer
from tcpemu.stack.records.loss_recovery import CaState
from tcpemu.stack.recovery import write_timer

_OPEN, _CWR, _LOSS_PROBE = CaState.OPEN, CaState.CWR, WriteTimer.LOSS_PROBE

RESOURCE_PROBE_INTERVAL = SECOND // 2
"""Until what the device had no room for is tried again (tcp.h: TCP_RESOURCE_PROBE_INTERVAL)."""


def schedule_loss_probe(conn: Connection, fresh: bool = False) -> bool:
    """Wait for a probe rather than for the RTO, where SACK was agreed (RFC 8985; tcp_schedule_loss_probe)."""
    board = conn.scoreboard
    if conn.host.sysctls.tcp_early_retrans not in (3, 4) or not board or not board.sack:
        return False
    if board.recovery.state not in (_OPEN, _CWR) or (conn.fast_open is not None and conn.opened_early):
        return False
    if conn.rtt.srtt:
        # Two round trips, as `srtt` is eight times one; a lone segment's ACK may be delayed too.
        wait = (conn.rtt.srtt >> 2) * MICROSECOND
        wait += conn.options.rto_min_us * MICROSECOND if board.packets_out == 1 else 2 * MILLISECOND
    else:
        wait = conn.host.generation.initial_rto
    left = conn.rtt.rto if fresh else write_timer.rto_left(conn)
    if left > 0:
        wait = min(wait, left)
    write_timer.set_timer(conn, _LOSS_PROBE, wait)
    return True


def after_progress(conn: Connection) -> None:
    """Something was acknowledged: set the timer anew (tcp_set_xmit_timer)."""
    if not schedule_loss_probe(conn, fresh=True):
        write_timer.rearm(conn)


def start_window_probes(conn: Connection) -> None:
    """Nothing is under way and the window lets nothing out: set the timer to probe it (tcp_check_probe_timer)."""
    if conn.state in OPENING or conn.state is State.CLOSE:
        return
    if conn.rtx.timer_is_for is WriteTimer.NOTHING:
        write_timer.set_timer(conn, WriteTimer.WINDOW_PROBE, max(conn.rtt.rto, conn.host.generation.rto_min))


def window_may_have_opened(conn: Connection) -> None:
    """An ACK came while nothing was under way: stop probing if the window has room, else wait anew (tcp_ack_probe)."""
    if not conn.snd.has_unsent:
        return
    length = conn.snd.head_length
    if conn.snd.fin_queued and conn.snd.head_is_last:
        length += 1
    if not before(conn.snd.window_end, add(conn.snd.nxt, length)):
        conn.rtt.backoff = 0
        conn.rtx.probes_began = None
        if conn.rtx.timer_is_for is WriteTimer.WINDOW_PROBE:
            write_timer.clear_timer(conn)
    else:
        write_timer.set_timer(conn, WriteTimer.WINDOW_PROBE, window_probe_wait(conn))


def window_opened(conn: Connection) -> None:
    """Data goes out again: no probe is without an answer."""
    conn.rtx.probes_out = 0
    conn.rtx.probes_began = None


def window_probe_wait(conn: Connection) -> int:
    """Until the next probe, and no longer than TCP_USER_TIMEOUT leaves.

    tcp.h: tcp_probe0_when; tcp_output.c: tcp_send_probe0; tcp_timer.c: tcp_clamp_probe0_to_user_timeout.
    """
    host = conn.host
    base = max(conn.rtt.rto, host.generation.rto_min)
    wait = min(base << min(conn.rtt.backoff, 20), conn.options.rto_max)
    if host.takes_nothing:
        wait = RESOURCE_PROBE_INTERVAL
    limit, since = conn.options.user_timeout * MILLISECOND, conn.rtx.probes_began
    if not limit or since is None:
        return wait
    return min(wait, max(since + limit - host.now, 2 * host.jiffy))
