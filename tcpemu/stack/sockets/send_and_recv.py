"""send() and recv() on a connection (tcp.c: tcp_sendmsg_locked, tcp_recvmsg_locked)."""

from __future__ import annotations

import errno
from collections.abc import Sequence

from tcpemu.stack.base.errors import SocketError
from tcpemu.stack.base.sequence_numbers import add, after, before, distance
from tcpemu.stack.base.states import OPENING, State
from tcpemu.stack.connection.lifetime import error_queue
from tcpemu.stack.connection.measures import buffer_tuning, header_prediction
from tcpemu.stack.connection.sending import delayed_acks, write_buffers
from tcpemu.stack.records.connection import RCV_SHUTDOWN, SEND_SHUTDOWN, Connection
from tcpemu.stack.records.received_data import OCTET_READ
from tcpemu.stack.sockets.message_flags import MSG_EOR, MSG_MORE, MSG_OOB

_FURTHEST = 0x7FFFFFFF
"""A number is ahead by at most so much; what is further is behind."""

_MOST_PARTS = 17
"""Pieces of memory that a buffer may refer to (MAX_SKB_FRAGS, the default of net.core.max_skb_frags)."""
_ESTABLISHED, _CLOSE_WAIT, _CLOSE = State.ESTABLISHED, State.CLOSE_WAIT, State.CLOSE


def send(conn: Connection, data: bytes, flags: int = 0) -> int:
    """Queue data and push it; how many octets were taken (tcp.c: tcp_sendmsg_locked).

    Of the flags MSG_OOB, MSG_MORE and MSG_EOR matter.
    """
    if conn.state not in (_ESTABLISHED, _CLOSE_WAIT) and not conn.opened_early:
        _raise_error(conn)
        if conn.state in OPENING:
            raise SocketError(errno.EAGAIN)
        raise SocketError(errno.EPIPE)
    if conn.error or conn.shutdown & SEND_SHUTDOWN:
        _raise_error(conn)
        raise SocketError(errno.EPIPE)
    if flags:
        taken = write_buffers.fill(
            conn, data, bool(flags & MSG_OOB), bool(flags & MSG_MORE), bool(flags & MSG_EOR)
        )
    else:
        taken = write_buffers.fill(conn, data)
    if data and not taken:
        raise SocketError(errno.EAGAIN)
    return taken


def send_without_copy(conn: Connection, data: bytes, flags: int, parts: Sequence[int] = ()) -> int:
    """The same with MSG_ZEROCOPY: the error queue tells when no octet of it is needed any more.

    `parts` are the sizes of the pieces of memory that the octets lie in: a buffer refers to 17 of them at most, as
    net.core.max_skb_frags has it (tcp_sendmsg_locked).
    """
    joins, taken = conn.snd.has_unsent, 0
    for part in _within_buffers(data, parts):
        last = taken + len(part) == len(data)
        try:
            found = send(conn, part, flags if last else flags | MSG_EOR)
        except SocketError as error:
            if taken and error.errno == errno.EAGAIN:
                break
            raise
        taken += found
        if found < len(part):
            break
    if taken:
        error_queue.sent_without_copy(conn, joins)
    return taken


def _within_buffers(data: bytes, parts: Sequence[int]) -> list[bytes]:
    """The octets, cut where a buffer cannot refer to one more piece of memory."""
    filled = [size for size in parts if size]
    if len(filled) <= _MOST_PARTS:
        return [data]
    cut, at = [], 0
    for first in range(0, len(filled), _MOST_PARTS):
        size = sum(filled[first : first + _MOST_PARTS])
        cut.append(data[at : at + size])
        at += size
    return cut


def peek(conn: Connection, size: int) -> bytes:
    """Up to `size` octets of the receive queue, which keeps them (MSG_PEEK)."""
    if not conn.rcv.queue:
        return _nothing_to_read(conn, size, peek=True)
    found, place = bytearray(), conn.rcv.copied_seq
    for chunk in conn.rcv.queue:
        payload = chunk.payload
        if conn.rcv.urgent is not None:
            payload, stops = _up_to_urgent(conn, payload, place, bool(found))
            if stops:
                found += payload[: size - len(found)]
                break
        found += payload[: size - len(found)]
        buffer_tuning.adjust(conn)
        place = add(place, len(chunk.payload))
        if len(found) == size:
            break
    if not found and size:
        return _nothing_to_read(conn, size, peek=True)
    delayed_acks.after_read(conn, len(found))
    return bytes(found)


