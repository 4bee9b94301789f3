"""The story of a run, and how its hosts stand at a moment, told under the scenario's name.

It is apart from `told_run.py`, so that whoever only needs the heading of a run does not load the rooms of the story.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from tcpemu.explain.facts.client_outcomes import client_outcomes
from tcpemu.explain.lines.style import Line
from tcpemu.explain.lines.time_words import moment
from tcpemu.explain.story.story_lines import story_lines
from tcpemu.explain.story.turning_points import turning_points
from tcpemu.explain.tables.host_state import (
    HostState,
    connections_of,
    host_state_lines,
    last_queues,
    waiting_for_accept,
)
from tcpemu.explain.told_run import heading_of
from tcpemu.network import Node
from tcpemu.scenario.format.consistency import SERVER
from tcpemu.scenario.running.result import Result
from tcpemu.stack.host import Host


def told_story(name: str, result: Result, width: int) -> Iterator[Line]:
    """Its turning points, and how the clients fared."""
    turns = turning_points(result.record, SERVER, result.hosts, transfers=result.network.transfers)
    fates = client_outcomes(result.record, result.starts, result.ended)
    heading = replace(heading_of(name, result), about=result.scenario.about)
    return story_lines(heading, turns, fates, width)


def told_state(name: str, result: Result, at: int, width: int) -> Iterator[Line]:
    """How each host stands now, at `at` in nanoseconds, until which the run was run."""
    heading, end = heading_of(name, result), result.scenario.duration
    if at > end:
        heading = replace(heading, facts=(f"after the scenario, which ends at {moment(end)}", *heading.facts))
    without_tcp = [node.name for node in result.network.nodes.values() if not isinstance(node, Node)]
    return host_state_lines(heading, at, _standings(result), width, without_tcp)


def _standings(result: Result) -> Sequence[HostState]:
    """How each host with a TCP stands now."""
    network = result.network
    return [
        HostState(
            node.name,
            network.table(node),
            network.counters(node),
            last_queues(result.record, node.name),
            network.pending(node),
            waiting_for_accept(node.host) if isinstance(node.host, Host) else (),
            connections_of(node.host) if isinstance(node.host, Host) else (),
        )
        for node in network.nodes.values()
        if isinstance(node, Node)
    ]
