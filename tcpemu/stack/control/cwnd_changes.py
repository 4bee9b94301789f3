"""What happens to any congestion window, whatever kind of congestion control moves it."""

from __future__ import annotations

from dataclasses import replace

from tcpemu.stack.base.congestion_hooks import Congestion


def with_cwnd(congestion: Congestion, cwnd: int) -> Congestion:
    """The same with another window."""
    return congestion if cwnd == congestion.cwnd else replace(congestion, cwnd=cwnd)  # type: ignore[type-var]


def with_current_ssthresh(congestion: Congestion) -> Congestion:
    """The same, with a threshold by which it soon grows back to the present window, which is about to be cut."""
    ssthresh = current_ssthresh(congestion, reduces=False)
    return replace(congestion, ssthresh=ssthresh)  # type: ignore[type-var]


def resized_for_mtu(congestion: Congestion, cwnd: int, reduces: bool) -> tuple[Congestion, int]:
    """The same for larger segments, of which as many octets are fewer; and the threshold to go back to."""
    prior = current_ssthresh(congestion, reduces)
    moved = replace(congestion, cwnd=cwnd)  # type: ignore[type-var]
    if not congestion.controls:
        moved = replace(moved, counted=0)  # type: ignore[type-var]
    return replace(moved, ssthresh=current_ssthresh(moved, reduces)), prior  # type: ignore[type-var]


def current_ssthresh(congestion: Congestion, reduces: bool) -> int:
    """The threshold to return to: at least three quarters of the window (tcp.h: tcp_current_ssthresh)."""
    cwnd = congestion.cwnd
    return congestion.ssthresh if reduces else max(congestion.ssthresh, (cwnd >> 1) + (cwnd >> 2))
