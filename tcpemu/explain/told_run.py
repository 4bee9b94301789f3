"""A run of a scenario as it is told under the scenario's name: its heading, its capture, its story, its page.

The commands and the playground tell it by these, so that both say and write the same.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePath

from tcpemu.explain.capture.annotated_capture import CaptureInPieces
from tcpemu.explain.capture.seen_by import SeenBy
from tcpemu.explain.facts.client_outcomes import client_outcomes
from tcpemu.explain.lines.heading import Heading
from tcpemu.explain.lines.style import Line
from tcpemu.explain.story.story_lines import story_lines
from tcpemu.explain.story.turning_points import turning_points
from tcpemu.explain.tables.host_state import (
    HostState,
    connections_of,
    last_queues,
    waiting_for_accept,
)
from tcpemu.network import Node
from tcpemu.scenario.format.consistency import SERVER
from tcpemu.scenario.running.result import Result
from tcpemu.stack.host import Host
from tcpemu.wire.visible_text import visible


def facts_of(result: Result) -> list[str]:
    """What somebody needs to have the same run again."""
    scenario = result.scenario
    run = [f"run {result.name!r}"] if result.name else []
    kernels = dict.fromkeys([scenario.server.generation, *(group.generation for group in scenario.clients)])
    server = f"server {scenario.server.generation}" if len(kernels) > 1 else next(iter(kernels))
    without = dict.fromkeys(f"without {each.sysctl}" for each in result.left_out)
    return [*run, server, f"seed {scenario.seed}", *map(visible, result.given), *without]


def heading_of(name: str, result: Result) -> Heading:
    """What stands above all that is shown of a run."""
    scenario = result.scenario
    title = visible(f"{name}: {scenario.title}" + (f" — {result.name}" if result.name else ""))
    return Heading(title, scenario.look_at, tuple(facts_of(result)))


def capture_in_pieces(
    name: str,
    result: Result,
    path: PurePath,
    seen_by: SeenBy,
    *,
    comments: bool = True,
    with_lost: bool = False,
) -> CaptureInPieces:
    """What is written of a run into a capture of that path; a .pcap file has no place for words."""
    return CaptureInPieces(
        result.record,
        seen_by,
        [visible(f"scenario {name}"), *facts_of(result), result.scenario.title],
        comments=comments and path.suffix.lower() != ".pcap",
        with_lost=with_lost,
        transfers=result.network.transfers,
    )


def told_story(name: str, result: Result, width: int) -> Sequence[Line]:
    """Its turning points, and how the clients fared."""
    turns = turning_points(result.record, SERVER, result.hosts, transfers=result.network.transfers)
    fates = client_outcomes(result.record, result.starts, result.ended)
    heading = replace(heading_of(name, result), about=result.scenario.about)
    return list(story_lines(heading, turns, fates, width))


def standings(result: Result) -> Sequence[HostState]:
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
