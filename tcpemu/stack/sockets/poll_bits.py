"""What poll() says of a socket: readable, writable, hung up, in error (tcp.c: tcp_poll).

A socket that is nothing yet is writable and hung up at once, as on Linux.
"""

from __future__ import annotations

from tcpemu.stack.base.states import State
from tcpemu.stack.connection.measures import receive_window, send_buffer_space
from tcpemu.stack.records.connection import BOTH_SHUTDOWN, RCV_SHUTDOWN, SEND_SHUTDOWN, Connection
from tcpemu.stack.records.listener import Listener
from tcpemu.stack.sockets.socket_state import SocketState

POLLIN, POLLPRI, POLLOUT, POLLERR, POLLHUP = 1, 2, 4, 8, 16
POLLRDNORM, POLLWRNORM, POLLRDHUP = 0x40, 0x100, 0x2000
"""The numbers of include/uapi/asm-generic/poll.h; POLLRDNORM goes with POLLIN, POLLWRNORM with POLLOUT."""
_IN, _OUT = POLLIN | POLLRDNORM, POLLOUT | POLLWRNORM


def poll(socket: SocketState) -> int:
    """All bits that hold now, whatever is asked for."""
    if socket.listener is not None:
        return _of_listener(socket.listener)
    if socket.connection is None:
        return _OUT | POLLHUP
    return _of_connection(socket.connection)


def _of_listener(listener: Listener) -> int:
    """inet_connection_sock.h: inet_csk_listen_poll; one that was shut down is a socket that is nothing."""
    if listener.state is not State.LISTEN:
        return _OUT | POLLHUP
    return _IN if listener.accepting else 0


def _of_connection(conn: Connection) -> int:
    bits = 0
    if conn.shutdown == BOTH_SHUTDOWN or conn.state is State.CLOSE:
        bits |= POLLHUP
    if conn.shutdown & RCV_SHUTDOWN:
        bits |= _IN | POLLRDHUP
    if not conn.opening:
        if data_waits(conn):
            bits |= _IN
        if conn.rcv.urgent is not None and conn.rcv.urgent.octet >= 0:
            bits |= POLLPRI
        if conn.shutdown & SEND_SHUTDOWN or send_buffer_space.has_room(conn):
            bits |= _OUT
    elif conn.fast_open is not None and conn.fast_open.deferred:
        bits |= _OUT
    told = conn.error_queue is not None and conn.error_queue.entries
    return bits | POLLERR if conn.error or told else bits


def data_waits(conn: Connection) -> bool:
    """Whether as much waits to be read as SO_RCVLOWAT asks for, or no more can come (tcp.h: tcp_epollin_ready)."""
    waits, wanted = conn.recv_q, conn.options.rcvlowat
    if not waits:
        return False
    urgent = conn.rcv.urgent
    if urgent is not None and urgent.seq == conn.rcv.copied_seq and not conn.options.oobinline:
        wanted += 1
    return waits >= wanted or receive_window.receive_window(conn) <= conn.ack.rcv_mss


def only_urgent_waits(conn: Connection) -> bool:
    """Whether nothing waits but the urgent octet, which recv() leaves out."""
    urgent = conn.rcv.urgent
    if urgent is None or conn.options.oobinline or urgent.seq != conn.rcv.copied_seq:
        return False
    return conn.recv_q == 1
