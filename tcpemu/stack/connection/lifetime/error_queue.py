"""What a socket is told beside its data: ICMP errors while it connects, and that MSG_ZEROCOPY is done with some octets.

recvmsg() with MSG_ERRQUEUE takes them one by one. An open connection has no ICMP errors there, whatever IP_RECVERR
says: these only become its pending error (tcp_ipv4.c: tcp_v4_err). ip_sockglue.c: ip_icmp_error; datagram.c:
ipv6_icmp_error; skbuff.c: __msg_zerocopy_callback, sock_dequeue_err_skb (Linux 6.18).
"""

from __future__ import annotations

from tcpemu.stack.base.ip_families import is_ipv6
from tcpemu.stack.base.sequence_numbers import MASK, before
from tcpemu.stack.records.connection import Connection, ErrorQueue, QueuedError, ZerocopySend
from tcpemu.wire.icmp import PARAMETER_PROBLEM, IcmpError

ORIGIN_ICMP, ORIGIN_ICMP6, ORIGIN_ZEROCOPY = 2, 3, 5
"""SO_EE_ORIGIN_... (include/uapi/linux/errqueue.h)."""
ZEROCOPY_COPIED = 1
"""SO_EE_CODE_ZEROCOPY_COPIED: the kernel has copied them after all."""


def queue_of(conn: Connection) -> ErrorQueue:
    """The connection's queue, which is made when it is needed."""
    if conn.error_queue is None:
        conn.error_queue = ErrorQueue()
    return conn.error_queue


def add_icmp(conn: Connection, number: int, error: IcmpError) -> None:
    """An ICMP error ends what was connecting: it is queued, over IPv6 only where IPV6_RECVERR asks for it.

    Over IPv4 the kernel's TCP queues it whatever IP_RECVERR says.
    """
    six = is_ipv6(error.src)
    if six and not conn.options.recverr6:
        return
    info = error.rest
    if not six:
        info = error.rest >> 24 if error.kind == PARAMETER_PROBLEM else 0
    origin = ORIGIN_ICMP6 if six else ORIGIN_ICMP
    told = QueuedError(
        number, origin, error.kind, error.code, info, 0, error.quoted_tcp, error.src, conn.key[:2]
    )
    queue_of(conn).entries.append(told)


def take(conn: Connection) -> QueuedError | None:
    """Take the first entry off the queue; the pending error is that of the next one then (sock_dequeue_err_skb)."""
    queue = conn.error_queue
    if queue is None or not queue.entries:
        return None
    entry = queue.entries.pop(0)
    following = queue.entries[0] if queue.entries else None
    if following is not None and following.is_icmp:
        conn.error = following.errno
    elif entry.is_icmp:
        conn.error = 0
    if following is not None:
        conn.host.wake(conn.socket)
    return entry


def clear(conn: Connection) -> None:
    """IP_RECVERR is switched off: what is queued is thrown away."""
    if conn.error_queue is not None:
        conn.error_queue.entries.clear()


def sent_without_copy(conn: Connection, joins: bool) -> None:
    """A send() with MSG_ZEROCOPY is over; its octets end at SND.WRITE_SEQ (msg_zerocopy_realloc).

    Where it `joins` data that waits unsent and is of such a send() too, both are told as one.
    """
    queue = queue_of(conn)
    last = queue.unfinished[-1] if queue.unfinished else None
    if joins and last is not None:
        last.end, last.last = conn.snd.write_seq, queue.next_send
    else:
        queue.unfinished.append(ZerocopySend(queue.next_send, queue.next_send, conn.snd.write_seq))
    queue.next_send = (queue.next_send + 1) & MASK


def acknowledged(conn: Connection, queue: ErrorQueue) -> None:
    """Those sends are over whose octets are all acknowledged, so that no buffer holds them any more."""
    while queue.unfinished and not before(conn.snd.una, queue.unfinished[0].end):
        _finish(conn, queue)


def buffers_gone(conn: Connection) -> None:
    """What was to be sent is forgotten, so every send is over."""
    queue = conn.error_queue
    while queue is not None and queue.unfinished:
        _finish(conn, queue)


def _finish(conn: Connection, queue: ErrorQueue) -> None:
    """A send is over; the next ones in a row are told with it, in one entry (skb_zerocopy_notify_extend).

    As over loopback and a TUN device, octets were copied on their way.
    """
    done = queue.unfinished.pop(0)
    tail = queue.entries[-1] if queue.entries else None
    if tail is not None and tail.origin == ORIGIN_ZEROCOPY and done.first == (tail.data + 1) & MASK:
        tail.data = done.last
    else:
        queue.entries.append(
            QueuedError(0, ORIGIN_ZEROCOPY, 0, ZEROCOPY_COPIED, done.first, done.last, b"", None, None)
        )
    conn.host.wake(conn.socket)
