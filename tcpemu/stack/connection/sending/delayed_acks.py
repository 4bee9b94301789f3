"""Delayed ACKs: whether an ACK is sent at once, late, or with data; and how late.

Data that arrives sets SCHEDULED: an ACK is owed (`data_arrived`). When the segment is processed, `check` sends it

    at once   if more than one full segment waits for it, if something is out of order, or while `quick` lasts,
              a budget of ACKs without delay: the peer is in slow start, at first or after trouble
    late      else: `delay` arms the timer for `ato`, which follows the peer's pace between 40 and 200 ms
    with data that happens to be sent before: `transmit.py` clears what is owed with each segment that has ACK

`pingpong` counts how often data went back and forth: `interactive` says that it does, so that `quick` does not count
and data may carry the ACK. What the application reads may also call for one (`after_read`), for then the window opens.
tcp_input.c: tcp_event_data_recv, __tcp_ack_snd_check; tcp_output.c: tcp_send_delayed_ack.
"""

from __future__ import annotations

from tcpemu.stack.base import reasons
from tcpemu.stack.base.sequence_numbers import distance
from tcpemu.stack.base.states import State
from tcpemu.stack.base.tcp_options import DEFAULT_MSS, LEAST_MSS
from tcpemu.stack.base.timer_queue import Timer, TimerKind
from tcpemu.stack.base.units import MICROSECOND, MILLISECOND
from tcpemu.stack.connection.measures import buffer_tuning, receive_window
from tcpemu.stack.connection.sending import compressed_acks, ecn_echo, transmit
from tcpemu.stack.records.connection import RCV_SHUTDOWN, Connection
from tcpemu.stack.records.delayed_ack_bits import (
    ATO_MIN,
    DELACK_MIN,
    NOW,
    PUSHED,
    PUSHED_TWICE,
    SCHEDULED,
    TIMER,
)
from tcpemu.stack.records.socket_options import DELACK_MAX
from tcpemu.wire.segment import FIN, PSH, RST, SYN, URG, Segment

_CLOSE = State.CLOSE

MAX_QUICK = 16
"""inet_connection_sock.h: TCP_MAX_QUICKACKS."""
_MORE_FLAGS = FIN | SYN | RST | PSH | URG


def data_arrived(conn: Connection, segment: Segment, memory: int) -> None:
    """Owe an ACK for data in order, and learn the peer's pace (tcp_event_data_recv)."""
    ack = conn.ack
    ack.pending |= SCHEDULED
    measure_mss(conn, segment, memory)
    buffer_tuning.measure(conn)
    now = conn.host.tick(conn.host.now)
    if not ack.ato:
        _more_quick(conn)
        ack.ato = ATO_MIN
    else:
        # Half of the last value and this gap, which counts as 20 ms at least.
        gap = now - ack.last_data_at
        if gap <= ATO_MIN // 2:
            ack.ato = conn.host.tick(ack.ato >> 1) + ATO_MIN // 2
        elif gap < ack.ato:
            ack.ato = min(conn.host.tick(ack.ato >> 1) + gap, conn.rtt.rto, DELACK_MAX)
        elif gap > conn.rtt.rto:
            # So long a gap may be a time-out of the peer's, which then sends slowly and needs its ACKs.
            _more_quick(conn)
    ack.last_data_at = now
    ack.flow_label = segment.flow_label
    if conn.ecn_ok:
        note_mark(conn, segment)
    # Small segments waste memory in any case: the window grows by larger ones alone.
    if len(segment.payload) >= 128:
        receive_window.grow(conn, len(segment.payload), memory)


def measure_mss(conn: Connection, segment: Segment, memory: int) -> None:
    """Guess the size of the peer's segments, and how much memory they waste (tcp_measure_rcv_mss)."""
    ack = conn.ack
    last, ack.last_seg_size = ack.last_seg_size, 0
    length = len(segment.payload)
    if conn.host.gro_size:
        length = min(length, conn.host.gro_size)
    if length >= ack.rcv_mss:
        if length != ack.rcv_mss and conn.host.generation.windows.measures:
            _measure_ratio(conn, len(segment.payload), memory)
        ack.rcv_mss = min(length, conn.rcv.advmss)
        if segment.flags & PSH:
            ack.pending |= PUSHED
        return
    # A smaller one counts if its size comes twice in a row, from 536 octets on, or from 88 on where no flag
    # explains why it is short.
    header = 32 if conn.ts.ok else 20
    with_header = length + header
    if with_header >= DEFAULT_MSS + 20 or (with_header >= LEAST_MSS + 20 and not segment.flags & _MORE_FLAGS):
        ack.last_seg_size = length
        if length == last:
            ack.rcv_mss = length
            return
    if ack.pending & PUSHED:
        ack.pending |= PUSHED_TWICE
    ack.pending |= PUSHED


def _measure_ratio(conn: Connection, length: int, memory: int) -> None:
    """What part of their memory such segments fill, in 256ths (tcp_measure_rcv_mss: scaling_ratio)."""
    ratio = (length << 8) // memory or 1
    if ratio != conn.rcv.scaling_ratio:
        conn.rcv.scaling_ratio = ratio
        clamp = receive_window.from_space(ratio, conn.rcv.buffer)
        if conn.host.generation.windows.follows_share:
            receive_window.set_clamp(conn, clamp)
        else:
            conn.rcv.window_clamp = clamp
        conn.rcv.space = min(conn.rcv.space, conn.rcv.window_clamp)


