"""Timers of a sender: retransmission, reordering, tail loss probe, and probes of a closed window.

One timer serves all four, as in the kernel; `pending` says which it is for. tcp_timer.c:
tcp_write_timer_handler; tcp_output.c: tcp_schedule_loss_probe, tcp_send_probe0 (Linux 6.18).
"""

from __future__ import annotations

import errno
from enum import Enum
from typing import TYPE_CHECKING

from tcpemu.stack import output, reasons, recovery, resend
from tcpemu.stack.recovery_state import CaState
from tcpemu.stack.seq import add, before, distance
from tcpemu.stack.states import State
from tcpemu.stack.timers import Timer
from tcpemu.stack.units import MICROSECOND, MILLISECOND
from tcpemu.wire.segment import ACK

if TYPE_CHECKING:
    from tcpemu.stack.connection import Connection
    from tcpemu.stack.scoreboard import Scoreboard


class Pending(Enum):
    """What the write timer is set for."""

    NOTHING = "nothing"
    RETRANS = "retransmission"
    REORDERING = "reordering"
    LOSS_PROBE = "loss probe"
    WINDOW_PROBE = "window probe"


NOTHING, RETRANS, REORDERING = Pending.NOTHING, Pending.RETRANS, Pending.REORDERING
LOSS_PROBE, WINDOW_PROBE = Pending.LOSS_PROBE, Pending.WINDOW_PROBE
_OPENING = (State.SYN_SENT, State.SYN_RECV)
_ORPHAN_RETRIES = 8


def set_timer(conn: Connection, pending: Pending, wait: int) -> None:
    """Set the one write timer, whatever it was set for before."""
    host = conn.host
    if conn.write_timer is None:
        conn.write_timer = Timer(conn, _fired)
    conn.pending = pending
    host.timers.arm(conn.write_timer, host.now + min(wait, host.rto_max), host.now)


def _clear_timer(conn: Connection) -> None:
    conn.pending = NOTHING
    if conn.write_timer is not None:
        conn.host.timers.cancel(conn.write_timer)


def rearm(conn: Connection) -> None:
    """RTO from now, or what is left of it where a probe was waited for (tcp_rearm_rto)."""
    if not conn.rtx_queue:
        _clear_timer(conn)
        return
    wait = conn.rto
    if conn.pending is LOSS_PROBE or conn.pending is REORDERING:
        wait = max(_rto_left(conn), conn.host.jiffy)
    set_timer(conn, RETRANS, wait)


def _rto_left(conn: Connection) -> int:
    """Until the RTO of the oldest segment (tcp_rto_delta_us)."""
    assert conn.rtx_queue
    return conn.rtx_queue[0].sent_at + conn.rto - conn.host.now


def _fired(conn: Connection) -> None:
    if conn.state is State.CLOSE or conn.state is State.LISTEN:
        return
    pending = conn.pending
    if pending is LOSS_PROBE:
        _send_loss_probe(conn)
        return
    if pending is REORDERING:
        _reordering_timer(conn)
        return
    conn.pending = NOTHING
    if pending is RETRANS:
        _retransmission_timer(conn)
    elif pending is WINDOW_PROBE:
        _window_probe_timer(conn)


# --- retransmission -------------------------------------------------------------------------------


def _retransmission_timer(conn: Connection) -> None:
    """The oldest segment was not acknowledged in time (tcp_retransmit_timer)."""
    board = conn.rtx_queue
    if not board:
        return
    host = conn.host
    if not conn.snd_wnd and not conn.orphan and conn.state not in _OPENING:
        # The peer took its window back: what is sent again only asks for a window.
        if _window_never_came_back(conn):
            conn.fail(errno.ETIMEDOUT, "the window never opens")
            host.count("TCPAbortOnTimeout")
            return
        recovery.enter_loss(conn, board)
        resend.one(conn, board, board[0], 1, reasons.SENT_AGAIN)
        _back_off(conn)
        return
    host.count("TCPTimeouts")
    if _give_up(conn):
        host.timer_fired(conn.key, reasons.TIMED_OUT)
        conn.fail(errno.ETIMEDOUT, "nobody answers")
        host.count("TCPAbortOnTimeout")
        return
    host.count("TcpTimeoutRehash")
    _count_failure(conn, board)
    recovery.enter_loss(conn, board)
    if conn.state in _OPENING:
        conn.undo_marker = True
    conn.retransmits += 1
    conn.total_rto += 1
    resend.one(conn, board, board[0], 1, reasons.SENT_AGAIN)
    _back_off(conn)


