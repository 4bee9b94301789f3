"""What a record holds, one value for each thing that happened: a packet passed a point, a host did something, an
application made a call.
"""

from enum import Enum
from typing import NamedTuple, TypeAlias

from tcpemu.stack.base.events import Event, Reason
from tcpemu.wire.segment import FlowKey, Segment

WAITS = "waits"
"""The result of a call that does not end at once; the same call stands in the record again when it ends."""


NO_HOST = "no host has this address"
"""Why a packet is lost that goes to an address that nobody has, or that somebody only claims to have."""
SILENT_ROUTER = ", and no router says so"
"""How the words end for a packet that is lost since it is too large, where no ICMP error tells its sender."""
HOST_IS_OFF = "the host is off"
"""Why a packet is lost that reaches a host after its crash."""
CRASHES, STARTS_AGAIN = "the host crashes", "the host starts again, without its connections"
"""The texts of two calls that no application makes: what a fault does to a host."""
PROGRAM_ENDS = "ends"
"""The text of the call that stands for the end of an application, by itself or by an error."""
MIDDLEBOX = "middlebox"
"""Who sends what a fault puts on its way in the name of a host. It is no node."""
FORGED_RST = Reason(
    "FORGED_RST",
    "a fault: something on the way ends the connection, in the name of the other end",
    "no kernel: a fault of the network",
)


class Point(Enum):
    """Where a packet was seen."""

    SENT = "sent"
    RECEIVED = "received"
    LOST = "lost"


class PacketSeen(NamedTuple):
    """A packet passed a point."""

    at: int
    node: str
    """The node that sent or received it; for a lost packet, the one that sent it."""
    point: Point
    number: int
    """One for each transmission, the same at every point; a copy that a link made has its own."""
    segment: Segment
    why: str = ""
    """How a lost packet was lost."""
    copy_of: int | None = None
    """For a copy that a link made, the number of the packet it is a copy of. A copy was never SENT."""


class HostEvent(NamedTuple):
    """Something happened in a host."""

    at: int
    node: str
    event: Event
    packet: int | None = None
    """For Sent, the packet that was sent; for all else while a packet was received, that packet."""


def packet_seen(
    at: int, node: str, point: Point, number: int, segment: Segment, why: str, copy_of: int | None
) -> PacketSeen:
    """The same as `PacketSeen` with every field given, made faster where many are made."""
    return _new(PacketSeen, (at, node, point, number, segment, why, copy_of))


class Call(NamedTuple):
    """An application made a call, or ended."""

    at: int
    node: str
    application: str
    """Empty for a call from outside of any application."""
    text: str
    """`connect(10.0.0.2:80)`, `recv(100)`, `ends`."""
    result: str
    """`waits`, the name of an errno, or what came of it in words; often empty."""
    flow: FlowKey | None = None
    """The connection that it was made on, or that it gave: remote address and port, local address and port."""
    why: str = ""
    """For one that failed: what stood in its way, where the errno alone does not say it."""


def call_made(
    at: int, node: str, application: str, text: str, result: str, flow: FlowKey | None, why: str
) -> Call:
    """The same as `Call` with every field given, made faster."""
    return _new(Call, (at, node, application, text, result, flow, why))


_new = tuple.__new__

Entry: TypeAlias = PacketSeen | HostEvent | Call
"""Anything that stands in a record. Each has `at`, in nanoseconds of virtual time, and `node`, the name of a host."""
