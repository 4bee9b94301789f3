"""A host under test: what may be done to it, each deed a value, and the doing of it.

Deeds say their time and hold whole segments, so that a sequence of them can be played again with some left
out: that is how a failure is made short. Whatever a sequence does, every octet of a stream is given by its
sequence number (`text_at`), so what arrives at either end can be checked.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import TypeAlias

from _fuzz_rules import BrokenRuleError, Rules

from tcpemu.generations import generation
from tcpemu.stack import ConfigurationError, Host, Socket, SocketError
from tcpemu.wire import Address, Refused, Segment, address, decode

_DRAIN_LIMIT = 50_000
LONGEST_DEED = 20.0
"""Seconds: a day of time that passes at once takes less."""


@dataclass(frozen=True, slots=True)
class Setup:
    """What a host is made of."""

    addresses: tuple[Address, ...]
    generation: str
    sysctls: Mapping[str, object] = field(default_factory=dict)
    seed: int = 0
    mtu: int = 1500
    hz: int | None = None
    routes: tuple[tuple[Address, int], ...] | None = None
    observe: bool = True

    def host(self) -> Host:
        return Host(
            self.addresses,
            generation(self.generation),
            sysctls=self.sysctls,
            seed=self.seed,
            mtu=self.mtu,
            hz=self.hz,
            routes=self.routes,
            observe=self.observe,
        )


@dataclass(frozen=True, slots=True)
class Arrive:
    """A segment arrives."""

    at: int
    segment: Segment


@dataclass(frozen=True, slots=True)
class ArriveOctets:
    """Octets arrive, which may be a packet."""

    at: int
    octets: bytes


@dataclass(frozen=True, slots=True)
class Open:
    """A new socket, and its name."""

    at: int
    socket: int
    ipv6: bool = False
    """One of AF_INET6."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a socket. accept() names the socket that it makes; send() says how many octets."""

    at: int
    socket: int
    name: str
    arguments: tuple[object, ...] = ()
    makes: int = -1


@dataclass(frozen=True, slots=True)
class SetSysctl:
    """A sysctl gets another value."""

    at: int
    name: str
    value: object


@dataclass(frozen=True, slots=True)
class Wait:
    """Time passes."""

    at: int


PEERS = tuple(address(f"10.0.0.{host}") for host in (1, 2, 3))
PEERS_OF_IPV6 = tuple(address(f"2001:db8:1::{host}") for host in (1, 2, 3))
ALL_PEERS = (*PEERS, *PEERS_OF_IPV6)
Deed: TypeAlias = Arrive | ArriveOctets | Open | Call | SetSysctl | Wait

_TEXT = Random("text").randbytes(1 << 16)
_LONG_TEXT = _TEXT * 4
TIMELESS = ("bind", "linger", "getsockopt")
"""Calls without a time."""


def text_at(seq: int, length: int) -> bytes:
    """What stands in a stream at this sequence number."""
    start = seq & 0xFFFF
    if length <= len(_LONG_TEXT) - start:
        return _LONG_TEXT[start : start + length]
    return (_TEXT * (length // len(_TEXT) + 2))[start : start + length]


def made(socket: Socket, deed: Call) -> object:
    """Make the call; what it gives. send() has what stands at that place of its stream."""
    arguments = deed.arguments
    if deed.name == "send":
        conn, size = socket.connection, arguments[0]
        assert isinstance(size, int)
        arguments = (text_at(conn.snd.write_seq if conn is not None else 0, size),)
    if deed.name not in TIMELESS:
        arguments = (*arguments, deed.at)
    return getattr(socket, deed.name)(*arguments)


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Let what is done end in so many seconds: BrokenRuleError where it does not, so that nothing hangs."""

    def over(*_: object) -> None:
        raise BrokenRuleError("a deed takes a moment", f"it has lasted {seconds} s")

    before = signal.signal(signal.SIGALRM, over)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


class World:
    """A host and the sockets that its applications have, by name."""

    def __init__(self, setup: Setup, check_every: int = 1) -> None:
        self.setup = setup
        self.host = setup.host()
        self.sockets: dict[int, Socket] = {}
        self.closed: set[int] = set()
        self.rules = Rules(self.host, text_at, ALL_PEERS)
        self.check_every = check_every
        self.done = 0

    def play(self, deed: Deed) -> None:
        """Let time pass until the deed, do it, and check everything after each. Raises BrokenRuleError."""
        with at_most(LONGEST_DEED):
            self._do(deed)
        self.done += 1
        if self.done % self.check_every == 0:
            self.rules.whole(self.open_sockets())

    def _do(self, deed: Deed) -> None:
        self.advance(deed.at)
        if isinstance(deed, Arrive):
            self._receive(deed.segment, deed.at)
        elif isinstance(deed, ArriveOctets):
            self._receive(decode(deed.octets), deed.at)
        elif isinstance(deed, Open):
            self.sockets[deed.socket] = self.host.socket(ipv6=deed.ipv6)
        elif isinstance(deed, Call):
            self._call(deed)
        elif isinstance(deed, SetSysctl):
            self._set_sysctl(deed)

    def advance(self, now: int) -> None:
        """Time passes."""
        due = self.host.next_timer()
        self.host.advance(now)
        if due is not None and due <= now:
            self.rules.step(now, None)

    def open_sockets(self) -> list[Socket]:
        return [socket for name, socket in self.sockets.items() if name not in self.closed]

    def finish(self) -> None:
        """Every application goes, no segment comes any more: in time nothing may be left."""
        for name in self.sockets:
            if name not in self.closed:
                self._call(Call(self.host.now, name, "close"))
        self.rules.whole([])
        fired = 0
        while (due := self.host.next_timer()) is not None:
            self.advance(due)
            fired += 1
            if fired > _DRAIN_LIMIT:
                raise BrokenRuleError("timers end", f"{fired} have fired since the last socket was closed")
        self.rules.whole([])
        self.rules.empty()

    def _receive(self, segment: Segment | Refused, now: int) -> None:
        self.rules.arrives(segment)
        self.host.receive(segment, now)
        self.rules.step(now, segment)

    def _set_sysctl(self, deed: SetSysctl) -> None:
        try:
            self.host.set_sysctl(deed.name, deed.value)
        except ConfigurationError as error:
            raise BrokenRuleError("sysctls take what is in their range", str(error)) from None

    # --- calls -----------------------------------------------------------------------------------------------

    def _call(self, deed: Call) -> None:
        socket = self.sockets.get(deed.socket)
        if socket is None:
            return
        before = self.rules.before_call(socket, deed.name, deed.arguments)
        error, result = 0, None
        try:
            result = made(socket, deed)
        except SocketError as refusal:
            error = refusal.errno or 0
        self._note(deed, result, error)
        self.rules.after_call(before, result, error)
        self.rules.step(deed.at, None)

    def _note(self, deed: Call, result: object, error: int) -> None:
        if deed.name == "close" and not error:
            self.closed.add(deed.socket)
        if isinstance(result, Socket):
            self.sockets[deed.makes] = result
