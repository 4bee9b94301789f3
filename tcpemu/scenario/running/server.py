"""The server of a scenario, as applications on its host."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice

from tcpemu.network import ConnectedSocket, ListeningSocket, Network, Node
from tcpemu.scenario.format.actions import Act
from tcpemu.scenario.format.scenario_file import Accept, Octets, Server, Text
from tcpemu.scenario.running.option_values import option_values
from tcpemu.scenario.running.payload import CHUNK, payload
from tcpemu.scenario.running.result import Accepted
from tcpemu.stack.base.errors import SocketError
from tcpemu.stack.base.socket_constants import SHUT_RDWR, SHUT_WR

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
"""The date and time at virtual time 0, for servers that tell the time."""


def time_text(now: int) -> str:
    """Date and time of the virtual clock, to the millisecond: `2026-01-01 00:00:01.015 UTC`."""
    moment = EPOCH + timedelta(microseconds=now // 1000)
    return moment.isoformat(sep=" ", timespec="milliseconds").replace("+00:00", " UTC")


class IdleError(Exception):
    """Nothing has come on a connection for as long as the server waits."""


class ServerProgram:
    """Listens, accepts when the scenario says so, answers, and notes what it accepted."""

    def __init__(self, network: Network, node: Node, server: Server, accepted: list[Accepted]) -> None:
        self._network, self._node, self._server, self._accepted = network, node, server, accepted

    def start(self) -> None:
        self._network.spawn(self._node, self._run, self._node.name, errors_are_noted=True)

    async def _run(self, node: Node) -> None:
        server = self._server
        options, datagram = option_values(server.options), server.socket == "udp"
        listener = node.listen(server.port, server.backlog, options, datagram=datagram)
        self._plan(listener)
        for at in islice(_calls(server.accept), server.accept.limit):
            await node.sleep(max(0, at - node.now))
            connection = await listener.accept()
            free = node.now + server.accept.every
            self._accepted.append(Accepted(node.now, connection.remote or (b"", 0)))
            await self._serve(connection)
            await node.sleep(max(0, free - node.now))

    def _plan(self, listener: ListeningSocket) -> None:
        """What the server does to its listener later on, while it waits in accept()."""
        for step in self._server.relisten:
            self._later(step.at, partial(listener.listen, step.backlog))
        if self._server.shutdown_at is not None:
            self._later(self._server.shutdown_at, partial(listener.shutdown, SHUT_RDWR))
        if self._server.close_at is not None:
            self._later(self._server.close_at, listener.close)

    def _later(self, at: int, call: Callable[[], None]) -> None:
        if at < self._node.now:
            return  # of a time before the host started again

        async def application(_: Node) -> None:
            call()

        self._network.spawn(self._node, application, self._node.name, at, errors_are_noted=True)

    async def _serve(self, connection: ConnectedSocket) -> None:
        """Answer at once; what may take long goes to an application of its own."""
        server = self._server
        if server.do or server.answer == "echo" or server.then == "read_to_end" or server.then_after:
            name = f"{self._node.name}-{len(self._accepted)}"
            self._network.spawn(self._node, lambda _: self._converse(connection), name, errors_are_noted=True)
            return
        try:
            await self._answer(connection)
        except SocketError:
            return  # the record has it, and the server goes on with the next one

    async def _converse(self, connection: ConnectedSocket) -> None:
        try:
            await (self._act(connection) if self._server.do else self._answer(connection))
        except IdleError:
            connection.close()

    async def _recv(self, connection: ConnectedSocket, size: int = CHUNK) -> bytes:
        """As recv(); IdleError where nothing has come for as long as the server is willing to wait."""
        try:
            return await connection.recv(size, self._server.idle_timeout)
        except SocketError as error:
            if error.errno == errno.EAGAIN:
                raise IdleError from None
            raise

    async def _answer(self, connection: ConnectedSocket) -> None:
        answer = self._server.answer
        if answer == "echo":
            while data := await self._recv(connection):
                await connection.send(data)
        elif octets := self._octets():
            await connection.send(octets)
        if self._server.then_after:
            await self._node.sleep(self._server.then_after)
        if self._server.then == "read_to_end":
            while await self._recv(connection):
                pass
        if self._server.then == "abort":
            connection.abort()
        elif self._server.then != "keep":
            connection.close()

    async def _act(self, connection: ConnectedSocket) -> None:
        """What `do` says, one thing after the other."""
        while True:
            ended = False
            for action in self._server.do:
                if isinstance(action, Act):
                    ended |= await self._do(connection, action)
                elif action in ("recv", "recv_line", "read_to_end"):
                    ended |= await self._read(connection, action)
                elif action == "again":
                    if ended:
                        connection.close()
                        return
                    break
                else:
                    _END_AT[action](connection)
            else:
                return

    async def _do(self, connection: ConnectedSocket, action: Act) -> bool:
        """Whether the client's end was met."""
        node = self._node
        if action.wait is not None:
            await node.sleep(action.wait)
        elif action.wait_until is not None:
            await node.sleep(max(0, action.wait_until - node.now))
        elif action.send is not None:
            await connection.send(payload(action.send))
        rest = action.recv or 0
        while rest > 0:
            data = await self._recv(connection, min(rest, CHUNK))
            if not data:
                return True
            rest -= len(data)
        return False

    async def _read(self, connection: ConnectedSocket, word: str) -> bool:
        """Read something, a line or to the end; whether the client's end was met."""
        size = 1 if word == "recv_line" else CHUNK
        while data := await self._recv(connection, size):
            if word == "recv" or data == b"\n":
                return False
        return True

    def _octets(self) -> bytes:
        match self._server.answer:
            case Text(text=text):
                return payload(text)
            case Octets(octets=number):
                return payload(number)
            case "time":
                return payload(time_text(self._node.now) + "\r\n")
        return b""


_END_AT: dict[str, Callable[[ConnectedSocket], None]] = {
    "half_close": lambda connection: connection.shutdown(SHUT_WR),
    "close": lambda connection: connection.close(),
    "abort": lambda connection: connection.abort(),
}


def _calls(accept: Accept) -> Iterator[int]:
    """The times before which accept() is not called, one for each call."""
    if accept.never:
        return
    if accept.at is not None:
        yield from accept.at
        return
    while True:
        yield accept.begin
