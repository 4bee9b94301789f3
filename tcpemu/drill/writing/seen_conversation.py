"""The connections of one host in a capture: their packets in order, numbers counted from each side's first one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from tcpemu.wire.options import Option, Sack
from tcpemu.wire.segment import ACK, SYN, Address, Segment

_MASK = 2**32 - 1


@dataclass(frozen=True, slots=True)
class SeenPacket:
    """A segment where the host is."""

    at: int
    """Nanoseconds."""
    segment: Segment
    length: int
    """Octets of payload on the wire; a capture may have fewer."""


@dataclass(slots=True, eq=False)
class Conversation:
    """A connection."""

    number: int
    ports: tuple[int, int]
    """The peer's port, and the host's, as the script has them."""
    peer: tuple[Address, int]
    """Where the peer really was."""
    opened_by_host: bool
    packets: list[SeenIn] = field(default_factory=list)
    host_first: int | None = None
    peer_first: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class SeenIn:
    """A packet of a connection, in its numbers."""

    place: int
    """Among those of its connection."""
    at: int
    conversation: Conversation
    inbound: bool
    segment: Segment
    """Its payload is as long as on the wire."""

    @property
    def following(self) -> list[SeenIn]:
        """The packets after it on its connection."""
        return self.conversation.packets[self.place + 1 :]

    @property
    def size(self) -> int:
        """Octets of payload."""
        return len(self.segment.payload)

    @property
    def end(self) -> int:
        """The number behind its payload."""
        return self.segment.seq + self.size


@dataclass(slots=True, eq=False)
class HostView:
    """All connections of one host, and its packets in order."""

    host: Address
    peer: Address | None = None
    """The one address that all peers get in the script: that of the first."""
    conversations: list[Conversation] = field(default_factory=list)
    packets: list[SeenIn] = field(default_factory=list)
    midway: int = 0
    """Packets of connections that began before the capture."""
    to_itself: int = 0
    """Packets from the host to the host."""


def host_view(packets: Iterable[SeenPacket], host: Address) -> HostView:
    """What the host sent and got."""
    view = HostView(host)
    current: dict[tuple[Address, int, int], Conversation] = {}
    for packet in packets:
        segment = packet.segment
        if host not in (segment.src, segment.dst):
            continue
        if segment.src == segment.dst:
            view.to_itself += 1
            continue
        inbound = segment.dst == host
        peer = (segment.src, segment.sport) if inbound else (segment.dst, segment.dport)
        own = segment.dport if inbound else segment.sport
        key = (*peer, own)
        conversation = current.get(key)
        if conversation is None or _begins(conversation, segment, inbound):
            if not segment.flags & SYN or segment.flags & ACK:
                view.midway += 1
                continue
            conversation = current[key] = _new(view, peer, own, inbound)
        _add(view, conversation, packet, inbound)
    return view


def _begins(conversation: Conversation, segment: Segment, inbound: bool) -> bool:
    """Whether a SYN begins another connection between the same ports."""
    if not segment.flags & SYN or segment.flags & ACK:
        return False
    known = conversation.peer_first if inbound else conversation.host_first
    return known is not None and known != segment.seq


def _new(view: HostView, peer: tuple[Address, int], own: int, inbound: bool) -> Conversation:
    if view.peer is None:
        view.peer = peer[0]
    taken = {known.ports for known in view.conversations if known.peer != peer}
    port = peer[1]
    while (port, own) in taken:
        port = port % 65535 + 1
    conversation = Conversation(len(view.conversations), (port, own), peer, not inbound)
    view.conversations.append(conversation)
    return conversation


def _add(view: HostView, conversation: Conversation, packet: SeenPacket, inbound: bool) -> None:
    segment = packet.segment
    if segment.flags & SYN:
        if inbound and conversation.peer_first is None:
            conversation.peer_first = segment.seq
        elif not inbound and conversation.host_first is None:
            conversation.host_first = segment.seq
    first, other = conversation.host_first or 0, conversation.peer_first or 0
    if inbound:
        first, other = other, first
    ack = (segment.ack - other) & _MASK if segment.flags & ACK else 0
    shown = segment._replace(
        seq=(segment.seq - first) & _MASK,
        ack=ack,
        options=tuple(_option(option, other) for option in segment.options),
        payload=bytes(packet.length),
    )
    seen = SeenIn(len(conversation.packets), packet.at, conversation, inbound, shown)
    conversation.packets.append(seen)
    view.packets.append(seen)


def _option(option: Option, other: int) -> Option:
    if isinstance(option, Sack):
        blocks = tuple(((left - other) & _MASK, (right - other) & _MASK) for left, right in option.blocks)
        return replace(option, blocks=blocks)
    return option
