"""A student's program on an emulated host, beside those of the lab, as `tcpemu exec` would run it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tcpemu.explain.capture.seen_by import SeenBy
from tcpemu.lab.asking.fact_base import FactBase, Value
from tcpemu.lab.asking.gather_facts import FinishedRun
from tcpemu.lab.format.lab_file import Peer, Question
from tcpemu.lab.trying.goals import Attempt, judged, shortened
from tcpemu.lab.trying.lab_run import about_figures
from tcpemu.programs import Program, StuckError
from tcpemu.scenario.running.link_conditions import link_conditions
from tcpemu.stack.base.errors import ConfigurationError
from tcpemu.stack.base.units import SECOND
from tcpemu.testing import World

LONGEST_SAID = 300
"""Characters of one line of them."""
LONGEST_TRACE = 12
"""Lines of what a program wrote to its standard error that are said again."""


@dataclass(frozen=True, slots=True)
class ProgramTask:
    """What is wanted of whoever writes a program."""

    question: Question
    known: Mapping[str, Value]
    seed: int


def try_program(task: ProgramTask, folder: Path) -> Attempt:
    """What comes of the student's file in that folder, where the lab's programs are too. It changes nothing there."""
    try:
        attempt = _run(task, folder)
    except ConfigurationError as error:  # what is no Python at all
        attempt = Attempt((), (str(error),))
    said = (each.replace(f"{folder}{os.sep}", "") for each in attempt.said)
    return Attempt(attempt.held, tuple(shortened(each, LONGEST_SAID) for each in said))


def _run(task: ProgramTask, folder: Path) -> Attempt:
    question = task.question
    said: list[str] = []
    with World(task.seed) as world:
        if about_figures(goal.value for goal in question.holds):
            world.network.watch_transfers()
        world.every_link(link_conditions(question.link))
        world.host(question.host)
        own = world.run(question.host, [str(folder / str(question.file))])
        for peer in question.peers:
            _start(world, peer, folder)
        world.fault(*(table.fault for table in question.faults))
        try:
            world.until(question.virtual / SECOND)
        except StuckError as error:
            said.append(f"it stands still: {error}".partition("\n")[0])
        said += _failure(own)
        for program in world.programs:
            program.disregard_failure()
        facts = FactBase.of(FinishedRun(world.network, SeenBy.SERVER, None, world.programs))
    try:
        attempt = judged(facts, question.holds, task.known)
    finally:
        facts.close()
    return Attempt(attempt.held, (*said, *attempt.said))


def _start(world: World, peer: Peer, folder: Path) -> None:
    file, *arguments = peer.program.split()
    for number in range(peer.count):
        name = peer.host if peer.count == 1 else f"{peer.host}{number + 1}"
        world.host(name)
        at = (peer.begin + number * peer.every) / SECOND
        world.run(name, [str(folder / file), *arguments], at=at)


def _failure(program: Program) -> list[str]:
    """What the student's program said last, where it failed."""
    if not program.done or not program.status:
        return []
    lines = program.errors.strip().splitlines()[-LONGEST_TRACE:]
    return [f"{program.title} ended with exit status {program.status}", *lines]
