"""How fast the stack is, how much memory it takes, and how both grow, on one core.

    python tools/bench.py [--quick] [--full] [--profile] [--breakdown] [--compile | --compiled VENV]

With --compile the compiled core is built into an environment, as tools/compiled.py does, and with --compiled one that
is there is taken: its speeds then stand beside those of plain Python, measured in turn, and nothing else is.

The table says for each number what was measured and, where there is a target, whether it is met. The exit
status is 1 when a target is missed. Speeds are by CPU time, and medians of rounds
taken in turn, so that a busy machine is unfair to all alike.
"""

import argparse
import gc
import platform
import pstats
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from time import perf_counter

import _bench_builds as builds
import _bench_growth as growth
import _bench_memory as memory
import _bench_speed as speed
import compiled
from _bench_traffic import listening

from tcpemu.scenario.format.load_scenario import load
from tcpemu.scenario.running.build import run_all

FASTER, REQUEST, CONNECTION, GROWTH, SCENARIO = 20, 1.2 * 1024, 4 * 1024, 2, 1.0
"""The targets: times the naive responder, octets, octets, times the cost, seconds."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is measured."""

    rounds: int
    handshakes: int
    naive: int
    turns: int
    population: int
    samples: int
    half_open: tuple[int, ...]
    established: tuple[int, ...]


