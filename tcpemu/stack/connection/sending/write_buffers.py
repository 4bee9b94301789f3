"""What send() writes is filled into buffers, pushed as it goes, and marked PSH (tcp.c: tcp_sendmsg_locked, tcp_push).

A buffer takes up to half the peer's largest window in whole segments, so that one may be under way while the next is
filled. Memory is asked for only where a new buffer begins: the last one is filled up whatever the limit.
"""

from __future__ import annotations

from collections import deque

from tcpemu.stack.base.sequence_numbers import add, after
from tcpemu.stack.connection.measures import segment_size, send_buffer_space
from tcpemu.stack.connection.sending import data_out
from tcpemu.stack.control import busy_times, cwnd_validation, delivery_rate
from tcpemu.stack.control.pacing_rate import GSO_MAX_SIZE
from tcpemu.stack.records.connection import Connection
from tcpemu.stack.records.send_buffer import SendBuffer


def fill(conn: Connection, data: bytes, urgent: bool = False, more: bool = False, ends: bool = False) -> int:
    """Take what there is room for, and send what may go; how many octets were taken.

    The last octet of what is `urgent` is the urgent one (MSG_OOB). With `more` a part of a segment waits as under a
    cork, this once (MSG_MORE); nothing joins what `ends` a record from behind (MSG_EOR).
    """
    snd = conn.snd
    delivery_rate.check_application_limited(conn)
    goal, taken = segment_size.current_mss(conn) if urgent else _size_goal(conn), 0
    while taken < len(data):
        buffer = snd.queue[-1] if snd.queue else None
        if buffer is None or len(buffer.payload) >= goal or buffer.eor:
            if not send_buffer_space.is_free(conn):
                snd.no_space = True
                break
            buffer = _new_buffer(conn)
        if not taken:
            buffer.push = False
        part = data[taken : taken + goal - len(buffer.payload)]
        buffer.payload += part
        taken += len(part)
        snd.write_seq = add(snd.write_seq, len(part))
        if taken == len(data):
            buffer.eor = ends
        elif len(buffer.payload) >= goal and not urgent:
            _full(conn, buffer)
    if taken:
        if urgent:
            snd.up = snd.write_seq
        _push(conn, taken == len(data), more)
    return taken


def _new_buffer(conn: Connection) -> SendBuffer:
    """Behind what waits; after an idle time the congestion window comes down first (tcp_skb_entail)."""
    if conn.snd.queue is None:
        conn.snd.queue = deque()
    if not conn.snd.queue and not conn.snd.busy_with:
        busy_times.start(conn, busy_times.BUSY)
    conn.snd.nagle_push = False
    cwnd_validation.restart_after_idle(conn)
    buffer = SendBuffer()
    conn.snd.queue.append(buffer)
    return buffer


def _size_goal(conn: Connection) -> int:
    """Octets of a full buffer: whole segments, as one piece and half of the peer's window take (tcp_xmit_size_goal)."""
    mss, half = segment_size.current_mss(conn), segment_size.half_of_window(conn.snd.max_window)
    return max(min(GSO_MAX_SIZE, half or GSO_MAX_SIZE) // mss * mss, mss)


def _full(conn: Connection, buffer: SendBuffer) -> None:
    """A buffer is full and more follows: send it, marked where it ends far behind the last mark (forced_push)."""
    if _far_behind_push(conn):
        _mark(conn, buffer)
        data_out.push(conn, nagle=False)
    elif conn.snd.queue and buffer is conn.snd.queue[0]:
        data_out.write_xmit(conn, nagle=False, one=True)


def _far_behind_push(conn: Connection) -> bool:
    return after(conn.snd.write_seq, add(conn.snd.pushed_seq, conn.snd.max_window >> 1))


def _mark(conn: Connection, buffer: SendBuffer) -> None:
    """tcp_mark_push."""
    buffer.push = True
    conn.snd.pushed_seq = conn.snd.write_seq


def _push(conn: Connection, whole: bool, more: bool) -> None:
    """What was written is complete, or there is no room for more of it: then nothing is held back (tcp_push)."""
    if not conn.snd.queue:
        return
    more = more and whole
    if not more or _far_behind_push(conn):
        _mark(conn, conn.snd.queue[-1])
    data_out.push(conn, whole, more)
