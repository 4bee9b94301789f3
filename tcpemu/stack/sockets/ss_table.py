"""The socket table, as `ss -tan` prints it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from tcpemu.stack.base.ip_families import IPV4_LENGTH, mapped
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
    remote: tuple[Address, int] | None
    """None for a listener."""
    v6only: bool = False
    """A listener of IPv6 that takes no IPv4."""


def rows(tables: SocketTables, flows: Iterable[FlowKey] | None = None) -> list[SocketRow]:
    """The socket table of `ss -tan`: listeners, then flows in the order in which they began.

    With `flows`, of the flows only those of them that are there.
    """
    listening = [
        SocketRow(
            *(State.LISTEN, len(one.accept_queue), one.backlog, (one.shown_address, port), None),
            one.options.v6only,
        )
        for port, listeners in tables.listeners.items()
        for one in listeners
    ]
    known = tables.host.flows
    keys = known if flows is None else [key for key in flows if key in known]
    return listening + [_row(known[key]) for key in keys]


def _of_ipv6(flow: Flow) -> bool:
    """Whether its socket is one of AF_INET6."""
    if isinstance(flow, Connection):
        return flow.options.ipv6
    if isinstance(flow, TimeWait):
        return flow.ipv6
    return isinstance(flow, Request) and flow.listener.options.ipv6


def _row(flow: Flow) -> SocketRow:
    remote, remote_port, local, local_port = flow.key
    if len(local) == IPV4_LENGTH and _of_ipv6(flow):
        remote, local = mapped(remote), mapped(local)
    ends = (local, local_port), (remote, remote_port)
    if isinstance(flow, Connection):
        return SocketRow(flow.state, flow.recv_q, flow.send_q, *ends)
    return SocketRow(flow.state if isinstance(flow, TimeWait) else State.SYN_RECV, 0, 0, *ends)
