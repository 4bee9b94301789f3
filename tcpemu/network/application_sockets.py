"""Sockets as applications use them, listening or connected: calls that can be awaited.

What may take time is awaited; `socket_calls` says how. Calls that end at once are ordinary methods. All of them
are recorded; all raise SocketError with the kernel's errno.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Mapping
from typing import TypeAlias

from tcpemu.network.clock import seconds_text
from tcpemu.network.endpoint import EndpointSocket
from tcpemu.network.socket_calls import SocketCalls
from tcpemu.stack.base.errors import SocketError
from tcpemu.stack.base.socket_constants import SHUT_RD, SHUT_RDWR, SHUT_WR, SO_ERROR, SO_LINGER, SOL_SOCKET
from tcpemu.stack.base.states import State
from tcpemu.stack.sockets.message_flags import MSG_FASTOPEN
from tcpemu.wire.segment import Address, endpoint_text

OptionValues: TypeAlias = Mapping[tuple[int, int], int | bytes]
"""Socket options to set: (level, name) to value, as `{(SOL_SOCKET, SO_RCVBUF): 4096}`."""

GONE = "is gone without a word"
"""The text of what stands in the record in place of a call, where an end vanishes."""
_HOW = {SHUT_RD: "SHUT_RD", SHUT_WR: "SHUT_WR", SHUT_RDWR: "SHUT_RDWR"}


def octets_text(count: int) -> str:
    """`1 octet`, `2 octets`."""
    return f"{count} octet" if count == 1 else f"{count} octets"


def octets_or_end(data: bytes) -> str:
    """What a read gave: `2 octets`, or `end`."""
    return octets_text(len(data)) if data else "end"


def octets_in(text: str) -> int:
    """How many octets `2 octets` are; 0 for any other result of a call."""
    number, _, unit = text.partition(" ")
    return int(number) if unit in {"octet", "octets"} and number.isdecimal() else 0


def connected(socket: EndpointSocket) -> None:
    """How a connect() stands: EINPROGRESS while it goes on, and the errno it failed with if it did."""
    if socket.state in (State.SYN_SENT, State.SYN_RECV):
        raise SocketError(errno.EINPROGRESS)
    error = socket.getsockopt(SOL_SOCKET, SO_ERROR)
    if error or socket.state == State.CLOSE:
        raise SocketError(error or errno.ECONNABORTED)


def _close_that_waits(socket: EndpointSocket) -> Callable[[int], int]:
    """A try of close() for `SocketCalls.complete`: EAGAIN while SO_LINGER has it wait, then how long it waited."""
    begun: int | None = None

    def attempt(now: int) -> int:
        nonlocal begun
        if begun is None:
            begun = now
            socket.close(now)
        if socket.lingering:
            raise SocketError(errno.EAGAIN)
        return now - begun

    return attempt


class WholeSend:
    """A send() that ends once the host has taken all of it; with `to`, a sendto() that opens the connection.

    Where a SYN carries the first of it (Fast Open), it waits for the connection as connect() does, and fails as that.
    """

    __slots__ = ("_carried", "_flags", "_socket", "_to", "rest")

    def __init__(
        self, socket: EndpointSocket, data: bytes, flags: int = 0, to: tuple[Address, int] | None = None
    ) -> None:
        self._socket, self._flags, self._to = socket, flags, to
        self._carried = False
        self.rest = memoryview(data)
        """What has not been taken yet."""

    def attempt(self, now: int) -> None:
        """A try for `SocketCalls`: EAGAIN while more is to be taken, or the connection is not open."""
        if self._carried:
            try:
                connected(self._socket)
            except SocketError as error:
                if error.errno != errno.EINPROGRESS:
                    raise
                raise SocketError(errno.EAGAIN) from None
            self._carried = False
            if not self.rest:
                return
        if self._take(now):
            raise SocketError(errno.EAGAIN)

    def _take(self, now: int) -> bool:
        """Give the socket what it takes now; whether more is to be waited for."""
        to, self._to = self._to, None
        try:
            if to is None:
                flags = (self._flags,) if self._flags else ()
                taken = self._socket.send(bytes(self.rest), now, *flags)
            else:
                first, self._flags = self._flags, self._flags & ~MSG_FASTOPEN
                taken = self._socket.sendto(bytes(self.rest), *to, now, first)
        except SocketError as error:
            if error.errno != errno.EINPROGRESS:
                raise
            taken = 0
        self.rest = self.rest[taken:]
        self._carried = self._socket.state == State.SYN_SENT
        return self._carried or len(self.rest) > 0


def time_waited(time: int) -> str:
    """What stands in the record of a call that has waited; nothing where it returned at once."""
    return f"after {seconds_text(time)}" if time else ""


def set_option(calls: SocketCalls, socket: EndpointSocket, level: int, name: int, value: int | bytes) -> None:
    """setsockopt(); for SO_LINGER the value may be the seconds as a number, or -1 to switch it off."""
    if (level, name) == (SOL_SOCKET, SO_LINGER) and isinstance(value, int):
        calls.call(
            socket,
            f"setsockopt({level}, {name}, {value})",
            lambda _: socket.linger(value >= 0, max(value, 0)),
        )
        return
    calls.call(
        socket,
        f"setsockopt({level}, {name}, {value!r})",
        lambda now: socket.setsockopt(level, name, value, now),
    )


class _ApplicationSocket:
    """What listening and connected sockets have in common."""

    __slots__ = ("_calls", "socket")

    def __init__(self, calls: SocketCalls, socket: EndpointSocket) -> None:
        self._calls = calls
        self.socket = socket

    @property
    def state(self) -> State:
        """That of the socket, as `ss` would show it."""
        return self.socket.state

    @property
    def closed(self) -> bool:
        """Whether close() was called on it."""
        return self.socket.closed

    @property
    def local(self) -> tuple[Address, int]:
        """Its own address, packed, and port."""
        return self.socket.local

    def setsockopt(self, level: int, name: int, value: int | bytes) -> None:
        """Set an option by Linux's numbers, which Python's `socket` has too. SO_LINGER takes seconds, -1 for off.

        The value is a number, or octets, as `b"bbr"` of TCP_CONGESTION.

        Raises SocketError EINVAL or ENOPROTOOPT, and NotEmulatedError for an option that is Linux's and not ours.
        """
        set_option(self._calls, self.socket, level, name, value)

    def getsockopt(self, level: int, name: int) -> int:
        """An option's value; reading SO_ERROR clears it. Raises as `setsockopt` does."""
        return self._calls.call(
            self.socket, f"getsockopt({level}, {name})", lambda _: self.socket.getsockopt(level, name), str
        )

    def shutdown(self, how: int = SHUT_WR) -> None:
        """Stop receiving (SHUT_RD, 0), sending (SHUT_WR, 1: a FIN) or both (SHUT_RDWR, 2). ENOTCONN."""
        self._calls.call(
            self.socket, f"shutdown({_HOW.get(how, how)})", lambda now: self.socket.shutdown(how, now)
        )
        self._calls.wake(self.socket)

    def close(self, *, exiting: bool = False) -> None:
        """Close it. Calls that wait for it try once more, and find it closed.

        It never waits, as if another thread had called close(): `aclose` waits where SO_LINGER has it so. With
        `exiting` the program has ended and the kernel closes what it had open: then SO_LINGER makes nobody wait.
        """
        self._calls.call(self.socket, "close()", lambda now: self.socket.close(now, exiting))
        self._calls.wake(self.socket)

    async def aclose(self) -> None:
        """Close it, and wait as long as close() does.

        With SO_LINGER on and some seconds that is until the peer has acknowledged all data and the FIN, or the
        connection has ended, or the seconds are over: it returns the same whatever it was. Else it does not wait.
        """
        await self._calls.complete(self.socket, "close()", _close_that_waits(self.socket), time_waited)
        self._calls.wake(self.socket)


