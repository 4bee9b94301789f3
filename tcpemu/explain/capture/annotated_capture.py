"""A record as a capture file that says why.

**Which packets are in it.** A run sees each packet twice, where it is sent and where it arrives. Wireshark
takes the second sight of a packet for a retransmission, so a file with both would be full of false alarms.
By default each packet is in the file once, as the server sees it: what arrives at its interface, what leaves
it, each at the server's own time. `SeenBy.CLIENT` is the same from the other end. `SeenBy.ALL` holds every sight
of every packet, one interface for each host; look at one host at a time there: `frame.interface_name == "server"`.

**What was lost** on its way to the viewer is not in the file, for no capture has it, and Wireshark takes what was
sent before for out of order; a comment of the file counts it. With `with_lost` it is there, on an interface called
`lost`, at the moment of its loss.

**Times** are virtual: the run begins at 0, which tools show as 1970-01-01 00:00:00 UTC. The seconds of the
file are those of the ladder, and its comments say so.

**Comments** are on every packet: why it was sent and what became of it, behind each the state of that end of
its connection (`(ESTAB)`, or `(SYN-RECV → ESTAB)` where it changed); a listener's queues where the packet had to
do with them; the counters that it moved, but for those that always move. Where a rule had to decide, the
kernel's function stands in brackets. A .pcap file has no place for comments, interfaces and names; its packets
are the same.

**Names** for addresses are those of the hosts. Without comments there are no names either: such a file is for
programs that stumble over what a capture may have beside packets, and holds none of it. Ports have no names
here, for the format has no place for them; the description of a host's interface says on which it listens.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from tcpemu.explain.capture.packet_comments import (
    comment_on,
)
from tcpemu.explain.capture.seen_by import SeenBy
from tcpemu.explain.facts.foresight import homes_of
from tcpemu.explain.facts.host_sides import HostSides
from tcpemu.explain.facts.rows import PacketRow, Row, rows_of
from tcpemu.explain.lines.count_words import count as how_many
from tcpemu.network.record import PacketSeen, Point, Record
from tcpemu.version import __version__
from tcpemu.wire.capture_file import Capture, CaptureError, Direction, Interface, Packet
from tcpemu.wire.codec_choice import encode
from tcpemu.wire.segment import Address, address_text

LOST_INTERFACE = "lost"
READING = (
    "In comments 'accept 2/1' says that 2 connections wait for accept(), with a backlog of 1, and 'SYN 3/1' that 3 "
    "half-open ones wait for the final ACK. Many kernels admit one more than the backlog.",
    "The seconds of the ladder and of the story are those of frame.time_epoch; Wireshark's column Time counts "
    "from the first packet instead, unless View > Time Display Format says 'Seconds Since 1970-01-01'.",
)
"""Comments of the file: how to read those of its packets."""
MOST_NAMES = 256
"""Addresses of one host that get names: as many as a /24 has. A flood may come from thousands; a list of them all
would be longer than the packets, and the other addresses of a flood speak for themselves."""


def capture_of(
    record: Record,
    seen_by: SeenBy = SeenBy.SERVER,
    facts: Sequence[str] = (),
    *,
    comments: bool = True,
    with_lost: bool = False,
) -> Capture:
    """The capture of a run. `facts` (scenario, seed, kernel) become comments of the file.

    `with_lost` adds the packets that the viewer never saw, as the network lost them.
    """
    rows = rows_of(record)
    by_number = {row.number: row for row in rows if isinstance(row, PacketRow)}
    found = list(_chosen(record, _viewers(rows, seen_by), by_number))
    seen = [sight for sight in found if with_lost or sight.point is not Point.LOST]
    facts = [*facts, *_left_out(len(found) - len(seen), seen_by)]
    seen.sort(key=lambda sight: sight.at)  # a link may lose a packet later than the record comes to know it
    interfaces = _interfaces(seen, rows)
    numbers = {interface.name: number for number, interface in enumerate(interfaces)}
    packets = [
        _packet(sight, numbers, by_number[sight.number] if comments else None, seen_by) for sight in seen
    ]
    return Capture(
        interfaces=interfaces,
        packets=tuple(packets),
        application=f"tcpemu {__version__}",
        comments=(*facts, *READING) if comments else (),
        names=tuple(_names(seen, by_number)) if comments else (),
    )


def _viewers(rows: Sequence[Row], seen_by: SeenBy) -> set[str] | None:
    """The hosts whose sight counts; None for all."""
    sides = HostSides(rows)
    return {SeenBy.SERVER: set(sides.right), SeenBy.CLIENT: set(sides.left), SeenBy.ALL: None}[seen_by]


def _chosen(record: Record, viewers: set[str] | None, rows: Mapping[int, PacketRow]) -> Iterator[PacketSeen]:
    """The sights of packets that go into the file."""
    sights = record.packets()
    if viewers is None:
        yield from sights
        return
    best: dict[int, PacketSeen] = {}
    for sight in sights:
        known = best.get(sight.number)
        if known is None or _rank(sight, viewers) < _rank(known, viewers):
            best[sight.number] = sight
    for sight in best.values():
        row = rows[sight.number]
        if _rank(sight, viewers) != _FOREIGN or viewers.isdisjoint({row.sender, row.receiver}):
            yield sight  # else it is still on its way to a viewer, or a copy that a viewer did not see


def _left_out(count: int, seen_by: SeenBy) -> Iterator[str]:
    """That packets are missing which the network lost."""
    if count:
        viewer = "" if seen_by is SeenBy.ALL else f" to the {seen_by}"
        lost = how_many(count, "packet")
        yield f"Lost on the way{viewer}, and not in this file: {lost} (--with-lost adds them)."


def _rank(sight: PacketSeen, viewers: set[str]) -> int:
    """A host's own sight is best, then where the packet was lost, then any other."""
    if sight.point is Point.LOST:
        return 1
    return 0 if sight.node in viewers else _FOREIGN


