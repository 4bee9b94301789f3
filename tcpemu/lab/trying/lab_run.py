"""A scenario that is run to its end, and its facts."""

import re
from collections.abc import Iterable

from tcpemu.explain.capture.seen_by import SeenBy
from tcpemu.lab.asking.fact_base import FactBase
from tcpemu.lab.asking.gather_facts import FinishedRun
from tcpemu.network import Network
from tcpemu.scenario.format.load_scenario import Run
from tcpemu.scenario.format.scenario_file import Scenario
from tcpemu.scenario.running import build
from tcpemu.scenario.running.result import Result

_FIGURES = re.compile(r"\bfigures\b", re.IGNORECASE)


def about_figures(queries: Iterable[str]) -> bool:
    """Whether a query speaks of the table `figures`, whose rows are kept only where somebody wants them."""
    return any(_FIGURES.search(query) for query in queries)


def run_to_end(scenario: Scenario, *, figures: bool) -> Result:
    """Run a scenario without variants to its end."""
    return build.run(Run("", scenario), None, _watch if figures else None)


def facts_of(result: Result, seen_by: SeenBy) -> FactBase:
    """What happened in it."""
    return FactBase.of(FinishedRun(result.network, seen_by, result))


def _watch(network: Network, _: int) -> None:
    network.watch_transfers()
