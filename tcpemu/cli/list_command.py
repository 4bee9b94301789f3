"""`tcpemu list`: the built-in scenarios, each with its sentence; the kernels; what a file may hold."""

import textwrap

from tcpemu.cli.printing import show, width
from tcpemu.explain.catalogue.kernel_list import kernel_lines
from tcpemu.explain.catalogue.scenario_keys import reference_lines
from tcpemu.explain.lines.style import Line, Role, Span
from tcpemu.scenario.format.load_scenario import BUILT_IN_SCENARIOS, load


def show_built_in() -> None:
    """Print name, title and what to look at of each scenario."""
    longest = max(map(len, BUILT_IN_SCENARIOS))
    for name in BUILT_IN_SCENARIOS:
        scenario = load(name)
        show(_entry(name, longest, scenario.title, scenario.look_at))


def show_kernels() -> None:
    """Print each kernel, with what its listen path does."""
    show(kernel_lines(width()))


def show_reference() -> None:
    """Print every table and key of a scenario file."""
    show(reference_lines(width()))


def _entry(name: str, longest: int, title: str, look_at: str) -> list[Line]:
    wrapped = textwrap.wrap(f"Look at: {look_at}", width() - longest - 2)
    return [
        (Span(f"{name:<{longest}}", Role.OPEN), Span(f"  {title}", Role.TITLE)),
        *((Span(" " * (longest + 2) + each, Role.QUIET),) for each in wrapped),
    ]
