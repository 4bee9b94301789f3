"""Nodes: what is attached to a network. A `Node` drives one host; a `RawNode` sends what it is told to.

A node takes its host through one step at a time: a packet arrives, a timer is due, or an application makes a
call. After each step it takes from the host what is to be sent, what happened and who is to be woken, and
sees to it that the loop comes back when the next timer is due.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TypeAlias

from tcpemu.network.addresses import AddressRange, any_ipv6, packed, range_of
from tcpemu.network.application_sockets import (
    ConnectedSocket,
    ListeningSocket,
    OptionValues,
    connected,
    set_option,
)
from tcpemu.network.clock import SECOND
from tcpemu.network.endpoint import Endpoint, EndpointSocket
from tcpemu.network.links import Flight
from tcpemu.network.loop import Loop
from tcpemu.network.record import CRASHES, STARTS_AGAIN, Call, Entry, HostEvent, Point, Record
from tcpemu.network.recorded.entries import packet_seen
from tcpemu.network.socket_calls import SocketCalls
from tcpemu.network.task import Applications, sleep
from tcpemu.stack import Host
from tcpemu.stack.base.errors import SocketError
from tcpemu.stack.base.events import Sent, StateChanged
from tcpemu.stack.base.host_arguments import check_backlog
from tcpemu.stack.base.ip_families import is_ipv6
from tcpemu.stack.base.states import State
from tcpemu.wire.codec_choice import encode
from tcpemu.wire.icmp import UNREACHABLE, V6_UNREACHABLE, IcmpError
from tcpemu.wire.segment import Address, FlowKey, Segment, endpoint_text

OnReceive: TypeAlias = Callable[[Segment, int], None]
Look: TypeAlias = Callable[["Node", FlowKey | None], None]
"""Looks at a host after each of its steps: a packet has arrived, timers were due, or a call was made. It gets the
node, and for a call the connection on which it was made or that it gave. It must not change anything."""
Boot: TypeAlias = Callable[[int], Endpoint]
"""Makes the host anew, as it is after its n-th start; the first is number 0."""
UNRESOLVED = 3 * SECOND
"""How long a neighbour is asked for: net.ipv4.neigh.default.mcast_solicit times retrans_time_ms. Linux's own timers
add some tens of milliseconds."""
_NO_NEIGHBOUR, _NO_NEIGHBOUR_V6 = (UNREACHABLE, 1), (V6_UNREACHABLE, 3)
"""Kind and code of the ICMP error: host unreachable (arp.c: arp_error_report), address unreachable (ndisc.c:
ndisc_error_report)."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a node needs of its network."""

    loop: Loop
    record: Record
    applications: Applications
    carry: Callable[[Attached, Flight], None]
    """Take a packet from this node to where it goes."""
    lookers: list[Look]
    """Whoever looks at each host after each of its steps."""


class Attached:
    """A name and addresses in a network."""

    def __init__(self, name: str, addresses: tuple[str, ...], surroundings: Surroundings) -> None:
        self.name = name
        self.addresses = addresses
        self._loop = surroundings.loop
        self._record = surroundings.record
        self._applications = surroundings.applications
        self._carry = surroundings.carry
        self._lookers = surroundings.lookers

    off = False
    """It has crashed: nothing reaches it."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name} {' '.join(self.addresses)}>"

    @property
    def now(self) -> int:
        """Nanoseconds since the start of the network."""
        return self._loop.now

    async def sleep(self, time: int) -> None:
        """Let so many nanoseconds pass."""
        await sleep(self._loop, time)

    def only_claims(self, address: Address) -> bool:  # noqa: ARG002
        """Whether it sends from that address although no host has it."""
        return False

    def deliver(self, flight: Flight) -> None:
        """A packet arrives."""
        number, segment, copy_of = flight
        if self._record.wants_packets:
            seen = packet_seen(self._loop.now, self.name, Point.RECEIVED, number, segment, "", copy_of)
            self._record.add(seen)
        self._arrived(number, segment)

    def hear(self, error: IcmpError) -> None:
        """An ICMP error arrives; a node without a TCP takes no notice."""

    def _arrived(self, number: int, segment: Segment) -> None:
        raise NotImplementedError

    def _send(self, number: int, segment: Segment) -> None:
        if self._record.wants_packets:
            self._record.add(packet_seen(self._loop.now, self.name, Point.SENT, number, segment, "", None))
        self._carry(self, tuple.__new__(Flight, (number, segment, None)))


class RawNode(Attached):
    """An endpoint without a TCP. It answers nothing, unless `on_receive` does."""

    def __init__(
        self,
        name: str,
        addresses: tuple[str, ...],
        surroundings: Surroundings,
        on_receive: OnReceive | None = None,
        claims: tuple[str, ...] = (),
    ) -> None:
        super().__init__(name, addresses, surroundings)
        self._claims = tuple(map(range_of, claims))
        self._own = frozenset(packed(text) for text in addresses if "/" not in text)
        self.on_receive = on_receive
        """Called with each segment that arrives, and the time."""

    def only_claims(self, address: Address) -> bool:
        """Whether it sends from that address although no host has it."""
        if not self._claims:
            return False
        wanted = ip_address(address)
        return address not in self._own and any(wanted in claimed for claimed in self._claims)

    def send(self, segment: Segment) -> int:
        """Send it now, whatever source it names; gives the packet's number."""
        number = self._record.number()
        self._send(number, segment)
        return number

    def _arrived(self, number: int, segment: Segment) -> None:  # noqa: ARG002
        if self.on_receive is not None:
            self.on_receive(segment, self._loop.now)


