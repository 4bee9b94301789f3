"""What Linux would have answered to one side of a capture, beside what was answered.

The emulated host has the address of the real one. It is given the other side's packets at their times, and its programs
do what those of the real one were seen to do: they connect when it sent its SYN, send as many octets when it sent them,
close when it sent its FIN. What else they do no capture shows: `program_conduct.py` says that, and unless it says
otherwise they accept and read at once. So what differs is what the two TCPs do, and when they send ACKs of data, which
hangs on when programs read.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain

from tcpemu.diagnose.flows.flow_collection import FlowCollection
from tcpemu.diagnose.flows.flow_life import FlowLife
from tcpemu.diagnose.reading.seen_segment import SeenSegment, Sum
from tcpemu.diagnose.replay.program_conduct import Called, Conduct, Heard, HostWitness, WitnessEntry
from tcpemu.diagnose.replay.supposed_settings import Supposed, listening_socket
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
    sent: Sent
    """As the host told of it, in its own numbers."""
    same_as: int = 0
    """The frame that is the same; 0 where the real host sent no such thing."""

    @property
    def because(self) -> str:
        """Why it was sent, and where the kernel does that."""
        return f"{self.why} [{self.source}]"


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
    waits_to_read: bool = False
    """Its program lets what came wait, so that the window closes."""


class AnsweringHost:
    """Takes the segments of a capture one by one. A `witness` notes all that happens at the emulated host."""

    def __init__(
        self,
        address: Address,
        host: Host,
        conduct: Conduct | None = None,
        witness: HostWitness | None = None,
    ) -> None:
        self.address = address
        self.host = host
        self.answered = Answered(host.generation.name)
        self._conduct = conduct or Conduct()
        self._witness = witness
        self._accepts = deque(self._conduct.accepts or ())
        self._lives = FlowCollection()
        self._flows: dict[FlowLife, _Flow] = {}
        self._by_key: dict[FlowKey, _Flow] = {}
        self._listening: dict[int, Socket] = {}
        self._base: int | None = None
        for port in self._conduct.ports:
            self._listen(port)

    @property
    def base(self) -> int:
        """Nanoseconds since the epoch at which the host's own time begins; 0 as long as it has heard nothing."""
        return self._base or 0

    def runs_until(self, at: int) -> None:
        """Let time pass, up to a moment of the capture."""
        if self._base is not None:
            self._advance(max(at - self._base, self.host.now))
            if self._witness is not None:
                self._witness.looks(self.host, self.host.now)

    def add(self, seen: SeenSegment) -> None:
        """One more segment of the capture."""
        segment = seen.segment
        if self.address not in (segment.src, segment.dst):
            return
        life = self._lives.add(seen)
        if life is None:
            return
        outbound = segment.src == self.address
        flow = self._flow_of(life, segment, outbound)
        if flow is None:
            self.answered.midway += 1
            return
        if self._base is None:
            self._base = seen.at - BEFORE
        flow.told.seen.append((seen, outbound))
        now = max(seen.at - self._base, self.host.now)
        self._advance(now)
        self._accept_as_planned(seen.at, now)
        if outbound:
            self._program_acts(flow, seen, now)
        elif seen.sum is not Sum.BAD and seen.frame not in self._conduct.lost:
            arrives = flow.numbers.inbound(seen.whole)
            self._note_entry(Heard(now, seen.frame, arrives))
            self.host.receive(arrives, now)
        self._settle(flow, now)

    def finish(self) -> Answered:
        """Everything that was found, each answer laid beside the capture."""
        self.in_real_numbers()
        for told in self.answered.conversations:
            _lay_beside(told)
            _cover(told)
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
        before = self._by_key.get(key)
        if before is not None:
            self._clear_way(before)
        flow = self._flows[life] = self._by_key[key] = _Flow(told, key)
        flow.waits_to_read = self._conduct.lets_wait(key)
        if not outbound:
            self._listen(key[3])
        return flow

    def _clear_way(self, before: _Flow) -> None:
        """Ports are used anew of which the host still has a connection: its program has closed it, unseen."""
        if before.socket is not None and not before.closed and not before.told.life.client.fin_count:
            before.socket.linger(True, 0)
            self._close(before, self.host.now)
            self.host.transmit()
            self.host.events()

    def _listen(self, port: int) -> None:
        if port not in self._listening:
            self._listening[port] = listening_socket(
                self.host, self._conduct.supposed or Supposed(backlog=LISTENS_FOR), port, self.host.now
            )

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
            if segment.flags & ACK and flow.told.life.opened is not None:
                self._accept_up_to(flow, now)
                if flow.socket is not None:
                    flow.socket.linger(True, 0)
                    self._close(flow, now)
            return
        if flow.waits_to_read and self._conduct.reads_on(flow.key, seen):
            flow.waits_to_read = False
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
            self._note_entry(Called(now, "rst_close", flow.key))
            flow.socket.close(now)

    def _settle(self, flow: _Flow, now: int) -> None:
        """The programs of a connection accept, read and send what they can; what the host sends is noted."""
        self._collect()
        if self._conduct.accepts is None or flow.to_send or flow.closes:
            self._accept_up_to(flow, now)
        if flow.socket is not None and not flow.closed:
            self._serve(flow, flow.socket, now)
        self._collect()
        if self._witness is not None:
            self._witness.looks(self.host, now)

    def _accept_up_to(self, flow: _Flow, now: int) -> None:
        while flow.socket is None and self._accept(flow.key[3], now):
            pass

    def _accept_as_planned(self, at: int, now: int) -> None:
        while self._accepts and self._accepts[0] <= at:
            self._accepts.popleft()
            for port in self._conduct.ports:
                self._accept(port, now)

    def _accept(self, port: int, now: int) -> bool:
        """Whether a connection waited for accept()."""
        listening = self._listening.get(port)
        if listening is None:
            return False
        try:
            accepted = listening.accept(now)
        except SocketError:
            return False
        key = accepted.flow
        if key is not None:
            self._note_entry(Called(now, "accept", key))
            other = self._by_key.get(key)
            if other is not None:
                other.socket = accepted
                self._collect()
                self._serve(other, accepted, now)
        return True

    def _serve(self, flow: _Flow, socket: Socket, now: int) -> None:
        with suppress(SocketError):
            while not flow.waits_to_read and (octets := socket.recv(_MOST_READ, now)):
                self._note_entry(Called(now, "recv", flow.key, len(octets)))
        with suppress(SocketError):
            while flow.to_send:
                taken = socket.send(bytes(flow.to_send), now)
                self._note_entry(Called(now, "send", flow.key, taken))
                del flow.to_send[:taken]
        if flow.closes and not flow.to_send:
            flow.closes = False
            with suppress(SocketError):
                if flow.key in self._conduct.closes:
                    flow.closed = True
                    self._note_entry(Called(now, "close", flow.key))
                    socket.close(now)
                else:
                    self._note_entry(Called(now, "shutdown", flow.key, SHUT_WR))
                    socket.shutdown(SHUT_WR, now)

    # What it says.

    def _advance(self, now: int) -> None:
        """What happens at the very time of a timer comes first: a kernel's timers are never early."""
        self.host.advance(max(now - 1, self.host.now))
        self._collect()

    def _collect(self) -> None:
        self.host.transmit()
        for event in self.host.events():
            self._note_entry(event)
            if isinstance(event, Sent):
                flow = self._by_key.get(event.segment.sender_flow)
                if flow is not None:
                    self._note(flow, event)

    def _note_entry(self, entry: WitnessEntry) -> None:
        if self._witness is not None:
            self._witness.entries.append(entry)

    def _note(self, flow: _Flow, event: Sent) -> None:
        if event.segment.flags & SYN:
            flow.own = event.segment
            self._pair(flow)
        reason = self.host.generation.reasons.get(event.reason.name, event.reason)
        at = event.at + (self._base or 0)
        flow.told.answers.append(Answer(at, event.segment, reason.text, reason.source, event.repeat, event))

    def _pair(self, flow: _Flow) -> None:
        if flow.real is not None and flow.own is not None:
            flow.numbers.pair(flow.real, flow.own)

    def in_real_numbers(self) -> None:
        """Give all answers the numbers that the real host has for the same; once all pairs are known."""
        for flow in self._flows.values():
            for answer in flow.told.answers:
                answer.segment = flow.numbers.outbound(answer.segment)


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
            if not answer.same_as and not _late(answer, seen, told):
                answer.same_as = seen.frame
                told.matched.add(seen.frame)
                if what := _unlike(segment, answer.segment):
                    told.unlike[seen.frame] = what
                break


