"""The repair of a loss as a state machine: Open, Disorder, CWR, Recovery, Loss.

    Open      nothing wrong
    Disorder  something arrived out of order, or was sent again, and nothing is lost as far as is known
    CWR       the window comes down because of ECN
    Recovery  a loss was found by SACK or duplicate ACKs; each ACK lets out what is lost, then new data
    Loss      a time-out; what was sent more than a round trip ago is lost, and the window begins with one segment

An acknowledgment that is anything but plain comes to `fastretrans_alert`: it ends a state whose `high_seq` is reached,
takes back the reduction where nothing had been lost (`undo.py`), looks for losses (`rack.py`), and says what may be
sent again. How much of it, the window says, which comes down by proportional rate reduction in CWR and Recovery
(`prr.py`). Nothing is sent from here.

tcp_input.c: tcp_fastretrans_alert; in 6.18 RACK alone finds losses.
"""

from __future__ import annotations

from enum import Enum

from tcpemu.stack.base.sequence_numbers import after, before
from tcpemu.stack.base.units import MICROSECOND, MILLISECOND
from tcpemu.stack.control import control_moment, delivery_rate
from tcpemu.stack.control.cwnd_changes import current_ssthresh, with_current_ssthresh, with_cwnd
from tcpemu.stack.records.ack_result import AckResult
from tcpemu.stack.records.connection import Connection, MtuSearch, WriteTimer
from tcpemu.stack.records.loss_recovery import CaState, Recovery
from tcpemu.stack.records.scoreboard import Scoreboard
from tcpemu.stack.records.sent_pieces import LOST, SACKED
from tcpemu.stack.recovery import loss_marks, prr, rack, reordering, undo, write_timer
from tcpemu.stack.recovery.rack import TIMEOUT_MIN

_OPEN, _RECOVERY, _LOSS, _CWR, _DISORDER = (
    CaState.OPEN,
    CaState.RECOVERY,
    CaState.LOSS,
    CaState.CWR,
    CaState.DISORDER,
)


class Resend(Enum):
    """What an acknowledgment lets out, besides what windows allow."""

    NOTHING = "nothing"
    LOST = "what is lost"
    NEW = "new data, to see whether a time-out was right"


_NOTHING, _LOST = Resend.NOTHING, Resend.LOST


def fastretrans_alert(conn: Connection, board: Scoreboard, duplicates: int, result: AckResult) -> Resend:
    """An ACK that is a duplicate, SACKs something, or comes while not all is well (tcp_fastretrans_alert)."""
    recovery = board.recovery
    if not board.packets_out:
        board.sacked_out = 0
    if result.ece:
        recovery.prior_ssthresh = 0
    if result.reneging and result.advanced:
        _wait_for_renegade(conn, result)
        return _NOTHING
    if recovery.state is _OPEN:
        conn.rtx.retrans_stamp = None
    elif not before(conn.snd.una, recovery.high_seq) and _end_reached(conn, board):
        return _NOTHING
    if recovery.state is _RECOVERY:
        return _in_recovery(conn, board, duplicates, result)
    if recovery.state is _LOSS:
        resend = _in_loss(conn, board, duplicates, result)
        if recovery.state is not _LOSS:
            end_rto_time(conn)
        _find_losses(conn, board, result)
        return _after_loss(conn, board, duplicates, result) or resend
    return _elsewhere(conn, board, duplicates, result) or _NOTHING


def end_rto_time(conn: Connection) -> None:
    """What a time-out had lost is repaired (tcp_update_rto_time)."""
    conn.rtx.rto_time = rto_time(conn)
    conn.rtx.rto_began = None


def rto_time(conn: Connection) -> int:
    """Milliseconds in which losses of time-outs were repaired, up to now."""
    rtx = conn.rtx
    running = 0 if rtx.rto_began is None else conn.host.now // MILLISECOND - rtx.rto_began // MILLISECOND
    return rtx.rto_time + running


def _after_loss(conn: Connection, board: Scoreboard, duplicates: int, result: AckResult) -> Resend | None:
    """The time-out was wrong, or a repeat was lost: then look further, as in any other state."""
    if board.recovery.state is not _OPEN and not result.lost_repeat:
        return None
    return _elsewhere(conn, board, duplicates, result)


