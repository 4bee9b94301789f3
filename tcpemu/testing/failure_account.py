"""What a failing test prints of its world: seed, line that repeats it, packets, sockets, counters, capture."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tcpemu.explain.ladder.fold import WHOLE
from tcpemu.explain.ladder.ladder_lines import ladder_lines
from tcpemu.explain.lines.style import lines_text
from tcpemu.explain.tables.counter_table import counter_lines
from tcpemu.network import seconds_text
from tcpemu.stack import Generation
from tcpemu.testing.world import World
from tcpemu.testing.world_of_test import parameters_of

WIDTH = 100
LADDER_LINES = 40
"""So many lines of a ladder are shown: the last."""
MOST_ROWS = 20_000
"""Of a longer run repetitions are folded first, which takes less time."""
LONGEST_NAME = 100


def account(item: pytest.Item, world: World) -> str:
    """All of it, as the text of one section of pytest's report."""
    return "\n".join(
        [
            *_summary(item, world),
            "",
            *_last_packets(world),
            *(line for name in world.hosts for line in _of_host(world, name)),
        ]
    )


def _summary(item: pytest.Item, world: World) -> Iterator[str]:
    kernels = [getattr(node.host, "generation", None) for node in world.hosts.values()]
    generations = dict.fromkeys(kernel.name for kernel in kernels if isinstance(kernel, Generation))
    yield f"seed {world.network.seed}, {', '.join(generations) or 'no host'}, at {seconds_text(world.network.now)}"
    yield f"again:    {repeats(item)}"
    for fault in world.faults:
        unmet = " (no packet has met it)" if fault in world.unmet_faults else ""
        yield f"fault:    {fault}{unmet}"
    if world.record.entries:
        yield f"capture:  {_saved(item, world)}"


def repeats(item: pytest.Item) -> str:
    """The command line that runs this test again, with its seed and its kernel alone."""
    nodeid: Any = item.nodeid  # of a type of its own since pytest 9.2
    words = ["pytest", str(item.config.cwd_relative_nodeid(nodeid))]
    parameters = parameters_of(item)
    seed = item.config.getoption("tcpemu_seed")
    if "tcpemu_seed" in parameters:
        words += ["--tcpemu-seed", str(parameters["tcpemu_seed"]), "--tcpemu-seeds", "1"]
    elif seed is not None:
        words += ["--tcpemu-seed", str(seed)]
    if "tcpemu_generation" in parameters:
        words += ["--tcpemu-generation", str(parameters["tcpemu_generation"])]
    return shlex.join(words)


def _saved(item: pytest.Item, world: World) -> str:
    """Where the packets are, or why they are nowhere."""
    path = _folder(item) / f"{_file_name(item.nodeid)}.pcapng"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return str(world.save(path, with_lost=True))
    except OSError as error:
        return f"not written: {error}"


def _folder(item: pytest.Item) -> Path:
    """What --tcpemu-dir says, or pytest's own folder for what tests leave behind."""
    given = item.config.getoption("tcpemu_dir")
    if given is not None:
        return Path(item.config.invocation_params.dir, given)
    factory: pytest.TempPathFactory = item.config._tmp_path_factory  # type: ignore[attr-defined]
    return factory.getbasetemp() / "tcpemu"


def _file_name(nodeid: str) -> str:
    """The test's name, as a file may be called."""
    return re.sub(r"[^\w.=,\[\]-]+", "-", nodeid.replace(".py::", "-")).strip("-")[-LONGEST_NAME:]


def _last_packets(world: World) -> Iterator[str]:
    if not world.record.entries:
        yield "no packet was sent"
        return
    whole = MOST_ROWS if len(world.record.entries) <= MOST_ROWS else WHOLE
    lines = lines_text(ladder_lines(world.record, width=WIDTH, whole=whole)).splitlines()
    head = next((number for number, line in enumerate(lines) if line.startswith("time (s)")), -1) + 1
    body = lines[head:]
    yield lines[head - 1]
    if len(body) > LADDER_LINES:
        yield f"{'':7}… {len(body) - LADDER_LINES} lines before these; the capture has all packets"
    yield from body[-LADDER_LINES:]


def _of_host(world: World, name: str) -> Iterator[str]:
    """`ss` and `nstat` of a host, where they have anything to show."""
    sockets = world.ss(name)
    if sockets.count("\n") > 1:
        yield ""
        yield f"{name}: ss -tan"
        yield sockets.rstrip()
    if counters := lines_text(counter_lines(world.counters(name), WIDTH)):
        yield ""
        yield f"{name}: counters that moved"
        yield counters.rstrip()
