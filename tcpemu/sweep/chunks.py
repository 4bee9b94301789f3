"""Runs go out to workers in chunks that take about half a second: so neither the way there nor a death costs much."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from tcpemu.sweep.measured_run import MeasuredRun

CHUNK_SECONDS = 0.5
LARGEST_CHUNK = 200
MOST_DEATHS = 3
"""So many workers may die over one chunk; then the chunk is to blame."""

Done: TypeAlias = tuple[list[MeasuredRun], float]
"""What comes back of a chunk, and how many seconds it took."""


class EngineError(RuntimeError):
    """Who should do the runs cannot be had or does not go on; the text says what would help."""


@dataclass(slots=True)
class Chunks:
    """Cuts the runs into chunks, by how long runs took so far."""

    numbers: Iterator[int]
    size: int = 1
    again: list[tuple[int, ...]] = field(default_factory=list)
    """Chunks whose worker died."""
    deaths: dict[tuple[int, ...], int] = field(default_factory=dict)

    def next(self) -> tuple[int, ...]:
        """The next chunk; empty when all are out."""
        if self.again:
            return self.again.pop()
        return tuple(itertools.islice(self.numbers, self.size))

    def took(self, runs: int, seconds: float) -> None:
        """So many runs took so long."""
        fitting = int(CHUNK_SECONDS * runs / seconds) if seconds else LARGEST_CHUNK
        self.size = max(1, min(fitting, 2 * self.size, LARGEST_CHUNK))

    def died(self, chunk: tuple[int, ...]) -> None:
        """Its worker died; the chunk goes out once more. Raises EngineError when it has cost too many."""
        self.deaths[chunk] = self.deaths.get(chunk, 0) + 1
        if self.deaths[chunk] >= MOST_DEATHS:
            raise EngineError(
                f"{MOST_DEATHS} workers died over the runs {chunk[0]} to {chunk[-1]}; it may be the memory: "
                "take fewer --jobs"
            )
        self.again.append(chunk)
