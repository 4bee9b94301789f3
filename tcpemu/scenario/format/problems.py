"""What is wrong with a scenario file, said so that its author can mend it."""

import difflib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake."""

    place: str
    """Where it is, as a path in the file: `clients[0].count`; or a line and a column."""
    what: str
    """What is there: `found -1`, `unknown key`, `missing`."""
    mend: str
    """What would be right."""
    line: int | None = None
    """The line of the file, where it can be told."""

    def __str__(self) -> str:
        said = f"{self.what}; {self.mend}" if self.mend else self.what
        place = self.place if self.line is None else f"line {self.line}: {self.place}"
        return f"{place}: {said}" if place else said


class ScenarioError(ValueError):
    """Everything that is wrong with one scenario."""

    def __init__(self, source: str, problems: Sequence[Problem]) -> None:
        super().__init__(source, tuple(problems))
        self.source = source
        """The name of the file or of the built-in scenario."""
        self.problems = tuple(problems)

    def __str__(self) -> str:
        return "\n".join(f"{self.source}: {problem}" for problem in self.problems)


class BrokenRulesError(ValueError):
    """Rules that a table breaks, each told as a problem whose place is a key of that table, or empty."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


def hold(problems: Iterable[Problem]) -> None:
    """Raise all of them at once, if there are any."""
    found = tuple(problems)
    if found:
        raise BrokenRulesError(found)


def did_you_mean(word: object, known: Iterable[str], synonyms: Mapping[str, str] | None = None) -> str:
    """`did you mean 'count'?`, or else the list of what is known. A synonym counts where what it stands for is."""
    names = list(known)
    same = (synonyms or {}).get(str(word).lower())
    close = [same] if same in names else difflib.get_close_matches(str(word), names, n=1)
    if close:
        return f"did you mean {close[0]!r}?"
    return "known: " + ", ".join(names) if names else ""


def in_toml(value: object) -> str:
    """A value as it stands in a TOML file, cut short if it is long."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            text = json.dumps(value, ensure_ascii=False)
        case dict():
            given = {key: inner for key, inner in value.items() if inner is not None}  # TOML has no null
            text = "{ " + ", ".join(f"{key} = {in_toml(inner)}" for key, inner in given.items()) + " }"
        case list() | tuple():
            text = "[" + ", ".join(map(in_toml, value)) + "]"
        case Decimal():
            text = str(value)
        case date() | time():
            text = value.isoformat()
        case _:
            text = repr(value)
    return text if len(text) <= 60 else text[:56] + " ..."
