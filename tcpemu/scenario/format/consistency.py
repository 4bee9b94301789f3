"""What must hold between the tables of a scenario."""

from collections.abc import Iterator
from typing import Literal

from tcpemu.network.conditions import MEASURES
from tcpemu.scenario.format.host_settings import HostTable
from tcpemu.scenario.format.links.link_tables import Link
from tcpemu.scenario.format.problems import Problem, did_you_mean
from tcpemu.scenario.format.scenario_file import Scenario
from tcpemu.scenario.format.written_values import duration_text
from tcpemu.wire.ipv6 import LEAST_IPV6_MTU

SERVER = "server"
"""The name of the server's host in records."""


def broken(scenario: Scenario) -> Iterator[Problem]:
    """Every rule between tables that the scenario breaks."""
    yield from _names(scenario)
    yield from _addresses(scenario)
    yield from _links(scenario)
    yield from _path_mtus(scenario)
    yield from _ranges(scenario)
    yield from _faults(scenario)


def _names(scenario: Scenario) -> Iterator[Problem]:
    seen = {SERVER: "the server has"}
    for number, group in enumerate(scenario.clients):
        place = f"clients[{number}].name"
        if group.name in seen:
            yield Problem(
                place, f'found "{group.name}", which {seen[group.name]} already', "give another name"
            )
        seen.setdefault(group.name, f"clients[{number}] has")
    yield from _variant_names(scenario)


def _variant_names(scenario: Scenario) -> Iterator[Problem]:
    seen: dict[str, int] = {}
    for number, variant in enumerate(scenario.variants):
        if variant.name in seen:
            what = f'found "{variant.name}", which variants[{seen[variant.name]}] has already'
            yield Problem(f"variants[{number}].name", what, "give another name")
        seen.setdefault(variant.name, number)


def _hosts(scenario: Scenario) -> Iterator[tuple[str, HostTable]]:
    yield SERVER, scenario.server
    for number, group in enumerate(scenario.clients):
        yield f"clients[{number}]", group


def given_addresses(scenario: Scenario) -> Iterator[tuple[str, str]]:
    """The addresses and ranges that the scenario gives, each with the place where."""
    for place, host in _hosts(scenario):
        if host.address is not None:
            yield f"{place}.address", host.address
    for number, group in enumerate(scenario.clients):
        if group.spoof is not None:
            yield f"clients[{number}].spoof", group.spoof


def _addresses(scenario: Scenario) -> Iterator[Problem]:
    seen: dict[str, str] = {}
    for place, host in _hosts(scenario):
        address = host.address
        if address is None:
            continue
        if address in seen:
            what = f'found "{address}", which {seen[address]} has already'
            yield Problem(f"{place}.address", what, "give another address, or none at all")
        seen.setdefault(address, place)
    yield from _families(scenario)


def _families(scenario: Scenario) -> Iterator[Problem]:
    """A host of IPv4 alone and one of IPv6 alone have nothing to say to each other."""
    given = list(given_addresses(scenario))
    for place, address in given[1:]:
        if (":" in address) != (":" in given[0][1]):
            what = f'found "{address}", where {given[0][0]} is "{given[0][1]}"'
            yield Problem(place, what, "give all hosts addresses of one IP, IPv4 or IPv6")
            return
    if given and ":" in given[0][1]:
        yield from _mtus(scenario)


def _mtus(scenario: Scenario) -> Iterator[Problem]:
    """Every link of IPv6 carries 1280 octets."""
    for place, table in _hosts(scenario):
        if table.mtu < LEAST_IPV6_MTU:
            yield Problem(f"{place}.mtu", f"found {table.mtu}", f"over IPv6 give {LEAST_IPV6_MTU} at least")


def _path_mtus(scenario: Scenario) -> Iterator[Problem]:
    """A path's MTU says something only where hosts send larger packets; one of IPv6 has 1280 octets at least."""
    given = [address for _, address in given_addresses(scenario)]
    six = bool(given) and ":" in given[0]
    most = max(table.mtu for _, table in _hosts(scenario))
    tables = [("link", scenario.link)]
    tables += [
        (f"clients[{number}].link", one.link) for number, one in enumerate(scenario.clients) if one.link
    ]
    for place, link in tables:
        for where, mtu in _mtus_of(place, link):
            if six and mtu < LEAST_IPV6_MTU:
                yield Problem(f"{where}.mtu", f"found {mtu}", f"over IPv6 give {LEAST_IPV6_MTU} at least")
            elif mtu >= most:
                what = f"found {mtu}, and no host sends packets of more than {most} octets"
                yield Problem(
                    f"{where}.mtu", what, "nothing would be too large; lower it, or raise a host's mtu"
                )


def _mtus_of(place: str, link: Link) -> Iterator[tuple[str, int]]:
    ways = ((place, link), (f"{place}.to_server", link.to_server), (f"{place}.to_client", link.to_client))
    for where, way in ways:
        if way is not None and way.mtu is not None:
            yield where, way.mtu


