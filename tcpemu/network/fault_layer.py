"""What faults do: to packets as they leave their hosts, before any link sees them, and to hosts at their time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

from tcpemu.network.clock import SECOND
from tcpemu.network.faults import PACKET_FAULTS, Fault
from tcpemu.network.links import Copy, Flight, Hop
from tcpemu.network.packet_roles import Connections, TrackedConnection, parse_role
from tcpemu.stack.base.ip_families import is_loopback
from tcpemu.wire.segment import Address, Segment

OwnerOf: TypeAlias = Callable[[Address], str | None]
Lose: TypeAlias = Callable[[str, Flight, int, str], None]
"""Tells that a packet of this host is lost, when, and why."""
After: TypeAlias = Callable[[int, Callable[[], None]], None]
"""Does something at a time."""
Forge: TypeAlias = Callable[[str, Segment], None]
"""Puts a segment on its way in the name of that host."""
Switch: TypeAlias = Callable[[str, bool], None]
Reject: TypeAlias = Callable[[str, Flight, int, str], None]
"""Sender, packet, time, and what a router says of it."""
"""Turns a host off, or on again."""
LONGEST_HOLD = SECOND
"""What is to be overtaken waits so long for another packet."""


@dataclass(slots=True, eq=False)
class _Armed:
    """A fault that meets packets of a role, and how often it has in each connection."""

    fault: Fault
    role: tuple[str, int]
    met: dict[TrackedConnection, int] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class _Timed:
    """A fault that comes at a time."""

    fault: Fault
    met: bool = False


@dataclass(slots=True, eq=False)
class _Held:
    """A packet that waits to be overtaken."""

    flight: Flight
    onward: Hop
    gone: bool = False


class FaultLayer:
    """The faults of one network."""

    __slots__ = (
        "_active",
        "_after",
        "_armed",
        "_connections",
        "_copy",
        "_cuts",
        "_forge",
        "_held",
        "_lose",
        "_owner",
        "_reject",
        "_switch",
        "_timed",
    )

    def __init__(
        self,
        owner: OwnerOf,
        copy: Copy,
        lose: Lose,
        after: After,
        forge: Forge,
        switch: Switch,
        reject: Reject,
    ) -> None:
        self._owner, self._copy, self._lose, self._after = owner, copy, lose, after
        self._forge, self._switch, self._reject = forge, switch, reject
        self._armed: list[_Armed] = []
        self._timed: list[_Timed] = []
        self._cuts: list[_Timed] = []
        """Those of them that cut."""
        self._active = False
        """Whether there is any fault that packets are looked at for."""
        self._connections = Connections()
        self._held: dict[tuple[Address, Address], list[_Held]] = {}

    def add(self, fault: Fault) -> None:
        """From now on it meets its packets, or comes at its time."""
        if fault.what in PACKET_FAULTS:
            self._armed.append(_Armed(fault, parse_role(fault.role)))
        else:
            self._add_timed(_Timed(fault))
        self._active = self._active or fault.what != "crash"

    def _add_timed(self, timed: _Timed) -> None:
        fault = timed.fault
        assert fault.at is not None
        self._timed.append(timed)
        if fault.what == "cut":
            self._cuts.append(timed)
        elif fault.what == "reset":
            self._after(fault.at, lambda: self._reset(timed))
        else:
            self._after(fault.at, lambda: self._crash(timed))

    @property
    def unmet(self) -> list[Fault]:
        """The faults that have met nothing so far."""
        unmet = [armed.fault for armed in self._armed if not armed.met]
        return unmet + [timed.fault for timed in self._timed if not timed.met]

    def send(self, sender: str, flight: Flight, at: int, onward: Hop) -> None:
        """A packet leaves; `onward` is the way on, for what is not lost."""
        if not self._active:
            onward(flight, at)
            return
        fault = self._meets(sender, flight, at)
        ends = flight.segment.src, flight.segment.dst
        if fault is None:
            onward(flight, at)
        elif fault.what in ("lose", "cut"):
            self._lose(sender, flight, at, f"lost by a fault: {fault}")
        elif fault.what == "reject":
            self._lose(sender, flight, at, f"lost by a fault: {fault}")
            self._reject(sender, flight, at, fault.says)
        elif fault.what == "delay":
            self._after(at + fault.time, lambda: onward(flight, at + fault.time))
        elif fault.what == "duplicate":
            onward(flight, at)
            onward(self._copy(flight), at)
        else:
            self._hold(ends, _Held(flight, onward), at)
            return
        self._let_go(ends, at)

    def _meets(self, sender: str, flight: Flight, at: int) -> Fault | None:
        met = self._connections.meet(flight.segment)
        connection, roles = (None, frozenset()) if met is None else met
        for timed in self._cuts:
            if self._is_cut(timed.fault, sender, flight.segment, connection, at):
                timed.met = True
                return timed.fault
        if connection is None:
            return None
        found = [armed for armed in self._armed if self._is_meant(armed, sender, connection, roles)]
        for armed in found:
            armed.met[connection] = armed.met.get(connection, 0) + 1
        return found[0].fault if found else None

    def _is_meant(
        self, armed: _Armed, sender: str, connection: TrackedConnection, roles: Iterable[tuple[str, int]]
    ) -> bool:
        fault = armed.fault
        if armed.role not in roles or armed.met.get(connection, 0) >= fault.times:
            return False
        if fault.by not in (None, sender) or fault.connection not in (None, connection.number):
            return False
        return fault.of is None or fault.of == self._whose(armed.role[0], fault, sender, connection)

    def _whose(self, role: str, fault: Fault, sender: str, connection: TrackedConnection) -> str | None:
        """The host whose packet it is.

        Of the handshake the one that opens the connection; else the sender, or where that is named, either end.
        """
        if role in ("syn", "syn-ack", "third-ack"):
            return self._owner(connection.initiator)
        return fault.of if fault.by is not None and self._is_end(fault.of, connection) else sender

    def _is_end(self, host: str | None, connection: TrackedConnection) -> bool:
        address, _, other, _ = connection.flow
        return host in (self._owner(address), self._owner(other))

    # At a time.

    def _is_cut(
        self, fault: Fault, sender: str, segment: Segment, connection: TrackedConnection | None, at: int
    ) -> bool:
        assert fault.at is not None
        if not fault.at <= at or (fault.until is not None and at >= fault.until) or is_loopback(segment.dst):
            return False
        if fault.by not in (None, sender):
            return False
        if fault.connection is not None:
            return connection is not None and self._is_of(fault, connection)
        return fault.of is None or fault.of in (sender, self._owner(segment.dst))

    def _is_of(self, fault: Fault, connection: TrackedConnection) -> bool:
        """Whether a fault at a time is about this connection."""
        if fault.connection is None:
            return fault.of is None or self._is_end(fault.of, connection)
        opened = fault.of is None or fault.of == self._owner(connection.initiator)
        return opened and fault.connection == connection.number

    def _reset(self, timed: _Timed) -> None:
        fault = timed.fault
        for connection in self._connections.all():
            if connection.is_over or not self._is_of(fault, connection):
                continue
            address, _, other, _ = connection.flow
            for end, initiator in ((address, True), (other, False)):
                host = self._owner(end)
                if host is not None and fault.by in (None, host):
                    timed.met = True
                    self._forge(host, connection.reset_by(initiator))

    def _crash(self, timed: _Timed) -> None:
        fault = timed.fault
        assert fault.of is not None
        timed.met = True
        self._switch(fault.of, False)
        if fault.until is not None:
            host = fault.of
            self._after(fault.until, lambda: self._switch(host, True))

    # Packets that wait.

    def _hold(self, ends: tuple[Address, Address], held: _Held, at: int) -> None:
        self._held.setdefault(ends, []).append(held)

        def alone() -> None:
            if not held.gone:
                held.gone = True
                held.onward(held.flight, at + LONGEST_HOLD)

        self._after(at + LONGEST_HOLD, alone)

    def _let_go(self, ends: tuple[Address, Address], at: int) -> None:
        for held in self._held.pop(ends, ()):
            if not held.gone:
                held.gone = True
                # One nanosecond behind what overtakes it.
                held.onward(held.flight, at + 1)
