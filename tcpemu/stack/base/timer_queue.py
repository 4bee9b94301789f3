"""Timers of one host: a heap of deadlines, and how late the kernel's timer wheel would fire them.

What can be armed has a slot `armed`, which holds the number of its valid heap entry, or 0; arming again or
cancelling leaves the old entry to be skipped when it comes up. Entries that nobody wants are swept out
before they outnumber the others, so arming and cancelling cost the same however many timers there are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from heapq import heappop, heappush
from operator import itemgetter
from typing import Any, Protocol, TypeAlias

from tcpemu.stack.base.errors import ConfigurationError
from tcpemu.stack.base.units import SECOND


class Armable(Protocol):
    """Something that can wait for a time."""

    armed: int
    """The number of its valid entry in the queue; 0 when it is not armed."""


class TimerKind(Enum):
    """Which of a connection's timers it is."""

    WRITE = "retransmission and probes"
    DELAYED_ACK = "delayed ACK"
    COMPRESSED_ACK = "one ACK for several duplicates"
    KEEPALIVE = "keepalive, or the end of an orphan in FIN_WAIT2"
    PACING = "pacing"
    LINGER = "the longest that close() waits"


@dataclass(slots=True, eq=False)
class Timer:
    """One of several timers of an owner. What happens when it fires, `dispatch.py` decides by its kind."""

    kind: TimerKind
    owner: Any
    armed: int = 0


WHEEL_RATES = (100, 250, 1000)
Expiry: TypeAlias = Callable[[int, int, int], int]
"""(now, deadline, ticks a second) -> when a timer fires that is armed now for that deadline."""
_SWEEP_FROM = 64


class TimerQueue:
    """Deadlines in order; equal ones fire in the order in which they were armed."""

    __slots__ = ("_entries", "_expiry", "_order", "_stale", "hz")

    def __init__(self, hz: int | None = None, expiry: Expiry | None = None) -> None:
        """`expiry` says how late the kernel's timers are at `hz` ticks a second; without `hz` they are exact."""
        if hz is not None and hz not in WHEEL_RATES:
            raise ConfigurationError(f"hz is {hz}; it can be None (exact timers) or one of {WHEEL_RATES}")
        self.hz = hz
        self._expiry = expiry or wheel_expiry
        self._entries: list[tuple[int, int, Armable]] = []
        self._order = 0
        self._stale = 0

    def arm(self, what: Armable, deadline: int, now: int) -> int:
        """Fire `what` at `deadline`, or as late as the wheel has it. Returns when that is."""
        if self.hz is not None:
            deadline = self._expiry(now, deadline, self.hz)
        self.arm_exactly(what, deadline)
        return deadline

    def arm_exactly(self, what: Armable, deadline: int) -> None:
        """Fire `what` at `deadline`: the kernel's high-resolution timers are not on the wheel (hrtimer)."""
        if what.armed:
            self.cancel(what)
        self._order = order = self._order + 1
        what.armed = order
        heappush(self._entries, (deadline, order, what))

    def cancel(self, what: Armable) -> None:
        """Forget `what`, if it is armed."""
        if what.armed:
            what.armed = 0
            self._stale = stale = self._stale + 1
            if stale > _SWEEP_FROM and stale * 2 > len(self._entries):
                self._sweep()

    def next(self) -> int | None:
        """The next deadline, or None."""
        entries = self._entries
        while entries:
            deadline, order, what = entries[0]
            if what.armed == order:
                return deadline
            heappop(entries)
            self._stale -= 1
        return None

    def pop_due(self, now: int) -> tuple[int, Armable] | None:
        """The first timer due by `now` with its deadline, no longer armed; None when there is none."""
        deadline = self.next()
        if deadline is None or deadline > now:
            return None
        what = heappop(self._entries)[2]
        what.armed = 0
        return deadline, what

    def waiting(self) -> list[tuple[int, Armable]]:
        """Every timer that is armed with its deadline, in the order in which they will fire."""
        armed = (entry for entry in self._entries if entry[2].armed == entry[1])
        return [(deadline, what) for deadline, _, what in sorted(armed, key=itemgetter(0, 1))]

    def _sweep(self) -> None:
        """Most entries are stale: keep the others.

        Sorting costs less than `heapify`, as most timers are armed in the order in which they will be due.
        """
        entries = self._entries
        entries[:] = [entry for entry in entries if entry[2].armed == entry[1]]
        entries.sort()
        self._stale = 0


def wheel_expiry(now: int, deadline: int, hz: int) -> int:
    """When a timer armed at `now` for `deadline` fires on the kernel's timer wheel: late, never early.

    kernel/time/timer.c: calc_wheel_index, Linux 4.8 and later. The further away, the coarser the level:
    8**level jiffies, with 63 jiffies to be told apart in each. The kernel's last level ends beyond 15 days, which no
    timer of TCP comes near: keepalive's, the longest, waits 32767 seconds at most.
    """
    jiffy = SECOND // hz
    current = now // jiffy
    expires = current + -(-(deadline - now) // jiffy)
    delay = expires - current
    # The level is the first whose 63 slots reach that far; a timer fires when its slot is over.
    grain = 1
    limit = 63
    while delay >= limit:
        grain *= 8
        limit *= 8
    return (expires // grain + 1) * grain * jiffy


def tick_expiry(now: int, deadline: int, hz: int) -> int:
    """When it fires where each timer has its own tick: up to a tick early, as the present one has begun already.

    kernel/timer.c: internal_add_timer, Linux 2.6.32.
    """
    jiffy = SECOND // hz
    return (now // jiffy + -(-(deadline - now) // jiffy)) * jiffy


def slack_expiry(now: int, deadline: int, hz: int) -> int:
    """The same with slack: a wait of 256 ticks or more may be longer by a 256th, so that timers meet on one tick.

    kernel/timer.c: apply_slack, Linux 2.6.36 to 4.7. Of the ticks in that span it is the roundest, in binary.
    """
    jiffy = SECOND // hz
    expires = tick_expiry(now, deadline, hz) // jiffy
    latest = expires + max(expires - now // jiffy, 0) // 256
    differ = expires ^ latest
    if not differ:
        return expires * jiffy
    zeros = differ.bit_length() - 1
    return (latest >> zeros << zeros) * jiffy
