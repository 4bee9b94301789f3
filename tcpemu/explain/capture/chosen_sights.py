"""Which sights of packets go into a capture, and in which order: found as the record is gone through.

Of each packet the viewer's own sight is best, then that of its loss, then any other. A packet is decided on when it
has arrived or is lost, and is given when no earlier one can come any more: so no more are kept than are under way.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import TypeAlias

from tcpemu.explain.capture.seen_by import SeenBy
from tcpemu.explain.facts.foresight import Foresight
from tcpemu.network.record import HostEvent, PacketSeen, Point, Record
from tcpemu.stack.base.events import IcmpArrived

_OWN, _LOST, _FOREIGN = range(3)


@dataclass(slots=True)
class ChosenSight:
    """A sight of a packet."""

    sight: PacketSeen
    sender: str
    receiver: str | None
    """None for a packet to an address that nobody has."""
    last: bool
    """Whether no other sight of this packet follows."""
    place: int = 0
    """How many sights of packets the record has before this one."""
    chosen: bool = True
    """False where the viewer saw nothing of the packet, nor will."""


class ChosenSights:
    """The sights of one record, as somebody sees it."""

    def __init__(self, record: Record, seen_by: SeenBy) -> None:
        self._record = record
        self._seen_by = seen_by
        self.foresight = Foresight(record)
        self._homes, self._copied = self.foresight.homes, self.foresight.copied
        self.ports = self.foresight.ports
        """Node and port of each listener."""
        self._servers = self.foresight.listening or self._called_first()

    def _called_first(self) -> set[str]:
        """Where nobody listens: who the first packet goes to."""
        first: PacketSeen | None = None
        for seen in self._record.each_packet():
            if first is None and seen.point is not Point.LOST:
                first = seen
            if first is not None and seen.number == first.number and seen.point is Point.RECEIVED:
                return {seen.node}
        home = None if first is None else self._homes.get(first.segment.dst)
        return set() if home is None else {home}

    def sees(self, node: str | None) -> bool:
        """Whether that host is the viewer."""
        return node is not None and (node in self._servers) == (self._seen_by is SeenBy.SERVER)

    def each(self) -> Iterator[ChosenSight]:
        """All sights, by their times; those of one time as they stand in the record."""
        every = self._seen_by is SeenBy.ALL
        heap: list[tuple[int, int, ChosenSight]] = []
        waiting: dict[int, _Waiting] = {}
        senders: dict[int, str] = {}
        now = 0
        for order, seen in enumerate(self._record.each_packet()):
            if seen.point is not Point.LOST:  # that may be told before its time
                now = seen.at
            sender = self._sender(seen, senders)
            receiver = seen.node if seen.point is Point.RECEIVED else self._homes.get(seen.segment.dst)
            if every:
                found = ChosenSight(seen, sender, receiver, seen.point is not Point.SENT, order)
                heappush(heap, (seen.at, order, found))
            else:
                self._best(order, seen, sender, receiver, waiting, heap)
            if not heap or heap[0][0] >= now:
                continue
            first = next(iter(waiting.values()), None)
            limit = now if first is None else min(now, first[0])
            while heap and heap[0][0] < limit:
                yield heappop(heap)[2]
        for _, rank, found in waiting.values():
            self._put(rank, found, heap)
        while heap:
            yield heappop(heap)[2]

    def errors(self) -> Iterator[tuple[int, HostEvent]]:
        """The ICMP errors that reach the viewer's side, not those that never left a host.

        Each with its place: how many sights of packets the record has before it.
        """
        if next(self._record.each_event(IcmpArrived), None) is None:
            return
        place = 0
        for entry in self._record.each(PacketSeen, IcmpArrived):
            if isinstance(entry, PacketSeen):
                place += 1
            elif isinstance(entry, HostEvent) and isinstance(entry.event, IcmpArrived):
                error = entry.event.error
                every = self._seen_by is SeenBy.ALL
                if error.src != error.dst and (every or self.sees(entry.node)):
                    yield place, entry

    def _sender(self, seen: PacketSeen, senders: dict[int, str]) -> str:
        """Who sent it; `senders` are those of packets that are under way, or of which there are copies."""
        number = seen.number
        if seen.point is Point.SENT:
            senders[number] = seen.node
            return seen.node
        if number not in senders:
            return seen.node if seen.copy_of is None else senders.get(seen.copy_of, "")
        return senders[number] if number in self._copied else senders.pop(number)

    def _best(
        self,
        order: int,
        seen: PacketSeen,
        sender: str,
        receiver: str | None,
        waiting: "dict[int, _Waiting]",
        heap: list[tuple[int, int, ChosenSight]],
    ) -> None:
        rank = self._rank(seen)
        known = waiting.pop(seen.number, None)
        if known is None:
            found = ChosenSight(seen, sender, receiver, last=True, place=order)
        else:
            _, best, found = known
            found.receiver = receiver
            if rank < best:
                found.sight, found.place = seen, order
            else:
                rank = best
        if seen.point is Point.SENT:
            waiting[seen.number] = seen.at, rank, found
        else:
            self._put(rank, found, heap)

    def _put(self, rank: int, found: ChosenSight, heap: list[tuple[int, int, ChosenSight]]) -> None:
        """It is decided on. One on its way to the viewer yet, or a copy that the viewer did not see, is not chosen."""
        if rank == _FOREIGN:
            found.chosen = not (self.sees(found.sender) or self.sees(found.receiver))
        heappush(heap, (found.sight.at, found.place, found))

    def _rank(self, sight: PacketSeen) -> int:
        if sight.point is Point.LOST:
            return _LOST
        return _OWN if self.sees(sight.node) else _FOREIGN


_Waiting: TypeAlias = tuple[int, int, ChosenSight]
"""A packet that is on its way: since when, the rank of its best sight, and that."""
