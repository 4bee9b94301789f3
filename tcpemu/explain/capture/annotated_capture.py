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
from collections.abc import Iterator, Sequence
from dataclasses import replace
from heapq import merge
from typing import TypeAlias

from tcpemu.explain.capture.chosen_sights import ChosenSight, ChosenSights
from tcpemu.explain.capture.figure_words import figures_after
from tcpemu.explain.capture.packet_comments import comment_on
from tcpemu.explain.capture.seen_by import SeenBy
from tcpemu.explain.facts.foresight import homes_of
from tcpemu.explain.facts.rows import PacketRow, Row, each_row
from tcpemu.explain.lines.count_words import count as how_many
from tcpemu.network.record import PacketSeen, Point, Record
from tcpemu.network.recorded.transfers import Transfers
from tcpemu.stack.base.events import IcmpArrived
from tcpemu.version import __version__
from tcpemu.wire.capture_file import Capture, CaptureError, Direction, Interface, Packet
from tcpemu.wire.codec_choice import encode
from tcpemu.wire.icmp import encode_icmp
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
    transfers: Transfers | None = None,
) -> Capture:
    """The capture of a run. `facts` (scenario, seed, kernel) become comments of the file.

    `with_lost` adds the packets that the viewer never saw, as the network lost them. With `transfers`, which a network
    keeps where it is asked to, comments say how the windows of who sends data stood after each packet.
    """
    made = CaptureInPieces(
        record, seen_by, facts, comments=comments, with_lost=with_lost, transfers=transfers
    )
    return replace(made.head, packets=tuple(made.packets()))


_Placed: TypeAlias = tuple[int, int, Packet]
"""A packet of the file, behind its time and how many sights of packets the record has before it."""


class CaptureInPieces:
    """The same, its packets one by one, for a file that is written as they come.

    The record is gone through for its hosts, for what stands at the head of the file, and then for the packets.
    """

    def __init__(
        self,
        record: Record,
        seen_by: SeenBy = SeenBy.SERVER,
        facts: Sequence[str] = (),
        *,
        comments: bool = True,
        with_lost: bool = False,
        transfers: Transfers | None = None,
    ) -> None:
        self._record = record
        self._figures = figures_after(record, transfers) if transfers is not None and comments else {}
        self._seen_by = seen_by
        self._comments, self._with_lost = comments, with_lost
        self._sights = ChosenSights(record, seen_by)
        self._hosts: dict[str, int] = {}
        """Those whose sights are in it, each with the number of its interface."""
        lost = 0
        names = _Names()
        for found in self._sights.each():
            if found.chosen and found.sight.point is Point.LOST and not with_lost:
                lost += 1
            elif found.chosen:
                self._note_host(found.sight)
                if comments:
                    names.note(found)
        self.head = Capture(
            interfaces=tuple(self._interfaces()),
            packets=(),
            application=f"tcpemu {__version__}",
            comments=(*facts, *_left_out(lost, seen_by), *READING) if comments else (),
            names=tuple(names.all()),
        )
        """All of the file but its packets."""
        self.left_out = lost
        """Packets that are not in it, since the network lost them on their way to the viewer."""

    def _note_host(self, sight: PacketSeen) -> None:
        if sight.point is not Point.LOST:
            self._hosts.setdefault(sight.node, len(self._hosts))

    def _interfaces(self) -> Iterator[Interface]:
        for name in self._hosts:
            ports = ", ".join(str(port) for node, port in sorted(self._sights.ports) if node == name)
            yield Interface(
                name, description=f"host {name}" + (f", listens on port {ports}" if ports else "")
            )
        yield Interface(
            LOST_INTERFACE, description="packets that the network lost, where and when it lost them"
        )

    def packets(self) -> Iterator[Packet]:
        """The packets, by their times; those of one time as they stand in the record.

        Raises CaptureError for one that has no octets.
        """
        for _, _, packet in merge(self._icmp(), self._segments(), key=lambda one: one[:2]):
            yield packet

    def _icmp(self) -> Iterator[_Placed]:
        """The ICMP errors that reach the viewer's side, each with what it did; not those that never left a host."""
        for place, entry in self._sights.errors():
            told = entry.event
            assert isinstance(told, IcmpArrived)
            comment = f"{told.error}; {entry.node}: {told.reason.text} [{told.reason.source}]"
            packet = Packet(
                at=entry.at,
                data=encode_icmp(told.error),
                interface=self._hosts.get(entry.node, len(self._hosts)),
                comments=(comment,) if self._comments else (),
                direction=Direction.INBOUND,
            )
            yield entry.at, place, packet

    def _segments(self) -> Iterator[_Placed]:
        rows = (
            _RowsByNumber(each_row(self._record, foresight=self._sights.foresight))
            if self._comments
            else None
        )
        for found in self._sights.each():
            row = None if rows is None else rows.of(found)
            if found.chosen and (self._with_lost or found.sight.point is not Point.LOST):
                yield found.sight.at, found.place, self._packet(found.sight, row)

    def _packet(self, sight: PacketSeen, row: PacketRow | None) -> Packet:
        once = self._seen_by is not SeenBy.ALL
        comment = ""
        if row is not None:
            here = sight.point is Point.RECEIVED
            comment = comment_on(row, departure=once or not here, arrival=once or here)
            node, words = self._figures.get(sight.number, ("", ""))
            if words and (once or node == sight.node):
                comment = f"{comment} {words}".lstrip()
        lost = sight.point is Point.LOST
        return Packet(
            at=sight.at,
            data=_octets(sight),
            interface=len(self._hosts) if lost else self._hosts[sight.node],
            comments=(comment,) if comment else (),
            direction=_DIRECTIONS[sight.point],
        )


class _RowsByNumber:
    """Rows of packets, each until the last sight of its packet has been told."""

    def __init__(self, rows: Iterator[Row]) -> None:
        self._rows = rows
        self._known: dict[int, PacketRow] = {}

    def of(self, found: ChosenSight) -> PacketRow | None:
        """The row of that packet; None for a copy that was lost, which has none."""
        sight = found.sight
        if sight.point is Point.LOST and sight.copy_of is not None:
            return None
        number = sight.number
        while number not in self._known:
            row = next(self._rows, None)
            if row is None:
                return None
            if isinstance(row, PacketRow):
                self._known[row.number] = row
        return self._known.pop(number) if found.last else self._known[number]


class _Names:
    """The addresses in the file with their hosts' names; a host that has several adds the address to its name."""

    def __init__(self) -> None:
        self._sent: dict[Address, str] = {}
        self._received: dict[Address, str] = {}

    def note(self, found: ChosenSight) -> None:
        """A packet that is in the file."""
        self._sent[found.sight.segment.src] = found.sender
        if found.receiver:
            self._received[found.sight.segment.dst] = found.receiver

    def all(self) -> Iterator[tuple[Address, str]]:
        homes: dict[str, list[Address]] = defaultdict(list)
        for address, home in homes_of(self._sent.items(), self._received.items()).items():
            homes[home].append(address)
        for home, addresses in homes.items():
            for address in addresses[:MOST_NAMES] if home else ():
                yield address, home if len(addresses) == 1 else f"{home}-{address_text(address)}"


def _left_out(count: int, seen_by: SeenBy) -> Iterator[str]:
    """That packets are missing which the network lost."""
    if count:
        viewer = "" if seen_by is SeenBy.ALL else f" to the {seen_by}"
        lost = how_many(count, "packet")
        yield f"Lost on the way{viewer}, and not in this file: {lost} (--with-lost adds them)."


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
