"""What is kept of one connection of a capture: fields only. `follow_segments.py` fills them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

from tcpemu.wire.segment import Address, FlowKey, Segment, endpoint_text

MOST_GAPS = 64
MOST_MOMENTS = 16
"""Of SYNs and the like: the first so many are kept one by one, the others counted."""


LONG_IDLE = 1_000_000_000
"""Nanoseconds without a segment that are worth a word."""


class Moment(NamedTuple):
    """When and where something was seen."""

    frame: int
    at: int


class Before(NamedTuple):
    """The segment ahead of another one of its connection."""

    frame: int
    at: int
    by_client: bool
    flags: int
    length: int
    ack: int


class IcmpNote(NamedTuple):
    """An ICMP error about a segment of a connection."""

    frame: int
    at: int
    by_client: bool
    """The client had sent that segment."""
    source: Address
    """Who says so."""
    says: str
    too_large: bool
    """It says that the packet was larger than the next link's MTU."""


class ResetForm(NamedTuple):
    """What a RST looked like, and what it came after."""

    has_ack: bool
    seq: int
    window: int
    after: Before | None
    probes: int = 0
    """Probes that its sender had sent in vain."""


class Guess(Enum):
    """How it is known which end is the client."""

    SYN = "its SYN"
    SYN_ACK = "the SYN|ACK of the other end"
    PORT = "its port, the larger one"


class Fate(Enum):
    """What became of a connection, as far as the capture goes."""

    UNANSWERED = "unanswered"
    REFUSED = "refused"
    HALF_OPEN = "never completed"
    RESET = "reset"
    CLOSED = "closed"
    HALF_CLOSED = "half closed"
    OPEN = "open at the end"


@dataclass(slots=True, eq=False)
class FlowSide:
    """One end of a connection, by what it was seen to send."""

    address: Address
    port: int
    frames: int = 0
    octets: int = 0
    """Of payload, those sent again among them."""
    isn: int | None = None
    """The number of its SYN; None where that was not seen."""
    mss: int | None = None
    wscale: int | None = None
    timestamps: bool = False
    next: int | None = None
    """The number behind all that it was seen to send, or that the other end has acknowledged."""
    acked: int | None = None
    """The last number that it has acknowledged."""
    syns: list[Moment] = field(default_factory=list)
    """Its SYNs, and SYN|ACKs: the first MOST_MOMENTS."""
    syn_count: int = 0
    fin: Moment | None = None
    fin_end: int = 0
    """The number behind its FIN."""
    fin_count: int = 0
    reset: Moment | None = None
    reset_count: int = 0
    vain_resets: int = 0
    """RSTs after which this end went on all the same: somebody else has sent them, or they belong to another time."""
    silent_repeats: int = 0
    """Of the segments below those since the other end was last heard."""
    repeats: int = 0
    """Segments with data that had all been seen before."""
    first_repeat: Moment | None = None
    repeated_octets: int = 0
    """Of payload, those that had been seen before."""
    gaps: list[tuple[int, int]] = field(default_factory=list)
    """Numbers below `next` that were not seen, each from the first to the one behind: MOST_GAPS at most."""
    silent_probes: int = 0
    """Of the segments below those since the other end was last heard."""
    vain_repeats: int = 0
    """Times that the segment was sent again that the other end waits for."""
    vain_length: int = 0
    """Its length."""
    passed: int = 0
    """The length of the longest segment that was acknowledged."""
    in_flight: dict[int, int] = field(default_factory=dict)
    """Lengths of segments that wait for their ACK, by the number behind each: MOST_GAPS at most."""
    probes: int = 0
    """Segments that ask for an ACK: keepalives, window probes."""
    zero_windows: int = 0
    first_zero_window: Moment | None = None
    last_zero_window: Moment | None = None
    holes: int = 0
    """Times that its numbers jumped forward: something was lost before the capture, or by it, or comes late."""
    unseen: int = 0
    """Times that the other end acknowledged what this one was not seen to send: the capture lacks it."""
    first_unseen: Moment | None = None
    longest: int = 0
    """Octets of its longest payload."""
    ttl: int = 0
    """Hop count of its first packet."""

    def __str__(self) -> str:
        return endpoint_text((self.address, self.port))


@dataclass(slots=True, eq=False)
class FlowLife:
    """One connection, from its first segment in the capture to its last."""

    number: int
    """In the order in which they begin, from 1 on."""
    client: FlowSide
    server: FlowSide
    guess: Guess
    begins: Moment
    ends: Moment
    frames: int = 0
    answered: Moment | None = None
    """The first SYN|ACK."""
    opened: Moment | None = None
    """The ACK of the client that completes the handshake."""
    opened_from: int = 0
    """When the SYN was sent that it answers."""
    repeats_after_opened: int = 0
    """SYN|ACKs that the server sent after that ACK."""
    first_after_opened: Moment | None = None
    longest_idle: int = 0
    """Nanoseconds without a segment."""
    idle_until: Moment | None = None
    first_close: FlowSide | None = None
    """Who sent the first FIN."""
    reset_by: FlowSide | None = None
    """Who sent the first RST that counts."""
    reset_phase: str = ""
    """After what."""
    reset_form: ResetForm | None = None
    last: Before | None = None
    """The last segment so far."""
    icmp: list[IcmpNote] = field(default_factory=list)

    @property
    def midway(self) -> bool:
        """Whether it was there before the capture began."""
        return not self.client.syn_count and not self.server.syn_count

    @property
    def handshake(self) -> int | None:
        """Nanoseconds from the SYN to the ACK that completes the handshake."""
        if self.opened is None or not self.client.syn_count:
            return None
        return self.opened.at - self.opened_from

    def unacknowledged(self, side: FlowSide) -> int:
        """Octets of that end which the other one had not acknowledged when the capture, or the connection, ended."""
        acked = self.other(side).acked
        if acked is None or side.next is None or (side.next - acked) & 0xFFFFFFFF >= 1 << 30:
            return 0
        fin = side.fin is not None and side.next == side.fin_end and acked != side.fin_end
        return ((side.next - acked) & 0xFFFFFFFF) - fin

    def other(self, side: FlowSide) -> FlowSide:
        """The other end."""
        return self.server if side is self.client else self.client

    def side_of(self, segment: Segment) -> FlowSide:
        """The end that sent a segment of it."""
        client = self.client
        return client if (segment.src, segment.sport) == (client.address, client.port) else self.server

    def key_of(self, side: FlowSide) -> FlowKey:
        """As the host of that end calls it: the other end first."""
        other = self.other(side)
        return other.address, other.port, side.address, side.port

    def name_of(self, side: FlowSide) -> str:
        """`client` or `server`."""
        return "client" if side is self.client else "server"
