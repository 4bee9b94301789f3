"""A run in the numbers that claims are about."""

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from fractions import Fraction
from typing import Any

from tcpemu.network.record import Call, HostEvent, PacketSeen, Point
from tcpemu.scenario.format.consistency import SERVER
from tcpemu.scenario.format.scenario_file import Scenario
from tcpemu.scenario.running.build import host_addresses
from tcpemu.scenario.running.result import ClientOutcome, Result
from tcpemu.scenario.running.summary import IGNORED_ACKS, accept_rate
from tcpemu.stack.base import reasons
from tcpemu.stack.base.events import Counted, QueueChanged, TimerFired, Verdict
from tcpemu.stack.base.events import Outcome as Fate
from tcpemu.stack.base.units import SECOND
from tcpemu.wire.segment import ACK, FIN, RST, SYN, FlowKey, Segment, address

NO_ERROR = "no error"
NOTHING = "nothing"
"""What a RST answers that nobody asked for."""
ANSWERED = ("SYN", "ACK", "data", "FIN", NOTHING)
"""What a RST can answer."""

_RESET = {reasons.ABORT_ON_OVERFLOW.name, reasons.ACCEPT_QUEUE_FULL_RST.name}
_LISTENING = "listen("


@dataclass(frozen=True, slots=True)
class Measures:
    """What a run came to. Times are nanoseconds. `the client` is the one that the claim looks at."""

    name: str
    """The run's name; empty where there is only one."""
    asked: int
    """The backlog that listen() was given."""
    limit: int
    """The backlog in force."""
    queued: int
    """Connections that wait for accept() at the end."""
    half_open: int
    """The most half-open connections at once."""
    held: int
    """The most connections in the queues at once, half-open or complete."""
    accepted: int
    """Connections that accept() gave."""
    connected: int
    """Clients that believe to be connected."""
    syn_dropped: tuple[int, ...]
    """Which SYNs got no answer, counted from 1 as they arrived; those that are sent again do not count."""
    syn_reset: tuple[int, ...]
    """Which SYNs were answered with a RST."""
    acks_ignored: int
    """Connections whose final ACK was ignored, for the accept queue was full."""
    acks_reset: int
    """Connections whose final ACK was answered with a RST for that reason."""
    cookies: int
    """SYN cookies sent."""
    repeats_at: tuple[int, ...]
    """When the client's SYN|ACK was sent again, counted from its SYN."""
    given_up_after: int | None
    """How long after its SYN the half-open connection of the client was given up; None if it was not."""
    rst_answers: str | None
    """What the first RST to the client answered: SYN, ACK, data, FIN, or nothing; None if there was none."""
    client_sees: str
    """The errno that the client met, or `no error`."""
    client_sees_after: int | None
    """How long after its start the client met it."""
    client_connected: bool
    """Whether the client believes to be connected, or did."""
    client_accepted: bool
    """Whether accept() gave the client's connection."""
    errno: str
    """What listen() failed with, or `no error`."""
    accept_rate: Fraction
    """Connections accepted a second, over whole fillings of the queue; 0 if too few were accepted."""
    round_trip: int
    """The round-trip time of the link."""

    @property
    def first_dropped(self) -> int:
        """Which SYN was the first without an answer; 0 if none was."""
        return min(self.syn_dropped, default=0)

    @property
    def first_reset(self) -> int:
        """Which SYN was the first that a RST answered; 0 if none was."""
        return min(self.syn_reset, default=0)

    @property
    def syns_dropped(self) -> int:
        """SYNs without an answer."""
        return len(self.syn_dropped)

    @property
    def syns_reset(self) -> int:
        """SYNs answered with a RST."""
        return len(self.syn_reset)

    @property
    def turned_away(self) -> int:
        """SYNs that got no SYN|ACK."""
        return len(self.syn_dropped) + len(self.syn_reset)

    @property
    def first_turned_away(self) -> int:
        """Which SYN was the first that got no SYN|ACK; 0 if all got one."""
        return min((*self.syn_dropped, *self.syn_reset), default=0)

    @property
    def repeats(self) -> int:
        """How often the client's SYN|ACK was sent again."""
        return len(self.repeats_at)

    @property
    def backlog_rate(self) -> Fraction:
        """The backlog that was asked for, over the round-trip time: so many a second."""
        return self._each_round_trip(self.asked)

    @property
    def places_rate(self) -> Fraction:
        """The most half-open connections at once, over the round-trip time: so many a second."""
        return self._each_round_trip(self.half_open)

    def _each_round_trip(self, number: int) -> Fraction:
        return Fraction(number * SECOND, self.round_trip) if self.round_trip else Fraction(0)


MEASURES: tuple[str, ...] = (
    *(each.name for each in fields(Measures)),
    *(name for name, kind in vars(Measures).items() if isinstance(kind, property)),
)
"""The names of all measures: what stands in braces in a claim's words."""


