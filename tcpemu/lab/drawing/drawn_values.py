"""What a lab draws for one student, and where it goes."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tcpemu.lab.asking.fact_base import Value
from tcpemu.lab.drawing.dice import Dice
from tcpemu.lab.format.lab_file import Draw
from tcpemu.scenario.format.written_values import duration_text
from tcpemu.stack.base.units import SECOND


@dataclass(slots=True)
class Drawn:
    """The values that were drawn."""

    settings: dict[str, object] = field(default_factory=dict)
    """For the scenario, by their paths."""
    known: dict[str, Value] = field(default_factory=dict)
    """For queries, by name: a time in seconds."""
    shown: dict[str, str] = field(default_factory=dict)
    """For texts, by name: a time with its unit."""


def drawn(draws: Mapping[str, Draw], dice: Dice) -> Drawn:
    """What the dice give for these."""
    found = Drawn()
    plain: dict[str, int] = {}
    for name, draw in draws.items():
        value = _value(draw, name, dice, plain)
        if draw.is_time and isinstance(value, int):
            found.known[name], found.shown[name] = value / SECOND, duration_text(value)
        else:
            found.known[name], found.shown[name] = value, str(value)
        written: object = found.shown[name] if draw.is_time else value
        found.settings |= dict.fromkeys(draw.set, written)
    return found


def _value(draw: Draw, name: str, dice: Dice, plain: dict[str, int]) -> int | str:
    if draw.one_of is not None:
        return draw.one_of[dice.below(len(draw.one_of), name)]
    value = draw.values[dice.below(len(draw.values), name)]
    plain[name] = value + (plain[draw.above] if draw.above else 0)
    return plain[name]
