"""The congestion window: how much may be under way.

A value with the few hooks that a sender needs; a connection holds one and replaces it. Here is the window
that `reno` has without recovery from loss by duplicate ACKs, in segments (tcp_cong.c: tcp_reno_cong_avoid).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

INFINITE = 0x7FFFFFFF
INITIAL_WINDOW = 10


@dataclass(frozen=True, slots=True)
class Reno:
    """Slow start below `threshold`, then one segment more for each window acknowledged."""

    window: int = INITIAL_WINDOW
    threshold: int = INFINITE
    counted: int = 0
    """Segments acknowledged since the window last grew in congestion avoidance."""

    def acknowledged(self, segments: int, limited: bool) -> Reno:
        """So many segments were acknowledged; the window grows only when it was the limit."""
        if not limited or not segments:
            return self
        if self.window < self.threshold:
            return replace(self, window=min(self.window + segments, self.threshold))
        counted = self.counted + segments
        if counted < self.window:
            return replace(self, counted=counted)
        return replace(self, window=self.window + 1, counted=counted - self.window)

    def timed_out(self) -> Reno:
        """A retransmission timer fired: begin again with one segment (tcp_input.c: tcp_enter_loss)."""
        return replace(self, window=1, threshold=max(self.window >> 1, 2), counted=0)

    def begin(self, first: Reno, troubled: bool) -> Reno:
        """The handshake is over; `troubled` when it took retransmissions (tcp_input.c: tcp_init_transfer)."""
        window = 1 if troubled else first.window
        return self if window == self.window else replace(self, window=window)
