"""Probes: the tail loss probe, which draws an ACK for what was sent last, and the probe of a closed window.

tcp_output.c: tcp_send_loss_probe, tcp_write_wakeup; tcp_timer.c: tcp_probe_timer (Linux 6.18).
"""

from __future__ import annotations

from tcpemu.stack.base import reasons
from tcpemu.stack.base.events import GivenUp, Reason
from tcpemu.stack.base.sequence_numbers import add, distance
from tcpemu.stack.base.units import MILLISECOND
from tcpemu.stack.connection.lifetime import closing, orphans
from tcpemu.stack.connection.measures import segment_size
from tcpemu.stack.connection.sending import data_out, probe_timers, retransmission, transmit
from tcpemu.stack.records.connection import Connection, WriteTimer
from tcpemu.stack.records.scoreboard import Scoreboard
from tcpemu.stack.recovery import write_timer
from tcpemu.wire.segment import ACK

_ORPHAN_RETRIES = 8
"""What tcp_orphan_retries stands for at 0, while the peer is not taken for dead."""


def orphan_retries(conn: Connection, alive: bool) -> int:
    """How often an orphan's data, FIN or probe is sent again; `alive` at 0 (tcp_timer.c: tcp_orphan_retries)."""
    return conn.host.sysctls.tcp_orphan_retries or (_ORPHAN_RETRIES if alive else 0)


def send_loss_probe(conn: Connection) -> None:
    """Send new data, or the last segment again, to draw an ACK (tcp_send_loss_probe)."""
    board = conn.scoreboard
    if board and board.recovery.probe_high is None and _probe(conn, board):
        board.recovery.probe_high = conn.snd.nxt
        conn.host.count("TCPLossProbes")
        conn.rtx.timer_is_for = WriteTimer.NOTHING
    write_timer.rearm(conn)


def _probe(conn: Connection, board: Scoreboard) -> bool:
    """Send the probe itself; whether it went out."""
    board.recovery.probe_repeats = False
    if conn.snd.has_unsent and data_out.window_takes_next(conn):
        return data_out.write_xmit(conn, nagle=False, probe=True) > 0
    last = board[-1]
    # Of a piece of several segments only the last one.
    if last.pcount > 1:
        mss = segment_size.current_mss(conn)
        length = (last.pcount - 1) * mss
        if len(last.payload) > length:
            board.split(len(board) - 1, length, mss)
            last = board[-1]
    if not retransmission.send_again_uncounted(conn, board, last, 1, reasons.SENT_LOSS_PROBE):
        return False
    board.recovery.probe_repeats = True
    return True


def window_probe_timer(conn: Connection) -> None:
    """Time to probe a closed window, or to give up (tcp_timer.c: tcp_probe_timer; tcp_output.c: tcp_send_probe0)."""
    if conn.scoreboard or not conn.snd.has_unsent:
        probe_timers.window_opened(conn)
        return
    if conn.rtx.probes_began is None:
        conn.rtx.probes_began = conn.host.now
    over = _user_timeout_over(conn)
    if conn.orphan and not over and not _silent_for_good(conn) and orphans.ended_early(conn, True):
        return
    if over or _probed_enough(conn):
        decided = _what_decided(conn)
        reason = reasons.CLOSED_WINDOW_TIMED_OUT if over else reasons.PROBES_TIMED_OUT
        conn.host.timer_fired(conn.key, reason, decided)
        words = closing.setting_words(conn.host, decided.setting)
        cause = "the window stayed closed for too long" if over else "no answer to the zero window probes"
        closing.give_up(conn, f"{cause}{words}")
        conn.host.count("TCPAbortOnTimeout")
        return
    wake_up(conn, "TCPWinProbe", reasons.SENT_WINDOW_PROBE)
    if conn.scoreboard or not conn.snd.has_unsent:
        probe_timers.window_opened(conn)
        conn.rtt.backoff = 0
        return
    conn.rtx.probes_out += 1
    if conn.rtt.backoff < conn.host.sysctls.tcp_retries2 and not conn.host.takes_nothing:
        conn.rtt.backoff += 1
    write_timer.set_timer(conn, WriteTimer.WINDOW_PROBE, probe_timers.window_probe_wait(conn))


def _probed_enough(conn: Connection) -> bool:
    """So many probes in a row without an answer end it; of an orphan fewer do."""
    most = conn.host.sysctls.tcp_retries2
    if conn.orphan:
        most = orphan_retries(conn, _lives(conn))
        if _silent_for_good(conn):
            return True
    return conn.rtx.probes_out >= most


def _lives(conn: Connection) -> bool:
    """The peer is not taken for dead while the wait for the next probe is not at its longest."""
    return conn.rtt.rto << conn.rtt.backoff < conn.options.rto_max


def _silent_for_good(conn: Connection) -> bool:
    """An orphan's wait is at its longest, and it was doubled as often as there are retries."""
    return not _lives(conn) and conn.rtt.backoff >= orphan_retries(conn, False)


def _user_timeout_over(conn: Connection) -> bool:
    """TCP_USER_TIMEOUT has passed since the probing began (tcp_probe_timer)."""
    limit, since = conn.options.user_timeout * MILLISECOND, conn.rtx.probes_began
    return bool(limit) and since is not None and conn.host.now - since >= limit


def _what_decided(conn: Connection) -> GivenUp:
    """The setting by which the probing ended."""
    sysctls, waited = conn.host.sysctls, conn.host.now - (conn.rtx.probes_began or conn.host.now)
    if _user_timeout_over(conn):
        return GivenUp("TCP_USER_TIMEOUT", conn.options.user_timeout, waited)
    if conn.orphan:
        return GivenUp("net.ipv4.tcp_orphan_retries", sysctls.tcp_orphan_retries, waited)
    return GivenUp("net.ipv4.tcp_retries2", sysctls.tcp_retries2, waited)


def wake_up(conn: Connection, counter: str, reason: Reason) -> None:
    """Draw an ACK: by as much data as fits, or by an old sequence number, which must be answered (tcp_write_wakeup)."""
    room = data_out.window_room(conn)
    if 0 < room <= 0x7FFFFFFF and conn.snd.unsent:
        data_out.send_up_to(conn, min(room, segment_size.current_mss(conn)))
        return
    up = conn.snd.up
    if up is not None and distance(conn.snd.una, up) <= 0xFFFF:
        # What is urgent is said by a segment of its own (tcp_xmit_probe_skb).
        conn.host.count(counter)
        transmit.transmit(conn, ACK, conn.snd.una, b"", reason)
    conn.host.count(counter)
    transmit.transmit(conn, ACK, add(conn.snd.una, -1), b"", reason)
