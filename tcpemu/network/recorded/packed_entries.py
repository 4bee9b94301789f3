"""Entries of a record in few octets: some ten for each, where as objects they take hundreds.

What most entries repeat (which counter moved at whom, which reason a host had) is a form, kept once for the whole
record. An entry is then the place of its form and what is left: how much later than the one before, which packet,
which segment, which flow. All of these are whole numbers in a few columns, which zlib makes small; segments, words and
octets stand in tables beside them, once for as many entries as are packed together. What fits no form, such as an
event of another time than its entry, stays as it is.

Whoever wants some kinds of entries only has no others made.
"""

from __future__ import annotations

import pickle
import zlib
from array import array
from collections.abc import Collection
from itertools import accumulate
from typing import Any, TypeAlias

from tcpemu.network.recorded.entries import Call, Entry, HostEvent, PacketSeen, Point
from tcpemu.network.recorded.entry_forms import (
    CALLED,
    CHANGED,
    COPIED,
    COUNTED,
    EXTRAS,
    FIRED,
    LOST,
    NOTHING,
    QUEUES,
    RECEIVED,
    SENT,
    TOLD,
    VERDICT,
    WHOLE,
    EntryForms,
)
from tcpemu.network.recorded.outline import LISTEN, Outline
from tcpemu.stack.base.events import Counted, Event, QueueChanged, Sent, StateChanged, TimerFired, Verdict
from tcpemu.wire.options import Option, Timestamps
from tcpemu.wire.segment import FlowKey, Segment, make_segment

_LEVEL = 1
"""Of zlib: the quickest."""
_OF_SEGMENT = 10
"""Numbers for a segment: flow, seq, ack, window, ip_id, place of the rest, place of the options, TSval and TSecr,
place of the payload. Places of what stands among the things are below 0, as -1 for the first of them."""
_SENT, _RECEIVED = Point.SENT, Point.RECEIVED
_POINTS = {
    kind + copied: point
    for kind, point in ((SENT, _SENT), (RECEIVED, _RECEIVED), (LOST, Point.LOST))
    for copied in (0, COPIED)
}

Content: TypeAlias = tuple[bytes, bytes, bytes, bytes, bytes, list[Any], list[str], list[FlowKey]]
"""Columns of all entries: forms, times, packets; extras of those that have any; segments; things, words, flows."""


def pack_entries(entries: list[Entry], forms: EntryForms) -> bytes:
    """These entries in few octets; `forms` are those of their record, and get more by it."""
    packing = _Packing(forms)
    packing.add(entries)
    try:
        content: object = packing.content()
    except (OverflowError, TypeError):  # a number beyond 64 bits, or no number: made by hand
        content = entries
    return zlib.compress(pickle.dumps(content, pickle.HIGHEST_PROTOCOL), _LEVEL)


def unpack_entries(octets: bytes, forms: EntryForms, wanted: Collection[int] | None = None) -> list[Entry]:
    """What `pack_entries` has packed with these forms: all, or what is of the wanted kinds, and some more."""
    content = pickle.loads(zlib.decompress(octets))
    if isinstance(content, list):
        return content
    return _Unpacking(forms, content).entries(wanted)


def outline_packed(octets: bytes, forms: EntryForms, outline: Outline) -> None:
    """Add to the outline what `pack_entries` has packed with these forms."""
    content = pickle.loads(zlib.decompress(octets))
    if isinstance(content, list):
        outline.add(content)
    else:
        _Unpacking(forms, content).outline(outline)


