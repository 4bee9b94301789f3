"""How fast the stack is, how much memory it takes, and how both grow, on one core.

    python tools/bench.py [--quick] [--full] [--profile] [--breakdown] [--compile | --compiled VENV]

End to end is a run of many clients, each way of telling it by itself: 500 of them with --quick, else 5,000; then the
command as it is, from its start to its end.

With --compile the compiled core is built into an environment, as tools/compiled.py does, and with --compiled one that
is there is taken: its speeds then stand beside those of plain Python, measured in turn, and nothing else is; those
of PyPy too, where `pypy3` is in the path.

The table says for each number what was measured and, where there is a target, whether it is met. The exit
status is 1 when a target is missed. Speeds are by CPU time, and medians of rounds
taken in turn, so that a busy machine is unfair to all alike.
"""

import argparse
import gc
import platform
import pstats
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from time import perf_counter

import _bench_builds as builds
import _bench_end_to_end as end_to_end
import _bench_growth as growth
import _bench_memory as memory
import _bench_programs as programs
import _bench_speed as speed
import compiled
from _bench_bulk import bulk_rate, echo_pair_rate
from _bench_traffic import listening

from tcpemu.scenario.format.load_scenario import load
from tcpemu.scenario.running.build import run_all

FASTER, REQUEST, CONNECTION, GROWTH, SCENARIO, PACKET = 20, 640, 2300, 2, 1.0, 600
"""The targets: times the naive responder, octets, octets, times the cost, seconds, octets of a packet in a record."""
CROWD, COMPILED_CROWD = 700, 600
"""Octets of a process for each of a million half-open requests, in plain Python and compiled."""
ECHO = 1.0
"""And seconds for a virtual second of programs."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is measured."""

    rounds: int
    handshakes: int
    naive: int
    turns: int
    speakers: int
    """Clients of an echo in asyncio, and lines of each."""
    lines: int
    population: int
    samples: int
    half_open: tuple[int, ...]
    established: tuple[int, ...]
    clients: int
    """Of the run that is told from end to end."""
    bulk: int
    """Octets."""


_MANY = (1000, 10_000, 100_000, 1_000_000)
QUICK = Effort(
    5, 1000, 100, 2000, 100, 20, 2000, 3000, (1000, 10_000, 50_000), (1000, 10_000), 500, 2_000_000
)
NORMAL = Effort(15, 3000, 200, 10_000, 100, 50, 20_000, 9000, _MANY, _MANY[:-1], 5000, 20_000_000)
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
    yield from both_ends(effort)
    yield from footprint(effort)
    yield from whole_runs(effort)
    yield from growing("half-open", growth.half_open, effort.half_open, effort.samples, GROWTH)
    yield from growing("established", growth.established, effort.established, effort.samples)
    yield ignored_ack()
    yield asyncio_echo(effort)


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