def _ranges(scenario: Scenario) -> Iterator[Problem]:
    seen: dict[str, int] = {}
    for number, group in enumerate(scenario.clients):
        if group.spoof is None:
            continue
        if group.spoof in seen:
            what = f'found "{group.spoof}", which clients[{seen[group.spoof]}] has already'
            yield Problem(f"clients[{number}].spoof", what, "give another range")
        seen.setdefault(group.spoof, number)


def _faults(scenario: Scenario) -> Iterator[Problem]:
    raw = {group.name: group.raw for group in scenario.clients}
    known = (SERVER, *raw)
    for number, fault in enumerate(scenario.faults):
        for key in ("of", "by"):
            name = getattr(fault, key)
            if name is not None and name not in known:
                mend = did_you_mean(name, known)
                yield Problem(f"faults[{number}].{key}", f'found "{name}", which is no host', mend)
        if fault.what == "crash" and raw.get(fault.of or "", False):
            what = f'found "{fault.of}", which throws bare SYNs'
            yield Problem(f"faults[{number}].of", what, "it has no TCP that could be lost; name another")


def _links(scenario: Scenario) -> Iterator[Problem]:
    yield from _each_link(scenario)
    told: set[str] = set()
    for to in _ENDS:
        for problem in _bottleneck(scenario, to):
            if problem.place not in told:
                yield problem
            told.add(problem.place)


def _bottleneck(scenario: Scenario, to: Literal["server", "client"]) -> Iterator[Problem]:
    """Who shares a queue and a rate has the same ones."""
    ways = [scenario.link_of(group).towards(to) for group in scenario.clients]
    sharing = [(number, way) for number, way in enumerate(ways) if way.shared]
    for number, way in sharing[1:]:
        first, other = sharing[0]
        for key in MEASURES:
            if getattr(way, key) != getattr(other, key):
                what = f"another one to the {to} than that of clients[{first}], and both links are shared"
                yield Problem(f"clients[{number}].link.{key}", what, "give the same, or shared = false")


def _each_link(scenario: Scenario) -> Iterator[Problem]:
    if not scenario.clients:
        yield from _link("link", scenario.link)
    told = False
    for number, group in enumerate(scenario.clients):
        shared = group.link is None
        if not (shared and told):
            yield from _link("link" if shared else f"clients[{number}].link", scenario.link_of(group))
        told = told or shared


def _queued_and_lost(where: str, way: Link) -> Iterator[Problem]:
    """What needs a queue, and when losses by chance begin and end."""
    for key in ("mark", "queue_octets", "red"):
        if getattr(way, key) is not None and way.rate is None:
            yield Problem(f"{where}.{key}", f"{key} without a rate", "give a rate for packets to queue for")
    if (way.loss_from or way.loss_until is not None) and not way.loss:
        key = "loss_from" if way.loss_from else "loss_until"
        yield Problem(f"{where}.{key}", f"{key} without loss", "give the share of packets that are lost")
    if way.loss_until is not None and way.loss_until <= way.loss_from:
        yield Problem(f"{where}.loss_until", "not after loss_from", "give a later time")


def _link(place: str, link: Link) -> Iterator[Problem]:
    ways = [(f"{place}.to_{to}", link.towards(to)) for to in _ENDS if getattr(link, f"to_{to}") is not None]
    for where, way in [(place, link), *ways] if len(ways) < len(_ENDS) else ways:
        if way.jitter > way.delay:
            what = f"found {duration_text(way.jitter)}, more than the delay of {duration_text(way.delay)}"
            yield Problem(f"{where}.jitter", what, "packets would arrive before they are sent; lower it")
        yield from _queued_and_lost(where, way)
        if way.mark is not None and way.mark >= way.queue:
            what = f"found {way.mark}, and the queue holds {way.queue}"
            yield Problem(f"{where}.mark", what, "none would be marked; lower it")
        if way.shared and way.rate is None:
            yield Problem(f"{where}.shared", "shared without a rate", "give a rate for packets to queue for")
        if way.burst > 1 and not way.loss:
            yield Problem(f"{where}.burst", "burst without loss", "give the share of packets that are lost")
        if way.burst > 1 and way.loss > way.burst / (way.burst + 1):
            what = f"found {way.burst:g} with a loss of {way.loss:g}: not a packet between two bursts"
            yield Problem(f"{where}.burst", what, "raise burst or lower loss")
        if not way.icmp and way.mtu is None:
            yield Problem(
                f"{where}.icmp", "icmp without an mtu", "give an mtu for a router to be silent about"
            )
        if way.reorder and not way.delay:
            yield Problem(
                f"{where}.reorder", "reorder without a delay", "give a delay for packets to go ahead of"
            )


_ENDS: tuple[Literal["server"], Literal["client"]] = ("server", "client")
