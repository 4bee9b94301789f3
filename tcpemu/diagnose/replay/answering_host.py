"""What Linux would have answered to one side of a capture, beside what was answered.

The emulated host has the address of the real one. It is given the other side's packets at their times, and its programs
do what those of the real one were seen to do: they connect when it sent its SYN, send as many octets when it sent them,
close when it sent its FIN; they accept and read at once. So what differs is what the two TCPs do, and when they send
ACKs of data, which hangs on when programs read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from tcpemu.diagnose.flows.flow_collection import FlowCollection
from tcpemu.diagnose.flows.flow_life import FlowLife
from tcpemu.diagnose.reading.seen_segment import SeenSegment, Sum
from tcpemu.diagnose.replay.translated_numbers import TranslatedNumbers
from tcpemu.explain.lines.segment_words import option_words
from tcpemu.generations import generation
from tcpemu.stack import Host, Sent, Socket, SocketError
from tcpemu.wire.options import Mss, Timestamps
from tcpemu.wire.segment import ACK, FIN, PSH, RST, SYN, Address, FlowKey, Segment

SHUT_WR = 1
BEFORE = 1_000_000_000
LISTENS_FOR = 4096
"""The backlog: nobody has to wait, since programs accept at once."""
_MOST_READ = 1 << 20
_SAME_WITHIN = 500_000_000
"""Nanoseconds between an answer and the same one of the emulated host."""


@dataclass(slots=True)
class Answer:
    """A segment of the emulated host, in the real one's numbers."""

    at: int
    segment: Segment
    why: str
    source: str
    repeat: int
    same_as: int = 0
    """The frame that is the same; 0 where the real host sent no such thing."""


@dataclass(slots=True)
class Conversation:
    """One connection: all segments of the capture, and what the emulated host sent."""

    life: FlowLife
    seen: list[tuple[SeenSegment, bool]] = field(default_factory=list)
    """Each with whether the real host sent it."""
    answers: list[Answer] = field(default_factory=list)
    matched: set[int] = field(default_factory=set)
    """Frames of the real host that the emulated one sent too."""
    unlike: dict[int, str] = field(default_factory=dict)
    """Of those: what else the emulated host has put in, its window or options."""


@dataclass(slots=True)
class Answered:
    """What came of it."""

    kernel: str
    conversations: list[Conversation] = field(default_factory=list)
    midway: int = 0
    """Segments of connections that were there before the capture began: these cannot be answered."""


@dataclass(slots=True, eq=False)
class _Flow:
    told: Conversation
    key: FlowKey
    """As the host calls it: remote end first."""
    numbers: TranslatedNumbers = field(default_factory=TranslatedNumbers)
    own: Segment | None = None
    """Its last SYN or SYN|ACK."""
    real: Segment | None = None
    socket: Socket | None = None
    to_send: bytearray = field(default_factory=bytearray)
    sent_up_to: int | None = None
    closes: bool = False
    closed: bool = False


