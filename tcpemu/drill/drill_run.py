"""One script from its text to its outcome."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tcpemu.drill.language.drill_script import Command, Script
from tcpemu.drill.language.parse_script import read_script
from tcpemu.drill.language.script_mistake import Place, ScriptError, raise_mistakes
from tcpemu.drill.playing.drill_failure import DrillFailure
from tcpemu.drill.playing.drill_stage import BEGINNING
from tcpemu.drill.running.drill_world import DrillWorld
from tcpemu.drill.running.emulated_flows import EmulatedFlows
from tcpemu.drill.running.emulated_player import EmulatedPlayer
from tcpemu.drill.running.emulated_stage import EmulatedStage
from tcpemu.drill.setup.checked_calls import mistaken_calls
from tcpemu.drill.setup.drill_flags import IPV6, DrillFlags, check_addresses, with_flag, with_flags
from tcpemu.drill.setup.network_commands import ForgetPeers, SetMtu, SetRoute
from tcpemu.drill.setup.shell_commands import (
    LookForSocket,
    MakeFile,
    ReadCounters,
    SetSysctl,
    ShellAct,
    acts_of,
)
from tcpemu.drill.setup.unreadable_command import UnreadableCommandError
from tcpemu.generations import DEFAULT, generation
from tcpemu.generations.linux_counters import MIB_II
from tcpemu.stack import ConfigurationError, Host, NotEmulatedError
from tcpemu.wire.capture_values import Packet
from tcpemu.wire.segment import Address, address

_MOST_OCTETS = 2**22
"""Of a script."""


@dataclass(slots=True)
class DrillOutcome:
    """What became of a script."""

    name: str
    passed: bool
    message: str = ""
    """Why it did not pass: its place, the line, what was expected and what came. Empty where it passed."""
    reason: str = ""
    """The same in a few words."""
    mistake: bool = False
    """The script could not be read, or asks for what is not there."""
    virtual: int = 0
    """Nanoseconds of virtual time from the first event."""
    took: float = 0.0
    """Seconds of real time."""
    packets: list[Packet] = field(default_factory=list)
    """All packets, for a capture."""
    remarks: list[str] = field(default_factory=list)
    """Sysctls that it sets and that do nothing here."""


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


def run_file(path: Path, settings: DrillSettings | None = None) -> DrillOutcome:
    """Run the script in a file. OSError where it cannot be read."""
    with path.open("rb") as file:
        octets = file.read(_MOST_OCTETS + 1)
    if len(octets) > _MOST_OCTETS:
        return DrillOutcome(
            str(path), False, f"{path}: more than {_MOST_OCTETS} octets; no script is as long", mistake=True
        )
    return run_text(octets.decode("utf-8", "replace"), str(path), path.parent, settings)


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
    script, mistakes = read_script(text, name, settings.defines)
    flags, wrong = with_flags(DrillFlags(), script.flags, script.text)
    mistakes += wrong
    for option, value in settings.flags:
        try:
            flags = with_flag(flags, option, value)
        except ValueError as error:
            raise ConfigurationError(str(error)) from None
    mistakes += mistaken_calls(script, flags.ip_version == IPV6)
    shell = _Shell(script, folder, outcome)
    mistakes += shell.read_all()
    raise_mistakes(mistakes)
    host = _host(script, flags, settings)
    shell.host = host
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
        outcome.message = _told(script, failure)
    outcome.virtual = stage.now - BEGINNING
    outcome.packets = stage.packets


def _host(script: Script, flags: DrillFlags, settings: DrillSettings) -> Host:
    """The host under test. ScriptError for addresses and an MTU that it cannot have."""
    kernel = generation(settings.generation)
    wrong = check_addresses(flags)
    if wrong is not None:
        raise ScriptError(script.text, Place(1, 1), wrong)
    try:
        return Host(
            [flags.local], kernel, seed=settings.seed, mtu=flags.mtu, hz=settings.hz, gro_size=flags.mss
        )
    except ConfigurationError as error:
        if settings.hz is not None and str(error).startswith("hz"):
            raise
        raise ScriptError(script.text, Place(1, 1), str(error)) from None


def _told(script: Script, failure: DrillFailure) -> str:
    place = failure.place
    head = f"{script.text.name}:{place.line}: {failure.words}"
    return "\n".join((head, script.text.excerpt(place), *(f"        {line}" for line in failure.details)))


class _Shell:
    """Does to the host what the commands of a script would do to a machine."""

    def __init__(self, script: Script, folder: Path, outcome: DrillOutcome) -> None:
        self.script = script
        self.folder = folder
        self.outcome = outcome
        self.host: Host | None = None
        self.acts: dict[Place, list[ShellAct]] = {}
        self.counted: dict[str, int] = {}
        self.files: dict[str, bytes] = {}

    def read_all(self) -> list[ScriptError]:
        """Read every command before anything runs; those that cannot be read."""
        mistakes: list[ScriptError] = []
        events = [event.action for event in self.script.events if isinstance(event.action, Command)]
        for command in (self.script.before, *events, self.script.after):
            if command is None:
                continue
            try:
                self.acts[command.place] = self._read(command)
            except ScriptError as mistake:
                mistakes.append(mistake)
        return mistakes

    def _read(self, command: Command) -> list[ShellAct]:
        try:
            return acts_of(command.line, self.folder)
        except UnreadableCommandError as error:
            raise ScriptError(self.script.text, command.place, str(error)) from None
        except OSError as error:
            words = f"{error.filename}: {error.strerror}; what it sets is read from there"
            raise ScriptError(self.script.text, command.place, words) from None

    def run(self, command: Command) -> None:
        """One command's acts."""
        assert self.host is not None
        for act in self.acts[command.place]:
            if isinstance(act, SetSysctl):
                self._set(self.host, act)
            elif isinstance(act, ForgetPeers | SetMtu | SetRoute):
                self._change_network(self.host, act, command)
            elif isinstance(act, ReadCounters):
                self._look_at_counters(self.host, act, command)
            elif isinstance(act, LookForSocket):
                _look_for_socket(self.host, act, command)
            elif isinstance(act, MakeFile):
                self._make(act)

    def _set(self, host: Host, act: SetSysctl) -> None:
        value = str(int(act.value, 16)) if act.value.lower().startswith("0x") else act.value
        try:
            host.set_sysctl(act.name, value)
        except (ConfigurationError, NotEmulatedError) as error:
            remark = str(error)
            if remark not in self.outcome.remarks:
                self.outcome.remarks.append(remark)

    def _change_network(self, host: Host, act: ForgetPeers | SetMtu | SetRoute, command: Command) -> None:
        try:
            if isinstance(act, SetMtu):
                host.set_mtu(act.mtu)
            elif isinstance(act, SetRoute):
                host.set_route(
                    act.peer, mtu=act.mtu, locked=act.locked, advmss=act.advmss, initcwnd=act.initcwnd
                )
            else:
                host.forget_peers()
        except (ConfigurationError, NotEmulatedError) as error:
            raise DrillFailure(command.place, str(error)) from None

    def _make(self, act: MakeFile) -> None:
        if act.size is None:
            self.files.pop(act.name, None)
        else:
            self.files[act.name] = bytes(act.size)

    def _look_at_counters(self, host: Host, act: ReadCounters, command: Command) -> None:
        now = dict(host.counters)
        names = now.keys() | (host.generation.counters or frozenset()) if act.zeros else now.keys()
        moved = {name: now.get(name, 0) - self.counted.get(name, 0) for name in names}
        lines = [
            f"{_counter_name(name):<32}{by:<16}0.0" for name, by in sorted(moved.items()) if by or act.zeros
        ]
        if not act.keeps:
            self.counted = now
        if act.patterns and not any(all(pattern in line for pattern in act.patterns) for line in lines):
            wanted = " and ".join(map(repr, act.patterns))
            raise DrillFailure(command.place, f"no line of nstat has {wanted}", tuple(lines))


def _counter_name(name: str) -> str:
    return f"Tcp{name}" if name in MIB_II else f"TcpExt{name}"


def _look_for_socket(host: Host, act: LookForSocket, command: Command) -> None:
    """Lines as in /proc/net/tcp: ends in hexadecimal, then the number of the state (tcp_ipv4.c: get_tcp4_sock)."""
    lines = [f"{_end(row.local)} {_end(row.remote)} {int(row.state):02X} " for row in host.sockets()]
    if not any(all(pattern in line for pattern in act.patterns) for line in lines):
        raise DrillFailure(
            command.place, f"no line of the socket table has {' and '.join(map(repr, act.patterns))}"
        )


def _end(end: tuple[Address, int] | None) -> str:
    address_octets, port = end or (bytes(4), 0)
    words = [address_octets[at : at + 4][::-1].hex().upper() for at in range(0, len(address_octets) or 4, 4)]
    return f"{''.join(words) or '0' * 8}:{port:04X}"
