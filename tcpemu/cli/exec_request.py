"""What `tcpemu exec` is asked for: programs on hosts, what every link does, what goes wrong, what is set."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tcpemu.cli.user_mistakes import UsageError
from tcpemu.network import Conditions, Fault
from tcpemu.network.faults import PACKET_FAULTS
from tcpemu.scenario.format.setting_paths import NAME_OF_SYSCTL, parse_assignment
from tcpemu.scenario.format.time_settings import time_of
from tcpemu.scenario.format.written_values import parse_duration, parse_rate, parse_share
from tcpemu.stack.base.errors import ConfigurationError

_HOST = re.compile(r"(?P<name>[A-Za-z][A-Za-z0-9_-]{0,38})(\*(?P<count>[0-9]+))?=(?P<program>.+)", re.DOTALL)


def _packets(value: object) -> int:
    return _whole(value, "packets, such as 100")


def _octets(value: object) -> int:
    return _whole(value, "octets, such as 1400")


def _yes_or_no(value: object) -> bool:
    if value not in ("yes", "no"):
        raise ValueError("yes, or no for a path whose routers are silent")
    return value == "yes"


def _whole(value: object, mend: str) -> int:
    if type(value) is not int or value < 1:
        raise ValueError(f"a whole number of {mend}")
    return value


_LINK_WORDS: dict[str, Callable[[object], Any]] = {
    "delay": parse_duration,
    "jitter": parse_duration,
    "rate": parse_rate,
    "loss": parse_share,
    "duplicate": parse_share,
    "reorder": parse_share,
    "queue": _packets,
    "queue_octets": _octets,
    "mark": _packets,
    "mtu": _octets,
    "icmp": _yes_or_no,
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
        if "," in written:
            unknown = written.split(",", 1)[1].strip()
            raise UsageError(f"--link {text!r}: {unknown!r} begins with none of {', '.join(_LINK_WORDS)}")
        if key in _TIMES and isinstance(_plain(written), int | float) and _plain(written):
            raise UsageError(
                f"--link {text!r}: {key} {written} of what? write '{key} {written}ms' or '{key} {written}s'"
            )
        try:
            values[key] = _LINK_WORDS[key](_plain(written))
        except ValueError as mend:
            raise UsageError(f"--link {text!r}: {key} {written!r}; give {mend}") from None
    try:
        return Conditions(**values)
    except ConfigurationError as error:
        raise UsageError(f"--link {text!r}: {error}") from None


PACKET_FAULT = re.compile(
    r"(?P<role>[^:*=]+?)(\*(?P<times>[0-9]+))?(:(?P<of>[^:#= ]+))?(#(?P<connection>[0-9]+))?"
    r"( by (?P<by>[^= ]+))?(=(?P<time>.+))?"
)
"""`third-ack:c3`, `syn*3:c3`, `data 2:c3#2`, `data 1:c3 by server`; for a delay `data 2:c3=1 s`."""
TIMED_FAULT = re.compile(
    r"(?P<of>[^:#@ ]+)?(#(?P<connection>[0-9]+))?( ?by (?P<by>[^@ ]+))?@(?P<at>.+?)(\.\.(?P<until>.+))?"
)
"""`c3@2 s`, `c3#1@2 s`, `@2 s`, `by server@2 s`, `server@2 s..5 s`."""
FORMS = {
    "lose": "ROLE:HOST: 'third-ack:c3', 'syn*3:c3', 'data 2:c3#2' or 'data 1:c3 by server'",
    "delay": "ROLE:HOST=TIME: 'data 2:c3=1 s'",
    "duplicate": "ROLE:HOST: 'data 1:c3'",
    "reorder": "ROLE:HOST: 'data 1:c3'",
    "reject": "ROLE:HOST=WORDS: 'syn:c3=host unreachable'",
    "reset": "HOST@TIME: 'c3@2 s', or 'c3#1@2 s' for its first connection, or '@2 s' for all",
    "cut": "HOST@TIME..TIME: 'c3@2 s..5 s', or 'c3@2 s' for good",
    "crash": "HOST@TIME..TIME: 'server@2 s..5 s', or 'server@2 s' for good",
}
"""How each fault is written, by the option of its name."""
_MEASURED = frozenset({"delay", "reject"})
"""Faults that say something behind an equals sign: how long, or in what words."""


def faults_of(texts: Mapping[str, Sequence[str]], hosts: Collection[str]) -> list[Fault]:
    """The faults of all options, by their names: `{"lose": ["third-ack:c3"]}`.

    Raises UsageError and ConfigurationError.
    """
    return [_fault(what, text, hosts) for what, several in texts.items() for text in several]


def _fault(what: str, text: str, hosts: Collection[str]) -> Fault:
    match = (PACKET_FAULT if what in PACKET_FAULTS else TIMED_FAULT).fullmatch(text.strip())
    said = {} if match is None else {key: value for key, value in match.groupdict().items() if value}
    if match is None or ("time" in said) != (what in _MEASURED):
        raise UsageError(f"--{what} {text!r}: write it as {FORMS[what]}")
    for key in ("of", "by"):
        if key in said and said[key] not in hosts:
            raise UsageError(
                f"--{what} {text!r}: there is no host {said[key]!r}; there are {', '.join(hosts)}"
            )
    if what == "reject":
        said["says"] = said.pop("time").strip()
    found: dict[str, Any] = {"what": what, **said}
    for key in ("times", "connection"):
        if key in said:
            found[key] = int(said[key])
    for key in ("time", "at", "until"):
        if key in said:
            found[key] = time_of(said[key].strip(), f"--{what}")
    try:
        return Fault.from_data(found)
    except ConfigurationError as error:
        raise UsageError(f"--{what} {text!r}: {error}") from None


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
