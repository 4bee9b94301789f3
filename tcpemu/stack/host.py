"""One host's TCP: the five verbs that a driver calls, the table of flows, and what its parts share.

A driver gives segments to `receive`, calls `advance` when `next_timer` says so, and takes what `transmit` has
for the network; `events` tells what happened and why. Time only ever comes in from outside. While a verb or a
socket call runs, `now` holds its time.

Every flow is in one table, whatever it is at the moment: a request in the SYN queue, a connection, or a
TIME_WAIT bucket. Each of them has `receive(segment)`, as has a listener, which gets the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from tcpemu.stack import reasons
from tcpemu.stack.congestion import Congestion, Reno
from tcpemu.stack.connection import Connection
from tcpemu.stack.cubic import Cubic
from tcpemu.stack.errors import ConfigurationError
from tcpemu.stack.events import (
    Counted,
    Event,
    QueueChanged,
    Reason,
    Sent,
    StateChanged,
    TimerFired,
    Verdict,
)
from tcpemu.stack.generation import Generation, StampOffset
from tcpemu.stack.listener import Listener
from tcpemu.stack.metrics import Metrics
from tcpemu.stack.options import established_options
from tcpemu.stack.pending import PendingTimer, pending
from tcpemu.stack.ports import Ports
from tcpemu.stack.request import Request
from tcpemu.stack.secrets import Secrets
from tcpemu.stack.seq import MASK
from tcpemu.stack.socket import Socket
from tcpemu.stack.states import State
from tcpemu.stack.sysctl import Sysctls
from tcpemu.stack.table import SocketRow
from tcpemu.stack.timers import TimerQueue
from tcpemu.stack.timewait import TimeWait
from tcpemu.stack.units import MICROSECOND, MILLISECOND, SECOND
from tcpemu.wire.codec import Refused, RefusedReason
from tcpemu.wire.options import Timestamps
from tcpemu.wire.segment import ACK, RST, Address, FlowKey, Segment

Flow = Request | Connection | TimeWait
CONTROLS: dict[str, type[Reno]] = {"reno": Reno, "cubic": Cubic}
"""Each kind of congestion control by its name."""
_LEAST_MTU = 68
_LARGEST_ADVERTISED = 65495


class Host:
    """A TCP stack with its sockets. Pure: it reads no clock and touches no network."""

    def __init__(
        self,
        addresses: Sequence[Address],
        generation: Generation,
        *,
        sysctls: Mapping[str, object] | None = None,
        seed: int = 0,
        mtu: int = 1500,
        hz: int | None = None,
        observe: bool = True,
        routes: Sequence[tuple[Address, int]] | None = None,
    ) -> None:
        """A host with these packed addresses.

        `routes` lists the networks that it can reach, each as packed address and prefix length; None is all.
        `mtu` is that of its link, 68 to 65535. `hz` 100, 250 or 1000 makes timers as late as the kernel's
        timer wheel does; None fires them on time. Without `observe` there are no events, and more speed.
        Raises ConfigurationError.
        """
        if not addresses:
            raise ConfigurationError("a host needs an address")
        if not _LEAST_MTU <= mtu <= 65535:
            raise ConfigurationError(f"mtu is {mtu}; it can be {_LEAST_MTU} to 65535")
        self.addresses = tuple(addresses)
        self.generation = generation
        self.sysctls = Sysctls(generation, sysctls or {})
        self.secrets = Secrets(seed)
        self.draw = self.secrets.draw
        self.mtu = mtu
        self.jiffy = SECOND // (hz or 250)
        self.stamp_tick = generation.wire.stamp_tick
        self._told = generation.reasons
        self._counted = generation.counters
        self.observe = observe
        self.now = 0
        self.turn = 0
        """Counts segments that arrived and timers that fired. What is sent in one turn is sent at one instant; in
        virtual time several turns may have the same one, where a kernel's clock would tell them apart."""
        self.timers = TimerQueue(hz)
        self.metrics = Metrics()
        self.ports = Ports(self)
        self.routes = None if routes is None else [_prefix(network, bits) for network, bits in routes]
        self.counters: dict[str, int] = {}
        """`Tcp` and `TcpExt` counters by their MIB names; what never moved is absent."""
        self.flows: dict[FlowKey, Flow] = {}
        self.listeners: dict[int, list[Listener]] = {}
        self._out: list[Segment] = []
        self._events: list[Event] = []
        self._woken: dict[Socket, None] = {}
        self._challenges_second = -1
        self._challenges_left = 0
        self._settings_changed()

    # --- the five verbs ---------------------------------------------------------------------------

    def receive(self, segment: Segment | Refused, now: int) -> None:
        """A segment has arrived, or octets that are none. Never raises for what they hold."""
        self.now = now
        self.turn += 1
        if type(segment) is Segment:
            if segment.dst in self.addresses:
                self.count("InSegs")
                flow = self.flows.get(segment[:4])
                reason = self._no_flow(segment) if flow is None else flow.receive(segment)
            else:
                reason = reasons.NOT_FOR_US
        else:
            reason = self._refused(segment)  # type: ignore[arg-type]
        if self.observe:
            self._events.append(Verdict(now, segment, reason.outcome, self._told.get(reason.name, reason)))

    def transmit(self) -> list[Segment]:
        """What is to be sent now, in order."""
        out, self._out = self._out, []
        return out

    def next_timer(self) -> int | None:
        """When to call `advance`, or None."""
        return self.timers.next()

    def advance(self, now: int) -> None:
        """Fire the timers due by `now`, each at its own time, in order of deadline."""
        while (due := self.timers.pop_due(now)) is not None:
            self.now = due[0]
            self.turn += 1
            due[1].fire()
        self.now = now

    def events(self) -> list[Event]:
        """What has happened since the last call."""
        events, self._events = self._events, []
        return events

    # --- for drivers and users --------------------------------------------------------------------

    def socket(self, datagram: bool = False) -> Socket:
        """A new socket: a stream of TCP, or one of UDP, which is there to say that it cannot listen."""
        return Socket(self, datagram=datagram)

    def woken(self) -> list[Socket]:
        """The sockets that may be readable or writable now, or have an error, since the last call."""
        woken, self._woken = self._woken, {}
        return list(woken)

    def set_sysctl(self, name: str, value: object) -> None:
        """Change a sysctl while the host runs. Raises ConfigurationError."""
        self.sysctls.set(name, value)
        self._settings_changed()

    def _settings_changed(self) -> None:
        self.rto_max = min(self.sysctls.tcp_rto_max_ms * MILLISECOND, self.generation.rto_max)
        """Longest time-out of a connection; requests in the SYN queue do not ask for it."""
        control = CONTROLS[str(self.sysctls.tcp_congestion_control)]
        self.first_congestion: Congestion = control(self.generation.initial_cwnd)
        self.rto_min_us = self.generation.rto_min // MICROSECOND
        for listeners in self.listeners.values():
            for listener in listeners:
                listener.settings_changed()

    def sockets(self, flows: Iterable[FlowKey] | None = None) -> list[SocketRow]:
        """The socket table of `ss -tan`: listeners, then flows in the order in which they began.

        With `flows`, of the flows only those of them that are there.
        """
        listening = [
            SocketRow(State.LISTEN, len(one.accept_queue), one.backlog, (one.address or b"", port), None)
            for port, listeners in self.listeners.items()
            for one in listeners
        ]
        keys = self.flows if flows is None else [key for key in flows if key in self.flows]
        return listening + [_socket_row(key, self.flows[key]) for key in keys]

    def pending(self) -> list[PendingTimer]:
        """The timers that are armed, in the order in which they will fire."""
        return pending(self)

    # --- demultiplexing ---------------------------------------------------------------------------

    def deliver(self, segment: Segment) -> Reason:
        """To the flow it belongs to, else to a listener, else nowhere (tcp_ipv4.c: tcp_v4_rcv)."""
        flow = self.flows.get(segment[:4])
        return self._no_flow(segment) if flow is None else flow.receive(segment)

    def _no_flow(self, segment: Segment) -> Reason:
        listener = self.find_listener(segment)
        if listener is not None:
            return listener.receive(segment)
        if segment.flags & RST:
            return reasons.NO_SOCKET_RST
        self.send_reset(segment)
        return reasons.NO_SOCKET

    def find_listener(self, segment: Segment) -> Listener | None:
        """The listener for a segment: one bound to its address before one bound to any.

        Among several with SO_REUSEPORT a hash of the flow decides, whatever their queues hold.
        inet_hashtables.c: __inet_lookup_listener; sock_reuseport.c: reuseport_select_sock.
        """
        listeners = self.listeners.get(segment.dport)
        if listeners is None:
            return None
        if len(listeners) == 1:
            only = listeners[0]
            return only if only.address is None or only.address == segment.dst else None
        found = [one for one in listeners if one.address == segment.dst]
        found = found or [one for one in listeners if one.address is None]
        return found[self.secrets.flow(segment[:4], 0)[0] * len(found) >> 32] if found else None

    def _refused(self, refused: Refused) -> Reason:
        if refused.reason is RefusedReason.BAD_TCP_CHECKSUM:
            self.count("InSegs")
            self.count("InCsumErrors")
            self.count("InErrs")
            return reasons.BAD_CHECKSUM
        if refused.reason is RefusedReason.BAD_TCP_HEADER:
            self.count("InSegs")
            self.count("InErrs")
        return reasons.BAD_HEADER

    # --- what the parts of the stack use ----------------------------------------------------------

    def send(self, segment: Segment, reason: Reason, repeat: int = 0, counted: bool = True) -> None:
        """Queue a segment for the network; without a route it goes nowhere.

        OutSegs counts it where `counted`: a connection's repeats are not (__tcp_transmit_skb), a request's are.
        """
        if self.routes is not None and not self.routable(segment.dst):
            return
        self._out.append(segment)
        if counted:
            self.count("OutSegs")
        if self.observe:
            self._events.append(Sent(self.now, segment, self._told.get(reason.name, reason), repeat))

    def routable(self, peer: Address) -> bool:
        """Whether there is a route to this address."""
        if self.routes is None:
            return True
        return any(
            _prefix(peer, bits) == (kind, prefix, bits)
            for kind, prefix, bits in self.routes
            if kind == len(peer)
        )

    def send_reset(self, segment: Segment) -> None:
        """Answer a segment with a RST, statelessly; never a RST with one (tcp_ipv4.c: tcp_v4_send_reset)."""
        if segment.flags & RST:
            return
        seq, ack, flags = segment.ack, 0, RST
        if not segment.flags & ACK:
            seq, ack, flags = 0, segment.seq + segment.length & MASK, RST | ACK
        self.count("OutRsts")
        self.send(
            Segment(
                segment.dst,
                segment.dport,
                segment.src,
                segment.sport,
                seq,
                ack,
                flags,
                0,
                tos=segment.tos & 0xFC,
                ttl=self.generation.wire.reset_ttl or self.sysctls.ip_default_ttl,
            ),
            reasons.SENT_RST,
        )

    def send_bare_ack(
        self,
        key: FlowKey,
        seq: int,
        ack: int,
        window: int,
        stamps: Timestamps | None,
        tos: int,
        reason: Reason,
    ) -> None:
        """An ACK for what is no full connection: a request or TIME_WAIT (tcp_ipv4.c: tcp_v4_send_ack)."""
        remote, remote_port, local, local_port = key
        self.send(
            Segment(
                local,
                local_port,
                remote,
                remote_port,
                seq,
                ack,
                ACK,
                window,
                established_options(stamps),
                tos=tos,
                ttl=self.sysctls.ip_default_ttl,
            ),
            reason,
        )

    def count(self, name: str, by: int = 1) -> None:
        """Move a MIB counter, if this kernel has it."""
        if self._counted is not None and name not in self._counted:
            return
        if name in self.counters:
            self.counters[name] += by
        else:
            self.counters[name] = by
        if self.observe:
            self._events.append(Counted(self.now, name, by))

    def uptime(self, at: int | None = None) -> int:
        """Nanoseconds since the machine started."""
        return self.secrets.boot_ms * MILLISECOND + (self.now if at is None else at)

    def stamp_clock(self, at: int | None = None) -> int:
        """The clock of timestamps: milliseconds since the machine started, or the kernel's longer ticks."""
        return self.uptime(at) // self.stamp_tick

    def flow_secrets(self, key: FlowKey) -> tuple[int, int]:
        """Initial sequence number and timestamp offset of a flow that begins now."""
        iss, offset = self.secrets.flow(key, self.now)
        by = self.generation.wire.stamp_offset
        if by is StampOffset.NONE or self.sysctls.tcp_timestamps != 1:
            return iss, 0
        return iss, self.secrets.pair_offset(key) if by is StampOffset.BY_PEER else offset

    def advertised_mss(self, user_mss: int = 0) -> int:
        """The MSS that we announce: what the link holds, or less by TCP_MAXSEG (route.c: ipv4_default_advmss)."""
        mss = min(max(self.mtu - self.generation.wire.mss_headers, 256), _LARGEST_ADVERTISED)
        return min(mss, user_mss) if user_mss else mss

    def challenge_allowed(self) -> bool:
        """The host-wide limit of challenge ACKs a second (tcp_input.c: tcp_challenge_ack_allowed)."""
        limit = self.sysctls.tcp_challenge_ack_limit
        if limit == 2**31 - 1:
            return True
        second = self.now // SECOND
        if second != self._challenges_second:
            self._challenges_second = second
            self._challenges_left = self._challenge_budget(limit)
        self._challenges_left -= 1
        return self._challenges_left >= 0

    def _challenge_budget(self, limit: int) -> int:
        """Challenge ACKs for a new second: since Linux 4.7 nobody can count on how many."""
        if not self.generation.challenges_vary:
            return limit
        return ((limit + 1) >> 1) + self.draw.randrange(limit)

    def unhash(self, conn: Connection) -> None:
        """A closed connection is found by no segment any more."""
        if self.flows.get(conn.key) is conn:
            del self.flows[conn.key]

    def time_wait(self, conn: Connection, state: State, wait: int) -> None:
        """Put a small bucket in the place of a connection (tcp_minisocks.c: tcp_time_wait)."""
        wait = self.generation.time_wait if state is State.TIME_WAIT else max(wait, conn.rto * 7 // 2)
        self.metrics.update(conn)
        bucket = TimeWait(conn, state, wait)
        conn.done("FIN arrives" if state is State.TIME_WAIT else "closed", shown=state)
        self.flows[conn.key] = bucket
        self.count("TWKilled" if wait <= 4 * SECOND else "TW")

    # --- what others want to know -----------------------------------------------------------------

    def wake(self, socket: Socket) -> None:
        self._woken[socket] = None

    def state_changed(self, key: FlowKey, old: State, new: State, cause: str) -> None:
        if self.observe:
            self._events.append(StateChanged(self.now, key, old, new, cause))

    def queues_changed(self, listener: Listener) -> None:
        self._events.append(
            QueueChanged(
                self.now, listener.port, len(listener.accept_queue), listener.syn_queue, listener.backlog
            )
        )

    def timer_fired(self, key: FlowKey, reason: Reason) -> None:
        if self.observe:
            self._events.append(TimerFired(self.now, key, self._told.get(reason.name, reason)))


def _socket_row(key: FlowKey, flow: Flow) -> SocketRow:
    remote, remote_port, local, local_port = key
    ends = (local, local_port), (remote, remote_port)
    if isinstance(flow, Connection):
        return SocketRow(flow.state, flow.recv_q, flow.send_q, *ends)
    return SocketRow(flow.state if isinstance(flow, TimeWait) else State.SYN_RECV, 0, 0, *ends)


def _prefix(network: Address, bits: int) -> tuple[int, int, int]:
    """A network as length of its addresses, leading bits, and how many those are."""
    return len(network), int.from_bytes(network, "big") >> (8 * len(network) - bits), bits
