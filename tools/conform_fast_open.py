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
    """SYNs with cookies and data, then accept, reads, answers, ACKs, RSTs and closes in any order."""
    _server(s)
    peers = [Peer(s, 41001 + number, s.one_of(*TALKERS, FULL)) for number in range(s.some(1, 4))]
    for peer in peers:
        _visit(s, peer)
        s.wait(0.01, 0.1)
        for _ in range(s.some(0, 5)):
            s.do_one(
                s.accept,
                s.accept,
                partial(_if_accepted, s, peer, "recv", s.one_of(5, 1000, 5000)),
                partial(_if_accepted, s, peer, "send", s.one_of(1, 100, 2000, 5000)),
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
            partial(_if_accepted, s, peer, s.one_of("close", "rst_close")),
            partial(s.wait, 0.01, 0.05),
        )
    if s.chance(0.1):
        s.step("close_listener")
    s.sample()
    return s.end(0.2, 3)


def _if_accepted(s: Script, peer: Peer, verb: str, *arguments: int) -> None:
    """A call on a connection that an earlier accept() may have given: one that did not is left out."""
    accepts = sum(step[1] == "accept" for step in s.steps)
    first = sum(step[1] == "in" and "S" in step[3] and step[2] <= peer.port for step in s.steps)
    over = any(step[1:3] in (["close", peer.port], ["rst_close", peer.port]) for step in s.steps)
    if peer.port == 41001 and accepts >= first == 1 and not over and _opens_at_once(s):
        s.step(verb, peer.port, *arguments)


def _opens_at_once(s: Script) -> bool:
    """Whether the first SYN makes a connection, so that the first accept() gives it."""
    return (
        s.sysctls[V4 + "tcp_fastopen"] in (0x203,)
        and s.sysctls[V4 + "tcp_syncookies"] != 2
        and s.steps[0][3]["opts"][0][2] > 0
        and bool(s.steps[1][-1].get("len", 0) if isinstance(s.steps[1][-1], dict) else 0)
    )


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
