"""When the clients of a group start."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import count, islice, takewhile
from random import Random

from tcpemu.scenario.format.scenario_file import ClientGroup, Start
from tcpemu.stack.base.units import SECOND


def each_start(group: ClientGroup, random: Random) -> Iterator[int]:
    """The time of each client's start, in order."""
    start = group.start
    if start.at is not None:
        return iter(start.at)
    times = _endless(start, random)
    if start.until is not None:
        until = start.until
        return takewhile(lambda at: at < until, times)
    return islice(times, group.count or 1)


def starts_ahead(group: ClientGroup, random: Random) -> tuple[Iterator[int], bool]:
    """The same one by one, and whether there are several; `random` is left as if all had been drawn already.

    So what else is drawn from it does not depend on when that is.
    """
    before = Random()
    before.setstate(random.getstate())
    times = each_start(group, random)
    if not group.start.poisson:  # nothing is drawn, so two are enough
        times = islice(times, 2)
    return each_start(group, before), sum(1 for _ in times) > 1


def _endless(start: Start, random: Random) -> Iterator[int]:
    if start.rate is None:
        every = start.every or 0
        return (start.begin + number * every for number in count())
    if start.poisson:
        return _poisson(start.begin, start.rate, random)
    # The text of a float is what its author wrote: 0.1 a second is one every ten seconds.
    interval = SECOND / Fraction(repr(start.rate))
    nanoseconds, starts = interval.as_integer_ratio()
    return (start.begin + number * nanoseconds // starts for number in count())


def _poisson(begin: int, rate: float, random: Random) -> Iterator[int]:
    at = begin
    while True:
        at += int(random.expovariate(rate) * SECOND)
        yield at
