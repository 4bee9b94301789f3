"""Data, and a FIN, that came with the peer's SYN or SYN|ACK are taken (tcp_fastopen.c: tcp_fastopen_add_skb)."""

from __future__ import annotations

from tcpemu.stack.base.sequence_numbers import add
from tcpemu.stack.connection.arriving import peer_fin, receive_queue
from tcpemu.stack.connection.measures import receive_window
from tcpemu.stack.records.connection import Connection
from tcpemu.wire.segment import FIN, Segment


def take(conn: Connection, segment: Segment) -> None:
    """What the segment has behind its SYN is received; Fast Open is used on the connection."""
    end = add(segment.seq, segment.length)
    if end == conn.rcv.nxt:
        return
    memory, room = receive_window.memory_of(conn, segment)
    receive_queue.append(conn, segment.payload, memory, room)
    conn.rcv.nxt = end
    if conn.fast_open is not None:
        conn.fast_open.data_acked = True
    if segment.flags & FIN:
        peer_fin.fin(conn)
