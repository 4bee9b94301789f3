"""What of a sweep is done: a file that grows by a line for each run, so that a sweep that was stopped goes on.

It lies beside the output, under its name with `.runs` behind. A line that is not whole, as the process was killed at
it, is not read. What was done for other seeds or values counts, as long as all else is the same.
"""

import json
import weakref
from array import array
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from tcpemu.sweep.measured_run import MeasuredRun
from tcpemu.sweep.plan import Plan
from tcpemu.sweep.run_measures import Value

try:
    import fcntl
except ImportError:  # not on Windows
    fcntl = None  # type: ignore[assignment]

_ABSENT = -1
_INFINITE = "never"
"""How a value stands there that is infinite."""


class JournalError(ValueError):
    """A journal that is of something else; the text says what to do."""


def journal_path(output: Path) -> Path:
    """Where the journal of that output lies."""
    return output.with_name(output.name + ".runs")


class Journal:
    """The runs of a plan that are done, in a file or, without one, in memory.

    Only where each line begins is kept in memory: 8 octets a run.
    """

    def __init__(self, plan: Plan, path: Path | None) -> None:
        """Open it, and find what is done. Raises JournalError, OSError."""
        self._plan = plan
        self._lines = array("q", [_ABSENT]) * len(plan)
        self.done = 0
        """How many runs of the plan are there."""
        self.found = 0
        """How many of them were there before."""
        self._path = path
        self._file: IO[bytes] = _opened(path)
        self._closing = weakref.finalize(self, self._file.close)
        self._end = self._read() if path is not None else 0
        if not self._end:
            self._append(json.dumps(_head(plan)).encode())
        self.found = self.done

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Nothing more is read or written."""
        self._closing()

    def rest(self) -> None:
        """Nothing more is written, and another sweep may go on from here; what is there can be read."""
        self.flush()
        if fcntl is not None and self._path is not None:
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def has(self, number: int) -> bool:
        """Whether the run of that number is done."""
        return self._lines[number] != _ABSENT

    def add(self, run: MeasuredRun) -> None:
        """That run is done."""
        point, seed = self._plan.place(run.number)
        at = dict(zip(self._paths, self._plan.grid.point(point).labels, strict=True))
        line = json.dumps({"at": at, "seed": seed, "values": [_written(value) for value in run.values]})
        if not self.has(run.number):
            self._lines[run.number] = self._append(line.encode())
            self.done += 1

    def values(self, number: int) -> tuple[Value, ...]:
        """What was measured in the run of that number, which is done."""
        self._file.seek(self._lines[number])
        return tuple(_read_back(value) for value in json.loads(self._file.readline())["values"])

    def flush(self) -> None:
        """Whatever happens to this process now, what is done is in the file."""
        self._file.flush()

    @property
    def _paths(self) -> list[str]:
        return [axis.path for axis in self._plan.grid.axes]

    def _append(self, line: bytes) -> int:
        begin = self._end
        self._file.seek(begin)
        self._file.write(line + b"\n")
        self._end += len(line) + 1
        return begin

    def _read(self) -> int:
        """Find the lines that are whole; where the next one goes. Raises JournalError."""
        places = _places(self._plan)
        end = 0
        for begin, entry in _entries(self._file):
            if not begin:
                _check_head(entry, self._plan, self._path)
            elif (number := places(entry)) is not None and not self.has(number):
                self._lines[number] = begin
                self.done += 1
            end = self._file.tell()
        self._file.truncate(end)
        return end


def _opened(path: Path | None) -> IO[bytes]:
    if path is None:
        return BytesIO()
    path.touch()
    file = path.open("r+b")
    try:
        if fcntl is not None:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise JournalError(f"{path}: another sweep is at work there; write to another file with -o") from None
    return file


def _entries(file: IO[bytes]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Where each whole line begins, and what it says, up to the first that is not whole."""
    while line := file.readline():
        if not line.endswith(b"\n"):
            file.seek(-len(line), 1)
            return
        try:
            entry = json.loads(line)
        except ValueError:
            entry = None
        if not isinstance(entry, dict):
            file.seek(-len(line), 1)
            return
        yield file.tell() - len(line), entry


def _head(plan: Plan) -> dict[str, object]:
    return {"sweep": plan.source, "digest": plan.digest, "columns": plan.columns}


def _check_head(entry: dict[str, Any], plan: Plan, path: Path | None) -> None:
    if entry.get("digest") == plan.digest:
        return
    other = entry.get("columns")
    what = (
        "measures something else"
        if isinstance(other, list) and other != list(plan.columns)
        else "is of other runs"
    )
    raise JournalError(
        f"{path}: what was done there {what}; delete the file to begin anew, or write to another one with -o"
    )


def _places(plan: Plan) -> Any:
    """From what a line says to the number of its run; None for a run that is not of this plan."""
    numbers = {point.labels: point.number for point in plan.grid}
    paths = [axis.path for axis in plan.grid.axes]

    def place(entry: dict[str, Any]) -> int | None:
        at, seed = entry.get("at"), entry.get("seed")
        if not isinstance(at, dict) or at.keys() != set(paths) or not isinstance(seed, int):
            return None
        point = numbers.get(tuple(at[path] for path in paths))
        turn = seed - plan.first_seed
        if point is None or not 0 <= turn < plan.seeds or len(entry.get("values", ())) != len(plan.columns):
            return None
        return point * plan.seeds + turn

    return place


def _written(value: Value) -> float | int | str | None:
    return _INFINITE if value == float("inf") else value


def _read_back(value: float | int | str | None) -> Value:
    return float("inf") if isinstance(value, str) else value
