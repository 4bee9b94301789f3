"""What must be true of a run, and what is said where it is not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from tcpemu.lab.asking.fact_base import FactBase, QueryError, Value
from tcpemu.lab.format.lab_file import Measured
from tcpemu.wire.visible_text import visible


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of one thing that was handed in."""

    held: tuple[bool, ...] = ()
    """For each of its goals whether it was reached, and all before it; none where it could not be run."""
    said: tuple[str, ...] = ()
    """What is said of it."""

    @property
    def share(self) -> Decimal:
        """The part of the points that it gets."""
        return Decimal(sum(self.held)) / len(self.held) if self.held else Decimal(0)


def shortened(text: str, most: int) -> str:
    """A text of at most so many characters, with control characters as escapes: it comes from a student."""
    seen = visible(text)
    return seen if len(seen) <= most else seen[: most - 4] + " ..."


def judged(facts: FactBase, goals: Sequence[Measured], known: Mapping[str, Value]) -> Attempt:
    """Which of the goals are reached. One counts only where all before it are.

    So a program that does nothing gets nothing for losing no SYN.

    A goal whose query finds no answer in this run is not reached.
    """
    held: list[bool] = []
    said: list[str] = []
    for goal in goals:
        try:
            reached = goal.holds(facts.number(goal.value, known))
        except QueryError:  # nothing of the kind happened
            reached = False
        if not reached:
            said.append(goal.say or f"not reached: {goal.value}")
        held.append(reached and all(held))
    return Attempt(tuple(held), tuple(said))
