"""What a paragraph of a story is."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TurningPoint:
    """One paragraph of the story."""

    at: int
    reason: str
    """The name of the reason behind it; ACCEPT_FULL, SYN_FULL or QUEUE_FULL for a queue that became full; the errno
    of a call that failed."""
    title: str
    text: str
    change: str
    """The settings that would have changed it; empty where there are none."""
    times: int = 1
    """How often it happened in the whole run."""
    packet: int | None = None
    """The packet at which it happened first, where that is known."""
