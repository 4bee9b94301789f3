"""A table whose cells hold words: as many columns side by side as fit, the others in further tables below."""

import textwrap
from collections.abc import Iterator, Sequence

from tcpemu.explain.compare.number_table import LabelledCells
from tcpemu.explain.lines.style import Line, Role, Span
from tcpemu.explain.lines.wrapping import JOINED, joined

LONGEST_ROW_LABEL = 24
COMFORTABLE = 16
"""Columns are not made narrower than this for the sake of one more beside them."""


def word_table(
    names: Sequence[str],
    rows: Sequence[LabelledCells],
    width: int = 100,
    longest_label: int = LONGEST_ROW_LABEL,
) -> list[Line]:
    """The table or the tables, none wider than `width`; a label that is longer is broken."""
    labels = min(max(len(label) for label, _ in rows), longest_label, max(width // 2, LONGEST_ROW_LABEL))
    room = width - 2 - labels
    lines: list[Line] = []
    for begin, end in _shares(_natural(names, rows), room):
        part = [(label, values[begin:end]) for label, values in rows]
        lines += [*([()] if lines else []), *_table(names[begin:end], part, labels, room)]
    return lines


def _natural(names: Sequence[str], rows: Sequence[LabelledCells]) -> list[int]:
    """How wide each column is with nothing broken."""
    return [max(len(name), *(len(values[i]) for _, values in rows)) for i, name in enumerate(names)]


def _shares(natural: Sequence[int], room: int) -> Iterator[tuple[int, int]]:
    """Which columns stand together, as begin and end: all that fit, or about as many in each table."""
    number = len(natural)
    at_once = number if sum(natural) + 2 * number <= room else min(number, max(1, room // (COMFORTABLE + 2)))
    tables = -(-number // at_once)
    size = -(-number // tables)
    for begin in range(0, number, size):
        yield begin, min(begin + size, number)


def _table(names: Sequence[str], rows: Sequence[LabelledCells], labels: int, room: int) -> Iterator[Line]:
    widths = _fitted(_natural(names, rows), room - 2 * len(names))
    yield from _row(("", names), labels, widths, Role.TITLE)
    for row in rows:
        yield from _row(row, labels, widths, Role.PLAIN)


def _fitted(natural: Sequence[int], room: int) -> list[int]:
    """What narrow columns leave over goes to the wide ones."""
    widths = [0] * len(natural)
    order = sorted(range(len(natural)), key=lambda i: natural[i])
    for done, i in enumerate(order):
        widths[i] = min(natural[i], room // (len(order) - done))
        room -= widths[i]
    return widths


def _row(row: LabelledCells, labels: int, widths: Sequence[int], role: Role) -> Iterator[Line]:
    label, values = row
    cells = [_broken(label, labels), *(map(_broken, values, widths))]
    for number in range(max(map(len, cells))):
        first, *others = (cell[number] if number < len(cell) else "" for cell in cells)
        text = "".join(f"  {part:<{size}}" for part, size in zip(others, widths, strict=True))
        yield (Span(f"  {first:<{labels}}", Role.QUIET), Span(text.replace(JOINED, " "), role))


def _broken(text: str, width: int) -> list[str]:
    return textwrap.wrap(joined(text), width, break_on_hyphens=False) or [""]
