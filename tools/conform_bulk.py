"""Families of random step traces in bulk: the host receives much, or sends it to a receiver that answers by a model."""

from conform_base import FULL, Trace, family
from conform_script import MSS, Peer, Script, Words

_SACK: Words = [*MSS, ["nop"], ["nop"], ["sackOK"]]


def connection(s: Script) -> Peer:
    """A connection that is accepted, with any of the usual options."""
    s.cookies(0)
    s.listen(5)
    peer = Peer(s, 30001, s.one_of(MSS, _SACK, FULL))
    peer.open()
    s.accept()
    return peer


@family(3, "bulk")
def bulk_in(s: Script) -> Trace:
    """100 to 400 segments in bursts, some lost and sent again, read as they come, late, or not at all."""
    peer = connection(s)
    segments, loss, place = s.some(100, 400), s.one_of(0.0, 0.0, 0.01, 0.05), 0
    reads, pause = s.one_of(0.0, 0.3, 1.0), s.one_of(0.01, 0.03, 0.08)
    start, burst, lost = peer.seq, s.one_of(4, 10, 20), []
    while place < segments:
        for _ in range(min(burst, segments - place)):
            if s.chance(loss):
                lost.append(place)
            else:
                peer.segment("A", start + place * peer.mss, peer.sent, len=peer.mss)
                s.at = round(s.at - 0.012, 3)
            place += 1
        s.wait(pause, pause * 1.3)
        for number in lost:
            peer.segment("A", start + number * peer.mss, peer.sent, len=peer.mss)
        lost = []
        if s.chance(reads):
            s.step("recv", peer.port, s.one_of(10_000, 1_000_000))
    s.step("recv", peer.port, 10_000_000)
    s.sample()
    return s.end()


def upload(s: Script, control: str) -> Trace:
    """100 to 400 segments to a receiver behind a narrow link, some of them lost or late."""
    s.set(tcp_congestion_control=control)
    peer = connection(s)
    model = {
        "rtt": s.one_of(0.02, 0.05, 0.1),
        "gap": s.one_of(0.0005, 0.001, 0.003),
        "loss": s.one_of(0, 0, 0.01, 0.03),
        "drop": [s.some(0, 100) for _ in range(s.some(0, 3))],
        "seed": s.some(0, 10_000),
        **peer.for_model(),
    }
    segments, writes = s.some(100, 400), s.some(1, 4)
    for _ in range(writes):
        s.step("send", peer.port, segments * peer.mss // writes)
        s.wait(0.1, 0.4)
    return {**s.end(1.0, 2.0), "reactive": model}


@family(2, "bulk")
def bulk_reno(s: Script) -> Trace:
    """An upload with Reno."""
    return upload(s, "reno")


@family(2, "bulk")
def bulk_cubic(s: Script) -> Trace:
    """An upload with CUBIC."""
    return upload(s, "cubic")


@family(2, "bulk")
def bulk_bbr(s: Script) -> Trace:
    """An upload with BBR, which is paced."""
    return upload(s, "bbr")


def probing(s: Script) -> None:
    """Settings of path MTU probing."""
    s.set(
        tcp_mtu_probing=s.one_of(1, 2, 2),
        tcp_base_mss=s.one_of(1024, 512, 1400),
        tcp_probe_threshold=s.one_of(8, 1, 100),
        tcp_mtu_probe_floor=s.one_of(48, 536),
    )
    if s.chance(0.3):
        s.set(tcp_probe_interval=1)


@family(1, "bulk")
def probed_upload(s: Script) -> Trace:
    """An upload that probes the path's MTU."""
    probing(s)
    return upload(s, s.one_of("reno", "cubic"))


@family(1, "bulk")
def black_hole(s: Script) -> Trace:
    """Nothing is acknowledged for long, or large segments are not: the MTU is taken for too large."""
    probing(s)
    s.set(tcp_retries1=s.one_of(1, 2), tcp_congestion_control="reno")
    peer = connection(s)
    size = s.some(1, 6) * peer.mss + s.one_of(0, 0, 100)
    s.step("send", peer.port, size)
    s.wait(1.0, 4.0)
    for _ in range(s.some(1, 3)):
        peer.segment(
            "A", peer.seq, s.one_of(1, 1 + size, 1 + min(size, peer.mss // 2), 1 + min(size, peer.mss))
        )
        s.wait_one_of((0.02, 0.1), (0.3, 2.0))
    if s.chance(0.5):
        s.step("send", peer.port, 3 * peer.mss)
        s.wait(0.1, 1.0)
    s.sample()
    return s.end(0.5, 1.5)
