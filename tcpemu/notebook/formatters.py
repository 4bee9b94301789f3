"""What Jupyter is told when tcpemu is imported in it: which function shows which kind of value.

The kinds are named and not loaded: a notebook that shows no network loads nothing for it.
"""

import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

_SHOWN = {
    ("tcpemu.stack.host", "Host"): "host_html",
    ("tcpemu.network.node", "Node"): "node_html",
    ("tcpemu.network.network", "Network"): "network_html",
    ("tcpemu.network.record", "Record"): "record_html",
    ("tcpemu.scenario.running.result", "Result"): "result_html",
    ("tcpemu.explain.scenario_run", "ScenarioRun"): "run_html",
    ("tcpemu.testing.world", "World"): "world_html",
}
"""By module and name: the function of `shown_html` for it."""


def register() -> None:
    """Have Jupyter show these kinds of values; nothing where none runs."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is None or shell.display_formatter is None:
        return
    formatter = shell.display_formatter.formatters["text/html"]
    for (module, name), function in _SHOWN.items():
        formatter.for_type_by_name(module, name, _later(function))


def _later(function: str) -> Callable[[Any], str]:
    def show(value: Any) -> str:
        shown: str = getattr(import_module("tcpemu.notebook.shown_html"), function)(value)
        return shown

    return show
