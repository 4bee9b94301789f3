"""Families of random step traces about connections: the client side, speech, partings, TIME_WAIT."""

from functools import partial

from conform_base import Trace, clients, connected, connecting, established, family, syn_ack
from conform_script import Action, Peer, Script

# ---------------------------------------------------------------------------------- TIME_WAIT


def part(s: Script, peer: Peer) -> None:
    """An orderly end, either side first."""
    if s.chance(0.5):
        peer.close()
        s.wait(0.01, 0.05)
        peer.ack()
        s.wait(0.02, 0.2)
        peer.fin()
    else:
        peer.fin()
        s.wait(0.06, 0.3)
        peer.close()
        peer.ack()
    s.wait(0.02, 0.3)


@family(4)
def time_wait(s: Script) -> Trace:
    """After an orderly end old segments, RSTs and SYNs meet TIME_WAIT, or nothing."""
    if s.chance(0.2):
        s.set(tcp_rfc1337=1)
    client = established(s)
    part(s, client)
    end, host = client.seq, client.sent
    for _ in range(s.some(1, 6)):
        s.wait(0.02, s.one_of(0.3, 0.8))
        start = end + s.one_of(0, 1, 100, 100000, -end, -1)
        later = s.one_of(0, 5, 10000)
        words = [["TS", words[1] + later, 0] if words[0] == "TS" else words for words in client.options]
        s.do_one(
            partial(client.segment, "S", start, None, words),
            partial(client.segment, "FA", end - 1, host),
            partial(client.segment, "A", end + s.one_of(0, -1, 5), host + s.one_of(0, -1, 5)),
            partial(client.segment, "PA", end - s.one_of(0, 3), host, len=10),
            partial(client.rst, s.one_of(0, 0, 1, -1)),
            s.sample,
        )
    s.sample()
    return s.end()


def old_segment(s: Script, client: Peer) -> None:
    """What may come when the connection is no more, or nearly."""
    seq = client.seq + s.one_of(0, 0, -1, 1)
    s.do_one(
        partial(client.segment, "A", seq, client.sent),
        partial(client.segment, "PA", seq, client.sent, len=10),
        partial(client.segment, "FA", seq, client.sent),
        partial(client.again, "S", client.seq + 1000),
        client.rst,
    )


@family(2)
def orphan(s: Script) -> Trace:
    """The host closes and the peer does not: FIN_WAIT_2 ends by itself, and then comes something."""
    lifetime = s.one_of(1, 2, 3, 5)
    s.set(tcp_fin_timeout=lifetime)
    client = established(s)
    client.close()
    s.wait(0.01, 0.05)
    client.ack()
    s.expect_timers(client.port, [lifetime])
    for _ in range(s.some(1, 3)):
        s.wait_one_of((0.1, 0.5), (0.5, 3), (lifetime, lifetime + 3))
        s.do_one(s.sample, partial(old_segment, s, client))
    s.wait(lifetime + 1, lifetime + 2)
    s.sample()
    old_segment(s, client)
    return s.end()


@family(1)
def time_wait_long(s: Script) -> Trace:
    """TIME_WAIT to its end, perhaps begun again on the way, and what comes after it."""
    client = established(s)
    part(s, client)
    s.expect_timers(client.port, [60])
    s.wait_one_of((1, 10), (20, 50))
    s.do_one(s.sample, partial(client.segment, "FA", client.seq - 1, client.sent), client.ack)
    s.wait_until(s.one_of(55, 69, 71))
    s.sample()
    old_segment(s, client)
    return s.end()


@family(3)
def reopen(s: Script) -> Trace:
    """The same ports again after TIME_WAIT, a reset or a close; the handshake is completed."""
    client = established(s)
    if s.chance(0.8):
        part(s, client)
    else:
        client.rst()
    if s.chance(0.3):
        s.listen(0)
        Peer(s, 49001, client.options).open()
    s.wait(0.1, 0.6)
    start = client.seq + s.one_of(1, 1000, 100000)
    words = [["TS", words[1] + 5000, 0] if words[0] == "TS" else words for words in client.options]
    s.expect_timers(client.port, (1, 2, 4))
    client.segment("S", start, None, words)
    s.wait(0.02, 0.2)
    client.echo = 0
    client.segment("A", start + 1, 1, client.stamp(ahead=5000))
    s.expect_no_timers(client.port)
    s.sample()
    s.accept(2)
    return s.end()


# ---------------------------------------------------------------------------------- the client side


