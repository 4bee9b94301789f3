"""Pictures of runs that show themselves in a notebook. They need matplotlib, as `tcpemu plot` does."""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tcpemu.explain.plots.cwnd_plot import cwnd_picture
from tcpemu.explain.plots.draw import drawn
from tcpemu.explain.plots.picture import Picture
from tcpemu.explain.plots.queues_plot import queues_picture
from tcpemu.explain.plots.rtt_plot import rtt_picture
from tcpemu.explain.plots.sequence_plot import sequence_picture
from tcpemu.explain.plots.throughput_plot import throughput_picture
from tcpemu.explain.scenario_run import ScenarioRun
from tcpemu.scenario.format.problems import did_you_mean
from tcpemu.scenario.running.result import Result
from tcpemu.wire.atomic_write import write_whole

KINDS: Mapping[str, Callable[[str, str, Sequence[Result], str | None], Picture]] = {
    "cwnd": cwnd_picture,
    "rtt": rtt_picture,
    "throughput": throughput_picture,
    "sequence": lambda title, note, results, client: sequence_picture(title, note, results[0], client),
    "queues": lambda title, note, results, _: queues_picture(title, note, results),
}
"""What can be drawn of a run."""


class Drawing:
    """A picture: the value of a cell is shown, `save` writes it."""

    def __init__(self, picture: Picture, size: tuple[float, float] | None) -> None:
        self.picture = picture
        """What is in it, as data."""
        self._size = size

    def _repr_svg_(self) -> str:
        return drawn(self.picture, "svg", self._size).decode("utf-8")

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write it as .svg, .png or .pdf; gives its path. Raises ValueError for another suffix, OSError."""
        written = Path(path)
        kind = written.suffix.lower().removeprefix(".")
        if kind not in ("svg", "png", "pdf"):
            raise ValueError(f"{written}: name the file .svg, .png or .pdf")
        write_whole(written, drawn(self.picture, kind, self._size))
        return written


def plot(
    run: ScenarioRun,
    kind: str = "queues",
    *,
    client: str | None = None,
    size: tuple[float, float] | None = None,
) -> Drawing:
    """A picture of a run from `run_scenario`: "queues" or "sequence"; with its `transfers` "cwnd", "rtt", "throughput".

    `client` chooses a connection; `size` is in inches. Raises ValueError for another kind, NothingToDrawError where the
    run has nothing of it, MissingLibraryError without matplotlib.
    """
    if kind not in KINDS:
        raise ValueError(f"kind={kind!r}; {did_you_mean(kind, KINDS)}")
    note = f"server {run.scenario.server.generation} · seed {run.scenario.seed}"
    return Drawing(KINDS[kind](run.scenario.title, note, [run.result], client), size)
