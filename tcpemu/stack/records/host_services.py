"""What a rule may ask of its host: the time, the settings, secrets, timers, the table of flows; and what it may
tell it: a segment to be sent, an event, a counter that moves, a socket to be woken.

Every record holds one of these as `host`. It knows no rule: which one a segment or a timer meets, `dispatch.py`
says.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tcpemu.stack.base.congestion_hooks import Congestion
from tcpemu.stack.base.events import (
    Counted,
    Event,
    GivenUp,
    QueueChanged,
    Reason,
    Sent,
    StateChanged,
    TimerFired,
    Verdict,
)
from tcpemu.stack.base.generation import Generation
from tcpemu.stack.base.ip_families import LOCALHOST, LOCALHOST6, best_source, is_loopback
from tcpemu.stack.base.secrets import Secrets
from tcpemu.stack.base.sequence_numbers import MASK
from tcpemu.stack.base.states import State
from tcpemu.stack.base.sysctls import Sysctls
from tcpemu.stack.base.timer_queue import Timer, TimerQueue
from tcpemu.stack.base.units import MILLISECOND, SECOND
from tcpemu.stack.records.fast_open import FastOpenClient
from tcpemu.stack.records.peer_metrics import PeerMetrics
from tcpemu.wire.refused import Refused
from tcpemu.wire.segment import Address, FlowKey, Segment


class SocketHandle:
    """The socket that owns a listener or a connection, as these know it: something to be woken."""

    __slots__ = ()


@dataclass(slots=True, eq=False, repr=False)
class Flow:
    """What the table of flows holds: a request in the SYN queue, a connection, or a TIME_WAIT bucket."""

    key: FlowKey
    """Remote address, remote port, local address, local port."""
    answered_at: int | None
    """When it last answered a segment that it did not take, for the limits of `reply_limits.py`."""


@dataclass(frozen=True, slots=True)
class LearntMtu:
    """The MTU of a path as ICMP told it."""

    mtu: int
    """Octets that a packet may have."""
    locked: bool
    """It was less than net.ipv4.route.min_pmtu, so packets go without DF."""
    expires: int
    """When it is forgotten, in nanoseconds."""


@dataclass(frozen=True, slots=True)
class RouteMetrics:
    """What `ip route` says of the way to a peer; 0 leaves it as it is without."""

    advmss: int = 0
    """The MSS that SYNs announce."""
    initcwnd: int = 0
    """Segments of the first congestion window."""


@dataclass(slots=True, eq=False, repr=False)
class HostServices:
    """The part of a host that its rules see. Times are nanoseconds."""

    addresses: tuple[Address, ...]
    generation: Generation
    sysctls: Sysctls
    secrets: Secrets
    timers: TimerQueue
    mtu: int
    """Octets that a packet on its link may have."""
    jiffy: int
    """One tick of the kernel's clock."""
    routes: tuple[Network, ...] | None
    """The networks that can be reached; None is all."""
    observe: bool
    """Whether events are kept."""
    gro_size: int
    """Octets of the segments of which the network card has put a longer one together (GRO); 0 where it does not."""
    first_congestion: Congestion
    """What a new connection's congestion window begins as."""
    takes_nothing: bool = False
    """The queue of the device has no room: what is sent is lost there, and whoever sends it is told."""
    asks_for_ttl: bool = False
    """Some socket has been given IP_MINTTL or IPV6_MINHOPCOUNT."""
    now: int = 0
    """The time of the verb or call that runs."""
    turn: int = 0
    """Counts segments that arrived and timers that fired. What is sent in one turn is sent at one instant; in
    virtual time several turns may have the same one, where a kernel's clock would tell them apart."""
    rto_max: int = 0
    """Longest time-out that a new socket begins with; requests in the SYN queue do not ask for it."""
    rto_min_us: int = 0
    """Shortest time-out that it begins with, in microseconds."""
    challenges_second: int = -1
    """The second for which challenge ACKs are counted, and how many it has left."""
    challenges_left: int = 0
    metrics: PeerMetrics = field(default_factory=PeerMetrics)
    fast_open: FastOpenClient = field(default_factory=FastOpenClient)
    orphans: int = 0
    """Connections that no application holds any more and that are not over yet."""
    orphans_seen: int = 0
    """That number as the limit of `orphan_limit.py` has it: it is added up ten times a second."""
    orphans_seen_in: int = -1
    """The tenth of a second, counted from the start, in which it was."""
    lingering: dict[Flow, Timer] = field(default_factory=dict)
    """Connections whose close() still waits (SO_LINGER), each with the timer that ends this; not armed for ever."""
    time_waits: int = 0
    """TIME_WAIT buckets, those that are in FIN_WAIT2 among them."""
    path_mtus: dict[Address, LearntMtu] = field(default_factory=dict)
    """What ICMP, or a route, has told of the MTU of paths, by peer."""
    routes_to: dict[Address, RouteMetrics] = field(default_factory=dict)
    """What else routes say, by peer."""
    with_old_route: dict[Flow, int] = field(default_factory=dict)
    """Connections that have sent nothing since the route to their peer changed, and the MTU of the one that they have
    until then."""
    counters: dict[str, int] = field(default_factory=dict)
    """`Tcp` and `TcpExt` counters by their MIB names; what never moved is absent."""
    flows: dict[FlowKey, Flow] = field(default_factory=dict)
    """Every request, connection and TIME_WAIT bucket by its flow."""
    out: list[Segment] = field(default_factory=list)
    """To be sent, in order."""
    happened: list[Event] = field(default_factory=list)
    woken: dict[SocketHandle, None] = field(default_factory=dict)

    # --- the time ---------------------------------------------------------------------------------

    def tick(self, at: int) -> int:
        """A time or a span in the kernel's ticks, rounded down; as it is where timers fire exactly."""
        return at if self.timers.hz is None else at - at % self.jiffy

    def in_ticks(self, span: int) -> int:
        """A span in the kernel's ticks, rounded up (usecs_to_jiffies)."""
        ticks_a_second = SECOND // self.jiffy
        return -(-span * ticks_a_second // SECOND) * SECOND // ticks_a_second

    def uptime(self, at: int | None = None) -> int:
        """Nanoseconds since the machine started."""
        return self.secrets.boot_ms * MILLISECOND + (self.now if at is None else at)

    def stamp_clock(self, at: int | None = None) -> int:
        """The clock of timestamps: milliseconds since the machine started, or the kernel's longer ticks."""
        return self.uptime(at) // self.generation.wire.stamp_tick

    def tsval(self, offset: int, at: int | None = None) -> int:
        """What a flow with this offset has in its timestamps: the clock, from the flow's own beginning."""
        moment = self.now if at is None else at
        return (
            self.secrets.boot_ms * MILLISECOND + moment
        ) // self.generation.wire.stamp_tick + offset & MASK

    def initial_cwnd(self, peer: Address) -> int:
        """Segments of a connection's first congestion window (tcp_init_cwnd)."""
        route = self.routes_to.get(peer) if self.routes_to else None
        return (route.initcwnd if route is not None else 0) or self.generation.initial_cwnd

    # --- addresses --------------------------------------------------------------------------------

    def owns(self, address: Address) -> bool:
        """Whether this is one of its addresses; ::1 and all of 127.0.0.0/8 are, on any host."""
        return address in self.addresses or is_loopback(address)

    def source_for(self, peer: Address) -> Address | None:
        """The address that a connection to this peer has when nobody bound it; None where no address is of its IP.

        fib_select_default and `src`; of IPv6 ipv6_dev_get_saddr.
        """
        if is_loopback(peer):
            return LOCALHOST if len(peer) == len(LOCALHOST) else LOCALHOST6
        return peer if peer in self.addresses else best_source(self.addresses, peer)

    # --- what is sent -----------------------------------------------------------------------------

    def routable(self, peer: Address) -> bool:
        """Whether there is a route to this address."""
        return self.routes is None or is_loopback(peer) or any(network.holds(peer) for network in self.routes)

    def send(self, segment: Segment, reason: Reason, repeat: int = 0, counted: bool = True) -> None:
        """Queue a segment for the network; without a route it goes nowhere.

        OutSegs counts it where `counted`: a connection's repeats are not (__tcp_transmit_skb), a request's are; also
        what the device's queue has no room for, and loses.
        """
        if self.routes is not None and not self.routable(segment.dst):
            return
        if self.takes_nothing:
            if counted:
                self.count("OutSegs")
            return
        self.out.append(segment)
        if counted:
            self.count("OutSegs")
        if self.observe:
            self.happened.append(Sent(self.now, segment, self.as_told(reason), repeat))

    # --- what is told -----------------------------------------------------------------------------

    def as_told(self, reason: Reason) -> Reason:
        """A reason as this kernel has it: its function and its words."""
        return self.generation.reasons.get(reason.name, reason)

    def count(self, name: str, by: int = 1) -> None:
        """Move a MIB counter, if this kernel has it."""
        known = self.generation.counters
        if known is not None and name not in known:
            return
        try:
            self.counters[name] += by
        except KeyError:
            self.counters[name] = by
        if self.observe:
            self.happened.append(Counted(self.now, name, by))

    def wake(self, socket: SocketHandle | None) -> None:
        """Its application may find something ready; there may be no socket."""
        if socket is not None:
            self.woken[socket] = None

    def verdict(self, segment: Segment | Refused, reason: Reason) -> None:
        """What became of what arrived."""
        self.happened.append(Verdict(self.now, segment, reason.outcome, self.as_told(reason)))

    def state_changed(self, key: FlowKey, old: State, new: State, cause: str) -> None:
        """A flow or listener changed its state."""
        if self.observe:
            self.happened.append(StateChanged(self.now, key, old, new, cause))

    def queues_changed(self, port: int, accept: int, syn: int, backlog: int) -> None:
        """A listener's queues have these lengths and this limit now."""
        if self.observe:
            self.happened.append(QueueChanged(self.now, port, accept, syn, backlog))

    def timer_fired(self, key: FlowKey, reason: Reason, given_up: GivenUp | None = None) -> None:
        """A timer came due and did what `reason` says; `given_up` is what decided, where it gave up."""
        if self.observe:
            self.happened.append(TimerFired(self.now, key, self.as_told(reason), given_up))


@dataclass(frozen=True, slots=True)
class Network:
    """A network that can be reached, by the leading bits that its addresses share."""

    address: Address
    bits: int

    def holds(self, peer: Address) -> bool:
        """Whether this address lies in it."""
        return len(peer) == len(self.address) and _leading(peer, self.bits) == _leading(
            self.address, self.bits
        )


def _leading(address: Address, bits: int) -> int:
    return int.from_bytes(address, "big") >> (8 * len(address) - bits)
