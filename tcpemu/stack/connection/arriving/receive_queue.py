"""Data in order joins what waits to be read. tcp_input.c: tcp_queue_rcv (Linux 6.18)."""

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