def _wait_for_renegade(conn: Connection, result: AckResult) -> None:
    """The peer has SACKed what it now does not acknowledge: wait a little, for it may yet (tcp_check_sack_reneging)."""
    # `srtt` is eight times the round-trip time, so this is half of one.
    wait = max((conn.rtt.srtt >> 4) * MICROSECOND, 10 * MILLISECOND)
    write_timer.set_timer(conn, WriteTimer.RETRANS, wait)
    result.set_timer = False


def _end_reached(conn: Connection, board: Scoreboard) -> bool:
    """All that was out when the state began is acknowledged; whether nothing more is to be done."""
    recovery = board.recovery
    if recovery.state is _CWR:
        if conn.snd.una != recovery.high_seq:
            prr.end_reduction(conn, board)
            recovery.state = _OPEN
    elif recovery.state is _RECOVERY:
        if not board.sack:
            board.sacked_out = 0
        if undo.try_undo_recovery(conn, board):
            return True
        prr.end_reduction(conn, board)
    return False


def _in_recovery(conn: Connection, board: Scoreboard, duplicates: int, result: AckResult) -> Resend:
    """Recovery goes on: undo what proves wrong, find further losses, and send on."""
    recovery = board.recovery
    if not result.advanced:
        if not board.sack:
            reordering.add_duplicates(conn, board, duplicates)
    elif undo.try_undo_partial(conn, board, result):
        return _NOTHING
    if undo.try_undo_by_dsack(conn, board):
        _try_to_open(conn, board, result)
    _find_losses(conn, board, result)
    if recovery.state is not _RECOVERY:
        if not board.lost_out:
            return _NOTHING
        enter_recovery(conn, board, result.ece)
    return _LOST


def _elsewhere(conn: Connection, board: Scoreboard, duplicates: int, result: AckResult) -> Resend | None:
    """Open, Disorder, CWR: a loss begins Recovery."""
    recovery = board.recovery
    if not board.sack:
        if result.advanced:
            board.sacked_out = 0
        reordering.add_duplicates(conn, board, duplicates)
    if recovery.state <= _DISORDER:
        undo.try_undo_by_dsack(conn, board)
    _find_losses(conn, board, result)
    if not board.lost_out:
        _try_to_open(conn, board, result)
        return None
    if conn.snd.mtu_search is not None and _probe_was_too_large(conn, board, conn.snd.mtu_search):
        return _LOST if too_large_lost(conn, board, conn.snd.mss_cache) else None
    enter_recovery(conn, board, result.ece)
    return _LOST


def _probe_was_too_large(conn: Connection, board: Scoreboard, search: MtuSearch) -> bool:
    """What is lost is first of all a probe of the path's MTU: that is no congestion (tcp_mtup_probe_failed)."""
    if board.recovery.state >= _CWR or not search.probing or conn.snd.una != search.start:
        return False
    search.high, search.probing = search.probing - 1, 0
    conn.host.count("TCPMTUPFail")
    conn.congestion = with_cwnd(conn.congestion, conn.congestion.cwnd + 1)
    return True


def _in_loss(conn: Connection, board: Scoreboard, duplicates: int, result: AckResult) -> Resend:
    """After a time-out: was it right? F-RTO asks by new data (RFC 5682; tcp_process_loss)."""
    recovery = board.recovery
    recovered = not before(conn.snd.una, recovery.high_seq)
    if (result.advanced or conn.opened_early) and undo.try_undo_loss(conn, board):
        return _NOTHING
    if recovery.frto:
        if result.original and undo.try_undo_loss(conn, board, by_frto=True):
            return _NOTHING
        if after(conn.snd.nxt, recovery.high_seq):
            recovery.frto = not (result.sacked or duplicates)
        elif result.advanced and not recovered:
            recovery.high_seq = conn.snd.nxt
            room = after(conn.snd.window_end, conn.snd.nxt)
            if conn.snd.has_unsent and room:
                return Resend.NEW
            recovery.frto = False
    if recovered:
        undo.try_undo_recovery(conn, board)
        return _NOTHING
    if not board.sack:
        if after(conn.snd.nxt, recovery.high_seq) and duplicates:
            reordering.add_duplicates(conn, board, duplicates)
        elif result.advanced:
            board.sacked_out = 0
    return _LOST


