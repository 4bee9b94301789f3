"""What the key on a line of a scenario's text means, from the reference of the format."""

import re
from collections.abc import Iterator

from tcpemu.scenario.format.key_reference import Key, Section, sections

_HEADER = re.compile(r"\s*(\[\[?[\w.-]+\]\]?)")
_KEY = re.compile(r'\s*("[^"]*"|[\w-]+)\s*[.=]')
_INNER = re.compile(r'[{,]\s*("[^"]*"|[\w-]+)\s*=')
_TOP = "At the top of the file"


def help_of_line(text: str, line: int) -> str:
    """Of each key on that line, counted from 0, what it takes and means; what a table is, on its heading."""
    lines = text.split("\n")
    if not 0 <= line < len(lines):
        return ""
    heading = _heading(lines[: line + 1])
    if _HEADER.match(lines[line]):
        return "\n".join(f"{each.heading}: {each.about}" for each in sections() if each.heading == heading)
    names = [name.strip('"') for name in [*_KEY.findall(lines[line])[:1], *_INNER.findall(lines[line])]]
    return "\n".join(_told(key, section) for key, section in _keys(names, heading))


def _heading(lines: list[str]) -> str:
    """Of the table that the last of the lines is in."""
    return next((found[1] for each in reversed(lines) if (found := _HEADER.match(each))), _TOP)


def _keys(names: list[str], heading: str) -> Iterator[tuple[Key, Section]]:
    """The keys of these names: those of that table, or of one inside it."""
    inside = heading.strip("[]")
    for name in names:
        for section in sections():
            near = section.heading == heading or section.heading.strip("[]").startswith(f"{inside}.")
            if not near and not section.heading.startswith(("do,", "sysctls,")):
                continue
            found = next((key for key in section.keys if _name(key) == name), None)
            if found is not None:
                yield found, section
                break


def _name(key: Key) -> str:
    return key.example.partition("=")[0].strip().strip('"{ ')


def _told(key: Key, section: Section) -> str:
    default = f"; {key.default} if not given" if key.default else ""
    return f"{key.example}  ({section.heading}: {key.kind}{default})\n    {key.about}"
