"""What happened in a network, written down once and in order. All that is shown of a run is a view of it.

The last entries are there as they came, those before them packed: see `recorded/packed_entries.py`. So a run of a
moment costs nothing, and a long one a tenth of the memory, or of the disk; entries are made of it as somebody goes
through them. Whoever goes through them all with `for entry in record` never holds more than some thousands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple, TypeAlias

from tcpemu.network.recorded.entries import (
    CRASHES,
    FORGED_RST,
    HOST_IS_OFF,
    MIDDLEBOX,
    NO_HOST,
    PROGRAM_ENDS,
    SILENT_ROUTER,
    STARTS_AGAIN,
    WAITS,
    Call,
    Entry,
    HostEvent,
    PacketSeen,
    Point,
)
from tcpemu.network.recorded.entry_forms import CALLED, KIND_OF_EVENT, OF_PACKETS, EntryForms
from tcpemu.network.recorded.outline import Outline
from tcpemu.network.recorded.packed_entries import outline_packed, pack_entries, unpack_entries
from tcpemu.network.recorded.packed_store import PackedStore
from tcpemu.stack.base.events import Counted, Event, QueueChanged, Sent, Verdict

__all__ = [
    "CRASHES",
    "FORGED_RST",
    "HOST_IS_OFF",
    "MIDDLEBOX",
    "NO_HOST",
    "PROGRAM_ENDS",
    "SILENT_ROUTER",
    "STARTS_AGAIN",
    "WAITS",
    "Call",
    "Entry",
    "HostEvent",
    "PacketSeen",
    "Point",
    "QueueLength",
    "Record",
]

Taker: TypeAlias = Callable[[Sequence[Entry]], object]
"""Takes entries that are not kept, some thousands at a time and in order."""

TOGETHER = 4096
"""Entries that are packed together."""
OPEN = 8 * TOGETHER
"""Entries that may be there as they came; of so many the first half is packed."""
_FORMS: dict[type[Any], tuple[int, ...]] = {
    PacketSeen: OF_PACKETS,
    Call: (CALLED,),
    **{kind: (form,) for kind, form in KIND_OF_EVENT.items()},
}
"""By what an entry is, or what the event in it is: the kinds of its forms."""


class QueueLength(NamedTuple):
    """A listener's queues from this time on."""

    at: int
    accept: int
    syn: int
    backlog: int