def _find_losses(conn: Connection, board: Scoreboard, result: AckResult) -> None:
    """By RACK where there is SACK, else by the third duplicate ACK (tcp_identify_packet_loss)."""
    if not board.queue:
        return
    if not board.sack:
        _mark_first_lost(conn, board, result.advanced)
        return
    repeats = board.retrans_out
    wait = rack.look_for_losses(conn, board)
    if wait:
        write_timer.set_timer(conn, WriteTimer.REORDERING, (wait + TIMEOUT_MIN) * MICROSECOND)
        result.set_timer = False
    if repeats > board.retrans_out:
        result.lost_repeat = True


def _mark_first_lost(conn: Connection, board: Scoreboard, advanced: bool) -> None:
    """NewReno: the third duplicate ACK, then each partial ACK, says that the first segment is lost.

    RFC 6582; tcp_recovery.c: tcp_newreno_mark_lost.
    """
    state = board.recovery.state
    begins = state < _RECOVERY and board.sacked_out >= board.recovery.reordering
    if not begins and not (state is _RECOVERY and advanced):
        return
    head = board.queue[0]
    if head.tags & LOST:
        return
    if head.pcount > 1 and len(head.payload) > head.mss:
        board.split(0, head.mss, head.mss)
    loss_marks.mark_lost(conn, board, head)


def reordering_timer_fired(conn: Connection, board: Scoreboard) -> bool:
    """The reordering window has passed: what has not arrived is lost; whether anything was (tcp_rack_reo_timeout)."""
    recovery, under_way = board.recovery, board.in_flight
    rack.detect_loss(conn, board)
    if under_way == board.in_flight:
        return False
    if recovery.state is not _RECOVERY:
        enter_recovery(conn, board, False)
        if not conn.congestion.controls:
            prr.reduce(conn, board, 1, one_more=False)
    return True


def enter_recovery(conn: Connection, board: Scoreboard, ece: bool) -> None:
    """A loss is found: fast retransmit (tcp_enter_recovery)."""
    recovery = board.recovery
    if not undo.repeats_out(board):
        conn.rtx.retrans_stamp = None
    conn.host.count("TCPSackRecovery" if board.sack else "TCPRenoRecovery")
    recovery.prior_ssthresh = 0
    undo.begin_undo(conn, board)
    if not recovery.reduces:
        if not ece:
            recovery.prior_ssthresh = current_ssthresh(conn.congestion, recovery.reduces)
        prr.begin_reduction(conn, board)
    if conn.ecn_ok and conn.congestion.needs_ecn:
        conn.congestion = conn.congestion.recovery_began()
    recovery.state = _RECOVERY


def enter_loss(conn: Connection, board: Scoreboard) -> None:
    """A time-out: all that was sent more than a round trip ago is lost; begin with slow start (tcp_enter_loss)."""
    recovery = board.recovery
    begins = recovery.state < _RECOVERY
    _mark_all_lost(conn, board)
    fresh = recovery.state is _LOSS and not conn.rtx.retransmits
    reduces = recovery.state <= _DISORDER or not after(recovery.high_seq, conn.snd.una) or fresh
    if reduces:
        recovery.prior_ssthresh = current_ssthresh(conn.congestion, recovery.reduces)
        recovery.prior_cwnd = conn.congestion.cwnd
    conn.congestion = conn.congestion.timed_out(board.in_flight + 1, reduces, control_moment.moment_of(conn))
    if conn.congestion.controls:
        conn.congestion.loss_began(delivery_rate.path_of(conn, board))
    recovery.cwnd_at = conn.host.now
    if reduces:
        undo.begin_undo(conn, board)
    usual = conn.host.sysctls.tcp_reordering
    if recovery.state <= _DISORDER and board.sacked_out >= usual:
        recovery.reordering = min(recovery.reordering, usual)
    recovery.state = _LOSS
    recovery.high_seq = conn.snd.nxt
    recovery.probe_high = None
    recovery.queue_cwr = conn.ecn_ok
    recovery.frto = bool(conn.host.sysctls.tcp_frto) and (begins or bool(conn.rtx.retransmits))
    if conn.snd.mtu_search is not None and conn.snd.mtu_search.probing:
        recovery.frto = False


