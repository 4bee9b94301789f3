"""How long packets travel: what the head of a ladder says of all of them, and which carry their own time.

A link with a rate holds a long packet longer than a short one, and each that waits behind others longer still.
So a time is said of a way between two hosts only if most packets took it, and only of the ways that have one.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from tcpemu.explain.facts.rows import PacketRow, Row
from tcpemu.explain.lines.time_words import span_words

DIGITS = 3
"""So many of a time are shown; times that look the same with these are taken for the same."""
_WAYS_NAMED = 4

Way: TypeAlias = tuple[str, str | None]
"""From which host to which."""

ON_ARRIVAL = "the receiver's state and queues are those on arrival"
"""Without this the queues on a line seem to change before what stands on the next lines."""


def travel_time(row: PacketRow) -> int:
    """Nanoseconds from its departure to its arrival; 0 for one that did not arrive."""
    return 0 if row.arrived is None else row.arrived - row.at


TravelTimes: TypeAlias = dict[Way, Counter[int]]
"""How often packets took which time on each way."""


def note_travel(row: Row, times: TravelTimes) -> None:
    """One more row."""
    if isinstance(row, PacketRow) and _travelled(row):
        way, took = (row.sender, row.receiver), travel_time(row)
        taken = times.get(way)
        if taken is None:
            taken = times[way] = Counter()
        taken[took] = taken.get(took, 0) + 1


@dataclass(frozen=True, slots=True)
class UsualDelays:
    """For each way on which most packets took the same time, that time in words."""

    words: Mapping[Way, str]
    every_way: bool
    """Whether each way between two hosts has one."""

    @classmethod
    def of(cls, times: "TravelTimes") -> "UsualDelays":
        looks = {span_words(took, DIGITS) for taken in times.values() for took in taken}
        steady = len(looks) <= len(times)
        found = {way: _usual(taken, steady) for way, taken in times.items()}
        words = {way: text for way, text in found.items() if text}
        return cls(words, len(words) == len(times))

    def differs(self, row: PacketRow) -> bool:
        """Whether the packet took another time than most on its way, and so has to carry it."""
        usual = self.words.get((row.sender, row.receiver), "").removeprefix(_ABOUT)
        return _travelled(row) and not _same(usual, travel_time(row))


_ABOUT = "about "


def _travelled(row: PacketRow) -> bool:
    return row.arrived is not None and row.copy_of is None


def _same(usual: str, took: int) -> bool:
    return usual in {span_words(took, DIGITS), span_words(took)}


def _usual(taken: Counter[int], steady: bool) -> str:
    """The time that more than half of the packets took; empty if there is none."""
    looks: Counter[str] = Counter()
    for took, times in taken.items():
        looks[span_words(took, DIGITS)] += times
    look, often = looks.most_common(1)[0]
    if often * 2 <= taken.total() or not (steady or often > 1):
        return ""
    exact = {took for took in taken if span_words(took, DIGITS) == look}
    return span_words(exact.pop()) if len(exact) == 1 else _ABOUT + look


def travel_words(usual: UsualDelays, own: Iterable[int]) -> Iterator[str]:
    """When packets arrive; nothing where they need no time. `own` are the times that packets carry themselves."""
    longest = max(own, default=None)
    example = "" if longest is None else f"+{span_words(longest, DIGITS)}"
    instant = all(words == "0 s" for words in usual.words.values())
    if instant and not example:
        return
    yield f"Each line shows when a packet is sent. {_arrives(usual, example)}; {ON_ARRIVAL}."


def _arrives(usual: UsualDelays, example: str) -> str:
    """When it arrives: a time is claimed only for the ways that have it, and not for what carries another."""
    different = set(usual.words.values())
    if not usual.words:
        return f"It arrives after the time that it carries ({example})"
    if usual.every_way and len(different) == 1:
        took = f"{different.pop()} later"
    else:
        ways = [f"{took} from {sender} to {receiver}" for (sender, receiver), took in usual.words.items()]
        took = f"later ({', '.join(ways[:_WAYS_NAMED] + ['…'] * (len(ways) > _WAYS_NAMED))})"
    own = f", or after the time that it carries ({example})" if example else ""
    return f"It arrives {took}{own}"
