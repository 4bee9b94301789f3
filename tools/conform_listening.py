"""Families of random step traces about the listen path: queues, requests, cookies, SYN/ACKs, ends."""

from functools import partial
from typing import Any

from conform_base import ANY_OPTIONS, FLAGS, FULL, NO_STAMPS, PLAIN_TALKERS, Trace, clients, family
from conform_script import MSS, Action, Peer, Script, Words, when_late

# ---------------------------------------------------------------------------------- the queues


@family(6)
def queue_mix(s: Script) -> Trace:
    """SYNs and ACKs of some clients in random order, accepts between them."""
    s.cookies(0, 0, 0, 1)
    count = s.some(3, 12)
    s.listen(s.some(0, 8))
    parts: list[list[Action]] = [
        [client.syn, client.ack] for client in clients(s, count, 0, s.one_of(None, None, ANY_OPTIONS))
    ]
    parts.append([s.accept] * s.some(0, count))
    if s.chance(0.4):
        parts.append([s.sample, s.sample])
    s.interleave(parts, s.one_of(0.03, 0.08))
    s.sample()
    s.accept(s.some(0, count))
    return s.end()


@family(3)
def one_at_a_time(s: Script) -> Trace:
    """Handshakes one after the other, some accepted, some reset, some with data."""
    s.cookies(0, 1)
    backlog = s.some(0, 6)
    s.listen(backlog)
    for client in clients(s, s.some(3, 10)):
        client.open()
        if s.chance(0.5):
            s.do_one(s.accept, s.accept, client.rst, partial(client.data, s.some(1, 1000)))
    s.sample()
    s.accept(s.some(1, backlog + 3))
    return s.end()


def crowd(s: Script, backlog: int, count: int) -> list[Peer]:
    """So many connections that one more fills the accept queue, then clients that are half open."""
    settled = clients(s, backlog, 42001)
    for client in settled:
        client.syn()
    for client in settled:
        client.ack()
    waiting = clients(s, count, 43001)
    for client in waiting:
        client.syn()
    return waiting


def try_again(s: Script, client: Peer) -> None:
    """What a client that was ignored may do next."""
    s.do_one(
        s.accept,
        partial(client.segment, "A", 1, 1),
        partial(client.segment, "PA", 1, 1, len=s.one_of(1, 10, 1000)),
        partial(client.segment, "FA", 1, 1),
        client.again,
        partial(s.wait, 0.3, 1.5),
        partial(client.segment, "R", s.one_of(1, 1, 5), None),
    )


@family(7)
def overflow(s: Script) -> Trace:
    """More final ACKs than the accept queue holds; then accepts, ACKs again, data, FIN or RST."""
    s.cookies(0, 0, 1)
    if s.chance(0.25):
        s.set(tcp_abort_on_overflow=1)
    if s.chance(0.3):
        s.set(tcp_synack_retries=s.some(0, 3))
    backlog = s.some(0, 5)
    s.listen(backlog)
    waiting = crowd(s, backlog, s.some(2, 4) if s.chance(0.2) else min(s.some(2, 4), backlog + 1))
    for client in s.random.sample(waiting, len(waiting)):
        flags = s.one_of("A", "A", "A", "PA", "FA")
        client.segment(flags, 1, 1, len=s.some(1, 1400) if flags == "PA" else 0)
    s.sample()
    for _ in range(s.some(2, 8)):
        try_again(s, s.one_of(*waiting))
        s.wait(0.01, 0.4)
    s.sample()
    s.accept(s.some(0, backlog + 3))
    return s.end()


@family(4)
def relisten(s: Script) -> Trace:
    """The backlog changes while clients come."""
    s.cookies(0, 1)
    s.listen(s.some(0, 8))
    parts: list[list[Action]] = [[client.syn, client.ack] for client in clients(s, s.some(4, 10))]
    parts.append([partial(s.listen, s.some(0, 8)) for _ in range(s.some(1, 3))])
    parts.append([s.accept] * s.some(0, 5))
    s.interleave(parts, 0.05)
    s.sample()
    s.accept(s.some(0, 5))
    return s.end()


@family(2)
def limits(s: Script) -> Trace:
    """somaxconn and tcp_max_syn_backlog."""
    s.cookies(0, 0, 0, 1)
    if s.chance(0.7):
        s.set(tcp_max_syn_backlog=s.one_of(0, 1, 2, 3, 4, 5, 8, 10, 12, 16, 20))
    if s.chance(0.5):
        s.sysctls["net.core.somaxconn"] = s.some(0, 10)
    s.listen(s.one_of(0, 3, 5, 10, 100, 5000))
    visitors = clients(s, s.some(6, 20))
    for client in visitors:
        client.syn()
        if s.chance(0.45):
            s.do_one(client.ack, client.ack, s.accept)
    s.sample()
    for client in s.random.sample(visitors, 3):
        client.ack()
    return s.end()


