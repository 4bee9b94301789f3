"""What has to be known of a whole record before the first of it can be told: a quick look, which makes no entries."""

from __future__ import annotations

from collections.abc import Iterable

from tcpemu.network.recorded.entries import Entry, HostEvent, PacketSeen, Point
from tcpemu.stack.base.events import QueueChanged, Sent, Verdict
from tcpemu.wire.segment import Address, FlowKey

LISTEN = "listen("
"""How the text of a call of listen() begins."""


class Outline:
    """From where to where packets went, what was sent again, who listens, and what became of what arrived.

    Of what differs, what is told last holds.
    """

    __slots__ = ("copied", "listening", "ports", "received", "sent", "sent_again", "verdicts")

    def __init__(self) -> None:
        self.sent: dict[Address, str] = {}
        """Which node sent from an address."""
        self.received: dict[Address, str] = {}
        """Which node received for an address."""
        self.copied: set[int] = set()
        """The numbers of packets of which a link made copies."""
        self.sent_again: set[tuple[str, FlowKey]] = set()
        """At whom something of which flow was sent more than once."""
        self.listening: set[str] = set()
        """The nodes that listened."""
        self.ports: set[tuple[str, int]] = set()
        """Node and port of each listener whose queues changed."""
        self.verdicts: dict[tuple[str, str], int] = {}
        """How often which node had which reason, by its name, for what became of a segment."""

    def add(self, entries: Iterable[Entry]) -> None:
        """What these entries say."""
        for entry in entries:
            if isinstance(entry, PacketSeen):
                self.add_way(entry.point, entry.node, entry.segment.src, entry.segment.dst)
                if entry.copy_of is not None:
                    self.copied.add(entry.copy_of)
            elif isinstance(entry, HostEvent):
                event = entry.event
                if isinstance(event, Verdict):
                    self.add_verdicts(entry.node, event.reason.name, 1)
                elif isinstance(event, QueueChanged):
                    self.add_listener(entry.node, event.port)
                elif isinstance(event, Sent) and event.repeat:
                    self.sent_again.add((entry.node, event.segment[:4]))
            elif entry.text.startswith(LISTEN):
                self.listening.add(entry.node)

    def add_listener(self, node: str, port: int) -> None:
        """A listener's queues changed."""
        self.listening.add(node)
        self.ports.add((node, port))

    def add_verdicts(self, node: str, reason: str, count: int) -> None:
        """So many segments met that reason there."""
        self.verdicts[node, reason] = self.verdicts.get((node, reason), 0) + count

    def add_way(self, point: Point, node: str, src: Address, dst: Address) -> None:
        """A packet was seen there."""
        if point is Point.SENT:
            self.sent[src] = node
        elif point is Point.RECEIVED:
            self.received[dst] = node
