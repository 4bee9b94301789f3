"""Congestion control as the rest of the stack sees it: the hooks that a sender calls.

A kind of congestion control is a value with these hooks; a connection holds one and replaces it. It says how far
the window comes down after a loss (`reduced`), and how it grows (`acknowledged`). The kinds are in `control/`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

KINDS = ("reno", "cubic")
"""What tcp_congestion_control may name; `control/registry.py` has what each of them is."""
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
    def cwnd(self) -> int: ...

    @property
    def ssthresh(self) -> int:
        """Below it the window grows by what is acknowledged."""

    @property
    def needs_moment(self) -> bool:
        """Whether `acknowledged` goes by the clock."""

    def begin(self, first: Congestion, troubled: bool) -> Congestion:
        """The handshake is over; `troubled` when it took retransmissions (tcp_input.c: tcp_init_transfer)."""

    def sending_starts(self, now: int, last: int) -> Congestion:
        """Data goes out while nothing is under way; it was last sent at `last`, both in jiffies (CA_EVENT_TX_START)."""

    def acknowledged(self, segments: int, limited: bool, moment: Moment | None = None) -> Congestion:
        """So many segments have arrived; the window grows only when it was the limit."""

    def reduced(self) -> Congestion:
        """Something is lost: a lower threshold. The window follows step by step."""

    def timed_out(self, cwnd: int, reduces: bool) -> Congestion:
        """A retransmission timer fired: begin again with this window (tcp_input.c: tcp_enter_loss)."""

    def restored(self, cwnd: int, ssthresh: int) -> Congestion:
        """Nothing was lost after all: back to what was, if that is more (tcp_input.c: tcp_undo_cwnd_reduction)."""
