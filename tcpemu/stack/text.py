"""The text of a segment: data in order, data seen before, and FIN. Data beyond a hole is in `reassembly.py`.

tcp_input.c: tcp_data_queue, tcp_queue_rcv, tcp_fin (Linux 6.18).
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from tcpemu.stack import acks, output, reasons, reassembly, window
from tcpemu.stack.events import Reason
from tcpemu.stack.seq import add, after, before, distance
from tcpemu.stack.states import State
from tcpemu.wire.segment import CWR, FIN, Segment

if TYPE_CHECKING:
    from tcpemu.stack.connection import Connection

_CONGESTION_EXPERIENCED = 3


class Chunk:
    """Data that waits to be read, with the memory it takes and the room left in that."""

    __slots__ = ("memory", "payload", "room")

    def __init__(self, payload: bytes, memory: int, room: int) -> None:
        self.payload = payload
        self.memory = memory
        self.room = room


def take(conn: Connection, segment: Segment) -> Reason:
    """Queue what the segment carries, and owe an ACK for it."""
    length = segment.length
    if not length:
        return reasons.ACKED
    conn.dsack = None
    _note_congestion(conn, segment)
    seq, end = segment.seq, add(segment.seq, length)
    room = window.receive_window(conn)
    if seq == conn.rcv_nxt:
        if not room and (segment.payload or not segment.flags & FIN):
            conn.host.count("TCPZeroWindowDrop")
            return _refuse(conn, reasons.DATA_ZERO_WINDOW)
        return _in_order(conn, segment, segment.payload)
    if not after(end, conn.rcv_nxt):
        conn.host.count("DelayedACKLost")
        acks.report_duplicate(conn, seq, end)
        return _refuse(conn, reasons.DATA_OLD)
    if not before(seq, add(conn.rcv_nxt, room)):
        return _refuse(conn, reasons.DATA_BEYOND)
    if before(seq, conn.rcv_nxt):
        acks.report_duplicate(conn, seq, conn.rcv_nxt)
        if not room:
            conn.host.count("TCPZeroWindowDrop")
            return _refuse(conn, reasons.DATA_ZERO_WINDOW)
        return _in_order(conn, segment, segment.payload[distance(seq, conn.rcv_nxt) :])
    return reassembly.keep(conn, segment, end)


def _refuse(conn: Connection, reason: Reason) -> Reason:
    """Nothing is taken, but an ACK is owed at once."""
    acks.enter_quick(conn)
    conn.ack_pending |= acks.SCHEDULED
    return reason


def _in_order(conn: Connection, segment: Segment, payload: bytes) -> Reason:
    memory, room = window.memory_of(segment)
    if payload:
        _make_room(conn)
    whole = len(payload) == len(segment.payload)
    if payload or conn.rcv_queue:
        append(conn, payload, memory, room, joins=whole)
    conn.rcv_nxt = add(segment.seq, segment.length)
    if payload:
        acks.data_arrived(conn, segment, memory)
    if segment.flags & FIN:
        fin(conn)
    if conn.out_of_order:
        reassembly.fill(conn)
        if not conn.out_of_order:
            conn.ack_pending |= acks.NOW
        reassembly.drop_covered_sacks(conn)
    conn.wake()
    return reasons.DATA if payload else reasons.FIN_ARRIVED


def append(conn: Connection, payload: bytes, memory: int, room: int, joins: bool = True) -> None:
    """Put data behind what waits to be read; small pieces are copied into the room of the last.

    tcp_input.c: tcp_queue_rcv, tcp_try_coalesce.
    """
    if conn.rcv_queue is None:
        conn.rcv_queue = deque()
    if joins and conn.rcv_queue and len(payload) <= conn.rcv_queue[-1].room:
        last = conn.rcv_queue[-1]
        last.payload += payload
        last.room -= len(payload)
        conn.host.count("TCPRcvCoalesce")
        return
    if payload:
        conn.rcv_queue.append(Chunk(payload, memory, room))
        conn.rmem += memory


def _make_room(conn: Connection) -> None:
    """A full buffer grows while it may (tcp_input.c: tcp_clamp_window)."""
    if conn.rmem <= conn.rcvbuf:
        return
    conn.host.count("PruneCalled")
    conn.quick = 0
    largest = conn.host.sysctls.tcp_rmem[2]
    if conn.rcvbuf < largest and not conn.options.rcvbuf_locked:
        conn.rcvbuf = min(conn.rmem, largest)
    if conn.rmem > conn.rcvbuf:
        conn.rcv_ssthresh = min(conn.window_clamp, 2 * conn.advmss)


def _note_congestion(conn: Connection, segment: Segment) -> None:
    """RFC 3168: a mark on a packet is echoed until the peer says that it has slowed down."""
    if not conn.ecn:
        return
    if segment.flags & CWR:
        conn.demand_cwr = False
    if segment.payload and segment.tos & 3 == _CONGESTION_EXPERIENCED:
        conn.demand_cwr = True
        conn.ack_pending |= acks.NOW


def fin(conn: Connection) -> None:
    """The peer's FIN has been reached (tcp_fin)."""
    conn.ack_pending |= acks.SCHEDULED
    conn.shutdown |= 1
    conn.peer_done = True
    state = conn.state
    if state in (State.SYN_RECV, State.ESTABLISHED):
        conn.set_state(State.CLOSE_WAIT, "FIN arrives")
        conn.pingpong = 1
    elif state is State.FIN_WAIT1:
        output.send_ack(conn, reasons.SENT_ACK)
        conn.set_state(State.CLOSING, "FIN arrives")
    elif state is State.FIN_WAIT2:
        output.send_ack(conn, reasons.SENT_ACK)
        conn.host.time_wait(conn, State.TIME_WAIT, conn.host.generation.time_wait)
    reassembly.forget(conn)
    conn.wake()
