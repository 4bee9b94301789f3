"""What has to be known of a whole record before its first row can be told: one quick look at every packet."""

from collections.abc import Iterable

from tcpemu.network.record import Record
from tcpemu.wire.segment import Address


class Foresight:
    """From where to where packets went, what was sent again, and who listens."""

    def __init__(self, record: Record) -> None:
        outline = record.outline()
        self.copied = outline.copied
        """The numbers of packets of which a link made copies."""
        self.sent_again = outline.sent_again
        """At whom something of which flow was sent more than once."""
        self.listening, self.ports = outline.listening, outline.ports
        """The nodes that listened, and node and port of each listener whose queues changed."""
        self.homes = homes_of(outline.sent.items(), outline.received.items())
        """Which node an address belongs to."""


def homes_of(
    sent: Iterable[tuple[Address, str]], received: Iterable[tuple[Address, str]]
) -> dict[Address, str]:
    """Which node an address belongs to: who received for it, else who sent from it, as a sender may lie."""
    return {**dict(sent), **dict(received)}
