"""Families of random step traces that go wide: socket options, flags, urgent data, small buffers, keepalive, ends."""

from functools import partial

from conform_base import FULL, Trace, connecting, established, family
from conform_script import MSS, Peer, Script

_SOCKET, _TCP = 1, 6
_RCVBUF, _SNDBUF, _KEEPALIVE, _OOBINLINE, _RCVLOWAT = 8, 7, 9, 10, 18
_NODELAY, _CORK, _KEEPIDLE, _KEEPINTVL, _KEEPCNT, _WINDOW_CLAMP, _QUICKACK = 1, 3, 4, 5, 6, 10, 12
_CONGESTION, _MAX_PACING_RATE, _RECVERR = 13, 47, 11
_MSG_OOB, _MSG_PEEK, _MSG_TRUNC, _MSG_EOR, _MSG_MORE = 1, 2, 0x20, 0x80, 0x8000


def option(s: Script, peer: Peer, level: int, name: int, value: int) -> None:
    s.step("setopt", peer.port, level, name, value)


def read(s: Script, peer: Peer, *flags: int) -> None:
    """recv() of some size, with one of the flags."""
    s.step("recv", peer.port, s.one_of(1, 10, 100, 1000, 5000, 100_000), s.one_of(0, *flags))


@family(4, "wide")
def urgent(s: Script) -> Trace:
    """Urgent data in and out, in line or not, and reads around the mark."""
    if s.chance(0.15):
        s.set(tcp_stdurg=1)
    peer = established(s)
    if s.chance(0.25):
        option(s, peer, _SOCKET, _OOBINLINE, 1)
    for _ in range(s.some(3, 9)):
        size = s.one_of(1, 2, 5, 10, 30)
        s.do_one(
            partial(peer.data, size, s.one_of("PAU", "AU"), urg=s.one_of(0, 1, size, size, size + 3)),
            partial(peer.data, size),
            partial(read, s, peer, _MSG_OOB, _MSG_PEEK, _MSG_OOB | _MSG_PEEK),
            partial(s.step, "recv", peer.port, 1, _MSG_OOB),
            partial(s.step, "atmark", peer.port),
        )
        s.wait_one_of((0.01, 0.03), (0.05, 0.2))
    s.sample()
    return s.end()


@family(2, "wide")
def urgent_out(s: Script) -> Trace:
    """The host sends urgent data, which the peer acknowledges or does not."""
    peer = established(s)
    for _ in range(s.some(1, 4)):
        size = s.one_of(1, 3, 10, 2000)
        s.step("send", peer.port, size, s.one_of(_MSG_OOB, _MSG_OOB, 0))
        peer.written += size
        peer.sent = peer.written
        s.wait(0.02, 0.15)
        if s.chance(0.7):
            peer.ack()
    s.expect_timers(peer.port, [0.25, 0.5, 1])
    s.sample()
    return s.end(0.1, 0.6)


@family(5, "wide")
def small_buffer(s: Script) -> Trace:
    """SO_RCVBUF at any time, and data until it is full; what is read opens the window again."""
    peer = established(s)
    sizes = s.one_of((1, 20), (100, 400), (500, 1400), (1, 1400))
    if s.chance(0.8):
        option(s, peer, _SOCKET, _RCVBUF, s.one_of(1, 1500, 2000, 4000, 8000, 20_000, 60_000))
    for _ in range(s.some(6, 30)):
        size = min(s.some(*sizes), peer.mss)
        s.do_one(
            *[partial(peer.data, size, s.one_of("A", "PA"), win=s.one_of(65535, 65535, s.some(500, 60_000)))]
            * 8,
            partial(read, s, peer, _MSG_PEEK, _MSG_TRUNC),
            partial(option, s, peer, _SOCKET, _RCVBUF, s.one_of(1, 3000, 10_000, 100_000)),
        )
        s.wait_one_of((0.003, 0.01), (0.05, 0.1))
    s.step("recv", peer.port, 1_000_000)
    s.wait(0.05, 0.1)
    peer.data(100)
    s.sample()
    return s.end()