class Node(Attached):
    """A host, and its socket calls as applications make them."""

    def __init__(
        self,
        name: str,
        addresses: tuple[str, ...],
        surroundings: Surroundings,
        host: Endpoint,
        boot: Boot | None = None,
        routes: Sequence[AddressRange] = (),
    ) -> None:
        """`routes` are networks that it is in: whoever has an address of theirs and is not there does not answer."""
        super().__init__(name, addresses, surroundings)
        self.host = host
        self._boot, self._boots = boot, 0
        self._routes = routes
        self._unresolved: dict[Address, list[Segment]] = {}
        """What waits for the answer of a neighbour that is not there."""
        self._wakes_at: int | None = None
        self.calls = SocketCalls(name, self._loop, self._applications, self._called)
        """How its applications make calls, for sockets that are made by hand."""

    def listen(
        self,
        port: int,
        backlog: int,
        options: OptionValues | None = None,
        address: str | None = None,
        datagram: bool = False,
    ) -> ListeningSocket:
        """A socket with these options, bound to the port (of one address, or of all) and listening.

        On a host with addresses of IPv6 one that listens for all takes both IPs; a peer of IPv4 then looks like
        `::ffff:192.0.2.1`.

        Raises SocketError: EADDRINUSE, EADDRNOTAVAIL; a `datagram` socket cannot listen: EOPNOTSUPP.
        ConfigurationError for a backlog that is no whole number.
        """
        check_backlog(backlog)
        local = None if address is None else packed(address)
        socket = self._socket(
            options, datagram, any_ipv6(self.addresses) if local is None else is_ipv6(local)
        )

        def attempt(now: int) -> None:
            socket.bind(local, port)
            socket.listen(backlog, now)

        with self._closed_on_failure(socket):
            self.calls.call(socket, f"listen({port}, backlog {backlog})", attempt)
        return ListeningSocket(self.calls, socket)

    async def connect(
        self,
        address: str,
        port: int,
        options: OptionValues | None = None,
        local: tuple[str | None, int] | None = None,
        timeout: int | None = None,
    ) -> ConnectedSocket:
        """A connection, once it stands. `local` binds it first: an address or None, and a port or 0.

        Raises SocketError: ECONNREFUSED, ETIMEDOUT, ENETUNREACH, EADDRNOTAVAIL; EINPROGRESS where it does not stand
        within `timeout` nanoseconds, as with SO_SNDTIMEO: then it is closed.
        """
        remote = packed(address), port
        text = f"connect({endpoint_text(remote)})"
        socket = self._socket(options, ipv6=is_ipv6(remote[0]))
        started = False

        def attempt(now: int) -> None:
            nonlocal started
            if started:
                connected(socket)
            else:
                started = True
                socket.connect(*remote, now)

        with self._closed_on_failure(socket):
            if local is not None:
                self._bind(socket, *local)
            await self.calls.complete(
                socket, text, attempt, lambda _: "connected", timeout, again=errno.EINPROGRESS
            )
        return ConnectedSocket(self.calls, socket)

    def _socket(
        self, options: OptionValues | None, datagram: bool = False, ipv6: bool = False
    ) -> EndpointSocket:
        socket = self.host.socket(datagram, ipv6) if ipv6 else self.host.socket(datagram)
        for (level, name), value in (options or {}).items():
            set_option(self.calls, socket, level, name, value)
        return socket

    @contextmanager
    def _closed_on_failure(self, socket: EndpointSocket) -> Iterator[None]:
        """The application never gets this socket when the call fails, so nobody else could close it."""
        try:
            yield
        except SocketError:
            socket.close(self._loop.now)
            self._settle()
            raise

    def _bind(self, socket: EndpointSocket, address: str | None, port: int) -> None:
        local = None if address is None else packed(address)
        self.calls.call(socket, f"bind({address or '*'}, {port})", lambda _: socket.bind(local, port))

    # Its end, and a new beginning.

    @property
    def can_crash(self) -> bool:
        """Whether it can be made anew; a host that was made elsewhere cannot."""
        return self._boot is not None

    def crash(self) -> None:
        """It stops without a word: what runs on it is gone, and all that its TCP knew. Nothing reaches it any more."""
        assert self._boot is not None
        if self.off:
            return
        self._record.add(Call(self._loop.now, self.name, "", CRASHES, ""))
        for row in self.host.sockets():
            flow = (*(row.remote or (b"", 0)), *row.local)
            gone = StateChanged(self._loop.now, flow, row.state, State.CLOSE, "the host crashed")
            self._record.add(HostEvent(self._loop.now, self.name, gone))
        self.off = self.calls.off = True
        self._applications.off.add(self.name)
        self._applications.kill(self.name)
        self.calls.forget()
        self._unresolved.clear()
        self._boots += 1
        self.host, self._wakes_at = self._boot(self._boots), None
        self._let_look(None)

    def start_again(self) -> None:
        """It is there again, with the same addresses, and knows nothing of before."""
        if self.off:
            self.off = self.calls.off = False
            self._applications.off.discard(self.name)
            self._record.add(Call(self._loop.now, self.name, "", STARTS_AGAIN, ""))
            self._let_look(None)

    # Neighbours that are not there.

    def nobody_has(self, segment: Segment) -> None:
        """A packet to an address that no host has. In a network of its own the host asks for it, and then says so.

        To whoever sent the packet it is an ICMP error of the host itself, after three questions a second apart
        (neighbour.c: neigh_timer_handler; arp.c: arp_error_report, Linux 6.12).
        Differs: a SYN is sent again meanwhile, where Linux knows that the first is still in its queue.
        """
        peer = segment.dst
        if not any(ip_address(peer) in network for network in self._routes):
            return
        waiting = self._unresolved.setdefault(peer, [])
        waiting.append(segment)
        if len(waiting) == 1:
            self._loop.at(self._loop.now + UNRESOLVED, self._give_up, peer, waiting)

    def _give_up(self, peer: Address, waiting: list[Segment]) -> None:
        if self._unresolved.get(peer) is not waiting:
            return  # it has crashed since
        del self._unresolved[peer]
        for segment in waiting:
            own = segment.src
            says = _NO_NEIGHBOUR_V6 if is_ipv6(own) else _NO_NEIGHBOUR
            self.hear(IcmpError(own, own, *says, encode(segment)))

    def hear(self, error: IcmpError) -> None:
        """An ICMP error arrives at its TCP."""
        host = self.host
        if isinstance(host, Host) and not self.off:
            host.receive_icmp(error, self._loop.now)
            self._settle()

    # Steps of the host.

    def _called(self, flow: FlowKey | None) -> None:
        self._settle(flow=flow)

    def _arrived(self, number: int, segment: Segment) -> None:
        self.host.receive(segment, self._loop.now)
        self._settle(number)

    def _timer(self, due: int) -> None:
        if due != self._wakes_at:
            return  # an earlier one has taken its place since
        self._wakes_at = None
        self.host.advance(self._loop.now)
        self._settle()
        self._check_progress()

    def _check_progress(self) -> None:
        """A host whose timer is due again at once would never let time go on."""
        if self._wakes_at is not None and self._wakes_at <= self._loop.now:
            raise RuntimeError(f"{self.name}: a timer of {self._wakes_at} ns is still due after it was fired")

    def _settle(self, arrived: int | None = None, flow: FlowKey | None = None) -> None:
        """Take from the host what a step has left there.

        `arrived` is the packet that the step received, `flow` the connection on which a call was made.
        """
        host, record, now = self.host, self._record, self._loop.now
        unsent = host.transmit()
        name, place, wants = self.name, 0, record.wants
        told: list[Entry] = []
        tell, new = told.append, tuple.__new__  # faster than the call of a NamedTuple
        for event in host.events():
            if type(event) is Sent:
                number = record.number()
                if wants is None or Sent in wants:
                    tell(new(HostEvent, (now, name, event, number)))
                record.extend(told)
                told.clear()
                self._send(number, _same(event, unsent, place))
                place += 1
            elif wants is None or type(event) in wants:
                tell(new(HostEvent, (now, name, event, arrived)))
        if told:
            record.extend(told)
        if place < len(unsent):
            for segment in unsent[place:]:  # of a host that does not say why
                self._send(record.number(), segment)
        for socket in host.woken():
            self.calls.wake(socket)
        self._arm()
        if self._lookers:
            self._let_look(flow)

    def _let_look(self, flow: FlowKey | None) -> None:
        for look in self._lookers:
            look(self, flow)

    def _arm(self) -> None:
        """See that the loop comes back for the next timer. One that comes too early finds nothing to do."""
        due = self.host.next_timer()
        if due is not None and (self._wakes_at is None or due < self._wakes_at):
            self._wakes_at = due
            self._loop.at(due, self._timer, due)


def _same(event: Sent, unsent: Sequence[Segment], place: int) -> Segment:
    """The segment that is sent, which has to be the one that the host says it sent."""
    segment = unsent[place] if place < len(unsent) else None
    if event.segment is not segment and event.segment != segment:
        raise RuntimeError(f"the host says it sent {event.segment}, and gave {segment}")
    return event.segment
