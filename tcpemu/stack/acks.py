"""When an ACK is sent: at once, late, or with data.

The first segments are acknowledged at once ("quick"); later ones wait up to `ato`, which follows the peer's
pace; a conversation that goes back and forth ("pingpong") lets data carry the ACK.
tcp_input.c: tcp_event_data_recv, __tcp_ack_snd_check; tcp_output.c: tcp_send_delayed_ack.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tcpemu.stack import output, reasons, window
from tcpemu.stack.options import DEFAULT_MSS, LEAST_MSS
from tcpemu.stack.seq import MASK, after, before, distance
from tcpemu.stack.states import State
from tcpemu.stack.timers import Timer
from tcpemu.stack.units import MICROSECOND, MILLISECOND
from tcpemu.wire.segment import FIN, PSH, RST, SYN, URG, Segment

if TYPE_CHECKING:
    from tcpemu.stack.connection import Connection

SCHEDULED, TIMER, PUSHED, PUSHED_TWICE, NOW = 1, 2, 4, 8, 16
"""Bits of `ack_pending` (inet_connection_sock.h: inet_csk_ack_state_t)."""
ATO_MIN = DELACK_MIN = 40 * MILLISECOND
DELACK_MAX = 200 * MILLISECOND
MAX_QUICK = 16
_MORE_FLAGS = FIN | SYN | RST | PSH | URG


def data_arrived(conn: Connection, segment: Segment, memory: int) -> None:
    """Owe an ACK for data in order, and learn the peer's pace (tcp_event_data_recv)."""
    conn.ack_pending |= SCHEDULED
    measure_mss(conn, segment, memory)
    now = conn.host.now
    if not conn.ato:
        _more_quick(conn)
        conn.ato = ATO_MIN
    else:
        gap = now - conn.lrcvtime
        if gap <= ATO_MIN // 2:
            conn.ato = (conn.ato >> 1) + ATO_MIN // 2
        elif gap < conn.ato:
            conn.ato = min((conn.ato >> 1) + gap, conn.rto, DELACK_MAX)
        elif gap > conn.rto:
            _more_quick(conn)
    conn.lrcvtime = now
    if len(segment.payload) >= 128:
        window.grow(conn, len(segment.payload), memory)


def measure_mss(conn: Connection, segment: Segment, memory: int) -> None:
    """Guess the size of the peer's segments, and how much memory they waste (tcp_measure_rcv_mss)."""
    last, conn.last_seg_size = conn.last_seg_size, 0
    length = len(segment.payload)
    if length >= conn.rcv_mss:
        if length != conn.rcv_mss:
            _measure_ratio(conn, length, memory)
        conn.rcv_mss = min(length, conn.advmss)
        if segment.flags & PSH:
            conn.ack_pending |= PUSHED
        return
    header = 32 if conn.ts_ok else 20
    with_header = length + header
    if with_header >= DEFAULT_MSS + 20 or (with_header >= LEAST_MSS + 20 and not segment.flags & _MORE_FLAGS):
        conn.last_seg_size = length
        if length == last:
            conn.rcv_mss = length
            return
    if conn.ack_pending & PUSHED:
        conn.ack_pending |= PUSHED_TWICE
    conn.ack_pending |= PUSHED


def _measure_ratio(conn: Connection, length: int, memory: int) -> None:
    ratio = (length << 8) // memory or 1
    if ratio != conn.scaling_ratio:
        conn.scaling_ratio = ratio
        window.set_clamp(conn, window.from_space(ratio, conn.rcvbuf))


