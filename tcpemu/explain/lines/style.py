"""Coloured text without a terminal library: a line is a tuple of spans, each with a role.

What makes lines knows roles, not colours, so that the same lines can become plain text, text for a terminal,
or later a page. Colours never carry a meaning alone: the words say it too.
"""

from collections.abc import Iterable
from enum import Enum
from typing import NamedTuple, TypeAlias


class Role(Enum):
    """What a piece of text is."""

    PLAIN = "plain"
    TITLE = "title"
    QUIET = "quiet"
    """Times, rules and sources: there when looked for."""
    OPEN = "open"
    """SYN and SYN|ACK."""
    CLOSE = "close"
    """FIN."""
    RESET = "reset"
    LOST = "lost"
    """Dropped by a host, or lost on the way."""
    AGAIN = "again"
    """Repeated."""
    STATE = "state"
    QUEUE = "queue"
    CALL = "call"
    """What an application did."""


_SGR = {
    Role.TITLE: "1",
    Role.QUIET: "2",
    Role.OPEN: "36",
    Role.CLOSE: "35",
    Role.RESET: "1;31",
    Role.LOST: "31",
    Role.AGAIN: "33",
    Role.STATE: "32",
    Role.QUEUE: "34",
    Role.CALL: "1",
}
"""How a terminal shows a role: parameters of Select Graphic Rendition."""


class Span(NamedTuple):
    """A piece of a line that looks the same throughout."""

    text: str
    role: Role = Role.PLAIN


Line: TypeAlias = tuple[Span, ...]
"""A line of text, without its line feed."""


def line(text: str, role: Role = Role.PLAIN) -> Line:
    """A line of one span."""
    return (Span(text, role),)


def plain(of: Line) -> str:
    """The line as text, without blanks at its end."""
    return "".join(span.text for span in of).rstrip()


def ansi(of: Line) -> str:
    """The line for a terminal."""
    return "".join(_painted(span) for span in of).rstrip()


def lines_text(lines: Iterable[Line], *, colour: bool = False) -> str:
    """All lines, each with its line feed."""
    show = ansi if colour else plain
    return "".join(show(each) + "\n" for each in lines)


def _painted(span: Span) -> str:
    if span.role not in _SGR or not span.text.strip():
        return span.text
    return f"\x1b[{_SGR[span.role]}m{span.text}\x1b[0m"