def odd_answer(s: Script, server: Peer) -> None:
    """What a connecting host may get that is no right answer."""
    s.do_one(
        partial(syn_ack, server, s.one_of(0, 2, 9, -1, 1000)),
        partial(syn_ack, server, 1, s.one_of(-1, -1000, 5000, 100000)),
        partial(server.segment, "A", s.one_of(0, 1, 50), s.one_of(0, 1, 2, 30)),
        partial(server.segment, "R", s.one_of(0, 1), None),
        partial(server.segment, "RA", 0, s.one_of(0, 2, 9)),
        partial(server.segment, s.one_of("F", "", "P"), 0, None),
        partial(server.segment, s.one_of("FA", "PA"), 1, 1, len=s.one_of(0, 20)),
        server.error,
        partial(s.step, s.one_of("send", "recv"), server.port, 10),
        partial(s.step, "shutdown", server.port, s.one_of(0, 1, 2)) if s.chance(0.3) else s.sample,
    )


@family(5)
def connect_odd(s: Script) -> Trace:
    """A connect meets odd answers before the right one, or instead of it."""
    s.wait(0.02, 0.1)
    if s.chance(0.2):
        s.set(tcp_timestamps=0)
    server = connecting(s)
    for _ in range(s.some(1, 4)):
        s.wait(0.02, s.one_of(0.2, 0.6, 1.3))
        odd_answer(s, server)
    s.wait(0.02, 0.2)
    if s.chance(0.4):
        syn_ack(server, flags=s.one_of("SA", "SA", "SPA", "FSA", "SAE"), len=s.one_of(0, 0, 50))
    elif s.chance(0.5):
        server.segment(s.one_of("RA", "RA", "SRA"), s.one_of(0, 0, 5), 1)
        s.expect_no_timers(server.port)
    s.sample()
    server.error()
    s.step(s.one_of("send", "recv"), server.port, 100)
    return s.end()


@family(3)
def connect_silent(s: Script) -> Trace:
    """Nobody answers: the SYNs and the end."""
    if s.chance(0.7):
        s.set(tcp_syn_retries=s.some(1, 4))
    if s.chance(0.6):
        s.set(tcp_syn_linear_timeouts=s.one_of(0, 1, 2, 3, 4, 4, 6))
    if s.chance(0.2):
        s.set(tcp_ecn=1, tcp_ecn_fallback=s.one_of(0, 1))
    if s.chance(0.15):
        s.set(tcp_rto_max_ms=s.one_of(1000, 2000, 3000))
    server = connecting(s, **({"syncnt": s.some(1, 4)} if s.chance(0.3) else {}))
    s.wait_until(s.one_of(1.5, 3.5, 5.6, 8.5, 9.5, 13, 24, 25))
    s.do_one(s.sample, server.error, partial(s.step, "send", server.port, 5), server.close)
    return s.end(0.1, 3)


@family(2)
def connect_late(s: Script) -> Trace:
    """The SYN/ACK comes after some SYNs; then data and an end."""
    if s.chance(0.3):
        s.set(tcp_syn_linear_timeouts=s.one_of(0, 1, 2))
    server = connecting(s)
    s.wait_until(s.one_of(0.3, 1.3, 2.5, 3.5, 5.5))
    syn_ack(server)
    server.seq = 1
    s.expect_no_timers(server.port)
    server.send(s.some(1, 1000))
    s.wait(0.02, 0.1)
    server.ack()
    server.data(100)
    s.wait(0.06, 0.2)
    server.recv(1000)
    part(s, server)
    return s.end()


@family(4)
def connect_talk(s: Script) -> Trace:
    """A connect that succeeds, then speech in random order and an end."""
    server = connected(s, win=s.one_of(65535, 65535, 5000, 29200))
    chat(s, server, s.some(2, 8))
    if s.chance(0.7):
        part(s, server)
    return s.end()


@family(4)
def dup_synack(s: Script) -> Trace:
    """The server repeats its SYN/ACK to an established client, as if it had ignored the ACK."""
    server = connected(s)
    if s.chance(0.4):
        server.send(s.some(1, 1000))
        if s.chance(0.7):
            s.wait(0.01, 0.1)
            server.ack()
    for _ in range(s.some(2, 6)):
        s.wait(0.02, s.one_of(0.2, 0.7, 1.2))
        again = partial(syn_ack, server)
        odd = partial(syn_ack, server, s.one_of(0, 1, 50), 0, s.one_of("SA", "S"), s.one_of(0, 1, 1000))
        s.do_one(again, again, again, again, odd, partial(server.data, s.some(1, 100)))
    if s.chance(0.4):
        server.segment(s.one_of("R", "RA"), s.one_of(server.seq, 1), 1)
        server.error()
    s.sample()
    return s.end()


