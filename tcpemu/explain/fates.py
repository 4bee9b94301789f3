"""How the clients of a run fared, as their own calls tell it: what a user of the server would notice."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tcpemu.explain.style import Line, Role, Span
from tcpemu.explain.words import duration, moment
from tcpemu.network.record import WAITS, Record

MOST = 10
"""Clients that are told one by one; of more, those with the same fate are counted."""


@dataclass(frozen=True, slots=True)
class Fate:
    """One application that called connect(). Times are nanoseconds."""

    application: str
    began: int
    connected: int | None
    """When connect() succeeded: the server may see it otherwise."""
    error: str
    """The errno of the last call that failed; empty if none did."""
    failed: int | None
    """When that was."""

    @property
    def words(self) -> str:
        """Without times, so that fates can be counted."""
        if self.connected is None:
            return f"connect() failed with {self.error}" if self.error else "still trying to connect"
        return f"connected, later {self.error}" if self.error else "connected"


def fates_of(record: Record) -> list[Fate]:
    """The fate of each client, in the order in which they began."""
    fates: dict[tuple[str, str], Fate] = {}
    for call in record.calls():
        who = call.node, call.application
        fate = fates.get(who)
        if fate is None:
            if not call.text.startswith("connect("):
                continue
            fate = Fate(call.application or call.node, call.at, None, "", None)
        if call.text.startswith("connect(") and call.result != WAITS and not call.result.isupper():
            fate = Fate(fate.application, fate.began, call.at, fate.error, fate.failed)
        elif call.result.isupper():
            fate = Fate(fate.application, fate.began, fate.connected, call.result, call.at)
        fates[who] = fate
    return list(fates.values())


def fate_lines(fates: Sequence[Fate]) -> list[Line]:
    """A line for each client, or for each fate if there are many clients."""
    return list(_one_by_one(fates) if len(fates) <= MOST else _counted(fates))


def _one_by_one(fates: Sequence[Fate]) -> Iterator[Line]:
    longest = max((len(fate.application) for fate in fates), default=0)
    for fate in fates:
        yield Span(f"  {fate.application:<{longest}}  "), *_story(fate)


def _story(fate: Fate) -> Iterator[Span]:
    if fate.connected is None:
        if not fate.error:
            yield Span(f"has been trying to connect since {_at(fate.began)}", Role.AGAIN)
            return
        yield Span(f"connect() failed with {fate.error} at {_at(fate.failed)}", Role.LOST)
        return
    yield Span(f"connected at {_at(fate.connected)}, after {duration(fate.connected - fate.began)}")
    if fate.error:
        yield Span(f"; {fate.error} at {_at(fate.failed)}", Role.LOST)


def _at(time: int | None) -> str:
    return moment(time or 0)


def _counted(fates: Sequence[Fate]) -> Iterator[Line]:
    tally = Counter(fate.words for fate in fates)
    digits = len(f"{len(fates):,}")
    for words, number in tally.most_common():
        yield (Span(f"  {number:>{digits},}  {words}"),)
