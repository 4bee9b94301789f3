"""How the cost of one segment grows with the number of flows that the host has.

A host is filled with so many requests or connections; then segments for random ones are received one by one,
each timed alone, answers taken included. They are made beforehand and come in random order. The number of
flows stays about the same.
"""

import gc
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random
from statistics import fmean, median
from time import perf_counter_ns

from _bench_traffic import GAP, UNLIMITED, data, final_ack, listening, syn

from tcpemu.stack import Host, Socket
from tcpemu.wire import Segment

_STEP = 100_000
_DATA = 100


@dataclass(frozen=True, slots=True)
class Cost:
    """What one segment costs, in microseconds."""

    flows: int
    typical: float
    """The median of each kind of segment, and the mean of those."""
    mean: float
    """The mean of all, pauses of the garbage collector included."""
    kinds: dict[str, float]
    """The median of each kind."""
    timer: float | None = None
    """The median of a timer that fires and is armed again."""


@dataclass(frozen=True, slots=True)
class _Sample:
    kind: str
    segment: Segment
    socket: Socket | None
    """What to accept from or to read from afterwards."""


def half_open(flows: int, samples: int, seed: int = 1) -> Cost:
    """New SYNs, SYNs that come again, and ACKs that complete a handshake and are accepted."""
    host, listener = listening(UNLIMITED)
    random = Random(seed)
    chosen = set(random.sample(range(flows), min(flows, samples * 2 // 3)))
    answers: list[Segment] = []

    def one(number: int) -> None:
        host.receive(syn(number), host.now + GAP)
        if number in chosen:
            answers.extend(host.transmit())
        else:
            host.transmit()

    _fill(flows, one, "half-open")
    random.shuffle(answers)
    half = len(answers) // 2
    made = [_Sample("SYN again", _syn_of(answer), None) for answer in answers[:half]]
    made += [_Sample("final ACK", final_ack(answer), listener) for answer in answers[half:]]
    made += [_Sample("new SYN", syn(flows + number), None) for number in range(half)]
    random.shuffle(made)
    cost = _measure(host, flows, made)
    return replace(cost, timer=_timers(host, len(answers) // 2))


def established(flows: int, samples: int, seed: int = 1) -> Cost:
    """Data that is read and acknowledged, and ACKs that say nothing new."""
    host, listener = listening(UNLIMITED)
    random = Random(seed)
    chosen = set(random.sample(range(flows), min(flows, samples)))
    sockets: list[Socket] = []
    made: list[_Sample] = []

    def one(number: int) -> None:
        now = host.now + GAP
        host.receive(syn(number), now)
        answer = host.transmit()[0]
        host.receive(final_ack(answer), now + GAP)
        host.transmit()
        host.woken()
        sockets.append(listener.accept(now + GAP))
        if number in chosen:
            made.append(_for_connection(answer, sockets[-1], random.random() < 0.5))

    _fill(flows, one, "established")
    random.shuffle(made)
    return _measure(host, flows, made)


def _syn_of(answer: Segment) -> Segment:
    """The SYN that was answered so, again."""
    again = syn(0)
    return again._replace(src=answer.dst, sport=answer.dport)


def _for_connection(answer: Segment, socket: Socket, carries: bool) -> _Sample:
    if carries:
        return _Sample("data", data(answer, 0, _DATA, answered=False), socket)
    return _Sample("bare ACK", final_ack(answer), None)


def _fill(flows: int, one: Callable[[int], None], what: str) -> None:
    loud = flows > _STEP and sys.stderr.isatty()
    for number in range(flows):
        one(number)
        if loud and number % _STEP == 0:
            print(f"\r{what}: {number:,} of {flows:,} ", end="", file=sys.stderr, flush=True)
    if loud:
        print(f"\r{' ' * 60}\r", end="", file=sys.stderr, flush=True)


def _measure(host: Host, flows: int, made: list[_Sample]) -> Cost:
    if len(host.flows) != flows:
        raise RuntimeError(f"{len(host.flows)} flows where {flows} were wanted")
    gc.collect()
    costs: dict[str, list[int]] = {}
    for sample in made:
        now = host.now + GAP
        begin = perf_counter_ns()
        host.receive(sample.segment, now)
        if sample.socket is not None:
            _application(sample, now)
        host.transmit()
        host.woken()
        costs.setdefault(sample.kind, []).append(perf_counter_ns() - begin)
    every = [cost for of_kind in costs.values() for cost in of_kind]
    kinds = {kind: median(of_kind) / 1000 for kind, of_kind in sorted(costs.items())}
    return Cost(flows, fmean(kinds.values()), fmean(every) / 1000, kinds)


def _timers(host: Host, count: int) -> float:
    """The next timers fire one by one: SYN|ACKs are sent again."""
    costs = []
    for _ in range(count):
        due = host.next_timer()
        assert due is not None
        begin = perf_counter_ns()
        host.advance(due)
        host.transmit()
        costs.append(perf_counter_ns() - begin)
    return median(costs) / 1000


def _application(sample: _Sample, now: int) -> None:
    assert sample.socket is not None
    if sample.kind == "data":
        if len(sample.socket.recv(65536, now)) != _DATA:
            raise RuntimeError("the data did not arrive")
    else:
        sample.socket.accept(now)
