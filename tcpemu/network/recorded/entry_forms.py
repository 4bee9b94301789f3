"""What most entries of a record repeat, each once: which counter moved at whom, for which reason, which options."""

from __future__ import annotations

from typing import Any, TypeAlias

from tcpemu.stack.base.events import (
    Counted,
    Event,
    QueueChanged,
    Reason,
    Sent,
    StateChanged,
    TimerFired,
    Verdict,
)
from tcpemu.wire.options import Option, Timestamps

WHOLE, COUNTED, VERDICT, TOLD, CHANGED, QUEUES, FIRED, CALLED, SENT, RECEIVED, LOST = range(11)
"""Kinds of forms. WHOLE is the place of none; what is SENT, RECEIVED or LOST may be COPIED."""
COPIED = 16
EXTRAS = {
    COUNTED: 0, VERDICT: 1, TOLD: 1, CHANGED: 1, QUEUES: 2, FIRED: 1, CALLED: 5,
    SENT: 1, RECEIVED: 1, LOST: 1, SENT + COPIED: 2, RECEIVED + COPIED: 2, LOST + COPIED: 2,
}  # fmt: skip
"""How many numbers an entry has of its own beside its form, its time and its packet."""
OF_PACKETS = (SENT, RECEIVED, LOST, SENT + COPIED, RECEIVED + COPIED, LOST + COPIED)
KIND_OF_EVENT: dict[type[Event], int] = {
    Counted: COUNTED,
    Verdict: VERDICT,
    Sent: TOLD,
    StateChanged: CHANGED,
    QueueChanged: QUEUES,
    TimerFired: FIRED,
}
NOTHING = -1
MOST = 2**16
"""So many forms are kept of each sort; what would be one more has none."""

Form: TypeAlias = tuple[Any, ...]
"""Kind, node, and what else there is to it."""
Rest: TypeAlias = tuple[int, int, int, int, bool, int, bytes]
"""Flags, urgent pointer, TTL, TOS, DF, reserved bits, IP options of a segment."""
_Pattern: TypeAlias = tuple[Option | None, ...]


class EntryForms:
    """The forms of one record. Places count from 0, and 0 is that of no form."""

    __slots__ = ("_forms", "_option_places", "_options", "_rest_places", "_rests", "places")

    def __init__(self) -> None:
        self._forms: list[Form] = [(WHOLE,)]
        self.places: dict[Form, int] = {}
        """Of those that are known, for whoever cannot wait for a call of `of`."""
        self._options: list[_Pattern] = [()]
        """Options of segments, with None where there are timestamps, since these differ from one to the next."""
        self._option_places: dict[tuple[int, ...], int] = {(): 0}
        """By the identities of what is in `_options`, so that none of them is ever another's."""
        self._rests: list[Rest] = []
        self._rest_places: dict[Rest, int] = {}

    def __reduce__(self) -> tuple[object, ...]:
        return _again, (self._forms, self._options, self._rests)

    def copied(self) -> EntryForms:
        """The same, of its own."""
        return _again(self._forms, self._options, self._rests)

    def of(self, form: Form) -> int:
        """The place of this form; 0 where there are too many."""
        return self.places.get(form) or self._new(form, form)

    def of_reason(self, form: Form, reason: Reason) -> int:
        """The place of this form with that reason behind it. Reasons of two kernels may differ, and yet be equal."""
        key = (*form, id(reason))
        return self.places.get(key) or self._new(key, (*form, reason))

    def _new(self, key: Form, form: Form) -> int:
        place = len(self._forms)
        if place >= MOST:
            return WHOLE
        self._forms.append(form)
        self.places[key] = place
        return place

    @property
    def all(self) -> list[Form]:
        """The forms by their places."""
        return self._forms

    def of_options(self, options: tuple[Option, ...]) -> int:
        """The place of options like these but for their timestamps; -1 where there is none.

        There is none where there are too many, and for options with several timestamps.
        """
        key = tuple([0 if type(one) is Timestamps else id(one) for one in options])
        place = self._option_places.get(key)
        if place is None:
            place = len(self._options)
            if place >= MOST or key.count(0) > 1:
                return NOTHING
            self._options.append(tuple([None if type(one) is Timestamps else one for one in options]))
            self._option_places[key] = place
        return place

    def options(self, place: int) -> _Pattern:
        """The options that have this place, with None where there are timestamps."""
        return self._options[place]

    def of_rest(self, rest: Rest) -> int:
        """The place of what is left of a segment; -1 where there are too many."""
        place = self._rest_places.get(rest)
        if place is None:
            place = len(self._rests)
            if place >= MOST:
                return NOTHING
            self._rests.append(rest)
            self._rest_places[rest] = place
        return place

    def rest(self, place: int) -> Rest:
        """What has this place."""
        return self._rests[place]


def _again(forms: list[Form], options: list[_Pattern], rests: list[Rest]) -> EntryForms:
    """Forms that were copied or pickled."""
    again = EntryForms()
    again._forms, again._options, again._rests = list(forms), list(options), list(rests)
    for place, form in enumerate(forms):
        if place:
            again.places[tuple([id(part) if type(part) is Reason else part for part in form])] = place
    for place, pattern in enumerate(options):
        again._option_places[tuple([0 if one is None else id(one) for one in pattern])] = place
    again._rest_places = {rest: place for place, rest in enumerate(rests)}
    return again
