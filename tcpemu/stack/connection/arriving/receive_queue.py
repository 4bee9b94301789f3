"""Data in order joins what waits to be read, and a full buffer grows.

tcp_input.c: tcp_queue_rcv, tcp_clamp_window (Linux 6.18).
"""

from __future__ import annotations

from collections import deque

from tcpemu.stack.records.connection import Connection
from tcpemu.stack.records.received_data import Unread


def append(conn: Connection, payload: bytes, memory: int, room: int, joins: bool = True) -> None:
    """Append data to what waits to be read; small pieces are copied into the room of the last.

    tcp_input.c: tcp_queue_rcv, tcp_try_coalesce.
    """
    if conn.rcv.queue is None:
        conn.rcv.queue = deque()
    if joins and conn.rcv.queue and len(payload) <= conn.rcv.queue[-1].room:
        last = conn.rcv.queue[-1]
        last.payload += payload
        last.room -= len(payload)
        conn.host.count("TCPRcvCoalesce")
        return
    if payload:
        conn.rcv.queue.append(Unread(payload, memory, room))
        conn.rcv.rmem += memory


def make_room(conn: Connection) -> None:
    """A full buffer grows while it may (tcp_input.c: tcp_clamp_window)."""
    if conn.rcv.rmem <= conn.rcv.buffer:
        return
    conn.host.count("PruneCalled")
    conn.ack.quick = 0
    largest = conn.host.sysctls.tcp_rmem[2]
    if conn.rcv.buffer < largest and not conn.options.rcvbuf_locked:
        conn.rcv.buffer = min(conn.rcv.rmem, largest)
    if conn.rcv.rmem > conn.rcv.buffer:
        conn.rcv.ssthresh = min(conn.rcv.window_clamp, 2 * conn.rcv.advmss)
