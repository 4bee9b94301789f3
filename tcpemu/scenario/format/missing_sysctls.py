"""A scenario on another kernel than it was written for.

Sysctls that its file sets and that kernel does not have are left out, and told; so is `hz` where its timers are not
emulated. One that is asked for beside the
file, on the command line, stays, and is a mistake where there is none.
"""

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from tcpemu.generations import GENERATIONS
from tcpemu.scenario.format.setting_paths import NAME_OF_SYSCTL, Document
from tcpemu.scenario.format.written_values import flat
from tcpemu.stack.base.generation import Generation
from tcpemu.stack.base.host_arguments import why_no_ticks

_KERNEL_OF = ".generation"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A sysctl that the scenario sets and a kernel does not have, or `hz`."""

    sysctl: str
    value: object
    kernel: str
    why: str
    """Since when there is one."""
    run: str = ""
    """The variant that sets it; empty where all of the scenario does."""


def without_missing(
    document: Document, settings: Mapping[str, object]
) -> tuple[Document, tuple[LeftOut, ...]]:
    """A scenario's tables without the sysctls that the kernels chosen by `settings` do not have, and those."""
    fitted = copy.deepcopy(document)
    left_out: list[LeftOut] = []
    for path, value in settings.items():
        kernel = GENERATIONS.get(str(value))
        if path.endswith(_KERNEL_OF) and kernel is not None:
            left_out += _fit_host(fitted, path.removesuffix(_KERNEL_OF), kernel)
    return fitted, tuple(left_out)


def _fit_host(document: Document, host: str, kernel: Generation) -> Iterator[LeftOut]:
    """Take out of the tables, in place, what a host's kernel does not have."""
    table = _table_of(document, host)
    if table.get("hz") is not None and (why := why_no_ticks(kernel)):
        yield LeftOut(f"{host}.hz", table.pop("hz"), kernel.name, why)
    if isinstance(table.get("sysctls"), dict):
        settings = _flat(table, "sysctls")
        yield from _take_out(settings, {name: name for name in settings}, kernel, "")
    variants = document.get("variants")
    for variant in variants if isinstance(variants, list) else []:
        if isinstance(variant, dict) and isinstance(variant.get("set"), dict):
            settings = _flat(variant, "set")
            own = {path: name for path in settings if (name := _sysctl_of(host, path))}
            yield from _take_out(settings, own, kernel, str(variant.get("name")))


def _flat(table: dict[str, Any], key: str) -> dict[str, Any]:
    """The settings below a key by their full names, which they have in the table from now on."""
    table[key] = flat(table[key])
    return cast(dict[str, Any], table[key])


def _table_of(document: Document, host: str) -> dict[str, Any]:
    """The table of `server` or `clients.NAME`; an empty one where there is none, for others to tell."""
    if host.startswith("clients."):
        groups = document.get("clients")
        found = [
            group
            for group in (groups if isinstance(groups, list) else [])
            if isinstance(group, dict) and f"clients.{group.get('name')}" == host
        ]
        return found[0] if found else {}
    table = document.get(host)
    return table if isinstance(table, dict) else {}


def _sysctl_of(host: str, path: str) -> str:
    """The sysctl of this host that a variant's path names; empty where it names something else."""
    if host == "server" and NAME_OF_SYSCTL.match(path):
        return path
    below = f"{host}.sysctls."
    return path.removeprefix(below) if path.startswith(below) else ""


def _take_out(
    settings: dict[str, Any], sysctls: Mapping[str, str], kernel: Generation, run: str
) -> Iterator[LeftOut]:
    """Take out of `settings` those of `sysctls`, names by path, that the kernel does not have."""
    for path, name in sysctls.items():
        if name in kernel.missing:
            yield LeftOut(name, settings.pop(path), kernel.name, kernel.missing[name], run)
