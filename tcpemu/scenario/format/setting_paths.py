"""Settings by their path: `server.backlog`, `clients.late.count`, `net.ipv4.tcp_syncookies`.

A setting is put into the plain tables that a scenario came from, and the whole is checked again, so nothing
can be set that could not stand in a file.
"""

import re
from collections.abc import Mapping
from typing import Any, TypeAlias

from tcpemu.scenario.format.problems import Problem, did_you_mean, in_toml
from tcpemu.scenario.format.toml_text import TomlTextError, tables

Document: TypeAlias = dict[str, Any]
"""The tables of a scenario file as TOML gives them."""

_INDEXED = re.compile(r"(\w+)\[([0-9]+)\]")
NAME_OF_SYSCTL = re.compile(r"(net|kernel|fs|vm)\.")
"""How the full name of a sysctl begins."""
_RATE_OF_GROUP = re.compile(r"^(clients\.[^.]+)\.rate$")
_ALTERNATIVE = re.compile(r"""(?:"[^"]*"|'[^']*'|\[[^\]]*\]|\{[^}]*\}|[^,])+""")


class SettingError(ValueError):
    """A path that leads nowhere, or a time without a unit. Its text is what is wrong and what would be right."""


def parse_assignment(text: str) -> tuple[str, object]:
    """Path and value of `server.backlog=5`. A value that is not TOML is a text: `link.delay=20 ms`.

    Raises SettingError.
    """
    path, equals, written = text.partition("=")
    path, written = path.strip(), written.strip()
    if not equals or not path:
        raise SettingError(f"found {in_toml(text)}; write PATH=VALUE, such as server.backlog=5")
    try:
        given = tables(f"value = {written}")
    except TomlTextError as error:
        if not error.problem.place:
            raise SettingError(f"{path}: {error.problem}") from None
        return path, written
    if len(given) > 1:
        raise SettingError(f"found {in_toml(text)}; give one value, and each further setting by itself")
    return path, given["value"]


def parse_alternatives(text: str) -> dict[str, tuple[str, object]]:
    """Of `server.backlog=0,1,5` each value as it is written, with path and value. Raises SettingError."""
    path, equals, written = text.partition("=")
    parts = [part.strip() for part in _ALTERNATIVE.findall(written)]
    if not equals or not path.strip() or not all(parts) or not parts:
        raise SettingError(f"found {in_toml(text)}; write PATH=VALUE,VALUE,..., such as server.backlog=0,1,5")
    return {part: parse_assignment(f"{path}={part}") for part in parts}


def put(document: Document, path: str, value: object) -> None:
    """Set what the path names, with the tables on the way that are not there. Raises SettingError."""
    if NAME_OF_SYSCTL.match(path):
        path = "server.sysctls." + path
    above, sysctl, name = path.partition(".sysctls.")
    at: Any = document
    *steps, last = [*above.split("."), "sysctls", name] if sysctl else above.split(".")
    for number, step in enumerate(steps):
        at = _inner(at, step, ".".join(steps[:number]))
    if _INDEXED.fullmatch(last) or isinstance(at, list):
        raise SettingError("this is a whole entry of a list; name one of its keys")
    if not isinstance(at, dict):
        raise SettingError(f"{'.'.join(steps)} is no table, so it has no {last}")
    at[last] = value


def _inner(at: Any, step: str, above: str) -> Any:
    """The table or list below `at` that a step of a path names."""
    indexed = _INDEXED.fullmatch(step)
    if isinstance(at, list):
        return _named(at, step, above)
    if not isinstance(at, dict):
        raise SettingError(f"{above} is no table, so it has no {step}")
    if indexed is None:
        return at.setdefault(step, {})
    entries = at.get(indexed[1], [])
    number = int(indexed[2])
    if not isinstance(entries, list) or number >= len(entries):
        raise SettingError(f"there is no {step}")
    return entries[number]


def _named(entries: list[Any], name: str, above: str) -> Any:
    names = [entry.get("name") for entry in entries if isinstance(entry, dict)]
    for entry in entries:
        if isinstance(entry, dict) and entry.get("name") == name:
            return entry
    raise SettingError(f"{above} has no {name!r}; " + did_you_mean(name, [str(each) for each in names]))


def path_in(document: Document, path: str) -> str:
    """The path in full: `clients.count` is `clients.NAME.count` where there is one group of clients.

    The `rate` of a group is that of its `start`. Any other path is as it was.
    """
    return _RATE_OF_GROUP.sub(r"\1.start.rate", _of_the_only_group(document, path))


def _of_the_only_group(document: Document, path: str) -> str:
    first, _, rest = path.partition(".")
    groups = document.get("clients")
    if (
        first != "clients"
        or not isinstance(groups, list)
        or len(groups) != 1
        or not isinstance(groups[0], dict)
    ):
        return path
    name = groups[0].get("name")
    return path if rest.partition(".")[0] == name else f"clients.{name}.{rest}"


def put_all(document: Document, settings: Mapping[str, object], place: str = "") -> list[Problem]:
    """Set everything that can be set; what cannot is told."""
    problems = []
    for path, value in settings.items():
        try:
            put(document, path, value)
        except SettingError as error:
            problems.append(Problem(f"{place}{path}", str(error), ""))
    return problems
