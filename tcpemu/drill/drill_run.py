"""One script from its text to its outcome, on the emulated host."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from tcpemu.drill.drill_outcome import DrillOutcome, told_failure
from tcpemu.drill.drill_reading import DrillSettings, read_drill
from tcpemu.drill.language.drill_script import Script
from tcpemu.drill.language.script_mistake import Place, ScriptError
from tcpemu.drill.playing.drill_failure import DrillFailure
from tcpemu.drill.playing.drill_stage import BEGINNING
from tcpemu.drill.running.drill_world import DrillWorld
from tcpemu.drill.running.emulated_flows import EmulatedFlows
from tcpemu.drill.running.emulated_player import EmulatedPlayer
from tcpemu.drill.running.emulated_shell import EmulatedShell
from tcpemu.drill.running.emulated_stage import EmulatedStage
from tcpemu.drill.setup.drill_flags import DrillFlags
from tcpemu.generations import generation
from tcpemu.stack import ConfigurationError, Host
from tcpemu.wire.segment import address

Runner: TypeAlias = Callable[[str, str, Path, DrillSettings | None], DrillOutcome]
"""Runs a script: its text, its name, its folder, what is asked for."""
_MOST_OCTETS = 2**22
"""Of a script."""


def run_file(path: Path, settings: DrillSettings | None = None, run: Runner | None = None) -> DrillOutcome:
    """Run the script in a file: by `run_text`, if no other function is given. OSError where it cannot be read."""
    with path.open("rb") as file:
        octets = file.read(_MOST_OCTETS + 1)
    if len(octets) > _MOST_OCTETS:
        return DrillOutcome(
            str(path), False, f"{path}: more than {_MOST_OCTETS} octets; no script is as long", mistake=True
        )
    return (run or run_text)(octets.decode("utf-8", "replace"), str(path), path.parent, settings)


def run_text(
    text: str, name: str = "script", folder: Path | None = None, settings: DrillSettings | None = None
) -> DrillOutcome:
    """Run a script. Files that its commands name are looked for from the folder on, the working one if not given.

    ConfigurationError for settings that cannot be.
    """
    began = time.perf_counter()
    outcome = DrillOutcome(name, True)
    try:
        _run(text, name, folder or Path.cwd(), settings or DrillSettings(), outcome)
    except ScriptError as mistake:
        outcome.passed, outcome.mistake = False, True
        outcome.message, outcome.reason = str(mistake), mistake.words
    outcome.took = time.perf_counter() - began
    return outcome


def _run(text: str, name: str, folder: Path, settings: DrillSettings, outcome: DrillOutcome) -> None:
    read = read_drill(text, name, folder, settings, DrillFlags())
    script, flags = read.script, read.flags
    host = _host(script, flags, settings)
    shell = EmulatedShell(host, read.acts, folder)
    stage = EmulatedStage(host)
    flows = EmulatedFlows(host, address(flags.local), address(flags.remote), flags.bind_port)
    world = DrillWorld(stage, flags, flows, shell_files=shell.files)
    try:
        if script.before is not None:
            shell.run(script.before)
        EmulatedPlayer(script, world, shell.run).play()
        if script.after is not None:
            shell.run(script.after)
    except DrillFailure as failure:
        outcome.passed, outcome.reason = False, failure.words
        outcome.message = told_failure(script, failure)
    outcome.virtual = stage.now - BEGINNING
    outcome.packets, outcome.remarks = stage.packets, shell.remarks


def _host(script: Script, flags: DrillFlags, settings: DrillSettings) -> Host:
    """The host under test. ScriptError for an MTU that it cannot have."""
    kernel = generation(settings.generation)
    try:
        return Host(
            [flags.local], kernel, seed=settings.seed, mtu=flags.mtu, hz=settings.hz, gro_size=flags.mss
        )
    except ConfigurationError as error:
        if settings.hz is not None and str(error).startswith("hz"):
            raise
        raise ScriptError(script.text, Place(1, 1), str(error)) from None
