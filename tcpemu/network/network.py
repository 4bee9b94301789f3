"""A network in virtual time: hosts, the links between them, applications on them, and the record of a run."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from tcpemu.generations import DEFAULT
from tcpemu.generations import generation as generation_named
from tcpemu.network import seeds
from tcpemu.network.addresses import Addresses, packed, range_of
from tcpemu.network.clock import nanoseconds, seconds_text
from tcpemu.network.conditions import LOOPBACK, MEASURES, Conditions, Rule
from tcpemu.network.endpoint import Endpoint, KnownHost
from tcpemu.network.fault_layer import FaultLayer
from tcpemu.network.faults import Fault
from tcpemu.network.links import DropByRule, Flight, Hop, build_hop, not_forwarded, too_large
from tcpemu.network.loop import Loop
from tcpemu.network.node import Attached, Look, Node, OnReceive, RawNode, Surroundings
from tcpemu.network.record import (
    FORGED_RST,
    HOST_IS_OFF,
    MIDDLEBOX,
    NO_HOST,
    SILENT_ROUTER,
    HostEvent,
    PacketSeen,
    Point,
    Record,
)
from tcpemu.network.recorded.past_host import PastHost, past
from tcpemu.network.recorded.transfers import Transfers
from tcpemu.network.task import Applications, Task, check_function, sleep
from tcpemu.stack import Generation, Host
from tcpemu.stack.base.errors import ConfigurationError
from tcpemu.stack.base.events import Sent
from tcpemu.stack.base.ip_families import is_loopback
from tcpemu.wire.icmp import IcmpError
from tcpemu.wire.segment import FlowKey

if TYPE_CHECKING:
    from tcpemu.stack.sockets.armed_timers import PendingTimer
    from tcpemu.stack.sockets.ss_table import SocketRow
    from tcpemu.wire.segment import Segment

N = TypeVar("N", bound=Attached)
A = TypeVar("A", bound=Attached)


@dataclass(frozen=True, slots=True)
class PastNetwork:
    """What a copy keeps of a network beside its record and its hosts."""

    seed: int
    now: int
    """Nanoseconds since its start."""
    idle_rules: tuple[str, ...]
    failed: Sequence[Task]
    unmet_faults: Sequence[Fault]
    transfers: Transfers | None


class Network:
    """Nodes and links. The same seed and the same calls give the same record, entry for entry."""

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        self.record = Record(keeps=self)
        self.nodes: dict[str, Attached] = {}
        self._loop = Loop()
        self._running = False
        self._applications = Applications(self._loop, self.record)
        self._lookers: list[Look] = []
        self.surroundings = Surroundings(
            self._loop, self.record, self._applications, self._carry, self._lookers
        )
        """What its nodes need of it; and what applications need that are no coroutines of its own."""
        self.unsaid = Conditions()
        """The conditions between nodes that no link joins."""
        self.transfers: Transfers | None = None
        """The inner life of its connections; None where nobody has asked for it by `watch_transfers`."""
        self._switched: list[Callable[[Node], None]] = []
        self._addresses = Addresses()
        self._links: dict[tuple[str, str], Hop] = {}
        self._bottlenecks: dict[str, tuple[tuple[object, ...], deque[int]]] = {}
        """By name: its `MEASURES`, and when each packet that waits will have left."""
        self._links_made: dict[tuple[str, str], int] = {}
        self._past: PastNetwork | None = None
        """What is left of the network that this one is a copy of."""
        self._conditions: dict[tuple[str, str], Conditions] = {}
        """Those of each link, by its ends."""
        self._faults = FaultLayer(
            self._addresses.owner,
            self._copy,
            self._lose,
            self._loop.at,
            self._forge,
            self._switch,
            self._reject,
        )

    @property
    def now(self) -> int:
        """Nanoseconds since the start."""
        return self._loop.now

    # What it is made of.

    def host(
        self,
        name: str,
        *addresses: str,
        generation: str | Generation = DEFAULT,
        sysctls: Mapping[str, object] | None = None,
        hz: int | None = None,
        mtu: int = 1500,
        observe: bool = True,
        routes: Sequence[str] | None = None,
    ) -> Node:
        """A host with a TCP of that generation, and addresses in text; see `tcpemu.Host` for the rest.

        Without `observe` its packets are recorded, no reasons. `routes` are the networks that it is in, as
        '10.0.0.0/24', and no others can be reached: ENETUNREACH; for an address there that no host has it is
        EHOSTUNREACH after 3 s. Without them there is a way to everywhere, and nobody hears what goes to an address
        that no host has. Raises ConfigurationError.
        """
        kernel = generation_named(generation) if isinstance(generation, str) else generation
        own = [packed(text) for text in addresses]
        networks = [range_of(text) for text in routes or ()]
        reached = (
            None if routes is None else [(each.network_address.packed, each.prefixlen) for each in networks]
        )

        def boot(number: int) -> Host:
            names = ("host", name, number) if number else ("host", name)
            return Host(
                own,
                kernel,
                sysctls=sysctls or {},
                seed=seeds.derive(self.seed, *names),
                mtu=mtu,
                hz=hz,
                observe=observe,
                routes=reached,
            )

        return self._add(Node(name, addresses, self.surroundings, boot(0), boot, networks))

    def attach(self, name: str, host: Endpoint, *addresses: str) -> Node:
        """A host that was made elsewhere."""
        return self._add(Node(name, addresses, self.surroundings, host))

    def raw(
        self,
        name: str,
        *addresses: str,
        on_receive: OnReceive | None = None,
        claims: Sequence[str] = (),
    ) -> RawNode:
        """An endpoint without a TCP; its addresses may be ranges, as `198.51.100.0/24`.

        `claims` are ranges that it sends from and that no host has: what is sent there takes the node's link,
        and is lost at its end.
        """
        return self._add(RawNode(name, addresses, self.surroundings, on_receive, tuple(claims)), claims)

    def _add(self, node: A, claims: Sequence[str] = ()) -> A:
        if not node.name or node.name in self.nodes:
            raise ConfigurationError(f"name {node.name!r}: give each node a name of its own")
        if not node.addresses:
            raise ConfigurationError(f"node {node.name!r} has no address; give it one, as '192.0.2.1'")
        self._addresses.add(node.name, (*node.addresses, *claims))
        self.nodes[node.name] = node
        return node

    def link(
        self, a: Attached, b: Attached, there: Conditions | None = None, back: Conditions | None = None
    ) -> None:
        """Join two nodes, with conditions from a to b and back; the same both ways where one is given.

        Nodes that no link joins reach each other under `unsaid`: 0.5 ms, and nothing is lost. A second
        link between two nodes takes the place of the first; packets on their way still arrive.
        """
        there = there or Conditions()
        self._join(a, b, there)
        if a is not b:
            self._join(b, a, back or there)

    def _join(self, sender: Attached, receiver: Attached, conditions: Conditions) -> Hop:
        ends = sender.name, receiver.name
        self._conditions[ends] = conditions
        made = self._links_made[ends] = self._links_made.get(ends, 0) + 1
        hop = self._links[ends] = build_hop(
            conditions,
            stream=partial(seeds.stream, self.seed, "link", *ends, made),
            lose=partial(self._lose, sender.name),
            copy=self._copy,
            arrive=lambda flight, at: self._loop.at(at, self._arrive, sender.name, receiver, flight),
            refuse=lambda flight, at: self._too_large(sender.name, conditions, flight, at),
            leaving=self._bottleneck(conditions),
        )
        return hop

    def _bottleneck(self, conditions: Conditions) -> deque[int] | None:
        """The queue of the bottleneck that a link is part of. Raises ConfigurationError where others have another."""
        name = conditions.shared
        if not name:
            return None
        measures = tuple(getattr(conditions, measure) for measure in MEASURES)
        known, leaving = self._bottlenecks.setdefault(name, (measures, deque()))
        if known != measures:
            words = ", ".join(f"{name}={value}" for name, value in zip(MEASURES, known, strict=True))
            raise ConfigurationError(
                f"shared={name!r}: another link has that bottleneck with {words}; give this one the same"
            )
        return leaving

    def _arrive(self, sender: str, receiver: Attached, flight: Flight) -> None:
        if receiver.only_claims(flight.segment.dst):
            self._lose(sender, flight, self.now, NO_HOST)
        elif receiver.off:
            self._lose(sender, flight, self.now, HOST_IS_OFF)
        else:
            receiver.deliver(flight)

    def _too_large(self, sender: str, conditions: Conditions, flight: Flight, at: int) -> None:
        """A router has no room for the packet. It stands in the middle, so its answer takes the link's delay."""
        mtu = conditions.mtu
        assert mtu is not None
        says = "" if conditions.icmp else SILENT_ROUTER
        self._lose(sender, flight, at, f"larger than the path's MTU of {mtu} octets{says}")
        if conditions.icmp:
            self._answer(too_large(flight.segment, mtu), at + conditions.delay)

    def _reject(self, sender: str, flight: Flight, at: int, says: str) -> None:
        """A router, in the middle of the link, says of a packet that a fault has lost what became of it."""
        receiver = self._addresses.owner(flight.segment.dst)
        conditions = self._conditions.get((sender, receiver or ""), self.unsaid)
        self._answer(not_forwarded(flight.segment, says), at + conditions.delay)

    def _answer(self, error: IcmpError, at: int) -> None:
        owner = self._addresses.owner(error.dst)
        if owner is not None:
            self._loop.at(at, self.nodes[owner].hear, error)

    def _copy(self, flight: Flight) -> Flight:
        return Flight(self.record.number(), flight.segment, flight.number)

    def fault(self, *faults: Fault) -> None:
        """Let faults meet their packets from now on, or come at their time: `network.fault(lose("syn", of=client))`.

        Raises ConfigurationError for one that names a host that is not there, or a time that is past.
        """
        for fault in faults:
            for name in (fault.of, fault.by):
                if name is not None and name not in self.nodes:
                    known = ", ".join(self.nodes) or "none yet"
                    raise ConfigurationError(f"fault {fault}: there is no host {name!r}; there are: {known}")
            self._check_time(fault)
            self._faults.add(fault)

    def _check_time(self, fault: Fault) -> None:
        if fault.at is not None and fault.at < self.now:
            raise ConfigurationError(
                f"fault {fault}: it is {seconds_text(self.now)} already; give a later time"
            )
        node = self.nodes[fault.of] if fault.what == "crash" and fault.of else None
        if node is not None and not (isinstance(node, Node) and node.can_crash):
            raise ConfigurationError(
                f"fault {fault}: {node.name} has no TCP of this network that could be lost"
            )

    @property
    def unmet_faults(self) -> list[Fault]:
        """The faults that have met nothing so far, which is worth knowing at the end of a test."""
        return list(self._past.unmet_faults) if self._past else self._faults.unmet

    def when_switched(self, call: Callable[[Node], None]) -> None:
        """Have it called whenever a host has crashed, or has started again: `node.off` says which."""
        self._switched.append(call)

    def _switch(self, name: str, on: bool) -> None:
        node = self.nodes[name]
        assert isinstance(node, Node)
        if on != node.off:
            return  # it has crashed already, or is there again
        if on:
            node.start_again()
        else:
            node.crash()
        for call in self._switched:
            call(node)

    def _forge(self, host: str, segment: Segment) -> None:
        """A segment goes the way of those that this host sends, though another sends it."""
        owner = self._addresses.owner(segment.dst)
        if owner is None:
            return
        number = self.record.number()
        self.record.add(HostEvent(self.now, MIDDLEBOX, Sent(self.now, segment, FORGED_RST), number))
        self.record.add(PacketSeen(self.now, MIDDLEBOX, Point.SENT, number, segment))
        sender, receiver = self.nodes[host], self.nodes[owner]
        hop = self._links.get((host, owner)) or self._unsaid(sender, receiver)
        hop(Flight(number, segment), self.now)

    # What happens in it.

    def spawn(
        self,
        node: N,
        function: Callable[[N], Coroutine[Any, Any, object]],
        name: str = "",
        at: int | None = None,
        *,
        errors_are_noted: bool = False,
    ) -> Task:
        """Run `await function(node)` as an application, from now or from `at` on, in nanoseconds.

        A SocketError that it does not catch ends it; what it left open stays open. The error is in the record, in
        the task's `error` and in `failed`, and the logger "tcpemu" warns of it, unless `errors_are_noted` by the
        application itself. Anything else it raises comes out of run(). Raises ConfigurationError for what is no
        function of a node.
        """
        check_function(function)
        self._check_goes_on()
        begins = self.now if at is None else nanoseconds("at", at)
        name = name or getattr(function, "__name__", "application")
        task = self._applications.start(node.name, name, partial(function, node), begins)
        task.errors_are_noted = errors_are_noted
        return task

    def spawn_each(
        self,
        node: N,
        times: Iterator[int],
        make: Callable[[], tuple[str, Callable[[N], Coroutine[Any, Any, object]]]],
    ) -> None:
        """Run an application from each of these times on, in nanoseconds, none of them earlier than the one before.

        Each is as one of `spawn`, with errors that are noted; but it takes no room before its time, when `make`
        gives its name and its function: so a million of them can be asked for at once.
        """
        self._check_goes_on()

        def made() -> tuple[str, Callable[[], Coroutine[Any, Any, object]]]:
            name, function = make()
            return name, partial(function, node)

        self._applications.start_each(node.name, times, made)

    @property
    def failed(self) -> list[Task]:
        """The applications that a SocketError has ended, in that order."""
        return list(self._past.failed if self._past else self._applications.failed)

    def idle_rules(self) -> list[str]:
        """In words, the drop rules that have dropped nothing so far, in either direction of a link that has them."""
        if self._past:
            return list(self._past.idle_rules)
        hops = {ends: hop for ends, hop in self._links.items() if isinstance(hop, DropByRule)}
        busy = {id(rule) for hop in hops.values() for rule in hop.busy()}
        return [
            f"{sender} to {receiver}: {rule.words}: {_matched(count)}"
            for (sender, receiver), hop in hops.items()
            for rule, count in hop.idle()
            if id(rule) not in busy and type(rule) is Rule
        ]

    def at(self, when: int, action: Callable[..., object], *arguments: object) -> None:
        """Call it at that time in nanoseconds: `network.at(SECOND, raw.send, segment)`."""
        self._check_goes_on()
        self._loop.at(nanoseconds("when", when), action, *arguments)

    async def sleep(self, time: int) -> None:
        """Let so many nanoseconds pass for the application that awaits it. Raises ConfigurationError."""
        await sleep(self._loop, time)

    def run(self, until: int) -> None:
        """Run up to that time in nanoseconds, what is due then included. It can be called again to go on.

        Raises ConfigurationError for a time that is past, RuntimeError within another run(), and whatever an
        application raises that is no SocketError.
        """
        self._check_goes_on()
        end = nanoseconds("until", until)
        if end < self.now:
            raise ConfigurationError(
                f"until={until}: it is {seconds_text(self.now)} already; give a later time"
            )
        if self._running:
            raise RuntimeError("run() within run(): an application waits with `await node.sleep(...)`")
        self._running = True
        try:
            self._loop.run(end)
        finally:
            self._running = False

    def _check_goes_on(self) -> None:
        if self._past:
            raise RuntimeError(
                "this network is a copy, or was pickled: it can be looked at, and does not go on"
            )

    def next_due(self) -> int | None:
        """When something is due to happen next; None where nothing can happen any more."""
        return self._loop.next_due()

    def step(self) -> None:
        """Let the one thing happen that is due next. It may be called by what happens, unlike run().

        RuntimeError where nothing is due.
        """
        if self._loop.next_due() is None:
            raise RuntimeError("step() where nothing is due; next_due() says so")
        self._loop.step()

    def _carry(self, sender: Attached, flight: Flight) -> None:
        dst = flight.segment.dst
        owner = sender.name if is_loopback(dst) else self._addresses.owner(dst)
        if owner is None:
            self._lose(sender.name, flight, self.now, NO_HOST)
            if isinstance(sender, Node):
                sender.nobody_has(flight.segment)
            return
        hop = self._links.get((sender.name, owner)) or self._unsaid(sender, self.nodes[owner])
        self._faults.send(sender.name, flight, self.now, hop)

    def _unsaid(self, sender: Attached, receiver: Attached) -> Hop:
        """The way between nodes that no link joins."""
        return self._join(sender, receiver, LOOPBACK if sender is receiver else self.unsaid)

    def _lose(self, node: str, flight: Flight, at: int, why: str) -> None:
        number, segment, copy_of = flight
        self.record.add(PacketSeen(at, node, Point.LOST, number, segment, why, copy_of))

    def after_each_step(self, look: Look) -> None:
        """From now on look at a host after each of its steps; see `Look`."""
        self._lookers.append(look)

    def watch_transfers(self) -> Transfers:
        """From now on keep the congestion window, round-trip times and the rest of every connection as they change.

        Off by default, and free then. Gives what fills while time passes, which is `transfers` too.
        """
        if self.transfers is None:
            self.transfers = transfers = Transfers(len(self.record))
            self.after_each_step(partial(transfers.look, self.record))
        return self.transfers

    @property
    def known_hosts(self) -> dict[str, KnownHost]:
        """The hosts whose settings are known, by their names: all but raw ones and those made elsewhere."""
        known: dict[str, KnownHost] = {}
        for node in self.nodes.values():
            if isinstance(node, Node) and isinstance(node.host, (Host, PastHost)):
                known[node.name] = node.host
        return known

    # Kept for later.

    def __reduce__(self) -> tuple[object, ...]:
        """Copied or pickled, it is over: its record, and its hosts as they stand, but no link and nothing to come.

        Its applications are coroutines, and those cannot be copied.
        """
        nodes = [
            (node.name, node.addresses, past(node.host) if isinstance(node, Node) else None)
            for node in self.nodes.values()
        ]
        rest = PastNetwork(
            self.seed, self.now, tuple(self.idle_rules()), self.failed, self.unmet_faults, self.transfers
        )
        return _past_network, (rest, self.record, nodes)

    # How it stands.

    def table(self, node: Node, flows: Iterable[FlowKey] | None = None) -> list[SocketRow]:
        """The sockets of a host, as `ss -tan` shows them; with `flows` listeners and only those."""
        return list(node.host.sockets(flows))

    def pending(self, node: Node) -> list[PendingTimer]:
        """The timers of a host that are armed, in the order in which they will fire."""
        return list(node.host.pending())

    def counters(self, node: Node) -> dict[str, int]:
        """The counters of a host that moved, by their MIB names."""
        return dict(node.host.counters)


def _matched(count: int) -> str:
    if not count:
        return "no packet matched, so nothing was dropped"
    return f"{count} {'packet' if count == 1 else 'packets'} matched, and none was dropped"


def _past_network(
    rest: PastNetwork, record: Record, nodes: Iterable[tuple[str, tuple[str, ...], Endpoint | None]]
) -> Network:
    """A network that was copied or pickled."""
    network = Network(rest.seed)
    network.record = record
    for name, addresses, host in nodes:
        if host is None:
            network.raw(name, *addresses)
        else:
            network.attach(name, host, *addresses)
    network._loop.reach(rest.now)
    network._past, network.transfers = rest, rest.transfers
    return network
