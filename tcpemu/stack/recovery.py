"""The repair of a loss as a state machine: Open, Disorder, CWR, Recovery, Loss.

    Open      nothing wrong
    Disorder  something arrived out of order, or was sent again, and nothing is lost as far as is known
    CWR       the window comes down because of ECN
    Recovery  a loss was found by SACK or duplicate ACKs; each ACK lets out what is lost, then new data
    Loss      a time-out; all that was out for long is lost, and the window begins with one segment

An acknowledgment that is anything but plain comes to `alert`: it ends a state whose `high_seq` is reached, takes
back the reduction where nothing had been lost, looks for losses, and says what may be sent again. How much, the
window says: in CWR and Recovery it comes down by proportional rate reduction (`reduce`). Nothing is sent from
here. tcp_input.c: tcp_fastretrans_alert, Linux 6.12 (and 6.18, where RACK alone finds losses).
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from tcpemu.stack import output, rack, reordering, retransmit
from tcpemu.stack.congestion import INFINITE, usual_threshold, with_window
from tcpemu.stack.recovery_state import REORDERING, CaState
from tcpemu.stack.scoreboard import Scoreboard, Unacked
from tcpemu.stack.seq import MASK, add, after, before
from tcpemu.stack.states import State
from tcpemu.stack.tags import EVER, LOST, SACKED, SENT_AGAIN
from tcpemu.stack.units import MICROSECOND, MILLISECOND

if TYPE_CHECKING:
    from tcpemu.stack.connection import Connection
    from tcpemu.stack.news import News


class Resend(Enum):
    """What an acknowledgment lets out, besides what windows allow."""

    NOTHING = "nothing"
    LOST = "what is lost"
    NEW = "new data, to see whether a time-out was right"


# --- the state machine ----------------------------------------------------------------------------


def alert(conn: Connection, board: Scoreboard, duplicates: int, news: News) -> Resend:
    """An ACK that is a duplicate, SACKs something, or comes while not all is well (tcp_fastretrans_alert)."""
    recovery = board.recovery
    if not board.packets_out:
        board.sacked_out = 0
    if news.ece:
        recovery.prior_threshold = 0
    if news.reneging and news.advanced:
        _wait_for_renegade(conn, news)
        return Resend.NOTHING
    if recovery.state is CaState.OPEN:
        conn.retrans_stamp = None
    elif not before(conn.snd_una, recovery.high_seq) and _end_reached(conn, board):
        return Resend.NOTHING
    if recovery.state is CaState.RECOVERY:
        return _in_recovery(conn, board, duplicates, news)
    if recovery.state is CaState.LOSS:
        resend = _in_loss(conn, board, duplicates, news)
        _find_losses(conn, board, news)
        return _after_loss(conn, board, duplicates, news) or resend
    return _elsewhere(conn, board, duplicates, news) or Resend.NOTHING


def _after_loss(conn: Connection, board: Scoreboard, duplicates: int, news: News) -> Resend | None:
    """The time-out was wrong, or a repeat was lost: then look further, as in any other state."""
    if board.recovery.state is not CaState.OPEN and not news.lost_repeat:
        return None
    return _elsewhere(conn, board, duplicates, news)


def _wait_for_renegade(conn: Connection, news: News) -> None:
    """The peer acknowledges less than it had SACKed: wait a little for better news (tcp_check_sack_reneging)."""
    wait = max((conn.srtt >> 4) * MICROSECOND, 10 * MILLISECOND)
    retransmit.set_timer(conn, retransmit.RETRANS, wait)
    news.set_timer = False


def _end_reached(conn: Connection, board: Scoreboard) -> bool:
    """All that was out when the state began is acknowledged; whether nothing more is to be done."""
    recovery = board.recovery
    if recovery.state is CaState.CWR:
        if conn.snd_una != recovery.high_seq:
            end_reduction(conn, board)
            recovery.state = CaState.OPEN
    elif recovery.state is CaState.RECOVERY:
        if not board.sack:
            board.sacked_out = 0
        if try_undo_recovery(conn, board):
            return True
        end_reduction(conn, board)
    return False


def _in_recovery(conn: Connection, board: Scoreboard, duplicates: int, news: News) -> Resend:
    recovery = board.recovery
    if not news.advanced:
        if not board.sack:
            reordering.add_duplicates(conn, board, duplicates)
    elif _try_undo_partial(conn, board, news):
        return Resend.NOTHING
    if _try_undo_by_dsack(conn, board):
        _try_to_open(conn, board, news)
    _find_losses(conn, board, news)
    if recovery.state is not CaState.RECOVERY:
        if not board.lost_out:
            return Resend.NOTHING
        enter_recovery(conn, board, news.ece)
    return Resend.LOST


def _elsewhere(conn: Connection, board: Scoreboard, duplicates: int, news: News) -> Resend | None:
    """Open, Disorder, CWR: a loss begins Recovery."""
    recovery = board.recovery
    if not board.sack:
        if news.advanced:
            board.sacked_out = 0
        reordering.add_duplicates(conn, board, duplicates)
    if recovery.state <= CaState.DISORDER:
        _try_undo_by_dsack(conn, board)
    _find_losses(conn, board, news)
    if not board.lost_out:
        _try_to_open(conn, board, news)
        return None
    enter_recovery(conn, board, news.ece)
    return Resend.LOST


def _in_loss(conn: Connection, board: Scoreboard, duplicates: int, news: News) -> Resend:
    """After a time-out: was it right? F-RTO asks by new data (RFC 5682; tcp_process_loss)."""
    recovery = board.recovery
    recovered = not before(conn.snd_una, recovery.high_seq)
    if news.advanced and _try_undo_loss(conn, board):
        return Resend.NOTHING
    if recovery.frto:
        if news.original and _try_undo_loss(conn, board, by_frto=True):
            return Resend.NOTHING
        if after(conn.snd_nxt, recovery.high_seq):
            recovery.frto = not (news.sacked or duplicates)
        elif news.advanced and not recovered:
            recovery.high_seq = conn.snd_nxt
            room = after(add(conn.snd_una, conn.snd_wnd), conn.snd_nxt)
            if output.has_unsent(conn) and room:
                return Resend.NEW
            recovery.frto = False
    if recovered:
        try_undo_recovery(conn, board)
        return Resend.NOTHING
    if not board.sack:
        if after(conn.snd_nxt, recovery.high_seq) and duplicates:
            reordering.add_duplicates(conn, board, duplicates)
        elif news.advanced:
            board.sacked_out = 0
    return Resend.LOST


# --- finding losses -------------------------------------------------------------------------------


def _find_losses(conn: Connection, board: Scoreboard, news: News) -> None:
    """By RACK where there is SACK, else by the third duplicate ACK (tcp_identify_packet_loss)."""
    if not board.queue:
        return
    if not board.sack:
        _mark_first_lost(conn, board, news.advanced)
        return
    repeats = board.retrans_out
    wait = rack.mark_lost(conn, board)
    if wait:
        retransmit.set_timer(conn, retransmit.REORDERING, (wait + rack.TIMEOUT_MIN) * MICROSECOND)
        news.set_timer = False
    if repeats > board.retrans_out:
        news.lost_repeat = True


def _mark_first_lost(conn: Connection, board: Scoreboard, advanced: bool) -> None:
    """NewReno: the third duplicate ACK, then each partial ACK, says that the first segment is lost.

    RFC 6582; tcp_recovery.c: tcp_newreno_mark_lost.
    """
    state = board.recovery.state
    begins = state < CaState.RECOVERY and board.sacked_out >= board.recovery.reordering
    if not begins and not (state is CaState.RECOVERY and advanced):
        return
    head = board.queue[0]
    if head.tags & LOST:
        return
    if head.pcount > 1 and len(head.payload) > head.mss:
        board.split(0, head.mss, head.mss)
    board.mark_lost(conn, head)


def reordering_timer_fired(conn: Connection, board: Scoreboard) -> bool:
    """What was overtaken has not come within the window for reordering; whether that is news (tcp_rack_reo_timeout)."""
    recovery, under_way, lost = board.recovery, board.in_flight, board.lost
    rack.detect_loss(conn, board)
    if under_way == board.in_flight:
        return False
    if recovery.state is not CaState.RECOVERY:
        enter_recovery(conn, board, False)
        reduce(conn, board, 1, board.lost - lost, False)
    return True


# --- entering -------------------------------------------------------------------------------------


def enter_recovery(conn: Connection, board: Scoreboard, ece: bool) -> None:
    """A loss is found: fast retransmit (tcp_enter_recovery)."""
    recovery = board.recovery
    if not _repeats_out(board):
        conn.retrans_stamp = None
    conn.host.count("TCPSackRecovery" if board.sack else "TCPRenoRecovery")
    recovery.prior_threshold = 0
    _begin_undo(conn, board)
    if not recovery.reduces:
        if not ece:
            recovery.prior_threshold = usual_threshold(conn.congestion, recovery.reduces)
        begin_reduction(conn, board)
    recovery.state = CaState.RECOVERY


def enter_loss(conn: Connection, board: Scoreboard) -> None:
    """A time-out: take for lost what was out for long, and begin again slowly (tcp_enter_loss)."""
    recovery = board.recovery
    begins = recovery.state < CaState.RECOVERY
    _mark_all_lost(conn, board)
    fresh = recovery.state is CaState.LOSS and not conn.retransmits
    reduces = recovery.state <= CaState.DISORDER or not after(recovery.high_seq, conn.snd_una) or fresh
    if reduces:
        recovery.prior_threshold = usual_threshold(conn.congestion, recovery.reduces)
        recovery.prior_window = conn.congestion.window
    conn.congestion = conn.congestion.timed_out(board.in_flight + 1, reduces)
    recovery.cwnd_at = conn.host.now
    if reduces:
        _begin_undo(conn, board)
    if recovery.state <= CaState.DISORDER and board.sacked_out >= REORDERING:
        recovery.reordering = min(recovery.reordering, REORDERING)
    recovery.state = CaState.LOSS
    recovery.high_seq = conn.snd_nxt
    recovery.probe_high = None
    recovery.queue_cwr = conn.ecn
    recovery.frto = begins or bool(conn.retransmits)


def _mark_all_lost(conn: Connection, board: Scoreboard) -> None:
    """All but what was sent less than a round trip ago (tcp_timeout_mark_lost)."""
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
        board.mark_lost(conn, entry)
    board.hint = None


def enter_cwr(conn: Connection, board: Scoreboard) -> None:
    """The peer tells of congestion: bring the window down; there is no way back (tcp_enter_cwr)."""
    recovery = board.recovery
    recovery.prior_threshold = 0
    if recovery.state < CaState.CWR:
        recovery.undo_marker = None
        begin_reduction(conn, board)
        recovery.state = CaState.CWR


def _try_to_open(conn: Connection, board: Scoreboard, news: News) -> None:
    """tcp_try_to_open."""
    if not _repeats_out(board):
        conn.retrans_stamp = None
    if news.ece:
        enter_cwr(conn, board)
    if board.recovery.state is not CaState.CWR:
        keep_open(conn, board)


def keep_open(conn: Connection, board: Scoreboard) -> None:
    """Open where all is well, else Disorder (tcp_try_keep_open)."""
    recovery = board.recovery
    wrong = board.sacked_out + board.lost_out > 0 or _repeats_out(board)
    state = CaState.DISORDER if wrong else CaState.OPEN
    if recovery.state is not state:
        recovery.state = state
        recovery.high_seq = conn.snd_nxt


def _repeats_out(board: Scoreboard) -> bool:
    """Whether something that was sent again may be under way (tcp_any_retrans_done)."""
    return bool(board.retrans_out or (board.queue and board.queue[0].tags & EVER))


# --- the window comes down ------------------------------------------------------------------------


def begin_reduction(conn: Connection, board: Scoreboard) -> None:
    """tcp_init_cwnd_reduction."""
    recovery = board.recovery
    recovery.high_seq = conn.snd_nxt
    recovery.probe_high = None
    recovery.prior_window = conn.congestion.window
    recovery.prr_delivered = recovery.prr_out = 0
    conn.congestion = conn.congestion.reduced()
    recovery.queue_cwr = conn.ecn


def reduce(conn: Connection, board: Scoreboard, delivered: int, lost: int, advanced: bool) -> None:
    """Proportional rate reduction: spread the way down over a round trip (RFC 6937; tcp_cwnd_reduction)."""
    recovery = board.recovery
    if delivered <= 0 or not recovery.prior_window:
        return
    recovery.prr_delivered += delivered
    threshold = conn.congestion.threshold
    room = threshold - board.in_flight
    if room < 0:
        share = threshold * recovery.prr_delivered + recovery.prior_window - 1
        more = share // recovery.prior_window - recovery.prr_out
    else:
        more = max(recovery.prr_delivered - recovery.prr_out, delivered)
        if advanced and not lost:
            more += 1
        more = min(room, more)
    more = max(more, 0 if recovery.prr_out else 1)
    conn.congestion = with_window(conn.congestion, board.in_flight + more)


def end_reduction(conn: Connection, board: Scoreboard) -> None:
    """It is repaired: the window is the threshold now, unless that was taken back (tcp_end_cwnd_reduction)."""
    recovery = board.recovery
    threshold = conn.congestion.threshold
    if threshold < INFINITE and (recovery.state is CaState.CWR or recovery.undo_marker is not None):
        conn.congestion = with_window(conn.congestion, threshold)
        recovery.cwnd_at = conn.host.now


# --- taking it back -------------------------------------------------------------------------------


def _begin_undo(conn: Connection, board: Scoreboard) -> None:
    """Remember where the window came down, and what repeats are out (tcp_init_undo)."""
    recovery = board.recovery
    recovery.undo_marker = conn.snd_una
    recovery.undo_retrans = board.retrans_out
    if recovery.probe_high is not None and recovery.probe_repeats:
        recovery.undo_retrans += 1
    recovery.undo_retrans = recovery.undo_retrans or -1


def _undo(conn: Connection, board: Scoreboard, unmark: bool) -> None:
    """Back to the window there was (tcp_undo_cwnd_reduction)."""
    recovery = board.recovery
    if unmark:
        for entry in board.queue:
            entry.tags &= ~LOST
        board.lost_out = 0
        board.hint = None
    if recovery.prior_threshold:
        if recovery.prior_threshold > conn.congestion.threshold:
            recovery.queue_cwr = False
        conn.congestion = conn.congestion.restored(recovery.prior_window, recovery.prior_threshold)
    recovery.undo_marker = None
    recovery.cwnd_at = conn.host.now
    board.rack.advanced = True


def _may_undo(conn: Connection, board: Scoreboard) -> bool:
    """All repeats were idle, or the first ones had only been late (tcp_may_undo)."""
    recovery = board.recovery
    return recovery.undo_marker is not None and (not recovery.undo_retrans or _was_late(conn, board))


def _was_late(conn: Connection, board: Scoreboard) -> bool:
    """The timestamp that is echoed was sent before the first repeat, or there was none (tcp_packet_delayed)."""
    if conn.retrans_stamp is not None:
        return echoes_before(conn, conn.retrans_stamp)
    if not board.sack and not before(conn.snd_una, board.recovery.high_seq):
        return False
    return conn.state is not State.SYN_SENT


def echoes_before(conn: Connection, moment: int) -> bool:
    """TSecr is from before a moment (tcp_tsopt_ecr_before)."""
    if not conn.tsecr:
        return False
    return before(conn.tsecr, conn.host.stamp_clock(moment) + conn.ts_offset & MASK)


def idle_repeat(conn: Connection, entry: Unacked) -> bool:
    """What is acknowledged is the piece as it was sent first, not its repeat (tcp_skb_spurious_retrans)."""
    return bool(entry.tags & SENT_AGAIN) and echoes_before(conn, entry.sent_at)


def _holds_without_sack(conn: Connection, board: Scoreboard) -> bool:
    """Without SACK the state lasts until more than HIGH.SEQ is acknowledged (tcp_is_non_sack_preventing_reopen)."""
    if board.sack or conn.snd_una != board.recovery.high_seq:
        return False
    if not _repeats_out(board):
        conn.retrans_stamp = None
    return True


def try_undo_recovery(conn: Connection, board: Scoreboard) -> bool:
    """The state is over: take the reduction back if it was wrong; whether the state stays (tcp_try_undo_recovery)."""
    recovery = board.recovery
    if _may_undo(conn, board):
        _undo(conn, board, unmark=False)
        conn.host.count("TCPLossUndo" if recovery.state is CaState.LOSS else "TCPFullUndo")
    elif board.rack.steps_kept:
        board.rack.steps_kept -= 1
    if _holds_without_sack(conn, board):
        return True
    recovery.state = CaState.OPEN
    recovery.reneging = False
    return False


def _try_undo_by_dsack(conn: Connection, board: Scoreboard) -> bool:
    """D-SACKs have told of every repeat: none was needed (tcp_try_undo_dsack)."""
    recovery = board.recovery
    if recovery.undo_marker is None or recovery.undo_retrans:
        return False
    board.rack.steps_kept = min(rack.STEPS_KEPT, board.rack.steps_kept + 1)
    _undo(conn, board, unmark=False)
    conn.host.count("TCPDSACKUndo")
    return True


def _try_undo_loss(conn: Connection, board: Scoreboard, by_frto: bool = False) -> bool:
    """The time-out was wrong (tcp_try_undo_loss)."""
    if not by_frto and not _may_undo(conn, board):
        return False
    _undo(conn, board, unmark=True)
    conn.host.count("TCPLossUndo")
    if by_frto:
        conn.host.count("TCPSpuriousRTOs")
    conn.retransmits = 0
    if _holds_without_sack(conn, board):
        return True
    if by_frto or board.sack:
        board.recovery.state = CaState.OPEN
        board.recovery.reneging = False
    return True


def _try_undo_partial(conn: Connection, board: Scoreboard, news: News) -> bool:
    """A partial ACK for what was late and not lost; whether repeats are out still (tcp_try_undo_partial)."""
    if board.recovery.undo_marker is None or not _was_late(conn, board):
        return False
    reordering.seen_by_sack(conn, board, news.prior_una, "TCPTSReorder")
    if board.retrans_out:
        return True
    if not _repeats_out(board):
        conn.retrans_stamp = None
    _undo(conn, board, unmark=True)
    conn.host.count("TCPPartialUndo")
    keep_open(conn, board)
    return False


def probe_answered(conn: Connection, board: Scoreboard, number: int, news: News) -> None:
    """An ACK for a tail loss probe: had something been lost, which it repaired? (tcp_process_tlp_ack)."""
    recovery = board.recovery
    high = recovery.probe_high
    if high is None or before(number, high):
        return
    if not recovery.probe_repeats or news.dsack_probe:
        recovery.probe_high = None
    elif after(number, high):
        begin_reduction(conn, board)
        recovery.state = CaState.CWR
        end_reduction(conn, board)
        keep_open(conn, board)
        conn.host.count("TCPLossProbeRecovery")
    elif not (news.advanced or news.not_duplicate or news.sacked):
        recovery.probe_high = None
