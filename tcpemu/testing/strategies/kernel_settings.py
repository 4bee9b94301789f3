"""Kernels, and values of sysctls."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hypothesis import strategies as st

from tcpemu.generations import DEFAULT, GENERATIONS, generation
from tcpemu.stack import SYSCTLS, Host
from tcpemu.stack.base.errors import ConfigurationError
from tcpemu.wire import address

BEHAVIOUR = (
    "net.core.somaxconn",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.tcp_abort_on_overflow",
    "net.ipv4.tcp_synack_retries",
    "net.ipv4.tcp_syn_retries",
    "net.ipv4.tcp_retries2",
    "net.ipv4.tcp_max_syn_backlog",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_sack",
    "net.ipv4.tcp_timestamps",
    "net.ipv4.tcp_window_scaling",
    "net.ipv4.tcp_ecn",
)
"""Those that a program may notice."""
_FEW = 6
"""Of a long range its ends are drawn, and so many values near the default and near nought."""


def generations(*names: str, linux: bool | None = None) -> st.SearchStrategy[str]:
    """Names of kernels: these, or all that there are; with `linux` only those of Linux, or only the others.

    It shrinks to the first name; without names to the newest Linux. Raises ConfigurationError for one that is none.
    """
    for name in names:
        generation(name)
    newest_first = [DEFAULT, *(name for name in reversed(GENERATIONS) if name != DEFAULT)]
    if linux is not None:
        newest_first = [name for name in newest_first if name.startswith("linux") is linux]
    return st.sampled_from(list(names) or newest_first)


def sysctls(
    *names: str, generation: str = DEFAULT, max_changed: int = 3
) -> st.SearchStrategy[dict[str, Any]]:
    """Sysctls for `World(sysctls=...)` and `world.host(..., sysctls=...)`: up to so many that are not as they were.

    They are these, or those of `BEHAVIOUR`; those that the kernel does not have are left out. It shrinks to none.
    Raises ConfigurationError for a name that is none.
    """
    host = _host_of(generation)
    for name in names:
        if name not in SYSCTLS:
            host.set_sysctl(name, 0)  # which says what is wrong with it
    values = {name: _values_of(host, name) for name in names or BEHAVIOUR}
    changed = [(name, value) for name, found in values.items() for value in found]
    if not changed:
        return st.just({})
    return _some_of(changed, max_changed)


@st.composite
def _some_of(draw: st.DrawFn, changed: list[tuple[str, Any]], most: int) -> dict[str, Any]:
    return dict(draw(st.lists(st.sampled_from(changed), max_size=most, unique_by=lambda pair: pair[0])))


def _host_of(name: str) -> Host:
    return Host([address("192.0.2.1")], generation(name))


def _values_of(host: Host, name: str) -> list[Any]:
    """Values that the host takes, other than the one it has."""
    return [
        value for value in _candidates(name) if value != host.sysctls.get(name) and _takes(host, name, value)
    ]


def _candidates(name: str) -> Iterable[Any]:
    about = SYSCTLS[name]
    if about.words:
        return about.words
    if not isinstance(about.default, int):
        return ()
    near = (about.default + step for step in (-1, 1))
    small = range(about.low, about.low + _FEW)
    found = [*small, *near, about.default // 2, about.high]
    return [value for value in dict.fromkeys(found) if about.low <= value <= about.high]


def _takes(host: Host, name: str, value: Any) -> bool:
    before = host.sysctls.get(name)
    try:
        host.set_sysctl(name, value)
    except ConfigurationError:
        return False
    host.set_sysctl(name, before)
    return True
