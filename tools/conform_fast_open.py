"""Families of random step traces about Fast Open: cookies, data on SYNs, and what goes wrong with it, at both ends."""

from functools import partial

from conform_base import FULL, TALKERS, Trace, family
from conform_script import MSS, V4, Peer, Script, Words

from tcpemu.stack.listening.fast_open_cookie import cookie, keys_in
from tcpemu.wire.relative_numbers import HOST, PEER
from tcpemu.wire.segment import address

_TCP, _FASTOPEN, _CONNECT, _NO_COOKIE = 6, 23, 30, 34
_MSG_FASTOPEN = 0x20000000
_KEYS = ("00010203-04050607-08090a0b-0c0d0e0f", "deadbeef-01234567-89abcdef-00112233")
_SYNCNT = 7


def _shown(octets: str, experimental: bool = False) -> Words:
    """The option with a cookie, in hexadecimal, padded as a client does."""
    if experimental:
        return [["raw", f"fe{4 + len(octets) // 2:02x}f989{octets}"]]
    padding = [["nop"], ["nop"]] if (len(octets) // 2 + 2) % 4 == 2 else []
    return [["fo", octets], *padding]


def _good(key: str) -> str:
    """The cookie of the peer with this key."""
    return cookie(keys_in(key)[0], address(PEER), address(HOST)).hex()


def _server(s: Script) -> None:
    """A listener that takes it, mostly."""
    s.set(
        tcp_fastopen=s.one_of(3, 3, 3, 2, 0x203, 0x403, 1),
        tcp_fastopen_key=s.one_of(_KEYS[0], ",".join(_KEYS)),
        tcp_synack_retries=s.some(0, 2),
        tcp_syncookies=s.one_of(1, 1, 0, 2),
    )
    options = [[_TCP, _FASTOPEN, s.some(0, 4)]]
    if s.chance(0.15):
        options.append([_TCP, _NO_COOKIE, 1])
    if s.chance(0.15):
        options.append([_TCP, _SYNCNT, s.some(1, 2)])
    s.listen(s.some(0, 5), opts=options)


def _visit(s: Script, peer: Peer) -> None:
    """A SYN of some kind, with an option or without, with data or without."""
    cookies = [_good(_KEYS[0])] * 5 + [_good(_KEYS[1]), "", "", "0011223344556677", "00112233", "0011"]
    said = _shown(s.one_of(*cookies), s.chance(0.15)) if s.chance(0.9) else []
    peer.options = [*peer.options, *said]
    size = s.one_of(0, 1, 10, 100, 500, 1000, 1400)
    peer.syn(**({"len": size} if size else {}))
    peer.options = peer.options[: len(peer.options) - len(said)]
    peer.seq += size if s.chance(0.85) else 0


@family(6, "wide")
def fast_open_server(s: Script) -> Trace:
    """SYNs with cookies and data from several clients, accept(), ACKs, RSTs, and SYNs again in any order."""
    _server(s)
    peers = [Peer(s, 41001 + number, s.one_of(*TALKERS, FULL)) for number in range(s.some(1, 4))]
    for peer in peers:
        _visit(s, peer)
        s.wait(0.01, 0.1)
        for _ in range(s.some(0, 5)):
            s.do_one(
                s.accept,
                s.accept,
                partial(peer.segment, "A", peer.seq, 1),
                partial(peer.segment, "PA", peer.seq, 1, len=s.one_of(1, 50)),
                partial(s.wait, 0.3, 1.5),
            )
        s.do_one(
            partial(peer.segment, "A", peer.seq, 1),
            partial(peer.segment, "A", peer.seq, 1),
            partial(peer.segment, "FA", peer.seq, 1),
            partial(peer.segment, "R", peer.seq + s.one_of(0, 0, 5), None),
            partial(peer.again, len=10),
            partial(s.wait, 0.01, 0.05),
        )
    if s.chance(0.1):
        s.step("close_listener")
    s.sample()
    return s.end(0.2, 3)


@family(6, "wide")
def fast_open_accepted(s: Script) -> Trace:
    """A connection that a SYN has opened, accepted before its final ACK: calls and segments in any order."""
    s.set(tcp_fastopen=3, tcp_fastopen_key=_KEYS[0], tcp_synack_retries=s.some(0, 2))
    if s.chance(0.3):
        s.set(tcp_congestion_control="cubic")
    s.listen(5, opts=[[_TCP, _FASTOPEN, 5]])
    peer = Peer(s, 41001, s.one_of(*TALKERS, FULL))
    own, size = peer.options, s.one_of(0, 1, 100, 1000, 1400)
    peer.options = [*own, *_shown(_good(_KEYS[0]))]
    peer.syn(**({"len": size} if size else {}))
    peer.options, peer.seq = own, 1 + size
    s.accept()
    over, written = False, 1
    for _ in range(s.some(1, 6)):
        deed = s.some(0, 9)
        if deed < 3 and not over:
            count = s.one_of(1, 100, 1448, 3000, 10_000)
            s.step("send", peer.port, count)
            written += count
        elif deed < 5 and not over:
            s.step("recv", peer.port, s.one_of(10, 5000))
        elif deed == 5 and not over:
            s.step(s.one_of("close", "close", "rst_close"), peer.port)
            over = True
        elif deed == 6 and not over:
            s.step("shutdown", peer.port, s.one_of(0, 1, 2))
        elif deed == 7:
            s.wait(0.3, 2.5)
        else:
            peer.segment(
                s.one_of("A", "A", "PA", "FA"), peer.seq, s.one_of(1, min(written, 1 + peer.mss), written)
            )
        s.wait_one_of((0.01, 0.05), (0.05, 0.25))
    s.sample()
    return s.end(0.1, 1.5)


class _Server:
    """What the host connects to, one port after the other."""

    def __init__(self, s: Script) -> None:
        self.script, self.number, self.mss = s, 0, s.one_of(1460, 1460, 1000, 536)

    def visit(self) -> None:
        """Connect by Fast Open, be answered or not, and say something."""
        s = self.script
        self.number += 1
        own, port, size = 50000 + self.number, 46000 + self.number, s.one_of(1, 100, 1000, 1420, 3000)
        words: Words = s.one_of([["mss", self.mss]], [["mss", self.mss], *FULL[1:]], MSS)
        s.expect_timers(port, (1, 1, 1, 1, 1, 2))
        if s.chance(0.5) or not s.sysctls[V4 + "tcp_fastopen"]:
            s.step("sendto", own, port, size, _MSG_FASTOPEN)
        else:
            s.step("connect", own, port, {"opts": [[_TCP, _CONNECT, 1]]})
            s.step("send", port, size)
        if s.chance(0.2):
            s.wait(1.2, 1.6)
        s.wait(0.01, 0.1)
        said = s.one_of(*[_shown("1122334455667788")] * 4, _shown("99aabbccddeeff0011223344556677ff"), [], [])
        acked = s.one_of(1, 1 + min(size, self.mss - 40, 1420), 1 + min(size, self.mss - 40, 1420))
        more = {"lport": own, "opts": [*words, *said]}
        if s.chance(0.15):
            more["len"] = s.one_of(1, 50)
        s.step("in", port, s.one_of(*["SA"] * 8, "RA"), 0, acked, more)
        s.wait(0.02, 0.1)
        if s.chance(0.6):
            s.step("send", port, s.one_of(1, 100, 5000))
        s.wait(0.01, 0.05)
        s.step(s.one_of("close", "rst_close", "rst_close"), port)
        s.expect_no_timers(port)
        s.wait(0.02, 0.05)


@family(6, "wide")
def fast_open_client(s: Script) -> Trace:
    """Visits of a server that gives cookies or does not, takes data or does not, answers late or not."""
    s.set(tcp_fastopen=s.one_of(1, 1, 1, 1, 5, 0))
    if s.chance(0.3):
        s.set(tcp_fastopen_blackhole_timeout_sec=s.one_of(1, 100))
    server = _Server(s)
    for _ in range(s.some(2, 4)):
        server.visit()
    return s.end(0.1, 0.3)
