"""Sockets: the system calls of an application, non-blocking, with the kernel's errnos.

A socket is unbound, then bound, then a listener or a connection. Errors are `SocketError`, an OSError.
net/ipv4/af_inet.c, tcp.c (Linux 6.18).
"""

from __future__ import annotations

import errno
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tcpemu.stack import active, calls, sockopt
from tcpemu.stack.connection import Connection
from tcpemu.stack.errors import SocketError
from tcpemu.stack.listener import Listener
from tcpemu.stack.states import State
from tcpemu.wire.segment import Address

if TYPE_CHECKING:
    from tcpemu.stack.host import Host


@dataclass(frozen=True, slots=True)
class SocketOptions:
    """What setsockopt() has set; a child shares its listener's."""

    rcvbuf: int
    sndbuf: int
    rcvbuf_locked: bool = False
    sndbuf_locked: bool = False
    reuseaddr: bool = False
    reuseport: bool = False
    keepalive: bool = False
    linger: int | None = None
    """Seconds; None is off."""
    nodelay: bool = False
    cork: bool = False
    maxseg: int = 0
    syncnt: int = 0
    linger2: int = 0
    """Seconds in FIN_WAIT2; 0 for tcp_fin_timeout, negative for none."""
    defer_periods: int = 0
    """TCP_DEFER_ACCEPT as a number of SYN|ACK time-outs."""
    window_clamp: int = 0
    user_timeout: int = 0
    """Milliseconds; 0 is off."""
    tos: int = 0
    ttl: int = 0