@family(3)
def simultaneous(s: Script) -> Trace:
    """SYN crosses SYN, then an ACK, a SYN/ACK, silence or oddities."""
    server = connecting(s)
    s.wait(0.02, 0.4)
    server.syn(s.one_of("S", "S", "SP", "SEC"))
    for _ in range(s.some(0, 3)):
        s.wait(0.02, s.one_of(0.2, 0.7, 2.5))
        s.do_one(
            server.again,
            partial(server.segment, "A", 1, s.one_of(0, 2)),
            partial(syn_ack, server, s.one_of(1, 1, 0)),
            partial(server.segment, s.one_of("PA", "FA"), 1, 1, len=10),
            partial(server.segment, "R", s.one_of(0, 1, 5), None),
            partial(server.segment, "A", 100, 1),
            s.sample,
        )
    s.wait(0.02, 0.3)
    s.do_one(server.ack, partial(syn_ack, server), s.sample)
    s.sample()
    server.error()
    return s.end()


# ---------------------------------------------------------------------------------- established


def chat(s: Script, peer: Peer, turns: int) -> None:
    """Data either way, read or not, acknowledged soon."""
    for _ in range(turns):
        say = partial(peer.data, s.one_of(1, 10, 100, 536, 1000, peer.mss))
        read = partial(peer.recv, s.one_of(1, 50, 1000, 65536))
        hear = partial(answered_send, s, peer, s.one_of(1, 10, 100, 1000, 1448, 2000, 4000))
        s.do_one(say, say, say, hear, hear, hear, read, read, peer.ack)
        s.wait_one_of((0.005, 0.02), (0.06, 0.1), (0.25, 0.5))
    if peer.sent > peer.acked:
        peer.ack()


def answered_send(s: Script, peer: Peer, size: int) -> None:
    """The host sends, and the peer's ACK follows, alone or with data."""
    peer.send(size)
    s.wait(0.01, 0.08)
    s.do_one(peer.ack, peer.ack, partial(peer.data, s.some(1, 300)))


@family(6)
def talk(s: Script) -> Trace:
    """A server's connection: data either way, and an end."""
    client = established(s, **({"rcvbuf": s.one_of(4096, 8192, 30000)} if s.chance(0.15) else {}))
    if s.chance(0.2):
        client.set_no_delay()
    chat(s, client, s.some(3, 10))
    s.sample()
    if s.chance(0.7):
        part(s, client)
    return s.end()


class Leaving:
    """The host's application on its way out: after close there are no more calls, after one FIN no other."""

    def __init__(self, s: Script, peer: Peer) -> None:
        self.script, self.peer = s, peer
        self.gone = self.said_goodbye = False

    def call(self) -> None:
        s, peer = self.script, self.peer
        if self.gone:
            peer.ack()
            return
        s.do_one(self.shut, self.leave, partial(peer.recv, 100), self.speak, peer.error)

    def shut(self) -> None:
        how = self.script.one_of(0, 1, 1, 2)
        if how == 0:
            self.script.step("shutdown", self.peer.port, how)
        else:
            self._goodbye("shutdown", how)

    def leave(self) -> None:
        self._goodbye(self.script.one_of("close", "close", "close", "rst_close"))
        self.gone = True

    def _goodbye(self, verb: str, *how: int) -> None:
        if self.said_goodbye:
            self.script.step(verb, self.peer.port, *how)
        else:
            self.peer.close(verb, *how)
        self.said_goodbye = True

    def speak(self) -> None:
        if self.said_goodbye:
            self.script.step("send", self.peer.port, 100)
        else:
            self.peer.send(100)


@family(6)
def partings(s: Script) -> Trace:
    """shutdown, close, reset and FIN of both sides in random order, with data after the end."""
    peer = s.one_of(connected, established)(s)
    chat(s, peer, s.some(0, 2))
    host = Leaving(s, peer)
    for _ in range(s.some(3, 8)):
        odd = partial(peer.segment, s.one_of("R", "RA", "FA"), peer.seq + s.one_of(0, 0, -1), peer.sent)
        data, fin = partial(peer.data, s.one_of(1, 100, 1000)), partial(peer.fin, s.one_of(0, 0, 50))
        s.do_one(host.call, host.call, host.call, host.call, peer.ack, data, fin, odd)
        s.wait_one_of((0.01, 0.03), (0.06, 0.15), (0.26, 0.6))
    peer.ack()
    s.sample()
    return s.end()


@family(3)
def delayed_ack(s: Script) -> Trace:
    """Data in all rhythms: when the ACKs go out."""
    client = established(s)
    if s.chance(0.4):
        answered_send(s, client, s.some(1, 1000))
    if s.chance(0.2):
        s.step("setopt", client.port, 6, 12, s.one_of(0, 1))
    for _ in range(s.some(3, 12)):
        client.data(s.one_of(10, 100, 100, 536, 1000, client.mss))
        s.wait_one_of((0.003, 0.012), (0.07, 0.15), (0.25, 0.5), (0.6, 1.3))
        if s.chance(0.25):
            client.recv(s.one_of(100, 10000))
    return s.end()


