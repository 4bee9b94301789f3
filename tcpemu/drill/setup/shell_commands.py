"""What the commands of a script set, by reading them: no shell runs.

Read are `sysctl`, `echo VALUE > /proc/sys/...`, a file of such lines that lies beside the script (`defaults.sh`), and
`set_sysctls.py`, whose arguments say all. `nstat` and `dd` of zeros are known too, and `ip`, `tc` and `ethtool`
(`network_commands.py`).
"""

from __future__ import annotations

import ast
import os
import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from tcpemu.drill.setup.network_commands import NetworkAct, network_act
from tcpemu.drill.setup.unreadable_command import UnreadableCommandError


@dataclass(frozen=True, slots=True)
class SetSysctl:
    """One sysctl gets a value."""

    name: str
    """As net.ipv4.tcp_sack."""
    value: str


@dataclass(frozen=True, slots=True)
class RestoreSysctls:
    """What set_sysctls.py has changed is as before."""


@dataclass(frozen=True, slots=True)
class ReadCounters:
    """`nstat`: what counters have moved since it was read last; one line of it has to have all that grep looks for."""

    patterns: tuple[str, ...] = ()
    zeros: bool = False
    """`-z`: those that have not moved are shown too."""
    keeps: bool = False
    """`-s`: the next one counts from the same time as this one."""


@dataclass(frozen=True, slots=True)
class LookForSocket:
    """`grep PATTERN /proc/net/tcp | grep PATTERN`: one line of the socket table has to have them all."""

    patterns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MakeFile:
    """`dd if=/dev/zero of=NAME`: a file of so many zeros is there, in memory; None: it is gone."""

    name: str
    size: int | None


@dataclass(frozen=True, slots=True)
class DeviceCommand:
    """A program that sets device, queue or routes of a namespace, and does nothing else."""

    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NoMeaning:
    """It has no meaning on an emulated host."""


ShellAct: TypeAlias = (
    SetSysctl
    | RestoreSysctls
    | ReadCounters
    | LookForSocket
    | MakeFile
    | NoMeaning
    | NetworkAct
    | DeviceCommand
)
"""What one command does to the host."""


_MOST_OCTETS = 2**20
_HYSTART_DETECT = "3"
"""CUBIC ends slow start by ACK trains and by delay, which is the default."""
_DEEPEST = 5
_PROC = "/proc/sys/"
_SEPARATORS = (";", "&&", "&")
_ARITHMETIC = re.compile(r"\$\(\((.*?)\)\)")
_RESTORE = re.compile(r"/tmp/sysctl_restore_[^/]*\.sh$")
_SOCKET_TABLES = ("/proc/net/tcp", "/proc/net/tcp6")
_GREP_OPTIONS = ("-q", "-F", "-e")
_DEVICE_COMMANDS = (
    *(("ip", word) for word in ("route", "link", "addr", "neigh", "tcp_metrics")),
    *(("tc", word) for word in ("qdisc", "class", "filter")),
    *(("ethtool", word) for word in ("-K", "-s")),
)
_QUIET_WORDS = ("set", "true", ":", "export", "sleep", "[", "test")


def acts_of(line: str, folder: Path, depth: int = 0, *, device: bool = False) -> list[ShellAct]:
    """What the command line does, in order; files are looked for from the script's folder on.

    With `device` there is one, with a queue and routes, that commands can change.

    Raises UnreadableCommandError, which says what cannot be read, and OSError for a file that is not there.
    """
    acts: list[ShellAct] = []
    for words in _commands(line):
        acts += _acts_of_command(words, folder, depth, device)
    return acts


def _commands(text: str) -> list[list[str]]:
    """Each command's words, without what goes where its output goes; comments are left out."""
    commands: list[list[str]] = []
    for line in text.replace("\\\n", " ").split("\n"):
        lexer = shlex.shlex(_with_sums(line), posix=True, punctuation_chars=True)
        lexer.wordchars += "{}$%@^+,![:"
        try:
            words = list(lexer)
        except ValueError as error:
            raise UnreadableCommandError(f"`{line.strip()}`: {error}") from None
        command: list[str] = []
        for word in words:
            if word in _SEPARATORS or word == "||":
                commands.append(command)
                command = []
            else:
                command.append(word)
        commands.append(command)
    return [command for command in commands if command]


def _with_sums(line: str) -> str:
    """`$((15*1024))` is worked out."""
    return _ARITHMETIC.sub(lambda found: str(_sum(found[1])), line)


def _sum(expression: str) -> int:
    try:
        return _value(ast.parse(expression.strip(), mode="eval").body)
    except (SyntaxError, ValueError, ZeroDivisionError):
        raise UnreadableCommandError(f"`$(({expression}))` is no sum of numbers") from None


def _value(node: ast.expr) -> int:
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return node.value
    if isinstance(node, ast.BinOp):
        left, right = _value(node.left), _value(node.right)
        if isinstance(node.op, ast.Mult):
            return left * right
        if isinstance(node.op, ast.Add):
            return left + right
        if isinstance(node.op, ast.Sub):
            return left - right
        if isinstance(node.op, ast.FloorDiv | ast.Div):
            return left // right
        if isinstance(node.op, ast.LShift) and 0 <= right < 64:
            return left << right
    raise ValueError


