"""How the cost of one segment grows with the number of flows that the host has.

Hosts are filled with different numbers of requests or connections. Then each in turn receives a few segments
for flows drawn at random, one by one, each timed alone, with what is sent because of it; so all of them meet
the machine in the same moods. The segments are made beforehand, and the number of flows stays about the same.
"""

import gc
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from statistics import fmean, median
from time import perf_counter_ns

from _bench_traffic import GAP, UNLIMITED, data, final_ack, listening, syn

from tcpemu.stack import Host, Socket
from tcpemu.wire import Segment

TIMER = "timer"
_PROGRESS = 100_000
_DATA = 100
_TURNS = 60
"""Each host gets its segments in so many pieces, so that all are at it from the beginning to the end."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one segment costs, in microseconds."""

    flows: int
    typical: float
    """The median of each kind of segment, and the mean of those."""
    mean: float
    """The mean of all, pauses of the garbage collector included."""
    kinds: dict[str, float]
    """The median of each kind, and of timers that fire."""


@dataclass(frozen=True, slots=True)
class _Sample:
    kind: str
    segment: Segment
    socket: Socket | None
    """What to accept from or to read from afterwards."""


@dataclass(slots=True)
class Population:
    """A host with its flows, the segments that are to come, and what those before them took, in nanoseconds."""

    host: Host
    flows: int
    samples: list[_Sample]
    timers: int
    """How many timers are to fire when the segments have come."""
    took: dict[str, list[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.host.tables.host.flows) != self.flows:
            raise RuntimeError(f"{len(self.host.tables.host.flows)} flows where {self.flows} were wanted")


def half_open(flows: int, samples: int) -> Population:
    """To come: new SYNs, SYNs that come again, ACKs that complete a handshake and are accepted; then timers."""
    host, listener = listening(UNLIMITED)
    random = Random(flows)
    chosen = set(random.sample(range(flows), min(flows, samples * 2 // 3)))
    answers: list[Segment] = []

    def one(number: int) -> None:
        host.receive(syn(number), host.now + GAP)
        sent = host.transmit()
        if number in chosen:
            answers.extend(sent)

    _fill(flows, one, "half-open")
    random.shuffle(answers)
    half = len(answers) // 2
    made = [_Sample("SYN again", _syn_of(answer), None) for answer in answers[:half]]
    made += [_Sample("final ACK", final_ack(answer), listener) for answer in answers[half:]]
    made += [_Sample("new SYN", syn(flows + number), None) for number in range(half)]
    random.shuffle(made)
    return Population(host, flows, made, half)


def established(flows: int, samples: int) -> Population:
    """To come: data that is read and acknowledged, and ACKs that say nothing new."""
    host, listener = listening(UNLIMITED)
    random = Random(flows)
    chosen = set(random.sample(range(flows), min(flows, samples)))
    accepted: list[Socket] = []
    made: list[_Sample] = []

    def one(number: int) -> None:
        now = host.now + GAP
        host.receive(syn(number), now)
        answer = host.transmit()[0]
        host.receive(final_ack(answer), now + GAP)
        accepted.append(listener.accept(now + GAP))
        host.woken()
        if number in chosen:
            made.append(_for_connection(answer, accepted[-1], random.random() < 0.5))

    _fill(flows, one, "established")
    random.shuffle(made)
    return Population(host, flows, made, 0)


def costs(populations: Sequence[Population]) -> list[Cost]:
    """Let the segments come."""
    gc.collect()
    for turn in range(_TURNS):
        for population in populations:
            _receive(population, population.samples[_piece(len(population.samples), turn)])
    for turn in range(_TURNS):
        for population in populations:
            piece = _piece(population.timers, turn)
            _fire(population, piece.stop - piece.start)
    return [_cost(population) for population in populations]


def _piece(whole: int, turn: int) -> slice:
    return slice(whole * turn // _TURNS, whole * (turn + 1) // _TURNS)


def _cost(population: Population) -> Cost:
    kinds = {kind: median(took) / 1000 for kind, took in population.took.items()}
    segments = [kind for kind in kinds if kind != TIMER]
    every = [one / 1000 for kind in segments for one in population.took[kind]]
    return Cost(population.flows, fmean(kinds[kind] for kind in segments), fmean(every), kinds)


def _receive(population: Population, samples: list[_Sample]) -> None:
    host, took = population.host, population.took
    for sample in samples:
        now = host.now + GAP
        begin = perf_counter_ns()
        host.receive(sample.segment, now)
        if sample.socket is not None:
            _application(sample.kind, sample.socket, now)
        host.transmit()
        host.woken()
        took.setdefault(sample.kind, []).append(perf_counter_ns() - begin)


def _application(kind: str, socket: Socket, now: int) -> None:
    if kind != "data":
        socket.accept(now)
    elif len(socket.recv(65536, now)) != _DATA:
        raise RuntimeError("the data did not arrive")


def _fire(population: Population, count: int) -> None:
    """The next timers fire one by one: SYN|ACKs are sent again."""
    host = population.host
    for _ in range(count):
        due = host.next_timer()
        assert due is not None
        begin = perf_counter_ns()
        host.advance(due)
        host.transmit()
        population.took.setdefault(TIMER, []).append(perf_counter_ns() - begin)


# --- making them ---------------------------------------------------------------------------------------------


def _syn_of(answer: Segment) -> Segment:
    """The SYN that was answered so, again."""
    return syn(0)._replace(src=answer.dst, sport=answer.dport)


def _for_connection(answer: Segment, socket: Socket, carries: bool) -> _Sample:
    if carries:
        return _Sample("data", data(answer, 0, _DATA, answered=False), socket)
    return _Sample("bare ACK", final_ack(answer), None)


def _fill(flows: int, one: Callable[[int], None], what: str) -> None:
    for number in range(flows):
        one(number)
        if flows > _PROGRESS and not number % _PROGRESS:
            _progress(f"{what}: {number:,} of {flows:,}")
    if flows > _PROGRESS:
        _progress("")


def _progress(words: str) -> None:
    if sys.stderr.isatty():
        print(f"\r{words:<60}\r{words}", end="", file=sys.stderr, flush=True)
    elif words:
        print(words, file=sys.stderr, flush=True)
