"""What a listener is: a listening socket and its two queues.

The SYN queue is a count: the requests themselves live in the host's table of flows, among the connections.
The accept queue is a list of connections that are complete and wait for accept(). Each queue has its own
test for full, and both use the backlog: A > N, Q > N on Linux 6.18, so that each holds one more than asked.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from tcpemu.stack.base.states import State
from tcpemu.stack.records.connection import Connection
from tcpemu.stack.records.fast_open import FastOpenQueue
from tcpemu.stack.records.host_services import Flow, HostServices, SocketHandle
from tcpemu.stack.records.socket_options import SocketOptions
from tcpemu.wire.segment import Address, FlowKey


@dataclass(slots=True, eq=False, repr=False)
class SharedTimer:
    """The one timer of all requests of a listener, by the entries of its table, as kernels from 2.2 to 4.0 had it."""

    host: HostServices
    size: int
    """Entries of the table."""
    entries: dict[int, dict[Flow, int]] = field(default_factory=dict)
    """The requests in each entry, each with the time from which on it is due."""
    hand: int = 0
    """The entry that is looked at next."""
    armed: int = 0
    waiting: int = 0
    """Requests in all entries."""


@dataclass(slots=True, eq=False, repr=False)
class Listener:
    """What a socket is from listen() on. `state` is LISTEN, and CLOSE after shutdown() or close()."""

    host: HostServices
    socket: SocketHandle
    address: Address | None
    """What it is bound to; None for any address."""
    port: int
    options: SocketOptions
    lengths: int
    """Octets of the addresses that it takes: 4, 16, or 4 | 16 where it listens for both (`ip_families.py`)."""
    state: State = State.CLOSE
    backlog: int = 0
    """The limit in force."""
    accept_queue: deque[Connection] = field(default_factory=deque)
    syn_queue: int = 0
    """Requests that wait for their final ACK: Q, `icsk_accept_queue.qlen`."""
    young: int = 0
    """Those among them whose timer has not fired yet: Y, `icsk_accept_queue.young`."""
    table: int = 0
    """Entries of the table of requests, where there is one; fixed at the first listen()."""
    timer: SharedTimer | None = None
    """The one timer for all requests, where they have none of their own."""
    cookie_sent: int | None = None
    """When the last SYN cookie was sent, to the second."""
    own_mss: int = 0
    """The MSS that SYN|ACKs announce."""
    windows: dict[tuple[int, bool], tuple[int, int, int]] = field(default_factory=dict)
    """First windows worked out so far, by MSS and whether the peer scales."""
    fast_open: FastOpenQueue = field(default_factory=FastOpenQueue)
    """Its children that wait for their final ACK, opened by Fast Open."""

    @property
    def accepting(self) -> int:
        """Completed connections that wait for accept(): A, `sk_ack_backlog`."""
        return len(self.accept_queue)

    @property
    def key(self) -> FlowKey:
        """Its place among flows in events: without a peer."""
        return b"", 0, self.address or b"", self.port
