"""How clients come, by the names that people have for it; or at the times of a file.

even                    one after the other at the same distance
poisson                 by chance, each without regard to the others
40 at once              so many at the same moment, and nobody else: it needs no rate
bursts of 50            so many at once, as often as the rate makes it
outage of 5 s           all who would have come in that time try again at the same moment; then by chance
retries of 50 every 3 s so many who try again together, as their time-outs are the same, beside others by chance
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tcpemu.explain.lines.time_words import span_words
from tcpemu.scenario.format.written_values import duration_text, parse_duration
from tcpemu.stack.base.units import SECOND

MOST_TIMES = 100_000
"""In a file of arrivals."""
_AT_ONCE = re.compile(r"([0-9]+) at once")
_BURSTS = re.compile(r"bursts? of ([0-9]+)")
_OUTAGE = re.compile(r"outage of (.+)")
_RETRIES = re.compile(r"retries of ([0-9]+) every (.+)")


class QuestionError(ValueError):
    """A question that cannot be asked. Its text is what is wrong and what would be right."""


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Clients as a scenario has them."""

    words: str
    """In words, as `800 a second, by chance (Poisson)`."""
    groups: tuple[dict[str, Any], ...]
    """Tables of groups: names, counts, starts."""
    rate: float
    """Clients a second, in the mean."""
    last: int
    """About when the last one starts, in nanoseconds."""
    number: int
    endless: bool
    """Whether the run is a part of something that goes on, so that a queue that fills slowly fills in the end."""


def arrivals_of(pattern: str, rate: float, number: int) -> Arrivals:
    """So many clients that come in that way, at that rate a second. Raises QuestionError."""
    a_second = f"{rate:,.6g} a second"
    spread = round(number / rate * SECOND)
    if pattern in {"even", "poisson"}:
        start: dict[str, Any] = {"rate": rate} | ({"poisson": True} if pattern == "poisson" else {})
        words = f"{a_second}, " + ("by chance (Poisson)" if pattern == "poisson" else "evenly")
        return Arrivals(
            words, ({"name": "client", "count": number, "start": start},), rate, spread, number, True
        )
    if (match := _BURSTS.fullmatch(pattern)) and int(match[1]) > 0:
        size = int(match[1])
        every = round(size / rate * SECOND)
        times = [turn // size * every for turn in range(max(number, size))]
        words = f"{a_second}, in bursts of {size}, one each {span_words(every)}"
        return Arrivals(words, (_at_times(times),), rate, times[-1], len(times), True)
    if match := _OUTAGE.fullmatch(pattern):
        return _outage(_time(match[1], "outage of"), rate, number)
    if (match := _RETRIES.fullmatch(pattern)) and int(match[1]) > 0:
        return _retries(int(match[1]), _time(match[2], "every"), rate, number)
    raise QuestionError(
        f"--arrivals {pattern!r}: neither a file nor even, poisson, 40 at once, bursts of 50, outage of 5 s, "
        "retries of 50 every 3 s"
    )


def _outage(lasts: int, rate: float, number: int) -> Arrivals:
    waiting = round(lasts / SECOND * rate)
    if not waiting:
        raise QuestionError(
            f"an outage of {span_words(lasts)} at {rate:g} a second keeps nobody waiting; take a longer one"
        )
    after = max(number - waiting, 1)
    groups = (
        {"name": "again", "count": waiting, "start": 0},
        {"name": "client", "count": after, "start": {"rate": rate, "poisson": True}},
    )
    words = (
        f"{waiting:,} at once, who had waited for the end of an outage of {span_words(lasts)}, "
        f"then {rate:,.6g} a second by chance"
    )
    return Arrivals(words, groups, rate, round(after / rate * SECOND), waiting + after, False)


def _retries(together: int, every: int, rate: float, number: int) -> Arrivals:
    spread = round(number / rate * SECOND)
    if not every or spread // every * together > MOST_TIMES:
        raise QuestionError(f"retries every {span_words(every)}: that is too often; take a longer time")
    times = [at for at in range(0, spread + 1, every) for _ in range(together)]
    groups = (
        {**_at_times(times), "name": "again"},
        {"name": "client", "count": number, "start": {"rate": rate, "poisson": True}},
    )
    words = (
        f"{together:,} who try again together each {span_words(every)}, beside {rate:,.6g} a second by chance"
    )
    mean = rate + together * SECOND / every
    return Arrivals(words, groups, mean, spread, number + len(times), True)


def arrivals_without_rate(pattern: str) -> Arrivals | None:
    """Clients that come in a way that no rate belongs to: `40 at once`; None for any other. Raises QuestionError."""
    match = _AT_ONCE.fullmatch(pattern)
    if match is None:
        return None
    number = int(match[1])
    if not 0 < number <= MOST_TIMES:
        raise QuestionError(f"--arrivals {pattern!r}: 1 to {MOST_TIMES:,} clients")
    return replace(arrivals_at([0] * number, pattern), words=f"{number:,} at once")


def arrivals_at(times: Sequence[int], source: str) -> Arrivals:
    """Clients at these times in nanoseconds, the first of which becomes 0. Raises QuestionError."""
    if not times:
        raise QuestionError(f"{source}: no client comes in it")
    if len(times) > MOST_TIMES:
        raise QuestionError(
            f"{source}: {len(times):,} clients; {MOST_TIMES:,} are the most: take a part of it"
        )
    ordered = sorted(times)
    starts = [at - ordered[0] for at in ordered]
    rate = (len(starts) - 1) * SECOND / starts[-1] if starts[-1] else float(len(starts))
    words = f"{len(starts):,} as in {source}, {rate:,.4g} a second in the mean"
    return Arrivals(words, (_at_times(starts),), rate, starts[-1], len(starts), False)


def _at_times(times: Sequence[int]) -> dict[str, Any]:
    return {"name": "client", "start": {"at": [duration_text(at) for at in times]}}


def times_in(path: Path) -> list[int]:
    """The times in a file, in nanoseconds: one to a line, in seconds or with a unit; `#` begins a remark.

    Of a line with commas the first field counts, so that a table as CSV will do; a first line without a number is its
    head. Raises QuestionError, OSError.
    """
    times = []
    try:
        lines = path.read_text("utf-8").splitlines()
    except UnicodeDecodeError:
        raise QuestionError(
            f"{path}: not a text; give a time to a line, or a capture with --capture"
        ) from None
    for number, line in enumerate(lines, 1):
        text = line.partition("#")[0].partition(",")[0].strip().strip('"')
        if not text:
            continue
        try:
            times.append(_seconds(text))
        except ValueError as error:
            if number > 1:
                raise QuestionError(f"{path}, line {number}: {text!r}; it must be {error}") from None
    return times


def _seconds(text: str) -> int:
    """Nanoseconds of `1.25` (seconds; clocks of days have too many digits for a float), `12 ms`."""
    if re.fullmatch(r"[0-9]+(\.[0-9]*)?", text):
        whole, _, part = text.partition(".")
        return int(whole) * SECOND + int(f"{part:0<9}"[:9])
    return parse_duration(text)


def _time(text: str, before: str) -> int:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise QuestionError(f"{before} {text}: it must be {error}") from None
