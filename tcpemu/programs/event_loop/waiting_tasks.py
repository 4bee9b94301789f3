"""Which tasks of an event loop wait, and where in their code."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tcpemu

_EMULATOR = str(Path(tcpemu.__file__).parent)


def waiting_tasks(loop: asyncio.AbstractEventLoop) -> Iterator[str]:
    """A line for each task that has not ended: its name, and where its coroutine stands."""
    tasks = sorted(asyncio.all_tasks(loop), key=lambda task: task.get_name())
    for task in tasks:
        yield f"{task.get_name()} waits {_place(task)}"


def _place(task: asyncio.Task[object]) -> str:
    """The innermost line of the user's own code."""
    innermost = "in a coroutine that has not begun"
    coroutine: Any = task.get_coro()
    while coroutine is not None:
        frame = getattr(coroutine, "cr_frame", None) or getattr(coroutine, "gi_frame", None)
        if frame is None:
            break
        file = frame.f_code.co_filename
        if "/asyncio/" not in file and not file.startswith(_EMULATOR):
            innermost = f"in {frame.f_code.co_qualname}, {file}:{frame.f_lineno}"
        coroutine = getattr(coroutine, "cr_await", None) or getattr(coroutine, "gi_yieldfrom", None)
    return innermost
