"""Sockets: the system calls of an application, non-blocking, with the kernel's errnos.

A socket is unbound, then bound, then a listener or a connection. Errors are `SocketError`, an OSError.
net/ipv4/af_inet.c, tcp.c (Linux 6.18).
"""

from __future__ import annotations

import errno
from collections.abc import Sequence
from dataclasses import replace

from tcpemu.stack.base import socket_constants
from tcpemu.stack.base.errors import NotEmulatedError, SocketError
from tcpemu.stack.base.host_arguments import check_backlog, check_time, packed_address
from tcpemu.stack.base.ip_families import (
    ANY4,
    ANY6,
    LOCALHOST,
    LOCALHOST6,
    is_for_many,
    is_ipv6,
    mapped,
    unmapped,
)
from tcpemu.stack.base.states import State
from tcpemu.stack.connection.arriving import syn_sent
from tcpemu.stack.connection.lifetime import (
    chosen_control,
    closing,
    error_queue,
    establishing,
    time_wait_bucket,
)
from tcpemu.stack.connection.measures import send_buffer_space
from tcpemu.stack.connection.sending import fast_open_syn
from tcpemu.stack.listening import fast_open_syn_arrives, listener_end, queues
from tcpemu.stack.records.connection import RCV_SHUTDOWN, SEND_SHUTDOWN, Connection, QueuedError
from tcpemu.stack.records.fast_open import CLIENT
from tcpemu.stack.records.listener import Listener
from tcpemu.stack.records.socket_options import DELACK_MAX, RTO_MIN_US, SocketOptions
from tcpemu.stack.records.time_wait import TimeWait
from tcpemu.stack.sockets import (
    message_flags,
    option_answers,
    option_rules,
    poll_bits,
    send_and_recv,
    shutdown_and_close,
)
from tcpemu.stack.sockets.option_names import NUMBERS
from tcpemu.stack.sockets.socket_state import SocketState
from tcpemu.stack.sockets.tables import SocketTables
from tcpemu.stack.sockets.tcp_info import TcpInfo
from tcpemu.wire.segment import Address, FlowKey, address_text

_ZEROCOPY = NUMBERS["SO_ZEROCOPY"]
_LISTEN, _CLOSE = State.LISTEN, State.CLOSE