def _count_failure(conn: Connection, board: Scoreboard) -> None:
    """What the time-out has put an end to (tcp_retransmit_timer)."""
    if conn.retransmits:
        return
    state = board.recovery.state
    if state is CaState.RECOVERY:
        conn.host.count("TCPSackRecoveryFail" if board.sack else "TCPRenoRecoveryFail")
    elif state is CaState.LOSS:
        conn.host.count("TCPLossFailures")
    elif state is CaState.DISORDER or board.sacked_out:
        conn.host.count("TCPSackFailures" if board.sack else "TCPRenoFailures")


def _reordering_timer(conn: Connection) -> None:
    """What was overtaken has not come in time (tcp_recovery.c: tcp_rack_reo_timeout)."""
    board = conn.rtx_queue
    if not board:
        return
    if recovery.reordering_timer_fired(conn, board):
        resend.what_is_lost(conn, board, reasons.SENT_AFTER_REORDERING)
    if conn.pending is not RETRANS:
        rearm(conn)


def _window_never_came_back(conn: Connection) -> bool:
    """Nothing heard for twice the longest time-out while a lost window was asked for (tcp_rtx_probe0_timed_out)."""
    assert conn.rtx_queue
    now, limit = conn.host.now, 2 * conn.host.rto_max
    waited = now - (conn.rtx_queue[0].sent_at if conn.retrans_stamp is None else conn.retrans_stamp)
    user_limit = conn.options.user_timeout * MILLISECOND
    if user_limit:
        if waited > user_limit:
            return True
        limit = min(limit, user_limit)
    return now - conn.heard_at > limit and waited > limit


def _back_off(conn: Connection) -> None:
    """Wait twice as long next time; the first SYNs do not (tcp_syn_linear_timeouts)."""
    host = conn.host
    waits = _syn_waits(conn)
    if waits:
        conn.rto = waits[min(conn.total_rto, len(waits) - 1)]
    elif conn.state is not State.SYN_SENT or conn.total_rto > host.sysctls.tcp_syn_linear_timeouts:
        conn.backoff += 1
        conn.rto = min(conn.rto << 1, host.rto_max)
    set_timer(conn, RETRANS, _within_user_timeout(conn))


def _syn_waits(conn: Connection) -> tuple[int, ...]:
    """The waits of a SYN, where the kernel has them other than by doubling."""
    if conn.state is not State.SYN_SENT:
        return ()
    return conn.host.generation.syn.waits(conn.options.syncnt or conn.host.sysctls.tcp_syn_retries)


def _within_user_timeout(conn: Connection) -> int:
    """tcp_timer.c: tcp_clamp_rto_to_user_timeout."""
    limit = conn.options.user_timeout * MILLISECOND
    if not limit or conn.retrans_stamp is None:
        return conn.rto
    left = limit - (conn.host.now - conn.retrans_stamp)
    return min(conn.rto, left) if left > 0 else conn.host.jiffy


def _give_up(conn: Connection) -> bool:
    """Whether it has been tried often or long enough (tcp_write_timeout)."""
    sysctls = conn.host.sysctls
    waits = _syn_waits(conn)
    if waits:
        return conn.retransmits >= len(waits) - 1
    if conn.state in _OPENING:
        tries = conn.options.syncnt or sysctls.tcp_syn_retries
        most = tries + (sysctls.tcp_syn_linear_timeouts if conn.state is State.SYN_SENT else 0)
        if conn.retransmits >= most:
            return True
    else:
        tries = sysctls.tcp_retries2
        if conn.orphan:
            alive = conn.rto < conn.host.rto_max
            tries = sysctls.tcp_orphan_retries or (_ORPHAN_RETRIES if alive else 0)
    return _timed_out(conn, tries)