def _more_quick(conn: Connection, most: int = MAX_QUICK) -> None:
    """Acknowledge the next segments at once, up to half the window of them (tcp_incr_quickack)."""
    quick = min(conn.rcv.wnd // (2 * conn.ack.rcv_mss) or 2, most)
    conn.ack.quick = max(conn.ack.quick, quick)


def enter_quick(conn: Connection, most: int = MAX_QUICK) -> None:
    """Acknowledge at once for a while: something is wrong at the peer (tcp_enter_quickack_mode)."""
    _more_quick(conn, most)
    conn.ack.pingpong = 0
    conn.ack.ato = ATO_MIN


def note_mark(conn: Connection, segment: Segment) -> None:
    """Data came with ECN agreed: the peer may have a small window now, and need its ACKs (tcp_data_ecn_check)."""
    if ecn_echo.note_mark(conn, segment.tos & 3):
        enter_quick(conn, 2)


def wait_for_data(conn: Connection) -> None:
    """The ACK of a SYN|ACK waits for data to go with, no longer than an ACK may (tcp_rcv_synsent_state_process)."""
    enter_quick(conn)
    _wait_until(conn, conn.host.now + DELACK_MAX, conn.host.now)


def check(conn: Connection) -> None:
    """Send the ACK that is owed, now or later (__tcp_ack_snd_check)."""
    more_than_one = distance(conn.rcv.wup, conn.rcv.nxt) > conn.ack.rcv_mss and (
        distance(conn.rcv.copied_seq, conn.rcv.nxt) < conn.options.rcvlowat
        or receive_window.new_window(conn) >= conn.rcv.wnd
    )
    if more_than_one or (conn.ack.quick and not interactive(conn)) or conn.ack.pending & NOW:
        transmit.send_ack(conn, reasons.SENT_ACK)
    elif conn.rcv.out_of_order:
        compressed_acks.duplicate(conn)
    else:
        delay(conn)


def delay(conn: Connection) -> None:
    """Work out how long the ACK waits, and arm its timer (tcp_send_delayed_ack)."""
    ato = conn.ack.ato
    if ato > DELACK_MIN:
        longest = 500 * MILLISECOND
        if interactive(conn) or conn.ack.pending & PUSHED:
            longest = DELACK_MAX
        if conn.rtt.srtt:
            # No longer than a round trip, where one is known.
            longest = min(longest, max((conn.rtt.srtt >> 3) * MICROSECOND, DELACK_MIN))
        ato = min(ato, longest)
    host = conn.host
    ato = min(ato, longest_delay(conn))
    now = host.tick(host.now)
    due = now + ato
    if conn.ack.pending & TIMER:
        # It waits already, and would be due soon: then now.
        if conn.ack.due <= now + host.tick(ato >> 2):
            transmit.send_ack(conn, reasons.SENT_ACK)
            return
        due = min(due, conn.ack.due)
    _wait_until(conn, due, now)


def longest_delay(conn: Connection) -> int:
    """How long an ACK may wait: less than the peer's shortest RTO, which is taken to be ours (tcp_delack_max)."""
    jiffy, options = conn.host.jiffy, conn.options
    if not conn.host.generation.sending.acks_before_least_rto:
        return options.delack_max
    return min(options.delack_max, max(options.rto_min_us * MICROSECOND, 2 * jiffy) - jiffy)


def interactive(conn: Connection) -> bool:
    """Data has gone back and forth as often as tcp_pingpong_thresh asks for (inet_csk_in_pingpong_mode)."""
    return conn.ack.pingpong >= conn.host.sysctls.tcp_pingpong_thresh


def _wait_until(conn: Connection, due: int, now: int) -> None:
    """Set the delayed ACK's timer, `now` as the kernel's ticks have it."""
    conn.ack.pending |= SCHEDULED | TIMER
    conn.ack.due = due
    if conn.delayed_ack_timer is None:
        conn.delayed_ack_timer = Timer(TimerKind.DELAYED_ACK, conn)
    # Within the tick that has begun it fires at once, never in the past.
    conn.host.timers.arm(conn.delayed_ack_timer, max(due, conn.host.now), now)


def timer_fired(conn: Connection) -> None:
    """The delayed ACK is due (tcp_timer.c: tcp_delack_timer_handler)."""
    if conn.state is _CLOSE or compressed_acks.flush(conn) or not conn.ack.pending & TIMER:
        return
    conn.ack.pending &= ~TIMER
    if not conn.ack.pending & SCHEDULED:
        return
    if interactive(conn):
        conn.ack.pingpong = 0
        conn.ack.ato = ATO_MIN
    else:
        conn.ack.ato = min(conn.ack.ato << 1, conn.rtt.rto, DELACK_MAX)
    transmit.send_ack(conn, reasons.SENT_DELAYED_ACK)
    conn.host.count("DelayedACKs")


def after_read(conn: Connection, copied: int) -> None:
    """The application has read: acknowledge, or say that the window is open (tcp.c: __tcp_cleanup_rbuf)."""
    pending = conn.ack.pending
    if pending & SCHEDULED:
        drained = copied > 0 and not conn.rcv.rmem
        pushed = pending & PUSHED_TWICE or (pending & PUSHED and not interactive(conn))
        if distance(conn.rcv.wup, conn.rcv.nxt) > conn.ack.rcv_mss or (drained and pushed):
            transmit.send_ack(conn, reasons.SENT_ACK)
            return
    if copied <= 0 or conn.shutdown & RCV_SHUTDOWN:
        return
    current = receive_window.receive_window(conn)
    if 2 * current <= conn.rcv.window_clamp:
        wanted = receive_window.new_window(conn)
        if wanted and wanted >= 2 * current:
            transmit.send_ack(conn, reasons.SENT_WINDOW)
