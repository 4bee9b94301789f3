"""A client of a scenario, as an application on the host of its group."""

from dataclasses import dataclass, field
from itertools import cycle, islice

from tcpemu.network import ConnectedSocket, Node, Rule
from tcpemu.scenario.format.actions import Act, Word
from tcpemu.scenario.running.result import ClientOutcome
from tcpemu.scenario.running.server import CHUNK
from tcpemu.stack.base.errors import SocketError
from tcpemu.stack.base.socket_constants import SHUT_WR
from tcpemu.wire.segment import Segment

LETTERS = b"abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class Abandoned(Rule):
    """Loses every packet of the connections that were abandoned, as if their client had been switched off."""

    ports: set[int] = field(default_factory=set)
    """Ports of the client's side. It grows while the network runs."""

    def matches(self, segment: Segment) -> bool:
        return segment.sport in self.ports or segment.dport in self.ports

    def text(self, count: int) -> str:  # noqa: ARG002 - every one is meant
        return "the client is gone without a word"


def payload(send: str | int) -> bytes:
    """What { send = ... } sends: the text, or so many letters of the alphabet."""
    return send.encode() if isinstance(send, str) else bytes(islice(cycle(LETTERS), send))


class Client:
    """Does one thing after the other, and notes how it fares."""

    def __init__(
        self,
        target: tuple[str, int],
        actions: tuple[Word | Act, ...],
        outcome: ClientOutcome,
        abandoned: Abandoned,
    ) -> None:
        self._target, self._actions, self._outcome = target, actions, outcome
        self._abandoned = abandoned
        self._connection: ConnectedSocket | None = None

    async def run(self, node: Node) -> None:
        try:
            for action in self._actions:
                await self._do(node, action)
        except SocketError as error:
            self._outcome.error = error.name
            raise
        finally:
            self._outcome.ended = node.now

    async def _do(self, node: Node, action: Word | Act) -> None:
        if action == "connect":
            self._connection = await node.connect(*self._target)
            self._outcome.connected = node.now
        elif not isinstance(action, Act):
            await self._word(action)
        elif action.wait is not None:
            await node.sleep(action.wait)
        elif action.wait_until is not None:
            await node.sleep(max(0, action.wait_until - node.now))
        elif action.send is not None:
            data = payload(action.send)
            await self._open.send(data)
            self._outcome.sent += len(data)
        elif action.recv is not None:
            await self._recv(action.recv)

    @property
    def _open(self) -> ConnectedSocket:
        assert self._connection is not None, "the model lets nothing stand before connect"
        return self._connection

    async def _word(self, word: Word) -> None:
        match word:
            case "recv":
                await self._recv(1)
            case "read_to_end":
                await self._recv(None)
            case "half_close":
                self._open.shutdown(SHUT_WR)
            case "close":
                self._open.close()
            case "abort":
                self._open.abort()
            case "abandon":
                self._abandoned.ports.add(self._open.local[1])

    async def _recv(self, least: int | None) -> None:
        """Read until there are so many octets, or the end; None reads to the end."""
        rest = least
        while rest is None or rest > 0:
            data = await self._open.recv(CHUNK)
            if not data:
                return
            self._outcome.received += len(data)
            rest = None if rest is None else rest - len(data)
