"""The table of a sweep as a file: a row for each run, in the order of the grid.

So the file is the same whoever did the runs and in whatever order.

A time that never came is `inf` in CSV and Parquet. JSON has no such number: there it is null, and what could not be
measured is not there at all.
"""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from math import isinf
from pathlib import Path
from typing import TypeAlias

from tcpemu.sweep.axes import Axis
from tcpemu.sweep.plan import Plan
from tcpemu.sweep.run_measures import Value
from tcpemu.wire.atomic_write import write_pieces

Row: TypeAlias = Mapping[str, object]
"""The settings that are varied, the seed, and what was measured."""

SUFFIXES = (".csv", ".json", ".parquet")


class OutputError(ValueError):
    """A file that cannot be written; the text says what would help."""


def require_writer(path: Path) -> None:
    """Find out before the runs that the library for that kind of file is not there. Raises OutputError."""
    if path.suffix.lower() == ".parquet":
        try:
            import tcpemu.sweep.parquet_file  # noqa: F401, PLC0415 - an optional dependency
        except ImportError:
            raise OutputError(
                f"{path}: Parquet needs pyarrow; pip install 'tcpemu[sweep]', or write .csv"
            ) from None


def write_rows(
    path: Path, columns: Mapping[str, type], rows: Iterable[Row], facts: Mapping[str, object]
) -> None:
    """Write them; `columns` has the name and kind of each, `facts` what JSON and Parquet say of the whole."""
    makers: dict[
        str, Callable[[Mapping[str, type], Iterable[Row], Mapping[str, object]], Iterator[bytes]]
    ] = {
        ".csv": _csv,
        ".json": _json,
        ".parquet": _parquet,
    }
    write_pieces(path, makers[path.suffix.lower()](columns, rows, facts))


def _csv(columns: Mapping[str, type], rows: Iterable[Row], _: Mapping[str, object]) -> Iterator[bytes]:
    text = io.StringIO()
    put = csv.writer(text, lineterminator="\n")
    put.writerow(columns)
    for row in rows:
        put.writerow(["" if (value := row[name]) is None else value for name in columns])
        yield text.getvalue().encode()
        text.seek(0)
        text.truncate()
    yield text.getvalue().encode()


def _json(columns: Mapping[str, type], rows: Iterable[Row], facts: Mapping[str, object]) -> Iterator[bytes]:
    head = json.dumps({**facts, "columns": list(columns)}, ensure_ascii=False)
    yield head[:-1].encode() + b', "runs": ['
    for number, row in enumerate(rows):
        yield b",\n" if number else b"\n"
        yield json.dumps(_without_infinity(row), ensure_ascii=False).encode()
    yield b"\n]}\n"


def _without_infinity(row: Row) -> dict[str, object]:
    return {
        name: None if isinstance(value, float) and isinf(value) else value
        for name, value in row.items()
        if value is not None
    }


def _parquet(
    columns: Mapping[str, type], rows: Iterable[Row], facts: Mapping[str, object]
) -> Iterator[bytes]:
    from tcpemu.sweep.parquet_file import parquet_pieces  # noqa: PLC0415 - an optional dependency

    return parquet_pieces(columns, rows, facts)


def columns_of(plan: Plan) -> dict[str, type]:
    """Name and kind of each column: the settings, the seed, and what is measured."""
    settings = {axis.path: _kind(axis) for axis in plan.grid.axes}
    return {**settings, "seed": int, **dict.fromkeys(plan.columns, float)}


def row_of(plan: Plan, number: int, values: Sequence[Value]) -> dict[str, object]:
    """The row of the run of that number."""
    place, seed = plan.place(number)
    point = plan.grid.point(place)
    settings = {
        axis.path: label if (kind := _kind(axis)) is str else kind(point.settings[axis.path])
        for axis, label in zip(plan.grid.axes, point.labels, strict=True)
    }
    return {**settings, "seed": seed, **dict(zip(plan.columns, values, strict=True))}


def _kind(axis: Axis) -> type:
    found = {type(value) for value in axis.values}
    if found == {int}:
        return int
    return float if found <= {int, float, Decimal} else str