class _Packing:
    """Entries that are packed together."""

    __slots__ = (
        "_extras",
        "_flows",
        "_forms",
        "_known",
        "_packets",
        "_places",
        "_segments",
        "_things",
        "_times",
        "_words",
    )

    def __init__(self, forms: EntryForms) -> None:
        self._forms = forms
        self._places: list[int] = []
        self._times: list[int] = []
        self._packets: list[int] = []
        self._extras: list[int] = []
        self._segments: list[int] = []
        self._known: dict[int, int] = {}
        """Segments by identity: each is held by an entry meanwhile."""
        self._things: list[object] = []
        """Whole entries, octets of payload, strange options."""
        self._words: dict[str, int] = {}
        self._flows: dict[FlowKey, int] = {}

    def content(self) -> Content:
        """All of it. Raises OverflowError and TypeError for what is no number of 64 bits."""
        times = self._times
        later = [time - before for time, before in zip(times, [0, *times], strict=False)]
        columns = (self._places, later, self._packets, self._extras, self._segments)
        places, ats, packets, extras, segments = [array("q", column).tobytes() for column in columns]
        return places, ats, packets, extras, segments, self._things, list(self._words), list(self._flows)

    def add(self, entries: list[Entry]) -> None:
        """These entries."""
        known, form = self._forms.places, self._forms.of
        put_place, put_time, put_packet = self._places.append, self._times.append, self._packets.append
        for entry in entries:
            place = WHOLE
            at = packet = 0
            if type(entry) is HostEvent:
                at, node, event, number = entry
                packet = NOTHING if number is None else number
                if type(event) is Counted:  # the most frequent of all
                    counted = (COUNTED, node, event.name, event.by)
                    place = (known.get(counted) or form(counted)) if event.at == at else WHOLE
                elif event.at == at:
                    place = self._event(node, event)
            elif type(entry) is PacketSeen:
                at, packet = entry.at, entry.number
                place = self._packet(entry)
            elif type(entry) is Call:
                at, packet = entry.at, NOTHING
                place = self._call(entry)
            if place == WHOLE:
                at, packet = self._times[-1] if self._times else 0, len(self._things)
                self._things.append(entry)
            put_place(place)
            put_time(at)
            put_packet(packet)

    def _event(self, node: str, event: Event) -> int:
        """The place of its form, with its extras behind the others; WHOLE where it has none."""
        forms, extras = self._forms, self._extras
        if type(event) is Verdict:
            segment, reason = event.segment, event.reason
            if type(segment) is not Segment or event.outcome is not reason.outcome:
                return WHOLE
            place = forms.of_reason((VERDICT, node), reason)
            if place:
                extras.append(self._segment(segment))
        elif type(event) is Sent:
            place = forms.of_reason((TOLD, node, event.repeat), event.reason)
            if place:
                extras.append(self._segment(event.segment))
        elif type(event) is StateChanged:
            place = forms.of((CHANGED, node, event.old, event.new, event.cause))
            if place:
                extras.append(self._flow(event.flow))
        elif type(event) is QueueChanged:
            place = forms.of((QUEUES, node, event.port, event.backlog))
            if place:
                extras.extend((event.accept, event.syn))
        else:
            place = self._fired(node, event)
        return place

    def _fired(self, node: str, event: Event) -> int:
        if not isinstance(event, TimerFired) or event.given_up is not None:
            return WHOLE
        place = self._forms.of_reason((FIRED, node), event.reason)
        if place:
            self._extras.append(self._flow(event.flow))
        return place

    def _packet(self, seen: PacketSeen) -> int:
        _, node, point, _, segment, why, copy_of = seen
        if type(segment) is not Segment:
            return WHOLE
        kind = SENT if point is _SENT else RECEIVED if point is _RECEIVED else LOST
        if copy_of is None:
            place = self._forms.of((kind, node, why))
            if place:
                self._extras.append(self._segment(segment))
            return place
        place = self._forms.of((kind + COPIED, node, why))
        if place:
            self._extras.extend((self._segment(segment), copy_of))
        return place

    def _call(self, call: Call) -> int:
        _, node, application, text, result, flow, why = call
        place = self._forms.of((CALLED, node))
        if place:
            words = self._words
            for word in (application, text, result, why):
                self._extras.append(words.setdefault(word, len(words)))
            self._extras.append(NOTHING if flow is None else self._flow(flow))
        return place

    def _flow(self, flow: FlowKey) -> int:
        return self._flows.setdefault(flow, len(self._flows))

    def _segment(self, segment: Segment) -> int:
        """Its number among the segments."""
        known = self._known.get(id(segment))
        if known is not None:
            return known
        place = self._known[id(segment)] = len(self._known)
        (
            src, sport, dst, dport, seq, ack, flags, window, options, payload, urgent,
            ttl, tos, ip_id, df, reserved, ip_options, flow_label,
        ) = segment  # fmt: skip
        rest = (flags, urgent, ttl, tos, df, reserved, ip_options)
        val = ecr = 0
        pattern = self._forms.of_options(options)
        if pattern == NOTHING:
            pattern = self._thing(options)
        else:
            for one in options:
                if type(one) is Timestamps:
                    val, ecr = one
        rest_place = self._forms.of_rest(rest)
        self._segments.extend(
            (
                self._flow((src, sport, dst, dport)),
                seq,
                ack,
                window,
                ip_id | flow_label << 16,
                self._thing(rest) if rest_place == NOTHING else rest_place,
                pattern,
                val,
                ecr,
                self._thing(payload) if payload else 0,
            )
        )
        return place

    def _thing(self, thing: object) -> int:
        self._things.append(thing)
        return -len(self._things)


