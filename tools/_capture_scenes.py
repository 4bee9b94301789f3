"""What is played on real kernels to be captured: each scene with the truth that a diagnosis should find."""

import select
import socket
import struct
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from _capture_ground import NOBODY, PORT, SERVER, Ground

from tcpemu.wire import address, encode
from tcpemu.wire.options import mss
from tcpemu.wire.segment import SYN, Segment

TCP_SYNCNT, TCP_DEFER_ACCEPT, TCP_FASTOPEN, TCP_USER_TIMEOUT = 7, 9, 23, 18
MSG_FASTOPEN = 0x20000000
LARGE = 65535
_MOST = 4096
_RST = 4


@dataclass
class Play:
    """A scene that runs."""

    ground: Ground
    sockets: list[socket.socket] = field(default_factory=list)

    def listen(self, backlog: int, **options: int) -> socket.socket:
        made = self.ground.make_socket("server")
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        for name, value in options.items():
            level = socket.SOL_SOCKET if name.startswith("SO_") else socket.IPPROTO_TCP
            made.setsockopt(level, _OPTIONS[name], value)
        made.bind((SERVER, PORT))
        made.listen(backlog)
        self.sockets.append(made)
        return made

    def connect(self, **options: int) -> socket.socket:
        made = self.ground.make_socket("client")
        for name, value in options.items():
            level = socket.SOL_SOCKET if name.startswith("SO_") else socket.IPPROTO_TCP
            made.setsockopt(level, _OPTIONS[name], value)
        with suppress(BlockingIOError):
            made.connect((SERVER, PORT))
        self.sockets.append(made)
        return made

    def accept(self, listener: socket.socket) -> socket.socket:
        select.select([listener], [], [], 5)
        made, _ = listener.accept()
        made.setblocking(False)
        self.sockets.append(made)
        return made

    def read(self, made: socket.socket) -> bytes:
        """What has come, once something has."""
        select.select([made], [], [], 5)
        with suppress(BlockingIOError):
            return made.recv(_MOST)
        return b""

    def pair(self, backlog: int = 4096, **options: int) -> tuple[socket.socket, socket.socket]:
        """A connection: its client and its server."""
        listener = self.listen(backlog, **options)
        client = self.connect()
        return client, self.accept(listener)

    def spoofed_syn(self, port: int, host: str = NOBODY) -> None:
        raw = self.ground.make_socket("client", socket.SOCK_RAW, socket.IPPROTO_RAW)
        syn = Segment(address(host), port, address(SERVER), PORT, port * 7919, 0, SYN, 64240, (mss(1460),))
        raw.sendto(encode(syn), (SERVER, 0))
        raw.close()


_OPTIONS = {
    "SO_RCVBUF": socket.SO_RCVBUF,
    "SO_KEEPALIVE": socket.SO_KEEPALIVE,
    "TCP_SYNCNT": TCP_SYNCNT,
    "TCP_DEFER_ACCEPT": TCP_DEFER_ACCEPT,
    "TCP_FASTOPEN": TCP_FASTOPEN,
    "TCP_USER_TIMEOUT": TCP_USER_TIMEOUT,
    "TCP_KEEPIDLE": socket.TCP_KEEPIDLE,
    "TCP_KEEPINTVL": socket.TCP_KEEPINTVL,
    "TCP_KEEPCNT": socket.TCP_KEEPCNT,
}


@dataclass(frozen=True)
class Scene:
    play: Callable[[Play], None]
    lasts: float
    """Seconds from its beginning, in which all timers have come to their end."""
    sysctl: Mapping[str, int] = field(default_factory=dict)
    """Of the server."""
    client_sysctl: Mapping[str, int] = field(default_factory=dict)
    settings: Mapping[str, int] = field(default_factory=dict)
    """Of the listener, by the names of `Supposed`, beside those that the sysctls say."""
    client_settings: Mapping[str, int] = field(default_factory=dict)
    causes: tuple[str, ...] = ()
    """By the names of claims: what became of connections, and nothing else; none where the listener is the point."""


def overflow(number: int, backlog: int, **options: int) -> Callable[[Play], None]:
    """So many connect at once, nobody accepts, and everybody sends."""

    def play(at: Play) -> None:
        at.listen(backlog, **options)
        clients = [at.connect() for _ in range(number)]
        time.sleep(0.3)
        for client in clients:
            with suppress(OSError):
                client.send(b"hello")

    return play


