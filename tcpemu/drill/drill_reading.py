"""A script read whole, with what is asked for beside it: all that can be wrong with it is told before it runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tcpemu.drill.language.drill_script import Command, Script
from tcpemu.drill.language.parse_script import read_script
from tcpemu.drill.language.script_mistake import Place, ScriptError, raise_mistakes
from tcpemu.drill.setup.checked_calls import mistaken_calls
from tcpemu.drill.setup.drill_flags import IPV6, DrillFlags, check_addresses, with_flag, with_flags
from tcpemu.drill.setup.shell_commands import ShellAct, acts_of
from tcpemu.drill.setup.unreadable_command import UnreadableCommandError
from tcpemu.generations import DEFAULT
from tcpemu.stack import ConfigurationError


@dataclass(frozen=True, slots=True)
class DrillSettings:
    """What is asked for beside the script; it stands above what the script says."""

    generation: str = DEFAULT
    defines: Mapping[str, str] = field(default_factory=dict)
    flags: tuple[tuple[str, str | None], ...] = ()
    """Options of packetdrill by name, each with its value."""
    hz: int | None = None
    """The kernel's ticks a second; None has timers at their exact deadlines."""
    seed: int = 0
    run_shell: bool = False
    """A shell runs the script's commands: on a real kernel all of them, on the emulator those that cannot be read."""
    cut_by_kernel: bool = False
    """The kernel cuts data into segments itself, so that packets are those on a wire, but for strict segments."""


@dataclass(frozen=True, slots=True)
class ReadDrill:
    """A script that can run."""

    script: Script
    flags: DrillFlags
    acts: dict[Place, list[ShellAct]]
    """What each command sets; a command that cannot be read is not there, where a shell may run."""


def read_drill(
    text: str, name: str, folder: Path, settings: DrillSettings, usual: DrillFlags, *, device: bool = False
) -> ReadDrill:
    """The script; files that its commands name are looked for from the folder on.

    `usual` holds the options that nobody gives; with `device` commands can change its queue and routes.
    ScriptError for what is wrong in the script, ConfigurationError for settings that cannot be.
    """
    script, mistakes = read_script(text, name, settings.defines)
    flags, wrong = with_flags(usual, script.flags, script.text)
    mistakes += wrong
    for option, value in settings.flags:
        try:
            flags = with_flag(flags, option, value)
        except ValueError as error:
            raise ConfigurationError(str(error)) from None
    mistakes += mistaken_calls(script, flags.ip_version == IPV6)
    acts = _acts(script, folder, settings.run_shell, mistakes, device)
    raise_mistakes(mistakes)
    other = check_addresses(flags)
    if other is not None:
        raise ScriptError(script.text, Place(1, 1), other)
    return ReadDrill(script, flags, acts)


def _acts(
    script: Script, folder: Path, run_shell: bool, mistakes: list[ScriptError], device: bool
) -> dict[Place, list[ShellAct]]:
    acts: dict[Place, list[ShellAct]] = {}
    events = [event.action for event in script.events if isinstance(event.action, Command)]
    for command in (script.before, *events, script.after):
        if command is None:
            continue
        try:
            acts[command.place] = acts_of(command.line, folder, device=device)
        except (UnreadableCommandError, OSError) as error:
            if not run_shell:
                words = (
                    f"{error.filename}: {error.strerror}; what it sets is read from there"
                    if isinstance(error, OSError)
                    else str(error)
                )
                mistakes.append(ScriptError(script.text, command.place, words))
    return acts