class ListeningSocket(_ApplicationSocket):
    """A socket that listens."""

    __slots__ = ()

    async def accept(self, timeout: int | None = None) -> ConnectedSocket:
        """The next connection. EAGAIN when none comes within `timeout` nanoseconds, as with SO_RCVTIMEO."""
        socket = await self._calls.complete(
            self.socket, "accept()", self.socket.accept, _remote, timeout, gives=lambda given: given
        )
        return ConnectedSocket(self._calls, socket)

    def listen(self, backlog: int) -> None:
        """Listen again, with another backlog."""
        self._calls.call(self.socket, f"listen({backlog})", lambda now: self.socket.listen(backlog, now))


class ConnectedSocket(_ApplicationSocket):
    """A socket that is connected, or was."""

    __slots__ = ()

    @property
    def remote(self) -> tuple[Address, int] | None:
        """The peer's packed address and port."""
        return self.socket.remote

    async def send(self, data: bytes) -> None:
        """Send all of it: ends when the host has taken the last octet, not when the peer has.

        ECONNRESET, ETIMEDOUT, EPIPE when the connection has ended.
        """
        whole = WholeSend(self.socket, bytes(data))
        await self._calls.complete(self.socket, f"send({octets_text(len(data))})", whole.attempt)

    async def recv(self, n: int, timeout: int | None = None) -> bytes:
        """Up to n octets, b"" at the end.

        EAGAIN when none comes within `timeout` nanoseconds; ECONNRESET, ETIMEDOUT when the connection has ended so.
        """
        return await self._calls.complete(
            self.socket,
            f"recv({n})",
            lambda now: self.socket.recv(n, now),
            octets_or_end,
            timeout,
        )

    def gone(self) -> None:
        """Write in the record that this end has vanished; that nothing comes of it any more, its link sees to."""
        self._calls.call(self.socket, GONE, lambda _: None)

    def abort(self) -> None:
        """Close it with a RST: SO_LINGER on, 0 seconds."""

        def attempt(now: int) -> None:
            self.socket.linger(True, 0)
            self.socket.close(now)

        self._calls.call(self.socket, "abort()", attempt)
        self._calls.wake(self.socket)


def _remote(socket: EndpointSocket) -> str:
    return endpoint_text(socket.remote) if socket.remote else ""