def two_waves(first: int, second: int, backlog: int, accepted: int = 0) -> Callable[[Play], None]:
    """Some fill part of the accept queue, and more come at once than fit in, each with room in the SYN queue."""

    def play(at: Play) -> None:
        listener = at.listen(backlog)
        clients = [at.connect() for _ in range(first)]
        time.sleep(0.3)
        clients += [at.connect() for _ in range(second)]
        time.sleep(0.3)
        for client in clients[:-1]:
            with suppress(OSError):
                client.send(b"hello")
        time.sleep(1.5)
        for _ in range(accepted):
            at.accept(listener)

    return play


def one_after_another(number: int, backlog: int, accepted: int) -> Callable[[Play], None]:
    def play(at: Play) -> None:
        listener = at.listen(backlog)
        for _ in range(number):
            at.connect()
            time.sleep(0.1)
        time.sleep(2.5)
        for _ in range(accepted):
            at.accept(listener)

    return play


def defer(seconds: int, speaks: float | None) -> Callable[[Play], None]:
    def play(at: Play) -> None:
        at.listen(128, TCP_DEFER_ACCEPT=seconds)
        clients = [at.connect() for _ in range(3)]
        if speaks is not None:
            time.sleep(speaks)
            for client in clients:
                client.send(b"hello")

    return play


def refused(at: Play) -> None:
    for _ in range(2):
        at.connect()
        time.sleep(0.1)


def unread(at: Play) -> None:
    client, server = at.pair()
    client.send(b"x" * 3000)
    select.select([server], [], [], 5)
    time.sleep(0.2)
    server.close()


def unread_after_some(at: Play) -> None:
    client, server = at.pair()
    client.send(b"GET / HTTP/1.0\r\n\r\n")
    time.sleep(0.1)
    at.read(server)
    server.send(b"y" * 500)
    client.send(b"x" * 1000)
    select.select([server], [], [], 5)
    server.close()


def linger(at: Play) -> None:
    client, server = at.pair()
    client.send(b"x" * 3000)
    time.sleep(0.1)
    at.read(server)
    time.sleep(0.1)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    server.close()


def gone(at: Play) -> None:
    """The server closes both ways with nothing unread, and data comes afterwards."""
    client, server = at.pair()
    client.send(b"x" * 100)
    time.sleep(0.1)
    at.read(server)
    server.close()
    time.sleep(0.2)
    client.send(b"more")


def not_read(buffer: int, octets: int, reads_after: float | None) -> Callable[[Play], None]:
    def play(at: Play) -> None:
        options = {"SO_RCVBUF": buffer} if buffer else {}
        client, server = at.pair(**options)
        left, until = octets, time.monotonic() + 3
        while left and time.monotonic() < until:
            select.select([], [client], [], 0.05)
            with suppress(BlockingIOError):
                left -= client.send(b"z" * min(left, 1 << 16))
        if reads_after is None:
            return
        time.sleep(reads_after)
        for _ in range(100):
            with suppress(BlockingIOError):
                server.recv(1 << 20)
            with suppress(BlockingIOError):
                left -= client.send(b"z" * min(left, 1 << 16)) if left else 0
            time.sleep(0.01)

    return play


def vanished(speaker: str, **options: int) -> Callable[[Play], None]:
    """The other end is gone; the speaker has something to say."""

    def play(at: Play) -> None:
        client, server = at.pair()
        one = server if speaker == "server" else client
        for name, value in options.items():
            level = socket.SOL_SOCKET if name.startswith("SO_") else socket.IPPROTO_TCP
            one.setsockopt(level, _OPTIONS[name], value)
        time.sleep(0.2)
        to_server = speaker == "client"
        at.ground.drops = lambda _, way: way == to_server
        one.send(b"are you there?")

    return play


def keepalive(at: Play) -> None:
    _, server = at.pair()
    for name, value in (("SO_KEEPALIVE", 1), ("TCP_KEEPIDLE", 1), ("TCP_KEEPINTVL", 1), ("TCP_KEEPCNT", 3)):
        level = socket.SOL_SOCKET if name == "SO_KEEPALIVE" else socket.IPPROTO_TCP
        server.setsockopt(level, _OPTIONS[name], value)
    at.ground.drops = lambda _, to_server: not to_server


def half_open(number: int, backlog: int) -> Callable[[Play], None]:
    def play(at: Play) -> None:
        at.listen(backlog)
        for port in range(20000, 20000 + number):
            at.spoofed_syn(port)
            time.sleep(0.005)

    return play


