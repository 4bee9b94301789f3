"""send() and recv() on a connection (tcp.c: tcp_sendmsg_locked, tcp_recvmsg_locked)."""

from __future__ import annotations

import errno

from tcpemu.stack.base.errors import SocketError
from tcpemu.stack.base.sequence_numbers import add
from tcpemu.stack.base.states import State
from tcpemu.stack.connection.sending import delayed_acks, write_buffers
from tcpemu.stack.records.connection import RCV_SHUTDOWN, SEND_SHUTDOWN, Connection


def send(conn: Connection, data: bytes) -> int:
    """Queue data and push it; how many octets were taken (tcp.c: tcp_sendmsg_locked)."""
    if conn.state not in (State.ESTABLISHED, State.CLOSE_WAIT):
        _raise_error(conn)
        if conn.state in (State.SYN_SENT, State.SYN_RECV):
            raise SocketError(errno.EAGAIN)
        raise SocketError(errno.EPIPE)
    if conn.error or conn.shutdown & SEND_SHUTDOWN:
        _raise_error(conn)
        raise SocketError(errno.EPIPE)
    taken = write_buffers.fill(conn, data)
    if data and not taken:
        raise SocketError(errno.EAGAIN)
    return taken


def peek(conn: Connection, size: int) -> bytes:
    """Up to `size` octets of the receive queue, which keeps them (MSG_PEEK)."""
    if not conn.rcv.queue:
        return _nothing_to_read(conn, size, peek=True)
    found = bytearray()
    for chunk in conn.rcv.queue:
        found += chunk.payload[: size - len(found)]
        if len(found) == size:
            break
    delayed_acks.after_read(conn, len(found))
    return bytes(found)


def recv(conn: Connection, size: int) -> bytes:
    """Take up to `size` octets out of the receive queue."""
    if not conn.rcv.queue:
        return _nothing_to_read(conn, size)
    chunks, wanted = [], size
    while wanted and conn.rcv.queue:
        chunk = conn.rcv.queue[0]
        payload = chunk.payload
        if len(payload) > wanted:
            chunk.payload = payload[wanted:]
            payload = payload[:wanted]
        else:
            conn.rcv.queue.popleft()
            conn.rcv.rmem -= chunk.memory
        chunks.append(payload)
        wanted -= len(payload)
    data = b"".join(chunks)
    conn.rcv.copied_seq = add(conn.rcv.copied_seq, len(data))
    if wanted and not conn.rcv.queue:
        _read_fin(conn)
    delayed_acks.after_read(conn, len(data))
    return data


def _read_fin(conn: Connection) -> None:
    """The application has read up to the peer's FIN, which counts as one."""
    if conn.peer_done and conn.rcv.copied_seq != conn.rcv.nxt:
        conn.rcv.copied_seq = add(conn.rcv.copied_seq, 1)


def _nothing_to_read(conn: Connection, size: int, peek: bool = False) -> bytes:
    if not size:
        return b""
    if conn.peer_done:
        if not peek:
            _read_fin(conn)
        delayed_acks.after_read(conn, 0)
        return b""
    _raise_error(conn)
    if conn.shutdown & RCV_SHUTDOWN:
        return b""
    if conn.state is State.CLOSE:
        raise SocketError(errno.ENOTCONN)
    raise SocketError(errno.EAGAIN)


def _raise_error(conn: Connection) -> None:
    """The pending error, once (sock_error)."""
    if conn.error:
        number, conn.error = conn.error, 0
        raise SocketError(number)
