"""Whether what a command of a script prints has the line that it looks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tcpemu.drill.language.drill_script import Command
from tcpemu.drill.playing.drill_failure import DrillFailure
from tcpemu.drill.setup.shell_commands import LookForSocket, ReadCounters
from tcpemu.generations.linux_counters import MIB_II


class CounterReader:
    """`nstat`: what counters have moved since it was read last."""

    __slots__ = ("counted",)

    def __init__(self, counted: Mapping[str, int]) -> None:
        self.counted = dict(counted)

    def read(self, act: ReadCounters, command: Command, now: Mapping[str, int]) -> None:
        """The lines of nstat, one of which has to have all that is looked for. DrillFailure."""
        moved = {name: value - self.counted.get(name, 0) for name, value in now.items()}
        lines = [
            f"{_counter_name(name):<32}{by:<16}0.0" for name, by in sorted(moved.items()) if by or act.zeros
        ]
        if not act.keeps:
            self.counted = dict(now)
        if act.patterns and not _is_there(lines, act.patterns):
            words = f"no line of nstat has {_wanted(act.patterns)}"
            raise DrillFailure(command.place, words, tuple(lines))


def _counter_name(name: str) -> str:
    return f"Tcp{name}" if name in MIB_II else f"TcpExt{name}"


def look_for_socket(act: LookForSocket, command: Command, lines: Sequence[str]) -> None:
    """Lines as in /proc/net/tcp, one of which has to have all that is looked for. DrillFailure."""
    if not _is_there(lines, act.patterns):
        raise DrillFailure(command.place, f"no line of the socket table has {_wanted(act.patterns)}")


def _is_there(lines: Sequence[str], patterns: tuple[str, ...]) -> bool:
    return any(all(pattern in line for pattern in patterns) for line in lines)


def _wanted(patterns: tuple[str, ...]) -> str:
    return " and ".join(map(repr, patterns))
