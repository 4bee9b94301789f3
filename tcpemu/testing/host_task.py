"""A coroutine that was started on a host: its value, or what ended it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class HostTask(Generic[T]):
    """It can be awaited, in whatever event loop: time goes on until it has ended."""

    def __init__(self, task: asyncio.Task[T], drive: Callable[[Callable[[], bool], str], None]) -> None:
        self._task = task
        self._drive = drive
        self._told = False

    def __repr__(self) -> str:
        return f"<{self.name}: {'ended' if self.done else 'runs'}>"

    @property
    def name(self) -> str:
        return self._task.get_name()

    @property
    def done(self) -> bool:
        """Whether it has ended."""
        return self._task.done()

    def result(self) -> T:
        """Its value. Raises what ended it; RuntimeError where it has not ended."""
        self._told = True
        if not self.done:
            raise RuntimeError(f"{self.name} has not ended")
        return self._task.result()

    def cancel(self) -> None:
        """Have it cancelled, as asyncio does."""
        self._told = True
        self._task.cancel()

    @property
    def failure_untold(self) -> BaseException | None:
        """What ended it, where nobody has asked for its result."""
        if self._told or not self.done or self._task.cancelled():
            return None
        return self._task.exception()

    def __await__(self) -> Generator[Any, None, T]:
        self._told = True
        if asyncio._get_running_loop() is self._task.get_loop():
            return (yield from self._task.__await__())
        self._drive(lambda: self.done, self.name)
        return self.result()
