"""The story of a run, laid out: a title with its time for each turning point, and a paragraph under it."""

import textwrap
from collections.abc import Iterator, Sequence

from tcpemu.explain.facts.client_outcomes import ClientOutcome, client_outcome_lines
from tcpemu.explain.lines.heading import Heading, heading_lines
from tcpemu.explain.lines.style import Line, Role, Span, line
from tcpemu.explain.lines.time_words import moment
from tcpemu.explain.lines.wrapping import JOINED, joined
from tcpemu.explain.story.opening_and_closing import UNTROUBLED
from tcpemu.explain.story.turning_points import TurningPoint

_INDENT = "  "


def story_lines(
    heading: Heading, turns: Sequence[TurningPoint], fates: Sequence[ClientOutcome], width: int = 100
) -> Iterator[Line]:
    """The heading, each turning point, and how the clients fared."""
    yield from heading_lines(heading, width)
    if all(turn.reason in UNTROUBLED for turn in turns):
        yield ()
        yield line("Nothing was dropped, ignored, lost or sent again.")
    for turn in turns:
        yield ()
        yield (Span(moment(turn.at), Role.QUIET), Span("  "), Span(turn.title, Role.TITLE))
        yield from _wrapped(turn.text, width, Role.PLAIN)
        if turn.change:
            yield from _wrapped(f"What would change it: {turn.change}.", width, Role.CALL)
    if fates:
        yield ()
        yield line("How the clients fared", Role.TITLE)
        yield from client_outcome_lines(fates, width)


def _wrapped(text: str, width: int, role: Role) -> Iterator[Line]:
    lines = textwrap.wrap(joined(text), width - len(_INDENT), break_long_words=False, break_on_hyphens=False)
    for each in lines:
        yield (Span(_INDENT), Span(each.replace(JOINED, " "), role))
