"""What happened in a network, written down once and in order. All that is shown of a run is a view of it."""

from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple, TypeAlias

from tcpemu.stack.base.events import Counted, Event, QueueChanged, Sent, Verdict
from tcpemu.wire.segment import FlowKey, Segment

WAITS = "waits"
"""The result of a call that does not end at once; the same call stands in the record again when it ends."""


NO_HOST = "no host has this address"
"""Why a packet is lost that goes to an address that nobody has, or that somebody only claims to have."""


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


Entry: TypeAlias = PacketSeen | HostEvent | Call
"""Anything that stands in a record. Each has `at`, in nanoseconds of virtual time, and `node`, the name of a host."""


class QueueLength(NamedTuple):
    """A listener's queues from this time on."""

    at: int
    accept: int
    syn: int
    backlog: int


class Record:
    """One ordered list of entries, and views of it."""

    __slots__ = ("_keeps", "_numbers", "entries")

    def __init__(self, keeps: object = None) -> None:
        self.entries: list[Entry] = []
        self._numbers = 0
        # The network. Were it collected before its record, the `finally` blocks of applications that still
        # wait would run then, and their calls would be added here, at a moment that nobody chose.
        self._keeps = keeps

    def __reduce__(self) -> tuple[object, ...]:
        """Copied or pickled, all entries are there; the network is not, as its applications cannot be."""
        return _restored, (self.entries, self._numbers)

    def __copy__(self) -> "Record":
        return _restored(list(self.entries), self._numbers)

    def __eq__(self, other: object) -> bool:
        """Whether the same happened, entry for entry."""
        return self.entries == other.entries if isinstance(other, Record) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def add(self, entry: Entry) -> None:
        """One more entry, at the end."""
        self.entries.append(entry)

    def number(self) -> int:
        """A number for one more packet, from 1 on."""
        self._numbers += 1
        return self._numbers

    def of(self, node: str) -> list[Entry]:
        """The entries of one node."""
        return [entry for entry in self.entries if entry.node == node]

    def packets(self, node: str | None = None, point: Point | None = None) -> list[PacketSeen]:
        """Packets where they were seen; of one node or at one kind of point only, where that is given."""
        return [
            entry
            for entry in self.entries
            if isinstance(entry, PacketSeen) and node in (None, entry.node) and point in (None, entry.point)
        ]

    def events(self, *kinds: type[Event], node: str | None = None) -> list[HostEvent]:
        """What happened in hosts; of these kinds only, where any are given."""
        return [
            entry
            for entry in self.entries
            if isinstance(entry, HostEvent)
            and node in (None, entry.node)
            and (not kinds or isinstance(entry.event, kinds))
        ]

    def calls(self, node: str | None = None, application: str | None = None) -> list[Call]:
        """The calls of applications; of one node or application only, where that is given."""
        return [
            entry
            for entry in self.entries
            if isinstance(entry, Call)
            and node in (None, entry.node)
            and application in (None, entry.application)
        ]

    def verdicts(self) -> dict[int, Verdict]:
        """What became of each packet that arrived, by its number."""
        return {
            entry.packet: entry.event
            for entry in self.entries
            if isinstance(entry, HostEvent) and isinstance(entry.event, Verdict) and entry.packet is not None
        }

    def reasons_sent(self) -> dict[int, Sent]:
        """Why each packet was sent, by its number; a raw node gives no reasons."""
        return {
            entry.packet: entry.event
            for entry in self.entries
            if isinstance(entry, HostEvent) and isinstance(entry.event, Sent) and entry.packet is not None
        }

    def queue_lengths(self, node: str, port: int) -> list[QueueLength]:
        """How long the queues of the listener on that port were, from when on."""
        return [
            QueueLength(entry.at, entry.event.accept, entry.event.syn, entry.event.backlog)
            for entry in self.entries
            if isinstance(entry, HostEvent)
            and entry.node == node
            and isinstance(entry.event, QueueChanged)
            and entry.event.port == port
        ]

    def counters(self, node: str, at: int | None = None) -> dict[str, int]:
        """The counters that moved, as they stood at that time in nanoseconds; at the end, where none is given."""
        counters: dict[str, int] = {}
        for entry in self.entries:
            if at is not None and entry.at > at:
                break
            if isinstance(entry, HostEvent) and entry.node == node and isinstance(entry.event, Counted):
                counters[entry.event.name] = counters.get(entry.event.name, 0) + entry.event.by
        return counters


def _restored(entries: list[Entry], numbers: int) -> Record:
    """A record that was copied or pickled."""
    record = Record()
    record.entries, record._numbers = entries, numbers
    return record
