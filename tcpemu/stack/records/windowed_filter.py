"""The largest, or the least, of what was measured within a window: win_minmax.c.

Kathleen Nichols' filter keeps the best measurement and two later ones that may take its place, each from a part of
the window further on. So it is as small as can be, and what it gives is nearly the best of the window.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True, eq=False)
class WindowedFilter:
    """Three measurements, the best first, each with when it was made."""

    value: int
    """The best within the window."""
    at: int
    second: int
    second_at: int
    third: int
    third_at: int
    largest: bool
    """Whether the largest is the best; else the least is."""

    def reset(self, at: int, measured: int) -> int:
        """Forget all but this one (minmax_reset)."""
        self.value = self.second = self.third = measured
        self.at = self.second_at = self.third_at = at
        return measured

    def take(self, window: int, at: int, measured: int) -> int:
        """Take in one measurement; the best of those not older than `window` (minmax_running_max, _min)."""
        if self._beats(measured, self.value) or at - self.third_at > window:
            return self.reset(at, measured)
        if self._beats(measured, self.second):
            self.second = self.third = measured
            self.second_at = self.third_at = at
        elif self._beats(measured, self.third):
            self.third, self.third_at = measured, at
        self._age(window, at, measured)
        return self.value

    def _beats(self, measured: int, other: int) -> bool:
        return measured >= other if self.largest else measured <= other

    def _age(self, window: int, at: int, measured: int) -> None:
        """Let the later ones take the place of what is too old (minmax_subwin_update)."""
        age = at - self.at
        if age > window:
            self._shift(at, measured)
            if at - self.at > window:
                self._shift(at, measured)
        elif self.second_at == self.at and age > window // 4:
            self.second = self.third = measured
            self.second_at = self.third_at = at
        elif self.third_at == self.second_at and age > window // 2:
            self.third, self.third_at = measured, at

    def _shift(self, at: int, measured: int) -> None:
        self.value, self.at = self.second, self.second_at
        self.second, self.second_at = self.third, self.third_at
        self.third, self.third_at = measured, at


def largest_of(at: int, measured: int) -> WindowedFilter:
    """A filter for the largest, with one measurement."""
    return WindowedFilter(measured, at, measured, at, measured, at, True)


def least_of(at: int, measured: int) -> WindowedFilter:
    """A filter for the least, with one measurement."""
    return WindowedFilter(measured, at, measured, at, measured, at, False)
