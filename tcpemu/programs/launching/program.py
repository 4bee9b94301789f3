"""A program that was started, to its end: its value, or what ended it."""

from __future__ import annotations

import asyncio
import io
import sys
import threading
from collections.abc import Callable, Generator
from typing import Any

from tcpemu.network import Node
from tcpemu.network.seeds import stream
from tcpemu.programs.calls.signal_calls import deliver
from tcpemu.programs.calls.thread_start import join_threads
from tcpemu.programs.files.process_end import end_process
from tcpemu.programs.launching.prefixed_output import PrefixedOutput
from tcpemu.programs.launching.program_kinds import Prepared
from tcpemu.programs.waiting.computers import Computers, Process, ProgramEnds, StuckError
from tcpemu.programs.waiting.program_threads import BatonThread
from tcpemu.programs.waiting.stuck_code import traceback_text

__tracebackhide__ = True  # in a failing test the program's own lines are shown, and none of these

_FIRST_PID = 1001
FAILED = 1


class HostCrashedError(RuntimeError):
    """The host that a program was on has crashed: nothing came of it."""


def new_process(computers: Computers, node: Node | None, name: str) -> Process:
    """A process of that name, with random octets and a number of its own."""
    number = len(computers.processes)
    random = stream(computers.network.seed, "process", name, number)
    process = Process(name, node, computers, random, _FIRST_PID + number)
    computers.processes.append(process)
    return process


class Program:
    """A program on a host. It begins when the network reaches its time."""

    def __init__(
        self,
        computers: Computers,
        node: Node,
        name: str,
        prepared: Prepared,
        at: int,
        echo: bool,
        drive: Callable[[Callable[[], bool], str], None],
    ) -> None:
        self.process = process = new_process(computers, node, name)
        self.title = prepared.title
        self._run = prepared.run
        self.value: object = None
        """What a function returned."""
        self.error: BaseException | None = None
        """What ended it."""
        self.ended_at: int | None = None
        """Nanoseconds of virtual time."""
        self._told = False
        self._drive = drive
        process.argv, process.main_module, process.path = prepared.argv, prepared.main_module, prepared.path
        self._out, self._err = bytearray(), bytearray()
        self._streams = (
            PrefixedOutput(f"{name} | ", sys.stdout if echo else None, self._out),
            PrefixedOutput(f"{name} | ", sys.stderr if echo else None, self._err),
        )
        process.stdout, process.stderr = self._streams
        self._thread = BatonThread(process, "MainThread", self._main_thread())
        computers.at(at, self._thread.step)

    def __repr__(self) -> str:
        state = f"exit status {self.status}" if self.done else self._thread.waits_for or "not begun"
        return f"<program {self.name}: {self.title}, {state}>"

    @property
    def name(self) -> str:
        return self.process.name

    @property
    def done(self) -> bool:
        """Whether it has ended."""
        return self.process.over

    @property
    def status(self) -> int | None:
        """Its exit status; None while it runs."""
        return self.process.exit_status if self.done else None

    @property
    def waits_for(self) -> str:
        """What its main thread stands still for, in words; empty where it does not."""
        return self._thread.waits_for

    @property
    def output(self) -> str:
        """What it has written to its standard output."""
        self._streams[0].flush()
        return self._out.decode(errors="replace")

    @property
    def errors(self) -> str:
        """What it has written to its standard error."""
        self._streams[1].flush()
        return self._err.decode(errors="replace")

    def result(self) -> object:
        """The value of a function; None of a script that exits with 0. Raises what ended it.

        RuntimeError where it has not ended.
        """
        self._told = True
        if not self.done:
            raise RuntimeError(f"{self.name} has not ended: it {self._thread.waits_for or 'has not begun'}")
        if self.error is not None:
            raise self.error
        return self.value

    def __await__(self) -> Generator[Any, None, object]:
        """Its value, as `result` gives it: time goes on until it has ended, in whatever event loop."""
        loop = asyncio._get_running_loop()
        if loop is None or getattr(loop, "computers", None) is not self.process.computers:
            self._drive(lambda: self.done, self.name)
        elif not self.done:
            ended = asyncio.Event()
            self.process.at_end.append(lambda: loop.call_soon_threadsafe(ended.set))
            yield from ended.wait().__await__()
        return self.result()

    @property
    def failure_untold(self) -> BaseException | None:
        """What ended it, where nobody has asked for its result."""
        return None if self._told else self.error

    def disregard_failure(self) -> None:
        """Whoever looked at its exit status knows enough of it."""
        self._told = True

    @property
    def has_begun(self) -> bool:
        """Whether its time has come, so that it runs or has run."""
        return self._thread.has_begun

    def crash(self) -> None:
        """End it as a machine that stops does. It has no exit status; its result is a HostCrashedError."""
        host = self.process.node.name
        self.stop()
        self.process.exit_status = None
        self.error = self.error or HostCrashedError(f"{self.name}: {host} has crashed")
        self._told = True

    def signal(self, number: int) -> None:
        """A signal reaches it, as SIGTERM does a server that is to end: its handler runs, or it ends."""
        deliver(self.process, int(number))

    def stop(self) -> None:
        """End it as a kernel does: nothing more of it runs, its sockets are closed."""
        if self.process.exit_status is None:
            self.process.exit_status = 0
        process = self.process
        process.stdout = process.stderr = (
            io.StringIO()
        )  # what it prints on its way out is no output of its own
        end_process(process)
        self._finish_output()

    # In its own thread.

    def _main_thread(self) -> Callable[[], object]:
        """The thread as the program knows it: threading.main_thread()."""
        thread = threading.Thread(target=self._main, name="MainThread", daemon=True)
        self._python_thread = thread

        def run() -> None:
            self.process.threads[0].python_thread = thread
            threading._limbo[thread] = thread  # type: ignore[attr-defined]
            thread._bootstrap()  # type: ignore[attr-defined]

        return run

    def _main(self) -> None:
        # It is a daemon to the interpreter, which must not wait for it; to the program it is none.
        self._python_thread._daemonic = False  # type: ignore[attr-defined]
        process = self.process
        try:
            status = self._outcome()
            join_threads(process)
            if process.exit_status is None:
                process.exit_status = status
        except BaseException as error:
            process.exit_status = FAILED if process.exit_status is None else process.exit_status
            if not isinstance(error, ProgramEnds):
                self.error = self.error or error
        finally:
            self._python_thread._daemonic = True  # type: ignore[attr-defined]
            self._finish_output()
            self.ended_at = process.computers.now
            end_process(process)

    def _outcome(self) -> int:
        """Run it; its exit status."""
        try:
            self.value = self._run()
        except (ProgramEnds, StuckError):
            raise
        except SystemExit as end:
            return self._exited(end)
        except BaseException as error:
            self.error = error
            sys.stderr.write(traceback_text(error))
            return FAILED
        return 0

    def _exited(self, end: SystemExit) -> int:
        if end.code is None:
            return 0
        if isinstance(end.code, int):
            status = end.code
        else:
            print(end.code, file=sys.stderr)
            status = FAILED
        if status:
            self.error = end
        return status

    def _finish_output(self) -> None:
        for each in self._streams:
            each.finish()
