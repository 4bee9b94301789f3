"""How fast: handshakes as objects, as octets, and by the naive responder; data on a connection."""

import gc
from collections.abc import Callable, Sequence
from cProfile import Profile
from dataclasses import dataclass
from statistics import median
from time import process_time

from _bench_naive import NaiveResponder
from _bench_traffic import GAP, PAYLOAD, data, final_acks, listening, syns

from tcpemu.stack import Host, Socket
from tcpemu.wire import Segment, decode, encode

Contender = Callable[[int], float]
"""Does so many handshakes and says how long they took, in seconds."""
Work = Callable[[], object]
"""What is timed."""


def objects(count: int) -> float:
    """Segments in and out."""
    host, listener = listening(count)
    arriving = syns(count)
    answers: list[Segment] = []
    seconds = _timed(lambda: _feed(host, arriving, answers))
    acks = final_acks(answers)
    seconds += _timed(lambda: _feed_and_accept(host, listener, acks))
    _all_accepted(host, count)
    return seconds


def octets(count: int) -> float:
    """Octets in and out."""
    return _octets(count, observe=False)


def octets_observed(count: int) -> float:
    """The same with every event told."""
    return _octets(count, observe=True)


def profiled(count: int) -> Profile:
    """Octets in and out under a profiler, which sees what would be timed."""
    profiler = Profile()

    def timed(work: Work) -> float:
        profiler.runcall(work)
        return 0.0

    _octets(count, observe=False, timed=timed)
    return profiler


def naive(count: int) -> float:
    """The naive responder, octets in and out."""
    responder = NaiveResponder()
    arriving = [encode(segment) for segment in syns(count)]
    answers: list[bytes | None] = []
    seconds = _timed(lambda: answers.extend(map(responder.receive, arriving)))
    acks = [encode(ack) for ack in final_acks(_decoded(one) for one in answers if one)]
    seconds += _timed(lambda: answers.extend(map(responder.receive, acks)))
    if len(responder.established) != count:
        raise RuntimeError(f"the naive responder has {len(responder.established)} of {count} connections")
    return seconds


@dataclass(frozen=True, slots=True)
class Rate:
    """Handshakes per second, and how many times the first contender's that is: medians of rounds."""

    rate: float
    times: float


def rates(contenders: Sequence[Contender], counts: Sequence[int], rounds: int) -> list[Rate]:
    """What each contender does, their rounds taken in turn and compared within a round."""
    played = [
        [count / contender(count) for contender, count in zip(contenders, counts, strict=True)]
        for _ in range(rounds)
    ]
    return [
        Rate(median(one[index] for one in played), median(one[index] / one[0] for one in played))
        for index in range(len(contenders))
    ]


def echo_rate(turns: int, as_octets: bool) -> float:
    """Segments per second, in and out, of a connection whose host sends back what it receives."""
    host, listener = listening(1)
    answers: list[Segment] = []
    _feed(host, syns(1), answers)
    conn = _feed_and_accept(host, listener, final_acks(answers))[0]
    arriving = [data(answers[0], turn, PAYLOAD, answered=True) for turn in range(turns)]
    sent: list[Segment] = []
    wire = [encode(segment) for segment in arriving]
    play = (
        (lambda: _echo_octets(host, conn, wire)) if as_octets else (lambda: _echo(host, conn, arriving, sent))
    )
    seconds = _timed(play)
    if host.counters["OutSegs"] < turns:
        raise RuntimeError(f"{host.counters['OutSegs']} segments came back for {turns}")
    return (host.counters["InSegs"] + host.counters["OutSegs"] - 3) / seconds


def _timed(work: Work) -> float:
    gc.collect()
    begin = process_time()
    work()
    return process_time() - begin


# --- one phase -----------------------------------------------------------------------------------------------


def _feed(host: Host, arriving: list[Segment], answers: list[Segment]) -> None:
    now = host.now
    for segment in arriving:
        now += GAP
        host.receive(segment, now)
        answers += host.transmit()


def _feed_and_accept(host: Host, listener: Socket, arriving: list[Segment]) -> list[Socket]:
    now = host.now
    accepted = []
    for segment in arriving:
        now += GAP
        host.receive(segment, now)
        host.transmit()
        accepted.append(listener.accept(now))
    return accepted


def _octets(count: int, observe: bool, timed: Callable[[Work], float] = _timed) -> float:
    host, listener = listening(count, observe=observe)
    arriving = [encode(segment) for segment in syns(count)]
    answers: list[bytes] = []
    seconds = timed(lambda: _feed_octets(host, arriving, answers))
    acks = [encode(ack) for ack in final_acks(map(_decoded, answers))]
    accepted: list[Socket] = []
    seconds += timed(lambda: _feed_octets_and_accept(host, listener, acks, accepted))
    _all_accepted(host, count)
    return seconds


def _feed_octets(host: Host, arriving: list[bytes], answers: list[bytes]) -> None:
    now, observe = host.now, host.observe
    for packet in arriving:
        now += GAP
        host.receive(decode(packet), now)
        answers.extend(map(encode, host.transmit()))
        if observe:
            host.events()


def _feed_octets_and_accept(
    host: Host, listener: Socket, arriving: list[bytes], accepted: list[Socket]
) -> None:
    now, observe = host.now, host.observe
    for packet in arriving:
        now += GAP
        host.receive(decode(packet), now)
        for segment in host.transmit():
            encode(segment)
        accepted.append(listener.accept(now))
        if observe:
            host.events()


def _echo(host: Host, conn: Socket, arriving: list[Segment], sent: list[Segment]) -> None:
    now = host.now
    for segment in arriving:
        now += GAP
        host.receive(segment, now)
        conn.send(conn.recv(65536, now), now)
        sent += host.transmit()


def _echo_octets(host: Host, conn: Socket, arriving: list[bytes]) -> None:
    now = host.now
    for packet in arriving:
        now += GAP
        host.receive(decode(packet), now)
        conn.send(conn.recv(65536, now), now)
        for segment in host.transmit():
            encode(segment)


def _decoded(packet: bytes) -> Segment:
    segment = decode(packet)
    if not isinstance(segment, Segment):
        raise TypeError(f"an answer does not decode: {segment}")
    return segment


def _all_accepted(host: Host, count: int) -> None:
    done = host.counters.get("PassiveOpens", 0)
    if done != count:
        raise RuntimeError(f"{done} of {count} handshakes were completed")
