"""How far a long work has got, on standard error: a bar on a terminal, now and then a line elsewhere.

The work is not disturbed, and what comes of it is the same whether anybody looks or not: a thread of its own
reads where the work stands. In the first second nothing is shown, and rich is not loaded, which takes longer
than many a run.
"""

import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import NamedTuple, TypeAlias

from tcpemu.cli import printing
from tcpemu.cli.printing import is_terminal
from tcpemu.cli.size_warning import warn_of_size
from tcpemu.explain.lines.count_words import count
from tcpemu.explain.lines.time_words import moment, seconds
from tcpemu.network import Network
from tcpemu.scenario.format.load_scenario import Run
from tcpemu.scenario.running import build
from tcpemu.scenario.running.result import Result

AGAIN = 10.0
"""Seconds between two lines, where there is no terminal."""
REFRESH = 0.2
"""Seconds between two looks at the work, where there is one."""

THREAD = "tcpemu progress"


class ProgressOfRun(NamedTuple):
    """How far a work has got."""

    doing: str
    """What is being done."""
    share: float
    """The part of the whole work that is done, from 0 to 1."""
    detail: str = ""
    """The same in numbers."""


HowFar: TypeAlias = Callable[[], ProgressOfRun]
"""Called from another thread than that of the work."""


class Progress:
    """Shows where a work stands once it lasts longer than a moment. The work may be shown in several pieces."""

    def __init__(self) -> None:
        self._next_line = time.monotonic() + printing.PATIENCE
        self._said = False

    @contextmanager
    def of(self, look: HowFar) -> Iterator[None]:
        """Show the work of the block, which prints nothing: that would get mixed with the bar."""
        over = threading.Event()
        thread = threading.Thread(target=self._show, args=(look, over), name=THREAD, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _show(self, look: HowFar, over: threading.Event) -> None:
        with suppress(OSError, MemoryError):  # nobody reads standard error any more; or the work says it
            if not is_terminal(sys.stderr):
                self._lines(look, over)
            elif not over.wait(self._next_line - time.monotonic()):
                _bar(look, over)

    def _lines(self, look: HowFar, over: threading.Event) -> None:
        """What is done, and after that how far it is."""
        while not over.wait(self._next_line - time.monotonic()):
            standing = look()
            far = f" {standing.share:.0%} ({standing.detail})" if self._said else ""
            print(f"tcpemu: {standing.doing} ...{far}", file=sys.stderr, flush=True)
            self._said = True
            self._next_line = time.monotonic() + AGAIN


def _bar(look: HowFar, over: threading.Event) -> None:
    """A bar that is gone when the work is over."""
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[detail]}", markup=False),
    )
    console = Console(file=sys.stderr, force_terminal=True)
    with Bar(
        *columns,
        console=console,
        transient=True,
        auto_refresh=False,
        redirect_stdout=False,
        redirect_stderr=False,
    ) as bar:
        task = bar.add_task("", total=1.0, detail="", visible=False)
        while True:
            doing, share, detail = look()
            bar.update(task, description=doing, completed=share, detail=detail, visible=True)
            bar.refresh()
            if over.wait(REFRESH):
                return


# Runs.


def run_and_tell(
    labelled: Sequence[tuple[str, Run]], until: int | None, watch: build.Watch | None = None
) -> list[Result]:
    """Run them one after the other, each with what is said of it while it lasts; `watch` sees each begin."""
    warn_of_size([one for _, one in labelled], until)
    ends = [build.end_of(one, until) for _, one in labelled]
    results: list[Result] = []
    works = [_Running(doing, sum(ends[:number]), sum(ends)) for number, (doing, _) in enumerate(labelled)]

    def standing() -> ProgressOfRun:
        return works[min(len(results), len(works) - 1)].standing()

    with Progress().of(standing):
        for (_, one), work in zip(labelled, works, strict=True):
            results.append(build.run(one, until, _both(work.begin, watch)))
    return results


def _both(one: build.Watch, other: build.Watch | None) -> build.Watch:
    def watch(network: Network, end: int) -> None:
        one(network, end)
        if other is not None:
            other(network, end)

    return watch


class _Running:
    """One of several runs, as another thread may look at it."""

    def __init__(self, doing: str, before: int, total: int) -> None:
        self._doing = doing
        self._before, self._total = before, total
        self._begun: tuple[Network, int] | None = None

    def begin(self, network: Network, end: int) -> None:
        """Its time begins to pass. What is long behind the run is kept on disk."""
        network.record.keep_on_disk()
        self._begun = network, end

    def standing(self) -> ProgressOfRun:
        """How far all of the runs are, and this one in numbers."""
        if self._begun is None:
            return ProgressOfRun(self._doing, self._before / max(self._total, 1), "about to begin")
        network, end = self._begun
        now = network.now
        packets = count(network.record.packets_sent, "packet")
        detail = f"{seconds(now, 3)} of {moment(end)}, {packets}"
        return ProgressOfRun(self._doing, (self._before + now) / max(self._total, 1), detail)
