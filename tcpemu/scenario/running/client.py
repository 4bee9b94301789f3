"""A client of a scenario, as an application on the host of its group."""

import errno
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from tcpemu.network import ConnectedSocket, Node, OptionValues, Rule
from tcpemu.scenario.format.actions import Act, Word
from tcpemu.scenario.running.payload import CHUNK, payload
from tcpemu.scenario.running.result import ClientOutcome
from tcpemu.stack.base.errors import SocketError
from tcpemu.stack.base.socket_constants import SHUT_WR
from tcpemu.wire.segment import Segment


@dataclass(frozen=True, slots=True)
class Abandoned(Rule):
    """Loses every packet of the connections that were abandoned, as if their client had been switched off."""

    ports: set[int] = field(default_factory=set)
    """Ports of the client's side. It grows while the network runs."""

    def matches(self, segment: Segment) -> bool:
        return segment.sport in self.ports or segment.dport in self.ports

    def text(self, count: int) -> str:  # noqa: ARG002 - every one is meant
        return "the client is gone without a word"


class Client:
    """Does one thing after the other, and notes how it fares."""

    def __init__(
        self,
        target: tuple[str, int],
        actions: tuple[Word | Act, ...],
        outcome: ClientOutcome,
        abandoned: Abandoned,
        options: OptionValues | None = None,
        own_port: int | None = None,
        patience: int | None = None,
    ) -> None:
        self._target, self._actions, self._outcome = target, actions, outcome
        self._abandoned = abandoned
        self._options = options
        self._local = None if own_port is None else (None, own_port)
        self._patience = patience
        self._connection: ConnectedSocket | None = None

    async def run(self, node: Node) -> None:
        try:
            for action in self._actions:
                await self._do(node, action)
        except SocketError as error:
            self._outcome.error, self._outcome.ended = error.name, node.now
            if error.errno == errno.EAGAIN:  # its patience is over
                await self._open.aclose()
            raise
        self._outcome.ended = node.now  # not where its host has crashed: it never ended

    async def _do(self, node: Node, action: Word | Act) -> None:
        if not isinstance(action, Act):
            await AT_WORD[action](self, node)
        elif action.wait is not None:
            await node.sleep(action.wait)
        elif action.wait_until is not None:
            await node.sleep(max(0, action.wait_until - node.now))
        elif action.send is not None:
            data = payload(action.send)
            await self._open.send(data)
            self._outcome.sent += len(data)
        elif action.recv is not None:
            await self._read(node, action.recv)

    @property
    def _open(self) -> ConnectedSocket:
        assert self._connection is not None, "the model lets nothing stand before connect"
        return self._connection

    async def connect(self, node: Node) -> None:
        self._connection = await node.connect(*self._target, self._options, self._local, self._patience)
        self._outcome.connected = node.now

    async def recv(self, node: Node) -> None:
        await self._read(node, 1)

    async def read_to_end(self, node: Node) -> None:
        await self._read(node, None)

    async def half_close(self, _: Node) -> None:
        self._open.shutdown(SHUT_WR)

    async def close(self, _: Node) -> None:
        await self._open.aclose()

    async def abort(self, _: Node) -> None:
        self._open.abort()

    async def abandon(self, _: Node) -> None:
        self._open.gone()
        self._abandoned.ports.add(self._open.local[1])

    async def _read(self, node: Node, least: int | None) -> None:
        """Read until there are so many octets, or the end; None reads to the end."""
        rest = least
        while rest is None or rest > 0:
            data = await self._open.recv(CHUNK, self._patience)
            if not data:
                return
            if self._outcome.first_octet is None:
                self._outcome.first_octet = node.now
            self._outcome.received += len(data)
            rest = None if rest is None else rest - len(data)


AT_WORD: dict[Word, Callable[[Client, Node], Awaitable[None]]] = {
    "connect": Client.connect,
    "recv": Client.recv,
    "read_to_end": Client.read_to_end,
    "half_close": Client.half_close,
    "close": Client.close,
    "abort": Client.abort,
    "abandon": Client.abandon,
}
"""What a client does at each word of `do`; a bare SYN is thrown by `bare_syns`."""
