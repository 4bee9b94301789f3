"""The two queues of a listener: their limit, their length, and what counts when one is full."""

from __future__ import annotations

from tcpemu.stack.base.states import State
from tcpemu.stack.connection.measures import segment_size
from tcpemu.stack.listening import shared_timer
from tcpemu.stack.records.connection import Connection
from tcpemu.stack.records.listener import Listener


def listen(listener: Listener, backlog: int) -> None:
    """Set the limit; nothing in the queues changes (net/socket.c: __sys_listen_socket)."""
    host = listener.host
    listener.backlog = host.generation.clamp_backlog(backlog, host.sysctls.somaxconn)
    if not listener.table:
        _lay_table(listener)
    if listener.state is not State.LISTEN:
        listener.state = State.LISTEN
        host.state_changed(listener.key, State.CLOSE, State.LISTEN, "listen()")
    settings_changed(listener)
    queue_changed(listener)


def settings_changed(listener: Listener) -> None:
    """An option or a sysctl has changed: work out anew what follows from them."""
    listener.own_mss = segment_size.advertised_mss(listener.host, listener.options.maxseg)
    listener.terms.clear()
    listener.first_sizes.clear()


def _lay_table(listener: Listener) -> None:
    """The table of requests, for kernels that keep one for each listener (reqsk_queue_alloc)."""
    generation = listener.host.generation
    listener.table = generation.queues.table(listener.backlog, listener.host.sysctls.tcp_max_syn_backlog)
    if generation.synack.interval:
        listener.timer = shared_timer.new_shared_timer(listener.host, listener.table)


def let_wait(listener: Listener, conn: Connection) -> None:
    """A connection waits for accept() (inet_csk_reqsk_queue_add)."""
    listener.accept_queue.append(conn)
    listener.accepting += 1
    if listener.host.observe:
        queue_changed(listener)


def next_waiting(listener: Listener) -> Connection | None:
    """The one that accept() takes, which waits no longer; None where none waits (reqsk_queue_remove)."""
    if not listener.accepting:
        return None
    conn = listener.accept_queue.popleft()
    listener.accepting -= 1
    if listener.host.observe:
        queue_changed(listener)
    return conn


def overflow(listener: Listener) -> None:
    """Count what the accept queue had no room for."""
    listener.host.count("ListenOverflows")
    listener.host.count("ListenDrops")


def synack_retries(listener: Listener) -> int:
    """How often a SYN|ACK may be sent again now: fewer when old requests fill half the queue.

    inet_connection_sock.c: reqsk_timer_handler. The young half of the queue is kept for new requests.
    """
    synack = listener.host.generation.synack
    if synack.waits:
        return len(synack.waits) - 1
    allowed = listener.options.syncnt or listener.host.sysctls.tcp_synack_retries
    if synack.decay_at(listener):
        young = listener.young << 1
        while allowed > 2 and listener.syn_queue >= young:
            allowed -= 1
            young <<= 1
    return allowed


def queue_changed(listener: Listener) -> None:
    """Report the queues' lengths to whoever watches."""
    host = listener.host
    if host.observe:
        host.queues_changed(listener.port, listener.accepting, listener.syn_queue, listener.backlog)