class _Unpacking:
    """Entries that were packed together."""

    __slots__ = ("_extras", "_flows", "_forms", "_made", "_packets", "_places", "_segments", "_things", "_times",
                 "_words")  # fmt: skip

    def __init__(self, forms: EntryForms, content: Content) -> None:
        self._forms = forms
        places, times, packets, extras, segments, self._things, self._words, self._flows = content
        self._places = _column(places)
        self._times = _column(times)
        self._packets = _column(packets)
        self._extras = _column(extras)
        self._segments = _column(segments)
        self._made: dict[int, Segment] = {}

    def entries(self, wanted: Collection[int] | None) -> list[Entry]:
        """All of them, in order; or those of the wanted kinds, and what has no form."""
        found: list[Entry] = []
        add, forms = found.append, self._forms.all
        new = tuple.__new__  # faster than the call of a NamedTuple
        counted = wanted is None or COUNTED in wanted
        extra = 0
        for place, at, packet in zip(self._places, accumulate(self._times), self._packets, strict=True):
            form = forms[place]
            kind = form[0]
            if kind == COUNTED:
                if counted:
                    number = None if packet == NOTHING else packet
                    add(new(HostEvent, (at, form[1], Counted(at, form[2], form[3]), number)))
                continue
            if kind == WHOLE:
                add(self._things[packet])
                continue
            if wanted is None or kind in wanted:
                add(self._entry(at, form, packet, extra))
            extra += EXTRAS[kind]
        return found

    def outline(self, outline: Outline) -> None:
        """What they say in short."""
        forms, extras, segments = self._forms.all, self._extras, self._segments
        ways: dict[tuple[int, int], None] = {}
        """Forms of packets and their flows, by their places, as far as they are not told yet."""
        tally: dict[int, int] = {}
        """How often each form of a verdict, or of a listener's queues, is there, by its place."""
        listens = {number for number, word in enumerate(self._words) if word.startswith(LISTEN)}
        extra = 0
        for place, packet in zip(self._places, self._packets, strict=True):
            form = forms[place]
            kind = form[0]
            if kind == COUNTED:
                continue
            if kind == WHOLE:
                self._tell(ways, outline)
                outline.add([self._things[packet]])
                continue
            if kind >= SENT:
                way = place, segments[extras[extra] * _OF_SEGMENT]
                ways.pop(way, None)  # so that the last one stands last
                ways[way] = None
                if kind >= COPIED:
                    outline.copied.add(extras[extra + 1])
            elif kind in (VERDICT, QUEUES):
                tally[place] = tally.get(place, 0) + 1
            elif kind == CALLED:
                if extras[extra + 1] in listens:
                    outline.listening.add(form[1])
            elif kind == TOLD and form[2]:
                outline.sent_again.add((form[1], self._flows[segments[extras[extra] * _OF_SEGMENT]]))
            extra += EXTRAS[kind]
        self._tell(ways, outline)
        for place, count in tally.items():
            form = forms[place]
            if form[0] == VERDICT:
                outline.add_verdicts(form[1], form[2].name, count)
            else:
                outline.add_listener(form[1], form[2])

    def _tell(self, ways: dict[tuple[int, int], None], outline: Outline) -> None:
        for place, flow in ways:
            form = self._forms.all[place]
            src, _, dst, _ = self._flows[flow]
            outline.add_way(_POINTS[form[0]], form[1], src, dst)
        ways.clear()

    def _entry(self, at: int, form: tuple[Any, ...], packet: int, extra: int) -> Entry:
        kind = form[0]
        if kind in _POINTS:
            copy_of = self._extras[extra + 1] if kind >= COPIED else None
            segment = self._segment(self._extras[extra])
            point = _POINTS[kind]
            return tuple.__new__(PacketSeen, (at, form[1], point, packet, segment, form[2], copy_of))
        if kind == CALLED:
            return self._call(at, form[1], extra)
        event = self._event(at, form, self._extras[extra], extra)
        return tuple.__new__(HostEvent, (at, form[1], event, None if packet == NOTHING else packet))

    def _event(self, at: int, form: tuple[Any, ...], first: int, extra: int) -> Event:
        kind = form[0]
        if kind == VERDICT:
            reason = form[2]
            return Verdict(at, self._segment(first), reason.outcome, reason)
        if kind == TOLD:
            return Sent(at, self._segment(first), form[3], form[2])
        if kind == CHANGED:
            return StateChanged(at, self._flows[first], form[2], form[3], form[4])
        if kind == QUEUES:
            return QueueChanged(at, form[2], first, self._extras[extra + 1], form[3])
        return TimerFired(at, self._flows[first], form[2])

    def _call(self, at: int, node: str, extra: int) -> Call:
        application, text, result, why = [self._words[number] for number in self._extras[extra : extra + 4]]
        flow = self._extras[extra + 4]
        key = None if flow == NOTHING else self._flows[flow]
        return tuple.__new__(Call, (at, node, application, text, result, key, why))

    def _segment(self, number: int) -> Segment:
        segment = self._made.get(number)
        if segment is not None:
            return segment
        begin = number * _OF_SEGMENT
        flow, seq, ack, window, ip_id, rest, pattern, val, ecr, payload = self._segments[
            begin : begin + _OF_SEGMENT
        ]
        src, sport, dst, dport = self._flows[flow]
        flags, urgent, ttl, tos, df, reserved, ip_options = (
            self._things[-rest - 1] if rest < 0 else self._forms.rest(rest)
        )
        segment = self._made[number] = make_segment(
            src, sport, dst, dport, seq, ack, flags, window, self._options(pattern, val, ecr),
            self._things[-payload - 1] if payload else b"", urgent, ttl, tos, ip_id & 0xFFFF, df, reserved,
            ip_options, ip_id >> 16,
        )  # fmt: skip
        return segment

    def _options(self, place: int, val: int, ecr: int) -> tuple[Option, ...]:
        if place < 0:
            options: tuple[Option, ...] = self._things[-place - 1]
            return options
        pattern = self._forms.options(place)
        return tuple([Timestamps(val, ecr) if one is None else one for one in pattern])


def _column(octets: bytes) -> array[int]:
    column = array("q")
    column.frombytes(octets)
    return column
