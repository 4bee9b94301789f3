"""Which part a packet plays in its connection: the SYN, the third ACK, the second piece of data, a retransmission.

A role outlives what counting packets does not: take another fault away, and the third ACK of the second client is
still the third ACK of the second client. Roles are told by what passes on the wire, as a capture at the link would:

    syn            the initiator's SYN, each time it is sent
    syn-ack        the answer's SYN|ACK, each time
    third-ack      the initiator's first ACK of the SYN|ACK, with data or without, and its repeats with the same numbers
    data N         the N-th piece of new data of one direction, and its repeats
    ack N          the N-th segment of one direction that is an ACK and nothing else, after the third ACK
    fin, rst       a segment with that flag
    retransmission N   the N-th segment of one direction that repeats numbers sent before, SYNs among them
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tcpemu.stack.base.errors import ConfigurationError
from tcpemu.stack.base.sequence_numbers import add, after
from tcpemu.wire.segment import ACK, FIN, RST, SYN, Address, FlowKey, Segment

PLAIN = ("syn", "syn-ack", "third-ack", "fin", "rst")
NUMBERED = ("data", "ack", "retransmission")
"""Roles of which a connection has one, and those that are counted from 1."""


def parse_role(text: str) -> tuple[str, int]:
    """A role and its number (0 for one that has none): `third-ack`, `data 2`. Raises ConfigurationError."""
    name, _, number = text.strip().partition(" ")
    if name in PLAIN and not number:
        return name, 0
    if name in NUMBERED and (not number or (number.isdecimal() and int(number))):
        return name, int(number or 1)
    raise ConfigurationError(
        f"{text!r} is no part that a packet plays; there are {', '.join(PLAIN)}, and with a number from 1 "
        f"{', '.join(NUMBERED)}: 'data 2'"
    )


@dataclass(slots=True, eq=False)
class _Direction:
    """What one end has sent so far."""

    sender: Address
    highest: int | None = None
    """Where what it has sent ends; None before its SYN."""
    pieces: list[int] = field(default_factory=list)
    """The first number of each piece of new data."""
    acks: int = 0
    repeats: int = 0
    ended: bool = False
    """It has sent a FIN."""


@dataclass(slots=True, eq=False)
class TrackedConnection:
    """One connection as it passes on the wire."""

    initiator: Address
    number: int
    """Which connection of its initiator it is, counted from 1."""
    flow: FlowKey
    """Address and port of the initiator, then those of the other end."""
    there: _Direction
    back: _Direction
    answered: tuple[int, int] | None = None
    """Sequence and acknowledgment number of the third ACK."""
    was_reset: bool = False
    """A RST of it has passed."""

    @property
    def is_over(self) -> bool:
        """Whether it has ended, as far as what has passed tells."""
        return self.was_reset or (self.there.ended and self.back.ended)

    def reset_by(self, initiator: bool) -> Segment:
        """A RST as that end would send it after all that it has sent."""
        address, port, other, other_port = self.flow
        ends = (address, port, other, other_port) if initiator else (other, other_port, address, port)
        sender, receiver = (self.there, self.back) if initiator else (self.back, self.there)
        return Segment(*ends, sender.highest or 0, receiver.highest or 0, RST | ACK, 0)


class Connections:
    """All connections that pass, and the roles of their packets."""

    __slots__ = ("_begun", "_by_flow")

    def __init__(self) -> None:
        self._by_flow: dict[FlowKey, TrackedConnection] = {}
        self._begun: dict[Address, int] = {}

    def meet(self, segment: Segment) -> tuple[TrackedConnection, frozenset[tuple[str, int]]] | None:
        """The connection of a packet and the roles that it plays; None where no SYN of it was seen."""
        connection = self._connection(segment)
        if connection is None:
            return None
        direction = connection.there if segment.src == connection.there.sender else connection.back
        return connection, frozenset(_roles(connection, direction, segment))

    def all(self) -> list[TrackedConnection]:
        """Every connection that has begun, the last of each pair of ends, in the order in which they began."""
        return list(dict.fromkeys(self._by_flow.values()))

    def _connection(self, segment: Segment) -> TrackedConnection | None:
        src, dst = (segment.src, segment.sport), (segment.dst, segment.dport)
        there: FlowKey = (*src, *dst)
        if segment.flags & (SYN | ACK) != SYN:
            return self._by_flow.get(there)
        known = self._by_flow.get(there)
        if known is not None and known.there.highest == add(segment.seq, 1) and not known.answered:
            return known
        number = self._begun[segment.src] = self._begun.get(segment.src, 0) + 1
        connection = TrackedConnection(
            segment.src, number, there, _Direction(segment.src), _Direction(segment.dst)
        )
        self._by_flow[there] = self._by_flow[*dst, *src] = connection
        return connection


def _roles(connection: TrackedConnection, direction: _Direction, segment: Segment) -> set[tuple[str, int]]:
    flags, roles = segment.flags, set()
    end = add(segment.seq, segment.length)
    if segment.length and direction.highest is not None and not after(end, direction.highest):
        direction.repeats += 1
        roles.add(("retransmission", direction.repeats))
    if flags & SYN:
        roles.add(("syn-ack" if flags & ACK else "syn", 0))
    elif direction is connection.there and _is_third_ack(connection, segment):
        roles.add(("third-ack", 0))
    elif flags & ACK and not segment.length and not flags & RST:
        direction.acks += 1
        roles.add(("ack", direction.acks))
    if segment.payload:
        roles.add(("data", _piece(direction, segment)))
    roles |= {(name, 0) for name, flag in (("fin", FIN), ("rst", RST)) if flags & flag}
    if segment.length and (direction.highest is None or after(end, direction.highest)):
        direction.highest = end
    direction.ended = direction.ended or bool(flags & FIN)
    connection.was_reset = connection.was_reset or bool(flags & RST)
    return roles


def _is_third_ack(connection: TrackedConnection, segment: Segment) -> bool:
    """The first ACK of the initiator, or the same again."""
    if not segment.flags & ACK or segment.flags & RST or connection.back.highest is None:
        return False
    numbers = segment.seq, segment.ack
    if connection.answered is None:
        connection.answered = numbers
    return numbers == connection.answered and not (segment.payload and connection.there.acks)


def _piece(direction: _Direction, segment: Segment) -> int:
    """Which piece of data this is, a new one or one that is sent again."""
    if direction.highest is None or not after(direction.highest, segment.seq):
        return _append(direction, segment)
    for number, first in enumerate(direction.pieces, 1):
        if not after(first, segment.seq) and (
            number == len(direction.pieces) or after(direction.pieces[number], segment.seq)
        ):
            return number
    return _append(direction, segment)


def _append(direction: _Direction, segment: Segment) -> int:
    direction.pieces.append(segment.seq)
    return len(direction.pieces)
