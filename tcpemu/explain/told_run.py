"""A run of a scenario as it is told under the scenario's name: its heading, and its capture.

The commands and the playground tell it by these, by `told_story.py` and by `told_page.py`, so that both say and write
the same.
"""

from pathlib import PurePath

from tcpemu.explain.capture.annotated_capture import CaptureInPieces
from tcpemu.explain.capture.seen_by import SeenBy
from tcpemu.explain.lines.heading import Heading
from tcpemu.scenario.running.result import Result
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
