"""Threads that a program starts: each is one that runs only while it has the baton."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import Any

from tcpemu.programs.waiting.computers import Process
from tcpemu.programs.waiting.program_threads import BatonThread
from tcpemu.programs.waiting.standing_still import sleep
from tcpemu.programs.waiting.stuck_code import traceback_text
from tcpemu.programs.waiting.whereabouts import caller, here


class _Started(threading.Event):
    """Says that a thread has begun, and lets whoever started it go first.

    What starts threads may hold a lock meanwhile that was made outside, as thread pools do: so the new thread does
    not go on before that one does.
    """

    def set(self) -> None:
        super().set()
        process = here()
        if process is not None:
            sleep(process, 0)


def begin_thread(
    function: Callable[..., object], arguments: tuple[Any, ...], named: dict[str, Any]
) -> BatonThread:
    """A thread of the process that the caller belongs to, which runs as soon as that waits."""
    process = caller()
    owner = getattr(function, "__self__", None)
    name = owner.name if isinstance(owner, threading.Thread) else f"thread {len(process.threads)}"

    def run() -> None:
        try:
            function(*arguments, **named)
        except Exception as error:
            sys.stderr.write(f"Exception in {name}:\n{traceback_text(error)}")

    thread = BatonThread(process, name, run)
    if isinstance(owner, threading.Thread):
        thread.python_thread = owner
        vars(owner)["_started"] = _Started()
    process.computers.at(process.computers.now, thread.step)
    return thread


def start_new_thread(
    function: Callable[..., object], args: tuple[Any, ...], kwargs: dict[str, Any] | None = None
) -> int:
    """_thread.start_new_thread()."""
    return begin_thread(function, tuple(args), dict(kwargs or {})).prepare()


def excepthook(failed: Any) -> None:
    """threading.excepthook of programs: to its own standard error; what ends a thread on purpose is no failure."""
    if isinstance(failed.exc_value, Exception):
        name = failed.thread.name if failed.thread is not None else "a thread"
        sys.stderr.write(f"Exception in thread {name}:\n{traceback_text(failed.exc_value)}")


def main_thread() -> threading.Thread:
    """The main thread of the process that asks; off the hosts that of the interpreter."""
    process = here()
    first = process.threads[0].python_thread if process is not None and process.threads else None
    return first or threading._main_thread  # type: ignore[attr-defined, no-any-return]


def join_threads(process: Process) -> None:
    """Wait for the threads that are no daemons, as an interpreter does before it exits."""
    own = threading.current_thread()
    waited: set[int] = set()
    while True:
        left = [
            thread.python_thread
            for thread in process.threads
            if not thread.done and thread.python_thread not in (None, own) and not thread.python_thread.daemon
        ]
        new = [one for one in left if id(one) not in waited]
        if not new:
            return
        for one in new:
            waited.add(id(one))
            one.join()
