"""What has to be known of a whole record before its first row can be told: one quick look at every packet."""

from collections.abc import Iterable

from tcpemu.network.record import Point, Record
from tcpemu.stack.base.events import Sent
from tcpemu.wire.segment import Address, FlowKey


class Ways:
    """From where to where packets went."""

    def __init__(self, record: Record) -> None:
        sent: dict[Address, str] = {}
        received: dict[Address, str] = {}
        self.copied: set[int] = set()
        """The numbers of packets of which a link made copies."""
        for seen in record.each_packet():
            if seen.point is Point.SENT:
                sent[seen.segment.src] = seen.node
            elif seen.point is Point.RECEIVED:
                received[seen.segment.dst] = seen.node
            if seen.copy_of is not None:
                self.copied.add(seen.copy_of)
        self.homes = homes_of(sent.items(), received.items())
        """Which node an address belongs to."""


class Foresight(Ways):
    """All that rows need of what comes after them."""

    def __init__(self, record: Record) -> None:
        super().__init__(record)
        self.sent_again: set[tuple[str, FlowKey]] = set()
        """At whom something of which flow was sent more than once."""
        for entry in record.each_event(Sent):
            if isinstance(entry.event, Sent) and entry.event.repeat:
                self.sent_again.add((entry.node, entry.event.segment[:4]))


def homes_of(
    sent: Iterable[tuple[Address, str]], received: Iterable[tuple[Address, str]]
) -> dict[Address, str]:
    """Which node an address belongs to: who received for it, else who sent from it, as a sender may lie."""
    return {**dict(sent), **dict(received)}