def _cover(told: Conversation) -> None:
    """A frame that the network card is to cut, or has put together, is the same as the segments that cover it."""
    free = sorted(
        (answer for answer in told.answers if not answer.same_as and answer.segment.payload),
        key=lambda answer: answer.at,
    )
    for seen, outbound in told.seen:
        if not outbound or not seen.length or seen.frame in told.matched:
            continue
        upto, covering = seen.segment.seq, list[Answer]()
        for answer in free:
            begins = answer.segment.seq
            if answer.same_as or begins != upto or _late(answer, seen, told):
                continue
            upto = (begins + len(answer.segment.payload)) & 0xFFFFFFFF
            covering.append(answer)
            if (upto - seen.segment.seq) & 0xFFFFFFFF >= seen.length:
                break
        if covering and upto == (seen.segment.seq + seen.length) & 0xFFFFFFFF:
            told.matched.add(seen.frame)
            for answer in covering:
                answer.same_as = seen.frame


def _late(answer: Answer, seen: SeenSegment, told: Conversation) -> bool:
    return abs(answer.at - seen.at) > _SAME_WITHIN + (seen.at - told.life.begins.at) // 8


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


def host_in_its_place(address: Address, kernel: str, settings: Mapping[str, object], mss: int | None) -> Host:
    """A host with this kernel and these sysctls, whose MTU is that of one which announces that MSS.

    Raises ConfigurationError for settings that this kernel does not have.
    """
    headers = 60 if len(address) == 16 else 40
    mtu = min(max((mss or 1460) + headers, 1280), 65535)
    return Host([address], generation(kernel), sysctls=settings, seed=1, mtu=mtu)


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
    host = AnsweringHost(address, host_in_its_place(address, kernel, settings, mss))
    for seen in chain(first, rest):
        host.add(seen)
    return host.finish()
