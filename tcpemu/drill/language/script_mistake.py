"""A mistake in a script: where it is, with a caret under it, and what would be right."""

from __future__ import annotations

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
