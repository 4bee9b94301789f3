"""From a scenario to a network that is ready to run, and what comes of it.

The server's host is called `server`, each group's host by the name of the group. Applications bear the names
of their hosts, with a number where there are several.
"""

import ipaddress
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import count
from random import Random
from typing import Any, Literal, TypeAlias

from tcpemu.network import Attached, Conditions, Network, Node, RawNode, Rule, seeds
from tcpemu.scenario.format.consistency import SERVER, given_addresses
from tcpemu.scenario.format.host_settings import HostTable
from tcpemu.scenario.format.links.link_tables import Drop, Link
from tcpemu.scenario.format.load_scenario import Run, runs
from tcpemu.scenario.format.scenario_file import ClientGroup, Scenario
from tcpemu.scenario.running.bare_syns import SynSource, make_syn, reset_answers
from tcpemu.scenario.running.client import Abandoned, Client
from tcpemu.scenario.running.link_conditions import link_conditions
from tcpemu.scenario.running.option_values import option_values
from tcpemu.scenario.running.result import ClientOutcome, Result
from tcpemu.scenario.running.server import start_programs
from tcpemu.scenario.running.start_times import starts_ahead

_FIRST, _FIRST_OF_IPV6 = ipaddress.IPv4Address("10.0.0.1"), ipaddress.IPv6Address("2001:db8::1")
"""The first address that is given to a host without one."""

Watch: TypeAlias = Callable[[Network, int], object]
"""Called with the network of a run, and when it will end, before its time begins to pass."""


def run_all(scenario: Scenario, until: int | None = None) -> list[Result]:
    """Run every variant of the scenario, or the scenario itself, until that time in nanoseconds or its end."""
    return [run(each, until) for each in runs(scenario)]


def run(one: Run, until: int | None = None, watch: Watch | None = None) -> Result:
    """Run one run until that time in nanoseconds, or until its scenario's end."""
    result = build(one)
    end = end_of(one, until)
    if watch is not None:
        watch(result.network, end)
    result.network.run(end)
    return result


def end_of(one: Run, until: int | None = None) -> int:
    """When the run will be over."""
    return one.scenario.duration if until is None else until


def build(one: Run, observed: Callable[[str], bool] = lambda _: True) -> Result:
    """The network of a run, ready to start: `result.network.run(...)` lets time pass.

    `observed` says of which hosts what happens in them is to be recorded, by their names; the rest saves the time.
    """
    scenario = one.scenario
    result = Result(one.name, scenario, Network(scenario.seed), left_out=one.left_out, given=one.given)
    addresses = host_addresses(scenario)
    server = _host(result.network, SERVER, addresses[SERVER], scenario.server, observed(SERVER))
    start = partial(start_programs, result.network, server, scenario.server, result.accepted)
    start()
    result.network.when_switched(lambda node: start() if node is server and not node.off else None)
    for group in scenario.clients:
        random = seeds.stream(scenario.seed, "group", group.name)
        target = addresses[SERVER], group.port or scenario.server.port
        make = _raw_group if group.raw else _group
        watched = observed(group.name)
        make(_Site(result, server, group, addresses[group.name], target, random, watched))
    result.network.fault(*(table.fault for table in scenario.faults))
    return result


def host_addresses(scenario: Scenario) -> dict[str, str]:
    """The address of each host by its name, those that the scenario leaves open included."""
    hosts: list[tuple[str, HostTable]] = [(SERVER, scenario.server)]
    hosts += [(group.name, group) for group in scenario.clients]
    given = {host.address for _, host in hosts}
    first = _FIRST_OF_IPV6 if _uses_ipv6(scenario) else _FIRST
    free = (text for text in _from(first) if text not in given)
    return {name: host.address or next(free) for name, host in hosts}


def _uses_ipv6(scenario: Scenario) -> bool:
    """Whether an address or range of the scenario is one of IPv6; then all are."""
    return any(":" in text for _, text in given_addresses(scenario))


def _from(first: ipaddress.IPv4Address | ipaddress.IPv6Address) -> Iterator[str]:
    while True:
        yield str(first)
        first += 1


def _host(network: Network, name: str, address: str, table: HostTable, observe: bool) -> Node:
    return network.host(
        name,
        address,
        generation=table.generation,
        sysctls=table.sysctls,
        hz=table.hz,
        mtu=table.mtu,
        observe=observe,
    )


@dataclass(frozen=True, slots=True)
class _Site:
    """Where a group's clients are put."""

    result: Result
    server: Node
    group: ClientGroup
    address: str
    target: tuple[str, int]
    random: Random
    observed: bool

    @property
    def network(self) -> Network:
        return self.result.network

    def starts(self) -> tuple[Iterator[int], Iterator[str]]:
        """The start of each client and the name of each, to be taken one by one."""
        times, several = starts_ahead(self.group, self.random)
        name = self.group.name
        return times, (f"{name}-{number}" for number in count(1)) if several else iter([name])

    def join(self, client: Attached, abandoned: Abandoned | None = None) -> None:
        """Link the group's host with the server."""
        link = self.result.scenario.link_of(self.group)
        self.network.link(
            client,
            self.server,
            _conditions(link, "server", abandoned),
            _conditions(link, "client", abandoned),
        )


def _group(site: _Site) -> None:
    """The host of a group, its link, and its clients."""
    group, network = site.group, site.network
    node = _host(network, group.name, site.address, group, site.observed)
    abandoned = Abandoned()
    site.join(node, abandoned if "abandon" in group.do else None)
    options = option_values(group.options)
    outcomes = [ClientOutcome(name, group.name, at) for at, name in zip(*site.starts(), strict=False)]
    site.result.clients.extend(outcomes)
    coming = enumerate(outcomes)

    def next_one() -> tuple[str, Callable[[Node], Coroutine[Any, Any, None]]]:
        number, outcome = next(coming)
        own_port = None if group.own_port is None else group.own_port + number
        client = Client(site.target, group.do, outcome, abandoned, options, own_port, group.patience)
        return outcome.name, client.run

    network.spawn_each(node, (outcome.started for outcome in outcomes), next_one)


def _raw_group(site: _Site) -> None:
    """The same for a group that throws bare SYNs; what is sent to its spoofed addresses reaches nobody."""
    group, network = site.group, site.network
    spoofed = [group.spoof] if group.spoof else []
    if group.replies == "rst":  # the addresses are its own
        raw = network.raw(group.name, site.address, *spoofed)
        raw.on_receive = partial(reset_answers, raw)
    else:
        raw = network.raw(group.name, site.address, claims=spoofed)
    site.join(raw)
    times, names = site.starts()
    numbers = count()

    def next_one() -> tuple[str, Callable[[RawNode], Coroutine[Any, Any, None]]]:
        syn = make_syn(group, site.address, site.target, next(numbers), site.random)
        return next(names), SynSource(syn, group.do).run

    network.spawn_each(raw, times, next_one)


def _conditions(shared: Link, to: Literal["server", "client"], abandoned: Abandoned | None) -> Conditions:
    link = shared.towards(to)
    drops: list[Rule] = [] if abandoned is None else [abandoned]
    drops += [_rule(drop) for drop in link.drop if drop.to == to]
    return link_conditions(link, f"to the {to}" if link.shared else "", tuple(drops))


def _rule(drop: Drop) -> Rule:
    return Rule(
        flags=drop.flags,
        without=drop.without,
        payload=drop.data,
        sport=drop.sport,
        dport=drop.dport,
        nth=drop.nth,
        every=drop.every,
        begin=drop.begin,
        until=drop.until,
    )
