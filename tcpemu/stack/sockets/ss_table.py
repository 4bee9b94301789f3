"""The socket table, as `ss -tan` prints it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from tcpemu.stack.base.ip_families import ANY6, mapped
from tcpemu.stack.base.states import State
from tcpemu.stack.records.connection import Connection
from tcpemu.stack.records.host_services import Flow
from tcpemu.stack.records.request import Request
from tcpemu.stack.records.time_wait import TimeWait
from tcpemu.stack.sockets.tables import SocketTables
from tcpemu.wire.segment import Address, FlowKey


class SocketRow(NamedTuple):
    """One socket, request or TIME_WAIT bucket."""

    state: State
    recv_q: int
    """A listener's accept queue; else octets received and not read."""
    send_q: int
    """A listener's backlog; else octets sent and not acknowledged, or not sent."""
    local: tuple[Address, int]
    """Address and port on the wire; of a listener the address is empty for any."""
    remote: tuple[Address, int] | None
    """None for a listener."""
    ipv6: bool = False
    """The socket is one of AF_INET6."""
    v6only: bool = False
    """A listener of IPv6 that takes no IPv4."""

    @property
    def shown(self) -> tuple[tuple[Address, int], tuple[Address, int] | None]:
        """Both ends as the socket's application has them: of IPv6 with mapped addresses, and `::` for any."""
        (local, port), remote = self.local, self.remote
        if not self.ipv6:
            return self.local, remote
        own = mapped(local) if local else ANY6
        return (own, port), None if remote is None else (mapped(remote[0]), remote[1])


def rows(tables: SocketTables, flows: Iterable[FlowKey] | None = None) -> list[SocketRow]:
    """The socket table of `ss -tan`: listeners, then flows in the order in which they began.

    With `flows`, of the flows only those of them that are there.
    """
    listening = [
        SocketRow(
            *(State.LISTEN, one.accepting, one.backlog, (one.address or b"", port), None),
            *(one.options.ipv6, one.options.v6only),
        )
        for port, listeners in tables.listeners.items()
        for one in listeners
    ]
    known = tables.host.flows
    keys = known if flows is None else [key for key in flows if key in known]
    return listening + [_row(known[key]) for key in keys]


def _of_ipv6(flow: Flow) -> bool:
    """Whether its socket is one of AF_INET6."""
    if isinstance(flow, TimeWait):
        return flow.ipv6
    return isinstance(flow, Request) and flow.listener.options.ipv6


def _row(flow: Flow) -> SocketRow:
    remote, remote_port, local, local_port = flow.key
    ends = (local, local_port), (remote, remote_port)
    if isinstance(flow, Connection):
        return SocketRow(flow.state, flow.recv_q, flow.send_q, *ends, flow.options.ipv6)
    state = flow.state if isinstance(flow, TimeWait) else State.SYN_RECV
    return SocketRow(state, 0, 0, *ends, _of_ipv6(flow))
