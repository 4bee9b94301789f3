"""How sure a claim is: by what every other explanation would cost, and by what the capture lacks.

**certain**: the explanation takes no unseen event, every other one takes more than MARGIN, all were tried, the capture
was taken on the host that is spoken of, and it lacks nothing. **likely**: every other one takes more, and more than
twice as much as this one. **possible**: others take not much more. **cannot tell**: even this one takes more than
MARGIN.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

MARGIN = 3
"""Unseen events that somebody could still believe in."""


class Sure(Enum):
    """How sure a claim is."""

    CERTAIN = "certain"
    LIKELY = "likely"
    POSSIBLE = "possible"
    CANNOT_TELL = "cannot tell"


@dataclass(frozen=True, slots=True)
class Claim:
    """One statement about what happened."""

    what: str
    """A sentence, without its full stop."""
    sure: Sure
    why: str = ""
    """Why it is no surer, or no less."""
    frames: tuple[int, ...] = ()
    """Where it shows."""
    at_least: int = 0
    """Of the frames so many at least, where that is certain: an answer to a single one may be missing."""
    flows: tuple[int, ...] = ()
    """The numbers of the connections."""
    rule: str = ""
    """The kernel's function, and counters that move."""
    decides: str = ""
    """What would decide it."""
    reason: str = ""
    """The name of the rule that it says was met, as `ACCEPT_QUEUE_FULL`."""
    setting: tuple[str, object] | None = None
    """The setting that it is about, by its name in `Supposed`, and the value: of a backlog and of TCP_DEFER_ACCEPT
    the least and the most, of a kernel all names with commas between them. One of clients begins `client.`. None for a
    claim that gives no value."""
    cause: str = ""
    """What it says became of connections: a name of `Cause`."""


def sureness(cost: int, other: int | None, doubts: list[str]) -> tuple[Sure, str]:
    """How sure something is that takes `cost` unseen events, where all else takes `other`; and why.

    `other` is None where there is nothing else: no try went without it. `doubts` speak against certain.
    """
    if cost > MARGIN:
        return Sure.CANNOT_TELL, f"even this takes {cost} unseen events"
    if other is not None and other <= cost:
        return Sure.POSSIBLE, "other explanations take no more"
    more = "nothing else explains it" if other is None else _others_take(other)
    if other is not None and cost and other - cost <= cost:
        return Sure.POSSIBLE, f"it takes {_events(cost)} itself, another explanation {_events(other)}"
    if cost == 0 and (other is None or other > MARGIN) and not doubts:
        return Sure.CERTAIN, more
    reason = more if cost == 0 else f"it takes {_events(cost)}; {more}"
    return Sure.LIKELY, f"{reason}; {doubts[0]}" if doubts else reason


def _others_take(other: int) -> str:
    least = f"{MARGIN + 1} or more unseen events" if other > MARGIN else _events(other)
    return f"without it, it would take {least}, such as packets lost behind the capture"


def _events(number: int) -> str:
    return "an unseen event" if number == 1 else f"{number} unseen events"
