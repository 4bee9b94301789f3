"""Threads of programs: real OS threads of which one runs at a time.

Whoever drives the network hands the baton to a thread and waits until it comes back: when the thread stands still
in a call, or ends. So nothing happens at the same time as anything else, and a run is the same each time. A thread
that stands still is woken by the network's loop, as a coroutine of it is.
"""

from __future__ import annotations

import _thread
import ctypes
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tcpemu.network.task import Arm, Wake
from tcpemu.programs.waiting import whereabouts
from tcpemu.programs.waiting.computers import Process, ProgramEnds, ProgramThread, StuckError
from tcpemu.programs.waiting.stuck_code import Watch

_REAL = (_thread.allocate_lock, _thread.start_new_thread, _thread.get_ident)
"""In a tuple, where nothing puts emulated ones in their place."""
_MOST_ENDINGS = 20
"""So often a thread may refuse to end; then it is left where it is."""
_LAST_PATIENCE = 2.0


class BatonThread(ProgramThread):
    """One thread of a program. It runs in `step`, from one call that waits to the next."""

    __slots__ = ("_back", "_function", "_go", "_ident", "_interrupted", "_wake", "at_end", "error")

    def __init__(self, process: Process, name: str, function: Callable[[], object]) -> None:
        super().__init__(process, name)
        allocate, _, _ = _REAL
        self._go, self._back = allocate(), allocate()
        self._go.acquire()
        self._back.acquire()
        self._function = function
        self._ident = 0
        self._wake: Wake | None = None
        self._interrupted = False
        self.error: BaseException | None = None
        """What ended it, where the function let it out."""
        self.at_end: list[Callable[[], None]] = []
        """Called by the thread itself, last of all."""
        process.threads.append(self)

    # The driver's side.

    @property
    def has_begun(self) -> bool:
        """Whether it has run, or runs."""
        return bool(self._ident)

    def step(self) -> None:
        """Let it run until it stands still again, or ends."""
        if self.done:
            return
        if not self._ident and self.process.is_off:
            self.end()  # it was to begin, and there is no host
            return
        computers = self.process.computers
        applications = computers.network.surroundings.applications
        before, applications.current = applications.current, self._name_in_record()
        try:
            with stage(self.process):
                self._run_until_still()
        finally:
            applications.current = before
        if computers.stuck is not None:
            stuck, computers.stuck = computers.stuck, None
            raise stuck

    def _name_in_record(self) -> str:
        first = self is self.process.threads[0]
        return self.process.name if first else f"{self.process.name} {self.name}"

    def _run_until_still(self) -> None:
        self.prepare()
        self._go.release()
        try:
            self._await_baton()
        except BaseException as error:
            self._take_baton(error)
            raise

    def prepare(self) -> int:
        """Give it its OS thread, which waits for the baton; what that is known by."""
        if not self._ident:
            _, start, _ = _REAL
            self._ident = start(self._main, ())
        return self._ident

    def _await_baton(self) -> None:
        computers = self.process.computers
        watch = None
        while not self._back.acquire(timeout=computers.patience):
            watch = watch or Watch(self, computers)
            if said := watch.verdict(self._ident):
                raise StuckError(said)

    def _take_baton(self, why: BaseException) -> None:
        """Interrupt what runs, as Ctrl-C does a program; where that does not help, leave it for good."""
        self.ending = True
        kind = ProgramEnds if isinstance(why, StuckError) else type(why)
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self._ident), ctypes.py_object(kind))
        if not self._back.acquire(timeout=_LAST_PATIENCE):
            self.done = True

    def end(self) -> None:
        """Make it end, wherever it stands; what it does on its way out does not wait."""
        self.ending = True
        if self._ident:
            self._resume_to_end()
        self.done = True
        self._forget()

    def _resume_to_end(self) -> None:
        for _ in range(_MOST_ENDINGS):
            if self.done:
                return
            with stage(self.process):
                self._go.release()
                if not self._back.acquire(timeout=_LAST_PATIENCE):
                    return

    def _forget(self) -> None:
        """What never began, or would not end, is no thread that others should hear of."""
        with threading._active_limbo_lock:  # type: ignore[attr-defined]
            threading._limbo.pop(self.python_thread, None)  # type: ignore[attr-defined]
            threading._active.pop(self._ident, None)  # type: ignore[attr-defined]

    # The thread's own side.

    def _main(self) -> None:
        self._go.acquire()
        whereabouts.settle_in(self)
        try:
            if not self.ending:
                self._function()
        except ProgramEnds:
            pass
        except BaseException as error:
            self.error = error
        finally:
            for action in self.at_end:
                action()
            self.done = True
            self.waits_for = ""
            self._back.release()

    def stand_still(self, arm: Arm, why: str, until: int | None = None) -> None:
        """Hand back the baton, until the Wake that `arm` gets is called; at `until` at the latest, if that is given.

        A signal may come first: its handler runs, and if that raises nothing, the wait goes on (PEP 475).
        """
        if self.ending:
            raise ProgramEnds
        self._handle_signals()
        interrupted = True
        while interrupted:
            self.waits_for, self.waits_since, self.waits_until = why, self.process.computers.now, until
            self._wake = Wake(self)
            arm(self._wake)
            self._back.release()
            self._go.acquire()
            self.waits_for = ""
            if self.ending:
                raise ProgramEnds
            interrupted, self._interrupted = self._interrupted, False
            self._handle_signals()

    def interrupt(self) -> None:
        """A signal has come: where it stands still, it goes on to handle it."""
        wake = self._wake
        if self.waits_for and wake is not None and not wake.used:
            wake.used = self._interrupted = True
            self.step()

    def _handle_signals(self) -> None:
        process = self.process
        while process.signals and self is process.threads[0]:
            number = process.signals.pop(0)
            handler = process.signal_handlers.get(number)
            if callable(handler):
                handler(number, sys._getframe(1))


@contextmanager
def stage(process: Process) -> Iterator[None]:
    """While a process runs, `sys` has what is its own."""
    before = sys.argv, sys.path, sys.stdout, sys.stderr, sys.modules.get("__main__")
    sys.argv, sys.path = process.argv, process.path or sys.path
    sys.stdout, sys.stderr = process.stdout or sys.stdout, process.stderr or sys.stderr
    if process.main_module is not None:
        sys.modules["__main__"] = process.main_module
    try:
        yield
    finally:
        process.argv = sys.argv
        if process.path is not None:
            process.path = sys.path
        if process.stdout is not None:  # it may have put another stream in its place
            process.stdout, process.stderr = sys.stdout, sys.stderr
        sys.argv, sys.path, sys.stdout, sys.stderr, main = before
        if main is not None:
            sys.modules["__main__"] = main
