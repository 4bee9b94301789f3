"""Several runs side by side: a column for each run, a line for each number."""

from collections.abc import Sequence
from typing import TypeAlias

from tcpemu.explain.style import Line, Role, Span, line

NumberRow: TypeAlias = tuple[str, Sequence[str]]
"""What it is, and one value for each run."""


def comparison(names: Sequence[str], rows: Sequence[NumberRow], width: int = 100) -> list[Line]:
    """The table. Runs whose names are too long for its head get numbers, and their names stand above it."""
    numbers = [str(number) for number, _ in enumerate(names, 1)]
    if _size(names, rows) <= width:
        return _table(names, rows)
    digits = len(numbers[-1])
    legend = [line(f"  {number:>{digits}}  {name}") for number, name in zip(numbers, names, strict=True)]
    return [*legend, (), *_table(numbers, rows)]


def _size(names: Sequence[str], rows: Sequence[NumberRow]) -> int:
    return 2 + _label_width(rows) + sum(size + 2 for size in _widths(names, rows))


def _label_width(rows: Sequence[NumberRow]) -> int:
    return max((len(label) for label, _ in rows), default=0)


def _widths(names: Sequence[str], rows: Sequence[NumberRow]) -> list[int]:
    return [max(len(name), *(len(values[i]) for _, values in rows)) for i, name in enumerate(names)]


def _table(names: Sequence[str], rows: Sequence[NumberRow]) -> list[Line]:
    widths, label_width = _widths(names, rows), _label_width(rows)
    head = line(" " * (label_width + 2) + _values(names, widths), Role.QUIET)
    body: list[Line] = [
        (Span(f"  {label:<{label_width}}", Role.QUIET), Span(_values(values, widths)))
        for label, values in rows
    ]
    return [head, *body]


def _values(values: Sequence[str], widths: Sequence[int]) -> str:
    return "".join(f"  {value:>{size}}" for value, size in zip(values, widths, strict=True))
