"""Draws what happens next to a host under test: mostly what would bring it on, often a little wrong.

The drawer looks into the host for the numbers that matter, since what is near them finds more than what is
drawn blindly; so one sequence of deeds fits one host. Clients are few, that flows meet again.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import _fuzz_segments as segments
from _fuzz_world import Arrive, ArriveOctets, Call, Deed, Open, SetSysctl, Setup, Wait, World

from tcpemu.generations import GENERATIONS
from tcpemu.stack import SYSCTLS, Generation, State
from tcpemu.stack.base import socket_constants as sockopt
from tcpemu.stack.base.ip_families import is_ipv6
from tcpemu.stack.base.units import MICROSECOND, MILLISECOND, SECOND
from tcpemu.wire import Address, address, encode
from tcpemu.wire.ipv6 import LEAST_IPV6_MTU

ADDRESSES = (address("192.0.2.1"), address("192.0.2.2"))
ADDRESSES_OF_IPV6 = (address("2001:db8::1"), address("2001:db8::2"))
LISTENING = (80, 81)
REMOTE_PORT = 7
_DAY = 86_400 * SECOND
_MOST_SOCKETS = 24
_NEAR_WRAPS = tuple(2**bits * MILLISECOND - 3 * SECOND for bits in (31, 32))
"""Uptimes after which a clock of milliseconds wraps, or becomes negative to one that takes it for signed."""

_SYSCTLS: dict[str, tuple[object, ...]] = {
    "net.core.somaxconn": (0, 1, 3, 4096, 2**31 - 1),
    "net.ipv4.tcp_syncookies": (0, 1, 2),
    "net.ipv4.tcp_max_syn_backlog": (1, 4, 16, 2048, 2**31 - 1),
    "net.ipv4.tcp_abort_on_overflow": (0, 1),
    "net.ipv4.tcp_timestamps": (0, 1, 2),
    "net.ipv4.tcp_sack": (0, 1),
    "net.ipv4.tcp_window_scaling": (0, 1),
    "net.ipv4.tcp_synack_retries": (0, 1, 5, 255),
    "net.ipv4.tcp_syn_retries": (1, 2, 6, 127),
    "net.ipv4.tcp_retries2": (0, 3, 15, 255),
    "net.ipv4.tcp_rmem": ((1, 1, 1), (4096, 4096, 8192), (4096, 131072, 33554432)),
    "net.ipv4.tcp_wmem": ((1, 1, 1), (4096, 4608, 8192), (4096, 16384, 4194304)),
    "net.ipv4.tcp_ecn": (0, 1, 2),
    "net.ipv4.tcp_fin_timeout": (1, 5, 60),
    "net.ipv4.tcp_challenge_ack_limit": (1, 3, 2**31 - 1),
    "net.ipv4.tcp_invalid_ratelimit": (0, 500),
    "net.ipv4.tcp_fastopen": (1, 1, 3, 0x203, 0x403, 0x607),
    "net.ipv4.ip_local_port_range": ((40000, 40007), (32768, 60999)),
}
_SETTLED = ("net.ipv4.ip_local_port_range", "net.ipv4.tcp_wmem", "net.ipv4.tcp_notsent_lowat")
"""Not changed while a host runs: sockets become writable by it, and nobody is told."""
_BACKLOGS = (0, 0, 1, 1, 2, 3, 5, 10, 4096, -1, 2**31 - 1, -(2**31))
_OPTIONS: tuple[tuple[int, int, tuple[int, ...]], ...] = (
    (sockopt.SOL_SOCKET, sockopt.SO_RCVBUF, (0, 1, 2304, 8192, 100_000, 10_000_000)),
    (sockopt.SOL_SOCKET, sockopt.SO_SNDBUF, (0, 1, 4608, 100_000)),
    (sockopt.SOL_SOCKET, sockopt.SO_REUSEADDR, (0, 1)),
    (sockopt.SOL_SOCKET, sockopt.SO_REUSEPORT, (0, 1)),
    (sockopt.SOL_SOCKET, sockopt.SO_ERROR, (0,)),
    (sockopt.IPPROTO_IP, sockopt.IP_TOS, (0, 16, 255, 256)),
    (sockopt.IPPROTO_IP, sockopt.IP_TTL, (0, 1, 255)),
    (sockopt.IPPROTO_TCP, sockopt.TCP_NODELAY, (0, 1)),
    (sockopt.IPPROTO_TCP, sockopt.TCP_CORK, (0, 1)),
    (sockopt.IPPROTO_TCP, sockopt.TCP_MAXSEG, (0, 1, 88, 536, 1460, 32767)),
    (sockopt.IPPROTO_TCP, sockopt.TCP_SYNCNT, (0, 1, 3, 127)),
    (sockopt.IPPROTO_TCP, sockopt.TCP_LINGER2, (-1, 0, 1, 60, 1000)),
    (sockopt.IPPROTO_TCP, sockopt.TCP_DEFER_ACCEPT, (0, 1, 3, 1000)),
    (sockopt.IPPROTO_TCP, sockopt.TCP_WINDOW_CLAMP, (0, 1, 1152, 5000, 65535, 10**6)),
    (sockopt.IPPROTO_TCP, sockopt.TCP_USER_TIMEOUT, (-1, 0, 1, 500, 30_000)),
    (sockopt.IPPROTO_TCP, sockopt.TCP_QUICKACK, (0, 1)),
    (sockopt.IPPROTO_TCP, sockopt.TCP_FASTOPEN, (-1, 0, 1, 5, 10**6)),
    (sockopt.IPPROTO_TCP, sockopt.TCP_FASTOPEN_NO_COOKIE, (0, 1, 2)),
    (sockopt.IPPROTO_TCP, 99, (1,)),
)


def _taken(kernel: Generation, name: str) -> tuple[object, ...]:
    """Those of the values that the kernel takes."""
    most = kernel.limits.get(name)
    return tuple(
        value for value in _SYSCTLS[name] if most is None or not isinstance(value, int) or value <= most
    )


def _while_it_runs(kernel: Generation, name: str) -> tuple[object, ...]:
    """Values that a sysctl may get in mid-run: those of interest, else the ends of its range."""
    if name in _SYSCTLS:
        return _taken(kernel, name)
    sysctl, most = SYSCTLS[name], kernel.limits.get(name)
    if sysctl.words:
        return sysctl.words
    if not isinstance(sysctl.default, int):
        return (sysctl.default,)
    high = sysctl.high if most is None else min(most, sysctl.high)
    return tuple(dict.fromkeys((sysctl.low, min(sysctl.low + 1, high), min(sysctl.default, high), high)))


def draw_setup(random: Random) -> Setup:
    """A host, often with a few sysctls that are not as usual."""
    sysctls: dict[str, object] = {}
    kernel = random.choice(sorted(GENERATIONS))
    for name, sysctl in SYSCTLS.items():
        if name in GENERATIONS[kernel].missing:
            continue
        if name in _SYSCTLS:
            if random.random() < 0.3:
                sysctls[name] = random.choice(_taken(GENERATIONS[kernel], name))
        elif not sysctl.words and isinstance(sysctl.default, int) and random.random() < 0.1:
            most = min(sysctl.high, GENERATIONS[kernel].limits.get(name, sysctl.high), 10**6)
            sysctls[name] = random.choice((sysctl.low, min(sysctl.low + 1, most), most))
    secret, mtu = random.getrandbits(32), random.choice((1500, 1500, 1500, 576, 68, 9000, 65535))
    hz = random.choice((None, None, None, 100, 250, 1000))
    own: tuple[Address, ...] = ADDRESSES
    if mtu >= LEAST_IPV6_MTU and random.random() < 0.4:
        own = random.choice((ADDRESSES_OF_IPV6, (*ADDRESSES, *ADDRESSES_OF_IPV6)))
    return Setup(
        own,
        kernel,
        sysctls,
        secret,
        mtu,
        None if GENERATIONS[kernel].late_timers is None else hz,
        ((address("10.0.0.0"), 31), (address("2001:db8:1::"), 127)) if random.random() < 0.05 else None,
    )


class Drawer:
    """Draws the deeds for one world. Each is to be played before the next is drawn."""

    def __init__(self, random: Random, world: World) -> None:
        self.random = random
        self.world = world
        self.now = 0
        self.uptime = random.choice((0, 0, 0, *_NEAR_WRAPS))
        """How long the host has been up when the first segment comes."""
        self.names = 0
        self.eager = random.choice((0.0, 0.2, 1.0, 1.0))
        """How soon the application accepts and reads."""
        self.clients = segments.Clients(random, random.choice((2, 5, 12)), world.host, world.rules.answers)

    def opening(self) -> list[Deed]:
        """Listeners, so that something happens; now and then several that share a port."""
        random = self.random
        shared = random.random() < 0.1
        ports = (80, 80, 80) if shared else LISTENING[: random.choice((1, 1, 2))]
        return [deed for port in ports for deed in self._listener(port, shared)]

    def _listener(self, port: int, shared: bool) -> list[Deed]:
        random, name = self.random, self._name()
        deeds: list[Deed] = [Open(0, name, self._of_ipv6())]
        if shared:
            deeds.append(Call(0, name, "setsockopt", (sockopt.SOL_SOCKET, sockopt.SO_REUSEPORT, 1)))
        deeds.append(Call(0, name, "bind", (random.choice((None, *ADDRESSES)), port)))
        if random.random() < 0.3:
            deeds.append(self._setsockopt(name, 0))
        return [*deeds, Call(0, name, "listen", (random.choice(_BACKLOGS),))]

    def next(self) -> Deed:
        """What happens next."""
        if self.uptime:
            self.now, self.uptime = self.uptime, 0
            return Wait(self.now)
        draw = self.random.random()
        if draw < 0.66:
            return self._segment()
        if draw < 0.71:
            return self._octets()
        if draw < 0.90:
            return self._call()
        if draw < 0.905:
            return self._sysctl()
        return self._wait()

    # --- time ------------------------------------------------------------------------------------------------

    def _soon(self) -> int:
        """A little later, and most often at once."""
        if self.random.random() < 0.5:
            self.now += self.random.choice((1, MICROSECOND, MILLISECOND, 5 * MILLISECOND))
        return self.now

    def _wait(self) -> Deed:
        random = self.random
        due = self.world.host.next_timer()
        draw = random.random()
        if draw < 0.45 and due is not None:
            self.now = max(self.now, due + random.choice((-1, 0, 0, 1)))
        elif draw < 0.93:
            self.now += int(random.choice((40, 200, 500, 1000, 3000)) * MILLISECOND * random.random())
        elif draw < 0.99:
            self.now += int(random.choice((20, 60, 130)) * SECOND * (0.9 + random.random() / 5))
        else:
            self.now += random.choice((3600 * SECOND, _DAY, 25 * _DAY))
        return Wait(self.now)

    # --- segments --------------------------------------------------------------------------------------------

    def _segment(self) -> Deed:
        segment = self.clients.segment(self._soon())
        if self.random.random() < 0.5:
            return Arrive(self.now, segment)
        return ArriveOctets(self.now, encode(segment))

    def _octets(self) -> Deed:
        return ArriveOctets(self._soon(), self.clients.octets(self.now))

    # --- calls -----------------------------------------------------------------------------------------------

    def _name(self) -> int:
        self.names += 1
        return self.names

    def _call(self) -> Deed:
        random, world = self.random, self.world
        now = self._soon()
        if len(world.open_sockets()) < _MOST_SOCKETS and random.random() < 0.1:
            return Open(now, self._name(), self._of_ipv6())
        usable = [name for name in world.sockets if name not in world.closed]
        if not usable or random.random() < 0.01:
            usable = list(world.sockets) or [self._name()]
        name = random.choice(usable)
        socket = world.sockets.get(name)
        if socket is not None and socket.readable and random.random() < self.eager:
            return self._read(name, now)
        if socket is None:
            return Open(now, name, self._of_ipv6())
        return self._any_call(name, now, socket.listening)

    def _read(self, name: int, now: int) -> Deed:
        if self.world.sockets[name].listening:
            return Call(now, name, "accept", (), self._name())
        return Call(now, name, "recv", (self.random.choice((1, 100, 5000, 1 << 20)),))

    def _any_call(self, name: int, now: int, listening: bool) -> Deed:
        random = self.random
        if listening and random.random() < 0.8:
            # Listeners should live long; what else can be called on them is rare.
            if random.random() < 0.3:
                return Call(now, name, "listen", (random.choice(_BACKLOGS),))
            return Call(now, name, "accept", (), self._name())
        leaves = 8 if self.world.sockets[name].state is State.CLOSE_WAIT else 2
        kinds: tuple[tuple[Callable[[int, int], Deed], int], ...] = (
            (self._send, 6),
            (self._recv, 3),
            (self._connect, 3),
            (self._shutdown, 2),
            (self._close, leaves),
            (self._setsockopt, 3),
            (self._rare, 1),
        )
        (draw,) = random.choices([kind for kind, _ in kinds], [weight for _, weight in kinds])
        return draw(name, now)

    def _of_ipv6(self) -> bool:
        """Whether the next socket is one of AF_INET6, on a host that has an address of it."""
        return any(map(is_ipv6, self.world.host.addresses)) and self.random.random() < 0.7

    def _send(self, name: int, now: int) -> Deed:
        return Call(now, name, "send", (self.random.choice((0, 1, 10, 100, 1448, 3000, 20_000, 200_000)),))

    def _recv(self, name: int, now: int) -> Deed:
        return Call(now, name, "recv", (self.random.choice((0, 1, 100, 1 << 20)),))

    def _connect(self, name: int, now: int) -> Deed:
        port = self.random.choice((REMOTE_PORT, REMOTE_PORT, 8, self.clients.random_port()))
        return Call(now, name, "connect", (self.clients.random_address(), port))

    def _shutdown(self, name: int, now: int) -> Deed:
        return Call(now, name, "shutdown", (self.random.choice((0, 1, 1, 2, 3)),))

    def _close(self, name: int, now: int) -> Deed:
        return Call(now, name, "close")

    def _setsockopt(self, name: int, now: int) -> Deed:
        level, option, values = self.random.choice(_OPTIONS)
        return Call(now, name, "setsockopt", (level, option, self.random.choice(values)))

    def _rare(self, name: int, now: int) -> Deed:
        random = self.random
        level, option, _ = random.choice(_OPTIONS)
        return random.choice(
            (
                Call(now, name, "listen", (random.choice(_BACKLOGS),)),
                Call(now, name, "accept", (), self._name()),
                Call(now, name, "linger", (True, 0)),
                Call(now, name, "linger", (random.random() < 0.5, 3)),
                Call(now, name, "getsockopt", (level, option)),
                self._bind(name, now),
                Call(now, name, "bind", (address("203.0.113.9"), 80)),
            )
        )

    def _bind(self, name: int, now: int) -> Deed:
        local = self.random.choice((None, *ADDRESSES, *ADDRESSES_OF_IPV6))
        return Call(now, name, "bind", (local, self.random.choice((0, 80, 81, 5000))))

    def _sysctl(self) -> Deed:
        kernel = self.world.host.generation
        names = [name for name in SYSCTLS if name not in _SETTLED and name not in kernel.missing]
        if not names:
            return self._wait()
        name = self.random.choice(names)
        return SetSysctl(self._soon(), name, self.random.choice(_while_it_runs(kernel, name)))
