"""A socket of a host's TCP, as an open file of a program."""

from __future__ import annotations

from tcpemu.network.endpoint import EndpointSocket
from tcpemu.programs.files.open_files import OpenFile
from tcpemu.programs.waiting.computers import Process
from tcpemu.stack.base.errors import SocketError
from tcpemu.stack.base.states import State
from tcpemu.wire.segment import endpoint_text


class TcpStream(OpenFile):
    """It watches its socket for as long as it is open."""

    __slots__ = ("calls", "connecting", "ipv6", "receive_limit", "send_limit", "socket")

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
        self.calls.unwatch(self.socket)
        if self.process.computers.over:
            return
        try:
            self.calls.call(self.socket, "close()", self.socket.close)
        except SocketError:
            return
        self.calls.wake(self.socket)
        self.changed()
