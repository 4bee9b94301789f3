"""A listening socket and its two queues.

The SYN queue is a count: the requests themselves live in the host's table of flows, among the connections.
The accept queue is a list of connections that are complete and wait for accept(). Each queue has its own
test for full, and both use the backlog: A > N, Q > N on Linux 6.18, so that each holds one more than asked.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from tcpemu.stack import cookies, reasons, syn
from tcpemu.stack.connection import Connection
from tcpemu.stack.events import Reason
from tcpemu.stack.slices import SharedTimer
from tcpemu.stack.states import State
from tcpemu.wire.options import Timestamps
from tcpemu.wire.segment import ACK, FIN, RST, SYN, Address, Segment

if TYPE_CHECKING:
    from tcpemu.stack.host import Host
    from tcpemu.stack.request import Request
    from tcpemu.stack.socket import Socket, SocketOptions


class Listener:
    """What a socket is from listen() on. `state` is LISTEN, and CLOSE after shutdown() or close()."""

    __slots__ = (
        "accept_queue",
        "address",
        "backlog",
        "cookie_sent",
        "host",
        "options",
        "own_mss",
        "port",
        "socket",
        "state",
        "syn_queue",
        "table",
        "timer",
        "windows",
        "young",
    )

    def __init__(self, host: Host, socket: Socket, address: Address | None, port: int) -> None:
        self.host = host
        self.socket = socket
        self.address = address
        self.port = port
        self.options: SocketOptions = socket.options
        self.state = State.CLOSE
        self.backlog = 0
        self.accept_queue: deque[Connection] = deque()
        self.syn_queue = 0
        """Requests that wait for their final ACK: Q, `icsk_accept_queue.qlen`."""
        self.young = 0
        """Those among them whose timer has not fired yet: Y, `icsk_accept_queue.young`."""
        self.table = 0
        """Entries of the table of requests, where there is one; fixed at the first listen()."""
        self.timer: SharedTimer | None = None
        """The one timer for all requests, where they have none of their own."""
        self.cookie_sent: int | None = None
        """When the last SYN cookie was sent, to the second."""
        self.own_mss: int = 0
        """The MSS that SYN|ACKs announce."""
        self.windows: dict[tuple[int, bool], tuple[int, int, int]] = {}
        """First windows worked out so far, by MSS and whether the peer scales."""

    # --- limits -----------------------------------------------------------------------------------

    def listen(self, backlog: int) -> None:
        """Set the limit; nothing in the queues changes (net/socket.c: __sys_listen_socket)."""
        host = self.host
        self.backlog = host.generation.clamp_backlog(backlog, host.sysctls.somaxconn)
        if not self.table:
            self._lay_table()
        if self.state is not State.LISTEN:
            self.state = State.LISTEN
            host.state_changed(
                (b"", 0, self.address or b"", self.port), State.CLOSE, State.LISTEN, "listen()"
            )
        self.settings_changed()
        self.queue_changed()

    def settings_changed(self) -> None:
        """An option or a sysctl has changed: what was worked out from them is no longer true."""
        self.own_mss = self.host.advertised_mss(self.options.maxseg)
        self.windows.clear()

    def _lay_table(self) -> None:
        """The table of requests, for kernels that keep one for each listener (reqsk_queue_alloc)."""
        generation = self.host.generation
        self.table = generation.queues.table(self.backlog, self.host.sysctls.tcp_max_syn_backlog)
        if generation.synack.interval:
            self.timer = SharedTimer(self.host, self.table)

    @property
    def accepting(self) -> int:
        """Completed connections that wait for accept(): A, `sk_ack_backlog`."""
        return len(self.accept_queue)

    def overflow(self) -> None:
        """Count what the accept queue had no room for."""
        self.host.count("ListenOverflows")
        self.host.count("ListenDrops")

    def synack_retries(self) -> int:
        """How often a SYN|ACK may be sent again now: fewer when old requests fill half the queue.

        inet_connection_sock.c: reqsk_timer_handler. The young half of the queue is kept for new requests.
        """
        synack = self.host.generation.synack
        if synack.waits:
            return len(synack.waits) - 1
        allowed = self.options.syncnt or self.host.sysctls.tcp_synack_retries
        if synack.decay_at(self):
            young = self.young << 1
            while allowed > 2 and self.syn_queue >= young:
                allowed -= 1
                young <<= 1
        return allowed

    def queue_changed(self) -> None:
        """Report the queues' lengths to whoever watches."""
        if self.host.observe:
            self.host.queues_changed(self)

    # --- a segment --------------------------------------------------------------------------------

    def receive(self, segment: Segment) -> Reason:
        """A segment that belongs to no connection and no request (tcp_input.c: tcp_rcv_state_process, LISTEN)."""
        flags = segment.flags
        if flags & (SYN | ACK | RST | FIN) == SYN:
            return syn.arrives(self, segment)
        if not flags & SYN and flags & ACK and not flags & RST:
            reason = cookies.try_ack(self, segment)
            if reason is not None:
                return reason
        if flags & ACK:
            if flags & RST:
                return reasons.LISTENER_ACK_RST
            self.host.send_reset(segment)
            return reasons.LISTENER_ACK
        if flags & RST:
            return reasons.LISTENER_RST
        if flags & SYN and not self.host.generation.fin_spoils_syn:
            return syn.arrives(self, segment)
        return reasons.LISTENER_SYN_FIN if flags & SYN else reasons.LISTENER_NO_SYN

    def establish(self, request: Request, segment: Segment, stamps: Timestamps | None) -> Reason:
        """Make the connection, queue it for accept(), and let it process the segment itself.

        tcp_minisocks.c: tcp_create_openreq_child, tcp_child_process.
        """
        host = self.host
        host.count("PassiveOpens")
        conn = Connection.from_request(request, segment, stamps)
        host.flows[request.key] = conn
        self.accept_queue.append(conn)
        if host.observe:
            host.queues_changed(self)
        conn.first_segment(segment, stamps)
        host.wake(self.socket)
        return reasons.HANDSHAKE_DONE

    # --- its end ----------------------------------------------------------------------------------

    def stop(self) -> None:
        """Stop listening: reset what nobody has accepted; requests vanish when their timer or a segment comes.

        inet_connection_sock.c: inet_csk_listen_stop.
        """
        if self.state is not State.LISTEN:
            return
        self.state = State.CLOSE
        key = (b"", 0, self.address or b"", self.port)
        self.host.state_changed(key, State.LISTEN, State.CLOSE, "the listener is closed")
        queued, self.accept_queue = self.accept_queue, deque()
        for conn in queued:
            conn.disconnect()
        if not self.host.generation.synack.outlive_listener:
            for flow in list(self.host.flows.values()):
                if getattr(flow, "listener", None) is self:
                    flow.remove()  # type: ignore[union-attr,call-arg]
        self.queue_changed()
