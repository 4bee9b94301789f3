"""The story of a run, laid out: a title with its time for each turning point, and a paragraph under it."""

import textwrap
from collections.abc import Iterator, Sequence

from tcpemu.explain.facts.client_outcomes import ApplicationOutcome, client_outcome_lines
from tcpemu.explain.lines.heading import Heading, heading_lines
from tcpemu.explain.lines.style import Line, Role, Span, line
from tcpemu.explain.lines.time_words import moment
from tcpemu.explain.lines.wrapping import JOINED, joined
from tcpemu.explain.story.opening_and_closing import UNTROUBLED
from tcpemu.explain.story.story_paragraph import TurningPoint

_INDENT = "  "


def story_lines(
    heading: Heading, points: Sequence[TurningPoint], outcomes: Sequence[ApplicationOutcome], width: int = 100
) -> Iterator[Line]:
    """The heading, each turning point, and how the clients fared."""
    yield from heading_lines(heading, width)
    failed = any(
        outcome.error or (outcome.connected is None and outcome.over is None) for outcome in outcomes
    )
    if not failed and all(point.reason in UNTROUBLED for point in points):
        yield ()
        yield line("Nothing was dropped, ignored, lost or sent again.")
    for point in points:
        yield ()
        yield (Span(moment(point.at), Role.QUIET), Span("  "), Span(point.title, Role.TITLE))
        yield from _wrapped(point.text, width, Role.PLAIN)
        if point.change:
            yield from _wrapped(f"What would change it: {point.change}.", width, Role.CALL)
    if outcomes:
        yield ()
        yield line("How the clients fared", Role.TITLE)
        yield from client_outcome_lines(outcomes, width)


def _wrapped(text: str, width: int, role: Role) -> Iterator[Line]:
    lines = textwrap.wrap(joined(text), width - len(_INDENT), break_long_words=False, break_on_hyphens=False)
    for each in lines:
        yield (Span(_INDENT), Span(each.replace(JOINED, " "), role))
