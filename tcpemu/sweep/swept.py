"""A sweep from its plan to its table."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tcpemu.scenario.format.load_scenario import Run, load, runs, to_document
from tcpemu.scenario.format.scenario_file import Scenario
from tcpemu.scenario.format.setting_paths import path_in
from tcpemu.sweep.axes import Axis, Grid, grid_of
from tcpemu.sweep.engines import Engine, here, processes
from tcpemu.sweep.estimates import Estimate, estimate
from tcpemu.sweep.journal import Journal, journal_path
from tcpemu.sweep.outputs import columns_of, row_of, write_rows
from tcpemu.sweep.plan import Plan, plan_of
from tcpemu.sweep.run_measures import USUAL, Value

FLUSHED = 50
"""Runs after which the journal is made safe."""


@dataclass(frozen=True, slots=True)
class PointEstimates:
    """What all seeds say at one point of the grid."""

    labels: tuple[str, ...]
    """The value of each setting that is varied, as it is written."""
    measures: dict[str, Estimate | None]


class Swept:
    """What came of a sweep, row by row, without all of it in memory."""

    def __init__(self, plan: Plan, journal: Journal) -> None:
        self.plan = plan
        self.journal = journal

    @property
    def grid(self) -> Grid:
        """What was varied."""
        return self.plan.grid

    def rows(self) -> Iterator[dict[str, object]]:
        """A row for each run, in the order of the grid: the settings, `seed`, what was measured.

        `pandas.DataFrame(found.rows())` is a table of it. A time that never came is infinite.
        """
        for number in range(len(self.plan)):
            yield row_of(self.plan, number, self.journal.values(number))

    def points(self) -> Iterator[PointEstimates]:
        """What all seeds say at each point of the grid."""
        for point, (_, values) in zip(self.grid, self.by_point(), strict=True):
            yield PointEstimates(point.labels, {name: estimate(some) for name, some in values.items()})

    def summary(self) -> Iterator[dict[str, object]]:
        """A row for each point: the settings, each measure's mean, and as `NAME.half` half of its confidence interval.

        `NAME.median` is the median over the seeds, `NAME.runs` how many of them gave a number.
        """
        for point, found in zip(self.grid, self.points(), strict=True):
            row: dict[str, object] = dict(point.settings)
            for name, one in found.measures.items():
                row[name] = one.mean if one else None
                row[f"{name}.half"] = one.half if one else None
                row[f"{name}.median"] = one.median if one else None
                row[f"{name}.runs"] = one.runs if one else 0
            yield row

    def by_point(self) -> Iterator[tuple[tuple[object, ...], dict[str, tuple[Value, ...]]]]:
        """At each point of the grid the values of the settings, and of each measure what each seed gave, in order."""
        for point in self.grid:
            first = point.number * self.plan.seeds
            runs = [self.journal.values(number) for number in range(first, first + self.plan.seeds)]
            columns = zip(self.plan.columns, zip(*runs, strict=True), strict=True)
            yield tuple(point.settings.values()), dict(columns)

    def write(self, path: Path) -> None:
        """Write all rows to a .csv, .json or .parquet file. Raises OSError."""
        facts = {"scenario": self.plan.source, "seeds": self.plan.seeds}
        write_rows(path, columns_of(self.plan), self.rows(), facts)


def do_plan(
    plan: Plan, engine: Engine, output: Path | None = None, watch: Callable[[Journal], object] | None = None
) -> Swept:
    """Do all runs of the plan that are not done yet; with an output what is done stays, whatever happens.

    `watch` is given the journal before the first run. Raises JournalError, MeasureError, RunError,
    EngineError, OSError.
    """
    journal = Journal(plan, None if output is None else journal_path(output))
    try:
        if watch is not None:
            watch(journal)
        missing = (number for number in range(len(plan)) if not journal.has(number))
        for place, run in enumerate(engine(plan, missing)):
            journal.add(run)
            if place % FLUSHED == 0:
                journal.flush()
    except BaseException:
        journal.close()
        raise
    journal.rest()
    swept = Swept(plan, journal)
    if output is not None:
        swept.write(output)
    return swept


def sweep(
    scenario: str | Scenario,
    vary: Mapping[str, Sequence[object]],
    *,
    seeds: int = 1,
    measure: Sequence[str] = USUAL,
    settings: Mapping[str, object] | None = None,
    until: int | None = None,
    output: str | Path | None = None,
    jobs: int = 1,
    engine: Engine | None = None,
) -> Swept:
    """Run a scenario with every combination of these values and so many seeds, and measure each run.

    `scenario` is a name, a file, or a scenario; of one with variants the first run is taken. `until` is in
    nanoseconds. With `output`, a .csv, .json or .parquet file, what is done stays and is not done again. `jobs` are
    processes of this machine; `engine` is another way to do the runs, as `tcpemu.sweep.dask(address)`.

    Raises ScenarioError, MeasureError, OSError, and RunError for a run that fails.
    """
    loaded = load(scenario, settings) if isinstance(scenario, str) else scenario
    one: Run = runs(loaded)[0]
    document = to_document(one.scenario)
    grid = grid_of(
        [
            Axis(path_in(document, path), tuple(map(_label, values)), tuple(values))
            for path, values in vary.items()
        ]
    )
    source = scenario if isinstance(scenario, str) else "scenario"
    plan = plan_of(one, source, settings or {}, grid, seeds, measure, until)
    chosen = engine or (here if jobs == 1 else processes(jobs))
    return do_plan(plan, chosen, None if output is None else Path(output))


def _label(value: object) -> str:
    return value if isinstance(value, str) else repr(value)