@family(2)
def ignored_long(s: Script) -> Trace:
    """The whole life of an ignored connection: SYN/ACKs, some of them answered, and what comes too late."""
    retries = s.one_of(1, 2, 2, 3, 4, 5)
    s.cookies(0)
    s.set(tcp_synack_retries=retries)
    backlog = s.some(2, 6)
    s.listen(backlog)
    waiting = crowd(s, backlog, 2)
    for client in waiting:
        client.segment("A", 1, 1)
    life = 2 ** (retries + 1) - 1
    for moment in sorted(s.random.uniform(0.5, life * 1.3 + 2) for _ in range(s.some(2, 6))):
        s.wait_until(waiting[-1].born + moment)
        client = s.one_of(*waiting)
        answer = partial(client.segment, "A", 1, 1)
        s.do_one(answer, answer, s.sample, s.accept, partial(client.segment, "PA", 1, 1, len=50))
    s.wait_until(waiting[-1].born + life + when_late(life) + 1)
    s.sample()
    s.one_of(*waiting).segment("PA", 1, 1, len=10)
    return s.end()


@family(2)
def reset_in_queue(s: Script) -> Trace:
    """Children that were reset, closed or spoke before anybody accepted them."""
    s.cookies(0, 1)
    children = clients(s, s.some(1, 5))
    s.listen(len(children) - 1)
    for child in children:
        child.open()
    for child in s.random.sample(children, s.some(1, len(children))):
        reset = partial(child.segment, "RA", child.seq, 1)
        s.do_one(child.rst, reset, child.fin, partial(child.data, s.some(1, 500)))
        s.wait(0.06, 0.1)
    Peer(s, 48001, children[0].options).open()
    s.sample()
    for child in children:
        s.accept()
        verb, *arguments = s.one_of(("recv", 100), ("send", 100), ("close",), ("soerror",), ("shutdown", 1))
        s.step(verb, child.port, *arguments)
    return s.end()


# ---------------------------------------------------------------------------------- requests


@family(4)
def dup_syn(s: Script) -> Trace:
    """SYNs again on a request: the same, with another sequence number, other options, data, other flags."""
    s.cookies(0, 1)
    if s.chance(0.2):
        s.set(tcp_invalid_ratelimit=s.one_of(0, 100, 2000))
    s.listen(s.some(1, 10))
    client = Peer(s, 41001, s.one_of(MSS, FULL, s.one_of(*ANY_OPTIONS)))
    client.syn()
    for _ in range(s.some(2, 7)):
        s.wait(0.01, s.one_of(0.1, 0.5, 1.2))
        offset = s.one_of(1, 2, 100, -1, 5000, 70000, 1000000, -70000)
        other = partial(client.segment, "S", 0, None, s.one_of(*ANY_OPTIONS), len=s.one_of(0, 10))
        odd = partial(client.again, s.one_of("SF", "SP", "SEC", "SA", "SR"))
        s.do_one(*[client.syn] * 7, partial(client.again, "S", offset), other, odd)
    s.sample()
    s.wait(0.1, 0.6)
    client.ack()
    s.sample()
    return s.end()


def odd_segment(s: Script, client: Peer, window: int) -> None:
    """Anything that may come to a request, right or wrong."""
    edges = (window, window + 1, window + 2)
    seq = s.one_of(1, 1, 1, 0, 2, 100, *edges, 100000, -1, -1000, 1000000)
    ack = s.one_of(1, 1, 1, 0, 2, 77, -1, 100000)
    flags = s.one_of("A", "A", "PA", "FA", "R", "R", "RA", "SA", "S", "F", "P", "", "FPU", "RP", "SRA", "AEC")
    client.segment(flags, seq, ack if "A" in flags else None, len=s.one_of(0, 0, 0, 1, 2, 100, 1000))


