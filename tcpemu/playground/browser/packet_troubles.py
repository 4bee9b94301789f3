"""What stands in a scenario's file so that one packet of its run, and no other, is lost, or comes late, or twice.

A packet has a part in its connection: the SYN, the third ACK, the second piece of data. A fault that names the part
goes on to mean what the reader meant when other settings move: so it is taken wherever the packet is the first one of
its part. Else (the third repeat of an ACK) it is named by the moment at which it is sent: a rule of the link.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from tcpemu.explain.facts.rows import PacketRow, rows_of
from tcpemu.network.packet_roles import PLAIN, Connections, TrackedConnection
from tcpemu.network.record import PacketSeen, Point
from tcpemu.scenario.format.consistency import SERVER
from tcpemu.scenario.format.setting_paths import Document
from tcpemu.scenario.running.result import Result
from tcpemu.wire.segment import Address, address_text


class TroubleError(ValueError):
    """It cannot be said of this packet. The text is why."""


def shown_packet(result: Result, place: int) -> PacketRow:
    """The packet at that place of the page's list. Raises TroubleError where there is none."""
    packets = [row for row in rows_of(result.record) if isinstance(row, PacketRow)]
    if not 0 <= place < len(packets):
        raise TroubleError(f"there is no packet {place}; the run has {len(packets)}")
    return packets[place]


def with_trouble(document: Document, result: Result, place: int, trouble: Mapping[str, object]) -> None:
    """Write into the tables that this happens to the packet: `{"what": "lose"}`. Raises TroubleError."""
    row = shown_packet(result, place)
    if row.copy_of is not None:
        raise TroubleError("this is a copy that the link made; take the packet itself")
    fault = _by_its_part(result, row)
    if fault is not None:
        document.setdefault("faults", []).append({**trouble, **fault})
        return
    if trouble["what"] != "lose":
        raise TroubleError("no part tells this packet from all others, so it can be lost, but nothing else")
    if row.lost:
        raise TroubleError("this packet is lost already")
    _links_rules(document, row).append(_by_its_time(result, row))


# By the part that it plays.


@dataclass(slots=True)
class _Parts:
    """The parts of every packet that hosts have sent, up to the one that is looked for."""

    owners: Mapping[Address, str]
    connections: Connections = field(default_factory=Connections)
    taken: set[tuple[TrackedConnection, str, tuple[str, int]]] = field(default_factory=set)
    """Connection, sender and part of the packets before."""

    def new_of(self, seen: PacketSeen) -> Iterator[tuple[TrackedConnection, tuple[str, int]]]:
        """The parts that no packet of this sender and connection has played before."""
        met = self.connections.meet(seen.segment)
        if met is None:
            return
        connection, parts = met
        for part in sorted(parts, key=_plain_last):
            key = connection, seen.node, part
            if key not in self.taken:
                yield connection, part
        self.taken.update((connection, seen.node, part) for part in parts)


def _plain_last(part: tuple[str, int]) -> tuple[bool, tuple[str, int]]:
    """A repeat is called one, whatever else it is."""
    return part[0] != "retransmission", part


def _by_its_part(result: Result, row: PacketRow) -> dict[str, object] | None:
    """The keys that name it; None where no part does."""
    parts = _Parts(_owners(result))
    for seen in _sent(result):
        found = list(parts.new_of(seen))
        if seen.number == row.number:
            for connection, (name, number) in found:
                opener = parts.owners.get(connection.initiator)
                if opener is not None:
                    role = name if name in PLAIN else f"{name} {number}"
                    return {"role": role, "of": opener, "connection": connection.number, "by": row.sender}
            return None
    return None


def _sent(result: Result) -> list[PacketSeen]:
    """What hosts have sent, in order; copies that links made are none of it."""
    return result.record.packets(point=Point.SENT)


def _owners(result: Result) -> dict[Address, str]:
    addresses = {text: name for name, node in result.network.nodes.items() for text in node.addresses}
    found: dict[Address, str] = {}
    for seen in _sent(result):
        name = addresses.get(address_text(seen.segment.src))
        if name is not None:
            found[seen.segment.src] = name
    return found


# By the moment at which it is sent.


def _by_its_time(result: Result, row: PacketRow) -> dict[str, object]:
    """A rule of a link that loses what this sender sends from that port to that one at that moment."""
    ports = row.segment.sport, row.segment.dport
    alike = [
        seen.number
        for seen in _sent(result)
        if (seen.at, seen.node) == (row.at, row.sender) and (seen.segment.sport, seen.segment.dport) == ports
    ]
    rule: dict[str, object] = {
        "to": "client" if row.sender == SERVER else "server",
        "sport": ports[0],
        "dport": ports[1],
        "from": f"{row.at} ns",
        "until": f"{row.at + 1} ns",
    }
    return rule if len(alike) == 1 else {**rule, "nth": alike.index(row.number) + 1}


def _links_rules(document: Document, row: PacketRow) -> list[Document]:
    """The list of rules that holds for this packet: its group's own, if it has one."""
    other = row.receiver if row.sender == SERVER else row.sender
    for group in document.get("clients", ()):
        if group.get("name") == other and "drop" in group.get("link", {}):
            return _as_list(group["link"])
    return _as_list(document.setdefault("link", {}))


def _as_list(link: Document) -> list[Document]:
    rules = link.setdefault("drop", [])
    assert isinstance(rules, list)
    return rules
