"""Families of random step traces about odd peers and settings: ACKs, SACKs and data that no orderly TCP would send."""

from functools import partial

from conform_base import FULL, Trace, connecting, established, family, syn_ack
from conform_script import MSS, Peer, Script, Words

_SACK: Words = [*MSS, ["nop"], ["nop"], ["sackOK"]]
_CONTROLS = ("reno", "reno", "cubic")
_SWITCHES: dict[str, tuple[int | str, ...]] = {
    "tcp_sack": (0,),
    "tcp_dsack": (0,),
    "tcp_timestamps": (0, 2),
    "tcp_window_scaling": (0,),
    "tcp_ecn": (0, 1),
    "tcp_early_retrans": (0, 1, 2, 4),
    "tcp_recovery": (0, 1, 2, 4, 7),
    "tcp_frto": (0, 1),
    "tcp_reordering": (1, 2, 6, 20),
    "tcp_max_reordering": (3, 5),
    "tcp_slow_start_after_idle": (0,),
    "tcp_moderate_rcvbuf": (0,),
    "tcp_comp_sack_delay_ns": (0, 200_000, 20_000_000),
    "tcp_comp_sack_nr": (0, 1, 200),
    "tcp_comp_sack_slack_ns": (0, 1_000_000),
    "tcp_min_tso_segs": (1, 4),
    "tcp_tso_win_divisor": (0, 1, 10),
    "tcp_tso_rtt_log": (0, 4),
    "tcp_pacing_ss_ratio": (100, 400),
    "tcp_retrans_collapse": (0,),
    "tcp_thin_linear_timeouts": (1,),
    "tcp_retries1": (1,),
    "tcp_retries2": (1, 3),
    "tcp_shrink_window": (1,),
    "tcp_notsent_lowat": (1, 3000),
    "tcp_workaround_signed_windows": (1,),
    "tcp_rto_max_ms": (1000, 2000),
    "tcp_reflect_tos": (1,),
    "tcp_no_metrics_save": (1,),
    "tcp_min_rtt_wlen": (0, 1),
    "tcp_app_win": (1, 0),
    "tcp_rmem": ("4096 8192 20000", "4096 300000 6000000"),
    "tcp_wmem": ("4096 8192 20000", "4096 300000 6000000"),
    "tcp_abort_on_overflow": (1,),
    "tcp_challenge_ack_limit": (1,),
    "tcp_invalid_ratelimit": (0, 50),
}
"""What a trace may set otherwise than usual."""


def otherwise(s: Script, most: int) -> None:
    """Set some of the switches."""
    names = s.random.sample(sorted(_SWITCHES), s.some(1, most))
    s.set(**{name: s.one_of(*_SWITCHES[name]) for name in names})


def speaker(s: Script) -> Peer:
    """A connection that is accepted, whose application does not wait with what is small."""
    s.cookies(0)
    s.listen(5)
    peer = Peer(s, 30001, s.one_of(_SACK, _SACK, FULL, MSS))
    peer.open()
    s.accept()
    if s.chance(0.7):
        peer.set_no_delay()
    return peer