class AnsweringHost:
    """Takes the segments of a capture one by one."""

    def __init__(
        self, address: Address, kernel: str, settings: Mapping[str, object], mss: int | None
    ) -> None:
        self.address = address
        self.answered = Answered(kernel)
        headers = 60 if len(address) == 16 else 40
        mtu = min(max((mss or 1460) + headers, 1280), 65535)
        self.host = Host([address], generation(kernel), sysctls=settings, seed=1, mtu=mtu)
        self._lives = FlowCollection()
        self._flows: dict[FlowLife, _Flow] = {}
        self._by_key: dict[FlowKey, _Flow] = {}
        self._listening: dict[int, Socket] = {}
        self._base: int | None = None

    def add(self, seen: SeenSegment) -> None:
        """One more segment of the capture."""
        segment = seen.segment
        if self.address not in (segment.src, segment.dst):
            return
        if self._base is None:
            self._base = seen.at - BEFORE
        life = self._lives.add(seen)
        if life is None:
            return
        outbound = segment.src == self.address
        flow = self._flow_of(life, segment, outbound)
        if flow is None:
            self.answered.midway += 1
            return
        flow.told.seen.append((seen, outbound))
        now = max(seen.at - self._base, self.host.now)
        self._advance(now)
        if outbound:
            self._program_acts(flow, seen, now)
        elif seen.sum is not Sum.BAD:
            self.host.receive(flow.numbers.inbound(_whole(seen)), now)
        self._settle(flow, now)

    def finish(self) -> Answered:
        """Everything that was found, each answer laid beside the capture."""
        for told in self.answered.conversations:
            _lay_beside(told)
        return self.answered

    def _flow_of(self, life: FlowLife, segment: Segment, outbound: bool) -> _Flow | None:
        flow = self._flows.get(life)
        if flow is not None:
            return flow
        if not segment.flags & SYN or bool(segment.flags & ACK):
            return None
        key = segment.sender_flow if outbound else segment[:4]
        told = Conversation(life)
        self.answered.conversations.append(told)
        flow = self._flows[life] = self._by_key[key] = _Flow(told, key)
        if not outbound:
            self._listen(key[3])
        return flow

    def _listen(self, port: int) -> None:
        if port not in self._listening:
            socket = self.host.socket(ipv6=len(self.address) == 16)
            socket.bind(None, port)
            socket.listen(LISTENS_FOR, self.host.now)
            self._listening[port] = socket

    # What its programs do.

    def _program_acts(self, flow: _Flow, seen: SeenSegment, now: int) -> None:
        segment = seen.segment
        if segment.flags & SYN:
            flow.real = segment
            flow.sent_up_to = seen.end
            if not segment.flags & ACK and flow.socket is None:
                self._connect(flow, segment, now)
            self._pair(flow)
            return
        if segment.flags & RST:
            if segment.flags & ACK and flow.told.life.opened is not None and flow.socket is not None:
                flow.socket.linger(True, 0)
                self._close(flow, now)
            return
        new = (segment.seq + seen.length - (flow.sent_up_to or 0)) & 0xFFFFFFFF
        if flow.sent_up_to is not None and 0 < new < 1 << 30:
            flow.to_send += bytes(segment.payload[-new:].rjust(new, b"\0")) if new <= 1 << 20 else b""
            flow.sent_up_to = (flow.sent_up_to + new) & 0xFFFFFFFF
        flow.closes |= bool(segment.flags & FIN)

    def _connect(self, flow: _Flow, segment: Segment, now: int) -> None:
        socket = self.host.socket(ipv6=len(self.address) == 16)
        try:
            socket.bind(self.address, segment.sport)
            flow.socket = socket
            socket.connect(segment.dst, segment.dport, now)
        except SocketError:
            return  # it is on its way, or its ports are taken: then it says nothing

    def _close(self, flow: _Flow, now: int) -> None:
        if flow.socket is not None and not flow.closed:
            flow.closed = True
            flow.socket.close(now)

    def _settle(self, flow: _Flow, now: int) -> None:
        """The programs of a connection accept, read and send what they can; what the host sends is noted."""
        self._collect()
        listening = self._listening.get(flow.key[3])
        while flow.socket is None and listening is not None:
            with suppress(SocketError):
                accepted = listening.accept(now)
                other = self._by_key.get(accepted.flow) if accepted.flow else None
                if other is not None:
                    other.socket = accepted
                continue
            break
        if flow.socket is not None and not flow.closed:
            self._serve(flow, flow.socket, now)
        self._collect()

    def _serve(self, flow: _Flow, socket: Socket, now: int) -> None:
        with suppress(SocketError):
            while socket.recv(_MOST_READ, now):
                pass
        with suppress(SocketError):
            while flow.to_send:
                del flow.to_send[: socket.send(bytes(flow.to_send), now)]
        if flow.closes and not flow.to_send:
            flow.closes = False
            with suppress(SocketError):
                socket.shutdown(SHUT_WR, now)

    # What it says.

    def _advance(self, now: int) -> None:
        self.host.advance(now)
        self._collect()

    def _collect(self) -> None:
        self.host.transmit()
        for event in self.host.events():
            if isinstance(event, Sent):
                flow = self._by_key.get(event.segment.sender_flow)
                if flow is not None:
                    self._note(flow, event)

    def _note(self, flow: _Flow, event: Sent) -> None:
        if event.segment.flags & SYN:
            flow.own = event.segment
            self._pair(flow)
        reason = self.host.generation.reasons.get(event.reason.name, event.reason)
        at = event.at + (self._base or 0)
        flow.told.answers.append(Answer(at, event.segment, reason.text, reason.source, event.repeat))

    def _pair(self, flow: _Flow) -> None:
        if flow.real is not None and flow.own is not None:
            flow.numbers.pair(flow.real, flow.own)

    def in_real_numbers(self) -> None:
        """Give all answers the numbers that the real host has for the same; once all pairs are known."""
        for flow in self._flows.values():
            for answer in flow.told.answers:
                answer.segment = flow.numbers.outbound(answer.segment)


