"""The receive buffer follows what the application reads in a round trip (Dynamic Right-Sizing).

Each time the application reads, at most once a round trip: how much was read since (`adjust`)? If that is more than
ever before, the buffer becomes large enough for twice as much, and for the sender's growth. The round trip is
measured by the receiver: from a segment until a whole window has arrived, or by the timestamp that a full segment
echoes.
tcp_input.c: tcp_rcv_rtt_measure, tcp_rcv_space_adjust, tcp_rcvbuf_grow (Linux 6.18).
"""

from __future__ import annotations

from tcpemu.stack.base.generation import BufferTuning
from tcpemu.stack.base.sequence_numbers import add, before, distance, offset
from tcpemu.stack.base.units import MICROSECOND
from tcpemu.stack.connection.measures import receive_window, round_trip_time
from tcpemu.stack.records.connection import Connection
from tcpemu.wire.segment import Segment

_BY_GROWTH, _BY_SEGMENTS = BufferTuning.BY_GROWTH, BufferTuning.BY_SEGMENTS


def measure(conn: Connection) -> None:
    """A round trip has passed when the window that was open has been filled (tcp_rcv_rtt_measure)."""
    rcv = conn.rcv
    began = rcv.rtt_began
    if began is not None:
        if before(rcv.nxt, rcv.rtt_seq):
            return
        sample = max((conn.host.now - began) // MICROSECOND, 1) << 3
        if not rcv.rtt or sample < rcv.rtt:
            rcv.rtt = sample
    else:
        # The first data. What is read counts from when the connection was opened (tcp_init_buffer_space).
        rcv.space_seq, rcv.space_at = rcv.copied_seq, conn.opened_at
    rcv.rtt_seq = add(rcv.nxt, rcv.wnd)
    rcv.rtt_began = conn.host.now


def measure_by_timestamp(conn: Connection, segment: Segment) -> None:
    """By the echo of a full segment, once for each echo, and while all is read (tcp_rcv_rtt_measure_ts)."""
    rcv = conn.rcv
    if conn.ts.ecr == rcv.last_ecr:
        return
    rcv.last_ecr = conn.ts.ecr
    if segment.length < conn.ack.rcv_mss:
        return
    passed = round_trip_time.by_timestamp(conn, conn.host.generation.windows.least_echo)
    if passed is None or passed <= 0:
        return
    if not rcv.rtt or passed << 3 < rcv.rtt:
        rcv.rtt = passed << 3
    elif rcv.nxt == rcv.copied_seq:
        rcv.rtt += passed - (rcv.rtt >> 3)


def adjust(conn: Connection) -> None:
    """The application has read something (tcp_rcv_space_adjust)."""
    rcv = conn.rcv
    if not rcv.rtt or (conn.host.now - rcv.space_at) // MICROSECOND < rcv.rtt >> 3:
        return
    tuning = conn.host.generation.windows.tuning
    read = offset(rcv.space_seq, rcv.copied_seq)
    if tuning is not _BY_SEGMENTS:
        read -= distance(rcv.copied_seq, rcv.nxt)
    if read > rcv.space:
        if tuning is _BY_GROWTH:
            grow(conn, read)
        else:
            _grow_with_cushion(conn, read)
    rcv.space_seq, rcv.space_at = rcv.copied_seq, conn.host.now


def hole_grew(conn: Connection) -> None:
    """More waits beyond a hole, for which the buffer may grow too (tcp_data_queue_ofo)."""
    if conn.host.generation.windows.tuning is _BY_GROWTH:
        grow(conn, conn.rcv.space)


def _grow_with_cushion(conn: Connection, read: int) -> None:
    """Make room for twice what is read in a round trip and sixteen segments, and more while that grows.

    tcp_rcv_space_adjust, until Linux 6.16.
    """
    rcv, sysctls = conn.rcv, conn.host.sysctls
    before_that, rcv.space = rcv.space, read
    if not sysctls.tcp_moderate_rcvbuf or conn.options.rcvbuf_locked:
        return
    window = (read << 1) + 16 * rcv.advmss
    if before_that:
        window += (window * (read - before_that) // before_that) << 1
    if conn.host.generation.windows.tuning is _BY_SEGMENTS:
        wanted = window // rcv.advmss * _segment_memory(conn)
    else:
        wanted = receive_window.space_for(rcv.scaling_ratio, window)
    _set_buffer(conn, min(wanted, sysctls.tcp_rmem[2]))


def _segment_memory(conn: Connection) -> int:
    """Memory for a full segment, so much that its share of window holds the segment (SKB_TRUESIZE)."""
    rcv = conn.rcv
    head = rcv.advmss + conn.host.generation.header_room
    memory = receive_window.memory_without_rounding(head)
    while receive_window.from_space(rcv.scaling_ratio, memory) < rcv.advmss:
        memory += 128
    return memory


def grow(conn: Connection, read: int) -> None:
    """Make room for twice what is read in a round trip, and more while that grows (tcp_rcvbuf_grow)."""
    rcv, sysctls = conn.rcv, conn.host.sysctls
    before_that, rcv.space = rcv.space, read
    if not sysctls.tcp_moderate_rcvbuf or conn.options.rcvbuf_locked:
        return
    window = read << 1
    if before_that:
        window += (window * (read - before_that) // before_that) << 1
    if rcv.out_of_order:
        window += distance(rcv.nxt, rcv.out_of_order[-1].end)
    _set_buffer(conn, min(receive_window.space_for(rcv.scaling_ratio, window), sysctls.tcp_rmem[2]))


def _set_buffer(conn: Connection, wanted: int) -> None:
    """A buffer of that size, if it is larger than the one there is; the limit of the window goes with it."""
    rcv = conn.rcv
    if wanted > rcv.buffer:
        rcv.buffer = wanted
        rcv.window_clamp = receive_window.from_space(rcv.scaling_ratio, wanted)
