"""A script's words: numbers, names, texts, commands, code, addresses and signs, each with its place.

Which sort a run of characters is, the longest match decides; of equally long ones the first in the list.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from tcpemu.drill.language.script_mistake import Place, ScriptError, ScriptText


class Sort(Enum):
    """What a token is; the value is how a message calls it."""

    OPTION = "an option"
    ADDRESS6 = "an address of IPv6"
    ADDRESS4 = "an address of IPv4"
    DECIMAL = "a number with a point"
    HEX = "a hexadecimal number"
    INTEGER = "a whole number"
    WORD = "a word"
    TEXT = "a text in quotes"
    COMMAND = "a command in backticks"
    CODE = "code in %{ }%"
    SIGN = "a sign"
    END = "the end of the script"


@dataclass(frozen=True, slots=True)
class Token:
    """One word of a script."""

    sort: Sort
    text: str
    """As it stands there; of texts, commands and code what is between the marks."""
    place: Place
    spaced: bool = False
    """Whether white space stands before it."""
    unclosed: bool = False
    """Whether its closing mark is missing, which has been told."""

    def __str__(self) -> str:
        if self.sort in (Sort.TEXT, Sort.COMMAND, Sort.CODE, Sort.END):
            return str(self.sort.value)
        return f"'{self.text}'"


_SEGMENT = "[0-9a-fA-F]{1,4}"
_FOUR = r"\d+\.\d+\.\d+\.\d+"
_SIX = re.compile(
    rf"(?:(?:{_SEGMENT}:){{1,7}}:|:)(?::?(?:{_SEGMENT}:){{0,6}}(?:{_FOUR}|{_SEGMENT}))?|(?:{_SEGMENT}:){{7}}{_SEGMENT}"
)
_PATTERNS: tuple[tuple[Sort, re.Pattern[str]], ...] = (
    (Sort.OPTION, re.compile(r"--[a-zA-Z0-9_]+")),
    (Sort.ADDRESS4, re.compile(_FOUR)),
    (Sort.DECIMAL, re.compile(r"-?\d*\.\d+")),
    (Sort.INTEGER, re.compile(r"-?\d+")),
    (Sort.HEX, re.compile(r"0x[0-9a-fA-F]+")),
    (Sort.WORD, re.compile(r"[a-zA-Z0-9_]+")),
    (Sort.SIGN, re.compile(r"\.\.\.|\S")),
)
_BLANK = re.compile(r"(?:\s+|//[^\n]*|/\*.*?\*/)+", re.DOTALL)
_NO_EVENT = r"(?!\n[ \t]*\+[\d.]+[ \t]+[<>`%a-z])"
"""What a line within a command or code is not: whoever forgets the closing mark is not told of the lines below."""
_MARKED = {
    '"': (Sort.TEXT, re.compile(r'"((?:\\.|[^"\\\n])*)"', re.DOTALL)),
    "`": (Sort.COMMAND, re.compile(rf"`((?:{_NO_EVENT}(?:\\.|[^`\\]))*)`", re.DOTALL)),
    "%{": (Sort.CODE, re.compile(rf"%\{{((?:{_NO_EVENT}.)*?)\}}%", re.DOTALL)),
}
_CLOSED_BY = {'"': '"', "`": "`", "%{": "}%"}


def tokens_of(text: ScriptText) -> tuple[list[Token], list[ScriptError]]:
    """All tokens, the last one the END; and each text, command, code or comment that never ends."""
    reader = _Reader(text)
    return reader.read(), reader.mistakes


class _Reader:
    def __init__(self, text: ScriptText) -> None:
        self.text = text
        self.characters = "\n".join(text.lines)
        self.starts = [0]
        for line in text.lines:
            self.starts.append(self.starts[-1] + len(line) + 1)
        self.line = 1
        self.tokens: list[Token] = []
        self.mistakes: list[ScriptError] = []

    def place(self, at: int, width: int = 1) -> Place:
        while self.line < len(self.text.lines) and self.starts[self.line] <= at:
            self.line += 1
        return Place(self.line, at - self.starts[self.line - 1] + 1, width)

    def read(self) -> list[Token]:
        at, end, spaced = 0, len(self.characters), True
        while at < end:
            if blank := _BLANK.match(self.characters, at):
                at, spaced = blank.end(), True
                continue
            if self.characters.startswith("/*", at):
                self.mistake(at, "this comment never ends; close it with */", 2)
                at = self.line_end(at)
                continue
            at = self.one(at, spaced)
            spaced = False
        self.tokens.append(Token(Sort.END, "", self.place(max(0, len(self.characters.rstrip())))))
        return self.tokens

    def one(self, at: int, spaced: bool) -> int:
        """Take the token that begins here; where the next one may begin."""
        for mark, (sort, pattern) in _MARKED.items():
            if self.characters.startswith(mark, at):
                found = pattern.match(self.characters, at)
                if found is None:
                    return self.unclosed(at, sort, mark, spaced)
                self.tokens.append(Token(sort, found[1], self.place(at, found.end() - at), spaced))
                return found.end()
        sort, size = max(self.matches(at), key=lambda match: match[1])
        shown = self.characters[at : at + size]
        self.tokens.append(Token(sort, shown, self.place(at, size), spaced))
        return at + size

    def unclosed(self, at: int, sort: Sort, mark: str, spaced: bool) -> int:
        """Take what never ends as if it ended with its line, so that the lines below are read as well."""
        self.mistake(at, f"{sort.value} that never ends; close it with {_CLOSED_BY[mark]}")
        end = self.line_end(at)
        inside = self.characters[at + len(mark) : end]
        self.tokens.append(Token(sort, inside, self.place(at, end - at), spaced, unclosed=True))
        return end

    def line_end(self, at: int) -> int:
        """Where the line ends in which this stands."""
        end = self.characters.find("\n", at)
        return len(self.characters) if end < 0 else end

    def matches(self, at: int) -> list[tuple[Sort, int]]:
        """Every sort that it may be, and how long. An address of IPv6 has '::' or seven colons."""
        found = [
            (sort, match.end() - at)
            for sort, pattern in _PATTERNS
            if (match := pattern.match(self.characters, at)) is not None
        ]
        six = _SIX.match(self.characters, at)
        if six is not None and ("::" in six[0] or six[0].count(":") == 7):
            found.append((Sort.ADDRESS6, six.end() - at))
        return found

    def mistake(self, at: int, words: str, width: int = 1) -> None:
        self.mistakes.append(ScriptError(self.text, self.place(at, width), words))
