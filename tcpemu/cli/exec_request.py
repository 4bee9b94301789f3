"""What `tcpemu exec` is asked for: programs on hosts, what every link does, what is lost, what is set."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tcpemu.cli.user_mistakes import UsageError
from tcpemu.network import Conditions, Fault, lose
from tcpemu.scenario.format.setting_paths import NAME_OF_SYSCTL, parse_assignment
from tcpemu.scenario.format.written_values import parse_duration, parse_rate, parse_share

_HOST = re.compile(r"(?P<name>[A-Za-z][A-Za-z0-9_-]{0,38})(\*(?P<count>[0-9]+))?=(?P<program>.+)", re.DOTALL)
_LINK_WORDS: dict[str, Callable[[object], Any]] = {
    "delay": parse_duration,
    "jitter": parse_duration,
    "rate": parse_rate,
    "loss": parse_share,
    "duplicate": parse_share,
    "reorder": parse_share,
}
_TIMES = frozenset(key for key, parse in _LINK_WORDS.items() if parse is parse_duration)
_MOST_HOSTS = 5000


@dataclass(frozen=True, slots=True)
class Placed:
    """A program on a host."""

    host: str
    program: str
    """As it is written: `client.py server`."""
    at: int
    """When it begins, in nanoseconds."""


def placed(hosts: Sequence[str], every: int) -> list[Placed]:
    """The programs, each on its host: of a host that is there N times, one after the other. Raises UsageError."""
    found = [each for text in hosts for each in _of(text, every)]
    names = [each.host for each in found]
    counts = Counter(names)
    twice = next((name for name in names if counts[name] > 1), None)
    if twice:
        raise UsageError(f"--host {twice}: there is a host of this name already; give each its own")
    return found


def _of(text: str, every: int) -> Iterator[Placed]:
    match = _HOST.fullmatch(text)
    if match is None:
        raise UsageError(f"--host {text!r}: write it as NAME=PROGRAM, or NAME*12=PROGRAM for twelve hosts")
    name, program = match["name"], match["program"].strip()
    if match["count"] is None:
        yield Placed(name, program, 0)
        return
    count = int(match["count"])
    if not 1 <= count <= _MOST_HOSTS:
        raise UsageError(f"--host {text!r}: 1 to {_MOST_HOSTS} hosts")
    for number in range(count):
        yield Placed(f"{name}{number + 1}", program, number * every)


def link_conditions(text: str) -> Conditions:
    """`delay 20 ms, loss 1 %` as conditions. Raises UsageError."""
    values: dict[str, Any] = {}
    words = re.split(rf"\b({'|'.join(_LINK_WORDS)})\b", text)
    if words[0].strip(" ,"):
        raise UsageError(f"--link {text!r}: begin with one of {', '.join(_LINK_WORDS)}, as 'delay 20 ms'")
    for key, value in zip(words[1::2], words[2::2], strict=True):
        written = value.strip(" ,=")
        if key in _TIMES and isinstance(_plain(written), int | float) and _plain(written):
            raise UsageError(
                f"--link {text!r}: {key} {written} of what? write '{key} {written}ms' or '{key} {written}s'"
            )
        try:
            values[key] = _LINK_WORDS[key](_plain(written))
        except ValueError as mend:
            raise UsageError(f"--link {text!r}: {key} {written!r}; give {mend}") from None
    return Conditions(**values)


_LOSS = re.compile(r"(?P<role>[^:*]+)(\*(?P<times>[0-9]+))?(:(?P<host>[^:#]+))?(#(?P<connection>[0-9]+))?")


def losses(texts: Sequence[str], hosts: Collection[str]) -> list[Fault]:
    """`third-ack:c3`, `syn*3:c1`, `data 2:c1#2` as faults. Raises UsageError and ConfigurationError."""
    found = []
    for text in texts:
        match = _LOSS.fullmatch(text)
        if match is None:
            raise UsageError(
                f"--lose {text!r}: write it as ROLE:HOST: 'third-ack:c3', 'syn*3:c3' or 'data 2:c3#2'"
            )
        host, connection = match["host"], match["connection"]
        if host is not None and host not in hosts:
            raise UsageError(f"--lose {text!r}: there is no host {host!r}; there are {', '.join(hosts)}")
        found.append(
            lose(
                match["role"],
                of=host,
                connection=int(connection) if connection else None,
                times=int(match["times"] or 1),
            )
        )
    return found


def sysctl_settings(texts: Sequence[str], hosts: Collection[str]) -> dict[str | None, dict[str, object]]:
    """`server:net.ipv4.tcp_syncookies=0` as the sysctls of each host; under None those of all.

    Raises UsageError and SettingError.
    """
    found: dict[str | None, dict[str, object]] = {}
    for text in texts:
        path, equals, _ = text.partition("=")
        host, colon, key = path.strip().rpartition(":")
        if not equals or not NAME_OF_SYSCTL.match(key):
            raise UsageError(
                f"--set {text!r}: write it as net.core.somaxconn=5 or server:net.ipv4.tcp_syncookies=0; "
                "a backlog is set by the program's own listen()"
            )
        if colon and host not in hosts:
            raise UsageError(f"--set {text!r}: there is no host {host!r}; there are {', '.join(hosts)}")
        found.setdefault(host or None, {})[key] = parse_assignment(text)[1]
    return found


def _plain(text: str) -> object:
    """A number where no unit stands beside it."""
    try:
        return float(text) if "." in text else int(text)
    except ValueError:
        return text
