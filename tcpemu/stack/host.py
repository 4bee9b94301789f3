"""One host's TCP: the five verbs that a driver calls, and the sockets that an application does.

A driver gives segments to `receive`, calls `advance` when `next_timer` says so, and takes what `transmit` has
for the network; `events` tells what happened and why. Time only ever comes in from outside, in nanoseconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from tcpemu.stack import dispatch
from tcpemu.stack.base.events import Event, IcmpArrived
from tcpemu.stack.base.generation import Generation
from tcpemu.stack.base.host_arguments import (
    check_generation,
    check_gro,
    check_mtu,
    check_queue_limit,
    check_route,
    check_ticks,
    check_time,
    own_addresses,
    packed_address,
)
from tcpemu.stack.base.secrets import Secrets
from tcpemu.stack.base.sysctls import Sysctls
from tcpemu.stack.base.timer_queue import TimerQueue
from tcpemu.stack.base.units import MICROSECOND, MILLISECOND, SECOND
from tcpemu.stack.connection.measures import path_mtu
from tcpemu.stack.control.registry import CONTROLS
from tcpemu.stack.listening import queues
from tcpemu.stack.records.connection import Connection
from tcpemu.stack.records.host_services import HostServices, Network, RouteMetrics
from tcpemu.stack.sockets import armed_timers, shutdown_and_close, ss_table, tcp_info
from tcpemu.stack.sockets.armed_timers import PendingTimer
from tcpemu.stack.sockets.ports import Ports
from tcpemu.stack.sockets.socket import Socket
from tcpemu.stack.sockets.ss_table import SocketRow
from tcpemu.stack.sockets.tables import SocketTables
from tcpemu.stack.sockets.tcp_info import FlowFigures, TcpInfo
from tcpemu.wire.icmp import IcmpError
from tcpemu.wire.refused import Refused
from tcpemu.wire.segment import Address, FlowKey, Segment


class Host:
    """A TCP stack with its sockets. Pure: it reads no clock and touches no network."""

    __slots__ = ("_host", "_tables")

    def __init__(
        self,
        addresses: Sequence[Address | str],
        generation: Generation,
        *,
        sysctls: Mapping[str, object] | None = None,
        seed: int = 0,
        mtu: int = 1500,
        hz: int | None = None,
        observe: bool = True,
        routes: Sequence[tuple[Address, int]] | None = None,
        gro_size: int = 0,
    ) -> None:
        """A host with these addresses of IPv4 or IPv6, as `["192.0.2.1", "2001:db8::1"]` or packed, and that kernel.

        `generation` is a value, as `tcpemu.generation("linux-6.18")` gives it. `sysctls` are settings by their full
        names; what is not given is the kernel's default. All that is random in it (initial sequence numbers, cookie
        keys, timestamps, ports) comes from `seed`. `routes` lists the networks that it can reach, each as packed
        address and prefix length; None is all. `mtu` is that of its link, 68 to 65535, with IPv6 1280 at least. `hz`
        100, 250 or 1000 makes timers as late as that kernel's own, for kernels of Linux; None fires them on time.
        Without `observe` no events, and more speed. `gro_size`, if not 0, says that a network card has put what arrives
        with more octets together out of segments of so many, up to 65535 (GRO). Raises ConfigurationError.
        """
        own = own_addresses(addresses)
        check_generation(generation)
        check_mtu(mtu, own)
        check_ticks(hz, generation)
        check_gro(gro_size)
        settings = Sysctls(generation, sysctls or {})
        self._host = host = HostServices(
            own,
            generation,
            settings,
            Secrets(seed),
            TimerQueue(hz, generation.late_timers),
            mtu,
            SECOND // (hz or 250),
            None if routes is None else tuple(Network(*route) for route in routes),
            observe,
            gro_size,
            CONTROLS[str(settings.tcp_congestion_control)](generation.initial_cwnd),
        )
        self._tables = SocketTables(host, Ports(host))
        self._settings_changed()

    # --- the five verbs ---------------------------------------------------------------------------

    def receive(self, segment: Segment | Refused, now: int) -> None:
        """A segment has arrived, or octets that are none, at `now` in nanoseconds, which never goes back.

        Never raises for what they hold: a segment is delivered, answered or dropped, and a Verdict says why. A Scapy
        packet becomes a segment by `tcpemu.from_scapy(packet)`, octets by `tcpemu.decode(octets)`; anything else is a
        ConfigurationError, and so is a time before that of the last verb or call.
        """
        host = self._host
        if type(now) is not int or now < host.now:
            check_time(now, host.now)
        host.now = now
        host.turn += 1
        reason = dispatch.arrived(self._tables, segment)
        if host.observe:
            host.verdict(segment, reason)
        if host.lingering:
            shutdown_and_close.end_waits(host)

    def receive_icmp(self, error: IcmpError, now: int) -> None:
        """An ICMP error about a segment that the host sent has arrived at `now`, in nanoseconds.

        `decode_icmp` of `tcpemu.wire` makes one of octets. Raises ConfigurationError for a time before that of the last
        verb or call.
        """
        host = self._host
        check_time(now, host.now)
        host.now = now
        host.turn += 1
        before = len(host.happened)
        reason = dispatch.icmp_arrived(self._tables, error)
        if host.observe:
            host.happened.insert(before, IcmpArrived(now, error, host.as_told(reason)))
        if host.lingering:
            shutdown_and_close.end_waits(host)

    def transmit(self) -> list[Segment]:
        """What is to be sent now, in order. Each segment is given once; whoever calls carries it to its peer."""
        out, self._host.out = self._host.out, []
        return out

    def next_timer(self) -> int | None:
        """When to call `advance`, in nanoseconds on the clock of `now`; None where no timer is armed.

        A timer may have been cancelled meanwhile: then `advance` finds nothing to do.
        """
        return self._host.timers.next()

    def advance(self, now: int) -> None:
        """Fire the timers due by `now` (nanoseconds), each at its own time, in order of deadline.

        Raises ConfigurationError for a time before that of the last verb or call.
        """
        host = self._host
        check_time(now, host.now)
        while (due := host.timers.pop_due(now)) is not None:
            host.now = due[0]
            host.turn += 1
            dispatch.timer_fired(due[1])
            if host.lingering:
                shutdown_and_close.end_waits(host)
        host.now = now

    def events(self) -> list[Event]:
        """What has happened since the last call, in order; nothing for a host that does not observe."""
        events, self._host.happened = self._host.happened, []
        return events

    # --- sockets ----------------------------------------------------------------------------------

    def socket(self, datagram: bool = False, ipv6: bool = False) -> Socket:
        """A new socket: a stream of TCP, or one of UDP, which is there to say that it cannot listen (EOPNOTSUPP).

        With `ipv6` it is one of AF_INET6, else of AF_INET. One of IPv6 speaks IPv4 too, with peers that look like
        `::ffff:192.0.2.1`, unless IPV6_V6ONLY is set or net.ipv6.bindv6only is 1.
        """
        return Socket(self._tables, datagram=datagram, ipv6=ipv6)

    def woken(self) -> list[Socket]:
        """The sockets that may be readable or writable now, or have an error, since the last call."""
        if not self._host.woken:
            return []
        woken, self._host.woken = self._host.woken, {}
        return [socket for socket in woken if isinstance(socket, Socket)]

    # --- settings ---------------------------------------------------------------------------------

    @property
    def addresses(self) -> tuple[Address, ...]:
        """Its packed addresses."""
        return self._host.addresses

    @property
    def generation(self) -> Generation:
        """The kernel that it is."""
        return self._host.generation

    @property
    def now(self) -> int:
        """The time of the last verb or call."""
        return self._host.now

    @property
    def sysctls(self) -> Sysctls:
        """The settings in force; `set_sysctl` changes one."""
        return self._host.sysctls

    def set_sysctl(self, name: str, value: object) -> None:
        """Change a sysctl by its full name while the host runs; a string is parsed as `sysctl -w` would.

        Raises ConfigurationError for a name that is not known or that this kernel lacks, and for a value out of range.
        """
        self._host.sysctls.set(name, value)
        self._settings_changed()

    def forget_peers(self) -> None:
        """Forget what was learnt of peers: round-trip times, and cookies of Fast Open (`ip tcp_metrics flush`)."""
        self._host.metrics.srtt.clear()
        self._host.fast_open.servers.clear()

    def set_mtu(self, mtu: int) -> None:
        """Change the MTU of its link (`ip link set mtu`): at once for what it sends. Raises ConfigurationError."""
        check_mtu(mtu, self._host.addresses)
        self._host.mtu = mtu
        self._settings_changed()

    def set_queue_limit(self, packets: int | None) -> None:
        """Limit the queue of its device (`tc qdisc .. pfifo limit PACKETS`); None has no limit.

        The device takes what is queued at once, so that only a limit of 0 shows: all that the host sends is lost there,
        and its TCP is told, which takes it for congestion. Raises ConfigurationError for a negative number.
        """
        check_queue_limit(packets)
        self._host.takes_nothing = packets == 0

    def set_route(
        self, peer: Address | str, *, mtu: int = 0, locked: bool = False, advmss: int = 0, initcwnd: int = 0
    ) -> None:
        """Change the route to a peer (`ip route change PEER mtu .. advmss .. initcwnd ..`); 0 says nothing.

        `mtu` is in octets, not above that of the link; `locked`, no ICMP lowers it and packets go without DF. `advmss`
        is the MSS that SYNs announce, `initcwnd` the first congestion window in segments. A connection keeps the old
        route until it sends. Raises ConfigurationError, and NotEmulatedError for less MTU while connections are there.
        """
        host = self._host
        packed = packed_address(peer)
        check_route(mtu, host.mtu, advmss, initcwnd)
        path_mtu.change_route(host, packed, mtu, locked, RouteMetrics(advmss, initcwnd))

    def _settings_changed(self) -> None:
        host = self._host
        host.rto_max = min(host.in_ticks(host.sysctls.tcp_rto_max_ms * MILLISECOND), self.generation.rto_max)
        host.rto_min_us = host.in_ticks(host.sysctls.tcp_rto_min_us * MICROSECOND) // MICROSECOND
        begin = CONTROLS[str(host.sysctls.tcp_congestion_control)]
        host.first_congestion = begin(self.generation.initial_cwnd)
        for listeners in self._tables.listeners.values():
            for listener in listeners:
                queues.settings_changed(listener)

    @property
    def observe(self) -> bool:
        """Whether there are events."""
        return self._host.observe

    # --- to look at -------------------------------------------------------------------------------

    @property
    def counters(self) -> dict[str, int]:
        """`Tcp` and `TcpExt` counters by their MIB names; what never moved is absent."""
        return self._host.counters

    def sockets(self, flows: Iterable[FlowKey] | None = None) -> list[SocketRow]:
        """The socket table of `ss -tan`: listeners, then flows in the order in which they began.

        With `flows`, of the flows only those of them that are there.
        """
        return ss_table.rows(self._tables, flows)

    def tcp_info(self, flow: FlowKey) -> TcpInfo | None:
        """What TCP_INFO would tell of a connection, whoever owns it; None where there is none: in TIME_WAIT, gone.

        The flow is remote address and port, then local ones.
        """
        conn = self._host.flows.get(flow)
        return tcp_info.of_connection(conn) if isinstance(conn, Connection) else None

    def congestion_control(self, flow: FlowKey) -> str:
        """The name of the congestion control of a connection, such as `cubic`; empty where there is none."""
        conn = self._host.flows.get(flow)
        return conn.congestion.name if isinstance(conn, Connection) else ""

    def figures(self, flow: FlowKey) -> FlowFigures | None:
        """What of that changes from one segment to the next, quicker; None where there is no such connection."""
        conn = self._host.flows.get(flow)
        return tcp_info.figures_of(conn) if isinstance(conn, Connection) else None

    def pending(self) -> list[PendingTimer]:
        """The timers that are armed, in the order in which they will fire."""
        return armed_timers.pending(self._host)

    def waiting_for_accept(self) -> set[FlowKey]:
        """The connections that are complete and wait in an accept queue."""
        listeners = (one for same_port in self._tables.listeners.values() for one in same_port)
        return {conn.key for listener in listeners for conn in listener.accept_queue}

    @property
    def tables(self) -> SocketTables:
        """The records behind it, for whoever checks the stack itself; a user needs nothing of it."""
        return self._tables
