"""A record as a capture file that says why.

**Which packets are in it.** A run sees each packet twice, where it is sent and where it arrives. Wireshark
takes the second sight of a packet for a retransmission, so a file with both would be full of false alarms.
By default each packet is in the file once, as the server sees it: what arrives at its interface, what leaves
it, each at the server's own time. Packets that are lost on their way to the server are there as well, on an
interface called `lost`, at the moment of their loss. `SeenBy.CLIENT` is the same from the other end (arrivals
at the client, and on `lost` what the server sent in vain). `SeenBy.ALL` holds every sight of every packet,
one interface for each host; look at one host at a time there: `frame.interface_name == "server"`.

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

from tcpemu import __version__
from tcpemu.explain.cast import Cast
from tcpemu.explain.notes import ORDINARY, Note, all_notes_of, moved, moved_at_sender
from tcpemu.explain.rows import PacketRow, Row, homes_of, rows_of
from tcpemu.explain.seen_by import SeenBy
from tcpemu.explain.words import state_word
from tcpemu.network.record import PacketSeen, Point, Record
from tcpemu.stack.base.events import Reason, StateChanged
from tcpemu.stack.base.states import State
from tcpemu.wire.capture import Capture, CaptureError, Direction, Interface, Packet
from tcpemu.wire.codec import encode
from tcpemu.wire.segment import SYN, Address, address_text

LOST = "lost"
READING = (
    "In comments 'accept 2/1' says that 2 connections wait for accept(), with a backlog of 1, and 'SYN 3/1' that 3 "
    "half-open ones wait for the final ACK. More may wait than the backlog says: so many kernels count.",
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
) -> Capture:
    """The capture of a run. `facts` (scenario, seed, kernel) become comments of the file."""
    rows = rows_of(record)
    told = {row.number: row for row in rows if isinstance(row, PacketRow)}
    seen = list(_chosen(record, _viewers(rows, seen_by), told))
    seen.sort(key=lambda sight: sight.at)  # a link may lose a packet later than the record comes to know it
    interfaces = _interfaces(seen, rows)
    numbers = {interface.name: number for number, interface in enumerate(interfaces)}
    packets = [_packet(sight, numbers, told[sight.number] if comments else None, seen_by) for sight in seen]
    return Capture(
        interfaces=interfaces,
        packets=tuple(packets),
        application=f"tcpemu {__version__}",
        comments=(*facts, *READING) if comments else (),
        names=tuple(_names(seen, told)) if comments else (),
    )


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


def _interfaces(seen: Sequence[PacketSeen], rows: Iterable[Row]) -> tuple[Interface, ...]:
    hosts = dict.fromkeys(sight.node for sight in seen if sight.point is not Point.LOST)
    listening = {(row.queues.node, row.queues.port) for row in rows if row.queues}
    lost = Interface(LOST, description="packets that the network lost, where and when it lost them")
    return (*(Interface(name, description=_described(name, listening)) for name in hosts), lost)


def _described(name: str, listening: Iterable[tuple[str, int]]) -> str:
    ports = ", ".join(str(port) for node, port in sorted(listening) if node == name)
    return f"host {name}" + (f", listens on port {ports}" if ports else "")


def _names(seen: Iterable[PacketSeen], rows: Mapping[int, PacketRow]) -> Iterator[tuple[Address, str]]:
    """The addresses in the file with their hosts' names; a host that has several adds the address to its name."""
    told = [rows[sight.number] for sight in seen]
    homes: dict[str, list[Address]] = defaultdict(list)
    for address, home in homes_of(
        ((row.segment.src, row.sender) for row in told),
        ((row.segment.dst, row.receiver) for row in told if row.receiver),
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


# Comments.


def comment_on(row: PacketRow, *, departure: bool = True, arrival: bool = True) -> str:
    """What there is to say about a packet, where it left and where it arrived.

    Where something unusual became of it, that comes first: why it was sent is left out if it is plain. A
    sentence begins with the name of its host, or else with a capital letter.
    """
    notes = all_notes_of(row)
    if arrival and not row.sender_change and any(_unusual_arrival(note) for note in notes):
        notes = tuple(note for note in notes if not (note.of_departure and note.rule in ORDINARY))
    left = _departure(row, notes) if departure else ()
    came = _arrival(row, notes) if arrival else ()
    told = [*left, *came, *_queues(row, departure, arrival), *_counters(row, departure, arrival)]
    return " ".join(f"{_begun(sentence, row)}." for sentence in told or [_bare(row)])


def _begun(sentence: str, row: PacketRow) -> str:
    first = sentence.split(" ", maxsplit=1)[0].removesuffix(":")
    if first in {row.sender, row.receiver}:
        return sentence
    return sentence[:1].upper() + sentence[1:]


def _unusual_arrival(note: Note) -> bool:
    return not note.of_departure and not note.ordinary


def _departure(row: PacketRow, notes: Iterable[Note]) -> Iterator[str]:
    """The sentences about how it left, without full stops."""
    state = _state(row.sender_change, row.sender_state)
    yield from _told(notes, row.sent.reason if row.sent else None, state, of_departure=True)
    if row.sent is None and row.sender_change:
        yield f"{row.sender}:{state}"


def _arrival(row: PacketRow, notes: Iterable[Note]) -> Iterator[str]:
    """The sentences about what became of it."""
    state = _state(row.receiver_change, row.receiver_state) or (" (LISTEN)" if _for_listener(row) else "")
    yield from _told(notes, row.verdict.reason if row.verdict else None, state, of_departure=False)
    if row.verdict is None and row.receiver_change:
        yield f"{row.receiver}:{state}"


def _queues(row: PacketRow, departure: bool, arrival: bool) -> Iterator[str]:
    """A listener's queues, if the packet had to do with them."""
    queues = row.queues
    if queues is None:
        return
    left = departure and queues.node == row.sender and _of_half_open(row)
    if left or (arrival and _for_listener(row)):
        limit = queues.backlog
        yield f"Queues of port {queues.port}: accept {queues.accept}/{limit}, SYN {queues.syn}/{limit}"


def _counters(row: PacketRow, departure: bool, arrival: bool) -> Iterator[str]:
    if departure and (counted := moved_at_sender(row)):
        yield f"Counters of {row.sender}: {counted}"
    if arrival and (counted := moved(row)):
        yield f"Counters of {row.receiver}: {counted}"


def _told(notes: Iterable[Note], reason: Reason | None, state: str, *, of_departure: bool) -> Iterator[str]:
    """The notes of one end; that of the reason says the state there too."""
    for note in notes:
        if note.of_departure == of_departure:
            here = state if reason and note.rule == reason.name else ""
            yield note.text + here + (f" [{note.source}]" if note.source else "")


def _state(change: StateChanged | None, stays: State | None) -> str:
    """` (SYN-RECV → ESTAB)`, ` (ESTAB)`; empty where there was no connection and is none."""
    if change is not None:
        return f" ({state_word(change.old)} → {state_word(change.new)})"
    return "" if stays in (None, State.CLOSE) else f" ({state_word(stays)})"


def _of_half_open(row: PacketRow) -> bool:
    """Whether a timer sent it for a half-open connection: a SYN|ACK again, or the RST at the end."""
    again = bool(row.sent and row.sent.repeat and row.segment.flags & SYN)
    return again or bool(row.sender_change and row.sender_change.old is State.SYN_RECV)


def _for_listener(row: PacketRow) -> bool:
    """Whether it changed the queues where it arrived, or was for the listener or for what waits in them."""
    if row.queues is None or row.queues.node != row.receiver:
        return False
    if row.queues_changed or row.verdict is None:
        return row.queues_changed
    waits = row.receiver_state in (None, State.CLOSE, State.LISTEN, State.SYN_RECV)
    return waits and row.verdict.reason.name not in _WITHOUT_LISTENER


_WITHOUT_LISTENER = frozenset({"NO_SOCKET", "NO_SOCKET_RST", "TCP_CSUM", "PKT_TOO_SMALL", "NOT_LOCAL"})
"""Reasons that no listener has to do with, even if there was one on the port before."""


def _bare(row: PacketRow) -> str:
    """Of a packet between ends that say nothing of what they do."""
    return f"{row.sender} sends it" + (f" to {row.receiver}" if row.receiver else "")