def both_ends(effort: Effort) -> Iterator[Line]:
    """Two hosts that talk to each other."""
    lost, queue = 50, 100
    talks: tuple[tuple[str, Callable[[], float]], ...] = (
        ("echo, both ends", lambda: echo_pair_rate(effort.turns)),
        (f"echo, both ends, every {lost}th lost", lambda: echo_pair_rate(effort.turns, lost)),
        ("bulk, both ends", lambda: bulk_rate(effort.bulk)),
        (f"bulk, both ends, every {lost}th lost", lambda: bulk_rate(effort.bulk // 2, lost)),
        (f"bulk, both ends, a queue of {queue}", lambda: bulk_rate(effort.bulk // 2, queue=queue)),
    )
    for words, rate in talks:
        yield Line(words, f"{rate():,.0f} segments/s")


def whole_runs(effort: Effort) -> Iterator[Line]:
    """From end to end, for a packet; and the start of the command."""
    for name, cost in end_to_end.costs(effort.clients).items():
        yield Line(f"end to end, {name}", f"{cost:,.0f} us a packet")
    size = end_to_end.octets_of_a_packet(effort.clients)
    # A short run is kept as it came, since packing would cost more than it saves.
    judged = effort.clients >= NORMAL.clients
    target = f"at most {PACKET:,.0f}" if judged else ""
    yield Line(
        "memory of a packet in the record", f"{size:,.0f} octets", target, not judged or size <= PACKET
    )
    yield from whole_commands("", Path(sys.executable), effort.clients)
    yield Line(
        "start of the command, tcpemu --help", f"{end_to_end.start_up(Path(sys.executable), 3):,.0f} ms"
    )


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
    yield half_open_crowd("", Path(sys.executable), effort.half_open[-1], CROWD)


def half_open_crowd(build: str, python: Path, count: int, most: float) -> Line:
    """So many half-open connections in a process of their own; with the few of a test each has its share of all."""
    crowd = memory.half_open(python, count)
    judged = count >= NORMAL.half_open[-1]
    return Line(
        f"{count:,} half-open requests{build}",
        f"{crowd.octets:,.0f} octets, {crowd.seconds:,.1f} s",
        f"at most {most:,.0f}" if judged else "",
        not judged or crowd.octets <= most,
    )


def whole_commands(build: str, python: Path, count: int) -> Iterator[Line]:
    """`tcpemu run` from its start to its end, and the same with a capture."""
    for words, output in (("", None), (" -o x.pcapng", "x.pcapng")):
        spent = end_to_end.run_command_of(python, count, output)
        shown = f"{spent.seconds:,.1f} s, {spent.memory:,.0f} MB"
        yield Line(f"tcpemu run{words}, {count:,} connections{build}", shown)


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


def asyncio_echo(effort: Effort) -> Line:
    """A test with real programs in virtual time takes less time than they would."""
    programs.asyncio_echo(1, 1)  # whoever is first loads the modules
    ran = min(
        (programs.asyncio_echo(effort.speakers, effort.lines) for _ in range(3)), key=lambda one: one.ratio
    )
    return Line(
        f"asyncio echo, {effort.speakers} clients at 20 ms, {effort.lines} lines each",
        f"{ran.processor:.2f} s for {ran.virtual:.2f} virtual s",
        f"less than {ECHO:.0f} a virtual second",
        ran.ratio < ECHO,
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
        return beside(python, QUICK if chosen.quick else NORMAL, *((3, 0.3) if chosen.quick else (7, 1.0)))
    if chosen.profile or chosen.breakdown:
        if chosen.profile:
            show_profile(NORMAL.handshakes)
        if chosen.breakdown:
            show_breakdown()
        return 0
    return run(FULL if chosen.full else QUICK if chosen.quick else NORMAL)


def beside(python: Path, effort: Effort, rounds: int, scale: float) -> int:
    """Plain Python beside the compiled core; 1 when a target is missed."""
    played = [builds.compared(Path(sys.executable), python, scale) for _ in range(rounds)]
    missed = []
    for line in (*_beside(played), *_processes(python, effort)):
        show(line)
        if not line.met:
            missed.append(line.what)
    if pypy := shutil.which("pypy3"):
        # Ten times as much, for its compiler learns while it runs.
        for name, rate in builds.rates_of(Path(pypy), "plain Python", 10 * scale, core=True).items():
            show(Line(f"{name}, PyPy", f"{rate:,.0f}"))
    print("every target is met" if not missed else f"missed: {'; '.join(missed)}")
    return 1 if missed else 0


def _beside(played: Sequence[dict[str, builds.Pair]]) -> Iterator[Line]:
    """A line for each kind of work, and one for each that has to be so fast by itself."""
    for name in played[0]:
        times = median(one[name].times for one in played)
        plain, other = (median(getattr(one[name], which) for one in played) for which in ("plain", "other"))
        least = builds.TARGETS.get(name)
        target = "" if least is None else f"at least {least}"
        shown = f"{plain:,.0f} and {other:,.0f}, {times:.1f} times"
        yield Line(name, shown, target, least is None or times >= least)
        if (wanted := builds.LEAST.get(name)) is not None:
            yield Line(f"{name}, compiled", f"{other:,.0f}", f"at least {wanted:,}", other >= wanted)


def _processes(python: Path, effort: Effort) -> Iterator[Line]:
    """What is measured in processes of its own, by both in turn."""
    both = (("", Path(sys.executable)), (", compiled", python))
    for build, one in both:
        yield from whole_commands(build, one, effort.clients)
    for build, one in both:
        yield half_open_crowd(build, one, effort.half_open[-1], COMPILED_CROWD if build else CROWD)


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
