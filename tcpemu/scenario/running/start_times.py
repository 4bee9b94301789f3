"""When the clients of a group start."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import count, islice, takewhile
from random import Random

from tcpemu.scenario.format.scenario_file import ClientGroup, Start
from tcpemu.stack.base.units import SECOND


def start_times(group: ClientGroup, random: Random) -> list[int]:
    """The time of each client's start, in order."""
    start = group.start
    if start.at is not None:
        return list(start.at)
    times = _endless(start, random)
    if start.until is not None:
        until = start.until
        return list(takewhile(lambda at: at < until, times))
    return list(islice(times, group.count or 1))


def _endless(start: Start, random: Random) -> Iterator[int]:
    if start.rate is None:
        every = start.every or 0
        return (start.begin + number * every for number in count())
    if start.poisson:
        return _poisson(start.begin, start.rate, random)
    # The text of a float is what its author wrote: 0.1 a second is one every ten seconds.
    interval = SECOND / Fraction(repr(start.rate))
    return (start.begin + int(number * interval) for number in count())


def _poisson(begin: int, rate: float, random: Random) -> Iterator[int]:
    at = begin
    while True:
        at += int(random.expovariate(rate) * SECOND)
        yield at
