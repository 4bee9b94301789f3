"""What a sweep varies: settings with their values, as `server.backlog=1,2,5` or `clients.start.rate=100..2000:10`.

Each value of one axis goes with each of the others; such a combination is a point of the grid. A point has a number:
the last axis moves first.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from tcpemu.scenario.format.problems import in_toml
from tcpemu.scenario.format.setting_paths import SettingError, parse_alternatives, parse_assignment

MOST_VALUES = 10_000
"""On one axis."""
_NUMBER = r"-?[0-9]+(?:\.[0-9]+)?"
_RANGE = re.compile(
    rf"({_NUMBER})\s*([^\s.:0-9]*)\s*\.\.\s*({_NUMBER})\s*([^\s.:0-9]*)\s*:\s*([0-9]+)(\s*log)?"
)


@dataclass(frozen=True, slots=True)
class Axis:
    """One setting and the values that it takes."""

    path: str
    """The setting's path in the scenario, as `server.backlog`."""
    labels: tuple[str, ...]
    """Each value as it is written."""
    values: tuple[object, ...]

    @property
    def numbers(self) -> tuple[float, ...] | None:
        """The values as numbers, for an axis of a picture; None where one of them is none. Units are left out."""
        found = [re.match(_NUMBER, label) for label in self.labels]
        units = {
            label[match.end() :].strip() for label, match in zip(self.labels, found, strict=True) if match
        }
        if not all(found) or len(units) > 1:
            return None
        return tuple(float(match[0]) for match in found if match)


@dataclass(frozen=True, slots=True)
class GridPoint:
    """One combination of values."""

    number: int
    labels: tuple[str, ...]
    settings: dict[str, object]


@dataclass(frozen=True, slots=True)
class Grid:
    """All combinations."""

    axes: tuple[Axis, ...]

    def __len__(self) -> int:
        number = 1
        for axis in self.axes:
            number *= len(axis.values)
        return number

    def __iter__(self) -> Iterator[GridPoint]:
        return map(self.point, range(len(self)))

    @property
    def shown(self) -> tuple[str, ...]:
        """What each axis is called for people: the last part of its path, where that tells it from the others."""
        last = [axis.path.rpartition(".")[2] for axis in self.axes]
        return tuple(
            name if last.count(name) == 1 else axis.path for name, axis in zip(last, self.axes, strict=True)
        )

    def words(self, labels: Sequence[str]) -> str:
        """A point in words: `backlog=5 rate=100`; empty where nothing is varied."""
        return " ".join(f"{name}={label}" for name, label in zip(self.shown, labels, strict=True))

    def point(self, number: int) -> GridPoint:
        """The point of that number, from 0 on."""
        rest, places = number, []
        for axis in reversed(self.axes):
            rest, place = divmod(rest, len(axis.values))
            places.append(place)
        chosen = list(zip(self.axes, reversed(places), strict=True))
        return GridPoint(
            number,
            tuple(axis.labels[place] for axis, place in chosen),
            {axis.path: axis.values[place] for axis, place in chosen},
        )


def grid_of(axes: Sequence[Axis]) -> Grid:
    """The grid over these axes. Raises SettingError where one setting is varied twice."""
    paths = [axis.path for axis in axes]
    for path in paths:
        if paths.count(path) > 1:
            raise SettingError(f"{path} is varied twice; give all of its values in one place")
    return Grid(tuple(axes))


def parse_axis(text: str) -> Axis:
    """The axis of `PATH=VALUE,VALUE,...` or `PATH=FROM..TO:COUNT`. Raises SettingError.

    A range has COUNT values at even steps, both ends among them, as whole numbers where FROM and TO are whole;
    `:COUNT log` takes even ratios. Both ends may have a unit, as `5 ms..80 ms:5 log`.
    """
    path, equals, written = text.partition("=")
    path, written = path.strip(), written.strip()
    if equals and path and (match := _RANGE.fullmatch(written)):
        labels = _spread(match, text)
    elif ".." in written and "[" not in written and '"' not in written:
        raise SettingError(f"found {in_toml(text)}; a range is FROM..TO:COUNT, such as 100..2000:10")
    else:
        labels = list(parse_alternatives(text))
    if len(labels) > MOST_VALUES:
        raise SettingError(f"{path}: {len(labels):,} values; {MOST_VALUES:,} are the most")
    return Axis(path, tuple(labels), tuple(parse_assignment(f"{path}={label}")[1] for label in labels))


def _spread(match: re.Match[str], text: str) -> list[str]:
    first, unit, last, other, count, log = match.groups()
    number = int(count)
    if (unit or other) != other:
        raise SettingError(f"found {in_toml(text)}; give both ends the same unit")
    if number < 2 or number > MOST_VALUES:
        raise SettingError(f"found {in_toml(text)}; a range has 2 to {MOST_VALUES:,} values")
    low, high = Fraction(first), Fraction(last)
    if log and min(low, high) <= 0:
        raise SettingError(f"found {in_toml(text)}; even ratios need both ends above 0")
    values = [_between(low, high, Fraction(step, number - 1), log=bool(log)) for step in range(number)]
    whole = low.denominator == high.denominator == 1
    shown = [str(round(value)) if whole else f"{float(value):.6g}" for value in values]
    return [f"{each} {other}".rstrip() for each in dict.fromkeys(shown)]


def _between(low: Fraction, high: Fraction, share: Fraction, *, log: bool) -> Fraction:
    if log:
        return Fraction(float(low) * (float(high) / float(low)) ** float(share))
    return low + (high - low) * share
