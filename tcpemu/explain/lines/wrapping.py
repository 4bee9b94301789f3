"""How text is broken to a width: paragraphs, hanging ones too, and never within a time and its unit."""

import re
import textwrap
from collections.abc import Iterator

from tcpemu.explain.lines.style import Line, Role, Span, line

JOINED = "\N{NO-BREAK SPACE}"
"""Keeps what belongs together on one line, such as a number and its unit; shown as a blank."""


_NUMBER_AND_UNIT = re.compile(r"(?<=[0-9]) (?=(?:s|ms|us|ns)\b)")


def joined(text: str) -> str:
    """The text with each time in one piece."""
    return _NUMBER_AND_UNIT.sub(JOINED, text)


def hanging(head: str, text: str, indent: int, width: int, role: Role = Role.PLAIN) -> Iterator[Line]:
    """Text behind a head that stands out to the left of it."""
    lines = textwrap.wrap(joined(text), width - indent, break_long_words=False, break_on_hyphens=False) or [
        ""
    ]
    yield (Span(f"{head:<{indent}}", Role.QUIET), Span(lines[0].replace(JOINED, " "), role))
    for each in lines[1:]:
        yield line(" " * indent + each.replace(JOINED, " "), role)


def wrapped(text: str, width: int, role: Role = Role.PLAIN) -> list[Line]:
    return [line(each, role) for each in textwrap.wrap(text, width)]
