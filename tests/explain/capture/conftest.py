"""Runs that several files here look at."""

import pytest

from tcpemu.scenario.format import load_scenario
from tcpemu.scenario.running import build
from tests.explain.capture.flood_scenario import FLOOD
from tests.explain.hand_made import MS


@pytest.fixture(scope="module")
def flood():
    return build.run(load_scenario.runs(load_scenario.from_text(FLOOD))[0]).record


@pytest.fixture(scope="module")
def results():
    """Every built-in scenario, the one with thousands of packets cut short."""
    return [
        (name, result)
        for name in load_scenario.BUILT_IN_SCENARIOS
        for result in build.run_all(load_scenario.load(name), 300 * MS if name == "accept-rate" else None)
    ]
