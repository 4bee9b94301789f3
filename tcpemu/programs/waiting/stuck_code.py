"""What cannot go on in virtual time is found and named, with its stack.

Two things stop virtual time: a call that blocks for real (a read of a pipe, a lock made outside), and a loop that
never lets time pass, in calls that all fall on one instant or in no calls at all.
"""

from __future__ import annotations

import sys
import threading
import time
import traceback
from types import FrameType

from tcpemu.network.clock import seconds_text
from tcpemu.programs.waiting.computers import Computers, Process, ProgramThread, StuckError

_REAL_MONOTONIC = (time.monotonic,)
_REAL_CLOCK = (getattr(time, "pthread_getcpuclockid", None), getattr(time, "clock_gettime", None))
"""In tuples, where nothing puts emulated ones in their place."""
_LONGEST_COMPUTING = 12
"""Times the patience that a thread may compute without a call; then it is taken for a loop."""
_STACK = 12


def too_many_calls(process: Process) -> StuckError:
    """What is said of a loop of calls none of which waits; the driver hears of it too."""
    computers = process.computers
    computers.stuck = StuckError(
        f"{process.name}: {computers.calls_allowed} calls at {seconds_text(computers.network.now)} of virtual time, "
        "and none of them waits, so no time passes. A loop that waits for something has to sleep, or to wait for a "
        "socket:\n" + _stack(sys._getframe(2))
    )
    return computers.stuck


def real_now() -> float:
    """The machine's own clock."""
    return _REAL_MONOTONIC[0]()


class Watch:
    """Looks at one thread while it holds the baton."""

    __slots__ = ("_computers", "_cpu", "_since", "_thread")

    def __init__(self, thread: ProgramThread, computers: Computers) -> None:
        self._thread, self._computers = thread, computers
        self._since = real_now()
        self._cpu: float | None = None

    def verdict(self, ident: int) -> str:
        """Why the thread cannot go on; empty where it may be computing. Called once each `patience`."""
        used = _processor_time(ident)
        before, self._cpu = self._cpu, used
        took = real_now() - self._since
        if used is None or before is None or used - before > 0.05 * self._computers.patience:
            if took < _LONGEST_COMPUTING * self._computers.patience:
                return ""
            what = f"has run for {took:.0f} s of real time without a call, so no virtual time passes"
        else:
            what = "blocks for real in a call that virtual time cannot end"
        frame = sys._current_frames().get(ident)
        return f"{self._thread.process.name}: thread {self._thread.name} {what}:\n{_stack(frame)}"


def _processor_time(ident: int) -> float | None:
    """Seconds of processor time that a thread has used; None where the system does not tell."""
    clock_of, read = _REAL_CLOCK
    if clock_of is None or read is None:
        return None
    try:
        return float(read(clock_of(ident)))
    except OSError:
        return None


def _stack(frame: FrameType | None) -> str:
    """The user's part of a stack, innermost last."""
    lines = [each for each in traceback.extract_stack(frame) if not _is_ours(each)]
    return "".join(traceback.format_list(lines[-_STACK:]))


def _is_ours(frame: traceback.FrameSummary) -> bool:
    """Of the machinery that runs the program, or of what begins every thread."""
    begins = frame.name in ("_bootstrap", "_bootstrap_inner") and frame.filename == threading.__file__
    return begins or "/tcpemu/programs/" in frame.filename.replace("\\", "/")


def traceback_text(error: BaseException) -> str:
    """A traceback as the program would have it by itself: without what runs it."""
    told = traceback.TracebackException.from_exception(error)
    parts: list[traceback.TracebackException | None] = [told]
    while parts:
        part = parts.pop()
        if part is not None:
            part.stack = traceback.StackSummary.from_list([one for one in part.stack if not _is_ours(one)])
            parts += [part.__cause__, part.__context__]
    return "".join(told.format())