@family(3, "wide")
def pruned(s: Script) -> Trace:
    """Segments beyond holes until the buffer is full, then the hole is filled."""
    peer = established(s)
    if s.chance(0.8):
        option(s, peer, _SOCKET, _RCVBUF, s.one_of(1500, 3000, 5000, 10_000))
    start, size = peer.seq, s.one_of(100, 300, 700, 1000, 1400)
    size = min(size, peer.mss)
    for _ in range(s.some(4, 20)):
        place = start + size * s.some(1, 25)
        peer.segment("A", place, peer.sent, len=size, win=s.one_of(65535, s.some(1000, 60_000)))
        s.wait(0.02, 0.06)
    for number in range(s.some(1, 4)):
        peer.segment("A", start + number * size, peer.sent, len=size)
        s.wait(0.02, 0.06)
    s.step("recv", peer.port, 1_000_000)
    s.sample()
    return s.end()


@family(3, "wide")
def low_water(s: Script) -> Trace:
    """SO_RCVLOWAT, TCP_WINDOW_CLAMP, TCP_QUICKACK while data comes and is read."""
    peer = established(s)
    for _ in range(s.some(5, 20)):
        s.do_one(
            partial(option, s, peer, _SOCKET, _RCVLOWAT, s.one_of(0, 1, 100, 3000, 50_000)),
            partial(option, s, peer, _TCP, _WINDOW_CLAMP, s.one_of(1000, 5000, 30_000, 200_000)),
            partial(option, s, peer, _TCP, _QUICKACK, s.one_of(0, 1)),
            *[partial(peer.data, min(s.one_of(10, 500, 1400), peer.mss), s.one_of("A", "PA"))] * 6,
            partial(read, s, peer, _MSG_PEEK),
        )
        s.wait_one_of((0.004, 0.02), (0.06, 0.1))
    s.sample()
    return s.end()


@family(3, "wide")
def keepalive(s: Script) -> Trace:
    """SO_KEEPALIVE with short times, answered, or not."""
    peer = established(s)
    option(s, peer, _TCP, _KEEPIDLE, s.some(1, 2))
    option(s, peer, _TCP, _KEEPINTVL, 1)
    option(s, peer, _TCP, _KEEPCNT, s.some(1, 3))
    option(s, peer, _SOCKET, _KEEPALIVE, 1)
    for _ in range(s.some(0, 2)):
        s.wait(0.2, 0.7)
        s.do_one(partial(peer.data, 10), peer.ack, partial(peer.send, 10))
    s.wait(1.5, 5)
    s.sample()
    peer.error()
    return s.end()


@family(3, "wide")
def parting(s: Script) -> Trace:
    """SO_LINGER, half-close, unread and urgent data at the end."""
    peer = established(s)
    if s.chance(0.5):
        peer.data(s.one_of(1, 100))
        s.wait(0.01, 0.1)
    if s.chance(0.4):
        s.step("recv", peer.port, 1000)
    if s.chance(0.3):
        s.step("setlinger", peer.port, 1, s.one_of(0, 0, 5))
    if s.chance(0.4):
        peer.close("shutdown", s.one_of(1, 1, 2))
        s.wait(0.02, 0.1)
        peer.ack()
    if s.chance(0.5):
        peer.fin()
        s.wait(0.02, 0.1)
        s.step("recv", peer.port, 10)
    peer.close()
    s.wait(0.02, 0.1)
    s.do_one(peer.ack, partial(peer.data, 10), peer.rst, peer.fin)
    s.sample()
    return s.end()


@family(3, "wide")
def writes(s: Script) -> Trace:
    """TCP_NODELAY and TCP_CORK between small writes."""
    peer = established(s)
    for _ in range(s.some(4, 12)):
        s.do_one(
            partial(option, s, peer, _TCP, _NODELAY, s.one_of(0, 1)),
            partial(option, s, peer, _TCP, _CORK, s.one_of(0, 1)),
            *[partial(peer.send, s.one_of(1, 20, 200, 2000))] * 3,
            *[peer.ack] * 2,
        )
        s.wait(0.012, 0.05)
    s.sample()
    return s.end()


def answering(s: Script, peer: Peer) -> dict[str, object]:
    """A receiver that answers by a model."""
    return {
        "rtt": s.one_of(0.02, 0.05, 0.1),
        "gap": s.one_of(0.0005, 0.002),
        "loss": s.one_of(0, 0, 0.02),
        "seed": s.some(0, 10_000),
        **peer.for_model(),
    }


