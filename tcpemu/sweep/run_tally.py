"""What is counted while a run goes on, in place of a record: so memory does not grow with the run.

Entries come in the order of a record, some thousands at a time, and are gone afterwards.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from tcpemu.network.application_sockets import octets_in
from tcpemu.network.links import octets
from tcpemu.network.recorded.entries import Call, Entry, HostEvent, PacketSeen, Point
from tcpemu.scenario.format.consistency import SERVER
from tcpemu.stack.base.events import Outcome, QueueChanged, Verdict

EVENTS = frozenset([Verdict, QueueChanged])
"""What is counted of the events of a host: those of the server alone."""


@dataclass(slots=True)
class QueueTally:
    """How long a queue was, over time."""

    most: int = 0
    now: int = 0
    since: int = 0
    """From when on it has been so long, in nanoseconds."""
    filled: int = 0
    """Its length times the nanoseconds that it was so long."""
    sampled: list[int] = field(default_factory=list)
    """How long it was at each of the times that were asked for, as far as they have passed."""

    def change(self, at: int, length: int, times: Sequence[int]) -> None:
        """It is so long from that time on."""
        self._pass(at, times)
        self.now = length
        self.most = max(self.most, length)

    def end(self, at: int, times: Sequence[int]) -> None:
        """The run is over; a sample of that moment itself counts."""
        self._pass(at + 1, times)
        self.filled -= self.now
        self.since = at

    def _pass(self, at: int, times: Sequence[int]) -> None:
        while len(self.sampled) < len(times) and times[len(self.sampled)] < at:
            self.sampled.append(self.now)
        self.filled += self.now * (at - self.since)
        self.since = at


@dataclass(slots=True)
class RunTally:
    """What the measures need of a run besides its clients and counters."""

    port: int
    """The server's."""
    times: tuple[int, ...] = ()
    """When the queues are sampled, in ascending nanoseconds."""
    drops: Counter[str] = field(default_factory=Counter)
    """Segments that the server dropped, by the names of the reasons."""
    accept_queue: QueueTally = field(default_factory=QueueTally)
    syn_queue: QueueTally = field(default_factory=QueueTally)
    packets: int = 0
    octets: int = 0
    """Of IP packets that were sent, headers and all."""
    read: Counter[tuple[bytes, int]] = field(default_factory=Counter)
    """Octets that programs at either end have read, by the client's address and port."""
    first_read: int | None = None
    last_read: int = 0

    def take(self, entries: Sequence[Entry]) -> None:
        """Count these in."""
        for entry in entries:
            if isinstance(entry, PacketSeen):
                if entry.point is Point.SENT:
                    self.packets += 1
                    self.octets += octets(entry.segment)
            elif isinstance(entry, HostEvent):
                if entry.node == SERVER:
                    self._host_event(entry)
            elif entry.flow is not None and entry.text.startswith("recv("):
                self._read(entry)

    def end(self, at: int) -> None:
        """The run is over."""
        self.accept_queue.end(at, self.times)
        self.syn_queue.end(at, self.times)

    def _host_event(self, entry: HostEvent) -> None:
        event = entry.event
        if isinstance(event, Verdict):
            if event.outcome is Outcome.DROPPED:
                self.drops[event.reason.name] += 1
        elif isinstance(event, QueueChanged) and event.port == self.port:
            self.accept_queue.change(event.at, event.accept, self.times)
            self.syn_queue.change(event.at, event.syn, self.times)

    def _read(self, entry: Call) -> None:
        if entry.flow is None or not (number := octets_in(entry.result)):
            return
        remote_address, remote_port, address, port = entry.flow
        client = (remote_address, remote_port) if entry.node == SERVER else (address, port)
        self.read[client] += number
        self.last_read = entry.at
        if self.first_read is None:
            self.first_read = entry.at
