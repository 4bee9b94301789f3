"""Throws random and mutated segments at hosts in every state, and checks what must always hold.

    python tools/fuzz.py [--segments 100000] [--seed 1] [--jobs 2] [--keep-going]
    python tools/fuzz.py --seed 1 --episode 17        one of them again, its failure made short

The rules stand in `_fuzz_rules.py` and `_fuzz_state.py`. An episode is one host with a few listeners, clients
that come and go, applications that call, and time that jumps; it ends when all have gone and nothing may be
left. A failure is shown with its seed, episode and step, then made short and written as a program. The exit
status is 1 if there is any.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import Pool
from random import Random
from time import monotonic

import _fuzz_observe
from _fuzz_draw import Drawer, draw_setup
from _fuzz_shrink import Failure, failure_of, play, program, shrink
from _fuzz_world import Arrive, ArriveOctets, Deed, Setup, World

SEGMENTS_EACH = 400
"""Segments of an episode."""
_NOW_AND_THEN = 50_000
_OBSERVED_EVERY = 4
"""Of so many episodes one is played again on a host that nobody watches."""
_CHECK_EVERY = 8
"""Deeds from one look at everything to the next; a failure that is found late is looked for again, at each."""


@dataclass(slots=True)
class Report:
    """What an episode was like."""

    episode: int
    segments: int = 0
    met: Counter[str] = field(default_factory=Counter)
    """Segments by the state that they found."""
    verdicts: Counter[str] = field(default_factory=Counter)
    failure: Failure | None = None
    step: int = 0
    """How many deeds had been done when it failed."""


def start(seed: int, episode: int) -> tuple[Setup, Random]:
    """Where an episode begins."""
    random = Random(f"{seed}/{episode}")
    return draw_setup(random), random


def run(seed: int, segments: int, episode: int, deeds: list[Deed] | None = None) -> Report:
    """One episode of so many segments; its deeds are added to the list."""
    setup, random = start(seed, episode)
    world = World(setup, _CHECK_EVERY)
    report = Report(episode, met=world.rules.met, verdicts=world.rules.verdicts)
    done: list[Deed] = [] if deeds is None else deeds
    try:
        for deed in _draw(Drawer(random, world), segments):
            done.append(deed)
            report.segments += isinstance(deed, Arrive | ArriveOctets)
            world.play(deed)
        world.finish()
        if episode % _OBSERVED_EVERY == 0:
            _fuzz_observe.check(setup, done)
    except Exception as error:
        report.failure, report.step = failure_of(error), world.done + 1
    return report


def _draw(drawer: Drawer, segments: int) -> Iterator[Deed]:
    yield from drawer.opening()
    while segments:
        deed = drawer.next()
        yield deed
        segments -= isinstance(deed, Arrive | ArriveOctets)


@dataclass(slots=True)
class Summary:
    """All episodes so far."""

    segments: int = 0
    met: Counter[str] = field(default_factory=Counter)
    verdicts: Counter[str] = field(default_factory=Counter)
    failures: dict[str, list[Report]] = field(default_factory=dict)
    """The failing episodes by kind of failure."""

    def add(self, report: Report) -> None:
        self.segments += report.segments
        self.met += report.met
        self.verdicts += report.verdicts
        if report.failure is not None:
            self.failures.setdefault(report.failure.kind, []).append(report)


def fuzz(seed: int, segments: int, jobs: int, keep_going: bool) -> Summary:
    """Run episodes until so many segments have come, or one has failed."""
    summary, began = Summary(), monotonic()
    for report in _reports(seed, segments, jobs):
        last = summary.segments
        summary.add(report)
        _progress(summary, segments, monotonic() - began, last)
        if report.failure is not None and not keep_going:
            break
    if sys.stderr.isatty():
        print(file=sys.stderr)
    return summary


def _reports(seed: int, segments: int, jobs: int) -> Iterator[Report]:
    whole, rest = divmod(segments, SEGMENTS_EACH)
    if jobs == 1:
        yield from (run(seed, SEGMENTS_EACH, episode) for episode in range(whole))
    else:
        with Pool(jobs) as pool:
            yield from pool.imap_unordered(partial(run, seed, SEGMENTS_EACH), range(whole), chunksize=8)
    if rest:
        yield run(seed, rest, whole)


def _progress(summary: Summary, segments: int, seconds: float, last: int) -> None:
    """On a terminal one line that changes; elsewhere a line now and then."""
    terminal = sys.stderr.isatty()
    if not terminal and summary.segments // _NOW_AND_THEN == last // _NOW_AND_THEN:
        return
    rate = summary.segments / max(seconds, 0.001)
    failed = sum(map(len, summary.failures.values()))
    words = f"{summary.segments:,} of {segments:,} segments, {rate:,.0f}/s, {failed} episodes failed"
    print(f"\r{words:<78}" if terminal else words, end="" if terminal else "\n", file=sys.stderr, flush=True)


# --- what the program says -----------------------------------------------------------------------------------


def show(summary: Summary, seed: int, segments_each: int) -> None:
    """The failures, each kind once, then what was met."""
    for kind, reports in summary.failures.items():
        first = min(reports, key=lambda report: report.episode)
        show_failure(first, seed)
        print(f"\n{len(reports)} episodes failed so: {kind}\n")
        show_short(seed, first.episode, segments_each)
    print(f"{summary.segments:,} segments, by the state that they met:")
    print(_columns(summary.met))
    print(f"by verdict, {len(summary.verdicts)} of them:")
    print(_columns(summary.verdicts))
    failed = sum(map(len, summary.failures.values()))
    print(f"{failed} episodes failed in {len(summary.failures)} ways" if failed else "every rule holds")


def show_failure(report: Report, seed: int) -> None:
    failure = report.failure
    assert failure is not None
    print(f"\nseed {seed}, episode {report.episode}, step {report.step}: {failure.words}")
    print(f"again: python tools/fuzz.py --seed {seed} --episode {report.episode}")
    if failure.trace:
        print(failure.trace)


def show_short(seed: int, episode: int, segments: int) -> None:
    """The shortest way to the failure, as a program."""
    deeds: list[Deed] = []
    run(seed, segments, episode, deeds)
    setup, _ = start(seed, episode)
    failure = play(setup, deeds)
    if failure is None:
        print("It does not fail when it is played again.")
        return
    short = shrink(setup, deeds, failure.kind)
    final = play(setup, short)
    print(f"# {len(short)} of {len(deeds)} deeds lead to: {final.words if final else failure.words}")
    print(program(setup, short))


def _columns(counts: Counter[str]) -> str:
    ordered = counts.most_common()
    width = max((len(name) for name, _ in ordered), default=0)
    cells = [f"  {name:<{width}} {count:>9,}" for name, count in ordered]
    return "\n".join("".join(cells[at : at + 3]) for at in range(0, len(cells), 3))


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--segments", type=int, default=100_000, metavar="N")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--keep-going", action="store_true", help="do not stop at the first failure")
    parser.add_argument("--episode", type=int, help="this one alone")
    chosen = parser.parse_args(arguments)
    each = min(chosen.segments, SEGMENTS_EACH)
    if chosen.episode is not None:
        summary = Summary()
        summary.add(run(chosen.seed, each, chosen.episode))
    else:
        summary = fuzz(chosen.seed, chosen.segments, chosen.jobs, chosen.keep_going)
    show(summary, chosen.seed, each)
    return 1 if summary.failures else 0


if __name__ == "__main__":
    sys.exit(main())