def spoken_to(s: Script) -> Peer:
    """A connection that is accepted, with any of the usual options."""
    s.cookies(0)
    s.listen(5)
    peer = Peer(s, 30001, s.one_of(MSS, [*MSS, ["nop"], ["nop"], ["sackOK"]], FULL))
    peer.open()
    s.accept()
    return peer


@family(3, "wide")
def records(s: Script) -> Trace:
    """Writes with MSG_MORE, MSG_EOR and MSG_OOB, under TCP_NODELAY and TCP_CORK, to a receiver behind a path."""
    peer = spoken_to(s)
    for _ in range(s.some(4, 20)):
        if s.chance(0.15):
            option(s, peer, _TCP, s.one_of(_NODELAY, _CORK), s.one_of(0, 1))
        size = s.one_of(1, 50, 700, 1460, 2000, 9000)
        s.step("send", peer.port, size, s.one_of(0, 0, _MSG_MORE, _MSG_MORE, _MSG_EOR, _MSG_OOB))
        s.wait_one_of((0.003, 0.006), (0.02, 0.08))
    return {**s.end(0.5, 1.0), "reactive": answering(s, peer)}


@family(3, "wide")
def chosen_control(s: Script) -> Trace:
    """TCP_CONGESTION and SO_MAX_PACING_RATE before and during a connection that sends, in bursts and at rest."""
    s.set(tcp_congestion_control=s.one_of("reno", "cubic", "bbr", "bbr"))
    peer = spoken_to(s)
    for _ in range(s.some(2, 5)):
        if s.chance(0.4):
            option(s, peer, _TCP, _CONGESTION, s.one_of("reno", "cubic", "bbr", "none"))
        if s.chance(0.3):
            option(s, peer, _SOCKET, _MAX_PACING_RATE, s.one_of(100_000, 400_000, -1))
        s.step("send", peer.port, s.one_of(100, 3000, 20_000, 60_000))
        s.wait_one_of((0.01, 0.05), (0.2, 0.5))
    return {**s.end(0.5, 1.5), "reactive": answering(s, peer)}


def icmp_error(s: Script, peer: Peer) -> None:
    """An ICMP error that quotes a segment of the connection, or what might be one."""
    kind, code = s.one_of((3, 0), (3, 1), (3, 2), (3, 3), (3, 10), (3, 13), (11, 0), (11, 1), (12, 0), (4, 0))
    quoted = s.one_of(peer.acked, peer.acked, max(peer.sent - 1, 0), peer.sent + 10, 100_000)
    more = {"seq": quoted}
    if s.chance(0.3):
        kind, code, more["mtu"] = 3, 4, s.one_of(0, 68, 576, 1000, 1400, 1500)
    if peer.host_port != 8080:
        more["lport"] = peer.host_port
    s.step("icmp", peer.port, kind, code, more)


@family(3, "wide")
def icmp(s: Script) -> Trace:
    """ICMP errors while data is under way and while none is, with IP_RECVERR and without."""
    peer = established(s)
    if s.chance(0.3):
        option(s, peer, 0, _RECVERR, 1)
    for _ in range(s.some(2, 7)):
        s.do_one(
            *[partial(icmp_error, s, peer)] * 3,
            partial(peer.send, s.one_of(10, 2000)),
            peer.ack,
            peer.error,
        )
        s.wait(0.012, 0.05)
    peer.error()
    s.sample()
    return s.end(0.1, 0.8)


@family(2, "wide")
def icmp_while_connecting(s: Script) -> Trace:
    """ICMP errors about a SYN."""
    server = connecting(s)
    for _ in range(s.some(1, 3)):
        s.wait(0.02, 0.2)
        s.step(
            "icmp",
            server.port,
            *s.one_of((3, 0), (3, 1), (3, 2), (3, 3), (3, 10), (3, 13), (11, 0), (12, 0), (4, 0)),
            {"seq": s.one_of(0, 0, 1), "lport": server.host_port},
        )
    s.wait(0.02, 0.2)
    server.error()
    s.sample()
    return s.end(0.1, 0.8)
