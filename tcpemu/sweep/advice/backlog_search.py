"""The smallest backlog that meets a target, found by runs: powers of two first, then between the last two.

A backlog meets the target where nineteen runs of twenty do, each with another seed. One that fails in its first seeds
so often that the others could not mend it is not run with those: most backlogs that are too small cost one run. The
largest below the answer is run with all seeds, to tell what happens there. More is not always better, so larger ones
are looked at too.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil, isinf
from typing import Any, TypeAlias

from tcpemu.scenario.format.load_scenario import Run, from_document
from tcpemu.sweep.advice.backlog_question import BacklogQuestion
from tcpemu.sweep.axes import Axis, grid_of
from tcpemu.sweep.engines import Engine
from tcpemu.sweep.estimates import Estimate, estimate
from tcpemu.sweep.journal import Journal
from tcpemu.sweep.plan import plan_of
from tcpemu.sweep.run_measures import Value
from tcpemu.sweep.swept import do_plan

ENOUGH = 0.95
"""The share of seeds that have to meet the target."""
BESIDE = (
    "first_octet_time.p99",
    "connect_time.p99",
    "served.share",
    "failed.share",
    "ListenOverflows",
    "accept_queue.max",
    "syn_queue.max",
    "accept_rate",
)
"""What is measured besides what is wanted."""
BETWEEN = 3
"""Backlogs that are tried at once between two."""

Step: TypeAlias = Callable[[str, int, Journal], object]
"""Told what is tried next, how many runs that is, and where it can be seen how many are done."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What the runs with one backlog gave."""

    backlog: int
    met: tuple[bool, ...]
    """For each seed, from 1 on, whether the target was met. Not all seeds have run where the first settle it."""
    values: dict[str, tuple[Value, ...]]
    """What was measured, for each seed."""

    @property
    def good(self) -> bool:
        """Whether enough seeds meet it."""
        return sum(self.met) >= ENOUGH * len(self.met)

    @property
    def failing_seed(self) -> int | None:
        """The first seed that does not meet it."""
        return next((seed for seed, met in enumerate(self.met, 1) if not met), None)

    def estimate(self, measure: str) -> Estimate | None:
        """The mean over the seeds."""
        return estimate(self.values[measure])


@dataclass(frozen=True, slots=True)
class Advice:
    """The answer."""

    question: BacklogQuestion
    backlog: int | None
    """The smallest that meets the target; None where none up to the cap does."""
    tried: tuple[Tried, ...]
    """Every backlog that was tried, in ascending order."""

    @property
    def best(self) -> Tried | None:
        """What the runs with that backlog gave."""
        return next((each for each in self.tried if each.backlog == self.backlog), None)

    def tried_with(self, backlog: int) -> Tried:
        """What the runs with the backlog nearest to that one gave."""
        return min(self.tried, key=lambda each: abs(each.backlog - backlog))

    @property
    def below(self) -> Tried | None:
        """The largest that was tried below it; of all, where none meets the target."""
        smaller = [each for each in self.tried if self.backlog is None or each.backlog < self.backlog]
        return smaller[-1] if smaller else None

    @property
    def harmful(self) -> Tried | None:
        """The smallest above it that does not meet the target any more."""
        if self.backlog is None:
            return None
        return next((each for each in self.tried if each.backlog > self.backlog and not each.good), None)

    def data(self) -> dict[str, Any]:
        """The answer for programs: `backlog` is null where none meets the target, a value too where it was never."""
        return {
            "backlog": self.backlog,
            "targets": [target.text for target in self.question.targets],
            "question": list(self.question.words),
            "tried": [
                {
                    "backlog": each.backlog,
                    "seeds": len(each.met),
                    "met": sum(each.met),
                    "mean": {
                        measure: None if found is None or isinf(found.mean) else found.mean
                        for measure in each.values
                        for found in (each.estimate(measure),)
                    },
                }
                for each in self.tried
            ],
        }


def answer(
    question: BacklogQuestion, engine: Engine, step: Step | None = None, also: Sequence[int] = ()
) -> Advice:
    """Answer the question; `also` are backlogs to run besides. Raises ScenarioError, RunError, EngineError."""
    search = _Search(question, engine, step or (lambda *_: None))
    backlog = None if question.hopeless else search.smallest()
    if question.hopeless:
        beside = [0, 16, 128, question.cap]
    elif backlog is None:
        beside = [max(_powers(question))]
    else:
        beside = [max(backlog - 1, 0), *_larger(question, backlog)]
    search.run_all("what is beside it", [*beside, *also])
    return search.advice(backlog)


