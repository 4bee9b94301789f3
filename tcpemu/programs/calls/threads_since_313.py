"""Python 3.13 and later: threading starts a thread with a handle, by which it can be joined."""

from __future__ import annotations

import _thread
import threading
from collections.abc import Callable
from typing import Any

from tcpemu.programs.calls.either_way import on_hosts
from tcpemu.programs.calls.lock_calls import EmulatedLock
from tcpemu.programs.calls.thread_start import begin_thread, start_new_thread


class EmulatedHandle:
    """What threading.Thread joins: a lock that is held as long as the thread runs."""

    def __init__(self) -> None:
        self.ident = 0
        self._ends = EmulatedLock()
        self._ends.acquire()

    def is_done(self) -> bool:
        return not self._ends.locked()

    def join(self, timeout: float | None = None) -> None:
        if self._ends.acquire(timeout=-1 if timeout is None or timeout < 0 else timeout):
            self._ends.release()

    def _set_done(self) -> None:
        if self._ends.locked():
            self._ends.release()


def _start_joinable_thread(
    function: Callable[[], object], handle: object = None, daemon: bool = True
) -> EmulatedHandle:
    made = EmulatedHandle()
    owner = getattr(function, "__self__", None)
    if isinstance(owner, threading.Thread):
        owner._handle = made  # type: ignore[attr-defined]
    thread = begin_thread(function, (), {})
    thread.at_end.append(made._set_done)
    made.ident = thread.prepare()
    return made


def stand_ins() -> list[tuple[Any, Any]]:
    """Each real thing, and what stands in for it."""
    joinable = _thread.start_joinable_thread  # type: ignore[attr-defined]
    plain = _thread.start_new_thread
    return [
        (joinable, on_hosts(joinable, _start_joinable_thread)),
        (plain, on_hosts(plain, start_new_thread)),
    ]
