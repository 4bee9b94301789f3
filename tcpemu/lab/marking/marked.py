"""What came of the marking, as values."""

from dataclasses import dataclass, field
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Mark:
    """Of one question."""

    name: str
    """The question's."""
    points: Decimal
    """What it got."""
    most: Decimal
    """What a right answer gets."""
    said: str = ""
    """Why it got no more; empty for a right answer."""
    given: str = ""
    """The answer, as it was written."""

    @property
    def right(self) -> bool:
        """Whether it got all."""
        return self.points == self.most


@dataclass(slots=True)
class MarkedStudent:
    """Of one student."""

    id: str
    """Of the list; of a submission of nobody the name of its file."""
    name: str = ""
    """As the list has it."""
    marks: list[Mark] = field(default_factory=list)
    """In the order of the questions."""
    problems: list[str] = field(default_factory=list)
    """What is wrong with what was handed in, each with its place and the mend."""
    handed_in: bool = True
    """Whether there was anything."""

    @property
    def points(self) -> Decimal:
        """In all."""
        return sum((mark.points for mark in self.marks), Decimal(0))

    @property
    def most(self) -> Decimal:
        """What all questions together are worth."""
        return sum((mark.most for mark in self.marks), Decimal(0))
