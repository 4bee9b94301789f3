"""What differs between a run and another one: the one before a control was moved, or one on another kernel."""

from collections.abc import Iterator
from typing import Any

from tcpemu.explain.compare.digest_cells import digest_cells
from tcpemu.explain.compare.first_difference import Difference, first_differences
from tcpemu.explain.facts.run_digest import RunDigest
from tcpemu.explain.lines.time_words import moment
from tcpemu.playground.browser.shown_scenario import RunScenario
from tcpemu.scenario.running.summary import rows_of_numbers


def differences(one: RunScenario, run: int, other: RunScenario, other_run: int) -> dict[str, Any]:
    """The numbers that are not the same, each of a run of `one` and of one of `other`, and where they part first."""
    digests = one.digests[run], other.digests[other_run]
    numbers = rows_of_numbers([one.summaries[run], other.summaries[other_run]])
    rows = [[label, *cells] for label, cells in [*numbers, *digest_cells(digests)] if len(set(cells)) > 1]
    return {"rows": rows, "parts": list(_parting(*digests))}


def _parting(one: RunDigest, other: RunDigest) -> Iterator[str]:
    found = first_differences(one, other)
    if found.looks is not None:
        same = (
            "all decisions are the same, at the same times"
            if found.behaviour is None
            else "it is decided alike"
        )
        yield f"{_told(found.looks)} Only how it looks: {same}."
    if found.behaviour is not None:
        yield _told(found.behaviour)


def _told(difference: Difference) -> str:
    at = moment(difference.at)
    return f"{difference.packet} at {at} is the first that differs. Before: {difference.there}. Now: {difference.here}."
