"""CUBIC: the window grows back along a cubic curve, whose flat part lies where the last loss was (RFC 9438).

    W(t) = origin + 0.4 * (t - inflection)**3        t in seconds since the curve began, W in segments

After a loss the window is seven tenths of `last_max`, the window at the loss. The curve rises fast, gets flat at
`origin` (= `last_max`) after `inflection`, and then ever steeper, to see whether there is more room. With each ACK
`_look` asks where the curve will be one round trip from now, and turns the way there into `pace`: for so many segments
acknowledged the window grows by one. Where Reno would have got further, its window counts (`_no_slower_than_reno`).

Slow start ends at a loss, or before one when ACKs tell that the path is full (`hystart.py`).

tcp_cubic.c, Linux 6.18, with its arithmetic of whole numbers. Times of the curve are 1024ths of a second (`<< 10`), so
a cube of them is `>> 30` of a second's, and another `>> 10` takes the 1024ths out of the steepness.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

from tcpemu.stack.base.congestion_hooks import Moment
from tcpemu.stack.control.hystart import HyStart, round_begins, round_trip
from tcpemu.stack.control.reno import Reno

_BETA, _SCALE = 717, 1024
_STEEPNESS = 410
"""Of the curve: C = 0.4 in 1024ths, ten times bic_scale."""
_CUBE_FACTOR = (1 << 40) // _STEEPNESS
"""The cube of the time to the flat part, for each segment that the window is below it."""
_FRIENDLY = 8 * (_SCALE + _BETA) // 3 // (_SCALE - _BETA)
"""Reno's window grows by one for so many eighths of a window, once it comes down to seven tenths too (beta_scale)."""
_EARLY_PACE = 20
"""Before any loss the window grows by a twentieth each round trip at least."""


