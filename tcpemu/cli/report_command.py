"""`tcpemu report`: a page to step through a run."""

from collections.abc import Mapping
from pathlib import Path

from tcpemu.cli import run_command
from tcpemu.cli.printing import patience, show
from tcpemu.explain.lines.style import line
from tcpemu.explain.report.report_data import run_data
from tcpemu.explain.report.report_page import Page, page_of
from tcpemu.explain.report.socket_changes import SocketWatch
from tcpemu.explain.told_run import heading_of
from tcpemu.network import Network
from tcpemu.wire.atomic_write import write_whole
from tcpemu.wire.visible_text import visible

PAGE_SUFFIXES = (".html", ".htm")


def write_report(
    name: str, output: Path, settings: Mapping[str, object], only: str | None, until: int | None
) -> None:
    """Run the scenario, all of its runs or the one of that name, and write the page."""
    watches: list[SocketWatch] = []

    def watch(network: Network, _: int) -> None:
        watches.append(SocketWatch(network))
        network.watch_transfers()

    results = run_command.results_of(name, settings, only, until, watch)
    with patience(f"writing {output}"):
        pages = [
            Page(heading_of(name, result), result.scenario.about, run_data(result, watch.changes))
            for result, watch in zip(results, watches, strict=True)
        ]
        write_whole(output, page_of(visible(f"{name}: {results[0].scenario.title}"), pages))
    show([line(f"Written: {output}")])