_MANY = (1000, 10_000, 100_000, 1_000_000)
QUICK = Effort(5, 1000, 100, 2000, 2000, 3000, (1000, 10_000, 50_000), (1000, 10_000))
NORMAL = Effort(15, 3000, 200, 10_000, 20_000, 9000, _MANY, _MANY[:-1])
FULL = replace(NORMAL, established=_MANY)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table."""

    what: str
    value: str
    target: str = ""
    met: bool = True


def measure(effort: Effort) -> Iterator[Line]:
    """Every measurement, one after the other."""
    yield from handshakes(effort)
    yield from conversation(effort)
    yield from footprint(effort)
    yield from growing("half-open", growth.half_open, effort.half_open, effort.samples, GROWTH)
    yield from growing("established", growth.established, effort.established, effort.samples)
    yield ignored_ack()


def handshakes(effort: Effort) -> Iterator[Line]:
    contenders = (speed.naive, speed.objects, speed.octets, speed.octets_observed)
    counts = (effort.naive, *[effort.handshakes] * 3)
    naive, as_objects, octets, observed = speed.rates(contenders, counts, effort.rounds)
    yield Line("handshakes, naive Scapy responder", f"{naive.rate:,.0f} /s")
    yield Line("handshakes, segments in and out", _times(as_objects))
    yield Line(
        "handshakes, octets in and out", _times(octets), f"at least {FASTER} times", octets.times >= FASTER
    )
    yield Line("handshakes, octets, with every event", _times(observed))


def conversation(effort: Effort) -> Iterator[Line]:
    for words, as_octets in (("segments", False), ("octets", True)):
        rate = speed.echo_rate(effort.turns, as_octets)
        yield Line(f"data both ways, {words} in and out", f"{rate:,.0f} segments/s")


def footprint(effort: Effort) -> Iterator[Line]:
    measured = (
        ("a half-open request", memory.per_request, REQUEST),
        ("an accepted connection", memory.per_connection, CONNECTION),
    )
    for what, of_one, most in measured:
        size = of_one(effort.population)
        yield Line(
            f"memory of {what} (tracemalloc)", f"{size:,.0f} octets", f"at most {most:,.0f}", size <= most
        )


def growing(
    what: str,
    fill: Callable[[int, int], growth.Population],
    populations: Sequence[int],
    samples: int,
    most: float | None = None,
) -> Iterator[Line]:
    """The cost of a segment at each population; the last is held to the first."""
    costs = growth.costs([fill(flows, samples) for flows in populations])
    for cost in costs:
        ratio = cost.typical / costs[0].typical
        judged = most if cost is costs[-1] else None
        target = "" if judged is None else f"at most {judged} times"
        met = judged is None or ratio <= judged
        yield Line(
            f"a segment, {cost.flows:,} {what}", f"{cost.typical:.1f} us, {ratio:.2f} times", target, met
        )
        kinds = ", ".join(f"{kind} {value:.1f}" for kind, value in cost.kinds.items())
        yield Line("", f"({kinds}; mean of all segments {cost.mean:.1f})")


def ignored_ack() -> Line:
    """63 virtual seconds."""
    scenario = load("ignored-ack")
    begin = perf_counter()
    run_all(scenario)
    seconds = perf_counter() - begin
    return Line(
        "scenario ignored-ack", f"{seconds * 1000:.0f} ms", f"at most {SCENARIO:.0f} s", seconds <= SCENARIO
    )


def _times(found: speed.Rate) -> str:
    return f"{found.rate:,.0f} /s, {found.times:.1f} times"


# --- what the program does -----------------------------------------------------------------------------------


def show(line: Line) -> None:
    verdict = "" if not line.target else ("met" if line.met else "MISSED")
    print(f"{line.what:<46} {line.value:<24} {line.target:<17} {verdict}".rstrip(), flush=True)


def show_profile(count: int) -> None:
    """Where the time of handshakes in octets goes; the profiler slows small functions most."""
    pstats.Stats(speed.profiled(count)).sort_stats("tottime").print_stats(30)


def show_breakdown() -> None:
    """What a request and a connection hold for themselves alone."""
    host, listener = listening(16)
    for number in range(8):
        memory.arrives(host, number)
    _show_sizes(list(host.tables.host.flows.values()))
    host, listener = listening(16)
    sockets = [memory.handshake(host, listener, number) for number in range(8)]
    _show_sizes(list(host.tables.host.flows.values()))
    _show_sizes(sockets)


def _show_sizes(flows: Sequence[object]) -> None:
    sizes = memory.breakdown(flows[-1], flows[:-1])
    for name, size in sorted(sizes.items(), key=lambda item: -item[1]):
        print(f"  {name:<20} {size:>6}")
    print(f"  {'together':<20} {sum(sizes.values()):>6}\n")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="less of everything: seconds, and rough")
    parser.add_argument("--full", action="store_true", help="1,000,000 established connections too: 2 GiB")
    parser.add_argument("--profile", action="store_true", help="where the time of handshakes goes, alone")
    parser.add_argument("--breakdown", action="store_true", help="what the memory of a flow is for, alone")
    parser.add_argument("--compile", action="store_true", help="build the compiled core, and compare with it")
    parser.add_argument("--compiled", type=Path, metavar="VENV", help="compare with what is installed there")
    chosen = parser.parse_args()
    if chosen.compile or chosen.compiled:
        place = chosen.compiled or compiled.ROOT / ".venv-compiled"
        python = compiled.install(place) if chosen.compile else compiled.interpreter(place)
        return beside(python, 3 if chosen.quick else 7, 0.3 if chosen.quick else 1.0)
    if chosen.profile or chosen.breakdown:
        if chosen.profile:
            show_profile(NORMAL.handshakes)
        if chosen.breakdown:
            show_breakdown()
        return 0
    return run(FULL if chosen.full else QUICK if chosen.quick else NORMAL)


def beside(python: Path, rounds: int, scale: float) -> int:
    """Plain Python beside the compiled core; 1 when a target is missed."""
    played = [builds.compared(Path(sys.executable), python, scale) for _ in range(rounds)]
    missed = []
    for name, least in builds.TARGETS.items():
        times = median(one[name].times for one in played)
        plain, other = (median(getattr(one[name], which) for one in played) for which in ("plain", "other"))
        line = Line(
            name, f"{plain:,.0f} and {other:,.0f}, {times:.1f} times", f"at least {least}", times >= least
        )
        show(line)
        if not line.met:
            missed.append(name)
    print("every target is met" if not missed else f"missed: {'; '.join(missed)}")
    return 1 if missed else 0


def run(effort: Effort) -> int:
    """Measure and show; 1 when a target is missed."""
    print(f"Python {platform.python_version()}, {platform.machine()}; garbage collector as it comes: "
          f"{gc.get_threshold()}, one collection before each measurement")  # fmt: skip
    missed = []
    for line in measure(effort):
        show(line)
        if not line.met:
            missed.append(line.what)
    print("every target is met" if not missed else f"missed: {'; '.join(missed)}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
