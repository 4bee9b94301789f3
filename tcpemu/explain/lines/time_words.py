"""Times in words: a span of time in its unit, a moment in seconds, and how many decimals that takes."""

from collections.abc import Iterable

_UNITS = ((1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "us"), (1, "ns"))
_DECIMALS_MOST = 6


def span_words(nanoseconds: int, digits: int = 4) -> str:
    """A span of time in its largest fitting unit, to so many digits that count: `63 s`, `0.5 ms`."""
    if nanoseconds == 0:
        return "0 s"
    size = abs(nanoseconds)
    unit, name = next(pair for pair in _UNITS if size >= pair[0] or pair[0] == 1)
    return f"{nanoseconds / unit:.{digits}g} {name}"


def decimals_for(times: Iterable[int], most: int = 3) -> int:
    """How many decimals of a second, `most` at least, show all of the times exactly: up to 6, then they are rounded."""
    for at in times:
        while most < _DECIMALS_MOST and at % 10 ** (9 - most):
            most += 1
        if most == _DECIMALS_MOST:
            break
    return most


def seconds(nanoseconds: int, decimals: int) -> str:
    """A moment in seconds with that many decimals, rounded to the nearest."""
    step = 10 ** (9 - decimals)
    rounded = (nanoseconds + step // 2) // step
    whole, part = divmod(rounded, 10**decimals)
    return f"{whole}.{part:0{decimals}d}"


def moment(nanoseconds: int) -> str:
    """A moment in seconds, to the microsecond and without zeros at the end: `0.111 s`."""
    return seconds(nanoseconds, 6).rstrip("0").rstrip(".") + " s"


MOMENTS_LISTED = 10
"""Of more, the others are counted."""


def listed_moments(times: Iterable[int]) -> str:
    """Moments one after another, each once: `1, 3 and 7 s`, `0.1 (twice) and 0.2 s`."""
    words = [seconds(at, 6).rstrip("0").rstrip(".") for at in times]
    told = [
        f"{word}{_TIMES.get(words.count(word), f' ({words.count(word)} times)')}"
        for word in dict.fromkeys(words)
    ]
    return f"{', '.join(told[:-1])} and {told[-1]} s" if len(told) > 1 else _one_moment(words)


_TIMES = {1: "", 2: " (twice)"}


def _one_moment(words: list[str]) -> str:
    return f"{words[0]} s{_TIMES.get(len(words), f' ({len(words)} times)')}"
