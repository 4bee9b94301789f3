"""A host that is watched does what one does that nobody watches: the same deeds, the same segments and results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from _fuzz_rules import BrokenRuleError
from _fuzz_world import Arrive, ArriveOctets, Call, Deed, Open, SetSysctl, Setup, made

from tcpemu.stack import Host, Socket, SocketError
from tcpemu.wire import Segment, decode


class _Quiet:
    """A host and its sockets, without any rule."""

    def __init__(self, setup: Setup) -> None:
        self.host: Host = setup.host()
        self.sockets: dict[int, Socket] = {}

    def play(self, deed: Deed) -> tuple[list[Segment], object]:
        """What it sends by the end of the deed, and what the deed gives."""
        self.host.advance(deed.at)
        result: object = None
        if isinstance(deed, Arrive):
            self.host.receive(deed.segment, deed.at)
        elif isinstance(deed, ArriveOctets):
            self.host.receive(decode(deed.octets), deed.at)
        elif isinstance(deed, Open):
            self.sockets[deed.socket] = self.host.socket(ipv6=deed.ipv6)
        elif isinstance(deed, SetSysctl):
            self.host.set_sysctl(deed.name, deed.value)
        elif isinstance(deed, Call) and deed.socket in self.sockets:
            result = self._call(self.sockets[deed.socket], deed)
        return self.host.transmit(), result

    def _call(self, socket: Socket, deed: Call) -> object:
        try:
            result = made(socket, deed)
        except SocketError as error:
            return error.errno
        if isinstance(result, Socket):
            self.sockets[deed.makes] = result
            return result.remote
        return result


def check(setup: Setup, deeds: Sequence[Deed]) -> None:
    """Raises BrokenRuleError at the first deed at which the two part."""
    watched, alone = _Quiet(setup), _Quiet(replace(setup, observe=False))
    for number, deed in enumerate(deeds, 1):
        if (seen := watched.play(deed)) != (unseen := alone.play(deed)):
            raise BrokenRuleError(
                "watching changes nothing", f"deed {number}, {deed}: {seen}, alone {unseen}"
            )
        watched.host.events()
    if watched.host.counters != alone.host.counters:
        raise BrokenRuleError(
            "watching changes no counter", f"{watched.host.counters}, {alone.host.counters}"
        )
