"""The handshakes at one server, in the order in which that server saw them.

Only what a listener has to do with is kept: SYNs and their answers, what comes until the handshake is complete, RSTs,
and the first segment that shows that the connection was accepted. All else is data, which is not replayed here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from tcpemu.diagnose.flows.flow_collection import FlowCollection
from tcpemu.diagnose.flows.flow_life import FlowLife
from tcpemu.diagnose.reading.seen_segment import SeenSegment, Sum
from tcpemu.stack.base.sequence_numbers import MASK
from tcpemu.wire.options import FastOpen
from tcpemu.wire.segment import ACK, FIN, RST, SYN, Address

MOST_STEPS = 4000
"""Segments of handshakes that are replayed; what comes later is told to be left out."""
SLACK = 20_000_000
"""Nanoseconds by which an answer may be late at the server itself, which may be busy."""

MOST_WITH_SYN = 1 << 16
"""Octets that a SYN can have with it."""
MOST_JITTER = 500_000_000
"""An answer that takes longer is no answer to that SYN: half of the time after which a client asks again."""


@dataclass(slots=True, eq=False)
class Step:
    """A segment as the server saw it."""

    at: int
    """Nanoseconds since the epoch, by the server: half a round trip away from where the capture was taken."""
    seen: SeenSegment
    flow: PathFlow
    outbound: bool

    @property
    def bare_ack(self) -> bool:
        """Whether it is an ACK and nothing else."""
        return not self.outbound and self.seen.segment.flags & (SYN | RST | FIN) == 0 and not self.seen.length


@dataclass(slots=True, eq=False)
class PathFlow:
    """One connection, by what tells how far it got."""

    life: FlowLife
    syn_acks: list[int] = field(default_factory=list)
    """When the server sent SYN|ACKs."""
    resets: list[int] = field(default_factory=list)
    """When the server sent RSTs."""
    spoke: int | None = None
    """When the server sent the first segment that is neither SYN nor RST: it has taken the connection."""
    used: int | None = None
    """When it sent the first data, or FIN: by then a program has accepted the connection."""
    data: list[int] = field(default_factory=list)
    """When the client sent data, or its FIN, before the server spoke."""
    taken: bool = False
    """Its SYN|ACK acknowledges data that came with the SYN."""
    finished: int | None = None
    """When the client's FIN came: RSTs from then on are not of the listen path."""
    steps: int = 0


@dataclass(slots=True, eq=False)
class ListenPath:
    """All that is known of a listener's work."""

    address: Address
    port: int
    steps: list[Step] = field(default_factory=list)
    flows: list[PathFlow] = field(default_factory=list)
    ends: int = 0
    """When the capture ends, or what is replayed of it."""
    midway: int = 0
    """Connections that were there before the capture began."""
    cut: bool = False
    """There were more than MOST_STEPS."""
    away: int = 0
    """Nanoseconds of a round trip between the capture and the server."""
    jitter: int = 0
    """By how many nanoseconds its answers to SYNs took longer than the quickest of them, on their way."""
    mss: int | None = None
    """What its SYN|ACKs announce."""
    unfilled: bool = False
    """It sends checksums that are not filled in: the capture was taken on the server itself."""
    fast_open: bool = False
    """A SYN asks for Fast Open."""
    unsure: int = 0
    """Segments of handshakes that were snapped or damaged."""

    @property
    def slack(self) -> int:
        """How late an answer may be seen and still be the answer."""
        return SLACK + self.away + self.jitter