class Socket:
    """One socket of a host. Calls that take time take `now`, in nanoseconds."""

    __slots__ = (
        "_bound",
        "_closed",
        "_conn",
        "_connecting",
        "_listener",
        "_may_connect",
        "datagram",
        "host",
        "options",
    )

    def __init__(self, host: Host, options: SocketOptions | None = None, datagram: bool = False) -> None:
        self.host = host
        self.datagram = datagram
        self.options = options or SocketOptions(host.sysctls.tcp_rmem[1], host.sysctls.tcp_wmem[1])
        self._bound: tuple[Address | None, int] | None = None
        self._listener: Listener | None = None
        self._conn: Connection | None = None
        self._connecting = False
        self._may_connect = True
        self._closed = False

    # --- names and readiness ----------------------------------------------------------------------

    @property
    def state(self) -> State:
        if self._listener is not None:
            return self._listener.state
        return State.CLOSE if self._conn is None else self._conn.state

    @property
    def listening(self) -> bool:
        return self._listener is not None and self._listener.state is State.LISTEN

    @property
    def bound_address(self) -> Address | None:
        return None if self._bound is None else self._bound[0]

    @property
    def local(self) -> tuple[Address, int]:
        """getsockname(): address (empty for any) and port (0 when not bound)."""
        if self._conn is not None:
            return self._conn.local, self._conn.local_port
        address, port = self._bound or (None, 0)
        return address or b"", port

    @property
    def remote(self) -> tuple[Address, int] | None:
        """The peer's address and port, also after the end; None without one."""
        return None if self._conn is None else (self._conn.remote, self._conn.remote_port)

    @property
    def error(self) -> int:
        """The pending error (an errno), which SO_ERROR would return and clear."""
        return 0 if self._conn is None else self._conn.error

    @property
    def connection(self) -> Connection | None:
        """The connection behind the socket, to look at."""
        return self._conn

    @property
    def readable(self) -> bool:
        """Whether recv() or accept() would return now, be it with an error."""
        if self._listener is not None:
            return bool(self._listener.accept_queue) or not self.listening
        conn = self._conn
        if conn is None:
            return False
        over = conn.peer_done or conn.error or conn.shutdown & 1 or conn.state is State.CLOSE
        return bool(conn.rcv_queue or over)

    @property
    def writable(self) -> bool:
        """Whether send() would return now, be it with an error; for connect(), whether it is over."""
        conn = self._conn
        if conn is None:
            return False
        if conn.state in (State.SYN_SENT, State.SYN_RECV):
            return False
        return bool(conn.error or conn.shutdown & 2 or calls.send_space(conn) > 0)

    # --- opening ----------------------------------------------------------------------------------

    def bind(self, address: Address | None, port: int) -> None:
        """Take a local address (None for any) and port (0 for a free one). EINVAL, EADDRINUSE, EADDRNOTAVAIL."""
        self._check_open()
        if self._bound is not None or self._conn is not None:
            raise SocketError(errno.EINVAL, "the socket is bound already")
        if not 0 <= port <= 65535:
            raise SocketError(errno.EINVAL, f"port {port} is not 0 to 65535")
        if address is not None and address not in self.host.addresses:
            raise SocketError(errno.EADDRNOTAVAIL, "not an address of this host")
        self._bound = (address, self.host.ports.bind(self, address, port))

    def listen(self, backlog: int, now: int) -> None:
        """Listen, or change the backlog of a listener (inet_listen). EINVAL on a connected socket."""
        self._begin_stream(now)
        if self._conn is not None:
            raise SocketError(errno.EINVAL, "listen() on a connected socket")
        if self._bound is None:
            self.bind(None, 0)
        assert self._bound is not None
        address, port = self._bound
        if self._listener is None:
            self._listener = Listener(self.host, self, address, port)
        if not self.listening:
            others = self.host.listeners.get(port, [])
            if any(_same_address(address, other) for other in others) and not self.options.reuseport:
                raise SocketError(errno.EADDRINUSE, f"somebody listens on port {port} already")
            self.host.listeners.setdefault(port, []).append(self._listener)
        self._listener.options = self.options
        self._listener.listen(backlog)

    def accept(self, now: int) -> Socket:
        """The next completed connection, in the order of completion. EAGAIN when there is none, EINVAL."""
        self._begin_stream(now)
        listener = self._listener
        if listener is None or listener.state is not State.LISTEN:
            raise SocketError(errno.EINVAL, "accept() on a socket that does not listen")
        if not listener.accept_queue:
            raise SocketError(errno.EAGAIN)
        conn = listener.accept_queue.popleft()
        if self.host.observe:
            self.host.queues_changed(listener)
        child = Socket(self.host, conn.options)
        child._conn = conn
        child._may_connect = False
        conn.parent = None
        conn.socket = child
        return child

    def connect(self, address: Address, port: int, now: int) -> None:
        """Open a connection. Raises EINPROGRESS when it has begun, as a non-blocking connect() does.

        Later: EALREADY while it goes on, the error when it has failed, nothing once when it has succeeded,
        EISCONN from then on; after a failure it may try again. ENETUNREACH without a route.
        """
        self._begin_stream(now)
        if self.listening or not self._may_connect:
            self._connect_again()
            return
        if not self.host.routable(address):
            raise SocketError(errno.ENETUNREACH)
        local = self.bound_address or self.host.addresses[0]
        if self._bound is None or not self._bound[1]:
            self._bound = (None, self.host.ports.for_connect(self, local, address, port))
        key = (address, port, local, self._bound[1])
        if key in self.host.flows:
            raise SocketError(errno.EADDRNOTAVAIL, "this flow exists already")
        conn = Connection(self.host, key, self.options, State.CLOSE)
        conn.socket = self
        self._conn, self._listener = conn, None
        self._connecting, self._may_connect = True, False
        self.host.flows[key] = conn
        active.connect(conn)
        raise SocketError(errno.EINPROGRESS)

    def _connect_again(self) -> None:
        conn = self._conn
        if conn is None or not self._connecting:
            raise SocketError(errno.EISCONN)
        if conn.state in (State.SYN_SENT, State.SYN_RECV):
            raise SocketError(errno.EALREADY)
        self._connecting = False
        if conn.state is State.CLOSE:
            self._may_connect = True
            number, conn.error = conn.error or errno.ECONNABORTED, 0
            raise SocketError(number)

    # --- data -------------------------------------------------------------------------------------

    def send(self, data: bytes, now: int) -> int:
        """Queue data; how many octets were taken. EAGAIN when the buffer is full, EPIPE, ECONNRESET, ENOTCONN."""
        self._begin_stream(now)
        if self._conn is None:
            raise SocketError(errno.EPIPE)
        return calls.send(self._conn, data)

    def recv(self, size: int, now: int) -> bytes:
        """Up to `size` octets; b"" at the end. EAGAIN when there are none yet, ENOTCONN, ECONNRESET, ETIMEDOUT."""
        self._begin_stream(now)
        if self._conn is None:
            if self._listener is not None and not self.listening:
                return b""
            raise SocketError(errno.ENOTCONN)
        return calls.recv(self._conn, size)

    # --- the end ----------------------------------------------------------------------------------

    def shutdown(self, how: int, now: int) -> None:
        """Stop receiving (0), sending (1) or both (2). On a listener SHUT_RD ends the listening. ENOTCONN."""
        self._begin_stream(now)
        if how not in (0, 1, 2):
            raise SocketError(errno.EINVAL, f"how is {how}; it can be 0, 1 or 2")
        if self._listener is not None:
            if how != sockopt.SHUT_WR and self.listening:
                self._stop_listening()
            elif not self.listening:
                raise SocketError(errno.ENOTCONN)
            return
        if self._conn is None:
            raise SocketError(errno.ENOTCONN)
        calls.shutdown(self._conn, how + 1)

    def close(self, now: int) -> None:
        """Give the socket up: FIN, or RST with unread data or SO_LINGER 0. EBADF when closed already."""
        self._begin(now)
        self._closed = True
        if self._listener is not None:
            self._stop_listening()
        elif self._conn is not None:
            calls.close(self._conn)
        if self._bound is not None:
            self.host.ports.release(self, self._bound[1])

    def _stop_listening(self) -> None:
        listener = self._listener
        assert listener is not None
        same_port = self.host.listeners.get(listener.port, [])
        if listener in same_port:
            same_port.remove(listener)
            if not same_port:
                del self.host.listeners[listener.port]
        listener.stop()
        self.host.wake(self)

    # --- options ----------------------------------------------------------------------------------

    def setsockopt(self, level: int, name: int, value: int, now: int | None = None) -> None:
        """Set an option by Linux's numbers (`tcpemu.stack.sockopt`). EINVAL, ENOPROTOOPT."""
        self._begin(self.host.now if now is None else now)
        self._set(calls.changed_options(self.host, self.options, level, name, value))
        if level == sockopt.IPPROTO_TCP and self._conn is not None:
            calls.option_took_effect(self._conn, name, value)

    def linger(self, on: bool, seconds: int) -> None:
        """SO_LINGER; with 0 seconds close() sends a RST."""
        self._check_open()
        self._set(replace(self.options, linger=seconds if on else None))

    def getsockopt(self, level: int, name: int) -> int:
        """An option's value; SO_ERROR is cleared by reading it. ENOPROTOOPT."""
        self._check_open()
        if (level, name) == (sockopt.SOL_SOCKET, sockopt.SO_ERROR):
            number = self.error
            if self._conn is not None:
                self._conn.error = 0
            return number
        if (level, name) == (sockopt.SOL_SOCKET, sockopt.SO_ACCEPTCONN):
            return int(self.listening)
        if (level, name) == (sockopt.IPPROTO_TCP, sockopt.TCP_MAXSEG) and self._conn is not None:
            return self._conn.mss_cache
        return calls.option_value(self.host, self.options, level, name)

    def _set(self, options: SocketOptions) -> None:
        self.options = options
        if self._listener is not None:
            self._listener.options = options
            self._listener.settings_changed()
        if self._conn is not None:
            self._conn.options = options

    # --- inside -----------------------------------------------------------------------------------

    def _begin(self, now: int) -> None:
        if self._closed:
            raise SocketError(errno.EBADF)
        self.host.now = now

    def _begin_stream(self, now: int) -> None:
        """UDP is here for its errors alone: it neither listens nor accepts, and carries nothing."""
        self._begin(now)
        if self.datagram:
            raise SocketError(errno.EOPNOTSUPP, "a datagram socket cannot do that here")

    def _check_open(self) -> None:
        if self._closed:
            raise SocketError(errno.EBADF)


def _same_address(address: Address | None, other: Listener) -> bool:
    return address is None or other.address is None or address == other.address