def _whole(seen: SeenSegment) -> Segment:
    """The segment with as many octets as it had on the wire."""
    segment = seen.segment
    return segment if len(segment.payload) == seen.length else segment._replace(payload=bytes(seen.length))


def _lay_beside(told: Conversation) -> None:
    """Which frames of the real host the emulated one has sent too: same flags, numbers and length, about then."""
    free: dict[tuple[int, ...], list[Answer]] = {}
    for answer in told.answers:
        segment = answer.segment
        key = (
            segment.flags & ~PSH,
            segment.seq,
            segment.ack if segment.flags & ACK else 0,
            len(segment.payload),
        )
        free.setdefault(key, []).append(answer)
    for seen, outbound in told.seen:
        if not outbound:
            continue
        segment = seen.segment
        key = (segment.flags & ~PSH, segment.seq, segment.ack if segment.flags & ACK else 0, seen.length)
        for answer in free.get(key, ()):
            late = abs(answer.at - seen.at)
            if not answer.same_as and late <= _SAME_WITHIN + (seen.at - told.life.begins.at) // 8:
                answer.same_as = seen.frame
                told.matched.add(seen.frame)
                if what := _unlike(segment, answer.segment):
                    told.unlike[seen.frame] = what
                break


def _unlike(real: Segment, own: Segment) -> str:
    """What differs between two segments with the same flags, numbers and length."""
    told = [] if real.window == own.window else [f"window {own.window}"]
    if real.flags & SYN:
        fixed = [option for option in real.options if not isinstance(option, Timestamps)]
        other = [option for option in own.options if not isinstance(option, Timestamps)]
        if fixed != other:
            told.append(f"options {option_words(own) or 'none'}")
    elif {type(option) for option in real.options} != {type(option) for option in own.options}:
        told.append(f"options {option_words(own) or 'none'}")
    return ", ".join(told)


def answers_of(
    segments: Iterable[SeenSegment], address: Address, kernel: str, settings: Mapping[str, object]
) -> Answered:
    """What a host with this kernel and these sysctls would have answered in the place of that one.

    Raises ConfigurationError for settings that this kernel does not have.
    """
    first: list[SeenSegment] = []
    rest = iter(segments)
    mss = None
    for seen in rest:
        first.append(seen)
        if address not in (seen.segment.src, seen.segment.dst):
            first.pop()
        elif seen.segment.src == address and seen.segment.flags & SYN:
            mss = next((option.value for option in seen.segment.options if isinstance(option, Mss)), None)
            break
    host = AnsweringHost(address, kernel, settings, mss)
    for seen in first:
        host.add(seen)
    for seen in rest:
        host.add(seen)
    host.in_real_numbers()
    return host.finish()
