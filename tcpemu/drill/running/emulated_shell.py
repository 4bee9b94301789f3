"""Does to the emulated host what the commands of a script would do to a machine."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tcpemu.drill.language.drill_script import Command
from tcpemu.drill.language.script_mistake import Place
from tcpemu.drill.playing.command_checks import CounterReader, look_for_socket
from tcpemu.drill.playing.drill_failure import DrillFailure
from tcpemu.drill.playing.shell_line import run_by_shell
from tcpemu.drill.setup.network_commands import ForgetPeers, LimitQueue, SetMtu, SetRoute
from tcpemu.drill.setup.shell_commands import (
    LookForSocket,
    MakeFile,
    ReadCounters,
    SetSysctl,
    ShellAct,
)
from tcpemu.stack import ConfigurationError, Host, NotEmulatedError
from tcpemu.wire.segment import Address


class EmulatedShell:
    """What each command does; a shell runs those that could not be read, which are there only where it may."""

    __slots__ = ("acts", "counted", "files", "folder", "host", "remarks")

    def __init__(self, host: Host, acts: Mapping[Place, list[ShellAct]], folder: Path) -> None:
        self.host = host
        self.acts = acts
        self.folder = folder
        self.counted = CounterReader({})
        self.files: dict[str, bytes] = {}
        self.remarks: list[str] = []
        """Sysctls that have no effect."""

    def run(self, command: Command) -> None:
        """One command. DrillFailure where it fails, or what it looks for is not there."""
        acts = self.acts.get(command.place)
        if acts is None:
            run_by_shell(command, self.folder)
            return
        for act in acts:
            if isinstance(act, SetSysctl):
                self._set(act)
            elif isinstance(act, ForgetPeers | LimitQueue | SetMtu | SetRoute):
                self._change_network(act, command)
            elif isinstance(act, ReadCounters):
                self._read_counters(act, command)
            elif isinstance(act, LookForSocket):
                look_for_socket(act, command, _socket_lines(self.host))
            elif isinstance(act, MakeFile):
                self._make(act)

    def _set(self, act: SetSysctl) -> None:
        value = str(int(act.value, 16)) if act.value.lower().startswith("0x") else act.value
        try:
            self.host.set_sysctl(act.name, value)
        except (ConfigurationError, NotEmulatedError) as error:
            remark = str(error)
            if remark not in self.remarks:
                self.remarks.append(remark)

    def _change_network(self, act: ForgetPeers | LimitQueue | SetMtu | SetRoute, command: Command) -> None:
        host = self.host
        try:
            if isinstance(act, SetMtu):
                host.set_mtu(act.mtu)
            elif isinstance(act, LimitQueue):
                host.set_queue_limit(act.packets)
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

    def _read_counters(self, act: ReadCounters, command: Command) -> None:
        known = self.host.generation.counters if act.zeros else None
        now = dict.fromkeys(known or frozenset(), 0) | dict(self.host.counters)
        self.counted.read(act, command, now)


def _socket_lines(host: Host) -> list[str]:
    """Lines as in /proc/net/tcp: ends in hexadecimal, then the number of the state (tcp_ipv4.c: get_tcp4_sock)."""
    return [f"{_end(row.local)} {_end(row.remote)} {int(row.state):02X} " for row in host.sockets()]


def _end(end: tuple[Address, int] | None) -> str:
    address_octets, port = end or (bytes(4), 0)
    words = [address_octets[at : at + 4][::-1].hex().upper() for at in range(0, len(address_octets) or 4, 4)]
    return f"{''.join(words) or '0' * 8}:{port:04X}"
