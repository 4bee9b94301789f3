"""How many connections without an owner a host has, and whether these are too many (net.ipv4.tcp_max_orphans).

The kernel adds them up ten times a second, and the limit is held to the last sum: of many that are closed at one
instant none is refused (tcp.c: tcp_orphan_update, tcp_too_many_orphans).
"""

from __future__ import annotations

from tcpemu.stack.base.units import MILLISECOND
from tcpemu.stack.records.host_services import HostServices

_PERIOD = 100 * MILLISECOND


def begins(host: HostServices) -> None:
    """close() leaves a connection to itself."""
    _add_up(host)
    host.orphans += 1


def ends(host: HostServices) -> None:
    """An orphan is gone."""
    _add_up(host)
    host.orphans -= 1


def too_many(host: HostServices, penalty: int) -> bool:
    """Whether the limit is passed; each `penalty` counts every orphan twice."""
    _add_up(host)
    return host.orphans_seen << penalty > host.sysctls.tcp_max_orphans


def _add_up(host: HostServices) -> None:
    period = host.now // _PERIOD
    if period != host.orphans_seen_in:
        host.orphans_seen, host.orphans_seen_in = host.orphans, period
