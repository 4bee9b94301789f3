"""Probes: the tail loss probe, which draws an ACK for what was sent last, and the probe of a closed window.

tcp_output.c: tcp_send_loss_probe, tcp_write_wakeup; tcp_timer.c: tcp_probe_timer (Linux 6.18).
"""

from __future__ import annotations

import errno

from tcpemu.stack.base import reasons
from tcpemu.stack.base.events import GivenUp
from tcpemu.stack.base.sequence_numbers import add, distance
from tcpemu.stack.connection.lifetime import closing
from tcpemu.stack.connection.measures import segment_size
from tcpemu.stack.connection.sending import data_out, probe_timers, retransmission, transmit
from tcpemu.stack.records.connection import Connection, WriteTimer
from tcpemu.stack.records.scoreboard import Scoreboard
from tcpemu.stack.recovery import write_timer
from tcpemu.wire.segment import ACK


def send_loss_probe(conn: Connection) -> None:
    """Send new data, or the last segment again, to draw an ACK (tcp_send_loss_probe)."""
    board = conn.scoreboard
    if board and board.recovery.probe_high is None and _probe(conn, board):
        board.recovery.probe_high = conn.snd.nxt
        conn.host.count("TCPLossProbes")
        conn.rtx.timer_is_for = WriteTimer.NOTHING
    write_timer.rearm(conn)


def _probe(conn: Connection, board: Scoreboard) -> bool:
    """Whether a probe went out."""
    board.recovery.probe_repeats = False
    if conn.snd.has_unsent and data_out.window_takes_next(conn):
        return data_out.write_xmit(conn, nagle=False, probe=True) > 0
    last = board[-1]
    if last.pcount > 1:
        mss = segment_size.current_mss(conn)
        length = (last.pcount - 1) * mss
        if len(last.payload) > length:
            board.split(len(board) - 1, length, mss)
            last = board[-1]
    if not retransmission.bare(conn, board, last, 1, reasons.SENT_LOSS_PROBE):
        return False
    board.recovery.probe_repeats = True
    return True


def window_probe_timer(conn: Connection) -> None:
    """tcp_timer.c: tcp_probe_timer, tcp_send_probe0."""
    if conn.scoreboard or not conn.snd.has_unsent:
        conn.rtx.probes_out = 0
        return
    setting, value = "net.ipv4.tcp_retries2", conn.host.sysctls.tcp_retries2
    if conn.orphan:
        setting, value = "net.ipv4.tcp_orphan_retries", conn.host.sysctls.tcp_orphan_retries
    most = value or (ORPHAN_RETRIES if conn.orphan else 0)
    if conn.rtx.probes_out >= most:
        decided = GivenUp(setting, value, conn.host.now - conn.rtx.heard_at)
        conn.host.timer_fired(conn.key, reasons.PROBES_TIMED_OUT, decided)
        words = closing.setting_words(conn.host, setting)
        closing.fail(conn, errno.ETIMEDOUT, f"no answer to the zero window probes{words}")
        conn.host.count("TCPAbortOnTimeout")
        return
    _probe_window(conn)
    if conn.scoreboard or not conn.snd.has_unsent:
        conn.rtx.probes_out = conn.rtt.backoff = 0
        return
    conn.rtx.probes_out += 1
    if conn.rtt.backoff < conn.host.sysctls.tcp_retries2:
        conn.rtt.backoff += 1
    write_timer.set_timer(conn, WriteTimer.WINDOW_PROBE, probe_timers.window_probe_wait(conn))


def _probe_window(conn: Connection) -> None:
    """As much as fits, or an old sequence number that must be answered (tcp_write_wakeup)."""
    room = distance(conn.snd.nxt, add(conn.snd.una, conn.snd.wnd))
    if 0 < room <= 0x7FFFFFFF and conn.snd.unsent:
        data_out.send_up_to(conn, min(room, segment_size.current_mss(conn)))
        return
    conn.host.count("TCPWinProbe")
    transmit.transmit(conn, ACK, add(conn.snd.una, -1), b"", reasons.SENT_WINDOW_PROBE)


ORPHAN_RETRIES = 8