def flooded(number: int, backlog: int) -> Callable[[Play], None]:
    """Half-open ones fill the SYN queue, then somebody means it."""

    def play(at: Play) -> None:
        half_open(number, backlog)(at)
        time.sleep(0.2)
        for _ in range(3):
            client = at.connect()
            time.sleep(0.2)
            with suppress(OSError):
                client.send(b"hello")

    return play


def unanswered(at: Play) -> None:
    at.listen(128)
    at.ground.drops = lambda _, to_server: to_server
    for _ in range(2):
        at.connect()
        time.sleep(0.25)


def fast_open(at: Play) -> None:
    listener = at.listen(128, TCP_FASTOPEN=5)
    for _ in range(3):
        client = at.ground.make_socket("client")
        sent = 0
        with suppress(BlockingIOError):
            sent = client.sendto(b"GET /", MSG_FASTOPEN, (SERVER, PORT))
        at.sockets.append(client)
        server = at.accept(listener)
        time.sleep(0.2)
        if not sent:
            client.send(b"GET /")
        at.read(server)
        server.send(b"200")
        server.close()
        time.sleep(0.1)
        client.close()
        time.sleep(0.1)


def black_hole(at: Play) -> None:
    """Packets beyond 1,200 octets do not get to the client, and nobody says so."""
    client, server = at.pair()
    at.ground.drops = lambda ip, to_server: not to_server and len(ip) > 1200
    client.send(b"GET /")
    time.sleep(0.1)
    at.read(server)
    server.send(b"y" * 300)
    time.sleep(0.1)
    server.send(b"y" * 8000)


def orderly(at: Play) -> None:
    listener = at.listen(4096)
    for _ in range(4):
        client = at.connect()
        server = at.accept(listener)
        client.send(b"GET /")
        time.sleep(0.05)
        at.read(server)
        server.send(b"y" * 5000)
        server.close()
        time.sleep(0.1)
        at.read(client)
        client.close()
        time.sleep(0.05)


def admin_prohibited(at: Play) -> None:
    """A firewall on the server answers with ICMP."""
    from _capture_ground import command

    space = at.ground.space("server")
    in_space = ("ip", "netns", "exec", space, "nft")
    command(*in_space, "add", "table", "ip", "t")
    command(*in_space, "add", "chain", "ip", "t", "c", "{ type filter hook input priority 0; }")
    rule = f"tcp dport {PORT} reject with icmp type admin-prohibited"
    command(*in_space, "add", "rule", "ip", "t", "c", *rule.split())
    at.connect()


