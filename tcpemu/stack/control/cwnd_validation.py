"""Congestion window validation: a window that is not filled must not grow, and shrinks when idle (RFC 2861).

tcp_output.c: tcp_cwnd_validate; tcp.c: tcp_slow_start_after_idle_check, tcp_cwnd_restart.
"""

from __future__ import annotations

from tcpemu.stack.base.sequence_numbers import before
from tcpemu.stack.base.states import State
from tcpemu.stack.control import busy_times
from tcpemu.stack.control.cwnd_changes import with_current_ssthresh, with_cwnd
from tcpemu.stack.records.connection import Connection
from tcpemu.stack.records.loss_recovery import CaState
from tcpemu.stack.records.scoreboard import Scoreboard

_OPEN = CaState.OPEN
_SENDS = (State.ESTABLISHED, State.CLOSE_WAIT)


def validate(conn: Connection, sent: int, defers: bool) -> None:
    """Segments were sent, or could not be: note whether the congestion window was the limit (tcp_cwnd_validate)."""
    board = conn.scoreboard
    if board is None:
        return
    recovery = board.recovery
    limited = defers or board.in_flight >= conn.congestion.cwnd
    if not sent and not limited:
        return
    new_window = not before(conn.snd.una, recovery.cwnd_usage_seq)
    busier = not recovery.cwnd_limited and board.packets_out > recovery.max_packets_out
    if new_window or limited or busier:
        recovery.cwnd_limited = limited
        recovery.max_packets_out = board.packets_out
        recovery.cwnd_usage_seq = conn.snd.nxt
    if recovery.reduces:
        recovery.prr_out += sent
    if is_cwnd_limited(conn, board):
        recovery.cwnd_used = 0
        recovery.cwnd_at = conn.host.now
    else:
        _application_limited(conn, board)
        if conn.snd.no_space and not conn.snd.has_unsent and conn.state in _SENDS:
            busy_times.start(
                conn, busy_times.SEND_BUFFER
            )  # all is sent, and the application finds no room for more


def is_cwnd_limited(conn: Connection, board: Scoreboard) -> bool:
    """Whether the window may grow: it was used, or in slow start more than half of it (tcp_is_cwnd_limited)."""
    recovery, congestion = board.recovery, conn.congestion
    if recovery.cwnd_limited:
        return True
    return congestion.cwnd < congestion.ssthresh and congestion.cwnd < 2 * recovery.max_packets_out


def _application_limited(conn: Connection, board: Scoreboard) -> None:
    """A window not filled for an RTO comes halfway down to what was in use (tcp_cwnd_application_limited)."""
    recovery, now = board.recovery, conn.host.now
    recovery.cwnd_used = max(recovery.cwnd_used, board.packets_out)
    if not conn.host.sysctls.tcp_slow_start_after_idle or now - recovery.cwnd_at < conn.rtt.rto:
        return
    if conn.congestion.controls:
        return
    window = conn.congestion.cwnd
    used = max(recovery.cwnd_used, conn.host.initial_cwnd(conn.key[0]))
    if recovery.state is _OPEN and conn.socket is not None:
        if used < window:
            conn.congestion = with_cwnd(with_current_ssthresh(conn.congestion), window + used >> 1)
        recovery.cwnd_used = 0
    recovery.cwnd_at = now


def restart_after_idle(conn: Connection) -> None:
    """Nothing was sent for longer than an RTO: halve the window for each, down to the first (tcp_cwnd_restart)."""
    board = conn.scoreboard
    if board is None or board.queue or not conn.host.sysctls.tcp_slow_start_after_idle:
        return
    if conn.congestion.controls:
        return
    idle = conn.host.now - board.recovery.wrote_at
    if idle <= conn.rtt.rto:
        return
    window = conn.congestion.cwnd
    least = min(conn.host.initial_cwnd(conn.key[0]), window)
    for _ in range(min(-(-idle // conn.rtt.rto) - 1, window.bit_length())):
        window >>= 1
    conn.congestion = with_cwnd(with_current_ssthresh(conn.congestion), max(window, least))
    board.recovery.cwnd_at = conn.host.now
    board.recovery.cwnd_used = 0
