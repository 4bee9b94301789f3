"""Several runs side by side: a column for each run, a line for each number."""

import textwrap
from collections.abc import Iterator, Sequence
from typing import TypeAlias

from tcpemu.explain.lines.heading import section
from tcpemu.explain.lines.style import Line, Role, Span, line

LabelledCells: TypeAlias = tuple[str, Sequence[str]]
"""What it is, and one value for each run."""

_SHORTEST_LABEL = 20


def number_table(names: Sequence[str], rows: Sequence[LabelledCells], width: int = 100) -> list[Line]:
    """The table. Runs whose names are too long for its head get numbers, and their names stand above it."""
    if 2 + min(_longest_label(rows), _SHORTEST_LABEL) + _size(_widths(names, rows)) <= width:
        return _table(names, rows, width)
    numbers = [str(number) for number, _ in enumerate(names, 1)]
    digits = len(numbers[-1])
    legend = [line(f"  {number:>{digits}}  {name}") for number, name in zip(numbers, names, strict=True)]
    return [*legend, (), *_table(numbers, rows, width)]


def _size(widths: Sequence[int]) -> int:
    return sum(size + 2 for size in widths)


def _longest_label(rows: Sequence[LabelledCells]) -> int:
    return max((len(label) for label, _ in rows), default=0)


def _widths(names: Sequence[str], rows: Sequence[LabelledCells]) -> list[int]:
    return [max(len(name), *(len(values[i]) for _, values in rows)) for i, name in enumerate(names)]


def _table(names: Sequence[str], rows: Sequence[LabelledCells], width: int) -> list[Line]:
    """Labels that are too long for the width are broken; their values stand on their last line."""
    widths = _widths(names, rows)
    size = min(_longest_label(rows), max(width - 2 - _size(widths), _SHORTEST_LABEL))
    head = line(" " * (size + 2) + _values(names, widths), Role.QUIET)
    return [head, *(each for row in rows for each in _row(row, size, widths))]


def _row(row: LabelledCells, size: int, widths: Sequence[int]) -> list[Line]:
    label, values = row
    *above, last = textwrap.wrap(label, size) or [""]
    return [
        *(line(f"  {part}", Role.QUIET) for part in above),
        (Span(f"  {last:<{size}}", Role.QUIET), Span(_values(values, widths))),
    ]


def _values(values: Sequence[str], widths: Sequence[int]) -> str:
    return "".join(f"  {value:>{size}}" for value, size in zip(values, widths, strict=True))


def runs_side_by_side(
    names: Sequence[str], rows: Sequence[LabelledCells], width: int = 100
) -> Iterator[Line]:
    """What each of several runs came to."""
    yield from section("The runs side by side", number_table(names, rows, width))
