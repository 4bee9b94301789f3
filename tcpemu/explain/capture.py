"""A record as a capture file that says why.

**Which packets are in it.** A run sees each packet twice, where it is sent and where it arrives. Wireshark
takes the second sight of a packet for a retransmission, so a file with both would be full of false alarms.
By default each packet is in the file once, as the server sees it: what arrives at its interface, what leaves
it, each at the server's own time. Packets that are lost on their way to the server are there as well, on an
interface called `lost`, at the moment of their loss. `SeenBy.CLIENT` is the same from the other end (arrivals
at the client, and on `lost` what the server sent in vain). `SeenBy.ALL` holds every sight of every packet,
one interface for each host; look at one host at a time there: `frame.interface_name == "server"`.

**Times** are virtual: the run begins at 0, which tools show as 1970-01-01 00:00:00 UTC. The seconds of the
file are those of the ladder.

**Comments** are on packets that changed a state or a queue, or that were dropped, lost, answered unusually or
sent again. A .pcap file has no place for comments and interfaces; its packets are the same.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tcpemu import __version__
from tcpemu.explain.cast import Cast
from tcpemu.explain.notes import moved, notes_of
from tcpemu.explain.rows import PacketRow, Row, rows_of
from tcpemu.explain.seen_by import SeenBy
from tcpemu.network.record import PacketSeen, Point, Record
from tcpemu.stack.events import StateChanged
from tcpemu.stack.states import State
from tcpemu.wire.capture import Capture, CaptureError, Direction, Interface, Packet
from tcpemu.wire.codec import encode

LOST = "lost"


def capture_of(
    record: Record,
    seen_by: SeenBy = SeenBy.SERVER,
    facts: Sequence[str] = (),
    *,
    comments: bool = True,
) -> Capture:
    """The capture of a run. `facts` (scenario, seed, kernel) become comments of the file."""
    rows = rows_of(record)
    told = {row.number: row for row in rows if isinstance(row, PacketRow)}
    seen = list(_chosen(record, _viewers(rows, seen_by), told))
    seen.sort(key=lambda sight: sight.at)  # a link may lose a packet later than the record comes to know it
    interfaces = _interfaces(seen)
    numbers = {interface.name: number for number, interface in enumerate(interfaces)}
    packets = [_packet(sight, numbers, told[sight.number] if comments else None, seen_by) for sight in seen]
    return Capture(
        interfaces=interfaces,
        packets=tuple(packets),
        application=f"tcpemu {__version__}",
        comments=tuple(facts) if comments else (),
    )


def comment_on(row: PacketRow, *, departure: bool = True, arrival: bool = True) -> str:
    """What there is to say about a packet, where it left and where it arrived; empty if nothing."""
    told = Told(row, departure, arrival)
    return " ".join(f"{sentence}." for sentence in told.sentences())


def _viewers(rows: Sequence[Row], seen_by: SeenBy) -> set[str] | None:
    """The hosts whose sight counts; None for all."""
    cast = Cast(rows)
    return {SeenBy.SERVER: set(cast.right), SeenBy.CLIENT: set(cast.left), SeenBy.ALL: None}[seen_by]


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


def _rank(sight: PacketSeen, viewers: set[str]) -> int:
    """A host's own sight is best, then where the packet was lost, then any other."""
    if sight.point is Point.LOST:
        return 1
    return 0 if sight.node in viewers else _FOREIGN


_FOREIGN = 2


def _interfaces(seen: Sequence[PacketSeen]) -> tuple[Interface, ...]:
    hosts = dict.fromkeys(sight.node for sight in seen if sight.point is not Point.LOST)
    lost = Interface(LOST, description="packets that the network lost, where and when it lost them")
    return (*(Interface(name, description=f"host {name}") for name in hosts), lost)


def _packet(sight: PacketSeen, interfaces: dict[str, int], row: PacketRow | None, seen_by: SeenBy) -> Packet:
    once = seen_by is not SeenBy.ALL
    comment = ""
    if row is not None:
        here = sight.point is Point.RECEIVED
        comment = comment_on(row, departure=once or not here, arrival=once or here)
    return Packet(
        at=sight.at,
        data=_octets(sight),
        interface=interfaces[LOST if sight.point is Point.LOST else sight.node],
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


@dataclass(frozen=True, slots=True)
class Told:
    """The sentences about one packet, without full stops."""

    row: PacketRow
    departure: bool
    arrival: bool

    def sentences(self) -> Iterator[str]:
        row = self.row
        if self.departure:
            yield from self._notes(of_departure=True)
            yield from _change_sentence(row.sender, row.sender_change)
        if self.arrival:
            yield from self._notes(of_departure=False)
            yield from _change_sentence(row.receiver, row.receiver_change)
            yield from self._queues()

    def _notes(self, *, of_departure: bool) -> Iterator[str]:
        for note in notes_of(self.row):
            if note.of_departure == of_departure:
                yield note.text + (f" [{note.source}]" if note.source else "")

    def _queues(self) -> Iterator[str]:
        row = self.row
        unusual = any(not note.of_departure for note in notes_of(row))
        if row.queues and row.queues.node == row.receiver and (row.queues_changed or unusual):
            accept, syn = (
                f"{row.queues.accept}/{row.queues.backlog}",
                f"{row.queues.syn}/{row.queues.backlog}",
            )
            yield f"queues of port {row.queues.port}: accept {accept}, SYN {syn}"
        if unusual and moved(row):
            yield f"counters of {row.receiver}: {moved(row)}"


def _change_sentence(node: str | None, change: StateChanged | None) -> Iterator[str]:
    if change is not None:
        new = "closed" if change.new is State.CLOSE else change.new.ss_name
        old = "closed" if change.old is State.CLOSE else change.old.ss_name
        yield f"{node}: {old} → {new}"
