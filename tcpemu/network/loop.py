"""Virtual time that jumps from one thing to do to the next."""

from collections.abc import Callable, Iterator
from heapq import heappop, heappush
from types import MethodType
from typing import Any

MOST_IN_ORDER = 2**40
"""So many things may be asked for at once, to be done one after the other."""


class Loop:
    """One heap of things to do. What is due at the same time runs in the order in which it was asked for."""

    __slots__ = ("_heap", "_order", "now")

    def __init__(self) -> None:
        self.now = 0
        self._heap: list[tuple[int, int, Callable[..., object], tuple[Any, ...]]] = []
        self._order = 0

    def at(self, when: int, action: Callable[..., object], *arguments: object) -> None:
        """Do it at `when`; where that has passed already, now."""
        self._order += 1
        heappush(self._heap, (when if when > self.now else self.now, self._order, action, arguments))

    def in_order(self, times: Iterator[int], action: Callable[[], object]) -> None:
        """Do it at each of these times, none of them earlier than the one before, as if all were asked for now.

        Only the next one waits here, so that a million take no more room than one.
        """
        self._next_of(times, action, self._order + 1)
        self._order += MOST_IN_ORDER

    def _next_of(self, times: Iterator[int], action: Callable[[], object], order: int) -> None:
        when = next(times, None)
        if when is not None:
            at = when if when > self.now else self.now
            heappush(self._heap, (at, order, self._do_in_order, (times, action, order)))

    def _do_in_order(self, times: Iterator[int], action: Callable[[], object], order: int) -> None:
        self._next_of(times, action, order + 1)
        action()

    def next_due(self) -> int | None:
        """When the next thing is due; None where nothing is. A wake that was overtaken is no such thing."""
        heap = self._heap
        while heap and type(heap[0][2]) is not MethodType and getattr(heap[0][2], "used", False):
            heappop(heap)
        return heap[0][0] if heap else None

    def step(self) -> None:
        """Do the one thing that is due next, at its time."""
        self.now, _, action, arguments = heappop(self._heap)
        action(*arguments)

    def reach(self, when: int) -> None:
        """Let the time be `when`, if it is not later already; nothing may be due before."""
        self.now = max(self.now, when)

    def run(self, until: int) -> None:
        """Do all that is due up to and at `until`, which is the time then."""
        heap = self._heap
        while heap and heap[0][0] <= until:
            self.now, _, action, arguments = heappop(heap)
            action(*arguments)
        self.now = until