class AckSource:
    """Says ACKs about `total` octets that the host has been asked to send in segments."""

    def __init__(self, s: Script, peer: Peer) -> None:
        self.s, self.peer = s, peer
        self.una, self.total = 1, 1
        self.sacks = any(words[0] == "sackOK" for words in peer.options)

    def write(self, segments: int) -> None:
        size = segments * self.peer.mss + self.s.one_of(0, 0, 1, 100)
        self.s.step("send", self.peer.port, size)
        self.total += size

    def edge(self, odd: float = 0.15) -> int:
        """Where a segment ends, or some place inside of one."""
        s, mss = self.s, self.peer.mss
        place = self.una + mss * s.some(0, max(1, (self.total - self.una) // mss))
        if s.chance(odd):
            place += s.one_of(1, -1, mss // 2, 100)
        return min(max(place, 1), self.total)

    def blocks(self) -> list[list[int]]:
        found = []
        for _ in range(self.s.some(1, 3)):
            left = self.edge()
            right = left + self.peer.mss * self.s.one_of(1, 1, 2, 4)
            found.append([left, min(right, self.total) if self.s.chance(0.95) else right])
        if self.s.chance(0.1):  # a D-SACK
            found.insert(0, [max(self.una - self.peer.mss, 1), self.una])
        return [block for block in found if block[0] < block[1]][:3]

    def say(self, ack: int | None = None, flags: str = "A", win: int = 65535, *, sack: bool) -> None:
        """An ACK; without a number it is a duplicate."""
        options = self.peer.stamp()
        if sack and self.sacks and (blocks := self.blocks()):
            options = [*options, ["nop"], ["nop"], ["sack", blocks]]
        self.una = max(self.una, ack or 1)
        place = self.una if ack is None else ack
        self.peer.segment(flags, self.peer.seq, place, options, win=win)


def exchange(s: Script, peer: Peer, turns: int, flags: tuple[str, ...] = ("A",)) -> None:
    """Writes, and ACKs of all kinds about them."""
    host = AckSource(s, peer)
    host.write(s.some(3, 12))
    s.wait(0.02, 0.05)
    windows = s.one_of((65535,), (65535, 65535, 5000, 0), (65535, 30000))
    for _ in range(turns):
        peer.echo = max(0, int((s.at - peer.born) * 1000) - s.some(10, 60))
        say = partial(host.say, win=s.one_of(*windows), flags=s.one_of(*flags))
        s.do_one(
            partial(say, host.edge(), sack=False),
            partial(say, host.edge(), sack=True),
            partial(say, None, sack=True),
            partial(say, None, sack=True),
            partial(say, None, sack=False),
            partial(say, max(1, host.una - s.one_of(1, 1460, 3000)), sack=s.chance(0.5)),
            partial(host.write, s.some(1, 5)),
            partial(peer.segment, "PA", peer.seq - s.one_of(0, 1, 10), host.una, len=10),
        )
        s.wait_one_of((0.003, 0.012), (0.003, 0.012), (0.03, 0.07), (0.25, 0.4))
    s.sample()


@family(4, "odd")
def odd_acks(s: Script) -> Trace:
    """ACKs and SACK blocks of all kinds about what the host sends."""
    s.set(tcp_congestion_control=s.one_of(*_CONTROLS))
    exchange(s, speaker(s), s.some(4, 25))
    return s.end(0.3, 1.5)


@family(3, "odd")
def odd_switches(s: Script) -> Trace:
    """The same with settings that are not the usual ones, and data that comes too."""
    s.set(tcp_congestion_control=s.one_of(*_CONTROLS))
    otherwise(s, 4)
    peer = speaker(s)
    if s.chance(0.5):
        for _ in range(s.some(1, 8)):
            peer.data(s.one_of(10, 500, peer.mss), s.one_of("A", "PA"))
            s.wait_one_of((0.003, 0.01), (0.05, 0.1))
            if s.chance(0.3):
                peer.recv(s.one_of(100, 100_000))
    exchange(s, peer, s.some(3, 15))
    return s.end(0.3, 1.5)


@family(2, "odd")
def odd_ecn(s: Script) -> Trace:
    """ECN: marks on what comes, ECE and CWR on ACKs."""
    s.set(tcp_congestion_control=s.one_of(*_CONTROLS), tcp_ecn=s.one_of(1, 2))
    s.cookies(0)
    s.listen(5)
    peer = Peer(s, 30001, s.one_of(_SACK, FULL, MSS))
    peer.syn("SEC")
    s.wait(0.012, 0.09)
    peer.ack()
    s.accept()
    for _ in range(s.some(0, 6)):
        flags, tos = s.one_of("A", "PA", "PAC", "AE"), s.one_of(0, 2, 3, 3, 1)
        peer.data(s.one_of(10, 1000), flags, tos=tos)
        s.wait_one_of((0.003, 0.01), (0.05, 0.1))
    exchange(s, peer, s.some(4, 15), ("A", "A", "AE"))
    return s.end(0.3, 1.5)


@family(4, "odd")
def odd_data(s: Script) -> Trace:
    """Data, FINs and stale segments that overlap in all ways, with and without SACK; reads in between."""
    if s.chance(0.3):
        otherwise(s, 2)
    peer = established(s)
    if s.chance(0.2):
        s.step("setopt", peer.port, 1, 8, s.one_of(1, 3000, 8000))
    size = s.one_of(1, 20, 500, 1000)
    edges = [1 + size * number for number in range(8)]
    for _ in range(s.some(4, 16)):
        start = s.one_of(*edges) + s.one_of(0, 0, 0, 1, -1, size // 2, -size // 2)
        length = s.one_of(size, size, size + 1, size // 2, 2 * size, 0)
        flags = s.one_of("A", "A", "PA", "PA", "PA", "FA") if s.chance(0.8) else s.one_of("FPA", "P", "PAU")
        stamp = peer.stamp(s.one_of(0, 0, 0, 0, -5, 50, 10_000))
        peer.segment(
            flags, start, s.one_of(1, 1, 1, 0, 2), stamp, len=min(length, peer.mss), win=s.one_of(65535, 500)
        )
        s.wait_one_of((0.003, 0.01), (0.003, 0.01), (0.03, 0.06), (0.06, 0.2))
        if s.chance(0.15):
            peer.recv(s.one_of(1, 100, 100_000))
        if s.chance(0.05):
            s.step("send", peer.port, s.one_of(1, 1000))
    s.sample()
    if s.chance(0.4):
        s.step(*s.one_of(("shutdown", peer.port, 1), ("close", peer.port), ("shutdown", peer.port, 0)))
        s.wait(0.02, 0.1)
        for _ in range(s.some(1, 4)):
            flags = s.one_of("A", "FA", "PA", "R")
            peer.segment(
                flags, s.one_of(*edges), s.one_of(1, 2, 2), len=0 if flags == "R" else s.one_of(0, size)
            )
            s.wait(0.003, 0.05)
        s.sample()
    return s.end()


_READ_OPTIONS = (
    *((1, name) for name in (4, 7, 8, 9, 10, 13, 18, 30, 38, 72)),
    *((6, name) for name in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 16, 17, 18, 23, 25, 27, 28, 30)),
    *((0, name) for name in (1, 2, 10, 11, 14)),
)
"""Level and number of options whose answer is no clock's."""
_SET_OPTIONS = (
    *((1, name, value) for name in (7, 8, 18) for value in (0, 1, 5000, 100_000)),
    *((1, name, value) for name in (9, 10) for value in (0, 1)),
    *((6, name, value) for name in (1, 3, 12) for value in (0, 1, 2)),
    *((6, 2, value) for value in (0, 500, 88, 87)),
    *((6, 8, value) for value in (-1, 0, 1, 200)),
    *((6, 9, value) for value in (0, 3)),
    *((6, 10, value) for value in (0, 1, 3000)),
    *((6, 18, value) for value in (0, 300)),
    *((6, 23, value) for value in (0, 5)),
    *((6, 25, value) for value in (0, 2000)),
    *((6, 27, value) for value in (0, 1, 3)),
    *((6, 30, value) for value in (0, 1)),
    *((0, 1, value) for value in (0, 0x10, 0xFF)),
    *((0, 2, value) for value in (-1, 0, 33)),
    *((0, 10, value) for value in (0, 2, 4)),
)
"""Level, number and value of options that may be set at any time, or may not."""


def any_call(s: Script, peer: Peer) -> None:
    """Any call at all, whatever the state."""
    port = peer.port
    flags = s.one_of(0, 0, 1, 2, 0x20, 0x40, 0x80, 0x100, 0x8000, 0x4000)
    s.do_one(
        *[partial(s.step, "getopt", port, *s.one_of(*_READ_OPTIONS))] * 3,
        *[partial(s.step, "setopt", port, *s.one_of(*_SET_OPTIONS))] * 2,
        partial(s.step, "send", port, s.one_of(0, 1, 100, 3000), flags),
        partial(s.step, "recv", port, s.one_of(0, 1, 100, 100_000), s.one_of(flags, 0, 1, 2, 3, 0x22)),
        *[partial(s.step, "poll", port)] * 2,
        partial(s.step, "atmark", port),
        partial(s.step, "soerror", port),
        partial(s.step, "shutdown", port, s.one_of(0, 1, 2, 3)),
        partial(s.step, "setlinger", port, s.one_of(0, 1), s.one_of(0, 1)),
    )


def any_segment(s: Script, peer: Peer) -> None:
    """What a peer may send: data, FIN, RST, urgent data, or an ACK."""
    s.do_one(
        partial(peer.data, s.one_of(1, 100, 1000)),
        partial(peer.data, 5, "PAU", urg=s.one_of(1, 5)),
        peer.ack,
        partial(peer.segment, "A", peer.seq, peer.sent + 1),
        peer.fin,
        partial(peer.segment, s.one_of("R", "RA"), peer.seq, peer.sent),
    )


@family(4, "odd")
def odd_calls(s: Script) -> Trace:
    """Any calls in any state: while connecting, open, half closed, reset; with data, urgent data, FIN and RST."""
    if s.chance(0.35):
        peer = connecting(s)
        for _ in range(s.some(0, 3)):
            any_call(s, peer)
        if s.chance(0.8):
            syn_ack(peer)
            peer.seq = 1
            s.expect_no_timers(peer.port)
        elif s.chance(0.5):
            peer.segment("RA", 0, 1)
    else:
        peer = established(s)
    for _ in range(s.some(4, 18)):
        s.do_one(*[partial(any_call, s, peer)] * 3, partial(any_segment, s, peer))
        s.wait_one_of((0.003, 0.01), (0.05, 0.08))
    s.step("poll", peer.port)
    s.sample()
    return s.end(0.1, 0.5)