def _up_to_urgent(conn: Connection, payload: bytes, place: int, found: bool) -> tuple[bytes, bool]:
    """What MSG_PEEK sees of a chunk, and whether it stops there."""
    urgent = conn.rcv.urgent
    assert urgent is not None
    ahead = distance(place, urgent.seq)
    if ahead == 0:
        if found:
            return b"", True
        return (payload, False) if conn.options.oobinline else (payload[1:], False)
    return (payload[:ahead], True) if ahead < len(payload) else (payload, False)


def recv(conn: Connection, size: int) -> bytes:
    """Take up to `size` octets out of the receive queue."""
    rcv = conn.rcv
    if not rcv.queue:
        return _nothing_to_read(conn, size)
    data = _take(conn, size) if rcv.urgent is None else _take_beside_urgent(conn, size)
    if not data and size:
        return _nothing_to_read(conn, size)
    if len(data) < size and not rcv.queue:
        _read_fin(conn)
    delayed_acks.after_read(conn, len(data))
    return data


def _take(conn: Connection, size: int) -> bytes:
    """Up to `size` octets off the receive queue."""
    rcv = conn.rcv
    queue = rcv.queue
    chunks, wanted = [], size
    while wanted and queue:
        chunk = queue[0]
        payload = chunk.payload
        if len(payload) > wanted:
            chunk.payload = payload[wanted:]
            chunk.begun = True
            payload = payload[:wanted]
        else:
            queue.popleft()
            header_prediction.give_memory_back(conn, chunk.memory)
        chunks.append(payload)
        wanted -= len(payload)
        rcv.copied_seq = add(rcv.copied_seq, len(payload))
        if rcv.rtt:
            buffer_tuning.adjust(conn)
    return b"".join(chunks)


def _take_beside_urgent(conn: Connection, size: int) -> bytes:
    """Reading stops in front of the urgent octet; it is left out where it comes first, and after that no matter."""
    rcv, urgent = conn.rcv, conn.rcv.urgent
    assert urgent is not None
    ahead = distance(rcv.copied_seq, urgent.seq)
    if ahead == 0 and not conn.options.oobinline and size:
        _take(conn, 1)
    data = _take(conn, min(size, ahead) if 0 < ahead <= _FURTHEST else size)
    if after(rcv.copied_seq, urgent.seq):
        rcv.urgent = None
        header_prediction.check(conn)
    return data


def recv_urgent(conn: Connection, size: int, peek: bool) -> bytes:
    """The urgent octet (MSG_OOB; tcp.c: tcp_recv_urg)."""
    urgent = conn.rcv.urgent
    if conn.options.oobinline or urgent is None or urgent.octet == OCTET_READ:
        raise SocketError(errno.EINVAL, "there is no urgent data, or SO_OOBINLINE leaves it in the stream")
    if conn.state is _CLOSE and not conn.peer_done:
        raise SocketError(errno.ENOTCONN)
    if urgent.octet >= 0:
        octet = bytes((urgent.octet,))
        if not peek:
            urgent.octet = OCTET_READ
        return octet if size else b""
    if conn.state is _CLOSE or conn.shutdown & RCV_SHUTDOWN:
        return b""
    raise SocketError(errno.EAGAIN)


def waiting(conn: Connection) -> int:
    """Octets that can be read, up to the urgent one (tcp.h: tcp_inq)."""
    rcv, urgent = conn.rcv, conn.rcv.urgent
    if conn.state in OPENING:
        return 0
    if (
        urgent is not None
        and not conn.options.oobinline
        and not before(urgent.seq, rcv.copied_seq)
        and before(urgent.seq, rcv.nxt)
    ):
        return distance(rcv.copied_seq, urgent.seq)
    waits = conn.recv_q
    return waits - 1 if waits and conn.peer_done else waits


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
    if conn.state is _CLOSE:
        raise SocketError(errno.ENOTCONN)
    raise SocketError(errno.EAGAIN)


def _raise_error(conn: Connection) -> None:
    """The pending error, once (sock_error)."""
    if conn.error:
        number, conn.error = conn.error, 0
        raise SocketError(number)
