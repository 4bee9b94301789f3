"""Proportional rate reduction: how the congestion window comes down in CWR and Recovery (RFC 6937).

tcp_input.c: tcp_init_cwnd_reduction, tcp_cwnd_reduction, tcp_end_cwnd_reduction.
"""

from __future__ import annotations

from tcpemu.stack.base.congestion_hooks import INFINITE
from tcpemu.stack.control.cwnd_changes import with_cwnd
from tcpemu.stack.records.connection import Connection
from tcpemu.stack.records.loss_recovery import CaState
from tcpemu.stack.records.scoreboard import Scoreboard


def begin_reduction(conn: Connection, board: Scoreboard) -> None:
    """tcp_init_cwnd_reduction."""
    recovery = board.recovery
    recovery.high_seq = conn.snd.nxt
    recovery.probe_high = None
    recovery.prior_cwnd = conn.congestion.cwnd
    recovery.prr_delivered = recovery.prr_out = 0
    conn.congestion = conn.congestion.reduced()
    recovery.queue_cwr = conn.ecn_ok


def reduce(conn: Connection, board: Scoreboard, delivered: int, lost: int, advanced: bool) -> None:
    """Proportional rate reduction: spread the way down over a round trip (RFC 6937; tcp_cwnd_reduction)."""
    recovery = board.recovery
    if delivered <= 0 or not recovery.prior_cwnd:
        return
    recovery.prr_delivered += delivered
    threshold = conn.congestion.ssthresh
    room = threshold - board.in_flight
    if room < 0:
        share = threshold * recovery.prr_delivered + recovery.prior_cwnd - 1
        more = share // recovery.prior_cwnd - recovery.prr_out
    else:
        more = max(recovery.prr_delivered - recovery.prr_out, delivered)
        if advanced and not lost:
            more += 1
        more = min(room, more)
    more = max(more, 0 if recovery.prr_out else 1)
    conn.congestion = with_cwnd(conn.congestion, board.in_flight + more)


def end_reduction(conn: Connection, board: Scoreboard) -> None:
    """It is repaired: the window is the threshold now, unless that was taken back (tcp_end_cwnd_reduction)."""
    recovery = board.recovery
    threshold = conn.congestion.ssthresh
    if threshold < INFINITE and (recovery.state is CaState.CWR or recovery.undo_marker is not None):
        conn.congestion = with_cwnd(conn.congestion, threshold)
        recovery.cwnd_at = conn.host.now
