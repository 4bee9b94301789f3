"""A sweep as a table for people: a line for each point of the grid, the mean of each measure with its interval."""

from collections.abc import Iterator, Sequence
from math import inf

from tcpemu.explain.compare.number_table import number_table
from tcpemu.explain.lines.count_words import count
from tcpemu.explain.lines.heading import Heading, heading_lines
from tcpemu.explain.lines.style import Line, Role, line
from tcpemu.explain.lines.wrapping import wrapped
from tcpemu.sweep.estimates import Estimate
from tcpemu.sweep.run_measures import NEVER_WORDS
from tcpemu.sweep.swept import PointEstimates, Swept

MOST_SHOWN = 60
"""Points; of more, these many are shown, evenly picked."""


def sweep_lines(swept: Swept, title: str, width: int) -> Iterator[Line]:
    """Everything that `tcpemu sweep` prints of it."""
    plan = swept.plan
    facts = (
        count(len(plan), "run"),
        count(len(plan.grid), "point"),
        f"seeds {plan.first_seed} to {plan.first_seed + plan.seeds - 1}" if plan.seeds > 1 else "one seed",
    )
    yield from heading_lines(Heading(title, facts=facts), width)
    yield ()
    points = list(_picked(swept))
    rows = [(_label(swept, point), [cell(each) for each in point.measures.values()]) for point in points]
    yield from number_table(plan.columns, rows, width)
    yield from _notes(swept, points, width)


def _picked(swept: Swept) -> Iterator[PointEstimates]:
    number = len(swept.grid)
    wanted = {place * number // MOST_SHOWN for place in range(MOST_SHOWN)} if number > MOST_SHOWN else None
    for place, point in enumerate(swept.points()):
        if wanted is None or place in wanted:
            yield point


def _label(swept: Swept, point: PointEstimates) -> str:
    return swept.grid.words(point.labels) or "as it stands"


def _notes(swept: Swept, points: Sequence[PointEstimates], width: int) -> Iterator[Line]:
    yield ()
    if swept.plan.seeds > 1:
        words = f"mean of {swept.plan.seeds} seeds ± half of its 95 % confidence interval"
        yield line(f"  {words}", Role.QUIET)
    if any(each is not None and each.highest == inf for point in points for each in point.measures.values()):
        yield from wrapped(f"  {NEVER_WORDS}", width, Role.QUIET)
    if len(points) < len(swept.grid):
        left = f"  {len(points)} of {len(swept.grid):,} points are shown; -o FILE has all of them"
        yield line(left, Role.QUIET)


def cell(found: Estimate | None) -> str:
    """An estimate in a few letters: `3.2 ± 0.4`, `never`, `-` for nothing to measure."""
    if found is None:
        return "-"
    if found.mean == inf:
        return "never" if found.median == inf else f"{number(found.median)}, or never"
    if not found.half:
        return number(found.mean)
    return f"{number(found.mean)} ± {number(found.half)}"


def number(value: float) -> str:
    """A number with three or four digits that tell."""
    if value == int(value) and abs(value) < 1e9:
        return f"{int(value):,}"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"
