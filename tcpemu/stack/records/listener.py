"""What a listener is: a listening socket and its two queues.

The SYN queue is a count: the requests themselves live in the host's table of flows, among the connections.
The accept queue is a list of connections that are complete and wait for accept(). Each queue has its own
test for full, and both use the backlog: A > N, Q > N on Linux 6.18, so that each holds one more than asked.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TypeAlias

from tcpemu.stack.base.generation import Queues
from tcpemu.stack.base.states import State
from tcpemu.stack.records.connection import Connection, FirstSizes
from tcpemu.stack.records.fast_open import FastOpenQueue
from tcpemu.stack.records.host_services import Flow, HostServices, SocketHandle
from tcpemu.stack.records.socket_options import SocketOptions
from tcpemu.wire.options import Option
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


@dataclass(frozen=True, slots=True, eq=False)
class Terms:
    """What a SYN offered and its SYN|ACK answers, as far as it is no number of one flow alone."""

    mss: int
    """What the peer takes."""
    snd_shift: int | None
    """The peer's window scale; None where it has none."""
    sack: bool
    own_mss: int
    """What the SYN|ACK announces."""
    ecn: bool
    tos: int
    rcv_wnd: int
    """The window that the SYN|ACK offers, in octets, and its clamp and scale."""
    window_clamp: int
    rcv_shift: int
    options: tuple[Option, ...]
    """Those of its SYN|ACK, up to where timestamps stand."""
    more_options: tuple[Option, ...]
    """Those behind them; none without timestamps."""


TermsKey: TypeAlias = tuple[int, int | None, bool, int, bool, int, int, bool, int]
"""Peer's MSS and window scale, SACK, own MSS, ECN, TOS, MSS for the window, timestamps, octets of an address."""


@dataclass(slots=True, eq=False, repr=False)
class Listener(Queues):
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
    accept_queue: deque[Connection] = field(default_factory=deque)
    """As many as `accepting` says."""
    timer: SharedTimer | None = None
    """The one timer for all requests, where they have none of their own."""
    cookie_sent: int | None = None
    """When the last SYN cookie was sent, to the second."""
    own_mss: int = 0
    """The MSS that SYN|ACKs announce."""
    terms: dict[TermsKey, Terms] = field(default_factory=dict)
    """Those that its requests have, by what they were worked out from (`new_request.py`)."""
    first_sizes: dict[tuple[Terms, int], FirstSizes] = field(default_factory=dict)
    """Those of its children, by their terms and the window of the final ACK (`child.py`)."""
    fast_open: FastOpenQueue = field(default_factory=FastOpenQueue)
    """Its children that wait for their final ACK, opened by Fast Open."""

    @property
    def key(self) -> FlowKey:
        """Its place among flows in events: without a peer."""
        return b"", 0, self.address or b"", self.port
