"""The text of a segment: data in order, data beyond a hole, data seen before, and FIN.

tcp_input.c: tcp_data_queue, tcp_data_queue_ofo, tcp_fin (Linux 6.18).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tcpemu.stack import acks, output, reasons, window
from tcpemu.stack.events import Reason
from tcpemu.stack.seq import add, after, before, distance
from tcpemu.stack.states import State
from tcpemu.wire.segment import CWR, FIN, Segment

if TYPE_CHECKING:
    from tcpemu.stack.connection import Connection

_CONGESTION_EXPERIENCED = 3


@dataclass(frozen=True, slots=True)
class Fragment:
    """Data beyond a hole."""

    seq: int
    end: int
    payload: bytes
    fin: bool
    memory: int


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
    return _beyond_hole(conn, segment, end)


def _refuse(conn: Connection, reason: Reason) -> Reason:
    """Nothing is taken, but an ACK is owed at once."""
    acks.enter_quick(conn)
    conn.ack_pending |= acks.SCHEDULED
    return reason


def _in_order(conn: Connection, segment: Segment, payload: bytes) -> Reason:
    memory = window.truesize(len(segment.payload), header_length(conn, segment))
    if payload:
        _make_room(conn)
        _append(conn, payload, memory)
        conn.rcv_nxt = add(conn.rcv_nxt, len(payload))
        acks.data_arrived(conn, segment, memory)
    if segment.flags & FIN:
        conn.rcv_nxt = add(conn.rcv_nxt, 1)
        fin(conn)
    if conn.out_of_order:
        _fill_from_out_of_order(conn)
        if not conn.out_of_order:
            conn.ack_pending |= acks.NOW
        _drop_covered_sacks(conn)
    conn.wake()
    return reasons.DATA if payload else reasons.FIN_ARRIVED


def _append(conn: Connection, payload: bytes, memory: int) -> None:
    if conn.rcv_queue is None:
        conn.rcv_queue = deque()
    conn.rcv_queue.append((payload, memory))
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


def header_length(conn: Connection, segment: Segment) -> int:
    """Octets of the TCP header, for what a segment weighs."""
    return 32 if conn.ts_ok and segment.options else 20


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
    conn.out_of_order = None
    conn.sacks = ()
    conn.wake()


# --- beyond a hole ----------------------------------------------------------------------------------------


def _beyond_hole(conn: Connection, segment: Segment, end: int) -> Reason:
    """Keep it, and say so at once: by SACK where that was agreed."""
    memory = window.truesize(len(segment.payload), header_length(conn, segment))
    acks.measure_mss(conn, segment, memory)
    conn.ack_pending |= acks.SCHEDULED
    conn.host.count("TCPOFOQueue")
    kept = conn.out_of_order
    if kept is None:
        kept = conn.out_of_order = []
    fragment = Fragment(segment.seq, end, segment.payload, bool(segment.flags & FIN), memory)
    for index, other in enumerate(kept):
        if not before(fragment.seq, other.seq) and not after(end, other.end):
            conn.host.count("TCPOFOMerge")
            acks.report_duplicate(conn, fragment.seq, end)
            _add_sack(conn, fragment.seq, end)
            return reasons.DATA_OLD
        if before(fragment.seq, other.seq):
            kept.insert(index, fragment)
            break
    else:
        kept.append(fragment)
    conn.rmem += memory
    _remove_covered(conn, fragment)
    _add_sack(conn, fragment.seq, end)
    if conn.sack:
        window.grow(conn, len(segment.payload), memory)
    return reasons.DATA_AHEAD


def _remove_covered(conn: Connection, fragment: Fragment) -> None:
    """What lies wholly inside a new fragment is kept twice no longer."""
    kept = conn.out_of_order
    assert kept is not None
    for other in [f for f in kept if f is not fragment]:
        if not before(other.seq, fragment.seq) and not after(other.end, fragment.end):
            kept.remove(other)
            conn.rmem -= other.memory
            conn.host.count("TCPOFOMerge")


def _fill_from_out_of_order(conn: Connection) -> None:
    """The hole is filled: what was kept is in order now (tcp_ofo_queue)."""
    kept = conn.out_of_order
    while kept and not after(kept[0].seq, conn.rcv_nxt):
        fragment = kept.pop(0)
        conn.rmem -= fragment.memory
        if not after(fragment.end, conn.rcv_nxt):
            continue
        payload = fragment.payload[distance(fragment.seq, conn.rcv_nxt) :]
        if payload:
            _append(conn, payload, fragment.memory)
        conn.rcv_nxt = fragment.end
        if fragment.fin:
            fin(conn)
            return


def _add_sack(conn: Connection, seq: int, end: int) -> None:
    """The newest block first, joined with those it touches (tcp_sack_new_ofo_skb)."""
    if not conn.sack:
        return
    rest = []
    for left, right in conn.sacks:
        if after(left, end) or before(right, seq):
            rest.append((left, right))
            continue
        seq = left if before(left, seq) else seq
        end = right if after(right, end) else end
    conn.sacks = ((seq, end), *rest[:3])


def _drop_covered_sacks(conn: Connection) -> None:
    if not conn.out_of_order:
        conn.sacks = ()
        return
    conn.sacks = tuple(block for block in conn.sacks if after(block[1], conn.rcv_nxt))