@dataclass(slots=True)
class _Server:
    """What is gathered in one way through the record, by the client's address and port."""

    port: int
    flows: dict[FlowKey, int] = field(default_factory=dict)
    """When each flow's first SYN arrived, in order."""
    first_syns: dict[int, FlowKey] = field(default_factory=dict)
    """Numbers of the packets that are the first SYNs of their flows."""
    dropped: set[FlowKey] = field(default_factory=set)
    reset: set[FlowKey] = field(default_factory=set)
    ignored: set[FlowKey] = field(default_factory=set)
    acks_reset: set[FlowKey] = field(default_factory=set)
    syn_acks: dict[FlowKey, list[int]] = field(default_factory=dict)
    resets: dict[FlowKey, str] = field(default_factory=dict)
    """What the first RST to each answered."""
    given_up: dict[FlowKey, int] = field(default_factory=dict)
    last: dict[FlowKey, tuple[int, Segment]] = field(default_factory=dict)
    """The latest segment of each flow, and when it arrived."""
    lengths: list[QueueChanged] = field(default_factory=list)
    cookies: int = 0
    errno: str = NO_ERROR

    def packet(self, seen: PacketSeen) -> None:
        segment = seen.segment
        if seen.point is Point.RECEIVED:
            self._arrived(seen.at, seen.number, segment)
        elif seen.point is Point.SENT:
            self._left(seen.at, segment)

    def _arrived(self, at: int, number: int, segment: Segment) -> None:
        flow: FlowKey = segment[:4]
        if segment.flags & (SYN | ACK) == SYN and flow not in self.flows:
            self.flows[flow] = at
            self.first_syns[number] = flow
        self.last[flow] = at, segment

    def _left(self, at: int, segment: Segment) -> None:
        flow = segment.sender_flow
        if segment.flags & RST:
            came, what = self.last.get(flow, (-1, segment))
            self.resets.setdefault(flow, _kind(what) if came == at else NOTHING)
            if at == self.flows.get(flow):
                self.reset.add(flow)
        elif segment.flags & SYN:
            self.syn_acks.setdefault(flow, []).append(at)

    def call(self, call: Call) -> None:
        if call.text.startswith(_LISTENING) and call.result:
            self.errno = call.result

    def event(self, entry: HostEvent) -> None:
        match entry.event:
            case QueueChanged(port=self.port):
                self.lengths.append(entry.event)
            case Counted(name="SyncookiesSent", by=by):
                self.cookies += by
            case Verdict():
                self._verdict(entry.packet, entry.event)
            case TimerFired(reason=reasons.REQUEST_EXPIRED | reasons.REQUEST_CROWDED_OUT, flow=flow, at=at):
                self.given_up.setdefault(flow, at)

    def _verdict(self, number: int | None, verdict: Verdict) -> None:
        if verdict.outcome is Fate.DROPPED and number in self.first_syns:
            self.dropped.add(self.first_syns[number])
        if isinstance(verdict.segment, Segment):
            flow: FlowKey = verdict.segment[:4]
            if verdict.reason.name in IGNORED_ACKS:
                self.ignored.add(flow)
            elif verdict.reason.name in _RESET:
                self.acks_reset.add(flow)

    def numbers(self, flows: set[FlowKey]) -> tuple[int, ...]:
        """Which of all SYNs these are, counted from 1."""
        return tuple(number for number, flow in enumerate(self.flows, 1) if flow in flows)

    def flow_from(self, source: bytes) -> FlowKey | None:
        """The first flow from that address."""
        return next((flow for flow in self.flows if flow[0] == source), None)


_HANDLERS: dict[type, Callable[[_Server, Any], None]] = {
    PacketSeen: _Server.packet,
    Call: _Server.call,
    HostEvent: _Server.event,
}


def _kind(segment: Segment) -> str:
    if segment.flags & SYN:
        return "SYN"
    if segment.payload:
        return "data"
    return "FIN" if segment.flags & FIN else "ACK"


def _gathered(result: Result) -> _Server:
    """One way through the record, for it is long."""
    server = _Server(result.scenario.server.port)
    for entry in result.record:
        if entry.node == SERVER:
            _HANDLERS[type(entry)](server, entry)
    return server


def measure(result: Result, client: str = "") -> Measures:
    """What a run came to. `client` is the group whose first client is looked at; the last group if empty."""
    server = _gathered(result)
    scenario = result.scenario
    group = client or (scenario.clients[-1].name if scenario.clients else "")
    flow = server.flow_from(_address(scenario, group)) if group else None
    queues = _of_queues(server.lengths)
    return Measures(
        name=result.name,
        asked=scenario.server.backlog,
        **queues,
        accepted=len(result.accepted),
        connected=sum(each.connected is not None for each in result.clients),
        syn_dropped=server.numbers(server.dropped),
        syn_reset=server.numbers(server.reset),
        acks_ignored=len(server.ignored),
        acks_reset=len(server.acks_reset),
        cookies=server.cookies,
        **_of_flow(server, flow),
        **_of_client(next((each for each in result.clients if each.group == group), None)),
        client_accepted=flow is not None and any(each.peer == flow[:2] for each in result.accepted),
        errno=server.errno,
        accept_rate=accept_rate(result, queues["half_open"]) or Fraction(0),
        round_trip=scenario.link_of(scenario.group(group)).round_trip,
    )


def _of_queues(lengths: list[QueueChanged]) -> dict[str, Any]:
    return {
        "limit": lengths[-1].backlog if lengths else 0,
        "queued": lengths[-1].accept if lengths else 0,
        "half_open": max((length.syn for length in lengths), default=0),
        "held": max((length.syn + length.accept for length in lengths), default=0),
    }


def _of_flow(server: _Server, flow: FlowKey | None) -> dict[str, Any]:
    if flow is None:
        return {"repeats_at": (), "given_up_after": None, "rst_answers": None}
    began = server.flows[flow]
    given_up = server.given_up.get(flow)
    return {
        "repeats_at": tuple(at - began for at in server.syn_acks.get(flow, [])[1:]),
        "given_up_after": None if given_up is None else given_up - began,
        "rst_answers": server.resets.get(flow),
    }


def _of_client(client: ClientOutcome | None) -> dict[str, Any]:
    ended = client.ended if client and client.error else None
    return {
        "client_sees": (client.error if client else "") or NO_ERROR,
        "client_sees_after": ended - client.started if client and ended is not None else None,
        "client_connected": client is not None and client.connected is not None,
    }


def _address(scenario: Scenario, group: str) -> bytes:
    return address(host_addresses(scenario)[group])