_FOREIGN = 2


def _interfaces(seen: Sequence[PacketSeen], rows: Iterable[Row]) -> tuple[Interface, ...]:
    hosts = dict.fromkeys(sight.node for sight in seen if sight.point is not Point.LOST)
    listening = {(row.queues.node, row.queues.port) for row in rows if row.queues}
    lost = Interface(LOST_INTERFACE, description="packets that the network lost, where and when it lost them")
    return (*(Interface(name, description=_described(name, listening)) for name in hosts), lost)


def _described(name: str, listening: Iterable[tuple[str, int]]) -> str:
    ports = ", ".join(str(port) for node, port in sorted(listening) if node == name)
    return f"host {name}" + (f", listens on port {ports}" if ports else "")


def _names(seen: Iterable[PacketSeen], rows: Mapping[int, PacketRow]) -> Iterator[tuple[Address, str]]:
    """The addresses in the file with their hosts' names; a host that has several adds the address to its name."""
    by_number = [rows[sight.number] for sight in seen]
    homes: dict[str, list[Address]] = defaultdict(list)
    for address, home in homes_of(
        ((row.segment.src, row.sender) for row in by_number),
        ((row.segment.dst, row.receiver) for row in by_number if row.receiver),
    ).items():
        homes[home].append(address)
    for home, addresses in homes.items():
        for address in addresses[:MOST_NAMES] if home else ():
            yield address, home if len(addresses) == 1 else f"{home}-{address_text(address)}"


def _packet(sight: PacketSeen, interfaces: dict[str, int], row: PacketRow | None, seen_by: SeenBy) -> Packet:
    once = seen_by is not SeenBy.ALL
    comment = ""
    if row is not None:
        here = sight.point is Point.RECEIVED
        comment = comment_on(row, departure=once or not here, arrival=once or here)
    return Packet(
        at=sight.at,
        data=_octets(sight),
        interface=interfaces[LOST_INTERFACE if sight.point is Point.LOST else sight.node],
        comments=(comment,) if comment else (),
        direction=_DIRECTIONS[sight.point],
    )


def _octets(sight: PacketSeen) -> bytes:
    try:
        return encode(sight.segment)
    except ValueError as error:
        raise CaptureError(f"packet {sight.number} cannot be written to a capture: {error}") from None


_DIRECTIONS = {
    Point.SENT: Direction.OUTBOUND,
    Point.RECEIVED: Direction.INBOUND,
    Point.LOST: Direction.UNKNOWN,
}


# Comments.
