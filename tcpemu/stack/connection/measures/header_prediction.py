"""Header prediction: a segment that is just what was expected is worked on with fewer questions asked.

Linux keeps what the flags, the window and the length of the header of such a segment would be (pred_flags), or 0
where none is to be taken: while data lies beyond a hole, while urgent data is awaited, while our window is closed or
the buffer is full. That shows on the wire. Data whose ACK number is the last one's does not run tcp_ack, so it puts
off no probe and counts as no answer; a pure ACK does not ask whether an ACK of our own is due; and SO_RCVBUF is not
looked at while pages that the connection has already suffice.

tcp_input.c: tcp_rcv_established; tcp.h: tcp_fast_path_check.
"""

from __future__ import annotations

from tcpemu.stack.base.sequence_numbers import after, distance
from tcpemu.stack.connection.measures import send_buffer_space
from tcpemu.stack.records.connection import Connection
from tcpemu.wire.options import Nop, Timestamps
from tcpemu.wire.segment import ACK, PSH, Segment

_PAGE = 4096


def switch_on(conn: Connection) -> None:
    """Predict the window that the peer has now (tcp_fast_path_on)."""
    conn.rcv.predicted = conn.snd.wnd >> conn.snd.wscale


def check(conn: Connection) -> None:
    """Predict again, if nothing is in the way (tcp_fast_path_check)."""
    rcv = conn.rcv
    if rcv.wnd and rcv.urgent is None and rcv.rmem < rcv.buffer and not rcv.out_of_order:
        rcv.predicted = conn.snd.wnd >> conn.snd.wscale


def matches(conn: Connection, segment: Segment, stamps: Timestamps | None) -> bool:
    """Whether a segment is what was predicted; PSH makes no difference."""
    rcv, snd = conn.rcv, conn.snd
    if (
        segment.window != rcv.predicted
        or segment.seq != rcv.nxt
        or segment.flags & ~PSH != ACK
        or after(segment.ack, snd.nxt)
    ):
        return False
    options = segment.options
    if not conn.ts.ok:
        return not options
    return (
        stamps is not None
        and len(options) == 3
        and type(options[0]) is Nop
        and type(options[1]) is Nop
        and distance(conn.ts.recent, stamps.val) <= 0x7FFFFFFF
    )


def memory_is_there(conn: Connection, size: int) -> bool:
    """Whether the pages that the connection has already hold a segment of that memory (sk_forward_alloc)."""
    taken = conn.rcv.rmem + send_buffer_space.used(conn)
    return size <= max(-taken % _PAGE, conn.rcv.reserved - taken)


def set_memory_aside(conn: Connection, size: int) -> None:
    """Have as many pages as one more segment of that memory takes (sk_rmem_schedule)."""
    if not memory_is_there(conn, size):
        taken = conn.rcv.rmem + send_buffer_space.used(conn)
        conn.rcv.reserved = taken + size + _PAGE - 1 & -_PAGE


def give_memory_back(conn: Connection, size: int) -> None:
    """Something received is gone, and pages that were set aside go with its memory (sk_mem_uncharge)."""
    conn.rcv.rmem -= size
    conn.rcv.reserved = 0