class PathReader:
    """Takes the segments of a capture one by one."""

    def __init__(self, address: Address, port: int) -> None:
        self.path = ListenPath(address, port)
        self._lives = FlowCollection()
        self._flows: dict[FlowLife, PathFlow] = {}
        self._early: dict[FlowLife, SeenSegment] = {}
        """SYN|ACKs that stand before their SYN."""

    def add(self, seen: SeenSegment) -> None:
        """One more segment, whoever it belongs to."""
        segment, path = seen.segment, self.path
        outbound = segment.sport == path.port and segment.src == path.address
        if not outbound and not (segment.dport == path.port and segment.dst == path.address):
            path.ends = seen.at
            return
        path.ends = seen.at
        life = self._lives.add(seen)
        if life is None or path.cut:
            return
        if not life.client.syn_count or (
            life.client.port == path.port and life.client.address == path.address
        ):
            path.midway += life.frames == 1
            if outbound and life.frames == 1 and segment.flags & SYN:
                self._early[life] = seen
            return
        flow = self._flows.get(life)
        if flow is None:
            flow = self._flows[life] = PathFlow(life)
            path.flows.append(flow)
        self._note(Step(seen.at, seen, flow, outbound))
        early = self._early.pop(life, None)
        if early is not None:
            path.midway -= 1
            self._note(Step(seen.at, early, flow, True))

    def _note(self, step: Step) -> None:
        flow, path, segment = step.flow, self.path, step.seen.segment
        used_before = flow.used is not None
        if step.outbound:
            path.unfilled |= step.seen.sum is Sum.UNFILLED
            if segment.flags & RST:
                flow.resets.append(step.at)
            elif segment.flags & SYN:
                flow.syn_acks.append(step.at)
                isn = flow.life.client.isn
                flow.taken |= isn is not None and 0 < (segment.ack - isn - 1) & MASK < MOST_WITH_SYN
            else:
                flow.spoke = flow.spoke or step.at
                if step.seen.length or segment.flags & FIN:
                    flow.used = flow.used or step.at
        elif segment.flags & FIN and not segment.flags & RST:
            flow.finished = flow.finished or step.at
        if segment.flags & (SYN | ACK) == SYN and any(isinstance(one, FastOpen) for one in segment.options):
            path.fast_open = True
        if used_before and not segment.flags & (SYN | RST):
            return
        if flow.spoke is not None and not step.outbound and not segment.flags & (SYN | RST):
            return
        if (
            not step.outbound
            and (step.seen.length or segment.flags & FIN)
            and not segment.flags & (SYN | RST)
        ):
            flow.data.append(step.at)
        path.unsure += step.seen.sum in (Sum.UNKNOWN, Sum.BAD)
        path.steps.append(step)
        flow.steps += 1
        path.cut = len(path.steps) >= MOST_STEPS


def listen_path(
    segments: Iterable[SeenSegment], address: Address, port: int, *, at_server: bool
) -> ListenPath:
    """The handshakes at that server. Where the capture was not taken `at_server`, times are moved by half of the
    least time that its answers to SYNs took.
    """
    reader = PathReader(address, port)
    for seen in segments:
        reader.add(seen)
    path = reader.path
    gaps = [_turn_around(flow) for flow in path.flows]
    known = [gap for gap in gaps if gap is not None]
    if known and not at_server:
        path.away = min(known)  # the rest is what the server took
        path.jitter = max((gap for gap in known if gap <= MOST_JITTER), default=path.away) - path.away
        _move(path, path.away // 2)
    for step in path.steps:
        if step.outbound and step.seen.segment.flags & (SYN | ACK) == SYN | ACK:
            path.mss = step.flow.life.server.mss
            break
    return path


def _turn_around(flow: PathFlow) -> int | None:
    """From the last SYN before the first SYN|ACK to that."""
    if not flow.syn_acks:
        return None
    before = [syn.at for syn in flow.life.client.syns if syn.at <= flow.syn_acks[0]]
    return flow.syn_acks[0] - before[-1] if before else None


def _move(path: ListenPath, half: int) -> None:
    """Times as the server saw them: what it sent was sent earlier, what it got came later."""
    for step in path.steps:
        step.at += -half if step.outbound else half
    path.steps.sort(key=lambda step: step.at)
    for flow in path.flows:
        flow.syn_acks = [at - half for at in flow.syn_acks]
        flow.resets = [at - half for at in flow.resets]
        flow.data = [at + half for at in flow.data]
        flow.spoke = None if flow.spoke is None else flow.spoke - half
        flow.used = None if flow.used is None else flow.used - half
        flow.finished = None if flow.finished is None else flow.finished + half
    path.ends -= half
