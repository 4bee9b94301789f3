"""DCTCP: the window comes down by as much as the share of packets that the path has marked (RFC 8257; tcp_dctcp.c).

The peer echoes every mark with ECE and the lack of one without it (`sending/ecn_echo.py` is that side), so the sender
knows how many of its segments were marked. Once each round trip that share, F, goes into an average:

    alpha = (1 - 1/16) * alpha + 1/16 * F        in 1024ths, 1024 to begin with

ECE then brings the window down to cwnd * (1 - alpha/2): a little where few packets were marked, by half where all
were. A loss halves it as with Reno, and so it grows. All packets of such a connection are ECN-capable, SYNs and ACKs
too. Where the peer does not agree to ECN, there is Reno in its place, which Linux then calls dctcp-reno.

The module's parameters have their defaults: dctcp_shift_g 4, dctcp_alpha_on_init 1024.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

from tcpemu.stack.base.sequence_numbers import before
from tcpemu.stack.control.reno import Reno

_SHIFT_G = 4
MAX_ALPHA = 1024


@dataclass(frozen=True, slots=True)
class DctcpReno(Reno):
    """What DCTCP is without ECN."""

    @property
    def name(self) -> str:
        return "dctcp-reno"


@dataclass(frozen=True, slots=True)
class Dctcp(Reno):
    """Slow start below `ssthresh`, then as Reno; down by half of `alpha` where marks are echoed."""

    alpha: int = MAX_ALPHA
    """The average share of segments that were marked, in 1024ths."""
    round_end: int = 0
    """SND.NXT when this round trip began (next_seq)."""
    delivered: int = 0
    """Segments delivered by then, and those whose ACK echoed a mark."""
    delivered_ce: int = 0
    loss_cwnd: int = 0
    """The window before it came down last, to go back to."""

    @property
    def name(self) -> str:
        return "dctcp"

    @property
    def begins(self) -> bool:
        return True

    @property
    def needs_ecn(self) -> bool:
        return True

    def without_ecn(self) -> Reno:
        return DctcpReno(self.cwnd, self.ssthresh)

    def round_begins(self, nxt: int, delivered: int, delivered_ce: int) -> Self:
        """dctcp_init, dctcp_reset."""
        return replace(self, round_end=nxt, delivered=delivered, delivered_ce=delivered_ce)

    def marks_echoed(self, una: int, nxt: int, delivered: int, delivered_ce: int) -> Self:
        """Once a round trip the share of marks goes into the average (dctcp_update_alpha)."""
        if before(una, self.round_end):
            return self
        alpha = self.alpha - ((self.alpha >> _SHIFT_G) or self.alpha)
        marked = delivered_ce - self.delivered_ce
        if marked:
            share = (marked << (10 - _SHIFT_G)) // max(1, delivered - self.delivered)
            alpha = min(alpha + share, MAX_ALPHA)
        return replace(self, alpha=alpha, round_end=nxt, delivered=delivered, delivered_ce=delivered_ce)

    def moved(self, cwnd: int, counted: int) -> Self:
        return type(self)(
            cwnd,
            self.ssthresh,
            counted,
            self.alpha,
            self.round_end,
            self.delivered,
            self.delivered_ce,
            self.loss_cwnd,
        )

    def reduced(self) -> Self:
        """dctcp_ssthresh."""
        ssthresh = max(self.cwnd - (self.cwnd * self.alpha >> 11), 2)
        return replace(self, ssthresh=ssthresh, loss_cwnd=self.cwnd, counted=0)

    def recovery_began(self) -> Self:
        """A loss halves the window, whatever the marks say (dctcp_react_to_loss)."""
        return replace(self, ssthresh=max(self.cwnd >> 1, 2), loss_cwnd=self.cwnd)

    def timed_out(self, cwnd: int, reduces: bool, moment: object = None) -> Self:  # noqa: ARG002
        return replace(self.recovery_began() if reduces else self, cwnd=cwnd, counted=0)

    def restored(self, cwnd: int, ssthresh: int) -> Self:  # noqa: ARG002
        """Back to the window before the last reduction, whichever that was (dctcp_cwnd_undo)."""
        return replace(self, cwnd=max(self.cwnd, self.loss_cwnd), ssthresh=max(self.ssthresh, ssthresh))