def _acts_of_command(words: list[str], folder: Path, depth: int, device: bool) -> list[ShellAct]:
    program = words[0].rsplit("/", 1)[-1]
    if device and (program, *words[1:2]) in _DEVICE_COMMANDS:
        return [DeviceCommand((program, *_without_output(words[1:])))]
    if _RESTORE.search(words[0]):
        return [RestoreSysctls()]
    if program in _READERS:
        return _READERS[program](words)
    if program == "grep" and any(word in _SOCKET_TABLES for word in words):
        return [LookForSocket(_patterns(words))]
    if program in _QUIET_WORDS:
        return [NoMeaning()]
    act = network_act(_without_output(words))
    if act is not None:
        return [act]
    if program in ("source", ".") and len(words) > 1:
        return _file(words[1], folder, depth, device)
    if program.endswith(".sh"):
        return _file(words[0], folder, depth, device)
    raise UnreadableCommandError(f"`{' '.join(words)}` is not read: it is more than a sysctl that it sets")


def _nstat(words: list[str]) -> ReadCounters:
    options = {word for word in words[1:] if word.startswith("-") and word not in _GREP_OPTIONS}
    if options - {"-n", "-z", "-s", "-as", "-sz", "-zs"}:
        raise UnreadableCommandError(f"`{' '.join(words)}`: of nstat's options -n, -s and -z are read")
    letters = "".join(options)
    return ReadCounters(_patterns(words), "z" in letters, "s" in letters)


def _patterns(words: list[str]) -> tuple[str, ...]:
    """What a chain of greps looks for, as plain text."""
    patterns: list[str] = []
    for number, word in enumerate(words):
        if word == "grep":
            rest = [other for other in words[number + 1 :] if other not in _GREP_OPTIONS]
            patterns += rest[:1]
    if any(set(pattern) & set("^$*[]\\?") or pattern.startswith("-") for pattern in patterns):
        raise UnreadableCommandError(f"`{' '.join(words)}`: plain text is looked for, no pattern")
    return tuple(patterns)


def _zeros(words: list[str]) -> list[ShellAct]:
    values = dict(word.split("=", 1) for word in words[1:] if "=" in word)
    size, count = values.get("bs", "512"), values.get("count", "")
    if values.get("if") != "/dev/zero" or "of" not in values or not (size.isdecimal() and count.isdecimal()):
        raise UnreadableCommandError(
            f"`{' '.join(words)}`: of dd only if=/dev/zero of=NAME bs=N count=N is read"
        )
    return [MakeFile(values["of"], min(int(size) * int(count), _MOST_OCTETS))]


def _file(name: str, folder: Path, depth: int, device: bool) -> list[ShellAct]:
    path = Path(os.path.normpath(folder / name))
    if depth >= _DEEPEST:
        raise UnreadableCommandError(f"{path} is reached through more than {_DEEPEST} files")
    with path.open(encoding="utf-8", errors="replace") as file:
        text = file.read(_MOST_OCTETS)
    return acts_of(text, folder, depth + 1, device=device)


def _sysctl(words: list[str]) -> list[ShellAct]:
    acts: list[ShellAct] = []
    for word in _without_output(words[1:]):
        if word.startswith("-"):
            continue
        if "=" not in word:
            raise UnreadableCommandError(f"`{' '.join(words)}`: {word} has no value; write name=value")
        acts.append(_pair(word))
    return acts


def _pair(word: str) -> SetSysctl:
    name, equals, value = word.partition("=")
    if not equals:
        raise UnreadableCommandError(f"`{word}` has no value; write name=value")
    return SetSysctl(_sysctl_name(name), value.strip())


def _sysctl_name(name: str) -> str:
    return name.strip().removeprefix(_PROC).replace("/", ".")


def _echo(words: list[str]) -> list[ShellAct]:
    if ">" not in words:
        return [NoMeaning()]
    at = words.index(">")
    target = words[at + 1] if at + 1 < len(words) else ""
    if words[1:at] == [_HYSTART_DETECT] and target.endswith("/tcp_cubic/parameters/hystart_detect"):
        return [NoMeaning()]
    if target == "/dev/null" or target.startswith("/tmp/"):
        return [NoMeaning()]
    if not target.startswith(_PROC):
        raise UnreadableCommandError(
            f"`{' '.join(words)}` writes to {target or 'nothing'}, which is no sysctl"
        )
    return [SetSysctl(_sysctl_name(target), " ".join(words[1:at]))]


def _without_output(words: list[str]) -> list[str]:
    """What stands before `> /dev/null 2>&1` or `| ...`."""
    for number, word in enumerate(words):
        if word in (">", ">>", ">&", "&>", "|") or (word == "2" and words[number + 1 : number + 2] == [">"]):
            return words[:number]
    return words


_READERS: dict[str, Callable[[list[str]], list[ShellAct]]] = {
    "sysctl": _sysctl,
    "echo": _echo,
    "set_sysctls.py": lambda words: [_pair(word) for word in words[1:]],
    "nstat": lambda words: [_nstat(words)],
    "dd": _zeros,
    "rm": lambda words: [MakeFile(word, None) for word in words[1:] if not word.startswith("-")],
}
"""Programs whose arguments say all that they do."""
