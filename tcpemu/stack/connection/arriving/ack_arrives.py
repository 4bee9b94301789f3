"""The acknowledgment of a segment: what its number is worth, TS.Recent, the send window, the congestion window.

In the kernel's order (`process`, `_sender`): the number is judged; TS.Recent and the peer's window are taken over; SACK
blocks tag the scoreboard; what is acknowledged leaves it, and is timed; if anything is unusual, the state of loss
recovery is looked at; the congestion window moves; what is lost is sent again. On the way `AckResult` collects what
later steps ask for. tcp_input.c: tcp_ack (Linux 6.18).
"""

from __future__ import annotations

from enum import Enum

from tcpemu.stack.base import reasons
from tcpemu.stack.base.congestion_hooks import Moment
from tcpemu.stack.base.sequence_numbers import MASK, after, before, distance, offset
from tcpemu.stack.base.states import State
from tcpemu.stack.connection.arriving import acked_data
from tcpemu.stack.connection.measures import header_prediction, segment_size
from tcpemu.stack.connection.sending import data_out, probe_timers, retransmission
from tcpemu.stack.control import control_moment, cwnd_validation, delivery_rate, pacing_rate
from tcpemu.stack.records.ack_result import AckResult
from tcpemu.stack.records.connection import Connection
from tcpemu.stack.records.delayed_ack_bits import NOW
from tcpemu.stack.records.loss_recovery import CaState
from tcpemu.stack.records.scoreboard import Scoreboard
from tcpemu.stack.recovery import congestion_states, loss_marks, prr, rack, sack_blocks
from tcpemu.stack.recovery.congestion_states import Resend
from tcpemu.wire.options import Timestamps
from tcpemu.wire.segment import CWR, ECE, SYN, Segment

_NOTHING, _NEW, _OPEN, _LOSS, _SYN_SENT = (
    Resend.NOTHING,
    Resend.NEW,
    CaState.OPEN,
    CaState.LOSS,
    State.SYN_SENT,
)


class AckValue(Enum):
    """What an acknowledgment number is worth."""

    GOOD = "good"
    OLD = "old"
    """Acknowledged before; whatever else the segment carries counts."""
    TOO_OLD = "too old"
    """Further back than anything the peer can mean (RFC 5961 section 5.2)."""
    UNSENT = "unsent"


_GOOD, _OLD = AckValue.GOOD, AckValue.OLD


def process(
    conn: Connection, segment: Segment, stamps: Timestamps | None, predicted: bool = False
) -> AckValue:
    """Process the acknowledgment; what it was worth.

    What was `predicted` has the window that is known, and its timestamp has been noted already.
    """
    snd = conn.snd
    number, una = segment.ack, snd.una
    if before(number, una):
        if before(number, una - min(snd.max_window, snd.bytes_acked) & MASK):
            return AckValue.TOO_OLD
        if not predicted and conn.host.generation.arrivals.old_acks_stamp:
            _update_ts_recent(conn, segment, stamps)
        _old(conn, segment)
        return _OLD
    if after(number, snd.nxt):
        return AckValue.UNSENT
    result = AckResult(una)
    if number != una:
        result.advanced = True
        conn.rcv.reserved = 0
        conn.rtx.retransmits = 0
    board = conn.scoreboard
    highest = loss_marks.highest_sack_seq(conn, board) if board is not None and board.sack else una
    if not predicted:
        _update_ts_recent(conn, segment, stamps)
        if segment.flags & CWR and conn.ecn_ok:
            _accept_cwr(conn, segment)
    result.data = segment.length > 0
    if predicted and result.advanced:
        snd.wl1, result.window = segment.seq, True
    else:
        result.window = _update_window(conn, segment)
    snd.bytes_acked += distance(una, number)
    snd.una = number
    if snd.up is not None and not after(snd.up, number):
        snd.up = None
    rtx = conn.rtx
    rtx.probes_out = 0
    rtx.heard_at = conn.host.now
    rtx.soft_error = 0
    if board is None:
        probe_timers.window_may_have_opened(conn)
    else:
        _sender(conn, board, segment, result, highest)
    return _GOOD


def _sender(conn: Connection, board: Scoreboard, segment: Segment, result: AckResult, highest: int) -> None:
    """What the acknowledgment means for what is under way: the second half of tcp_ack."""
    delivered, lost, waited = board.delivered, board.lost, bool(board.queue)
    result.prior_in_flight = board.in_flight
    blocks = sack_blocks.blocks_of(segment.options) if board.sack and segment.options else ()
    if blocks:
        sack_blocks.take(conn, board, blocks, segment.ack, result)
    result.ece = conn.ecn_ok and segment.flags & (ECE | SYN) == ECE
    if not waited:
        _nothing_under_way(conn, board, segment.ack, result)
        return
    reneged = board.recovery.reneging
    acked_data.clean_rtx_queue(conn, board, result, highest)
    moment = control_moment.moment_of(conn)
    if moment is not None:
        conn.congestion = conn.congestion.timed(result.rtt, moment)
        control_moment.take_counters(conn, moment)
    if rack.window_may_grow(conn):
        rack.update_reordering_window(board, result.prior_delivered)
    if conn.ecn_ok:
        _tell_of_marks(conn, board, board.delivered - delivered if result.ece else 0)
    congestion_states.probe_answered(conn, board, segment.ack, result)
    what = _NOTHING
    if not result.not_duplicate or result.ca_alert or board.recovery.state is not _OPEN:
        duplicate = not (result.advanced or result.not_duplicate or result.dsack)
        what = congestion_states.fastretrans_alert(conn, board, int(duplicate), result)
    if result.set_timer:
        probe_timers.after_progress(conn)
    arrived = board.delivered - delivered
    if result.ece and arrived:
        conn.host.count("TCPDeliveredCE", arrived)
        board.delivered_ce += arrived
    delivery_rate.note_delivered(conn, board, result, arrived, reneged)
    if conn.congestion.controls:
        path = delivery_rate.measured(conn, board, result, arrived, board.lost - lost, reneged)
        conn.congestion = conn.congestion.controlled(path)
        delivery_rate.take_over(conn, board, path)
    else:
        _move_window(conn, board, result, arrived, board.lost - lost, moment)
        pacing_rate.update(conn)
    _send_again(conn, board, what)


