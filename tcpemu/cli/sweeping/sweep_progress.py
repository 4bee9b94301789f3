"""How far a sweep has got: runs done, runs a second, time left."""

import time

from tcpemu.cli.progress import ProgressOfRun
from tcpemu.explain.lines.count_words import count
from tcpemu.sweep.journal import Journal


class SweepProgress:
    """Looked at by the thread that shows it."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._journal: Journal | None = None
        self._begun = time.monotonic()

    def begin(self, journal: Journal) -> None:
        """The runs begin."""
        self._journal, self._begun = journal, time.monotonic()

    def standing(self) -> ProgressOfRun:
        """How far it is now."""
        journal = self._journal
        if journal is None:
            return ProgressOfRun("sweeping", 0.0, "about to begin")
        done, new = journal.done, journal.done - journal.found
        seconds = max(time.monotonic() - self._begun, 1e-9)
        pace = new / seconds
        left = f", {_time_words((self._total - done) / pace)} left" if new else ""
        detail = f"{done:,} of {count(self._total, 'run')}, {pace:.3g} a second{left}"
        return ProgressOfRun("sweeping", done / max(self._total, 1), detail)


def _time_words(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
