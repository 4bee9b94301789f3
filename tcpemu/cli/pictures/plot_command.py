"""`tcpemu plot`: a picture of a run, or of all runs of a scenario."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

from tcpemu.cli import run_command
from tcpemu.cli.compare_command import choices_of, columns_of, results_of_columns
from tcpemu.cli.printing import check_not_read, check_place, patience, show
from tcpemu.cli.user_mistakes import UsageError
from tcpemu.explain.lines.style import Role, line
from tcpemu.explain.plots.cwnd_plot import cwnd_picture
from tcpemu.explain.plots.draw import PICTURE_SUFFIXES, USUAL_DPI, MissingLibraryError, drawn, require_library
from tcpemu.explain.plots.draw_ladder import drawn_ladder, rows_that_fit
from tcpemu.explain.plots.ladder_plot import ladder_picture
from tcpemu.explain.plots.picture import NothingToDrawError, Picture, Style
from tcpemu.explain.plots.queues_plot import queues_picture
from tcpemu.explain.plots.rate_plot import rate_picture
from tcpemu.explain.plots.rtt_plot import rtt_picture
from tcpemu.explain.plots.runs_plot import runs_picture
from tcpemu.explain.plots.sequence_plot import sequence_picture
from tcpemu.explain.plots.throughput_plot import throughput_picture
from tcpemu.explain.told_run import facts_of
from tcpemu.scenario.format import load_scenario
from tcpemu.scenario.format.time_settings import time_of
from tcpemu.scenario.running.reckoned_size import has_few_transfers
from tcpemu.scenario.running.result import Result
from tcpemu.wire.atomic_write import write_whole
from tcpemu.wire.visible_text import visible


class Kind(Enum):
    """What a plot shows."""

    QUEUES = "queues"
    SEQUENCE = "sequence"
    CWND = "cwnd"
    RTT = "rtt"
    THROUGHPUT = "throughput"
    COMPARE = "compare"
    RATE = "rate"
    LADDER = "ladder"


OF_A_CONNECTION = {Kind.SEQUENCE, Kind.CWND, Kind.RTT, Kind.THROUGHPUT, Kind.COMPARE}
_FOLLOWED = {Kind.CWND, Kind.RTT, Kind.COMPARE, Kind.LADDER}
"""What needs the inner life of connections."""
_LARGEST, _MOST_DOTS = 100.0, 20_000
"""Inches of a picture, and dots on either side of it."""


@dataclass(frozen=True, slots=True)
class PictureForm:
    """How a picture is to look; None for as it comes."""

    title: str | None = None
    size: tuple[float, float] | None = None
    """Inches."""
    dpi: int = USUAL_DPI
    style: Style = Style.LIGHT


def form_of(
    title: str | None, size: str | None, dpi: int | None, output: Path, style: str = Style.LIGHT.value
) -> PictureForm:
    """What the options say of the look. Raises UsageError."""
    styles = [each.value for each in Style]
    if style not in styles:
        raise UsageError(f"--style {visible(style)!r}: it must be {' or '.join(styles)}")
    inches = None if size is None else _size(size)
    if dpi is not None and output.suffix.lower() != ".png":
        raise UsageError(f"--dpi goes with a .png; {output} has no dots: leave it out")
    if dpi is not None and not 20 <= dpi <= 1200:
        raise UsageError(f"--dpi {dpi}: dots to the inch are 20 to 1200")
    dots = dpi or USUAL_DPI
    if inches is not None and max(inches) * dots > _MOST_DOTS:
        raise UsageError(
            f"--size {size} at {dots} dots to the inch is more than {_MOST_DOTS:,} dots; lower one"
        )
    return PictureForm(None if title is None else visible(title), inches, dots, Style(style))


def _size(text: str) -> tuple[float, float]:
    wide, _, high = text.lower().partition("x")
    try:
        inches = float(wide), float(high)
    except ValueError:
        inches = 0.0, 0.0
    if not all(2 <= side <= _LARGEST for side in inches):
        raise UsageError(f"--size {visible(text)!r}: width and height in inches, each 2 to 100, as 10x5.6")
    return inches


def check_plot(
    output: Path, kind: str | None, client: str | None, name: str, vary: Sequence[str] = ()
) -> None:
    """Find out before the run what would be wrong after it. Raises UsageError."""
    check_place(output, PICTURE_SUFFIXES)
    check_not_read(output, [name])
    known = [each.value for each in Kind]
    if kind is not None and kind not in known:
        raise UsageError(f"--kind {kind!r}: it must be {', '.join(known[:-1])} or {known[-1]}")
    if client is not None and kind is not None and Kind(kind) not in OF_A_CONNECTION:
        kinds = ", ".join(sorted(each.value for each in OF_A_CONNECTION))
        raise UsageError(f"--client goes with a --kind that shows a connection ({kinds}), not with {kind}")
    if vary and kind not in {None, Kind.COMPARE.value}:
        raise UsageError(f"--vary goes with --kind compare, not with {kind}")
    try:
        require_library()
    except MissingLibraryError as error:
        raise UsageError(str(error)) from None


def kind_of(
    name: str,
    kind: str | None,
    settings: Mapping[str, object],
    only: str | None,
    client: str | None,
    vary: Sequence[str],
) -> Kind:
    """The kind that is asked for, or the one that shows most of what the scenario is about."""
    if kind is not None:
        return Kind(kind)
    if vary:
        return Kind.COMPARE
    runs = load_scenario.load_runs(name, settings)
    scenarios = [run.scenario for run in runs if only in {None, run.name, *run.variants}]
    if scenarios and all(has_few_transfers(each, _ROUND_TRIPS) for each in scenarios):
        return Kind.CWND
    if client is not None or (scenarios and all(map(has_few_transfers, scenarios))):
        return Kind.SEQUENCE
    return Kind.QUEUES


_ROUND_TRIPS = 20_000
"""Octets that take more than one round trip: before that a congestion window has nothing to show."""


def tell_kind(kind: Kind) -> None:
    """Say which kind was taken where none was asked for."""
    show([line(f"This is --kind {kind.value}; tcpemu plot --help lists the others", Role.QUIET)])


def plot_scenario(
    name: str,
    output: Path,
    kind: Kind,
    client: str | None,
    results: Sequence[tuple[str, Result]],
    form: PictureForm,
    since: int = 0,
) -> None:
    """Draw the runs, each with its name, and write the picture; a ladder from a time on. Raises UsageError."""
    if kind is Kind.LADDER:
        _plot_ladder(name, output, results[0][1], form, since)
        return
    try:
        picture = _picture(name, kind, client, results)
    except NothingToDrawError as error:
        raise UsageError(f"{name}: {error}") from None
    draw(output, picture, form)


def draw(output: Path, picture: Picture, form: PictureForm) -> None:
    """Draw a picture and write it. Raises UsageError."""
    if form.title is not None:
        picture = replace(picture, title=form.title)
    with patience(f"drawing {output}"):
        try:
            octets = drawn(picture, output.suffix.lower().lstrip("."), form.size, form.dpi, form.style)
        except NothingToDrawError as error:
            raise UsageError(f"--size: {error}") from None
        write_whole(output, octets)
    show([line(f"Written: {output}")])


def since_of(text: str | None, kind: str | None) -> int:
    """Nanoseconds of `--since`. Raises UsageError, SettingError."""
    if text is not None and kind != Kind.LADDER.value:
        raise UsageError(f"--since goes with --kind ladder, not with {kind or 'another kind'}")
    return time_of(text or "0", "--since")


def _plot_ladder(name: str, output: Path, result: Result, form: PictureForm, since: int) -> None:
    run_command.check_since(since, [result])
    title = form.title or visible(f"{name}: {result.scenario.title}")
    try:
        picture = ladder_picture(title, _note([result]), result, rows_that_fit(form.size), since)
    except NothingToDrawError as error:
        raise UsageError(f"{name}: {error}") from None
    with patience(f"drawing {output}"):
        kind = output.suffix.lower().lstrip(".")
        write_whole(output, drawn_ladder(picture, kind, form.size, form.dpi, form.style))
    show([line(f"Written: {output}")])


def _picture(name: str, kind: Kind, client: str | None, named: Sequence[tuple[str, Result]]) -> Picture:
    results = [result for _, result in named]
    first = results[0]
    title = visible(f"{name}: {first.scenario.title}")
    if kind is Kind.SEQUENCE:
        return sequence_picture(title, _note(results[:1]), first, client)
    if kind is Kind.COMPARE:
        return runs_picture(title, _note(results), named, client)
    if kind in _OF_RUNS:
        return _OF_RUNS[kind](title, _note(results), results, client)
    draw = queues_picture if kind is Kind.QUEUES else rate_picture
    return draw(title, _note(results), results)


_OF_RUNS = {Kind.CWND: cwnd_picture, Kind.RTT: rtt_picture, Kind.THROUGHPUT: throughput_picture}


def _note(results: Sequence[Result]) -> str:
    """What all the runs have in common of what somebody needs to have them again."""
    facts = [facts_of(result) for result in results]
    return " · ".join(fact for fact in facts[0] if all(fact in each for each in facts))


def results_for(
    name: str,
    kind: Kind,
    settings: dict[str, object],
    only: str | None,
    until: int | None,
    vary: Sequence[str] = (),
) -> list[tuple[str, Result]]:
    """The runs that the plot needs, each with its name.

    A time-sequence graph is of one run, the chosen one or the first; with `vary` there is one for each value.
    """
    watch = run_command.follow_transfers if kind in _FOLLOWED else None
    if vary:
        columns = columns_of(name, only, choices_of(None, vary), settings)
        results = results_of_columns(name, columns, until, watch)
        return [(_short(column.label), result) for column, result in zip(columns, results, strict=True)]
    runs = run_command.chosen_runs(name, settings, only)
    chosen = runs[:1] if kind in {Kind.SEQUENCE, Kind.LADDER} else runs
    return [(each.name, each) for each in run_command.results_of_runs(name, chosen, until, watch)]


def _short(label: str) -> str:
    """`congestion=reno` of `clients.client.options.congestion=reno`, and so for each setting of a label."""
    return re.sub(r"(^|(?<= ))[^ =]*\.(?=[^ .=]+=)", "", label)