class _Search:
    def __init__(self, question: BacklogQuestion, engine: Engine, step: Step) -> None:
        self._question, self._engine, self._step = question, engine, step
        self._tried: dict[int, Tried] = {}

    def first_power(self) -> int | None:
        """The first of 0, 1, 2, 4 ... up to the cap that meets the target."""
        for some in _in_threes(_powers(self._question)):
            self._try(f"backlogs {', '.join(map(str, some))}", some)
            if (good := next((backlog for backlog in some if self._tried[backlog].good), None)) is not None:
                return good
        return None

    def smallest(self) -> int | None:
        """The smallest that meets the target, or None: between a power of two that does and the one before."""
        good = self.first_power()
        while good is not None:
            bad = max((each for each in self._tried if each < good), default=-1)
            gap = good - bad
            if gap <= 1:
                return good
            number = min(BETWEEN, gap - 1)
            between = sorted(
                {bad + ceil(gap * turn / (number + 1)) for turn in range(1, number + 1)} - {good}
            )
            self._try(f"backlogs {between[0]} to {between[-1]}", between)
            good = next((each for each in between if self._tried[each].good), good)
        return None

    def run_all(self, words: str, backlogs: Sequence[int]) -> None:
        """Run them with all seeds that were not run yet."""
        for some in self._alike({min(each, self._question.cap) for each in backlogs}):
            self._run(words, some, self._question.seeds)

    def _try(self, words: str, backlogs: Sequence[int]) -> None:
        """Run the first seeds of each, and the rest of those that may still be good."""
        seeds = self._question.seeds
        settles = int((1 - ENOUGH) * seeds + 1e-9) + 1
        for some in self._alike(backlogs):
            self._run(words, some, min(settles, seeds))
        self.run_all(words, [each for each in backlogs if any(self._tried[each].met)])

    def _alike(self, backlogs: Iterable[int]) -> list[list[int]]:
        """These, those together that have run with the same seeds."""
        by_seeds: dict[int, list[int]] = {}
        for each in sorted(set(backlogs)):
            by_seeds.setdefault(self._seeds_of(each), []).append(each)
        return list(by_seeds.values())

    def _seeds_of(self, backlog: int) -> int:
        tried = self._tried.get(backlog)
        return 0 if tried is None else len(tried.met)

    def advice(self, backlog: int | None) -> Advice:
        """The answer, with all that was tried."""
        return Advice(self._question, backlog, tuple(self._tried[each] for each in sorted(self._tried)))

    def _run(self, words: str, backlogs: Sequence[int], seeds: int) -> None:
        """Run these, that have run with as many seeds as each other, until they have run with so many."""
        before = self._seeds_of(backlogs[0])
        if before >= seeds:
            return
        question = self._question
        measures = [target.measure for target in question.targets]
        measures += [measure for measure in BESIDE if measure not in measures]
        axis = Axis("server.backlog", tuple(map(str, backlogs)), tuple(backlogs))
        base = from_document({**question.document(), "seed": before + 1}, "the question")
        plan = plan_of(Run("", base), "the question", {}, grid_of([axis]), seeds - before, measures)
        swept = do_plan(plan, self._engine, watch=lambda journal: self._step(words, len(plan), journal))
        for backlog, (_, values) in zip(backlogs, swept.by_point(), strict=True):
            self._tried[backlog] = self._judged(backlog, values)

    def _judged(self, backlog: int, more: dict[str, tuple[Value, ...]]) -> Tried:
        """What the runs of that backlog gave, with these that have come."""
        tried = self._tried.get(backlog)
        values = {name: (*(tried.values[name] if tried else ()), *some) for name, some in more.items()}
        targets = self._question.targets
        seeds = len(values[targets[0].measure])
        met = tuple(
            all(target.met(values[target.measure][turn]) for target in targets) for turn in range(seeds)
        )
        return Tried(backlog, met, values)


def _larger(question: BacklogQuestion, backlog: int) -> list[int]:
    """Larger ones to look at. With a place for each client none more makes a difference: of those, the cap."""
    number = question.arrivals.number
    return [*(each for each in (2 * backlog or 1, 8 * backlog or 8) if each < number), question.cap]


def _powers(question: BacklogQuestion) -> list[int]:
    """0, 1, 2, 4 ... up to the cap, but no more than there are clients: so many never wait."""
    most = min(question.cap, max(question.arrivals.number, 1))
    powers = [0, *(2**turn for turn in range(most.bit_length() + 1) if 2**turn < most)]
    return list(dict.fromkeys([*powers, most]))


def _in_threes(values: Iterable[int]) -> Iterator[list[int]]:
    some = list(values)
    for begin in range(0, len(some), 3):
        yield some[begin : begin + 3]
