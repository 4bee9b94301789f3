"""The page of some runs of a scenario, under the scenario's name, as the command and the playground write it."""

from collections.abc import Sequence

from tcpemu.explain.report.report_data import PageData
from tcpemu.explain.report.report_page import Page, page_of
from tcpemu.explain.report.socket_changes import SocketWatch
from tcpemu.explain.told_run import heading_of
from tcpemu.network import Network
from tcpemu.scenario.running.build import Watch
from tcpemu.scenario.running.result import Result
from tcpemu.wire.visible_text import visible


def watch_for_page(watches: list[SocketWatch]) -> Watch:
    """What keeps of each run that begins all that its page shows; its sockets go into `watches`, in that order."""

    def watch(network: Network, _: int) -> None:
        watches.append(SocketWatch(network))
        network.watch_transfers()

    return watch


def pages_of(name: str, results: Sequence[Result], data: Sequence[PageData]) -> list[Page]:
    """Each run with what stands above it."""
    return [
        Page(heading_of(name, result), result.scenario.about, of_run)
        for result, of_run in zip(results, data, strict=True)
    ]


def told_page(name: str, results: Sequence[Result], data: Sequence[PageData]) -> str:
    """The file, as text."""
    return page_of(visible(f"{name}: {results[0].scenario.title}"), pages_of(name, results, data))
