"""What has to be known of a whole record before the first of it can be told: a quick look, which makes no entries."""

from __future__ import annotations

from collections.abc import Iterable

from tcpemu.network.recorded.entries import Entry, HostEvent, PacketSeen, Point
from tcpemu.stack.base.events import Sent
from tcpemu.wire.segment import Address, FlowKey


class Outline:
    """From where to where packets went, and what was sent again. Of what differs, what is told last holds."""

    __slots__ = ("copied", "received", "sent", "sent_again")

    def __init__(self) -> None:
        self.sent: dict[Address, str] = {}
        """Which node sent from an address."""
        self.received: dict[Address, str] = {}
        """Which node received for an address."""
        self.copied: set[int] = set()
        """The numbers of packets of which a link made copies."""
        self.sent_again: set[tuple[str, FlowKey]] = set()
        """At whom something of which flow was sent more than once."""

    def add(self, entries: Iterable[Entry]) -> None:
        """What these entries say."""
        for entry in entries:
            if isinstance(entry, PacketSeen):
                self.add_way(entry.point, entry.node, entry.segment.src, entry.segment.dst)
                if entry.copy_of is not None:
                    self.copied.add(entry.copy_of)
            elif isinstance(entry, HostEvent):
                event = entry.event
                if isinstance(event, Sent) and event.repeat:
                    self.sent_again.add((entry.node, event.segment[:4]))

    def add_way(self, point: Point, node: str, src: Address, dst: Address) -> None:
        """A packet was seen there."""
        if point is Point.SENT:
            self.sent[src] = node
        elif point is Point.RECEIVED:
            self.received[dst] = node
