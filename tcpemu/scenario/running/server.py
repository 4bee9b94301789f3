"""The server of a scenario, as applications on its host."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice

from tcpemu.network import ConnectedSocket, ListeningSocket, Network, Node
from tcpemu.scenario.format.scenario_file import Accept, Server, Text
from tcpemu.scenario.running.result import Accepted
from tcpemu.stack.base.errors import SocketError
from tcpemu.stack.base.socket_constants import (
    IPPROTO_TCP,
    SHUT_RDWR,
    SO_RCVBUF,
    SOL_SOCKET,
    TCP_DEFER_ACCEPT,
    TCP_MAXSEG,
    TCP_SYNCNT,
)

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
"""The date and time at virtual time 0, for servers that tell the time."""

CHUNK = 65536
"""Octets that a program asks for in one recv()."""

_OPTIONS = {
    "defer_accept": (IPPROTO_TCP, TCP_DEFER_ACCEPT),
    "syncnt": (IPPROTO_TCP, TCP_SYNCNT),
    "rcvbuf": (SOL_SOCKET, SO_RCVBUF),
    "maxseg": (IPPROTO_TCP, TCP_MAXSEG),
}


def time_text(now: int) -> str:
    """Date and time of the virtual clock, to the millisecond: `2026-01-01 00:00:01.015 UTC`."""
    moment = EPOCH + timedelta(microseconds=now // 1000)
    return moment.isoformat(sep=" ", timespec="milliseconds").replace("+00:00", " UTC")


class ServerProgram:
    """Listens, accepts when the scenario says so, answers, and notes what it accepted."""

    def __init__(self, network: Network, node: Node, server: Server, accepted: list[Accepted]) -> None:
        self._network, self._node, self._server, self._accepted = network, node, server, accepted

    def start(self) -> None:
        self._network.spawn(self._node, self._run, self._node.name, errors_are_noted=True)

    async def _run(self, node: Node) -> None:
        server = self._server
        given = server.options.model_dump(exclude_none=True)
        options = {_OPTIONS[key]: value for key, value in given.items()}
        listener = node.listen(server.port, server.backlog, options, datagram=server.socket == "udp")
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
        async def application(_: Node) -> None:
            call()

        self._network.spawn(self._node, application, self._node.name, at, errors_are_noted=True)

    async def _serve(self, connection: ConnectedSocket) -> None:
        """Answer at once; what may take long goes to an application of its own."""
        server = self._server
        if server.answer == "echo" or server.then == "read_to_end":
            name = f"{self._node.name}-{len(self._accepted)}"
            self._network.spawn(self._node, lambda _: self._converse(connection), name, errors_are_noted=True)
            return
        try:
            await self._answer(connection)
        except SocketError:
            return  # the record has it, and the server goes on with the next one

    async def _converse(self, connection: ConnectedSocket) -> None:
        await self._answer(connection)

    async def _answer(self, connection: ConnectedSocket) -> None:
        answer = self._server.answer
        if answer == "echo":
            while data := await connection.recv(CHUNK):
                await connection.send(data)
        elif text := self._text():
            await connection.send(text.encode())
        if self._server.then == "read_to_end":
            while await connection.recv(CHUNK):
                pass
        if self._server.then != "keep":
            connection.close()

    def _text(self) -> str:
        match self._server.answer:
            case Text(text=text):
                return text
            case "time":
                return time_text(self._node.now) + "\r\n"
        return ""


def _calls(accept: Accept) -> Iterator[int]:
    """The times before which accept() is not called, one for each call."""
    if accept.never:
        return
    if accept.at is not None:
        yield from accept.at
        return
    while True:
        yield accept.begin
