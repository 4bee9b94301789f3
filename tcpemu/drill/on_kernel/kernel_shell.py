"""Commands of a script on the kernel: what they set is set in this namespace, and no shell runs unless it is asked for.

A sysctl that the machine has once, and not in each namespace, is left alone.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tcpemu.drill.language.drill_script import Command
from tcpemu.drill.language.script_mistake import Place
from tcpemu.drill.on_kernel.kernel_flows import socket_lines
from tcpemu.drill.playing.command_checks import CounterReader, look_for_socket
from tcpemu.drill.playing.drill_failure import DrillFailure
from tcpemu.drill.playing.shell_line import run_by_shell
from tcpemu.drill.setup.shell_commands import (
    DeviceCommand,
    LookForSocket,
    MakeFile,
    ReadCounters,
    SetSysctl,
    ShellAct,
)
from tcpemu.kernel.kernel_errors import StepError
from tcpemu.kernel.observe import counters
from tcpemu.kernel.tun_device import OFFLOADS, set_offload, set_sysctl

_OF_NAMESPACES = "net."
_PATIENCE = 30


@dataclass(slots=True, eq=False)
class KernelShell:
    """What each command does; `files` are those that commands have made, `remarks` what could not be set."""

    acts: Mapping[Place, list[ShellAct]]
    folder: Path
    history: str
    """The file in which nstat keeps what it has counted, for commands that a shell runs."""
    run_shell: bool = False
    files: dict[str, bytes] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    counted: CounterReader = field(default_factory=lambda: CounterReader(counters()))

    def run(self, command: Command) -> None:
        """One command. DrillFailure where it fails, or what it looks for is not there."""
        if self.run_shell:
            run_by_shell(command, self.folder, {"NSTAT_HISTORY": self.history})
            return
        for act in self.acts[command.place]:
            self._do(act, command)

    def _do(self, act: ShellAct, command: Command) -> None:
        if isinstance(act, SetSysctl):
            self._set(act)
        elif isinstance(act, DeviceCommand):
            self._change_device(act, command)
        elif isinstance(act, ReadCounters):
            self.counted.read(act, command, counters())
        elif isinstance(act, LookForSocket):
            look_for_socket(act, command, socket_lines())
        elif isinstance(act, MakeFile):
            if act.size is None:
                self.files.pop(act.name, None)
            else:
                self.files[act.name] = bytes(act.size)

    def _set(self, act: SetSysctl) -> None:
        remark = ""
        if act.name.startswith(_OF_NAMESPACES):
            try:
                set_sysctl(act.name, act.value)
            except StepError as error:
                remark = str(error)
        else:
            remark = f"sysctl {act.name}: it is the whole machine's, and left alone"
        if remark and remark not in self.remarks:
            self.remarks.append(remark)

    def _change_device(self, act: DeviceCommand, command: Command) -> None:
        words = " ".join(act.words)
        if act.words[:2] == ("ethtool", "-K"):
            self._change_offloads(act.words[3:], command)
            return
        try:
            done = subprocess.run(act.words, capture_output=True, text=True, check=False, timeout=_PATIENCE)
        except FileNotFoundError:
            self.remarks.append(f"`{words}`: {act.words[0]} is not in PATH")
            return
        if done.returncode:
            raise DrillFailure(command.place, f"`{words}`: {done.stderr.strip()}")

    def _change_offloads(self, words: tuple[str, ...], command: Command) -> None:
        for name, state in zip(words[::2], words[1::2], strict=False):
            if name not in OFFLOADS or state not in ("on", "off"):
                raise DrillFailure(
                    command.place, f"of ethtool -K {', '.join(OFFLOADS)} can be on or off, not {name} {state}"
                )
            try:
                set_offload(name, state == "on")
            except OSError as error:
                raise DrillFailure(command.place, f"ethtool -K {name} {state}: {error.strerror}") from None
