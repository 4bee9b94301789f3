"""A lab, a class or a key that cannot be used."""

from collections.abc import Iterable
from functools import partial
from typing import Any

from tcpemu.scenario.format.problems import Problem


class LabError(ValueError):
    """All that is wrong with one file or lab; each mistake with its place and the mend."""

    def __init__(
        self,
        source: str,
        what: str = "",
        mend: str = "",
        place: str = "",
        *,
        problems: Iterable[Problem] = (),
    ) -> None:
        """One mistake: what is there, what would be right, and where; or several `problems`."""
        self.source = source
        """The file, or the name of the lab."""
        self.problems = tuple(problems) or (Problem(place, what, mend),)
        super().__init__(source, self.problems)

    def __reduce__(self) -> tuple[Any, ...]:
        """It comes out of another process as it was."""
        return partial(LabError, self.source, problems=self.problems), ()

    def __str__(self) -> str:
        return "\n".join(f"{self.source}: {problem}" for problem in self.problems)


def raise_all(source: str, problems: Iterable[Problem]) -> None:
    """Raise LabError, if there are any."""
    found = tuple(problems)
    if found:
        raise LabError(source, problems=found)
