"""Reno: slow start, then one segment more each round trip; half after a loss (RFC 5681; tcp_cong.c)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

from tcpemu.stack.base.congestion_hooks import INFINITE, INITIAL_WINDOW, Moment, Path
from tcpemu.stack.control.unconcerned import Unconcerned


@dataclass(frozen=True, slots=True)
class Reno(Unconcerned):
    """Slow start below `ssthresh`, then one segment more for each window acknowledged; half after a loss."""

    cwnd: int = INITIAL_WINDOW
    ssthresh: int = INFINITE
    counted: int = 0
    """Segments acknowledged since the window last grew in congestion avoidance."""

    @property
    def name(self) -> str:
        return "reno"

    def begin(self, cwnd: int, path: Path | None) -> Self:  # noqa: ARG002
        """The first window; a threshold that a SYN's time-out has lowered is forgotten (tcp_init_metrics)."""
        unchanged = cwnd == self.cwnd and self.ssthresh == INFINITE
        return self if unchanged else replace(self, cwnd=cwnd, ssthresh=INFINITE)

    def acknowledged(self, segments: int, limited: bool, moment: Moment | None = None) -> Self:  # noqa: ARG002
        if not limited or not segments:
            return self
        slow = self.slow_start(segments)
        left = segments - (slow.cwnd - self.cwnd)
        return slow.grown(slow.cwnd, left) if left else slow

    def slow_start(self, segments: int) -> Self:
        """tcp_cong.c: tcp_slow_start."""
        if self.cwnd >= self.ssthresh:
            return self
        return self.moved(min(self.cwnd + segments, self.ssthresh), self.counted)

    def grown(self, pace: int, segments: int) -> Self:
        """One more for each `pace` segments (tcp_cong.c: tcp_cong_avoid_ai)."""
        cwnd, counted = self.cwnd, self.counted
        if counted >= pace:
            cwnd, counted = cwnd + 1, 0
        counted += segments
        return self.moved(cwnd + counted // pace, counted % pace)

    def moved(self, cwnd: int, counted: int) -> Self:
        """The same with another window. Not by `replace`, which goes through all fields by name at each ACK."""
        return type(self)(cwnd, self.ssthresh, counted)

    def reduced(self) -> Self:
        return replace(self, ssthresh=max(self.cwnd >> 1, 2), counted=0)

    def timed_out(self, cwnd: int, reduces: bool, moment: Moment | None = None) -> Self:  # noqa: ARG002
        ssthresh = self.reduced().ssthresh if reduces else self.ssthresh
        return replace(self, cwnd=cwnd, ssthresh=ssthresh, counted=0)

    def without_ecn(self) -> Reno:
        return self

    def restored(self, cwnd: int, ssthresh: int) -> Self:
        return replace(self, cwnd=max(self.cwnd, cwnd), ssthresh=max(self.ssthresh, ssthresh))
