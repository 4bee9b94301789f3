"""All claims at a glance: a line for each claim, a column for each kernel, a mark where they meet."""

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import TypeAlias

from tcpemu.explain.lines.style import Line, Role, Span, line
from tcpemu.generations import GENERATIONS
from tcpemu.scenario.claims.verdicts import ClaimOutcome, ClaimVerdict

VerdictGrid: TypeAlias = Mapping[str, Sequence[ClaimVerdict]]
"""The verdicts of each claim, by its name."""
KernelColumn: TypeAlias = tuple[str, int]
"""A kernel, and how wide its column is."""

NARROWEST = 3
_MARKS = {ClaimOutcome.HOLDS: "+", ClaimOutcome.FAILS: "-", ClaimOutcome.UNSPECIFIED: "?"}
_ROLES = {ClaimOutcome.HOLDS: Role.STATE, ClaimOutcome.FAILS: Role.LOST, ClaimOutcome.UNSPECIFIED: Role.QUIET}
_LEGEND = "+ the claim holds; - it does not; ? it says nothing of this kernel, or cannot be tried on it"
_ABOUT_OTHERS = "no mark: it is about other kernels"


def claim_grid(grid: VerdictGrid, width: int = 100) -> Iterator[Line]:
    """The table, or several below each other where the columns do not fit side by side; then the legend."""
    labels = max(map(len, grid))
    asked = {verdict.generation for verdicts in grid.values() for verdict in verdicts}
    columns = [_column(name) for name in GENERATIONS if name in asked]
    parts = list(_parts(columns, width - labels))
    for part in parts:
        yield from _heads(part, labels)
        for claim, verdicts in grid.items():
            yield from _row(f"{claim:<{labels}}", part, {each.generation: each.outcome for each in verdicts})
        yield ()
    whole = all(len(verdicts) == len(asked) for verdicts in grid.values())
    legend = [
        _LEGEND,
        *([] if whole else [_ABOUT_OTHERS]),
        *(words for part in parts for words in _short_heads(part)),
    ]
    yield from (line(each, Role.QUIET) for each in textwrap.wrap("; ".join(legend), width))


def _column(name: str) -> KernelColumn:
    return name, max(NARROWEST, len(_version(name)))


def _family(name: str) -> str:
    return name.partition("-")[0]


def _version(name: str) -> str:
    return name.partition("-")[2]


def _parts(columns: Sequence[KernelColumn], room: int) -> Iterator[Sequence[KernelColumn]]:
    """About as many columns in each table, and in none more than there is room for; each has a blank before it."""
    most = max(1, *(number for number in range(len(columns) + 1) if _fits(columns, number, room)))
    tables = -(-len(columns) // most)
    size = -(-len(columns) // tables)
    for begin in range(0, len(columns), size):
        yield columns[begin : begin + size]


def _fits(columns: Sequence[KernelColumn], number: int, room: int) -> bool:
    """Whether any so many neighbours fit."""
    starts = range(len(columns) - number + 1)
    return all(sum(size + 1 for _, size in columns[i : i + number]) <= room for i in starts)


def _heads(columns: Sequence[KernelColumn], labels: int) -> Iterator[Line]:
    """The families above their versions; a family that has no room is cut short."""
    above = " " * labels
    for family, group in groupby(columns, lambda column: _family(column[0])):
        size = sum(size + 1 for _, size in group)
        above += f" {family[: size - 1]:<{size - 1}}"
    yield line(above, Role.TITLE)
    versions = "".join(f" {_version(name):<{size}}" for name, size in columns)
    yield line(" " * labels + versions, Role.TITLE)


def _row(label: str, columns: Sequence[KernelColumn], outcomes: Mapping[str, ClaimOutcome]) -> Iterator[Line]:
    cells = [(outcomes.get(name), size) for name, size in columns]
    yield (
        Span(label),
        *(
            Span(f" {_MARKS[outcome]:<{size}}", _ROLES[outcome]) if outcome else Span(" " * (size + 1))
            for outcome, size in cells
        ),
    )


def _short_heads(columns: Sequence[KernelColumn]) -> Iterator[str]:
    """What the heads that are cut short stand for: `fre: freebsd-14`."""
    for family, group in groupby(columns, lambda column: _family(column[0])):
        own = list(group)
        room = sum(size + 1 for _, size in own) - 1
        if len(family) > room:
            yield f"{family[:room]}: {', '.join(name for name, _ in own)}"
