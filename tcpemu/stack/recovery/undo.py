"""Undo: the window's reduction is taken back once it turns out that nothing had been lost.

When a reduction begins, `begin_undo` sets `undo_marker` to SND.UNA and begins to count what is sent again in
`undo_retrans`; the window and threshold to return to are `prior_cwnd` and `prior_ssthresh`. The reduction was wrong if

    D-SACKs have reported every repeat as a duplicate: each lowers `undo_retrans`, until it is 0;
    the timestamp that is echoed is from before the first repeat: the original arrived, late (Eifel, RFC 3522);
    F-RTO says so, after a time-out: data sent before it is acknowledged that was not sent again (RFC 5682).

The `try_` functions ask this at different moments: for a partial ACK, when the state ends, after a time-out, by
D-SACK alone. tcp_input.c: tcp_init_undo, tcp_may_undo, tcp_try_undo_recovery and the like.
"""

from __future__ import annotations

from tcpemu.stack.base.sequence_numbers import before
from tcpemu.stack.base.states import State
from tcpemu.stack.control import delivery_rate
from tcpemu.stack.records.ack_result import AckResult
from tcpemu.stack.records.connection import Connection
from tcpemu.stack.records.loss_recovery import CaState
from tcpemu.stack.records.scoreboard import Scoreboard
from tcpemu.stack.records.sent_pieces import EVER, LOST, SENT_AGAIN, Unacked
from tcpemu.stack.recovery import rack, reordering


def begin_undo(conn: Connection, board: Scoreboard) -> None:
    """Remember where the window came down, and what repeats are out (tcp_init_undo)."""
    recovery = board.recovery
    recovery.undo_marker = conn.snd.una
    recovery.undo_retrans = board.retrans_out
    if recovery.probe_high is not None and recovery.probe_repeats:
        recovery.undo_retrans += 1
    # -1: nothing was sent again so far. At 0 every repeat would be known to have been spurious.
    recovery.undo_retrans = recovery.undo_retrans or -1


def _undo(conn: Connection, board: Scoreboard, unmark: bool) -> None:
    """Restore the window and the threshold of before (tcp_undo_cwnd_reduction)."""
    recovery = board.recovery
    if unmark:
        for entry in board.queue:
            entry.tags &= ~LOST
        board.lost_out = 0
        board.hint = None
    if recovery.prior_ssthresh:
        if recovery.prior_ssthresh > conn.congestion.ssthresh:
            recovery.queue_cwr = False
        conn.congestion = conn.congestion.restored(recovery.prior_cwnd, recovery.prior_ssthresh)
        if conn.congestion.controls:
            conn.congestion.undone(delivery_rate.path_of(conn, board))
    recovery.undo_marker = None
    recovery.cwnd_at = conn.host.now
    # What is no longer marked lost may still be overdue by RACK: let it look again.
    board.rack.advanced = True


def _may_undo(conn: Connection, board: Scoreboard) -> bool:
    """All repeats were spurious, or what they repeat had only been late (tcp_may_undo)."""
    recovery = board.recovery
    return recovery.undo_marker is not None and (not recovery.undo_retrans or _was_late(conn, board))


def _was_late(conn: Connection, board: Scoreboard) -> bool:
    """The timestamp that is echoed was sent before the first repeat, or there was none (tcp_packet_delayed)."""
    if conn.rtx.retrans_stamp is not None:
        return echoes_before(conn, conn.rtx.retrans_stamp)
    if not board.sack and not before(conn.snd.una, board.recovery.high_seq):
        return False
    return conn.state is not State.SYN_SENT


def echoes_before(conn: Connection, moment: int) -> bool:
    """TSecr is from before a moment (tcp_tsopt_ecr_before)."""
    if not conn.ts.ecr:
        return False
    return before(conn.ts.ecr, conn.host.tsval(conn.ts.offset, moment))


def is_spurious_repeat(conn: Connection, entry: Unacked) -> bool:
    """What has arrived is the original and not its repeat, by the timestamp (tcp_skb_spurious_retrans)."""
    return bool(entry.tags & SENT_AGAIN) and echoes_before(conn, entry.sent_at)


def _holds_without_sack(conn: Connection, board: Scoreboard) -> bool:
    """Without SACK the state lasts until more than HIGH.SEQ is acknowledged (tcp_is_non_sack_preventing_reopen)."""
    if board.sack or conn.snd.una != board.recovery.high_seq:
        return False
    if not repeats_out(board):
        conn.rtx.retrans_stamp = None
    return True


def try_undo_recovery(conn: Connection, board: Scoreboard) -> bool:
    """The state is over: take the reduction back if it was wrong; whether the state stays (tcp_try_undo_recovery)."""
    recovery = board.recovery
    if _may_undo(conn, board):
        _undo(conn, board, unmark=False)
        conn.host.count("TCPLossUndo" if recovery.state is CaState.LOSS else "TCPFullUndo")
    else:
        rack.recovery_over(board)
    if _holds_without_sack(conn, board):
        return True
    recovery.state = CaState.OPEN
    recovery.reneging = False
    return False


def try_undo_by_dsack(conn: Connection, board: Scoreboard) -> bool:
    """D-SACKs have told of every repeat: none was needed (tcp_try_undo_dsack)."""
    recovery = board.recovery
    if recovery.undo_marker is None or recovery.undo_retrans:
        return False
    rack.keep_window_longer(board)
    _undo(conn, board, unmark=False)
    conn.host.count("TCPDSACKUndo")
    return True


def try_undo_loss(conn: Connection, board: Scoreboard, by_frto: bool = False) -> bool:
    """The time-out was wrong (tcp_try_undo_loss)."""
    if not by_frto and not _may_undo(conn, board):
        return False
    _undo(conn, board, unmark=True)
    conn.host.count("TCPLossUndo")
    if by_frto:
        conn.host.count("TCPSpuriousRTOs")
    conn.rtx.retransmits = 0
    if _holds_without_sack(conn, board):
        return True
    if by_frto or board.sack:
        board.recovery.state = CaState.OPEN
        board.recovery.reneging = False
    return True


def try_undo_partial(conn: Connection, board: Scoreboard, result: AckResult) -> bool:
    """A partial ACK for what was late and not lost; whether repeats are still under way (tcp_try_undo_partial)."""
    if board.recovery.undo_marker is None or not _was_late(conn, board):
        return False
    reordering.seen_by_sack(conn, board, result.prior_una, "TCPTSReorder")
    if board.retrans_out:
        return True
    if not repeats_out(board):
        conn.rtx.retrans_stamp = None
    _undo(conn, board, unmark=True)
    conn.host.count("TCPPartialUndo")
    keep_open(conn, board)
    return False


def repeats_out(board: Scoreboard) -> bool:
    """Whether something that was sent again may be under way (tcp_any_retrans_done)."""
    return bool(board.retrans_out or (board.queue and board.queue[0].tags & EVER))


def keep_open(conn: Connection, board: Scoreboard) -> None:
    """Open where all is well, else Disorder (tcp_try_keep_open)."""
    recovery = board.recovery
    wrong = board.sacked_out + board.lost_out > 0 or repeats_out(board)
    state = CaState.DISORDER if wrong else CaState.OPEN
    if recovery.state is not state:
        recovery.state = state
        recovery.high_seq = conn.snd.nxt
