"""`tcpemu report`: a page to step through a run."""

from collections.abc import Mapping
from pathlib import Path

from tcpemu.cli import run_command
from tcpemu.cli.printing import patience, show
from tcpemu.explain.lines.style import line
from tcpemu.explain.report.report_data import run_data
from tcpemu.explain.report.socket_changes import SocketWatch
from tcpemu.explain.told_page import told_page, watch_for_page
from tcpemu.wire.atomic_write import write_whole

PAGE_SUFFIXES = (".html", ".htm")


def write_report(
    name: str, output: Path, settings: Mapping[str, object], only: str | None, until: int | None
) -> None:
    """Run the scenario, all of its runs or the one of that name, and write the page."""
    watches: list[SocketWatch] = []
    results = run_command.results_of(name, settings, only, until, watch_for_page(watches))
    with patience(f"writing {output}"):
        data = [run_data(result, watch.changes) for result, watch in zip(results, watches, strict=True)]
        write_whole(output, told_page(name, results, data))
    show([line(f"Written: {output}")])
