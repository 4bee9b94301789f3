"""A host of a network that was copied or pickled: how it stood then. It can be looked at, and does nothing more."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from tcpemu.stack.host import Host

if TYPE_CHECKING:
    from tcpemu.network.endpoint import Endpoint
    from tcpemu.stack.base.generation import Generation
    from tcpemu.stack.base.sysctls import Sysctls
    from tcpemu.stack.sockets.armed_timers import PendingTimer
    from tcpemu.stack.sockets.ss_table import SocketRow
    from tcpemu.wire.segment import Address, FlowKey

_OVER = "this host is a copy of one, as it stood then: it can be looked at, and does nothing more"


@dataclass(frozen=True, slots=True)
class PastHost:
    """What there is to see of a host. Whatever would change it is a RuntimeError."""

    addresses: tuple[Address, ...]
    generation: Generation
    sysctls: Sysctls
    counters: Mapping[str, int]
    rows: tuple[SocketRow, ...]
    """Its sockets as `ss -tan` shows them."""
    timers: tuple[PendingTimer, ...]
    """Those that were armed, in the order in which they would fire."""
    waiting: frozenset[FlowKey]
    """The connections that waited in an accept queue."""

    def sockets(self, flows: Iterable[FlowKey] | None = None) -> list[SocketRow]:
        """The sockets; with `flows` listeners and only those, in the order in which they are asked for."""
        listening = [row for row in self.rows if row.remote is None]
        by_flow = {(*row.remote, *row.local): row for row in self.rows if row.remote is not None}
        keys = by_flow if flows is None else [flow for flow in flows if flow in by_flow]
        return listening + [by_flow[key] for key in keys]

    def pending(self) -> list[PendingTimer]:
        """The timers."""
        return list(self.timers)

    def waiting_for_accept(self) -> set[FlowKey]:
        """The connections that were complete and waited in an accept queue."""
        return set(self.waiting)

    # The verbs of `Endpoint`.

    def receive(self, segment: object, now: int) -> NoReturn:  # noqa: ARG002
        raise RuntimeError(_OVER)

    def transmit(self) -> NoReturn:
        raise RuntimeError(_OVER)

    def next_timer(self) -> None:
        return None

    def advance(self, now: int) -> NoReturn:  # noqa: ARG002
        raise RuntimeError(_OVER)

    def events(self) -> NoReturn:
        raise RuntimeError(_OVER)

    def woken(self) -> NoReturn:
        raise RuntimeError(_OVER)

    def socket(self, datagram: bool = False, ipv6: bool = False) -> NoReturn:  # noqa: ARG002
        raise RuntimeError(_OVER)


def past(host: Endpoint) -> Endpoint:
    """A host as it stands; one that is no `Host` of this stack, as it is."""
    if not isinstance(host, Host):
        return host
    return PastHost(
        host.addresses,
        host.generation,
        host.sysctls,
        dict(host.counters),
        tuple(host.sockets()),
        tuple(host.pending()),
        frozenset(host.waiting_for_accept()),
    )
