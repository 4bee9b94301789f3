"""Proportional rate reduction (PRR): how the congestion window comes down in CWR and Recovery (RFC 6937).

The window is not cut at once: each ACK lets out a share of what it says has arrived, so that after one round trip
the window is at the threshold. While more is in flight than the threshold, of each `prior_cwnd` segments delivered
`ssthresh` may be sent; once less is (many were lost), as many as were delivered, and one more while the ACKs make
progress, up to the threshold (the slow start part, PRR-SSRB).

tcp_input.c: tcp_init_cwnd_reduction, tcp_cwnd_reduction, tcp_end_cwnd_reduction.
"""

from __future__ import annotations

from tcpemu.stack.base.congestion_hooks import INFINITE
from tcpemu.stack.control.cwnd_changes import with_cwnd
from tcpemu.stack.records.ack_result import AckResult
from tcpemu.stack.records.connection import Connection
from tcpemu.stack.records.loss_recovery import CaState
from tcpemu.stack.records.scoreboard import Scoreboard

_CWR = CaState.CWR


def begin_reduction(conn: Connection, board: Scoreboard) -> None:
    """The window begins to come down; ECN's CWR goes with the next data (tcp_init_cwnd_reduction)."""
    recovery = board.recovery
    recovery.high_seq = conn.snd.nxt
    recovery.probe_high = None
    recovery.prior_cwnd = conn.congestion.cwnd
    recovery.prr_delivered = recovery.prr_out = 0
    conn.congestion = conn.congestion.reduced()
    recovery.queue_cwr = conn.ecn_ok


def lets_one_more_out(conn: Connection, result: AckResult, lost: int) -> bool:
    """Whether this ACK makes progress, so that the window may open by one more (tcp_cwnd_reduction)."""
    if conn.host.generation.sending.counts_progress:
        return result.advanced and not lost
    return result.repeat_acked and not result.lost_repeat


def reduce(conn: Connection, board: Scoreboard, delivered: int, one_more: bool) -> None:
    """Let out what this ACK allows: the window is what is in flight and so much more (tcp_cwnd_reduction)."""
    recovery = board.recovery
    if delivered <= 0 or not recovery.prior_cwnd:
        return
    recovery.prr_delivered += delivered
    threshold = conn.congestion.ssthresh
    room = threshold - board.in_flight
    if room < 0:
        # Rounded up: threshold / prior_cwnd of what was delivered, less what was sent since.
        share = threshold * recovery.prr_delivered + recovery.prior_cwnd - 1
        more = share // recovery.prior_cwnd - recovery.prr_out
    else:
        more = delivered
        if one_more or conn.host.generation.sending.counts_progress:
            more = max(recovery.prr_delivered - recovery.prr_out, delivered) + one_more
        more = min(room, more)
    # The first ACK lets the fast retransmit out, whatever the sums say.
    more = max(more, 0 if recovery.prr_out else 1)
    conn.congestion = with_cwnd(conn.congestion, board.in_flight + more)


def end_reduction(conn: Connection, board: Scoreboard) -> None:
    """It is repaired: the window is the threshold now, unless that was taken back (tcp_end_cwnd_reduction)."""
    recovery = board.recovery
    threshold = conn.congestion.ssthresh
    if conn.congestion.controls:
        return
    if threshold < INFINITE and (recovery.state is _CWR or recovery.undo_marker is not None):
        conn.congestion = with_cwnd(conn.congestion, threshold)
        recovery.cwnd_at = conn.host.now