class Record:
    """One ordered list of entries, and views of it."""

    __slots__ = (
        "_forms",
        "_keeps",
        "_numbers",
        "_open",
        "_packed",
        "_sent",
        "_store",
        "_taker",
        "wants",
        "wants_calls",
        "wants_packets",
    )

    def __init__(self, keeps: object = None) -> None:
        self._open: list[Entry] = []
        self._forms = EntryForms()
        self._store = PackedStore()
        self._packed = self._sent = 0
        """How many entries are packed, and how many of them are packets that were sent."""
        self._numbers = 0
        self._taker: Taker | None = None
        self.wants: frozenset[type[Any]] | None = None
        """The kinds of entries and events that somebody wants; None for all. What is not wanted need not be added."""
        self.wants_packets = self.wants_calls = True
        # The network. Were it collected before its record, the `finally` blocks of applications that still
        # wait would run then, and their calls would be added here, at a moment that nobody chose.
        self._keeps = keeps

    def __reduce__(self) -> tuple[object, ...]:
        """Copied or pickled, all entries are there; the network is not, as its applications cannot be."""
        return _restored, (
            self._open,
            self._forms,
            self._store.all(),
            self._packed,
            self._sent,
            self._numbers,
        )

    def __copy__(self) -> Record:
        packed = self._store.all()
        return _restored(
            list(self._open), self._forms.copied(), packed, self._packed, self._sent, self._numbers
        )

    def __eq__(self, other: object) -> bool:
        """Whether the same happened, entry for entry."""
        if not isinstance(other, Record):
            return NotImplemented
        if len(self) != len(other):
            return False
        return all(one == two for one, two in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]

    def __iter__(self) -> Iterator[Entry]:
        return self.since(0)

    def __len__(self) -> int:
        return self._packed + len(self._open)

    @property
    def entries(self) -> list[Entry]:
        """All of them at once. Of a long run they take much memory: go through the record itself instead."""
        return list(self.since(0))

    def since(self, place: int) -> Iterator[Entry]:
        """The entries from that place on, counted from 0; those too that come while somebody goes through them."""
        while place < self._packed:
            piece = unpack_entries(self._store.piece(place // TOGETHER), self._forms)[place % TOGETHER :]
            yield from piece
            place += len(piece)
        while place < len(self):
            if place < self._packed:  # packed meanwhile
                yield from self.since(place)
                return
            piece = self._open[place - self._packed :]
            yield from piece
            place += len(piece)

    @property
    def packets_sent(self) -> int:
        """How many packets were sent so far."""
        return self._sent + _sent_among(self._open)

    # --- writing ----------------------------------------------------------------------------------

    def add(self, entry: Entry) -> None:
        """One more entry, at the end."""
        entries = self._open
        entries.append(entry)
        if len(entries) >= OPEN:
            self._pack()

    def extend(self, entries: Sequence[Entry]) -> None:
        """Some more entries, at the end."""
        self._open += entries
        if len(self._open) >= OPEN:
            self._pack()

    def hand_to(self, taker: Taker, wants: Iterable[type[Any]] | None = None) -> None:
        """Hand all entries over to `taker`, from the next one on, and keep none of them.

        That is for runs of which only some numbers are wanted: their memory does not grow. What is handed over may be
        late; `hand_over()` brings it up to now. Where `wants` says kinds, PacketSeen, Call or kinds of events, the
        rest is left out as far as that saves time.
        """
        self._taker = taker
        self.wants = None if wants is None else frozenset(wants)
        self.wants_packets = self.wants is None or PacketSeen in self.wants
        self.wants_calls = self.wants is None or Call in self.wants

    def hand_over(self) -> None:
        """Give the taker what it has not been given yet; nothing where there is none."""
        if self._taker is not None:
            entries, self._open = self._open, []
            self._sent += _sent_among(entries)
            self._taker(entries)

    def _pack(self) -> None:
        if self._taker is not None:
            self.hand_over()
            return
        for begin in range(0, OPEN // 2, TOGETHER):
            entries = self._open[begin : begin + TOGETHER]
            self._store.add(pack_entries(entries, self._forms))
            self._sent += _sent_among(entries)
        del self._open[: OPEN // 2]
        self._packed += OPEN // 2

    def keep_on_disk(self) -> None:
        """Keep what is packed in a file without a name, in TMPDIR or /var/tmp, that is gone when the record is.

        So memory does not grow with the run. From then on adding an entry raises OSError where the disk is full.
        """
        self._store.to_disk()

    def number(self) -> int:
        """A number for one more packet, from 1 on."""
        self._numbers += 1
        return self._numbers

    @property
    def packets_begun(self) -> int:
        """How many packets there were so far, copies among them."""
        return self._numbers

    def outline(self) -> Outline:
        """What is known at once of all of it: who sent, received, listened, what was sent again, what came of it."""
        outline = Outline()
        for number in range(self._packed // TOGETHER):
            outline_packed(self._store.piece(number), self._forms, outline)
        outline.add(self._open)
        return outline

    # --- views ------------------------------------------------------------------------------------

    def _some(self, kinds: tuple[type[Any], ...]) -> Iterator[Entry]:
        """At least the entries of these kinds, in order."""
        forms = _forms_of(kinds)
        for number in range(self._packed // TOGETHER):
            yield from unpack_entries(self._store.piece(number), self._forms, forms)
        yield from self._open

    def each(self, *kinds: type[Any]) -> Iterator[Entry]:
        """The entries of these kinds one by one, and nothing else is made: PacketSeen, Call, or kinds of events.

        Whoever needs several kinds goes through the record once for all of them.
        """
        for entry in self._some(kinds):
            if isinstance(entry.event if isinstance(entry, HostEvent) else entry, kinds):
                yield entry

    def each_packet(self) -> Iterator[PacketSeen]:
        """Every packet where it was seen, one by one, and nothing else is made."""
        for entry in self._some((PacketSeen,)):
            if isinstance(entry, PacketSeen):
                yield entry

    def each_call(self) -> Iterator[Call]:
        """The calls of applications, one by one."""
        for entry in self._some((Call,)):
            if isinstance(entry, Call):
                yield entry

    def each_event(self, *kinds: type[Event]) -> Iterator[HostEvent]:
        """What happened in hosts, one by one; of these kinds only, where any are given."""
        for entry in self._some(kinds or tuple(KIND_OF_EVENT)):
            if isinstance(entry, HostEvent) and (not kinds or isinstance(entry.event, kinds)):
                yield entry

    def of(self, node: str) -> list[Entry]:
        """The entries of one node."""
        return [entry for entry in self if entry.node == node]

    def packets(self, node: str | None = None, point: Point | None = None) -> list[PacketSeen]:
        """Packets where they were seen; of one node or at one kind of point only, where that is given."""
        return [
            seen for seen in self.each_packet() if node in (None, seen.node) and point in (None, seen.point)
        ]

    def events(self, *kinds: type[Event], node: str | None = None) -> list[HostEvent]:
        """What happened in hosts; of these kinds only, where any are given."""
        return [entry for entry in self.each_event(*kinds) if node in (None, entry.node)]

    def calls(self, node: str | None = None, application: str | None = None) -> list[Call]:
        """The calls of applications; of one node or application only, where that is given."""
        return [
            call
            for call in self.each_call()
            if node in (None, call.node) and application in (None, call.application)
        ]

    def verdicts(self) -> dict[int, Verdict]:
        """What became of each packet that arrived, by its number."""
        return {
            entry.packet: entry.event
            for entry in self.each_event(Verdict)
            if isinstance(entry.event, Verdict) and entry.packet is not None
        }

    def reasons_sent(self) -> dict[int, Sent]:
        """Why each packet was sent, by its number; a raw node gives no reasons."""
        return {
            entry.packet: entry.event
            for entry in self.each_event(Sent)
            if isinstance(entry.event, Sent) and entry.packet is not None
        }

    def queue_lengths(self, node: str, port: int) -> list[QueueLength]:
        """How long the queues of the listener on that port were, from when on."""
        return [
            QueueLength(entry.at, entry.event.accept, entry.event.syn, entry.event.backlog)
            for entry in self.each_event(QueueChanged)
            if entry.node == node and isinstance(entry.event, QueueChanged) and entry.event.port == port
        ]

    def counters(self, node: str, at: int | None = None) -> dict[str, int]:
        """The counters that moved, as they stood at that time in nanoseconds; at the end, where none is given."""
        counters: dict[str, int] = {}
        for entry in self.each(Counted, Call):
            if at is not None and entry.at > at:
                break
            if entry.node != node:
                continue
            if isinstance(entry, Call):
                if entry.text == CRASHES and not entry.application:
                    counters.clear()
            elif isinstance(entry, HostEvent) and isinstance(entry.event, Counted):
                counters[entry.event.name] = counters.get(entry.event.name, 0) + entry.event.by
        return counters


def _forms_of(kinds: tuple[type[Any], ...]) -> frozenset[int] | None:
    """The kinds of forms that entries of these kinds may have; None, which is all, where one kind is not known."""
    if not all(kind in _FORMS for kind in kinds):
        return None
    return frozenset([form for kind in kinds for form in _FORMS[kind]])


def _sent_among(entries: Iterable[Entry]) -> int:
    return sum([1 for entry in entries if type(entry) is PacketSeen and entry.point is Point.SENT])


def _restored(
    entries: list[Entry], forms: EntryForms, packed: list[bytes], count: int, sent: int, numbers: int
) -> Record:
    """A record that was copied or pickled."""
    record = Record()
    record._open, record._forms, record._packed, record._sent = entries, forms, count, sent
    record._numbers = numbers
    for octets in packed:
        record._store.add(octets)
    return record
