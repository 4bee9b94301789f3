"""The time-sequence graph of one connection, as tcptrace draws it, from where the data is sent.

Each segment is a bar from its first number to the one behind its last. Below it runs the line of what has been
acknowledged, above it the right edge of the window; between them, at the time at which the sender heard of them,
stand the pieces that were SACKed. Where the window is far away, it gets a panel of its own. A bare ACK takes no
numbers, so it is no bar, and is not counted as sent.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from tcpemu.explain.facts.flow_numbers import InitialNumbers, Relative
from tcpemu.explain.facts.record_steps import HostStep, RecordSteps
from tcpemu.explain.lines.count_words import count
from tcpemu.explain.plots.picture import (
    Bars,
    Curve,
    Meaning,
    NothingToDrawError,
    Panel,
    PanelBlock,
    Picture,
    Spots,
    crowded_at_first,
    thinned,
)
from tcpemu.network.record import PacketSeen, Point, Record
from tcpemu.scenario.format.problems import did_you_mean
from tcpemu.scenario.running.result import Result
from tcpemu.stack.base.events import Sent
from tcpemu.wire.options import Sack
from tcpemu.wire.segment import FIN, RST, SYN, FlowKey, Segment

_FAR = 3
"""So many times as far as the data reaches is too far for one axis."""
_BESIDE = 50
"""Beside data that is so many times as much a direction shows nothing but a line at the bottom."""
_UPWARDS = "sequence number\n(octets from the SYN on)"


@dataclass(slots=True)
class FlowDirection:
    """What one end sent, and what it heard of it. Numbers count from its SYN."""

    sender: str
    receiver: str = ""
    sent: list[tuple[int, int, int]] = field(default_factory=list)
    """Time, first number, number behind the last."""
    again: list[tuple[int, int, int]] = field(default_factory=list)
    causes: list[Meaning] = field(default_factory=list)
    """Of each of these, why."""
    lost: list[tuple[int, int]] = field(default_factory=list)
    """When it was sent, and the number behind its last."""
    resets: list[tuple[int, int]] = field(default_factory=list)
    words: list[tuple[int, int, str]] = field(default_factory=list)
    """Where a SYN or a FIN is."""
    arrived: list[tuple[int, int, int]] = field(default_factory=list)
    """When data or a FIN reached the other end, repeats too: first number, number behind the last."""
    acked: list[tuple[int, int]] = field(default_factory=list)
    window: list[tuple[int, int]] = field(default_factory=list)
    """When it was heard of, and the right edge."""
    sacked: list[tuple[int, int, int]] = field(default_factory=list)
    """When it was heard of, first number, number behind the last; what is acknowledged already is left out."""
    segments: int = 0
    """With new data."""
    octets: int = 0
    """Of data, whether new or not."""
    highest: int = 0


def sequence_picture(title: str, note: str, result: Result, client: str | None) -> Picture:
    """The connection of a client; else the first one with data, or the first. Raises NothingToDrawError."""
    name, flow = chosen_connection(result, client)
    both = directions(result.record, flow)
    words = f"Time-sequence graph of {name}" + (f" ({result.name})" if result.name else "")
    return sequence_graphs(title, note, words, both)


def sequence_graphs(title: str, note: str, words: str, both: Sequence[FlowDirection]) -> Picture:
    """A graph of each direction that carries data, but for one that carries next to none beside the other."""
    most = max(each.octets for each in both)
    shown = [each for each in both if each.octets * _BESIDE >= most and each.octets] or both[:1]
    blocks = tuple(_block(f"{words}: {_way(each)}", each) for each in shown)
    left_out = [
        f"{_way(each)}, {count(each.octets, 'octet')}, is not drawn"
        for each in both
        if each.octets and each not in shown
    ]
    return Picture(title, " · ".join([note, *left_out]), blocks)


def _way(each: FlowDirection) -> str:
    return f"{each.sender} to {each.receiver or 'nobody'}"


def chosen_connection(result: Result, client: str | None) -> tuple[str, FlowKey]:
    """A client and the connection that it has, as its SYN has it: the one asked for, or the first with data.

    Raises NothingToDrawError.
    """
    flows = flows_of(result.record)
    names = [each.name for each in result.clients]
    if client is None:
        busy = _with_data(result.record)
        known = [name for name in names if name in flows]
        found = next((name for name in known if flows[name] in busy), next(iter(known), None))
        if found is None:
            raise NothingToDrawError("no client connects in this run, so there is no connection to draw")
        return found, flows[found]
    if client not in names:
        raise NothingToDrawError(_unknown(result, client, names))
    if client not in flows:
        raise NothingToDrawError(
            f"--client {client!r} has not connected when the run ends; try a later --until"
        )
    return client, flows[client]


def _unknown(result: Result, client: str, names: Sequence[str]) -> str:
    if any(group.name == client and group.raw for group in result.scenario.clients):
        return f"--client {client!r} throws bare SYNs and has no connection; {_known(names)}"
    return f"--client {client!r}: there is no such client; {did_you_mean(client, names[:20])}"


def _known(names: Sequence[str]) -> str:
    return "known: " + ", ".join(names[:20]) if names else "no client of this scenario connects"


def flows_of(record: Record) -> dict[str, FlowKey]:
    """The first connection of each application that calls connect(): addresses and ports as its SYN has them."""
    steps = RecordSteps(record)
    flows: dict[str, FlowKey] = {}
    for step in steps.items:
        if isinstance(step, HostStep) and step.call and step.call.text.startswith("connect(") and step.sent:
            seen = steps.lives[step.sent[0]].sent
            if seen is not None:
                flows.setdefault(step.call.application, seen.segment[:4])
    return flows


def _with_data(record: Record) -> set[FlowKey]:
    """The connections on which data was sent, as their SYN and as their SYN|ACK have them."""
    found: set[FlowKey] = set()
    for seen in record.packets(point=Point.SENT):
        if seen.segment.payload:
            src, sport, dst, dport = seen.segment[:4]
            found |= {(src, sport, dst, dport), (dst, dport, src, sport)}
    return found


def directions(record: Record, flow: FlowKey) -> tuple[FlowDirection, FlowDirection]:
    """What each end of the connection sent, first the one whose address stands first in the flow."""
    return _Reader(flow).read(record)


class _Reader:
    """Goes through the packets of one connection in order."""

    def __init__(self, flow: FlowKey) -> None:
        src, sport, dst, dport = flow
        self._flows = flow, (dst, dport, src, sport)
        self._ways = FlowDirection(""), FlowDirection("")
        self._numbers = InitialNumbers()
        self._relative: dict[int, Relative] = {}
        self._sent_at: dict[int, int] = {}
        self._reasons: dict[int, Sent] = {}

    def read(self, record: Record) -> tuple[FlowDirection, FlowDirection]:
        self._reasons = record.reasons_sent()
        for seen in record.each_packet():
            if seen.segment[:4] in self._flows:
                self._packet(seen, self._flows.index(seen.segment[:4]))
        return self._ways

    def _packet(self, seen: PacketSeen, way: int) -> None:
        relative = self._relative.get(seen.number)
        if relative is None:
            relative = self._relative[seen.number] = self._numbers.relative(seen.segment)
        there, back = self._ways[way], self._ways[1 - way]
        match seen.point:
            case Point.SENT:
                self._sent_at[seen.number] = seen.at
                there.sender = back.receiver = seen.node
                sent = self._reasons.get(seen.number)
                cause = _CAUSES.get(sent.reason.name if sent else "", Meaning.SENT_AGAIN)
                note_sent(there, seen.at, seen.segment, relative, cause)
            case Point.LOST:
                at = self._sent_at.get(seen.number, seen.at)
                there.lost.append((at, relative.seq + seen.segment.length))
            case Point.RECEIVED:
                there.receiver = back.sender = seen.node
                note_heard(there, back, seen.at, seen.segment, relative)


def note_heard(
    there: FlowDirection, back: FlowDirection, at: int, segment: Segment, relative: Relative
) -> None:
    """A segment of one direction has arrived, or passed: its data, and what it says of the other direction."""
    if segment.length and not segment.flags & SYN:
        there.arrived.append((at, relative.seq, relative.seq + segment.length))
    if relative.ack is not None and not segment.flags & RST:
        back.acked.append((at, max(relative.ack, back.acked[-1][1] if back.acked else 0)))
        back.window.append((at, relative.ack + relative.window))
        back.sacked += _sacked(at, segment, relative.ack)


def _sacked(at: int, segment: Segment, acked: int) -> Iterator[tuple[int, int, int]]:
    """The pieces beyond what it acknowledges that a segment says have arrived."""
    blocks = [block for option in segment.options if isinstance(option, Sack) for block in option.blocks]
    for left, right in blocks:
        first, end = ((edge - segment.ack + acked) & 0xFFFFFFFF for edge in (left, right))
        if acked < first < end:
            yield at, first, end


_CAUSES = {
    "FAST_RETRANSMIT": Meaning.FAST_AGAIN,
    "REORDERING_RETRANSMIT": Meaning.FAST_AGAIN,
    "RETRANSMIT": Meaning.TIMED_OUT,
    "SYN_AGAIN": Meaning.TIMED_OUT,
    "SYN_ACK_AGAIN": Meaning.TIMED_OUT,
    "SLOW_START_RETRANSMIT": Meaning.AFTER_TIME_OUT,
    "LOSS_PROBE": Meaning.PROBE,
    "WINDOW_PROBE": Meaning.PROBE,
    "SENT_SMALLER": Meaning.SMALLER_AGAIN,
}
"""What a repeat is called by the reason that its host gives."""


def note_sent(way: FlowDirection, at: int, segment: Segment, relative: Relative, cause: Meaning) -> None:
    """A segment of this direction was sent; `cause` is why, if it was there before."""
    first, length = relative.seq, segment.length
    way.octets += len(segment.payload)
    if segment.flags & RST:
        way.resets.append((at, first))
    if not length:
        return
    end = first + length
    new = first >= way.highest
    (way.sent if new else way.again).append((at, first, end))
    if not new:
        way.causes.append(cause)
    way.segments += new and bool(segment.payload)
    way.highest = max(way.highest, end)
    words = [word for flag, word in ((SYN, "SYN"), (FIN, "FIN")) if segment.flags & flag]
    if words:
        way.words.append((at, end, "|".join(words)))


# Panels.


def _block(heading: str, way: FlowDirection) -> PanelBlock:
    times = [at for at, *_ in (*way.sent, *way.again, *way.acked, *way.resets)]
    begin, end = min(times, default=0), max(times, default=1)
    room = max((end - begin) // 25, 1)
    span = (begin - room, end + room)
    window = Curve(Meaning.WINDOW, "right edge of the receiver's window", _lasting(way.window, end + room))
    acked = Curve(Meaning.ACKED, "acknowledged", _lasting(way.acked, end + room))
    far = max((edge for _, edge in way.window), default=0) > _FAR * max(way.highest, 1)
    near = [acked] if far else [acked, window]
    main = Panel(
        _UPWARDS,
        tuple(curve for curve in near if curve.points),
        spots=tuple(_spots(way)),
        bars=tuple(_bars(way)),
        height=2.0,
    )
    above = Panel("sequence\nnumber", (window,), height=0.6, from_zero=False)
    panels = (above, main) if far else (main,)
    later = [at for at in times if at > begin]
    return PanelBlock(heading, panels, span, stretched=begin == 0 and crowded_at_first(later, (begin, end)))


def _lasting(points: Sequence[tuple[int, int]], end: int) -> tuple[tuple[float, float], ...]:
    return thinned([*points, (end, points[-1][1])]) if points else ()


def _bars(way: FlowDirection) -> Iterator[Bars]:
    if way.sent:
        label = f"sent: {count(way.segments, 'segment')} with data" if way.segments else "sent"
        yield Bars(Meaning.SENT, label, tuple(way.sent))
    for cause in dict.fromkeys(way.causes):
        bars = tuple(bar for bar, why in zip(way.again, way.causes, strict=True) if why is cause)
        yield Bars(cause, f"{cause.value}: {len(bars):,}", bars)
    if way.sacked:
        yield Bars(Meaning.SACKED, "SACKed", tuple(way.sacked))


def _spots(way: FlowDirection) -> Iterator[Spots]:
    if way.words:
        yield Spots(
            Meaning.SENT,
            "",
            tuple((at, end) for at, end, _ in way.words),
            tuple(word for *_, word in way.words),
        )
    if way.lost:
        yield Spots(Meaning.LOST, f"lost on the way: {len(way.lost):,}", tuple(way.lost))
    if way.resets:
        yield Spots(Meaning.RST, f"RST sent: {len(way.resets):,}", tuple(way.resets))