class Socket(SocketState):
    """One socket of a host. Calls that take time take `now`, in nanoseconds."""

    __slots__ = ("_tables",)

    def __init__(
        self,
        tables: SocketTables,
        options: SocketOptions | None = None,
        datagram: bool = False,
        ipv6: bool = False,
    ) -> None:
        host = tables.host
        if options is None:
            options = SocketOptions(
                host.sysctls.tcp_rmem[1],
                host.sysctls.tcp_wmem[1],
                rto_max=host.rto_max,
                rto_min_us=host.rto_min_us,
            )
            if host.first_congestion.needs_ecn:
                options = chosen_control.with_ecn_bits(options, capable=True)
            if ipv6:
                options = replace(options, ipv6=True, v6only=bool(host.sysctls.ipv6_bindv6only))
        SocketState.__init__(self, host, options, datagram)
        self._tables = tables

    # --- names and readiness ----------------------------------------------------------------------

    @property
    def local(self) -> tuple[Address, int]:
        """getsockname(): address (empty for any of IPv4, `::` for any of IPv6) and port (0 when not bound)."""
        address, port = self.connection.key[2:] if self.connection is not None else self.bound or (None, 0)
        if self.options.ipv6:
            any_address = mapped(ANY4) if self.options.v4only else ANY6
            return any_address if address is None else mapped(address), port
        return address or b"", port

    @property
    def remote(self) -> tuple[Address, int] | None:
        """The peer's address and port, also after the end; None without one."""
        if self.connection is None:
            return None
        address, port = self.connection.key[:2]
        return mapped(address) if self.options.ipv6 else address, port

    @property
    def flow(self) -> FlowKey | None:
        """The connection as events name it: remote address and port, local address and port; also after the end."""
        return None if self.connection is None else self.connection.key

    @property
    def error(self) -> int:
        """The pending error (an errno), which SO_ERROR would return and clear."""
        return 0 if self.connection is None else self.connection.error

    @property
    def readable(self) -> bool:
        """Whether recv() or accept() would return now, be it with an error."""
        if self.listener is not None:
            return bool(self.listener.accepting) or not self.listening
        conn = self.connection
        if conn is None:
            return False
        over = conn.peer_done or conn.error or conn.shutdown & RCV_SHUTDOWN or conn.state is _CLOSE
        return bool(over or (conn.rcv.queue and not poll_bits.only_urgent_waits(conn)))

    @property
    def writable(self) -> bool:
        """Whether a third of the send buffer is free, or send() would fail; for connect(), whether it is over."""
        conn = self.connection
        if conn is None:
            return False
        if conn.fast_open is not None and conn.fast_open.deferred:
            return True
        if conn.opening:
            return False
        return bool(conn.error or conn.shutdown & SEND_SHUTDOWN or send_buffer_space.has_room(conn))

    def poll(self) -> int:
        """What poll() would say: POLLIN, POLLOUT, POLLHUP, POLLRDHUP, POLLERR, by Linux's numbers."""
        return poll_bits.poll(self)

    @property
    def unread(self) -> int:
        """Octets that wait to be read, up to the urgent one, without a FIN (ioctl SIOCINQ)."""
        return 0 if self.connection is None else send_and_recv.waiting(self.connection)

    @property
    def at_mark(self) -> bool:
        """Whether all before the urgent octet has been read (ioctl SIOCATMARK, sockatmark())."""
        conn = self.connection
        urgent = None if conn is None else conn.rcv.urgent
        return conn is not None and urgent is not None and urgent.seq == conn.rcv.copied_seq

    # --- opening ----------------------------------------------------------------------------------

    def bind(self, address: Address | str | None, port: int) -> None:
        """Take a local address (packed or in text; None, 0.0.0.0 or :: for any) and port (0 for a free one).

        A socket of IPv6 takes ::ffff:0.0.0.0 for any of IPv4, and none of IPv6.

        EINVAL when it is bound or connected already or the port is not 0 to 65535, EAFNOSUPPORT for an address of the
        other IP, EADDRNOTAVAIL for an address that is not the host's, EADDRINUSE when another socket or a TIME_WAIT
        holds the port (inet_connection_sock.c: inet_csk_get_port).
        """
        self._check_open()
        if self.bound is not None or self.connection is not None:
            raise SocketError(errno.EINVAL, "the socket is bound already")
        if not 0 <= port <= 65535:
            raise SocketError(errno.EINVAL, f"port {port} is not 0 to 65535")
        local = None if address is None else wire_address(self.options, address)
        if local is not None and self.options.v6only and not is_ipv6(local):
            raise SocketError(errno.EINVAL, "IPV6_V6ONLY is set")
        before = self.options
        if local == ANY4:
            local, self.options = None, replace(before, v4only=True)
        if local is not None and not self.host.owns(local):
            raise SocketError(errno.EADDRNOTAVAIL, "not an address of this host")
        try:
            self.bound = (local, self._tables.ports.bind(self, local, port))
        except SocketError:
            self.options = before
            raise

    def listen(self, backlog: object, now: int) -> None:
        """Listen, or change the backlog of a listener. af_inet.c: inet_listen.

        Any backlog is taken: the kernel makes a limit of it, at most net.core.somaxconn. A socket that is not bound
        gets a free port. EINVAL on a connected socket, EADDRINUSE when somebody listens there, EOPNOTSUPP for a
        datagram socket. ConfigurationError for a backlog that is no whole number.
        """
        wanted = check_backlog(backlog)
        self._begin_stream(now)
        if self.connection is not None:
            raise SocketError(errno.EINVAL, "listen() on a connected socket")
        if self.bound is None:
            self.bind(None, 0)
        assert self.bound is not None
        address, port = self.bound
        if self.listener is None:
            self.listener = Listener(
                0, 0, 0, 0, 0, self.host, self, address, port, self.options, self.lengths
            )
        if not self.listening:
            others = self._tables.listeners.get(port, [])
            same = any(_same_address(self.listener, other) for other in others)
            if same and not self.options.reuseport:
                raise SocketError(errno.EADDRINUSE, f"somebody listens on port {port} already")
            self._tables.listeners.setdefault(port, []).append(self.listener)
            self.options = fast_open_syn_arrives.options_at_listen(self.host, self.options, wanted)
        self.listener.options = self.options
        queues.listen(self.listener, wanted)

    def accept(self, now: int) -> Socket:
        """The next completed connection, in the order of completion.

        EAGAIN when there is none, EINVAL when the socket does not listen.
        """
        self._begin(now)
        listener = self.listener
        if listener is None or listener.state is not _LISTEN:
            self._refuse_datagram()
            raise SocketError(errno.EINVAL, "accept() on a socket that does not listen")
        conn = queues.next_waiting(listener)
        if conn is None:
            raise SocketError(errno.EAGAIN)
        child = Socket(self._tables, conn.options)
        child.connection = conn
        child.may_connect = False
        conn.parent = None
        conn.socket = child
        if conn.fast_open is not None:
            conn.fast_open.accepted = True
        return child

    def connect(self, address: Address | str, port: int, now: int) -> None:
        """Open a connection. Raises EINPROGRESS when it has begun, as a non-blocking connect() does.

        Later: EALREADY while it goes on, the error when it has failed, nothing once when it has succeeded,
        EISCONN from then on; after a failure it may try again. ENETUNREACH without a route, EAFNOSUPPORT for an
        address of the other IP; a socket of IPv6 takes `::ffff:192.0.2.1` for one of IPv4. EADDRNOTAVAIL when no
        port of net.ipv4.ip_local_port_range is free for that peer.

        With TCP_FASTOPEN_CONNECT, and a cookie of that server, it succeeds at once, and sends nothing: the SYN goes
        with the data of the first send().
        """
        self._begin_stream(now)
        if self.listening or not self.may_connect:
            self._connect_again()
            return
        conn, iss = self._new_connection(address, port)
        if self.options.fastopen_connect and fast_open_syn.defers(conn):
            syn_sent.wait_for_data(conn)
            return
        syn_sent.connect(conn, iss)
        raise SocketError(errno.EINPROGRESS)

    def disconnect(self, now: int) -> None:
        """connect() with AF_UNSPEC: the connection is over, with RST where the peer may think that it lives.

        connect() may follow, with another port unless bind() gave one. A socket without a connection stays as it is.
        af_inet.c: inet_stream_connect; tcp.c: tcp_disconnect. NotEmulatedError for one that listens.
        """
        self._begin_stream(now)
        if self.listening:
            raise NotEmulatedError("connect() with AF_UNSPEC on a socket that listens is not emulated")
        self.connecting, self.may_connect = False, True
        self._set(replace(self.options, rto_min_us=RTO_MIN_US, delack_max=DELACK_MAX))
        if self.connection is None:
            return
        closing.disconnect(self.connection, "connect() with AF_UNSPEC")
        self.host.wake(self)
        if self.port_chosen and self.bound is not None:
            self._tables.ports.release(self, self.bound[1])
            self.bound, self.port_chosen = None, False

    def _new_connection(self, address: Address | str, port: int) -> tuple[Connection, int | None]:
        """The connection that connect() is to open, and its first number where a TIME_WAIT gives one."""
        peer, local = self._ends_for(address)
        own_port = self.bound is not None and bool(self.bound[1])
        if self.bound is None or not own_port:
            self.bound = (None, self._tables.ports.for_connect(self, local, peer, port))
            self.port_chosen = True
        key = (peer, port, local, self.bound[1])
        before = self.host.flows.get(key)
        iss = time_wait_bucket.number_for_connect(before, own_port) if isinstance(before, TimeWait) else None
        if before is not None and iss is None:
            raise SocketError(errno.EADDRNOTAVAIL, "this flow exists already")
        conn = establishing.new_connection(self.host, key, self.options, State.CLOSE)
        if isinstance(before, TimeWait):
            conn.ts.recent = before.ts_recent
            time_wait_bucket.remove(before, "connect() takes the flow over")
            self.host.count("TWRecycled")
        conn.socket = self
        if self.connection is not None:
            conn.error_queue = self.connection.error_queue
        self.connection, self.listener = conn, None
        self.connecting, self.may_connect = True, False
        self.host.flows[key] = conn
        return conn, iss

    def _ends_for(self, address: Address | str) -> tuple[Address, Address]:
        """The addresses of peer and host, as they will be on the wire (tcp_v4_connect, tcp_v6_connect)."""
        peer = wire_address(self.options, address)
        if peer is None:  # any address is this host
            peer = LOCALHOST6 if self.options.ipv6 else LOCALHOST
        elif peer == ANY4:
            peer = LOCALHOST
        if self.options.v4only and is_ipv6(peer):
            raise SocketError(errno.EAFNOSUPPORT, "bound to ::ffff:0.0.0.0, which is any address of IPv4")
        only_ipv6 = self.options.v6only and not is_ipv6(peer)
        local = self.bound_address or self.host.source_for(peer)
        if only_ipv6 or not self.host.routable(peer) or is_for_many(peer) or local is None:
            raise SocketError(errno.ENETUNREACH)
        if len(local) != len(peer):
            raise SocketError(errno.EINVAL, "bound to an address of the other IP")
        return peer, local

    def _connect_again(self) -> None:
        """connect() on a socket that has begun to connect: how that stands (af_inet.c: __inet_stream_connect)."""
        conn = self.connection
        if conn is None or not self.connecting or (conn.fast_open is not None and conn.fast_open.deferred):
            raise SocketError(errno.EISCONN)
        if conn.state in (State.SYN_SENT, State.SYN_RECV):
            raise SocketError(errno.EALREADY)
        self.connecting = False
        if conn.state is _CLOSE:
            self.may_connect = True
            number, conn.error = conn.error or errno.ECONNABORTED, 0
            raise SocketError(number)

    # --- data -------------------------------------------------------------------------------------

    def send(self, data: bytes, now: int, flags: int = 0, parts: Sequence[int] = ()) -> int:
        """Queue data; how many octets were taken, which may be fewer. tcp.c: tcp_sendmsg.

        EAGAIN when the send buffer is full; EPIPE without a connection, after shutdown() and after the end, once
        ECONNRESET or ETIMEDOUT for what ended it.

        With MSG_OOB in `flags` the last octet is urgent; with MSG_MORE a part of a segment waits, as under TCP_CORK,
        for the next data or ACK; with MSG_EOR nothing joins these octets from behind, in no segment. With
        MSG_ZEROCOPY, where SO_ZEROCOPY is set, the error queue tells when the octets are acknowledged; they count for
        the send buffer as others do. `parts` are then the sizes of the pieces of memory that sendmsg() is given, which
        decide how many of them a segment may have. MSG_FASTOPEN is for `sendto`; others change nothing, as in Linux.
        """
        self._begin_stream(now)
        conn = self.connection
        if parts and conn is not None and conn.fast_open is None and self._without_copy(flags):
            return send_and_recv.send_without_copy(conn, data, flags, parts)
        if flags or conn is None or conn.fast_open is not None:
            return self._send(data, None, flags)
        return send_and_recv.send(conn, data)

    def sendto(
        self, data: bytes, address: Address | str, port: int, now: int, flags: int = 0, waits: bool = False
    ) -> int:
        """sendto(): with MSG_FASTOPEN, connect() and send() in one, so that the SYN may carry data.

        How many octets the SYN carries; EINPROGRESS where it carries none, as it has to ask for a cookie first: then
        `send` them once the connection is open. EOPNOTSUPP where net.ipv4.tcp_fastopen has not the bit 1; EISCONN on a
        socket that is open already, EALREADY on one that connects; else what `connect` and `send` raise. Without the
        flag it is `send`, for a stream has its peer (tcp.c: tcp_sendmsg_fastopen).

        `waits` says that the program's call waits for the connection and then sends the rest: the final ACK of the
        handshake goes with that.
        """
        self._begin_stream(now)
        return self._send(data, (address, port), flags, waits)

    def _send(
        self, data: bytes, to: tuple[Address | str, int] | None, flags: int, waits: bool = False
    ) -> int:
        """send() with flags, or where Fast Open may have a say."""
        conn = self.connection
        if conn is not None and conn.fast_open is not None and conn.fast_open.deferred:
            return self._carried(conn, None, data, waits, flags)
        if flags & message_flags.MSG_FASTOPEN and "net.ipv4.tcp_fastopen" not in self.host.generation.missing:
            if not self.host.sysctls.tcp_fastopen & CLIENT:
                raise SocketError(errno.EOPNOTSUPP, "net.ipv4.tcp_fastopen has not the bit 1, for clients")
            if conn is not None and conn.fast_open is not None and conn.fast_open.trying:
                raise SocketError(errno.EALREADY, "Fast Open is under way")
            if not self.listening and self.may_connect:
                if to is None:
                    raise SocketError(errno.EINVAL, "MSG_FASTOPEN needs an address; sendto() has one")
                return self._carried(*self._new_connection(*to), data, waits, flags)
            self._connect_again()
        if conn is None:
            raise SocketError(errno.EPIPE)
        if self._without_copy(flags):
            return send_and_recv.send_without_copy(conn, data, flags)
        return send_and_recv.send(conn, data, flags)

    def _carried(self, conn: Connection, iss: int | None, data: bytes, waits: bool, flags: int) -> int:
        """Send the SYN, with as much of the data as it may carry."""
        fast_open = fast_open_syn.state_of(conn)
        carried = syn_sent.connect(conn, iss, data)
        fast_open.deferred = fast_open.trying = False
        fast_open.more_waits = waits and carried < len(data)
        if not carried:
            raise SocketError(errno.EINPROGRESS)
        if self._without_copy(flags):
            error_queue.sent_without_copy(conn, joins=False)
        return carried

    def _without_copy(self, flags: int) -> bool:
        """Whether the error queue is to tell when the octets are acknowledged."""
        return bool(flags & message_flags.MSG_ZEROCOPY) and bool(
            option_answers.kept(self.options, *_ZEROCOPY)
        )

    def recv_error(self, now: int) -> QueuedError:
        """The first entry of the error queue, as recvmsg() with MSG_ERRQUEUE has it. EAGAIN where there is none.

        While it connects, ICMP errors stand there; later, which sends with MSG_ZEROCOPY are over.
        """
        self._begin_stream(now)
        entry = None if self.connection is None else error_queue.take(self.connection)
        if entry is None:
            raise SocketError(errno.EAGAIN, "the error queue is empty")
        return entry

    def recv(self, size: int, now: int, flags: int = 0) -> bytes:
        """Up to `size` octets; b"" at the end. tcp.c: tcp_recvmsg.

        EAGAIN when there are none yet, ENOTCONN without a connection, ECONNRESET or ETIMEDOUT once for what ended it.

        With MSG_PEEK in `flags` they stay there; MSG_ERRQUEUE gives the octets of `recv_error`. MSG_OOB takes the
        urgent octet: EINVAL where there is none or SO_OOBINLINE is set, EAGAIN where it has not arrived. With MSG_TRUNC
        they are thrown away: the result is as long, and all zeros. Others change nothing, as in Linux.
        """
        self._begin_stream(now)
        if flags & message_flags.MSG_ERRQUEUE:
            return self.recv_error(now).octets[:size]
        if self.connection is None:
            if self.listener is not None and not self.listening:
                return b""
            raise SocketError(errno.ENOTCONN)
        peek = bool(flags & message_flags.MSG_PEEK)
        if flags & message_flags.MSG_OOB:
            data = send_and_recv.recv_urgent(self.connection, size, peek)
        elif peek:
            data = send_and_recv.peek(self.connection, size)
        else:
            data = send_and_recv.recv(self.connection, size)
        return bytes(len(data)) if flags & message_flags.MSG_TRUNC else data

    # --- the end ----------------------------------------------------------------------------------

    def shutdown(self, how: int, now: int) -> None:
        """Stop receiving (0), sending (1) or both (2). On a listener SHUT_RD ends the listening.

        ENOTCONN without a connection, EINVAL for another `how`.
        """
        self._begin_stream(now)
        if how not in (0, 1, 2):
            raise SocketError(errno.EINVAL, f"how is {how}; it can be 0, 1 or 2")
        if self.listener is not None:
            if how != socket_constants.SHUT_WR and self.listening:
                self._stop_listening("shutdown()")
            elif not self.listening:
                raise SocketError(errno.ENOTCONN)
            return
        if self.connection is None:
            raise SocketError(errno.ENOTCONN)
        # 0, 1, 2 become the bits 1, 2, 1|2 of receiving and sending (af_inet.c: inet_shutdown).
        shutdown_and_close.shutdown(self.connection, how + 1)

    @property
    def lingering(self) -> bool:
        """Whether close() was called and still waits for the peer's ACK of all data and the FIN, as SO_LINGER has it.

        `Host.woken` names the socket once that is over, be it by the ACK, an end or the time.
        """
        return self.connection is not None and self.connection in self.host.lingering

    def close(self, now: int, exiting: bool = False) -> None:
        """Give the socket up: a FIN; a RST where data is unread (RFC 2525 2.17) or SO_LINGER is 0. tcp.c: tcp_close.

        With SO_LINGER and some seconds the program's call would wait from now on: see `lingering`. It does not where
        its process is `exiting`.

        Of a listener the connections that wait for accept() are reset. EBADF when closed already.
        """
        self._begin(now)
        self.closed = True
        if self.listener is not None:
            self._stop_listening("close()")
        elif self.connection is not None:
            shutdown_and_close.close(self.connection, exiting)
        if self.bound is not None:
            self._tables.ports.release(self, self.bound[1])

    def _stop_listening(self, call: str) -> None:
        listener = self.listener
        assert listener is not None
        same_port = self._tables.listeners.get(listener.port, [])
        if listener in same_port:
            same_port.remove(listener)
            if not same_port:
                del self._tables.listeners[listener.port]
        listener_end.stop(listener, call)
        self.host.wake(self)

    # --- options ----------------------------------------------------------------------------------

    def setsockopt(self, level: int, name: int, value: int | bytes, now: int | None = None) -> None:
        """Set an option by Linux's numbers (`tcpemu.stack.base.socket_constants`). EINVAL, ENOPROTOOPT.

        Python's `socket` has the same numbers on Linux. The value is a number, or octets as a C program gives them: an
        int in little-endian order, or the structure of SO_LINGER. NotEmulatedError, a NotImplementedError, for an
        option that Linux has and the emulator has not, such as SO_RCVTIMEO.
        """
        self._begin(self.host.now if now is None else now)
        before = self.options
        after = option_rules.changed_options(self, level, name, value)
        self._set(after)
        if self.connection is not None:
            option_rules.option_took_effect(self.connection, before, level, name)
            self.options = self.connection.options

    def linger(self, on: bool, seconds: int) -> None:
        """SO_LINGER, in seconds; with 0 close() sends a RST, with more it waits so long for the peer's ACK."""
        self._check_open()
        kept = seconds if on else self.options.last_linger
        self._set(replace(self.options, linger=seconds if on else None, last_linger=kept))

    def getsockopt(self, level: int, name: int, now: int | None = None) -> int:
        """An option's value, a number; of a structure its first four octets. SO_ERROR is cleared by reading it.

        `now` is the time of the call, in nanoseconds; None for that of the last one.

        ENOPROTOOPT, EOPNOTSUPP for a level that TCP has none of; NotEmulatedError.
        """
        self._begin(self.host.now if now is None else now)
        return option_answers.number(self, level, name)

    def getsockopt_octets(self, level: int, name: int, length: int, now: int | None = None) -> bytes:
        """An option's value as a C program gets it that has room for `length` octets; a longer one is cut.

        `now` is the time of the call, in nanoseconds; None for that of the last one.

        Integers are in little-endian order. EINVAL for a length below 0, and all that `getsockopt` raises.
        """
        self._begin(self.host.now if now is None else now)
        return option_answers.octets(self, level, name, length)

    def tcp_info(self, now: int | None = None) -> TcpInfo:
        """TCP_INFO as a record: state, windows, round-trip times (microseconds), what is under way.

        `now` is the time of the call, in nanoseconds; None for that of the last one.
        """
        self._begin(self.host.now if now is None else now)
        return option_answers.info(self)

    def _set(self, options: SocketOptions) -> None:
        self.options = options
        if self.listener is not None:
            self.listener.options = options
            queues.settings_changed(self.listener)
        if self.connection is not None:
            self.connection.options = options

    # --- inside -----------------------------------------------------------------------------------

    def _begin(self, now: int) -> None:
        if self.closed:
            raise SocketError(errno.EBADF, "close() was called on this socket")
        if type(now) is not int or now < self.host.now:
            check_time(now, self.host.now)
        self.host.now = now

    def _begin_stream(self, now: int) -> None:
        self._begin(now)
        if self.datagram:
            self._refuse_datagram()

    def _refuse_datagram(self) -> None:
        """UDP is here for its errors alone: it neither listens nor accepts, and carries nothing."""
        if self.datagram:
            raise SocketError(errno.EOPNOTSUPP, "a datagram socket cannot do that here")

    def _check_open(self) -> None:
        if self.closed:
            raise SocketError(errno.EBADF, "close() was called on this socket")


def _same_address(one: Listener, other: Listener) -> bool:
    """Whether both would have to take the same SYN."""
    if not one.lengths & other.lengths:
        return False
    return one.address is None or other.address is None or one.address == other.address


def wire_address(options: SocketOptions, address: Address | str) -> Address | None:
    """An address that a socket is given, as it is on the wire; None for any. SocketError for one of the other IP."""
    packed = address if isinstance(address, bytes) else packed_address(address)
    if is_ipv6(packed) != options.ipv6:
        family = "AF_INET6" if options.ipv6 else "AF_INET"
        raise SocketError(errno.EAFNOSUPPORT, f"{address_text(packed)} is no address of {family}")
    if not any(packed):
        return None
    return unmapped(packed)