def cubic_root(value: int) -> int:
    """The whole part of the cubic root, by Newton's method (the kernel's is off by up to a fifth of a percent)."""
    root = 1 << -(-value.bit_length() // 3)
    while value and (closer := (2 * root + value // (root * root)) // 3) < root:
        root = closer
    return root if value else 0


@dataclass(frozen=True, slots=True)
class Cubic(Reno):
    """Slow start below `ssthresh`, then along the curve; seven tenths after a loss."""

    last_max: int = 0
    """The window at the last loss."""
    epoch: int | None = None
    """When the present curve began, in jiffies."""
    inflection: int = 0
    """From there to its flat part."""
    origin: int = 0
    """The window at its flat part."""
    pace: int = 0
    """The window grows by one for so many segments."""
    looked_at: int = 0
    looked_window: int = 0
    arrived: int = 0
    """Segments since the curve began, for what Reno would have made of them."""
    reno_window: int = 0
    train: HyStart | None = None
    """How ACKs come in slow start; None before the first measurement."""

    @property
    def name(self) -> str:
        return "cubic"

    @property
    def needs_moment(self) -> bool:
        return True

    def timed(self, rtt: int, moment: Moment) -> Self:
        """A round trip tells whether slow start has filled the path (cubictcp_acked)."""
        if rtt < 0 or (self.epoch and moment.jiffies - self.epoch < moment.hz):
            return self
        # A round that begins with the first measurement is one that it ends: the handshake need not begin one.
        train = self.train or round_begins(moment)
        following = self if train is self.train else self.moved(self.cwnd, self.counted, train=train)
        over = round_trip(train, rtt, moment, self.cwnd, self.cwnd < self.ssthresh)
        return replace(following, ssthresh=self.cwnd) if over else following

    def sending_starts(self, now: int, last: int) -> Self:
        """A pause is no part of the curve, which begins later by as much (cubictcp_cwnd_event)."""
        if self.epoch is None or now <= last:
            return self
        return replace(self, epoch=min(self.epoch + now - last, now))

    def acknowledged(self, segments: int, limited: bool, moment: Moment | None = None) -> Self:
        assert moment is not None
        if not limited or not segments:
            return self
        slow = self.slow_start(segments)
        left = segments - (slow.cwnd - self.cwnd)
        if not left:
            return slow
        following = slow._look(left, moment)
        return following.grown(following.pace, left)

    def moved(
        self, cwnd: int, counted: int, arrived: int | None = None, train: HyStart | None = None
    ) -> Self:
        return type(self)(
            cwnd,
            self.ssthresh,
            counted,
            self.last_max,
            self.epoch,
            self.inflection,
            self.origin,
            self.pace,
            self.looked_at,
            self.looked_window,
            self.arrived if arrived is None else arrived,
            self.reno_window,
            self.train if train is None else train,
        )

    def _look(self, segments: int, moment: Moment) -> Self:
        """Where the curve is now, and how fast to follow it (bictcp_update)."""
        counted = self.moved(self.cwnd, self.counted, self.arrived + segments)
        # At most 32 times a second while the window stays, and once a jiffy, as the kernel saves work.
        if self.looked_window == self.cwnd and moment.jiffies - self.looked_at <= moment.hz // 32:
            return counted
        if self.epoch is None or moment.jiffies != self.looked_at:
            counted = counted._along(segments, moment)
        return counted._no_slower_than_reno()

    def _along(self, segments: int, moment: Moment) -> Self:
        """The pace that leads to the curve's place one round trip from now."""
        curve = self if self.epoch is not None else self._new_curve(segments, moment)
        assert curve.epoch is not None
        cwnd = self.cwnd
        shortest = self.train.shortest if self.train is not None else 0
        ahead = -(-shortest * moment.hz // 1_000_000)
        at = ((moment.jiffies - curve.epoch + ahead) << 10) // moment.hz
        rise = _STEEPNESS * abs(at - curve.inflection) ** 3 >> 40
        target = curve.origin - rise if at < curve.inflection else curve.origin + rise
        # Above the curve the window hardly grows: by one in a hundred round trips.
        pace = cwnd // (target - cwnd) if target > cwnd else 100 * cwnd
        if not curve.last_max:
            pace = min(pace, _EARLY_PACE)
        return replace(curve, pace=pace, looked_at=moment.jiffies, looked_window=cwnd)

    def _new_curve(self, segments: int, moment: Moment) -> Self:
        """A curve that begins now, at this window."""
        gap = max(self.last_max - self.cwnd, 0)
        return replace(
            self,
            epoch=moment.jiffies,
            arrived=segments,
            reno_window=self.cwnd,
            inflection=cubic_root(_CUBE_FACTOR * gap),
            origin=max(self.last_max, self.cwnd),
        )

    def _no_slower_than_reno(self) -> Self:
        """Follow Reno where it would have a larger window by now; at most one more for each two segments."""
        step = self.cwnd * _FRIENDLY >> 3
        steps = max(self.arrived - 1, 0) // step
        reno = self.reno_window + steps
        pace = min(self.pace, self.cwnd // (reno - self.cwnd)) if reno > self.cwnd else self.pace
        return replace(self, arrived=self.arrived - steps * step, reno_window=reno, pace=max(pace, 2))

    def reduced(self) -> Self:
        """A second loss below the first leaves room for others: fast convergence (cubictcp_recalc_ssthresh)."""
        cwnd = self.cwnd
        below = cwnd < self.last_max
        return replace(
            self,
            ssthresh=max(cwnd * _BETA // _SCALE, 2),
            counted=0,
            epoch=None,
            last_max=cwnd * (_SCALE + _BETA) // (2 * _SCALE) if below else cwnd,
        )

    def timed_out(self, cwnd: int, reduces: bool, moment: Moment | None = None) -> Self:
        """All that is known of the curve is forgotten (cubictcp_state)."""
        ssthresh = self.reduced().ssthresh if reduces else self.ssthresh
        train = round_begins(moment) if moment is not None and self.train is not None else None
        return type(self)(cwnd=cwnd, ssthresh=ssthresh, train=train)