def too_large_lost(conn: Connection, board: Scoreboard, mss: int) -> bool:
    """Pieces of segments larger than this are lost for certain; whether any is (tcp_simple_retransmit).

    The window stays, for no congestion is behind it (tcp_non_congestion_loss_retransmit).
    """
    for entry in board.queue:
        if entry.segment_length > mss:
            loss_marks.mark_lost(conn, board, entry)
    if not board.lost_out:
        return False
    recovery = board.recovery
    if recovery.state is not _LOSS:
        recovery.high_seq = conn.snd.nxt
        if not recovery.reduces:
            conn.congestion = with_current_ssthresh(conn.congestion)
        recovery.prior_ssthresh = 0
        recovery.undo_marker = None
        recovery.state = _LOSS
    return True


def _mark_all_lost(conn: Connection, board: Scoreboard) -> None:
    """All but what was sent less than a round trip ago (tcp_timeout_mark_lost)."""
    if not board.queue:  # the SYN|ACK of Fast Open, which nothing has followed
        return
    head = board.queue[0]
    reneging = bool(head.tags & SACKED)
    if reneging:
        conn.host.count("TCPSACKReneging")
        board.sacked_out = 0
        board.recovery.reneging = True
    elif not board.sack:
        board.sacked_out = 0
    for entry in board.queue:
        if reneging:
            entry.tags &= ~SACKED
        elif entry is not head and rack.time_left(conn, board, entry, 0) > 0:
            continue
        loss_marks.mark_lost(conn, board, entry, conn.host.generation.sending.counts_time_outs)
    board.hint = None


def new_scoreboard(conn: Connection) -> Scoreboard:
    """From now on the connection keeps what is under way; how fast that is delivered says little at first.

    For there was nothing to send until now (tcp_init_sock: app_limited).
    """
    now = conn.host.now
    recovery = Recovery(now, reordering=conn.host.sysctls.tcp_reordering, wrote_at=conn.opened_at)
    board = conn.scoreboard = Scoreboard(conn.sack_ok, conn.rtt.srtt >> 3 or None, None, recovery)
    board.limited_until = board.delivered
    return board


def enter_cwr(conn: Connection, board: Scoreboard) -> None:
    """The peer echoes congestion (ECN), or the device takes nothing: the window comes down for good (tcp_enter_cwr)."""
    recovery = board.recovery
    recovery.prior_ssthresh = 0
    if recovery.state < _CWR:
        recovery.undo_marker = None
        prr.begin_reduction(conn, board)
        recovery.state = _CWR


def _try_to_open(conn: Connection, board: Scoreboard, result: AckResult) -> None:
    """No loss is known: Open or Disorder, or CWR where ECN asks for it (tcp_try_to_open)."""
    if not undo.repeats_out(board):
        conn.rtx.retrans_stamp = None
    if result.ece:
        enter_cwr(conn, board)
    if board.recovery.state is not _CWR:
        undo.keep_open(conn, board)


def probe_answered(conn: Connection, board: Scoreboard, number: int, result: AckResult) -> None:
    """An ACK for a tail loss probe: had something been lost, which it repaired? (tcp_process_tlp_ack)."""
    recovery = board.recovery
    high = recovery.probe_high
    if high is None or before(number, high):
        return
    if not recovery.probe_repeats or result.dsack_probe:
        recovery.probe_high = None
    elif after(number, high):
        prr.begin_reduction(conn, board)
        recovery.state = _CWR
        prr.end_reduction(conn, board)
        undo.keep_open(conn, board)
        conn.host.count("TCPLossProbeRecovery")
    elif not (result.advanced or result.not_duplicate or result.sacked):
        recovery.probe_high = None
