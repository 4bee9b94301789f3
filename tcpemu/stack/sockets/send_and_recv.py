"""send() and recv() on a connection (tcp.c: tcp_sendmsg_locked, tcp_recvmsg_locked)."""

from __future__ import annotations

import errno

from tcpemu.stack.base.congestion_hooks import INITIAL_WINDOW
from tcpemu.stack.base.errors import SocketError
from tcpemu.stack.base.sequence_numbers import add
from tcpemu.stack.base.states import State
from tcpemu.stack.base.tcp_options import DEFAULT_MSS
from tcpemu.stack.connection.sending import data_out, delayed_acks
from tcpemu.stack.control import cwnd_validation
from tcpemu.stack.records.connection import RCV_SHUTDOWN, SEND_SHUTDOWN, Connection

_SEGMENT_MEMORY = 4096 + 256
"""What tcp_sndbuf_expand counts for a segment: payload and headers up to a power of two, and its sk_buff."""


def send_space(conn: Connection) -> int:
    """Octets that send() would take now.

    Differs: the kernel counts the memory of what waits and not its octets (sk_wmem_queued).
    """
    limit = conn.options.sndbuf
    if not conn.options.sndbuf_locked:
        limit = max(limit, 2 * max(conn.congestion.cwnd, INITIAL_WINDOW) * _SEGMENT_MEMORY)
        limit = min(limit, conn.host.sysctls.tcp_wmem[2])
    return limit - conn.send_q


def has_room(conn: Connection) -> bool:
    """Whether poll() calls it writable: a third of the buffer is free (sock.h: __sk_stream_is_writeable)."""
    return send_space(conn) > 0 and send_space(conn) >= conn.send_q >> 1 and not _unsent_enough(conn)


def _unsent_enough(conn: Connection) -> bool:
    """As much waits unsent as TCP_NOTSENT_LOWAT lets (tcp.h: tcp_stream_memory_free)."""
    limit = conn.options.notsent_lowat or conn.host.sysctls.tcp_notsent_lowat
    return len(conn.snd.unsent) >= limit


def send(conn: Connection, data: bytes) -> int:
    """Queue data and push it; how many octets were taken."""
    if conn.state not in (State.ESTABLISHED, State.CLOSE_WAIT):
        _raise_error(conn)
        if conn.state in (State.SYN_SENT, State.SYN_RECV):
            raise SocketError(errno.EAGAIN)
        raise SocketError(errno.EPIPE)
    if conn.error or conn.shutdown & SEND_SHUTDOWN:
        _raise_error(conn)
        raise SocketError(errno.EPIPE)
    space = send_space(conn)
    if data and (space <= 0 or _unsent_enough(conn)):
        raise SocketError(errno.EAGAIN)
    taken = data[: _whole_chunks(conn, len(data), space)]
    if taken and not conn.snd.unsent:
        cwnd_validation.restart_after_idle(conn)
    if taken:
        conn.snd.nagle_push = False
    conn.snd.unsent += taken
    conn.snd.write_seq = add(conn.snd.write_seq, len(taken))
    data_out.push_pending(conn)
    return len(taken)


def _whole_chunks(conn: Connection, wanted: int, space: int) -> int:
    """The kernel takes data in buffers of up to half the peer's window, each whole once it has begun."""
    mss = conn.snd.mss_cache
    goal = max(min(65535, conn.snd.max_window >> 1 or DEFAULT_MSS) // mss * mss, mss)
    return min(wanted, -(-space // goal) * goal)


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
