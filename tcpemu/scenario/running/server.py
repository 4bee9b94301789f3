"""The server of a scenario, as applications on its host."""

from __future__ import annotations

import errno
from collections.abc import Callable, Coroutine, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice
from random import Random
from typing import Any

from tcpemu.network import ConnectedSocket, ListeningSocket, Network, Node, Task, seeds
from tcpemu.scenario.format.actions import Act
from tcpemu.scenario.format.scenario_file import Accept, Octets, Server, Text
from tcpemu.scenario.running.option_values import option_values
from tcpemu.scenario.running.payload import CHUNK, payload
from tcpemu.scenario.running.result import Accepted
from tcpemu.stack.base.errors import SocketError
from tcpemu.stack.base.socket_constants import SHUT_RDWR, SHUT_WR, SO_REUSEPORT, SOL_SOCKET

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
"""The date and time at virtual time 0, for servers that tell the time."""


def time_text(now: int) -> str:
    """Date and time of the virtual clock, to the millisecond: `2026-01-01 00:00:01.015 UTC`."""
    moment = EPOCH + timedelta(microseconds=now // 1000)
    return moment.isoformat(sep=" ", timespec="milliseconds").replace("+00:00", " UTC")


class IdleError(Exception):
    """Nothing has come on a connection for as long as the server waits."""


def start_programs(network: Network, node: Node, server: Server, accepted: list[Accepted]) -> None:
    """Start the programs of the server, one for each socket that listens."""
    for number in range(1, server.listeners + 1):
        name = node.name if number == 1 else f"{node.name}:{number}"
        ServerProgram(network, node, server, accepted, name).start()


class ServerProgram:
    """Listens, accepts when the scenario says so, answers, and notes what it accepted."""

    def __init__(
        self, network: Network, node: Node, server: Server, accepted: list[Accepted], name: str
    ) -> None:
        self._network, self._node, self._server, self._accepted = network, node, server, accepted
        self._name, self._first = name, name == node.name
        self._accepted_here = 0
        """Connections that it has accepted, on one listener after the other."""
        self._tasks: list[Task] = []
        """What runs until the program stops."""
        self._connections: list[ConnectedSocket] = []

    def start(self) -> None:
        self._spawn(self._run, self._name)
        if (
            self._first
            and self._server.listen_at is not None
            and self._server.listen_at[-1] >= self._node.now
        ):
            self._network.spawn(self._node, self._listen_again, self._name, errors_are_noted=True)

    def _spawn(self, run: Callable[[Node], Coroutine[Any, Any, None]], name: str) -> None:
        self._tasks.append(self._network.spawn(self._node, run, name, errors_are_noted=True))

    async def _run(self, node: Node) -> None:
        listener = self._listen()
        self._plan(listener)
        await self._accept_from(listener, node)

    def _listen(self) -> ListeningSocket:
        server = self._server
        options = dict(option_values(server.options))
        if server.listeners > 1:
            options[SOL_SOCKET, SO_REUSEPORT] = 1
        return self._node.listen(server.port, server.backlog, options, datagram=server.socket == "udp")

    async def _listen_again(self, node: Node) -> None:
        """Listen once more, at the first of the times at which that succeeds."""
        for at in self._server.listen_at or ():
            if at < node.now:
                continue  # of a time before the host started again
            await node.sleep(at - node.now)
            try:
                listener = self._listen()
            except SocketError:
                continue  # the record has it
            self._spawn(partial(self._accept_from, listener), self._name)
            return

    async def _accept_from(self, listener: ListeningSocket, node: Node) -> None:
        accept = self._server.accept
        busy = _busy_times(accept, seeds.stream(self._network.seed, "accept", self._name))
        left = None if accept.limit is None else accept.limit - self._accepted_here
        for at in islice(_calls(accept, node.now), left):
            await node.sleep(max(0, at - node.now))
            while (over := accept.pauses_over(node.now)) > node.now:
                await node.sleep(over - node.now)
            connection = await listener.accept()
            self._accepted_here += 1
            free = node.now + next(busy)
            self._accepted.append(Accepted(node.now, connection.remote or (b"", 0)))
            if self._server.stop_at is not None:
                self._connections.append(connection)
            await self._serve(connection)
            await node.sleep(max(0, free - node.now))

    def _plan(self, listener: ListeningSocket) -> None:
        """What the server does to its listener later on, while it waits in accept()."""
        server = self._server
        if not self._first:
            return
        for step in server.relisten:
            self._later(step.at, partial(listener.listen, step.backlog))
        if server.shutdown_at is not None:
            self._later(server.shutdown_at, partial(listener.shutdown, SHUT_RDWR))
        if server.close_at is not None:
            self._later(server.close_at, listener.close)
        if server.stop_at is not None:
            self._later(server.stop_at, partial(self._stop, listener))

    def _stop(self, listener: ListeningSocket) -> None:
        """The program ends, wherever it stands; the kernel closes what it had open, in the order of its numbers."""
        for task in self._tasks:
            task.kill()
        for each in (listener, *self._connections):
            if not each.closed:
                each.close(exiting=True)
        self._tasks, self._connections = [], []

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
            self._spawn(lambda _: self._converse(connection), name)
            return
        try:
            await self._answer(connection)
        except SocketError:
            return  # the record has it, and the server goes on with the next one

    async def _converse(self, connection: ConnectedSocket) -> None:
        try:
            await (self._act(connection) if self._server.do else self._answer(connection))
        except IdleError:
            await connection.aclose()

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
            await connection.aclose()

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
                        await connection.aclose()
                        return
                    break
                else:
                    await _end(connection, action)
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


async def _end(connection: ConnectedSocket, word: str) -> None:
    """half_close, close or abort."""
    if word == "half_close":
        connection.shutdown(SHUT_WR)
    elif word == "close":
        await connection.aclose()
    else:
        connection.abort()


def _busy_times(accept: Accept, random: Random) -> Iterator[int]:
    """How long the server is busy with one connection after the other."""
    while True:
        if accept.slow is not None and random.random() < accept.slow.share:
            yield accept.slow.every
        elif accept.by_chance:
            yield round(random.expovariate(1 / accept.every))
        else:
            yield accept.every


def _calls(accept: Accept, since: int) -> Iterator[int]:
    """The times before which accept() is not called, one for each call; those before the listener are over."""
    if accept.never:
        return
    if accept.at is not None:
        yield from (at for at in accept.at if at >= since)
        return
    while True:
        yield accept.begin