def _timed_out(conn: Connection, tries: int) -> bool:
    """Whether so many doubling time-outs would have passed by now (retransmits_timed_out)."""
    if not conn.retransmits or conn.retrans_stamp is None:
        return False
    limit = conn.options.user_timeout * MILLISECOND
    if not limit:
        generation = conn.host.generation
        base = generation.initial_rto if conn.state in _OPENING else generation.rto_min
        rto_max = conn.host.rto_max
        linear = (rto_max // base).bit_length() - 1
        limit = ((2 << min(tries, linear)) - 1) * base
        limit += max(tries - linear, 0) * rto_max
    return conn.host.now - conn.retrans_stamp >= limit


# --- tail loss probe ------------------------------------------------------------------------------


def schedule_loss_probe(conn: Connection, fresh: bool = False) -> bool:
    """Wait for a probe rather than for the RTO, where SACK was agreed (RFC 8985; tcp_schedule_loss_probe)."""
    board = conn.rtx_queue
    if conn.host.sysctls.tcp_early_retrans not in (3, 4) or not board or not board.sack:
        return False
    if board.recovery.state not in (CaState.OPEN, CaState.CWR):
        return False
    if conn.srtt:
        wait = (conn.srtt >> 2) * MICROSECOND
        wait += conn.host.generation.rto_min if board.packets_out == 1 else 2 * MILLISECOND
    else:
        wait = conn.host.generation.initial_rto
    left = conn.rto if fresh else _rto_left(conn)
    if left > 0:
        wait = min(wait, left)
    set_timer(conn, LOSS_PROBE, wait)
    return True


def after_progress(conn: Connection) -> None:
    """Something was acknowledged: set the timer anew (tcp_set_xmit_timer)."""
    if not schedule_loss_probe(conn, fresh=True):
        rearm(conn)


def _send_loss_probe(conn: Connection) -> None:
    """Send new data, or the last segment again, to draw an ACK (tcp_send_loss_probe)."""
    board = conn.rtx_queue
    if board and board.recovery.probe_high is None and _probe(conn, board):
        board.recovery.probe_high = conn.snd_nxt
        conn.host.count("TCPLossProbes")
        conn.pending = NOTHING
    rearm(conn)


def _probe(conn: Connection, board: Scoreboard) -> bool:
    """Whether a probe went out."""
    board.recovery.probe_repeats = False
    if output.has_unsent(conn) and output.window_takes_next(conn):
        return output.write_xmit(conn, nagle=False, probe=True) > 0
    last = board[-1]
    if last.pcount > 1:
        mss = output.current_mss(conn)
        length = (last.pcount - 1) * mss
        if len(last.payload) > length:
            board.split(len(board) - 1, length, mss)
            last = board[-1]
    if not resend.bare(conn, board, last, 1, reasons.SENT_LOSS_PROBE):
        return False
    board.recovery.probe_repeats = True
    return True


# --- a closed window ------------------------------------------------------------------------------


def start_window_probes(conn: Connection) -> None:
    """Nothing is under way and the window lets nothing out: ask for it (tcp_check_probe_timer)."""
    if conn.pending is NOTHING and conn.state not in (*_OPENING, State.CLOSE):
        set_timer(conn, WINDOW_PROBE, max(conn.rto, conn.host.generation.rto_min))


def window_may_have_opened(conn: Connection) -> None:
    """An ACK came while nothing was under way (tcp_ack_probe)."""
    if not output.has_unsent(conn) or conn.state in _OPENING:
        return
    length = min(len(conn.unsent), output.current_mss(conn)) or 1
    if not before(add(conn.snd_una, conn.snd_wnd), add(conn.snd_nxt, length)):
        conn.backoff = 0
        if conn.pending is WINDOW_PROBE:
            _clear_timer(conn)
    else:
        set_timer(conn, WINDOW_PROBE, _probe_wait(conn))


def _probe_wait(conn: Connection) -> int:
    """tcp.h: tcp_probe0_when."""
    base = max(conn.rto, conn.host.generation.rto_min)
    return min(base << min(conn.backoff, 20), conn.host.rto_max)


def _window_probe_timer(conn: Connection) -> None:
    """tcp_timer.c: tcp_probe_timer, tcp_send_probe0."""
    if conn.rtx_queue or not output.has_unsent(conn):
        conn.probes_out = 0
        return
    most = conn.host.sysctls.tcp_retries2
    if conn.orphan:
        most = conn.host.sysctls.tcp_orphan_retries or _ORPHAN_RETRIES
    if conn.probes_out >= most:
        conn.fail(errno.ETIMEDOUT, "the window never opens")
        conn.host.count("TCPAbortOnTimeout")
        return
    _probe_window(conn)
    if conn.rtx_queue or not output.has_unsent(conn):
        conn.probes_out = conn.backoff = 0
        return
    conn.probes_out += 1
    if conn.backoff < conn.host.sysctls.tcp_retries2:
        conn.backoff += 1
    set_timer(conn, WINDOW_PROBE, _probe_wait(conn))


def _probe_window(conn: Connection) -> None:
    """As much as fits, or an old sequence number that must be answered (tcp_write_wakeup)."""
    room = distance(conn.snd_nxt, add(conn.snd_una, conn.snd_wnd))
    if 0 < room <= 0x7FFFFFFF and conn.unsent:
        output.send_up_to(conn, min(room, output.current_mss(conn)))
        return
    conn.host.count("TCPWinProbe")
    output.transmit(conn, ACK, add(conn.snd_una, -1), b"", reasons.SENT_WINDOW_PROBE)
