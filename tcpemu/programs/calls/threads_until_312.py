"""Python 3.11 and 3.12: threading learns of a thread's end by a lock that is released then."""

from __future__ import annotations

import threading
from typing import Any

from tcpemu.programs.calls.either_way import on_hosts
from tcpemu.programs.calls.lock_calls import EmulatedLock
from tcpemu.programs.calls.thread_start import start_new_thread
from tcpemu.programs.waiting.program_threads import BatonThread
from tcpemu.programs.waiting.whereabouts import current_thread


def _set_sentinel() -> EmulatedLock:
    """A lock that is released when the calling thread ends."""
    lock = EmulatedLock()
    thread = current_thread()
    assert isinstance(thread, BatonThread)
    thread.at_end.append(lambda: lock.release() if lock.locked() else None)
    return lock


def stand_ins() -> list[tuple[Any, Any]]:
    """Each real thing, and what stands in for it."""
    start = threading._start_new_thread  # type: ignore[attr-defined]
    sentinel = threading._set_sentinel  # type: ignore[attr-defined]
    return [(start, on_hosts(start, start_new_thread)), (sentinel, on_hosts(sentinel, _set_sentinel))]
