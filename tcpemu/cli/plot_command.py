"""`tcpemu plot`: a picture of a run, or of all runs of a scenario."""

from collections.abc import Sequence
from enum import Enum
from pathlib import Path

from tcpemu.cli.printing import check_not_read, check_place, patience, show
from tcpemu.cli.run_command import chosen_runs, facts_of, results_of, results_of_runs
from tcpemu.cli.user_mistakes import UsageError
from tcpemu.explain.lines.style import line
from tcpemu.explain.plots.draw import PICTURE_SUFFIXES, MissingLibraryError, drawn, require_library
from tcpemu.explain.plots.picture import NothingToDrawError, Picture
from tcpemu.explain.plots.queues_plot import queues_picture
from tcpemu.explain.plots.rate_plot import rate_picture
from tcpemu.explain.plots.sequence_plot import sequence_picture
from tcpemu.scenario.running.result import Result
from tcpemu.wire.atomic_write import write_whole
from tcpemu.wire.visible_text import visible


class Kind(Enum):
    """What a plot shows."""

    QUEUES = "queues"
    SEQUENCE = "sequence"
    RATE = "rate"


def check_plot(output: Path, kind: str, client: str | None, name: str) -> Kind:
    """Find out before the run what would be wrong after it. Raises UsageError."""
    check_place(output, PICTURE_SUFFIXES)
    check_not_read(output, [name])
    known = [each.value for each in Kind]
    if kind not in known:
        raise UsageError(f"--kind {kind!r}: it must be {', '.join(known[:-1])} or {known[-1]}")
    if client is not None and kind != Kind.SEQUENCE.value:
        raise UsageError(f"--client goes with --kind sequence, not with {kind}")
    try:
        require_library()
    except MissingLibraryError as error:
        raise UsageError(str(error)) from None
    return Kind(kind)


def plot_scenario(name: str, output: Path, kind: Kind, client: str | None, results: Sequence[Result]) -> None:
    """Draw the runs and write the picture. Raises UsageError."""
    try:
        picture = _picture(name, kind, client, results)
    except NothingToDrawError as error:
        raise UsageError(f"{name}: {error}") from None
    with patience(f"drawing {output}"):
        write_whole(output, drawn(picture, output.suffix.lower().lstrip(".")))
    show([line(f"Written: {output}")])


def _picture(name: str, kind: Kind, client: str | None, results: Sequence[Result]) -> Picture:
    first = results[0]
    title = visible(f"{name}: {first.scenario.title}")
    if kind is Kind.SEQUENCE:
        return sequence_picture(title, _note(results[:1]), first, client)
    draw = queues_picture if kind is Kind.QUEUES else rate_picture
    return draw(title, _note(results), results)


def _note(results: Sequence[Result]) -> str:
    """What all the runs have in common of what somebody needs to have them again."""
    facts = [facts_of(result) for result in results]
    return " · ".join(fact for fact in facts[0] if all(fact in each for each in facts))


def results_for(
    name: str, kind: Kind, settings: dict[str, object], only: str | None, until: int | None
) -> list[Result]:
    """The runs that the plot needs: a time-sequence graph is of one run, the chosen one or the first."""
    if kind is not Kind.SEQUENCE:
        return results_of(name, settings, only, until)
    return results_of_runs(name, chosen_runs(name, settings, only)[:1], until)