COOKIES, ABORT, RETRIES = (
    "net.ipv4.tcp_syncookies",
    "net.ipv4.tcp_abort_on_overflow",
    "net.ipv4.tcp_synack_retries",
)
SYN_RETRIES, RETRIES2 = "net.ipv4.tcp_syn_retries", "net.ipv4.tcp_retries2"
MAX_SYN = "net.ipv4.tcp_max_syn_backlog"
SCENES: dict[str, Scene] = {
    "ignored-ack": Scene(two_waves(3, 4, 4), 16, {RETRIES: 2}, settings={"backlog": 4}),
    "ignored-ack-default": Scene(two_waves(2, 4, 4), 68, settings={"backlog": 4}),
    "ignored-ack-then-accept": Scene(two_waves(2, 3, 3, 3), 16, settings={"backlog": 3}),
    "ignored-ack-without-cookies": Scene(
        two_waves(3, 4, 4), 16, {RETRIES: 2, COOKIES: 0}, settings={"backlog": 4}
    ),
    "ignored-cookie": Scene(overflow(6, 2), 16, {RETRIES: 2}, settings={"backlog": 2}),
    "dropped-syns-no-cookies": Scene(overflow(8, 3), 16, {RETRIES: 2, COOKIES: 0}, settings={"backlog": 3}),
    "ignored-cookies-for-all": Scene(overflow(6, 2), 16, {RETRIES: 2, COOKIES: 2}, settings={"backlog": 2}),
    "overflow-of-syns": Scene(one_after_another(6, 2, 0), 20, settings={"backlog": 2}),
    "overflow-then-accept": Scene(one_after_another(6, 2, 2), 20, settings={"backlog": 2}),
    "overflow-of-one": Scene(overflow(4, 1), 9, {RETRIES: 1}, settings={"backlog": 1}),
    "abort-on-overflow": Scene(overflow(6, 2), 8, {ABORT: 1}, settings={"backlog": 2}),
    "abort-on-overflow-late": Scene(one_after_another(6, 1, 1), 8, {ABORT: 1}, settings={"backlog": 1}),
    "defer-accept": Scene(defer(3, None), 12, settings={"backlog": 128, "defer": 3}),
    "defer-accept-data": Scene(defer(7, 2.0), 12, settings={"backlog": 128, "defer": 7}),
    "refused": Scene(refused, 2, causes=("NO_SOCKET",)),
    "icmp-refused": Scene(admin_prohibited, 4, causes=("ICMP",)),
    "unread": Scene(unread, 3, causes=("CLOSED_UNREAD",)),
    "unread-after-some": Scene(unread_after_some, 3, causes=("CLOSED_UNREAD",)),
    "linger": Scene(linger, 3, causes=("LINGER_ZERO",)),
    "gone": Scene(gone, 3, causes=("GONE",)),
    "zero-window": Scene(not_read(0, 1 << 20, None), 12, causes=("NOT_READ",)),
    "zero-window-small": Scene(not_read(8192, 1 << 17, None), 12, causes=("NOT_READ",)),
    "zero-window-opens": Scene(not_read(8192, 1 << 16, 2.0), 8, causes=("NOT_READ",)),
    "retries-to-the-end": Scene(vanished("server"), 16, {RETRIES2: 4}, causes=("SENT_IN_VAIN",)),
    "user-timeout": Scene(
        vanished("server", TCP_USER_TIMEOUT=3000),
        12,
        causes=("SENT_IN_VAIN",),
        settings={"user_timeout": 3000},
    ),
    "client-retries": Scene(vanished("client"), 16, client_sysctl={RETRIES2: 4}, causes=("SENT_IN_VAIN",)),
    "keepalive": Scene(keepalive, 8, causes=("KEEPALIVE",)),
    "half-open": Scene(half_open(3, 128), 36, {RETRIES: 3}, settings={"backlog": 128}),
    "half-open-default": Scene(half_open(3, 128), 68, settings={"backlog": 128}),
    "syn-queue-full": Scene(half_open(12, 4), 10, {COOKIES: 0, RETRIES: 1}, settings={"backlog": 4}),
    "cookies": Scene(flooded(12, 4), 10, {RETRIES: 1}, settings={"backlog": 4}),
    "max-syn-backlog": Scene(
        half_open(30, 4096), 6, {COOKIES: 0, RETRIES: 1, MAX_SYN: 16}, settings={"backlog": 4096}
    ),
    "connect-retries-2": Scene(unanswered, 12, client_sysctl={SYN_RETRIES: 2}, causes=("UNANSWERED",)),
    "connect-retries-5": Scene(unanswered, 14, client_sysctl={SYN_RETRIES: 5}, causes=("UNANSWERED",)),
    "connect-retries-6": Scene(unanswered, 70, causes=("UNANSWERED",)),
    "connect-retries-linear-0": Scene(
        unanswered,
        20,
        client_sysctl={SYN_RETRIES: 3, "net.ipv4.tcp_syn_linear_timeouts": 0},
        causes=("UNANSWERED",),
    ),
    "fast-open": Scene(fast_open, 4, {"net.ipv4.tcp_fastopen": 3}, settings={"backlog": 128, "fastopen": 1}),
    "black-hole": Scene(black_hole, 14, causes=("BLACK_HOLE",)),
    "orderly": Scene(orderly, 3, settings={"backlog": 4096}, causes=("ORDERLY",)),
}


def truth(scene: Scene, counters: Mapping[str, int], of_client: Mapping[str, int]) -> dict[str, Any]:
    """What a diagnosis should find."""
    named = {COOKIES: "cookies", ABORT: "abort", RETRIES: "synack_retries", RETRIES2: "retries2"}
    settings: dict[str, int] = {
        "cookies": 1,
        "abort": 0,
        "synack_retries": 5,
        "defer": 0,
        "retries2": 15,
        "fastopen": 0,
        "max_syn_backlog": 0,
    }
    settings |= {named[name]: value for name, value in scene.sysctl.items() if name in named}
    settings |= dict(scene.settings)
    if MAX_SYN in scene.sysctl:
        settings["max_syn_backlog"] = scene.sysctl[MAX_SYN]
    client = {"syn_retries": 6, "linear_timeouts": 4, "retries2": 15}
    short = {
        SYN_RETRIES: "syn_retries",
        RETRIES2: "retries2",
        "net.ipv4.tcp_syn_linear_timeouts": "linear_timeouts",
    }
    client |= {short[name]: value for name, value in scene.client_sysctl.items()}
    return {
        "server": f"{SERVER}:{PORT}",
        "settings": settings,
        "client": client | dict(scene.client_settings),
        "counters": dict(counters),
        "client_counters": dict(of_client),
        "causes": list(scene.causes),
    }
