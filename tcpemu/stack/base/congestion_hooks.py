"""Congestion control as the rest of the stack sees it: the hooks that a sender calls.

A kind of congestion control is a value with these hooks; a connection holds one and replaces it. It says how far
the window comes down after a loss (`reduced`), and how it grows (`acknowledged`). One that `controls` does both by
itself, at each ACK, from what the ACK told of the path (`controlled`), and may set the pace too. The kinds are in
`control/`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

KINDS = ("reno", "cubic", "bbr", "dctcp")
"""What tcp_congestion_control may name; `control/registry.py` has what each of them is."""
INFINITE = 0x7FFFFFFF
INITIAL_WINDOW = 10
UNLIMITED_RATE = 2**64 - 1
"""No pace is set (sk_pacing_rate, sk_max_pacing_rate)."""
NO_RTT = 0xFFFFFFFF
"""A round-trip time that was never measured."""


@dataclass(slots=True, eq=False)
class Moment:
    """What a window may go by when it grows."""

    now: int
    """The time in microseconds."""
    jiffies: int
    """The time, in ticks of the kernel's clock."""
    hz: int
    una: int
    """SND.UNA and SND.NXT."""
    nxt: int
    rate: int
    """The pace, in octets per second."""
    paced: bool
    """Segments wait for it."""
    counters: dict[str, int] | None = None
    """What a control counts, by the names of counters."""


@dataclass(slots=True, eq=False)
class Path:
    """What an ACK told of the path (tcp.h: rate_sample), and how the sender stands.

    Times are microseconds, counts are segments, rates octets per second.
    """

    now: int
    jiffies: int
    hz: int
    mss: int
    """Octets of a full segment."""
    srtt: int
    """Eight times the smoothed round-trip time; 0 before the first."""
    min_rtt: int
    """The shortest recent round-trip time, or NO_RTT."""
    in_flight: int
    state: int
    """The state of loss recovery, with the kernel's numbers."""
    total_delivered: int
    total_lost: int
    delivered_at: int
    """When something was last delivered."""
    departs_in: int
    """Until the next segment may leave at this pace."""
    rate: int
    """The pace; a control may set it."""
    max_rate: int
    """SO_MAX_PACING_RATE."""
    limited: bool
    """The application has nothing to send, or had not when what is under way was sent."""
    draw: Callable[[int], int]
    """A number below this one, at random."""
    delivered: int = -1
    """Segments that were delivered in `interval`; -1 where nothing was measured."""
    interval: int = -1
    """The time in which they were, or -1."""
    prior_delivered: int = 0
    """What had been delivered when the latest of these was sent."""
    sample_limited: bool = False
    """The application limited the rate while these were sent."""
    acked: int = 0
    """Segments newly acknowledged or SACKed by this ACK."""
    losses: int = 0
    """Segments newly found lost."""
    rtt: int = -1
    """The round-trip time of the last of what this ACK acknowledges or SACKs, or -1."""
    prior_in_flight: int = 0
    """Segments in flight before this ACK."""
    ack_delayed: bool = False
    """The ACK may have waited as a delayed one."""
    marks_limited: bool = False
    """A control sets this where what is sent now is to count as limited by the application."""


class Congestion(Protocol):
    """One kind of congestion control, and where it stands."""

    @property
    def name(self) -> str:
        """What it is called in tcp_congestion_control and TCP_CONGESTION."""

    @property
    def needs_moment(self) -> bool:
        """Whether `acknowledged` goes by the clock."""

    @property
    def controls(self) -> bool:
        """Whether the window is its own affair at each ACK: `controlled` is called, and no other rule moves it."""

    @property
    def begins(self) -> bool:
        """Whether `begin` has to be called after a handshake that went well."""

    @property
    def needs_ecn(self) -> bool:
        """Whether it goes by the marks that the peer echoes, and all packets are to be ECN-capable."""

    @property
    def cwnd(self) -> int: ...

    @property
    def ssthresh(self) -> int:
        """Below it the window grows by what is acknowledged."""

    def begin(self, cwnd: int, path: Path | None) -> Congestion:
        """The handshake is over, and this is the first window (tcp_input.c: tcp_init_transfer).

        There is a path where it controls. What does not waits for the first data with all that only data needs.
        """

    def timed(self, rtt: int, moment: Moment) -> Congestion:
        """A round-trip time of so many microseconds was measured (pkts_acked); asked where it needs a moment."""

    def controlled(self, path: Path) -> Congestion:
        """An ACK came, where it controls (cong_control): the window now. It may set the pace in `path` too."""

    def sending_restarts(self, path: Path) -> Congestion:
        """Data goes out while nothing is under way, where it controls."""

    def loss_began(self, path: Path) -> None:
        """A time-out has put loss recovery into its state Loss, where it controls."""

    def undone(self, path: Path) -> None:
        """A reduction is taken back, where it controls."""

    def sending_starts(self, now: int, last: int) -> Congestion:
        """Data goes out while nothing is under way; it was last sent at `last`, both in jiffies (CA_EVENT_TX_START)."""

    def acknowledged(self, segments: int, limited: bool, moment: Moment | None = None) -> Congestion:
        """So many segments have arrived; the window grows only when it was the limit."""

    def reduced(self) -> Congestion:
        """Something is lost: a lower threshold. The window follows step by step."""

    def timed_out(self, cwnd: int, reduces: bool, moment: Moment | None = None) -> Congestion:
        """A retransmission timer fired: begin again with this window (tcp_input.c: tcp_enter_loss)."""

    def without_ecn(self) -> Congestion:
        """What takes its place, where it needs ECN and the peer has not agreed to it."""

    def round_begins(self, nxt: int, delivered: int, delivered_ce: int) -> Congestion:
        """A round trip begins at SND.NXT, where it needs ECN: what is delivered so far, and of that with ECE."""

    def marks_echoed(self, una: int, nxt: int, delivered: int, delivered_ce: int) -> Congestion:
        """An ACK came, where it needs ECN (in_ack_event): the same counts now."""

    def recovery_began(self) -> Congestion:
        """Fast retransmit begins, where it needs ECN; `reduced` was asked before."""

    def restored(self, cwnd: int, ssthresh: int) -> Congestion:
        """Nothing was lost after all: back to what was, if that is more (tcp_input.c: tcp_undo_cwnd_reduction)."""
