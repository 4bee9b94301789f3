"""What happened as dictionaries, table by table: those that the queries of labs ask (`tcpemu.lab.asking.fact_rows`)."""

from collections.abc import Sequence
from typing import Any

from tcpemu.explain.scenario_run import ScenarioRun
from tcpemu.lab.asking.fact_rows import TABLES
from tcpemu.lab.asking.gather_facts import FinishedRun, gather
from tcpemu.network import Network
from tcpemu.programs import Program
from tcpemu.scenario.format.problems import did_you_mean
from tcpemu.scenario.running.result import Result
from tcpemu.testing.world import World


def rows(source: ScenarioRun | Result | Network | World, table: str = "packets") -> list[dict[str, Any]]:
    """The rows of one table: packets, states, timers, queues, calls, counters, hosts, clients, sockets, figures,
    programs.

    Times are seconds of virtual time. Clients are those of a scenario, figures (windows, round-trip times) those of a
    run that followed its transfers. Raises ValueError for another table.
    """
    if table not in TABLES:
        raise ValueError(f"there is no table {table!r}; {did_you_mean(table, TABLES)}")
    columns: tuple[str, ...] = TABLES[table]._fields  # type: ignore[attr-defined]
    found = gather(_finished(source))[table]
    return [dict(zip(columns, row, strict=True)) for row in found]


def _finished(source: ScenarioRun | Result | Network | World) -> FinishedRun:
    result = source.result if isinstance(source, ScenarioRun) else source
    if isinstance(result, Result):
        return FinishedRun(result.network, result=result)
    programs: Sequence[Program] = result.programs if isinstance(result, World) else ()
    return FinishedRun(result.network if isinstance(result, World) else result, programs=programs)
