"""A peer that receives what the host sends on one connection, over a path that is slow and loses, and acknowledges it.

A trace asks for one by its key `reactive`, an object with these keys:

    port     the peer's port
    rtt      seconds, there and back; half of it each way
    gap      seconds from one packet to the next on the path at least, as a narrow link has it
    queue    packets that wait in front of that link at most; more are lost
    drop     the packets that are lost, by their number from 0 on; `loss` is the chance of any other to be
    late     {"number": seconds} by which a packet is overtaken
    seed     of that chance
    every    an ACK for so many segments in order, 2 if not given; `delack` is how long it waits for them, 0.04 s
    sack     1: it tells what lies beyond holes, and duplicates (RFC 2018, RFC 2883)
    ts       1: it has timestamps, from `tsbase` on
    win      the window that it offers, 65535 if not given
    seq      its own sequence number, 1 if not given
    lport    the host's port

What it has done stands in the steps of the answered trace, which has no `reactive`: it can be answered by whom it may.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from heapq import heappop, heappush
from random import Random
from typing import Any, TypeAlias

from tcpemu.kernel.kernel_errors import StepError

ModelStep: TypeAlias = list[Any]
Block: TypeAlias = tuple[int, int]

_KEYS = frozenset(
    ("port", "rtt", "gap", "queue", "drop", "loss", "late", "seed", "every", "delack", "sack", "ts", "tsbase")
) | {"win", "seq", "lport"}
_BETWEEN_ACKS = 0.0015
"""Seconds: nearer to each other two of its ACKs would come in one step of the clock."""


@dataclass(order=True, frozen=True, slots=True)
class _Arrival:
    at: float
    number: int
    seq: int = field(compare=False)
    end: int = field(compare=False)
    stamp: int | None = field(compare=False)


class ModelReceiver:
    """The path and the receiver at its end."""

    def __init__(self, settings: dict[str, Any]) -> None:
        if unknown := sorted(settings.keys() - _KEYS):
            raise StepError(f"reactive: unknown key {unknown[0]!r}; there are {', '.join(sorted(_KEYS))}")
        if missing := {"port", "rtt"} - settings.keys():
            raise StepError(f"reactive: {', '.join(sorted(missing))} must be given")
        self.settings = settings
        self.port: int = settings["port"]
        self._half = settings["rtt"] / 2
        self._chance = Random(settings.get("seed", 0))
        self._count = self._order = 0
        self._free = 0.0
        self._arriving: list[_Arrival] = []
        self._acks: list[tuple[float, int, ModelStep]] = []
        self._nxt = 1
        self._beyond: list[Block] = []
        """What lies beyond holes, the newest first."""
        self._echo = 0
        self._unacked = 0
        self._delayed: float | None = None
        self._last_ack = 0.0

    # --- the path ---------------------------------------------------------------------------------

    def sent(self, at: float, packet: dict[str, Any]) -> None:
        """The host has sent a packet; only data and FIN of its connection are of interest."""
        length = packet["len"] + ("F" in packet["flags"])
        if (
            packet["out"] != self.port
            or not length
            or "S" in packet["flags"]
            or not isinstance(packet["seq"], int)
        ):
            return
        number, self._count = self._count, self._count + 1
        if number in self.settings.get("drop", ()) or self._chance.random() < self.settings.get("loss", 0):
            return
        waiting = sum(one.at > at + self._half for one in self._arriving)
        if waiting >= self.settings.get("queue", waiting + 1):
            return
        self._free = max(self._free + self.settings.get("gap", 0.0), at + self._half)
        arrives = self._free + self.settings.get("late", {}).get(str(number), 0.0)
        stamp = next((option[1] for option in packet["opts"] if option[0] == "TS"), None)
        heappush(self._arriving, _Arrival(arrives, number, packet["seq"], packet["seq"] + length, stamp))

    # --- the receiver -----------------------------------------------------------------------------

    def next_time(self) -> float | None:
        """When it has something to do."""
        times = (self._acks[0][0] if self._acks else None, self._next_event())
        return min((time for time in times if time is not None), default=None)

    def steps_due(self, now: float) -> list[ModelStep]:
        """What it does by now: ACKs that reach the host, as steps of a trace."""
        while (at := self._next_event()) is not None and at <= now:
            if at == self._delayed:
                self._acknowledge(at, None)
            else:
                self._receive(heappop(self._arriving))
        due = []
        while self._acks and self._acks[0][0] <= now:
            due.append(heappop(self._acks)[2])
        return due

    def _next_event(self) -> float | None:
        """When a packet reaches it, or an ACK has waited for long enough."""
        times = (self._arriving[0].at if self._arriving else None, self._delayed)
        return min((time for time in times if time is not None), default=None)

    def _receive(self, packet: _Arrival) -> None:
        if packet.end <= self._nxt:
            self._acknowledge(packet.at, (packet.seq, packet.end))
        elif packet.seq <= self._nxt:
            self._in_order(packet)
        elif any(left <= packet.seq and packet.end <= right for left, right in self._beyond):
            self._acknowledge(packet.at, (packet.seq, packet.end))
        else:
            self._keep(packet.seq, packet.end)
            self._acknowledge(packet.at, None)

    def _in_order(self, packet: _Arrival) -> None:
        if packet.stamp is not None:
            self._echo = packet.stamp
        holes = bool(self._beyond)
        self._nxt = packet.end
        while joined := [block for block in self._beyond if block[0] <= self._nxt]:
            self._nxt = max(self._nxt, *(right for _, right in joined))
            self._beyond = [block for block in self._beyond if block not in joined]
        self._unacked += 1
        if holes or self._unacked >= self.settings.get("every", 2):
            self._acknowledge(packet.at, None)
        elif self._delayed is None:
            self._delayed = packet.at + self.settings.get("delack", 0.04)

    def _keep(self, seq: int, end: int) -> None:
        touching = [block for block in self._beyond if block[0] <= end and seq <= block[1]]
        seq, end = min([seq, *(left for left, _ in touching)]), max([end, *(right for _, right in touching)])
        self._beyond = [(seq, end), *(block for block in self._beyond if block not in touching)]

    def _acknowledge(self, at: float, duplicate: Block | None) -> None:
        self._unacked, self._delayed = 0, None
        arrives = round(max(at + self._half, self._last_ack + _BETWEEN_ACKS), 3)
        self._last_ack = arrives
        options: list[Any] = []
        if self.settings.get("ts"):
            clock = self.settings.get("tsbase", 100) + int(arrives * 1000)
            options += [["nop"], ["nop"], ["TS", clock, self._echo]]
        blocks = ([duplicate] if duplicate else []) + self._beyond
        if self.settings.get("sack") and blocks:
            options += [["nop"], ["nop"], ["sack", [list(block) for block in blocks[:3]]]]
        more = {"win": self.settings.get("win", 65535), "opts": options}
        if "lport" in self.settings:
            more["lport"] = self.settings["lport"]
        self._order += 1
        step = [arrives, "in", self.port, "A", self.settings.get("seq", 1), self._nxt, more]
        heappush(self._acks, (arrives, self._order, step))
