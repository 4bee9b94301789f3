"""Locks that a thread of a program waits for in virtual time; all else in threading and queue is made of them."""

from __future__ import annotations

import _thread
import queue
import threading
from collections import deque
from typing import Any

from tcpemu.network.task import Wake
from tcpemu.programs.calls.either_way import class_on_hosts
from tcpemu.programs.waiting.computers import Process, ProgramThread
from tcpemu.programs.waiting.standing_still import span, stand_still, until_text
from tcpemu.programs.waiting.whereabouts import current_thread, here


class EmulatedLock:
    """threading.Lock. Those that wait are served in the order in which they came."""

    __slots__ = ("__weakref__", "_held", "_holder", "_home", "_waiting")

    def __init__(self, home: Process | None = None) -> None:
        self._home = home or here()
        self._held = False
        self._holder: ProgramThread | None = None
        """The thread that took it last."""
        self._waiting: deque[Wake] = deque()

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """As the real one; off the hosts it can be taken, but not waited for."""
        if not blocking and timeout != -1:
            raise ValueError("can't specify a timeout for a non-blocking call")
        if timeout < 0 and timeout != -1:
            raise ValueError("timeout value must be a non-negative number")
        if self._held and blocking and timeout != 0:
            self._wait(None if timeout == -1 else span(timeout))
        if self._held:
            return False
        self._held, self._holder = True, current_thread()
        return True

    def _wait(self, timeout: int | None) -> None:
        process = here()
        if process is None:
            raise RuntimeError("a lock that a program holds cannot be waited for by code off the hosts")
        computers = process.computers
        deadline = None if timeout is None else computers.now + timeout

        def arm(wake: Wake) -> None:
            self._waiting.append(wake)
            if deadline is not None:
                computers.at(deadline, wake)

        holder = self._holder
        whose = f" that {holder.process.name} ({holder.name}) took" if holder is not None else ""
        while self._held and (deadline is None or computers.now < deadline):
            stand_still(process, arm, f"waits for a lock{whose}{until_text(deadline)}", deadline)

    def release(self) -> None:
        if not self._held:
            raise RuntimeError("release unlocked lock")
        self._held = False
        self._let_next()

    def _let_next(self) -> None:
        while self._waiting:
            wake = self._waiting.popleft()
            if not wake.used:
                assert self._home is not None
                computers = self._home.computers
                computers.at(computers.now, wake)
                return

    def locked(self) -> bool:
        return self._held

    acquire_lock, release_lock, locked_lock = acquire, release, locked

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()

    def _at_fork_reinit(self) -> None:
        self._held = False
        self._waiting.clear()

    def __repr__(self) -> str:
        return f"<{'locked' if self._held else 'unlocked'} emulated lock at {id(self):#x}>"


def _rlock() -> Any:
    return threading._PyRLock()  # type: ignore[attr-defined]


def _simple_queue() -> Any:
    return queue._PySimpleQueue()  # type: ignore[attr-defined]


def stand_ins() -> list[tuple[Any, Any]]:
    """Each real thing, and what stands in for it."""
    real_lock = type(_thread.allocate_lock())
    kinds = (EmulatedLock, real_lock)
    lock = class_on_hosts(_thread.allocate_lock, EmulatedLock, kinds)
    pairs: list[tuple[Any, Any]] = [(_thread.allocate_lock, lock)]
    if threading.Lock is not _thread.allocate_lock:
        pairs.append((threading.Lock, lock))
    pairs.append((_thread.RLock, class_on_hosts(_thread.RLock, _rlock, (threading._PyRLock, _thread.RLock))))  # type: ignore[attr-defined]
    simple = queue.SimpleQueue
    pairs.append((simple, class_on_hosts(simple, _simple_queue, (queue._PySimpleQueue, simple))))  # type: ignore[attr-defined]
    return pairs
