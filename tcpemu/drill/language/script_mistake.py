"""A mistake in a script: where it is, with a caret under it, and what would be right."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple


class Place(NamedTuple):
    """Where something stands in a script."""

    line: int
    """From 1."""
    column: int
    """From 1."""
    width: int = 1
    """Characters to point at, in this line."""


@dataclass(frozen=True, slots=True)
class ScriptText:
    """The text of a script and what it is called in messages."""

    name: str
    lines: tuple[str, ...]

    def excerpt(self, place: Place, pointed: bool = True) -> str:
        """The line, with its number, and a caret below it."""
        line = self.lines[place.line - 1] if 0 < place.line <= len(self.lines) else ""
        head = f"{place.line:5} | "
        shown = head + line.rstrip()
        if not pointed:
            return shown
        before = "".join("\t" if letter == "\t" else " " for letter in line[: place.column - 1])
        width = max(1, min(place.width, len(line) - place.column + 1))
        return f"{shown}\n{' ' * (len(head) - 2)}| {before}{'^' * width}"


class ScriptError(ValueError):
    """What is wrong with a script, told with the line and a caret."""

    def __init__(self, text: ScriptText, place: Place, words: str) -> None:
        super().__init__(f"{text.name}:{place.line}:{place.column}: {words}\n{text.excerpt(place)}")
        self.place = place
        self.words = words


class SeveralMistakesError(ScriptError):
    """All that is wrong with a script, told in the order of its lines."""

    def __init__(self, mistakes: Iterable[ScriptError]) -> None:
        self.mistakes = tuple(sorted(mistakes, key=lambda mistake: mistake.place))
        told = [str(mistake) for mistake in self.mistakes[:MOST_TOLD]]
        left = len(self.mistakes) - len(told)
        if left:
            told.append(f"and {left} more mistakes")
        ValueError.__init__(self, "\n".join(told))
        first, more = self.mistakes[0], len(self.mistakes) - 1
        self.place = first.place
        self.words = first.words + (f" (and {more} more mistake{'s' * (more > 1)})" if more else "")


MOST_TOLD = 50
"""Mistakes of one script that are told; what is behind them is mostly their consequence."""


def raise_mistakes(mistakes: Iterable[ScriptError]) -> None:
    """Raise what there is: nothing, one mistake, or all of them together."""
    found = list(mistakes)
    if len(found) == 1:
        raise found[0]
    if found:
        raise SeveralMistakesError(found)
