"""When many clients come: at once, evenly, in bursts, at random."""

from __future__ import annotations

from itertools import accumulate

from hypothesis import strategies as st

from tcpemu.stack.base.errors import ConfigurationError

_GAPS = (0, 1, 10, 20, 100, 1000)
"""Milliseconds between two that come."""


def arrivals(
    max_clients: int = 12, *, min_clients: int = 1, max_gap: int = 1000
) -> st.SearchStrategy[list[str]]:
    """Times in order, one for each client, as `world.run(host, program, at=...)` takes them: `['0 ms', '20 ms']`.

    Some come all at once, some evenly, in bursts, or at random, with up to `max_gap` milliseconds between two. It
    shrinks to the fewest, all at once. Raises ConfigurationError for numbers that are none.
    """
    if not 0 <= min_clients <= max_clients:
        raise ConfigurationError(
            f"{min_clients} to {max_clients} clients: give min_clients=, max_clients= in order"
        )
    gaps = [gap for gap in _GAPS if gap <= max_gap]
    if not gaps:
        raise ConfigurationError(f"max_gap={max_gap!r}: milliseconds, 0 or more")
    return _times(st.one_of(*_patterns(gaps, min_clients, max_clients, max_gap)))


def _patterns(gaps: list[int], fewest: int, most: int, max_gap: int) -> list[st.SearchStrategy[list[int]]]:
    """Milliseconds between each and the one before it."""
    counts = st.integers(fewest, most)
    evenly = st.builds(lambda count, gap: [gap] * count, counts, st.sampled_from(gaps))
    bursts = st.builds(
        lambda count, size, gap: [0 if number % size else gap for number in range(count)],
        counts,
        st.integers(2, 5),
        st.sampled_from(gaps),
    )
    at_random = st.lists(st.integers(0, max_gap), min_size=fewest, max_size=most)
    return [evenly, bursts, at_random]


@st.composite
def _times(draw: st.DrawFn, patterns: st.SearchStrategy[list[int]]) -> list[str]:
    """The first comes at nought."""
    gaps = draw(patterns)
    return [f"{time - gaps[0]} ms" for time in accumulate(gaps)]
