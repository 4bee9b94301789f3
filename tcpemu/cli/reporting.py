"""`tcpemu report`: a page to step through a run."""

from collections.abc import Mapping
from pathlib import Path

from tcpemu.cli import runs
from tcpemu.cli.output import patience, show
from tcpemu.explain.report.data import run_data
from tcpemu.explain.report.page import Page, page_of
from tcpemu.explain.report.watch import SocketWatch
from tcpemu.explain.style import line
from tcpemu.scenario import build, load
from tcpemu.wire.whole import write_whole

SUFFIXES = (".html", ".htm")


def write_report(
    name: str, output: Path, settings: Mapping[str, object], only: str | None, until: int | None
) -> None:
    """Run the scenario, all of its runs or the one of that name, and write the page."""
    scenario = load.load(name, settings)
    pages = [_page(name, one, until) for one in runs.chosen(name, load.runs(scenario), only)]
    with patience(f"writing {output}"):
        write_whole(output, page_of(f"{name}: {scenario.title}", pages))
    show([line(f"Written: {output}")])


def _page(name: str, one: load.Run, until: int | None) -> Page:
    with patience(f"running {name}{f', {one.name}' if one.name else ''}"):
        result = build.build(one)
        watch = SocketWatch(result.network)
        result.network.run(one.scenario.duration if until is None else until)
        return Page(runs.heading_of(name, result), run_data(result, watch.changes))
