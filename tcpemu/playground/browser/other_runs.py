"""What differs between a run and another one: the one before a control was moved, or one on another kernel."""

from collections.abc import Iterator
from typing import Any

from tcpemu.explain.compare.digest_cells import digest_cells
from tcpemu.explain.compare.first_difference import Difference, first_differences
from tcpemu.explain.facts.run_digest import RunDigest, digest_of
from tcpemu.explain.lines.time_words import moment
from tcpemu.scenario.format.consistency import SERVER
from tcpemu.scenario.running import summary
from tcpemu.scenario.running.result import Result


def differences(one: Result, other: Result) -> dict[str, Any]:
    """The numbers that are not the same, each of `one` and of `other`, and where they part first."""
    digests = [digest_of(result.record, SERVER) for result in (one, other)]
    numbers = summary.rows_of_numbers([summary.summarize(result) for result in (one, other)])
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
