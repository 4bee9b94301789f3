"""How a socket call of an application is made: tried, recorded, and where it has to wait, tried again.

A call that would block says EAGAIN (a connect() EINPROGRESS). It then waits until the host says that the socket
may have changed, or its time is up, and is tried once more. Those that wait for one socket are woken in the order
in which they began to wait.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from operator import itemgetter
from typing import TypeVar

from tcpemu.network.clock import nanoseconds
from tcpemu.network.endpoint import EndpointSocket
from tcpemu.network.loop import Loop
from tcpemu.network.record import WAITS
from tcpemu.network.task import Applications, Wake, pause
from tcpemu.stack.base.errors import SocketError
from tcpemu.wire.segment import FlowKey

T = TypeVar("T")


def _nothing(_: object) -> str:
    return ""


class SocketCalls:
    """The socket calls of one node's applications, and which of them wait."""

    __slots__ = ("_applications", "_loop", "_name", "_settle", "_turns", "_waiting", "_watchers", "off")

    def __init__(
        self, name: str, loop: Loop, applications: Applications, settle: Callable[[FlowKey | None], None]
    ) -> None:
        """`settle` is called after each try, with the connection on which it was made."""
        self._name, self._loop, self._applications, self._settle = name, loop, applications, settle
        self._waiting: dict[EndpointSocket, list[tuple[int, Wake]]] = {}
        self._watchers: dict[EndpointSocket, Callable[[], None]] = {}
        self._turns = 0
        self.off = False
        """The host has crashed: whoever still makes calls is on the way out, and nobody hears of them."""

    def forget(self) -> None:
        """Nobody waits any more."""
        self._waiting.clear()
        self._watchers.clear()

    def _check_on(self) -> None:
        if self.off:
            raise SocketError(errno.ENETDOWN, "the host has crashed")

    def watch(self, socket: EndpointSocket, changed: Callable[[], None]) -> None:
        """Call `changed` each time the socket may have changed, until it is no longer watched."""
        self._watchers[socket] = changed

    def unwatch(self, socket: EndpointSocket) -> None:
        self._watchers.pop(socket, None)

    def call(
        self,
        socket: EndpointSocket,
        text: str,
        attempt: Callable[[int], T],
        show: Callable[[T], str] = _nothing,
    ) -> T:
        """Make a socket call that ends at once, record it, and send what follows from it."""
        if self.off:
            self._check_on()
        flow = socket.flow
        try:
            value = attempt(self._loop.now)
        except SocketError as error:
            self._applications.log(self._name, text, error.name, flow, error.detail)
            raise
        else:
            self._applications.log(self._name, text, show(value), flow)
            return value
        finally:
            self._settle(flow)

    async def complete(
        self,
        socket: EndpointSocket,
        text: str,
        attempt: Callable[[int], T],
        show: Callable[[T], str] = _nothing,
        timeout: int | None = None,
        again: int = errno.EAGAIN,
        gives: Callable[[T], EndpointSocket] | None = None,
    ) -> T:
        """Make a socket call whenever the socket may have changed, until it says something but `again`.

        `gives` takes a socket that the call gives from its value.
        """
        deadline = None if timeout is None else self._loop.now + nanoseconds("timeout", timeout)
        turn, log = 0, self._applications.log
        while True:
            if self.off:
                self._check_on()
            late = deadline is not None and self._loop.now >= deadline
            flow = socket.flow
            try:
                value = attempt(self._loop.now)
            except SocketError as error:
                flow = flow or socket.flow
                if error.errno != again or late:
                    log(self._name, text, error.name, flow, error.detail)
                    raise
                if not turn:
                    log(self._name, text, WAITS, flow)
                    self._turns += 1
                    turn = self._turns
            else:
                flow = gives(value).flow if gives else flow
                log(self._name, text, show(value), flow)
                return value
            finally:
                self._settle(flow)
            await self._change(socket, turn, deadline)

    def wake(self, socket: EndpointSocket) -> None:
        """Let the calls that wait for this socket try again, the one that has waited longest first."""
        if (waiting := self._waiting.pop(socket, None)) is not None:
            for _, wake in sorted(waiting, key=itemgetter(0)):
                self._loop.at(self._loop.now, wake)
        if (changed := self._watchers.get(socket)) is not None:
            changed()

    async def _change(self, socket: EndpointSocket, turn: int, deadline: int | None) -> None:
        """Wait until the socket may have changed, or the time is up."""
        await pause(lambda wake: self._wait(socket, turn, wake, deadline))

    def _wait(self, socket: EndpointSocket, turn: int, wake: Wake, deadline: int | None) -> None:
        waiting = self._waiting.setdefault(socket, [])
        if deadline is not None:
            # Those whose time was up are still here: the socket never woke them.
            waiting[:] = [other for other in waiting if not other[1].used]
            self._loop.at(deadline, wake)
        waiting.append((turn, wake))