@family(5)
def challenge(s: Script) -> Trace:
    """RSTs, SYNs and ACKs of somebody who guesses, on a connection; the rate limit of the answers."""
    if s.chance(0.15):
        s.set(tcp_invalid_ratelimit=s.one_of(0, 100, 2000))
    peer = connected(s) if s.chance(0.3) else established(s, accept=s.chance(0.8))
    for _ in range(s.some(2, 8)):
        s.wait(0.01, s.one_of(0.1, 0.4, 0.8))
        offset = s.one_of(0, 1, 100, 60000, 65535, 70000, 1000000, -1, -100, -70000)
        before = min(offset, 0) or 70000
        ack = 1 + s.one_of(1, 1000, 10**6, -1, -1000, -70000, -200000)
        s.do_one(
            partial(peer.rst, offset),
            partial(peer.segment, "RA", peer.seq + offset, 1),
            partial(peer.again, "S", peer.seq + offset),
            partial(peer.segment, "SA", peer.seq + offset, 1, peer.options),
            partial(peer.segment, "A", peer.seq + offset, 1),
            partial(peer.segment, "A", peer.seq, ack),
            partial(peer.segment, s.one_of("", "F", "P"), peer.seq, None),
            partial(peer.segment, s.one_of("PA", "FA"), peer.seq + before, 1, len=s.one_of(0, 20)),
        )
    s.sample()
    peer.ack()
    return s.end()


@family(3)
def holes(s: Script) -> Trace:
    """Data out of order, twice or overlapping."""
    client = established(s)
    size = s.one_of(100, 500, 1000)
    places = [place * size for place in range(s.some(3, 6))]
    order = [*places, *s.random.sample(places, s.some(0, 2))]
    s.random.shuffle(order)
    for place in order:
        client.segment("PA", 1 + place + s.one_of(0, 0, 0, -10, 10), 1, len=size)
        s.wait_one_of((0.01, 0.02), (0.06, 0.2))
        if s.chance(0.15):
            client.recv(10000)
    if s.chance(0.5):
        client.segment("FA", 1 + len(places) * size, 1)
    s.wait(0.06, 0.3)
    client.recv(65536)
    return s.end()


@family(2)
def unanswered(s: Script) -> Trace:
    """What the host sends is not acknowledged for a while, or never."""
    if s.chance(0.3):
        s.set(tcp_retries2=s.some(1, 4))
    client = established(s)
    client.send(s.one_of(1, 100, 1000, 1400))
    if s.chance(0.3):
        client.close()
    s.wait(0.5, s.one_of(1, 4, 9))
    if s.chance(0.6):
        client.ack()
    return s.end(0.5, 4)


@family(2)
def bulk(s: Script) -> Trace:
    """The host sends more than a segment or two; the peer acknowledges one, two or all of them at a time."""
    peer = s.one_of(connected, established)(s)
    size = s.some(3, 10) * peer.mss + s.one_of(0, 0, 100)
    s.step("send", peer.port, size)
    s.wait(0.01, 0.08)
    done, step = 1, peer.mss * s.one_of(1, 2, 2, 10)
    while done < size + 1 - (size + 1) % peer.mss:
        done = min(done + step, size + 1)
        peer.segment("A", peer.seq, done)
        s.wait(0.003, 0.02)
    peer.segment("A", peer.seq, size + 1)
    peer.sent = peer.written = size + 1
    part(s, peer)
    return s.end()


@family(2)
def life(s: Script) -> Trace:
    """A server at work: clients connect, ask, are answered and part, one after the other."""
    s.cookies(0, 1)
    s.listen(s.some(2, 6))
    for client in clients(s, s.some(1, 4)):
        client.open()
        s.accept()
        client.data(s.some(1, 300))
        client.recv(1000)
        client.send(s.some(1, 800))
        s.wait(0.01, 0.06)
        client.ack()
        part(s, client)
    s.sample()
    return s.end()


@family(2)
def both_sides(s: Script) -> Trace:
    """The host listens and connects at the same time."""
    s.cookies(0, 1)
    s.listen(s.some(0, 3))
    server = connected(s)
    visitors = clients(s, s.some(1, 4))
    parts: list[list[Action]] = [[client.syn, client.ack] for client in visitors]
    parts.append([partial(server.data, 100), partial(server.recv, 1000), server.ack])
    parts.append([s.accept] * s.some(1, 3))
    s.interleave(parts)
    s.sample()
    part(s, server)
    return s.end()
