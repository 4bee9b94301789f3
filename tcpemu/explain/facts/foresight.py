"""What has to be known of a whole record before its first row can be told: one quick look at every packet."""

from collections.abc import Iterable

from tcpemu.network.record import HostEvent, PacketSeen, Point, Record
from tcpemu.stack.base.events import Sent
from tcpemu.wire.segment import Address, FlowKey


class Foresight:
    """From where to where packets went, and what was sent again."""

    def __init__(self, record: Record) -> None:
        self._sent: dict[Address, str] = {}
        self._received: dict[Address, str] = {}
        self.copied: set[int] = set()
        """The numbers of packets of which a link made copies."""
        self.sent_again: set[tuple[str, FlowKey]] = set()
        """At whom something of which flow was sent more than once."""
        for entry in record.each(PacketSeen, Sent):
            if isinstance(entry, PacketSeen):
                self._packet(entry)
            elif isinstance(entry, HostEvent) and isinstance(entry.event, Sent) and entry.event.repeat:
                self.sent_again.add((entry.node, entry.event.segment[:4]))
        self.homes = homes_of(self._sent.items(), self._received.items())
        """Which node an address belongs to."""

    def _packet(self, seen: PacketSeen) -> None:
        if seen.point is Point.SENT:
            self._sent[seen.segment.src] = seen.node
        elif seen.point is Point.RECEIVED:
            self._received[seen.segment.dst] = seen.node
        if seen.copy_of is not None:
            self.copied.add(seen.copy_of)


def homes_of(
    sent: Iterable[tuple[Address, str]], received: Iterable[tuple[Address, str]]
) -> dict[Address, str]:
    """Which node an address belongs to: who received for it, else who sent from it, as a sender may lie."""
    return {**dict(sent), **dict(received)}
