"""Scenarios: what a file may say, the run that comes of it, and claims that runs decide; and step traces.

    format/         what a scenario file may say, and what is said of its mistakes
    running/        from a scenario to a network, what its programs do, what came of it
    claims/         claims of well-known texts, each decided by runs
    traces/         step traces, answered by the emulator and compared with an answer

The scenarios that come with the program are in `builtin/`. The names below run one from Python; each is loaded when
it is first asked for:

>>> from tcpemu.scenario import load, run_all
>>> scenario = load("listen-1-vs-5", {"duration": "2 s"})
>>> for result in run_all(scenario):
...     print(result.name, sum(client.connected is not None for client in result.clients))
listen(1) 2
listen(5) 6

or one that is written on the spot; all mistakes come in one ScenarioError:

>>> from tcpemu.scenario import from_text, runs, run
>>> scenario = from_text('''
... title = "A client at a port where nobody listens"
... [server]
... [[clients]]
... name = "one"
... port = 81
... ''')
>>> (one,) = runs(scenario)
>>> run(one).clients[0].error
'ECONNREFUSED'
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tcpemu.scenario.format.load_scenario import BUILT_IN_SCENARIOS, Run, from_text, load, runs
    from tcpemu.scenario.format.problems import ScenarioError
    from tcpemu.scenario.format.scenario_file import Scenario
    from tcpemu.scenario.running.build import run, run_all
    from tcpemu.scenario.running.result import Accepted, ClientOutcome, Result

_HOMES = {
    "BUILT_IN_SCENARIOS": "tcpemu.scenario.format.load_scenario",
    "Run": "tcpemu.scenario.format.load_scenario",
    "from_text": "tcpemu.scenario.format.load_scenario",
    "load": "tcpemu.scenario.format.load_scenario",
    "runs": "tcpemu.scenario.format.load_scenario",
    "ScenarioError": "tcpemu.scenario.format.problems",
    "Scenario": "tcpemu.scenario.format.scenario_file",
    "run": "tcpemu.scenario.running.build",
    "run_all": "tcpemu.scenario.running.build",
    "Accepted": "tcpemu.scenario.running.result",
    "ClientOutcome": "tcpemu.scenario.running.result",
    "Result": "tcpemu.scenario.running.result",
}

__all__ = [
    "BUILT_IN_SCENARIOS",
    "Accepted",
    "ClientOutcome",
    "Result",
    "Run",
    "Scenario",
    "ScenarioError",
    "from_text",
    "load",
    "run",
    "run_all",
    "runs",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'tcpemu.scenario' has no attribute {name!r}")
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    """What help() and completion show, before any of it is loaded."""
    return sorted({*globals(), *__all__})
