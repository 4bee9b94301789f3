"""An event loop that is CPython's own, over sockets of hosts and in virtual time.

Transports, TLS, buffers, flow control, `sock_*` and `add_reader` are those of asyncio.SelectorEventLoop. Coroutines
of many hosts share the loop; which host one is on is in its context, which asyncio carries from task to task. It
needs no thread: what goes to an executor runs as a thread of the host that its task is on.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import socket
from asyncio.sslproto import SSLProtocol
from collections.abc import Iterator
from typing import Any

from tcpemu.programs.calls.time_calls import UPTIME
from tcpemu.programs.event_loop.advancing_selector import AdvancingSelector
from tcpemu.programs.event_loop.waiting_tasks import waiting_tasks
from tcpemu.programs.launching.program import new_process
from tcpemu.programs.waiting.computers import Computers, Process
from tcpemu.programs.waiting.whereabouts import guest_of_this_thread, on


class EmulatedEventLoop(asyncio.SelectorEventLoop):
    """It may only run while stand-ins for the standard library are in place (`stand_ins.installed`)."""

    def __init__(self, computers: Computers) -> None:
        self.computers = computers
        self.guest: Process | None = None
        """What runs here belongs to it where its context names no host; None where it stays off the hosts."""
        self._own_process = new_process(computers, None, "event loop")
        self.selector = AdvancingSelector(self._own_process)
        self.selector.who_waits = lambda: "\n".join(waiting_tasks(self))
        with on(self._own_process):
            super().__init__(self.selector)
        self._clock_resolution = 1e-9

    @property
    def timers(self) -> list[asyncio.TimerHandle]:
        """What is to be called at some time."""
        scheduled: list[asyncio.TimerHandle] = self._scheduled  # type: ignore[attr-defined]
        return scheduled

    def time(self) -> float:
        """What time.monotonic() shows on every host."""
        return (self._own_process.computers.now + UPTIME) / 1e9

    def run_forever(self) -> None:
        with collected_between_runs(), guest_of_this_thread(self.guest):
            super().run_forever()

    async def getaddrinfo(
        self, host: Any, port: Any, *, family: int = 0, type: int = 0, proto: int = 0, flags: int = 0
    ) -> Any:
        """Names are known at once: no thread is needed."""
        return socket.getaddrinfo(host, port, family, type, proto, flags)

    async def getnameinfo(self, sockaddr: Any, flags: int = 0) -> Any:
        return socket.getnameinfo(sockaddr, flags)

    def close(self) -> None:
        with on(self._own_process):
            super().close()

    def silence(self) -> bool:
        """Have what is left of a closed loop say nothing when it is collected; whether that can be said of all of it.

        A task that never ended, a generator that was not read to its end and a transport of TLS run code of their own
        then, or warn whatever the loop says.
        """
        self.set_exception_handler(lambda *_: None)
        for transport in list(self._transports.values()):  # type: ignore[attr-defined]
            if isinstance(transport.get_protocol(), SSLProtocol):
                return False
            if transport._sock is not None:  # else it was closed
                transport._sock, transport._closing = None, True
        return not (self._asyncgens or asyncio.all_tasks(self))  # type: ignore[attr-defined]


@contextlib.contextmanager
def collected_between_runs() -> Iterator[None]:
    """Garbage in circles is collected between runs of the network: in one, it would close sockets at any time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
