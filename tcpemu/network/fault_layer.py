"""What faults do to packets as they leave their hosts, before any link sees them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

from tcpemu.network.clock import SECOND
from tcpemu.network.faults import Fault
from tcpemu.network.links import Copy, Flight, Hop
from tcpemu.network.packet_roles import Connections, TrackedConnection, parse_role
from tcpemu.wire.segment import Address

OwnerOf: TypeAlias = Callable[[Address], str | None]
Lose: TypeAlias = Callable[[str, Flight, int, str], None]
"""Tells that a packet of this host is lost, when, and why."""
After: TypeAlias = Callable[[int, Callable[[], None]], None]
"""Does something at a time."""
LONGEST_HOLD = SECOND
"""What is to be overtaken waits so long for another packet."""


@dataclass(slots=True, eq=False)
class _Armed:
    """A fault, and how often it has met its packet in each connection."""

    fault: Fault
    role: tuple[str, int]
    met: dict[TrackedConnection, int] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class _Held:
    """A packet that waits to be overtaken."""

    flight: Flight
    onward: Hop
    gone: bool = False


class FaultLayer:
    """The faults of one network."""

    __slots__ = ("_after", "_armed", "_connections", "_copy", "_held", "_lose", "_owner")

    def __init__(self, owner: OwnerOf, copy: Copy, lose: Lose, after: After) -> None:
        self._owner, self._copy, self._lose, self._after = owner, copy, lose, after
        self._armed: list[_Armed] = []
        self._connections = Connections()
        self._held: dict[tuple[Address, Address], list[_Held]] = {}

    def add(self, fault: Fault) -> None:
        """From now on it meets its packets."""
        self._armed.append(_Armed(fault, parse_role(fault.role)))

    @property
    def unmet(self) -> list[Fault]:
        """The faults that no packet has met so far."""
        return [armed.fault for armed in self._armed if not armed.met]

    def send(self, sender: str, flight: Flight, at: int, onward: Hop) -> None:
        """A packet leaves; `onward` is the way on, for what is not lost."""
        if not self._armed:
            onward(flight, at)
            return
        fault = self._meets(sender, flight)
        ends = flight.segment.src, flight.segment.dst
        if fault is None:
            onward(flight, at)
        elif fault.what == "lose":
            self._lose(sender, flight, at, f"lost by a fault: {fault}")
        elif fault.what == "delay":
            self._after(at + fault.time, lambda: onward(flight, at + fault.time))
        elif fault.what == "duplicate":
            onward(flight, at)
            onward(self._copy(flight), at)
        else:
            self._hold(ends, _Held(flight, onward), at)
            return
        self._let_go(ends, at)

    def _meets(self, sender: str, flight: Flight) -> Fault | None:
        met = self._connections.meet(flight.segment)
        if met is None:
            return None
        connection, roles = met
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
        return fault.of is None or fault.of == self._whose(armed.role[0], sender, connection)

    def _whose(self, role: str, sender: str, connection: TrackedConnection) -> str | None:
        """The host whose packet it is: of the handshake the one that opens the connection, else the sender."""
        return self._owner(connection.initiator) if role in ("syn", "syn-ack", "third-ack") else sender

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
