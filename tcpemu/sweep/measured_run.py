"""One run of a sweep, in whatever process: from its number to its measures. Nothing of the run is left afterwards."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter

from tcpemu.scenario.format.consistency import SERVER
from tcpemu.scenario.format.load_scenario import Run
from tcpemu.scenario.format.scenario_file import Scenario
from tcpemu.scenario.running import build
from tcpemu.scenario.running.collector_off import collector_off
from tcpemu.sweep.plan import Plan
from tcpemu.sweep.run_measures import Value, times_of, wanted_by
from tcpemu.sweep.run_tally import EVENTS, RunTally

_KEPT = 64
"""Scenarios that stay compiled in a process."""


class RunError(RuntimeError):
    """A run that raised what no run should; the text says which run, so that it can be had again."""


@dataclass(frozen=True, slots=True)
class MeasuredRun:
    """What came of one run."""

    number: int
    values: tuple[Value, ...]
    """In the order of the plan's columns."""


class Worker:
    """Does runs of one plan. A scenario is compiled once for all of its seeds."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._times = times_of(plan.measures)
        self._wanted = wanted_by(plan.measures)
        self._compiled: OrderedDict[int, Scenario] = OrderedDict()

    def runs(self, numbers: Sequence[int]) -> tuple[list[MeasuredRun], float]:
        """These runs, and how many seconds they took."""
        begin = perf_counter()
        with collector_off():
            done = [self.run(number) for number in numbers]
        return done, perf_counter() - begin

    def run(self, number: int) -> MeasuredRun:
        """The run of that number. Raises RunError, MeasureError."""
        point, seed = self.plan.place(number)
        scenario = self._scenario(point).model_copy(update={"seed": seed})
        try:
            return MeasuredRun(number, self._measured(scenario))
        except (MemoryError, ValueError):
            raise
        except Exception as error:
            where = self.plan.grid.words(self.plan.grid.point(point).labels)
            raise RunError(f"the run {where or 'of the scenario'}, seed {seed}: {error!r}") from error

    def _measured(self, scenario: Scenario) -> tuple[Value, ...]:
        one, wanted = Run("", scenario), self._wanted
        result = build.build(one, lambda name: wanted is None or (name == SERVER and bool(wanted & EVENTS)))
        tally = RunTally(scenario.server.port, self._times)
        if wanted is not None:
            result.record.hand_to(tally.take, wanted)
        result.network.run(build.end_of(one, self.plan.until))
        if wanted is None:
            tally.take(result.record.entries)
        result.record.hand_over()
        tally.end(result.ended)
        return tuple(measure.compute(result, tally) for measure in self.plan.measures)

    def _scenario(self, point: int) -> Scenario:
        found = self._compiled.get(point)
        if found is None:
            found = self._compiled[point] = self.plan.scenario(self.plan.grid.point(point))
            if len(self._compiled) > _KEPT:
                self._compiled.popitem(last=False)
        return found


_of_process: list[Worker] = []
"""The worker of this process, once it has one."""


def runs_in_process(plan: Plan, numbers: Sequence[int]) -> tuple[list[MeasuredRun], float]:
    """These runs by the worker of this process, which is made if there is none for that plan."""
    if not _of_process or _of_process[0].plan != plan:
        _of_process[:] = [Worker(plan)]
    return _of_process[0].runs(numbers)
