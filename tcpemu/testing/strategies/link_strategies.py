"""Conditions of links: delay, jitter, loss, duplicates, reordering, rate."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tcpemu.network import MILLISECOND, Conditions
from tcpemu.network.clock import duration
from tcpemu.stack.base.errors import ConfigurationError

_CHANCES = (0.01, 0.05, 0.1, 0.2)
_RATES = (10**9, 10**7, 10**6, 10**5)
_DELAYS = tuple(each * MILLISECOND for each in (1, 10, 20, 50, 100, 300))


def links(
    *,
    max_delay: str | int = 300 * MILLISECOND,
    max_loss: float = 0.2,
    slow: bool = True,
    disorder: bool = True,
) -> st.SearchStrategy[Conditions]:
    """Conditions of a link, for `world.link(one, other, conditions)` and `world.every_link(conditions)`.

    Delays are up to `max_delay`, in nanoseconds or text; with `slow` some have a rate, from 100 kbit/s up, and a
    short queue; with `disorder` some deliver twice or out of order. It shrinks to the usual half millisecond without
    any of these. Raises ConfigurationError for limits that are none.
    """
    longest = duration(max_delay) if isinstance(max_delay, str) else max_delay
    if not 0 <= max_loss <= 1:
        raise ConfigurationError(f"max_loss={max_loss!r}: a probability is 0 to 1; 5 % is 0.05")
    delays = [each for each in _DELAYS if each <= longest]
    losses = [each for each in _CHANCES if each <= max_loss]
    spoilt: dict[str, st.SearchStrategy[Any]] = {}
    if delays:
        spoilt["delay"] = st.sampled_from(delays)
    if losses:
        spoilt["loss"] = st.sampled_from(losses)
    if slow:
        spoilt |= {"rate": st.sampled_from(_RATES), "queue": st.sampled_from((100, 10, 2))}
    if disorder:
        spoilt |= {
            "duplicate": st.sampled_from(_CHANCES),
            "reorder": st.sampled_from(_CHANCES),
            "jitter": st.sampled_from((2, 1)),
        }
    return _conditions(spoilt)


@st.composite
def _conditions(draw: st.DrawFn, spoilt: dict[str, st.SearchStrategy[Any]]) -> Conditions:
    """Jitter is drawn as a share of the delay, which it may not be longer than."""
    found = {name: draw(st.none() | value) for name, value in spoilt.items()}
    drawn = {name: value for name, value in found.items() if value is not None}
    if "jitter" in drawn:
        drawn["jitter"] = drawn.get("delay", Conditions().delay) // drawn["jitter"]
    return Conditions(**drawn)
