"""What a sweep is to do: every point of a grid with every seed, and what is measured of each run.

The runs have numbers: all seeds of the first point, then those of the second. A plan goes to other processes, so it
holds nothing but texts and numbers.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from tcpemu.scenario.format.load_scenario import Run, from_document, to_document
from tcpemu.scenario.format.missing_sysctls import without_missing
from tcpemu.scenario.format.problems import Problem, ScenarioError
from tcpemu.scenario.format.scenario_file import Scenario
from tcpemu.scenario.format.setting_paths import Document
from tcpemu.sweep.axes import Grid, GridPoint
from tcpemu.sweep.run_measures import Measure, measures_of
from tcpemu.version import __version__

MOST_RUNS = 10_000_000


@dataclass(frozen=True)
class Plan:
    """A sweep before it begins."""

    source: str
    """What the scenario is called."""
    document: Document
    """The scenario's tables, with what holds in all runs."""
    settings: Mapping[str, object]
    """What was set from outside, which is in the tables already: a kernel that lacks one of these is a mistake."""
    grid: Grid
    seeds: int
    """How many; the first is the scenario's own, each further one is one more."""
    measured: tuple[str, ...]
    """The names of measures as they were asked for."""
    until: int | None = None
    """When each run ends, in nanoseconds, if not at its scenario's end."""

    def __len__(self) -> int:
        return len(self.grid) * self.seeds

    def __getstate__(self) -> dict[str, object]:
        """Without what is worked out of it."""
        names = ("source", "document", "settings", "grid", "seeds", "measured", "until")
        return {name: getattr(self, name) for name in names}

    @cached_property
    def measures(self) -> tuple[Measure, ...]:
        """What is measured, in this order. Raises MeasureError."""
        scenario = from_document(self.document, self.source)
        return measures_of(self.measured, scenario.duration if self.until is None else self.until)

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of what is measured."""
        return tuple(measure.name for measure in self.measures)

    def place(self, number: int) -> tuple[int, int]:
        """Of the run of that number: the number of its point, and its seed."""
        point, turn = divmod(number, self.seeds)
        return point, self.first_seed + turn

    @cached_property
    def first_seed(self) -> int:
        """The scenario's own."""
        return int(self.document.get("seed", Scenario.model_fields["seed"].default))

    def scenario(self, point: GridPoint) -> Scenario:
        """The scenario of that point. Raises ScenarioError."""
        settings = {**self.settings, **point.settings}
        fitted, _ = without_missing(self.document, settings)
        return from_document(fitted, self.source, settings)

    @cached_property
    def digest(self) -> str:
        """Tells whether a run that was done before is one of this sweep: of all but the axes and the seeds' number."""
        same = (__version__, self.document, dict(self.settings), self.columns, self.until)
        return hashlib.sha256(json.dumps(same, sort_keys=True, default=str).encode()).hexdigest()[:16]


def checked(plan: Plan) -> Plan:
    """The plan, once each of its points is known to be sound. Raises ScenarioError, MeasureError."""
    if len(plan) > MOST_RUNS:
        mend = f"there can be {MOST_RUNS:,} at most: fewer values or seeds"
        raise ScenarioError(plan.source, [Problem("", f"{len(plan):,} runs", mend)])
    columns = plan.measures
    for point in plan.grid:
        scenario = plan.scenario(point)
        if scenario.server.listeners > 1 and any("_queue." in column.name for column in columns):
            mend = "their lengths are not measured: leave those measures out"
            raise ScenarioError(
                plan.source, [Problem("server.listeners", "queues of several listeners", mend)]
            )
    return plan


def plan_of(
    one: Run,
    source: str,
    settings: Mapping[str, object],
    grid: Grid,
    seeds: int,
    measured: Sequence[str],
    until: int | None = None,
) -> Plan:
    """The plan of a sweep over one run of a scenario. Raises ScenarioError, MeasureError."""
    return checked(Plan(source, to_document(one.scenario), settings, grid, seeds, tuple(measured), until))