@family(7)
def odd_on_request(s: Script) -> Trace:
    """Wrong ACK numbers and sequence numbers, RSTs, FINs, data with and without holes, on requests."""
    s.cookies(0, 0, 0, 1)
    if s.chance(0.15):
        s.set(tcp_invalid_ratelimit=s.one_of(0, 50, 1500))
    visitors = clients(s, s.some(1, 3), 0, s.one_of(None, ANY_OPTIONS))
    s.listen(s.some(len(visitors), 6))
    for client in visitors:
        client.syn()
    for _ in range(s.some(2, 8)):
        client = s.one_of(*visitors)
        odd_segment(s, client, 64240 if client.stamps is None else 65160)
        s.wait(0.01, s.one_of(0.05, 0.3, 0.7))
    s.sample()
    for client in visitors:
        client.ack()
    s.sample()
    s.accept(s.some(0, len(visitors)))
    return s.end()


@family(4)
def synack_timer(s: Script) -> Trace:
    """tcp_synack_retries and TCP_SYNCNT, and what comes after the end."""
    s.cookies(0, 1)
    retries, options = s.one_of(0, 1, 1, 2, 2, 3), {}
    if s.chance(0.35):
        options["syncnt"] = retries = max(1, retries)
        s.set(tcp_synack_retries=s.some(0, 5))
    else:
        s.set(tcp_synack_retries=retries)
    s.listen(s.some(4, 20), **options)
    visitors = clients(s, s.some(1, 2), 0, s.one_of(None, ANY_OPTIONS))
    for client in visitors:
        client.syn()
        s.wait(0.05, 0.3)
    life = 2 ** (retries + 1) - 1
    for moment in sorted(s.random.uniform(0.2, life + 1) for _ in range(s.some(0, 3))):
        s.wait_until(visitors[0].born + moment)
        client = s.one_of(*visitors)
        wrong = partial(client.segment, "A", *s.one_of((1, 7), (0, 1)))
        s.do_one(s.sample, wrong, client.syn if retries < 3 else s.sample)
    if s.chance(0.5):
        visitors[0].ack()
    s.wait_until(max(client.born for client in visitors) + life + when_late(life) + 0.5)
    s.sample()
    s.one_of(*visitors).segment(s.one_of("A", "PA", "FA", "R", "S"), 1, 1)
    return s.end()


@family(1)
def decay(s: Script) -> Trace:
    """Many requests wait for long, so the old ones are given up early.

    Each firing of a timer looks at all requests. So they come at such distances that no two firings are near.
    """
    s.cookies(0)
    backlog = s.some(4, 9)
    s.listen(backlog)
    if s.chance(0.4):
        s.set(tcp_synack_retries=s.one_of(2, 3, 4))
    gap = s.random.uniform(1.65, 1.75)
    for number, client in enumerate(clients(s, s.some(4, 5))):
        s.at = round(0.05 + gap * number, 3)
        client.syn()
    s.wait(3, 25)
    return s.end()


@family(4)
def defer_accept(s: Script) -> Trace:
    """TCP_DEFER_ACCEPT: bare ACKs, data, FINs and SYNs in any order, and the end of the waiting."""
    s.cookies(0, 1)
    if s.chance(0.3):
        s.set(tcp_synack_retries=s.some(0, 4))
    backlog = s.some(0, 6)
    s.listen(backlog, defer=s.one_of(1, 2, 3, 4, 5, 7, 8, 10, 15, 30))
    visitors = clients(s, s.some(1, min(3, backlog + 1)), 0, s.one_of(None, ANY_OPTIONS))
    for client in visitors:
        client.syn()
    pause = s.one_of(0.3, 0.6, 0.6, 1.5, 9)
    for _ in range(s.some(3, 9)):
        client = s.one_of(*visitors)
        bare = partial(client.segment, "A", 1, 1)
        data = partial(client.segment, "PA", 1, 1, len=s.one_of(1, 10, 600))
        fin = partial(client.segment, "FA", 1, 1)
        hole = partial(client.segment, "A", 2, 1)
        s.do_one(bare, bare, data, fin, s.accept, client.again, s.sample, hole)
        s.wait(0.02, pause)
    s.sample()
    s.accept(2)
    return s.end()


@family(4)
def paws(s: Script) -> Trace:
    """Timestamps on requests: old ones, none, and echoes of what was never sent."""
    s.cookies(0)
    s.listen(s.some(2, 8))
    start = s.one_of(1, 1000, 100000, 2**31 - 5, 2**32 - 50)
    client = Peer(s, 41001, [*MSS, ["sackOK"], ["TS", start, 0], ["nop"], ["wscale", 7]])
    client.syn()
    if s.chance(0.4):
        s.wait_until(client.born + s.one_of(1.2, 1.5, 3.6))
    for _ in range(s.some(1, 6)):
        s.wait(0.01, s.one_of(0.1, 0.3, 0.7))
        value = (start + s.one_of(-1, -100, -100000, 0, 0, 1, 50, 2**31 - 1, 2**31 + 5)) % 2**32
        stamped: Words = [["nop"], ["nop"], ["TS", value, s.one_of(0, 0, 0, -1, 500, 5000, 1100, -5000)]]
        flags = s.one_of("A", "A", "A", "PA", "FA", "S", "R")
        alone = flags in "SR"
        options = s.one_of(stamped, stamped, stamped, stamped, [])
        client.segment(
            flags, 0 if flags == "S" else 1, None if alone else 1, options, len=7 * (flags == "PA")
        )
    s.sample()
    s.accept()
    return s.end()


