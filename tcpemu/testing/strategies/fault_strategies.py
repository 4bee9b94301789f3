"""Faults by role, from all the kinds that the network has: what each may have is in its own table."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from hypothesis import strategies as st

from tcpemu.network import MILLISECOND, SECOND, Fault
from tcpemu.network.clock import duration
from tcpemu.network.faults import KINDS, NEEDS, TAKES
from tcpemu.network.links import SAYS
from tcpemu.network.packet_roles import parse_role
from tcpemu.stack.base.errors import ConfigurationError

ROLES = (
    "syn",
    "syn-ack",
    "third-ack",
    "data 1",
    "ack 1",
    "fin",
    "data 2",
    "ack 2",
    "rst",
    "retransmission 1",
)
"""What a packet is, the plainest first."""
_TIMES = tuple(each * MILLISECOND for each in (100, 1, 10, 300, 1000, 3000, 10_000))
"""Round ones, the plainest first."""


def one_fault(
    hosts: Iterable[object] = (),
    *,
    kinds: Collection[str] | None = None,
    roles: Sequence[str] = ROLES,
    connections: int = 2,
    times: int = 3,
    within: str | int = 10 * SECOND,
) -> st.SearchStrategy[Fault]:
    """A fault of one of these kinds, which may name one of the hosts (they, or their names).

    `kinds` are all that the network has, but for those that must name a host where none is given. A fault is of one of
    the first `connections` connections of a host or of all of them, meets up to `times` packets, and begins `within`
    a time: nanoseconds, or text. It shrinks to the first kind and role, of every host and connection.
    Raises ConfigurationError for kinds, roles and hosts that are none.
    """
    names = [_name(host) for host in hosts]
    if isinstance(roles, str):
        raise ConfigurationError(f"roles={roles!r}: several roles, as ['syn', 'data 1']")
    for role in roles:
        parse_role(role)
    end = duration(within) if isinstance(within, str) else within
    values: dict[str, st.SearchStrategy[Any]] = {
        "role": st.sampled_from(list(roles)),
        "of": st.sampled_from(names) if names else st.nothing(),
        "by": st.sampled_from(names) if names else st.nothing(),
        "connection": st.integers(1, connections) if connections else st.nothing(),
        "times": st.integers(2, times) if times > 1 else st.nothing(),
        "time": st.sampled_from(_TIMES),
        "at": _instants(end),
        "until": st.sampled_from(_TIMES),
        "says": st.sampled_from(list(SAYS)),
    }
    return _one_of(_kinds(kinds, bool(names)), values)


def faults(
    hosts: Iterable[object] = (),
    *,
    max_faults: int = 3,
    kinds: Collection[str] | None = None,
    roles: Sequence[str] = ROLES,
    connections: int = 2,
    times: int = 3,
    within: str | int = 10 * SECOND,
) -> st.SearchStrategy[list[Fault]]:
    """Up to so many different faults, for `world.fault(*plan)`; see `one_fault` for what they may be.

    `within` is in nanoseconds, or text. It shrinks to none. Raises ConfigurationError as `one_fault` does.
    """
    one = one_fault(hosts, kinds=kinds, roles=roles, connections=connections, times=times, within=within)
    return _different(max_faults, one)


@st.composite
def _different(draw: st.DrawFn, most: int, one: st.SearchStrategy[Fault]) -> list[Fault]:
    """Each once. So many places, some of them empty, shrink to fewer than a list of any length does."""
    places = [draw(st.none() | one) for _ in range(most)]
    return list(dict.fromkeys(each for each in places if each is not None))


def _name(host: object) -> str:
    name = host if isinstance(host, str) else getattr(host, "name", None)
    if not isinstance(name, str):
        raise ConfigurationError(f"hosts: {host!r} is no host; give hosts, or their names as text")
    return name


def _kinds(asked: Collection[str] | None, has_hosts: bool) -> list[str]:
    if isinstance(asked, str) or not set(asked or ()) <= set(KINDS):
        raise ConfigurationError(f"kinds={asked!r}: several of {', '.join(KINDS)}, as ['lose', 'delay']")
    named = [kind for kind in asked or () if "of" in NEEDS[kind]]
    if named and not has_hosts:
        raise ConfigurationError(f"kinds: a {named[0]} is of a host; give hosts=['server']")
    kinds = [
        kind for kind in KINDS if (asked is None or kind in asked) and (has_hosts or "of" not in NEEDS[kind])
    ]
    if not kinds:
        raise ConfigurationError(f"kinds={asked!r}: give at least one of {', '.join(KINDS)}")
    return kinds


def _instants(end: int) -> st.SearchStrategy[int]:
    """Tenths of seconds up to that time, in nanoseconds."""
    step = SECOND // 10
    return st.integers(0, max(end // step, 0)).map(lambda number: number * step)


@st.composite
def _one_of(draw: st.DrawFn, kinds: list[str], values: dict[str, st.SearchStrategy[Any]]) -> Fault:
    """A fault with what its kind needs, and perhaps with what else it takes."""
    kind = draw(st.sampled_from(kinds))
    possible = {name: value for name, value in values.items() if name in TAKES[kind] and not value.is_empty}
    given = {name: draw(possible.pop(name)) for name in NEEDS[kind]}
    for name, value in possible.items():
        if (drawn := draw(st.none() | value)) is not None:
            given[name] = drawn
    if "until" in given:  # how long it lasts was drawn
        given["until"] += given["at"]
    return Fault(kind, **given)
