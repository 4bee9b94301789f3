"""A socket of a host's TCP, as an open file of a program."""

from __future__ import annotations

import contextlib

from tcpemu.network.application_sockets import time_waited
from tcpemu.network.endpoint import EndpointSocket
from tcpemu.network.record import WAITS
from tcpemu.programs.files.open_files import OpenFile
from tcpemu.programs.files.readiness import wait_for_change
from tcpemu.programs.waiting.computers import Process
from tcpemu.stack.base.errors import SocketError
from tcpemu.stack.base.states import State
from tcpemu.wire.segment import endpoint_text


class TcpStream(OpenFile):
    """It watches its socket for as long as it is open."""

    __slots__ = ("calls", "connecting", "ipv6", "receive_limit", "send_limit", "socket", "waits_at_end")

    def __init__(self, process: Process, socket: EndpointSocket, ipv6: bool = False) -> None:
        super().__init__(process)
        self.socket = socket
        self.ipv6 = ipv6
        """It is one of AF_INET6."""
        self.calls = process.node.calls
        """How its host's applications make calls: tried, recorded, tried again."""
        self.connecting = False
        """connect() has begun and its end was not told yet."""
        self.receive_limit: int | None = None
        """SO_RCVTIMEO: nanoseconds that accept() and recv() wait; None for ever."""
        self.send_limit: int | None = None
        """SO_SNDTIMEO: the same for connect() and send()."""
        self.waits_at_end = True
        """close() may wait (SO_LINGER). Differs: not where the garbage collector closes it, at a time that is nobody's
        own."""
        self.calls.watch(socket, self.changed)

    @property
    def listens(self) -> bool:
        return self.socket.state is State.LISTEN

    @property
    def words(self) -> str:
        local, remote = self.socket.local, self.socket.remote
        if self.listens:
            return f"the listener on port {local[1]}"
        return "a socket" if remote is None else f"the connection with {endpoint_text(remote)}"

    def poll(self) -> int:
        return self.socket.poll()

    def release(self) -> None:
        """close(), of the last descriptor. After the end of the network nothing is sent any more."""
        if not self.process.computers.over:
            with contextlib.suppress(SocketError):
                self._close()
        self.calls.unwatch(self.socket)

    def _close(self) -> None:
        exiting = self.process.over
        self.calls.call(
            self.socket, "close()", lambda now: self.socket.close(now, exiting), lambda _: self._waits_now()
        )
        self.calls.wake(self.socket)
        self.changed()
        if self._waits_now():
            begun = self.process.computers.now
            while self.socket.lingering:
                wait_for_change(self.process, [self], None, "close(), as SO_LINGER has it,")
            self.calls.call(self.socket, "close()", lambda now: now - begun, time_waited)

    def _waits_now(self) -> str:
        """SO_LINGER may have close() wait, be the socket blocking or not (inet_release)."""
        return WAITS if self.socket.lingering and self.waits_at_end else ""