# ---------------------------------------------------------------------------------- cookies


def cookie_life(s: Script, client: Peer) -> list[Action]:
    """What a client does that may be sent a cookie."""
    acts: list[Action] = [client.syn] * (2 if s.chance(0.2) else 1)
    if s.chance(0.25):
        acts.append(partial(client.segment, "A", s.one_of(1, 1, 2), s.one_of(2, 77, 0, 1)))
    if s.chance(0.85):
        data, odd = partial(client.data, s.some(1, 900)), partial(client.segment, "SA", 1, 1)
        acts.append(s.one_of(client.ack, client.ack, client.ack, data, client.fin, odd))
    if s.chance(0.2):
        acts.append(partial(client.data, s.some(1, 900)))
    return acts


@family(4)
def cookies(s: Script) -> Trace:
    """SYN cookies, when the queue is full or always: sent, answered rightly and wrongly, refused."""
    s.cookies(1, 1, 2)
    backlog = s.some(0, 4)
    s.listen(backlog)
    choices = s.one_of(PLAIN_TALKERS, NO_STAMPS, NO_STAMPS, ANY_OPTIONS)
    visitors = clients(s, s.some(backlog + 2, backlog + 7), 47001, choices)
    parts = [cookie_life(s, client) for client in visitors]
    parts.append([s.accept] * s.some(0, 4))
    s.interleave(parts, 0.04)
    s.sample()
    s.accept(s.some(0, backlog + 3))
    return s.end()


@family(2)
def cookie_talk(s: Script) -> Trace:
    """A connection born of a cookie speaks: the windows, the MSS and the options that it remembers."""
    s.cookies(2)
    s.listen(s.some(1, 5))
    near_the_table: list[Words] = [[["mss", size]] for size in (535, 537, 1299, 1301, 1439, 1440, 1441, 1459)]
    client = Peer(s, 47001, s.one_of(*NO_STAMPS, *near_the_table))
    client.open()
    s.accept()
    client.send(s.one_of(100, 1000, 3000))
    s.wait(0.01, 0.05)
    client.ack()
    client.data(s.some(1, 1400))
    client.recv(5000)
    client.close()
    s.wait(0.01, 0.05)
    client.ack()
    return s.end()


# ---------------------------------------------------------------------------------- what a SYN/ACK carries


@family(4)
def options(s: Script) -> Trace:
    """SYN options of all sorts, sysctls that switch options off, windows in SYN and ACK."""
    s.cookies(0)
    for name in ("tcp_timestamps", "tcp_sack", "tcp_window_scaling"):
        if s.chance(0.25):
            s.set(**{name: 2 if name == "tcp_timestamps" and s.chance(0.4) else 0})
    s.listen(30)
    visitors = clients(s, s.some(3, 10), 45001, ANY_OPTIONS)
    for client in visitors:
        client.syn(win=s.one_of(65535, 65535, 0, 1, 1000))
    for client in visitors:
        if s.chance(0.8):
            client.ack(win=s.one_of(65535, 65535, 0, 10, 500))
    s.sample()
    s.accept(3)
    return s.end()


@family(4)
def windows(s: Script) -> Trace:
    """tcp_rmem, SO_RCVBUF and TCP_MAXSEG against the window, the scale and the MSS; then some data."""
    s.cookies(0)
    if s.chance(0.6):
        middle = s.one_of(4096, 8192, 10000, 16384, 30000, 65536, 87380, 131072, 262144, 540000, 10**6)
        largest = s.one_of(middle, 65536, 2**20, 6291456, 33554432, 2**28)
        s.set(tcp_rmem=f"{s.one_of(4096, 4096, 8192)} {middle} {largest}")
    if s.chance(0.2):
        s.set(**{s.one_of("tcp_workaround_signed_windows", "tcp_no_metrics_save"): 1})
    options = {}
    if s.chance(0.4):
        options["rcvbuf"] = s.one_of(1, 1000, 2304, 4096, 8192, 16384, 20000, 65536, 100000, 200000)
    if s.chance(0.4):
        options["maxseg"] = s.one_of(88, 100, 256, 500, 536, 600, 1000, 1459, 1460, 1461, 5000)
    s.listen(10, **options)
    visitors = clients(s, s.some(2, 4), 41001, ANY_OPTIONS)
    for client in visitors:
        client.syn()
    for client in visitors:
        client.ack()
    s.accept(2)
    for _ in range(s.some(0, 4)):
        visitors[0].data(s.one_of(10, 500, 1000, 1460))
        s.wait(0.06, 0.2)
    visitors[0].recv(s.one_of(100, 10000))
    return s.end()


