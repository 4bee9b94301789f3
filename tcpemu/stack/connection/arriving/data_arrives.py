"""The data of a segment: in order, received before, beyond the window, or beyond a hole (`out_of_order.py` keeps it).

tcp_input.c: tcp_data_queue (Linux 6.18).
"""

from __future__ import annotations

from tcpemu.stack.base import reasons
from tcpemu.stack.base.events import Reason
from tcpemu.stack.base.sequence_numbers import add, after, before, distance
from tcpemu.stack.connection.arriving import memory_pressure, out_of_order, peer_fin, receive_queue
from tcpemu.stack.connection.measures import header_prediction, receive_window
from tcpemu.stack.connection.sending import delayed_acks, duplicate_reports
from tcpemu.stack.records.connection import Connection
from tcpemu.stack.records.delayed_ack_bits import NO_MEMORY, NOW, SCHEDULED
from tcpemu.wire.segment import FIN, Segment


def take(conn: Connection, segment: Segment) -> Reason:
    """Queue what the segment carries, and owe an ACK for it."""
    length = segment.length
    if not length:
        return reasons.ACKED
    conn.rcv.dsack = None
    seq, end = segment.seq, add(segment.seq, length)
    room = receive_window.receive_window(conn)
    if seq == conn.rcv.nxt:
        if not room and segment.payload:  # a FIN alone needs none
            conn.host.count("TCPZeroWindowDrop")
            return _refuse(conn, reasons.DATA_ZERO_WINDOW)
        return _in_order(conn, segment, segment.payload)
    if not after(end, conn.rcv.nxt):
        duplicate_reports.note_other_path(conn, segment)
        conn.host.count("DelayedACKLost")
        duplicate_reports.report_duplicate(conn, seq, end)
        return _refuse(conn, reasons.DATA_OLD)
    if not before(seq, add(conn.rcv.nxt, room)):
        return _refuse(conn, reasons.DATA_BEYOND)
    if before(seq, conn.rcv.nxt):
        duplicate_reports.report_duplicate(conn, seq, conn.rcv.nxt)
        if not room:
            conn.host.count("TCPZeroWindowDrop")
            return _refuse(conn, reasons.DATA_ZERO_WINDOW)
        return _in_order(conn, segment, segment.payload[distance(seq, conn.rcv.nxt) :])
    return out_of_order.keep(conn, segment, end)


def _refuse(conn: Connection, reason: Reason) -> Reason:
    """Nothing is taken, but an ACK is owed at once."""
    delayed_acks.enter_quick(conn)
    conn.ack.pending |= SCHEDULED
    return reason


def _in_order(conn: Connection, segment: Segment, payload: bytes) -> Reason:
    """Queue data that continues what was received, and whatever it joins to that (tcp_data_queue: queue_and_out)."""
    memory, room = receive_window.memory_of(conn, segment)
    if not _has_memory(conn, segment):
        told = conn.host.generation.windows.none_without_memory
        return reasons.DATA_NO_MEMORY if told else reasons.DATA_NO_MEMORY_SILENT
    if conn.rcv.queue and len(payload) <= conn.rcv.queue[-1].room:
        # Its octets are copied, but the memory for it has been set aside by then; else it is used at once.
        header_prediction.set_memory_aside(conn, memory)
    whole = len(payload) == len(segment.payload)
    if payload or conn.rcv.queue:
        receive_queue.append(conn, payload, memory, room, joins=whole)
    conn.rcv.nxt = add(segment.seq, segment.length)
    if payload:
        delayed_acks.data_arrived(conn, segment, memory)
    if segment.flags & FIN:
        peer_fin.fin(conn)
    if conn.rcv.out_of_order:
        _hole_may_be_filled(conn)
    header_prediction.check(conn)
    conn.host.wake(conn.socket)
    return reasons.DATA if payload else reasons.FIN_ARRIVED


def _has_memory(conn: Connection, segment: Segment) -> bool:
    """Whether there is room, or can be made; where the queue is empty a segment is always taken."""
    if not conn.host.generation.windows.none_without_memory:
        if not conn.rcv.queue or memory_pressure.admit(conn, segment):
            return True
        conn.host.count("TCPRcvQDrop")
        conn.host.wake(conn.socket)
        return False
    if memory_pressure.admit(conn, segment):
        return True
    conn.ack.pending |= SCHEDULED | NOW | NO_MEMORY
    conn.host.wake(conn.socket)
    if not conn.rcv.queue or not segment.payload:
        return True
    conn.host.count("TCPRcvQDrop")
    return False


def _hole_may_be_filled(conn: Connection) -> None:
    """What waited beyond a hole is in order now, or some of it."""
    out_of_order.fill(conn)
    if not conn.rcv.out_of_order:
        # The last hole is filled: tell the sender at once (RFC 5681 section 4.2).
        conn.ack.pending |= NOW
    out_of_order.drop_covered_sacks(conn)


def take_predicted(conn: Connection, segment: Segment, memory: int, room: int) -> None:
    """Queue data that header prediction has found to be in order (tcp_rcv_established)."""
    receive_queue.append(conn, segment.payload, memory, room)
    conn.rcv.nxt = add(segment.seq, len(segment.payload))
    delayed_acks.data_arrived(conn, segment, memory)
