"""RACK: a segment is lost if one sent later has arrived, and it has had enough time to arrive as well (RFC 8985).

`advance` keeps the latest-sent of the segments that have arrived, with its round-trip time. `detect_loss` then goes
through what was sent before that, oldest first: lost is what was sent longer ago than that round trip plus the
reordering window; for the others it returns how long to wait. The reordering window

    is 0 once three segments were SACKED or a recovery has begun, as long as no reordering was ever seen;
    else is a quarter of the shortest round-trip time, at most the smoothed one;
    grows by another quarter with each round trip that brings a D-SACK, for then something was sent again in vain,
    and falls back to one quarter after 16 recoveries without one.

tcp_recovery.c.
"""

from __future__ import annotations

from tcpemu.stack.base.units import MICROSECOND
from tcpemu.stack.records import sent_pieces
from tcpemu.stack.records.connection import Connection
from tcpemu.stack.records.loss_recovery import CaState
from tcpemu.stack.records.scoreboard import Scoreboard
from tcpemu.stack.records.sent_pieces import LOST, RETRANS, SENT_AGAIN, SentAt, Unacked
from tcpemu.stack.recovery import loss_marks

_RECOVERY = CaState.RECOVERY

_STATIC_WINDOW, _NO_DUPTHRESH = 2, 4
"""Bits of tcp_recovery (tcp.h: TCP_RACK_STATIC_REO_WND, TCP_RACK_NO_DUPTHRESH)."""
STEPS_KEPT = 16
"""Round trips for which a longer window for reordering is kept (tcp.h: TCP_RACK_RECOVERY_THRESH)."""
TIMEOUT_MIN = 2000
"""Microseconds that a timer is given beyond what is asked (tcp.h: TCP_TIMEOUT_MIN_US)."""


def advance(conn: Connection, board: Scoreboard, tags: int, end: int, sent: SentAt) -> None:
    """A segment has arrived. If it was sent again, it counts only where the round trip is long enough to be the
    repeat's and not the original's (tcp_rack_advance).
    """
    rtt = (conn.host.now - sent[0]) // MICROSECOND
    if tags & SENT_AGAIN and (board.min_rtt is None or rtt < board.min_rtt):
        return
    rack = board.rack
    rack.advanced = True
    rack.rtt = rtt
    if sent_pieces.sent_after(sent, rack.sent, end, rack.end):
        rack.sent, rack.end = sent, end


def reordering_window(conn: Connection, board: Scoreboard) -> int:
    """Microseconds by which a segment may be late (tcp_rack_reo_wnd)."""
    recovery = board.recovery
    if not recovery.reordering_seen:
        enough = board.sacked_out >= recovery.reordering
        if recovery.state >= _RECOVERY or (enough and not conn.host.sysctls.tcp_recovery & _NO_DUPTHRESH):
            return 0
    smoothed = conn.rtt.srtt >> 3
    if board.min_rtt is None:
        return smoothed
    # `steps` is at first 1: a quarter of the shortest round-trip time.
    return min((board.min_rtt >> 2) * board.rack.steps, smoothed)


def time_left(conn: Connection, board: Scoreboard, entry: Unacked, window: int) -> int:
    """Microseconds until it counts as lost (tcp_rack_skb_timeout)."""
    return board.rack.rtt + window - (conn.host.now - entry.sent_at) // MICROSECOND


def detect_loss(conn: Connection, board: Scoreboard) -> int:
    """Mark what is lost; microseconds until more may be, 0 for never (tcp_rack_detect_loss)."""
    window, rack, longest = reordering_window(conn, board), board.rack, 0
    for entry in board.sent_order:
        if entry.tags & LOST and not entry.tags & RETRANS:
            continue  # known to be lost, and not sent again yet
        if not sent_pieces.sent_after(rack.sent, entry.sent, rack.end, entry.end):
            break  # all that follows was sent later still
        left = time_left(conn, board, entry, window)
        if left <= 0:
            loss_marks.mark_lost(conn, board, entry)
            board.sent_order.remove(entry)
        else:
            longest = max(longest, left)
    return longest


def look_for_losses(conn: Connection, board: Scoreboard) -> int:
    """Look for losses if something new has arrived; how long to wait for more (tcp_rack_mark_lost)."""
    if not board.rack.advanced:
        return 0
    board.rack.advanced = False
    return detect_loss(conn, board)


def window_may_grow(conn: Connection) -> bool:
    """Whether tcp_recovery lets D-SACKs lengthen it (tcp_rack_update_reo_wnd)."""
    return not conn.host.sysctls.tcp_recovery & _STATIC_WINDOW


def update_reordering_window(board: Scoreboard, prior_delivered: int) -> None:
    """A D-SACK may mean that the window was too short: once a round trip it grows (tcp_rack_update_reo_wnd)."""
    rack, recovery = board.rack, board.recovery
    if not prior_delivered:
        return
    if prior_delivered < rack.last_delivered:
        recovery.dsack_seen = False
    if recovery.dsack_seen:
        rack.steps = min(0xFF, rack.steps + 1)
        recovery.dsack_seen = False
        rack.last_delivered = board.delivered
        rack.steps_kept = STEPS_KEPT
    elif not rack.steps_kept:
        rack.steps = 1


def keep_window_longer(board: Scoreboard) -> None:
    """A recovery was taken back because of D-SACKs: the longer window stays for one more (tcp_try_undo_dsack)."""
    board.rack.steps_kept = min(STEPS_KEPT, board.rack.steps_kept + 1)


def recovery_over(board: Scoreboard) -> None:
    """One of the recoveries for which the longer window stays is over (tcp_try_undo_recovery)."""
    if board.rack.steps_kept:
        board.rack.steps_kept -= 1
