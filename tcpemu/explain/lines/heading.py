"""What stands above: the heading of a run, and the title of a section."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tcpemu.explain.lines.style import Line, Role, line
from tcpemu.explain.lines.wrapping import wrapped


@dataclass(frozen=True, slots=True)
class Heading:
    """What stands above a ladder."""

    title: str
    look_at: str = ""
    facts: tuple[str, ...] = ()
    """Seed, kernel and the like, each a few words."""
    about: str = ""
    """What it shows and why, in some sentences."""


def heading_lines(heading: Heading | None, width: int) -> Iterator[Line]:
    """The heading as it stands above a ladder, broken to the width."""
    if heading is None:
        return
    yield from wrapped(heading.title, width, Role.TITLE)
    yield from wrapped(heading.about, width)
    if heading.look_at:
        yield from wrapped(f"Look at: {heading.look_at}", width)
    if heading.facts:
        yield from wrapped(" · ".join(heading.facts), width, Role.QUIET)


def section(title: str, lines: Sequence[Line]) -> Iterator[Line]:
    """A title and what belongs to it; nothing at all where there is nothing to show."""
    if lines:
        yield ()
        yield line(title, Role.TITLE)
        yield from lines
