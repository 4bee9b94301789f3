"""Which local ports are taken, and which one connect() and bind(0) get."""

from __future__ import annotations

import errno

from tcpemu.stack.base.errors import SocketError
from tcpemu.stack.base.secrets import ephemeral_offset
from tcpemu.stack.connection.lifetime import time_wait_bucket
from tcpemu.stack.records.connection import Connection
from tcpemu.stack.records.host_services import Flow, HostServices
from tcpemu.stack.records.time_wait import TimeWait
from tcpemu.stack.sockets.socket_state import SocketState
from tcpemu.wire.segment import Address


class Ports:
    """The bound sockets of a host by port."""

    __slots__ = ("_bound", "_host", "_turn")

    def __init__(self, host: HostServices) -> None:
        self._host = host
        self._bound: dict[int, list[SocketState]] = {}
        self._turn = 0

    def bind(self, socket: SocketState, address: Address | None, port: int) -> int:
        """Bind to a port, or to a free one for 0. Raises SocketError EADDRINUSE."""
        if not port:
            port = self._free(odd=True, start=self._host.secrets.draw.getrandbits(16))
        elif any(_conflict(socket, address, other) for other in self._bound.get(port, ())):
            raise SocketError(errno.EADDRINUSE, f"port {port} is taken")
        elif self._connections_hold(socket, address, port):
            raise SocketError(errno.EADDRINUSE, f"connections hold port {port}; SO_REUSEADDR takes it over")
        self._bound.setdefault(port, []).append(socket)
        return port

    def _connections_hold(self, socket: SocketState, address: Address | None, port: int) -> bool:
        """Whether connections, also in TIME_WAIT, keep the port that their listener had (inet_csk_bind_conflict)."""
        lengths = socket.lengths_of(address)
        for (_, _, local, local_port), flow in self._host.flows.items():
            if local_port == port and lengths & len(local) and (address is None or address == local):
                reusable = _reuseaddr(flow)
                if reusable is not None and not (reusable and socket.options.reuseaddr):
                    return True
        return False

    def release(self, socket: SocketState, port: int) -> None:
        """The socket has been closed."""
        sockets = self._bound.get(port, [])
        if socket in sockets:
            sockets.remove(socket)
        if not sockets:
            self._bound.pop(port, None)

    def for_connect(self, socket: SocketState, local: Address, remote: Address, remote_port: int) -> int:
        """A free port for connect(): even ones first, from a place that depends on the peer.

        inet_hashtables.c: __inet_hash_connect. Raises SocketError EADDRNOTAVAIL.
        """
        # By twos, so that a further connection to the same peer gets the next even port.
        start = ephemeral_offset(self._host.secrets, remote, remote_port) + self._turn
        self._turn += 2
        flows = self._host.flows
        low, high = self._host.sysctls.ip_local_port_range
        span = high - low + 1
        for odd in (0, 1):
            for step in range(odd, span, 2):
                port = low + ((start & ~1) + step) % span
                flow = flows.get((remote, remote_port, local, port))
                if port not in self._bound and (flow is None or _given_up(flow)):
                    self._bound[port] = [socket]
                    return port
        raise SocketError(errno.EADDRNOTAVAIL, "every local port is taken")

    def _free(self, odd: bool, start: int) -> int:
        """A free port for bind(0): odd ones first, from a place drawn at random (inet_csk_find_open_port)."""
        low, high = self._host.sysctls.ip_local_port_range
        span = high - low + 1
        for step in range(span):
            # By twos through the range; in the second round (step * 2 // span is 1) the ports in between.
            port = low + (start * 2 + odd + step * 2 + step * 2 // span) % span
            if port not in self._bound:
                return port
        raise SocketError(errno.EADDRINUSE, "every local port is taken")


def _conflict(socket: SocketState, address: Address | None, other: SocketState) -> bool:
    """Whether two sockets cannot both be bound to a port (inet_connection_sock.c: inet_csk_bind_conflict)."""
    if socket.options.reuseport and other.options.reuseport:
        return False
    both_reuse = socket.options.reuseaddr and other.options.reuseaddr
    if both_reuse and not other.listening:
        return False
    bound = other.bound_address
    if not socket.lengths_of(address) & other.lengths:
        return False
    return address is None or bound is None or address == bound


def _given_up(flow: Flow) -> bool:
    """Whether connect() may have the flow, which is in TIME_WAIT (net.ipv4.tcp_tw_reuse)."""
    return isinstance(flow, TimeWait) and time_wait_bucket.number_for_connect(flow, False) is not None


def _reuseaddr(flow: Flow) -> bool | None:
    """Whether it lets others with SO_REUSEADDR have its port too; None where it holds no port."""
    if isinstance(flow, Connection):
        return flow.options.reuseaddr
    return flow.reuseaddr if isinstance(flow, TimeWait) else None