def _more_quick(conn: Connection) -> None:
    """Acknowledge the next segments at once, up to half the window of them (tcp_incr_quickack)."""
    quick = min(conn.rcv_wnd // (2 * conn.rcv_mss) or 2, MAX_QUICK)
    conn.quick = max(conn.quick, quick)


def enter_quick(conn: Connection) -> None:
    """tcp_enter_quickack_mode."""
    _more_quick(conn)
    conn.pingpong = 0
    conn.ato = ATO_MIN


def check(conn: Connection) -> None:
    """Send the ACK that is owed, now or later (__tcp_ack_snd_check)."""
    more_than_one = distance(conn.rcv_wup, conn.rcv_nxt) > conn.rcv_mss and (
        conn.rcv_nxt == conn.copied_seq or window.new_window(conn) >= conn.rcv_wnd
    )
    if more_than_one or (conn.quick and not conn.pingpong) or conn.ack_pending & NOW:
        output.send_ack(conn, reasons.SENT_ACK)
    elif conn.out_of_order:
        # Differs: from the fourth duplicate ACK on the kernel may compress them (tcp_comp_sack_nr).
        output.send_ack(conn, reasons.SENT_DUP_ACK)
    else:
        delay(conn)


def delay(conn: Connection) -> None:
    """Let the ACK wait for company (tcp_send_delayed_ack)."""
    ato = conn.ato
    if ato > DELACK_MIN:
        longest = 500 * MILLISECOND
        if conn.pingpong or conn.ack_pending & PUSHED:
            longest = DELACK_MAX
        if conn.srtt:
            longest = min(longest, max((conn.srtt >> 3) * MICROSECOND, DELACK_MIN))
        ato = min(ato, longest)
    ato = min(ato, DELACK_MAX)
    host = conn.host
    due = host.now + ato
    if conn.ack_pending & TIMER:
        if conn.delack_at <= host.now + (ato >> 2):
            output.send_ack(conn, reasons.SENT_ACK)
            return
        due = min(due, conn.delack_at)
    conn.ack_pending |= SCHEDULED | TIMER
    conn.delack_at = due
    if conn.ack_timer is None:
        conn.ack_timer = Timer(conn, timer_fired)
    host.timers.arm(conn.ack_timer, due, host.now)


def timer_fired(conn: Connection) -> None:
    """The delayed ACK is due (tcp_timer.c: tcp_delack_timer_handler)."""
    if conn.state is State.CLOSE or not conn.ack_pending & TIMER:
        return
    conn.ack_pending &= ~TIMER
    if not conn.ack_pending & SCHEDULED:
        return
    if conn.pingpong:
        conn.pingpong = 0
        conn.ato = ATO_MIN
    else:
        conn.ato = min(conn.ato << 1, conn.rto, DELACK_MAX)
    output.send_ack(conn, reasons.SENT_DELAYED_ACK)
    conn.host.count("DelayedACKs")


def sent(conn: Connection) -> None:
    """An ACK has gone, alone or with data (tcp_output.c: tcp_event_ack_sent)."""
    if conn.quick:
        if conn.quick <= (1 if conn.ack_pending & SCHEDULED else 0):
            conn.quick = 0
            conn.ato = ATO_MIN
        elif conn.ack_pending & SCHEDULED:
            conn.quick -= 1
    conn.ack_pending = 0
    if conn.ack_timer is not None:
        conn.host.timers.cancel(conn.ack_timer)


def after_read(conn: Connection, copied: int) -> None:
    """The application has read: acknowledge, or say that the window is open (tcp.c: __tcp_cleanup_rbuf)."""
    pending = conn.ack_pending
    if pending & SCHEDULED:
        drained = copied > 0 and not conn.rmem
        pushed = pending & PUSHED_TWICE or (pending & PUSHED and not conn.pingpong)
        if distance(conn.rcv_wup, conn.rcv_nxt) > conn.rcv_mss or (drained and pushed):
            output.send_ack(conn, reasons.SENT_ACK)
            return
    if copied <= 0 or conn.shutdown & 1:
        return
    current = window.receive_window(conn)
    if 2 * current <= conn.window_clamp:
        wanted = window.new_window(conn)
        if wanted and wanted >= 2 * current:
            output.send_ack(conn, reasons.SENT_WINDOW)


def duplicate(conn: Connection, segment: Segment) -> None:
    """Answer a segment that is not acceptable (tcp_send_dupack)."""
    if segment.length and before(segment.seq, conn.rcv_nxt):
        conn.host.count("DelayedACKLost")
        enter_quick(conn)
        end = segment.seq + segment.length & MASK
        report_duplicate(conn, segment.seq, conn.rcv_nxt if after(end, conn.rcv_nxt) else end)
    output.send_ack(conn, reasons.SENT_DUP_ACK)


def report_duplicate(conn: Connection, seq: int, end: int) -> None:
    """Have the next ACK report a duplicate (RFC 2883; tcp_dsack_set)."""
    if conn.sack and conn.host.sysctls.tcp_dsack:
        conn.host.count("TCPDSACKOldSent" if before(seq, conn.rcv_nxt) else "TCPDSACKOfoSent")
        conn.dsack = (seq, end)


def extend_duplicate(conn: Connection, seq: int, end: int) -> None:
    """The same where a report is due already: it grows, if both touch (tcp_dsack_extend)."""
    if conn.dsack is None:
        report_duplicate(conn, seq, end)
        return
    left, right = conn.dsack
    if not after(seq, right) and not after(left, end):
        conn.dsack = (seq if before(seq, left) else left, end if after(end, right) else right)