def _accept_cwr(conn: Connection, segment: Segment) -> None:
    """The peer has slowed down: its window may be so small that it waits for this ACK (tcp_ecn_accept_cwr)."""
    conn.ack.demand_cwr = False
    if segment.length:
        conn.ack.pending |= NOW


def _tell_of_marks(conn: Connection, board: Scoreboard, marked: int) -> None:
    """A congestion control that needs ECN hears what was delivered, `marked` of it just now (tcp_in_ack_event)."""
    if conn.congestion.needs_ecn:
        conn.congestion = conn.congestion.marks_echoed(
            conn.snd.una, conn.snd.nxt, board.delivered, board.delivered_ce + marked
        )


def _nothing_under_way(conn: Connection, board: Scoreboard, number: int, result: AckResult) -> None:
    """A late D-SACK may still show that nothing had been lost."""
    if conn.ecn_ok:
        _tell_of_marks(conn, board, 0)
    if result.dsack:
        congestion_states.fastretrans_alert(conn, board, 0, result)
    probe_timers.window_may_have_opened(conn)
    congestion_states.probe_answered(conn, board, number, result)


def _old(conn: Connection, segment: Segment) -> None:
    """An ACK that others have overtaken: only its SACK blocks count, where they are not too old."""
    board = conn.scoreboard
    blocks = sack_blocks.blocks_of(segment.options) if board is not None and board.sack else ()
    if board is None or not blocks:
        return
    result = AckResult(conn.snd.una)
    sack_blocks.take(conn, board, blocks, segment.ack, result)
    _send_again(conn, board, congestion_states.fastretrans_alert(conn, board, 0, result))


def _move_window(
    conn: Connection, board: Scoreboard, result: AckResult, delivered: int, lost: int, moment: Moment | None
) -> None:
    """The congestion window goes where the state says (tcp_cong_control)."""
    if board.recovery.reduces:
        prr.reduce(conn, board, delivered, prr.lets_one_more_out(conn, result, lost))
        return
    # Where much is reordered, SACKs count as progress; else only what is acknowledged (tcp_may_raise_cwnd).
    grows = result.acked
    if board.recovery.reordering > conn.host.sysctls.tcp_reordering:
        grows = result.acked or result.syn or result.sacked
    if grows:
        limited = cwnd_validation.is_cwnd_limited(conn, board)
        conn.congestion = conn.congestion.acknowledged(delivered, limited, moment)
        board.recovery.cwnd_at = conn.host.now


def _send_again(conn: Connection, board: Scoreboard, what: Resend) -> None:
    """Send new data to see whether a time-out was right (F-RTO), or what is lost (tcp_xmit_recovery)."""
    if what is _NOTHING or conn.state is _SYN_SENT:
        return
    if what is _NEW:
        data_out.push(conn, nagle=False)
        if after(conn.snd.nxt, board.recovery.high_seq):
            return
        board.recovery.frto = False
    slow = board.recovery.state is _LOSS
    retransmission.send_lost(conn, board, reasons.SENT_SLOW_START if slow else reasons.SENT_FAST)


def _update_ts_recent(conn: Connection, segment: Segment, stamps: Timestamps | None) -> None:
    """TS.Recent, the timestamp to echo: of the last segment that began at or before what we have acknowledged.

    RFC 7323 section 4.3; tcp_replace_ts_recent. Here since a segment without an acceptable ACK does not count.
    """
    if stamps is None or after(segment.seq, conn.rcv.wup):
        return
    if offset(stamps.val, conn.ts.recent) <= 0 or not conn.ts.recent:
        conn.ts.recent = stamps.val
        conn.ts.recent_at = conn.host.now


def may_update_window(conn: Connection, segment: Segment, window: int) -> bool:
    """Whether this segment's window is newer than the one known (RFC 9293; tcp_may_update_window)."""
    if after(segment.ack, conn.snd.una) or after(segment.seq, conn.snd.wl1):
        return True
    if segment.seq != conn.snd.wl1:
        return False
    return window > conn.snd.wnd or (not window and conn.host.generation.arrivals.zero_window_counts)


def _update_window(conn: Connection, segment: Segment) -> bool:
    """Whether the segment's window counts (tcp_ack_update_window)."""
    window = segment.window if segment.flags & SYN else segment.window << conn.snd.wscale
    if not may_update_window(conn, segment, window):
        return False
    conn.snd.wl1 = segment.seq
    if window == conn.snd.wnd:
        return True
    conn.snd.wnd = window
    conn.rcv.predicted = -1
    header_prediction.check(conn)
    if window > conn.snd.max_window:
        conn.snd.max_window = window
        segment_size.sync_mss(conn)
    if conn.snd.queue:
        cwnd_validation.restart_after_idle(conn)  # the window may have been closed for long
    return True
