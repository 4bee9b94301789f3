"""Every table and key of a scenario file, as text: the reference."""

import textwrap
from collections.abc import Iterator

from tcpemu.explain.lines.style import Line, Role, line
from tcpemu.explain.lines.wrapping import hanging
from tcpemu.scenario.format.key_reference import Key, Section, capital, sections
from tcpemu.scenario.format.written_values import RATE_MEND, SHARE_MEND, TIME_MEND

_INDENT = 34
_INTRODUCTION = (
    "A scenario is a TOML file: one server, groups of clients, the links between them, and how long to watch. "
    "Below stands each table with its keys, each key as an example of it, then what may stand there, what "
    "holds if it is not given, and what it means. `tcpemu run FILE.toml` runs a file, and tells all mistakes "
    "in it at once; `tcpemu schema` is the same for editors."
)
_KINDS = (TIME_MEND, RATE_MEND, SHARE_MEND)


def reference_lines(width: int = 100) -> Iterator[Line]:
    """Every table and key, none of the lines wider than `width`."""
    yield from map(line, textwrap.wrap(_INTRODUCTION, width))
    yield ()
    for kind in _KINDS:
        yield from map(line, textwrap.wrap(f"{capital(kind)}.", width))
    for section in sections():
        yield ()
        yield line(section.heading, Role.TITLE)
        yield from _section(section, width)


def _section(section: Section, width: int) -> Iterator[Line]:
    yield from (line(f"  {each}") for each in textwrap.wrap(section.about, width - 2))
    for key in section.keys:
        yield from _entry(key, width)


def _entry(key: Key, width: int) -> Iterator[Line]:
    head, facts = f"  {key.example}", _facts(key)
    if len(head) >= _INDENT:
        yield line(head, Role.OPEN)
        head = ""
    for text in filter(None, (facts, key.about)):
        first, *rest = hanging(head, text, _INDENT, width)
        yield (first[0]._replace(role=Role.OPEN), first[1])
        yield from rest
        head = ""


def _facts(key: Key) -> str:
    """`time; 5 ms if not given`."""
    given = "must be given" if key.required else f"{key.default} if not given" if key.default else ""
    return "; ".join(filter(None, (key.kind, given)))
