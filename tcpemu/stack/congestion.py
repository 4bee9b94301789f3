"""The congestion window: how much may be under way, in segments.

A value with the few hooks that a sender needs; a connection holds one and replaces it. What is common to all
is in `recovery.py`; a kind of congestion control says how far the window comes down after a loss (`reduced`),
and how it grows (`acknowledged`). tcp_cong.c: tcp_reno_cong_avoid, tcp_reno_ssthresh.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol, Self

INFINITE = 0x7FFFFFFF
INITIAL_WINDOW = 10


@dataclass(frozen=True, slots=True)
class Moment:
    """What a window may go by when it grows."""

    jiffies: int
    """The time, in ticks of the kernel's clock."""
    hz: int
    min_rtt: int
    """The shortest round-trip time, in microseconds."""


class Congestion(Protocol):
    """One kind of congestion control, and where it stands."""

    @property
    def window(self) -> int: ...

    @property
    def threshold(self) -> int:
        """Below it the window grows by what is acknowledged."""

    @property
    def needs_moment(self) -> bool:
        """Whether `acknowledged` goes by the clock."""

    def begin(self, first: Congestion, troubled: bool) -> Congestion:
        """The handshake is over; `troubled` when it took retransmissions (tcp_input.c: tcp_init_transfer)."""

    def acknowledged(self, segments: int, limited: bool, moment: Moment | None = None) -> Congestion:
        """So many segments have arrived; the window grows only when it was the limit."""

    def reduced(self) -> Congestion:
        """Something is lost: a lower threshold. The window follows step by step."""

    def timed_out(self, window: int, reduces: bool) -> Congestion:
        """A retransmission timer fired: begin again with this window (tcp_input.c: tcp_enter_loss)."""

    def restored(self, window: int, threshold: int) -> Congestion:
        """Nothing was lost after all: back to what was, if that is more (tcp_input.c: tcp_undo_cwnd_reduction)."""


def with_window(congestion: Congestion, window: int) -> Congestion:
    """The same with another window."""
    return congestion if window == congestion.window else replace(congestion, window=window)  # type: ignore[type-var]


def with_threshold(congestion: Congestion) -> Congestion:
    """The same, to come back soon to the window there is, before that is made smaller."""
    threshold = usual_threshold(congestion, reduces=False)
    return replace(congestion, threshold=threshold)  # type: ignore[type-var]


def usual_threshold(congestion: Congestion, reduces: bool) -> int:
    """The threshold to come back to: at least three quarters of the window (tcp.h: tcp_current_ssthresh)."""
    window = congestion.window
    return congestion.threshold if reduces else max(congestion.threshold, (window >> 1) + (window >> 2))


@dataclass(frozen=True, slots=True)
class Reno:
    """Slow start below `threshold`, then one segment more for each window acknowledged; half after a loss."""

    window: int = INITIAL_WINDOW
    threshold: int = INFINITE
    counted: int = 0
    """Segments acknowledged since the window last grew in congestion avoidance."""
    needs_moment = False

    def begin(self, first: Congestion, troubled: bool) -> Self:
        window = 1 if troubled else first.window
        return self if window == self.window else replace(self, window=window)

    def acknowledged(self, segments: int, limited: bool, moment: Moment | None = None) -> Self:  # noqa: ARG002
        if not limited or not segments:
            return self
        slow = self.slow_start(segments)
        left = segments - (slow.window - self.window)
        return slow.grown(slow.window, left) if left else slow

    def slow_start(self, segments: int) -> Self:
        """tcp_cong.c: tcp_slow_start."""
        if self.window >= self.threshold:
            return self
        return replace(self, window=min(self.window + segments, self.threshold))

    def grown(self, pace: int, segments: int) -> Self:
        """One more for each `pace` segments (tcp_cong.c: tcp_cong_avoid_ai)."""
        window, counted = self.window, self.counted
        if counted >= pace:
            window, counted = window + 1, 0
        counted += segments
        return replace(self, window=window + counted // pace, counted=counted % pace)

    def reduced(self) -> Self:
        return replace(self, threshold=max(self.window >> 1, 2), counted=0)

    def timed_out(self, window: int, reduces: bool) -> Self:
        threshold = self.reduced().threshold if reduces else self.threshold
        return replace(self, window=window, threshold=threshold, counted=0)

    def restored(self, window: int, threshold: int) -> Self:
        return replace(self, window=max(self.window, window), threshold=max(self.threshold, threshold))