@family(2)
def ecn(s: Script) -> Trace:
    """ECN in the handshake and after it, with all of tcp_ecn and of the IP header's marks."""
    s.cookies(0, 0, 1)
    if s.chance(0.7):
        s.set(tcp_ecn=s.one_of(0, 1, 1, 2))
    if s.chance(0.3):
        s.set(tcp_reflect_tos=1)
    if s.chance(0.1):
        s.set(ip_default_ttl=s.one_of(1, 33, 255))
    s.listen(s.one_of(4, 10))
    for client in clients(s, s.some(2, 5), 0, ANY_OPTIONS):
        flags = s.one_of("SEC", "SEC", "SE", "SC", "S")
        client.syn(flags, tos=s.one_of(0, 0, 0, 1, 2, 3, 0x28, 0xB8))
        if s.chance(0.7):
            client.ack(tos=s.one_of(0, 2, 3))
        if s.chance(0.4):
            client.data(100, tos=s.one_of(0, 1, 2, 3))
            s.wait(0.06, 0.1)
    s.sample()
    return s.end()


# ---------------------------------------------------------------------------------- ends of listeners, strays


def at_the_end(s: Script, client: Peer, *, closed: bool) -> None:
    """What meets a listener that may be gone."""
    s.do_one(
        partial(client.segment, "A", client.seq, 1),
        partial(client.segment, "PA", client.seq, 1, len=10),
        client.again,
        client.rst,
        Peer(s, 48001 + s.some(0, 3), client.options).again,
        s.sample if closed else s.accept,
    )


@family(4)
def listener_end(s: Script) -> Trace:
    """A listener is closed or shut down with requests and children, and perhaps listens again."""
    s.cookies(0, 1)
    s.listen(s.some(4, 8))
    visitors = clients(s, s.some(2, 5))
    lives: list[list[Action]] = [
        s.one_of(
            [client.syn, client.ack],
            [client.syn, client.ack],
            [client.syn],
            [client.syn, client.ack, partial(client.data, 50)],
            [client.syn, client.fin],
        )
        for client in visitors
    ]
    s.interleave(lives, 0.03)
    s.accept(s.one_of(0, 0, 1))
    closed = s.chance(0.5)
    s.step(*(("close_listener",) if closed else ("shutdown_listener", s.one_of(0, 1, 2, 2))))
    s.sample()
    again = s.some(0, 7)
    for moment in range(4):
        if moment == again:
            s.listen(s.some(0, 8))
            closed = False
        at_the_end(s, s.one_of(*visitors), closed=closed)
        s.wait(0.01, s.one_of(0.1, 1.0))
    s.sample()
    s.wait(1, 3)
    return s.end()


@family(3)
def strays(s: Script) -> Trace:
    """Segments to a port without a socket, and to a listener that knows no such peer."""
    s.cookies(0, 1, 2)
    s.listen(s.some(0, 10))
    for number in range(s.some(5, 14)):
        flags = s.one_of(*FLAGS)
        port = s.one_of(8080, 9999, 80)
        stray = Peer(s, 46001 + number, s.one_of([], [], [], s.one_of(*ANY_OPTIONS)), port)
        if s.chance(0.1):
            stray.address = s.one_of("192.0.2.77", "192.168.0.9", "10.1.2.3")
        header: dict[str, Any] = {
            "len": s.one_of(0, 0, 1, 20, 1000),
            "tos": s.one_of(0, 0, 0, 2, 0x10, 0x2B, 0xFF),
            "ttl": s.one_of(64, 64, 1, 255),
        }
        if s.chance(0.07):
            header["badsum"] = 1
        ack = s.one_of(5, 0, 1) if "A" in flags else None
        stray.segment(flags, s.one_of(0, 0, 5, -7), ack, stray.options, **header)
    s.sample()
    return s.end(0.1, 0.5)
