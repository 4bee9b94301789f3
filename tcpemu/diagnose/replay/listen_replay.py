"""One try: the emulated server is given the clients' packets, and what it does is laid beside the capture.

What a program did is not in a capture, so the emulated one accepts as late as it can: when a connection is used that
must have been accepted, and when a place must have become free since something was let in. That keeps the accept
queue as full as the capture allows.

Where the capture and the emulated server part, an unseen event would explain it: a packet lost between the capture and
TCP, or before the capture, or one that the capture does not have. Each is counted once a connection, since one filter
may drop all of its packets. The fewest unseen events make the best explanation.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from enum import Enum

from tcpemu.diagnose.replay.listen_path import ListenPath, PathFlow, Step
from tcpemu.diagnose.replay.supposed_settings import Supposed, host_with, listening_socket
from tcpemu.diagnose.replay.translated_numbers import TranslatedNumbers
from tcpemu.generations import DEFAULT
from tcpemu.stack import Host, Sent, Socket, SocketError, Verdict
from tcpemu.stack.base.events import Reason
from tcpemu.stack.listening import fast_open_cookie
from tcpemu.stack.records.connection import Connection
from tcpemu.stack.records.listener import Listener
from tcpemu.wire.options import FastOpen
from tcpemu.wire.segment import ACK, RST, SYN, FlowKey, Segment

BEFORE = 1_000_000_000
"""Nanoseconds for which the server listens before the first segment comes."""
_LATE_SHARE = 8
"""A timer of the kernel may be late by an eighth of its wait (kernel/time/timer.c: the timer wheel)."""
_LATE_MOST = 50_000_000

SLICES = 5
"""Slices of its table that one timer of all requests needs to come around, at most, in kernels that have one."""
ACKED_WITHIN = 500_000_000
"""Nanoseconds in which a server acknowledges data of a connection that it has (tcp.h: TCP_DELACK_MAX is 200 ms)."""
LOST_BEHIND = "a packet of the client was lost behind the capture, or dropped before TCP"

CONTRADICTION = 10
"""Unseen events as which it counts that a counter says otherwise: more than anybody believes."""
_ALWAYS = frozenset(("InSegs", "OutSegs", "OutRsts"))


class Shown(Enum):
    """What the capture shows of what became of a segment."""

    TAKEN = "taken"
    IGNORED = "ignored"
    RESET = "answered with a RST"
    UNKNOWN = "unknown"


@dataclass(slots=True)
class Unseen:
    """An event that is not in the capture, and that has to have happened if the supposition is right."""

    flow: PathFlow
    what: str
    frame: int
    """Where it shows; 0 where nothing shows."""
    at: int
    accept: int = 0
    """How long the accept queue was."""
    syn: int = 0
    """How many requests waited for their final ACK."""


@dataclass(slots=True)
class Judged:
    """What the emulated server did with one segment, and how its queues were then."""

    step: Step
    reason: Reason
    accept: int
    syn: int
    shown: Shown
    counted: tuple[str, ...] = ()
    """Counters that moved with it."""


@dataclass(slots=True)
class Said:
    """A SYN|ACK or RST of the emulated server."""

    at: int
    reset: bool
    reason: Reason
    repeat: int
    matched: bool = False


@dataclass(slots=True)
class Replayed:
    """What came of a try."""

    supposed: Supposed
    unseen: list[Unseen] = field(default_factory=list)
    judged: list[Judged] = field(default_factory=list)
    said: dict[PathFlow, list[Said]] = field(default_factory=lambda: defaultdict(list))
    accepted_at: list[int] = field(default_factory=list)
    """When accept() was called, in nanoseconds since the epoch."""
    accepts: int = 0
    """Calls of accept() of which the capture shows nothing but that a place had become free."""
    largest_accept: int = 0
    looks: int = 0
    """SYN|ACKs whose options or window are not those of this kernel."""
    syn_was_full: bool = False
    """A SYN came while the SYN queue was full: only then cookies matter."""
    accept_was_full: bool = False
    """An ACK came while the accept queue was full: only then tcp_abort_on_overflow matters."""
    repeats: int = 0
    """The most times that a SYN|ACK was sent again."""
    steps: int = 0
    """Segments that were replayed."""
    contradicted: set[str] = field(default_factory=set)
    """Counters that have moved here, of which it is known that they have not."""
    given_up: bool = False
    """It took too many unseen events, so that the end was not looked at."""

    @property
    def cost(self) -> int:
        """Unseen events, once for each connection and kind."""
        return len({(id(one.flow), one.what) for one in self.unseen}) + len(self.contradicted) * CONTRADICTION

    @property
    def order(self) -> tuple[int, int, bool, int]:
        """What makes one explanation cheaper than another: unseen events, then settings that are unusual, then another
        kernel than the usual one, then calls of accept() that nothing else shows.
        """
        return self.cost, self.supposed.unusual(), self.supposed.kernel != DEFAULT, self.accepts


class _Replay:
    def __init__(self, path: ListenPath, supposed: Supposed, most: int | None) -> None:
        self.path = path
        self.most = most
        self.found = Replayed(supposed)
        self.host: Host = host_with(supposed, path.address, path_mtu(path))
        self.base = (path.steps[0].at if path.steps else 0) - BEFORE
        self.listening: Socket = listening_socket(self.host, supposed, path.port, 0)
        (self.listener,) = self._listeners()
        self.numbers: dict[PathFlow, TranslatedNumbers] = defaultdict(TranslatedNumbers)
        self.last_own: dict[PathFlow, Segment] = {}
        self.early: dict[PathFlow, Segment] = {}
        """SYN|ACKs that stand before their SYN in the capture."""
        self.cookies: dict[bytes, bytes] = {}
        """Of Fast Open: the real server's, and the emulated one's for the same client."""
        self.accepted: dict[FlowKey, Socket] = {}
        self.flow_at: dict[FlowKey, PathFlow] = {}
        self.first_wait = self.host.generation.initial_rto
        self.phase = SLICES * self.host.generation.synack.interval

    def _listeners(self) -> list[Listener]:
        return self.host.tables.listeners[self.path.port]

    # The way through the capture.

    def run(self) -> Replayed:
        for step in self.path.steps:
            now = max(step.at - self.base, self.host.now)
            self.host.advance(now)
            self._collect()
            if step.outbound:
                self._saw_answer(step)
            else:
                self._arrives(step, now)
            self.found.steps += 1
            if self.most is not None and len(self.found.unseen) > self.most and self.found.cost > self.most:
                self.found.given_up = True
                return self.found
        self.host.advance(max(self.path.ends - self.base, self.host.now))
        self._collect()
        self._lay_beside()
        return self.found

    def _saw_answer(self, step: Step) -> None:
        segment, flow = step.seen.segment, step.flow
        own = self.last_own.get(flow)
        if segment.flags & SYN and own is None:
            self.early[flow] = segment
        elif segment.flags & SYN and own is not None:
            self.numbers[flow].pair(segment, own)
            self.found.looks += _look(segment) != _look(own)
            self._compare_fast_open(step, own)
        if flow.used == step.at:
            self._accept_up_to(flow.life.key_of(flow.life.server), step)

    def _compare_fast_open(self, step: Step, own: Segment) -> None:
        """Whether both take what came with the SYN, and both give a cookie."""
        real, isn = step.seen.segment, step.flow.life.client.isn
        given, of_own = _cookie(real), _cookie(own)
        if given and of_own:
            self.cookies[given] = of_own
        if isn is not None and (real.ack != own.ack or bool(given) != bool(of_own)):
            self._unseen(
                step.flow, "Fast Open: the SYN|ACK takes or gives other things than this server would", step
            )

    def _with_own_cookie(self, step: Step) -> Segment:
        """The segment, with the cookie that the emulated server gives in the place of the real one's."""
        segment = step.seen.segment
        shown = _cookie(segment)
        if not shown or not self.found.supposed.fastopen:
            return segment
        own = self.cookies.get(shown)
        if own is None and step.flow.taken:  # the client had it before the capture began
            own = fast_open_cookie.cookie(
                fast_open_cookie.keys_of(self.listener)[0], segment.src, segment.dst
            )
        if own is None:
            return segment
        options = tuple(
            replace(one, cookie=own) if isinstance(one, FastOpen) else one for one in segment.options
        )
        return segment._replace(options=options)

    def _arrives(self, step: Step, now: int) -> None:
        segment, flow = step.seen.segment, step.flow
        key = segment[:4]
        if segment.flags & SYN:
            self._clear_way(key, flow, now)
            there = self._flows.get(key)
            if isinstance(there, Connection):
                return  # what a SYN meets on a connection is not of the listen path
            shown = Shown.UNKNOWN if there is not None else self._shown_of_syn(step)
        elif isinstance(self._flows.get(key), Connection) and not segment.flags & RST:
            self._check_taken(step)
            return
        else:
            shown = (
                self._shown_of_ack(step) if segment.flags & ACK and not segment.flags & RST else Shown.UNKNOWN
            )
        self.flow_at[key] = flow
        numbers, own = self.numbers[flow], self.last_own.get(flow)
        if own is not None and not numbers.known and segment.flags & ACK and not segment.flags & (SYN | RST):
            numbers.suppose((segment.ack - 1) & 0xFFFFFFFF, own)
        if shown is Shown.TAKEN:
            self._make_room(step, now)
        elif shown is Shown.IGNORED and not self._would_ignore(step):
            self._note_fullness(step)
            self._unseen(flow, LOST_BEHIND, step)
            return
        self._give(step, shown, now)

    def _give(self, step: Step, shown: Shown, now: int) -> None:
        accept, syn = self.listener.accepting, self.listener.syn_queue
        self._note_fullness(step)
        counters = dict(self.host.counters)
        self.host.receive(self.numbers[step.flow].inbound(self._with_own_cookie(step)), now)
        for verdict in self._collect():
            self.found.judged.append(Judged(step, verdict.reason, accept, syn, shown, self._moved(counters)))
        self.found.largest_accept = max(self.found.largest_accept, self.listener.accepting)

    def _note_fullness(self, step: Step) -> None:
        rules, listener = self.host.generation.queues, self.listener
        if step.seen.segment.flags & SYN:
            self.found.syn_was_full |= rules.syn_full(listener, 0) or rules.syn_full(
                listener, self.host.sysctls.tcp_max_syn_backlog
            )
            self.found.syn_was_full |= 4 * listener.syn_queue >= 3 * self.host.sysctls.tcp_max_syn_backlog
        else:
            self.found.accept_was_full |= rules.full_for_ack(listener)

    def _moved(self, before: dict[str, int]) -> tuple[str, ...]:
        """The counters of TcpExt that moved since."""
        now = self.host.counters
        return tuple(name for name in now if name not in _ALWAYS and now[name] != before.get(name, 0))

    def _check_taken(self, step: Step) -> None:
        """A segment for a connection that the emulated server has taken: the real one may not have."""
        if self._shown_of_ack(step) is Shown.IGNORED:
            self._unseen(step.flow, LOST_BEHIND, step)

    # What the capture shows.

    def _shown_of_syn(self, step: Step) -> Shown:
        until = step.at + self.path.slack
        if any(step.at - self.path.slack <= at <= until for at in step.flow.syn_acks):
            return Shown.TAKEN  # one that stands a little before its SYN is its answer all the same
        if any(step.at <= at <= until for at in step.flow.resets):
            return Shown.RESET
        return Shown.IGNORED if until < self.path.ends else Shown.UNKNOWN

    def _shown_of_ack(self, step: Step) -> Shown:
        """Of a segment that could complete the handshake."""
        flow, at = step.flow, step.at
        if any(at <= reset <= at + self.path.slack for reset in flow.resets):
            return Shown.RESET
        if any(later > at + self.path.away for later in flow.syn_acks):
            return Shown.IGNORED
        if self._data_ignored(flow, at):
            # Where nothing would ignore a bare ACK, its data alone was lost.
            return Shown.TAKEN if step.bare_ack and not self._would_ignore(step) else Shown.IGNORED
        if flow.spoke is not None and flow.spoke >= at:
            return Shown.TAKEN
        repeats = len(flow.syn_acks)
        if repeats > self.found.supposed.synack_retries:
            return Shown.UNKNOWN  # the last SYN|ACK has been sent: silence tells nothing
        last = flow.syn_acks[-1] if flow.syn_acks else at
        wait = self.first_wait << max(repeats - 1, 0)
        quiet = last + wait + wait // _LATE_SHARE + _LATE_MOST < self.path.ends
        return Shown.TAKEN if quiet and not self._in_cookies(flow) else Shown.UNKNOWN

    def _data_ignored(self, flow: PathFlow, at: int) -> bool:
        """Whether data that came then or later met silence: the server had no connection for it."""
        within = self.path.slack + ACKED_WITHIN
        if flow.spoke is None:
            return any(data >= at and self.path.ends - data > within for data in flow.data)
        # Where the server spoke in the end, only data that had to come again was not taken.
        again = [data for data in flow.data if data < flow.spoke][:-1]
        return any(data >= at and flow.spoke - data > within for data in again)

    def _in_cookies(self, flow: PathFlow) -> bool:
        """Whether the emulated server has only a cookie of it, which is never sent again."""
        return any(one.reason.name.startswith("SYN_COOKIE") for one in self.found.said.get(flow, ())[-1:])

    # What the emulated server would do, and what its program has to do first.

    @property
    def _flows(self) -> dict[FlowKey, object]:
        return self.host.tables.host.flows  # type: ignore[return-value]

    def _would_ignore(self, step: Step) -> bool:
        rules, listener, segment = self.host.generation.queues, self.listener, step.seen.segment
        if segment.flags & SYN:
            no_cookies = not self.found.supposed.cookies
            syn_full = rules.syn_full(listener, self.host.sysctls.tcp_max_syn_backlog)
            most = self.host.sysctls.tcp_max_syn_backlog
            kept = rules.keeps_reserve and most - listener.syn_queue < most >> 2
            return rules.full_for_syn(listener) or (no_cookies and (syn_full or kept))
        if self.found.supposed.defer and step.bare_ack:
            return True
        of_cookie = segment[:4] not in self._flows  # which tcp_abort_on_overflow says nothing about
        return rules.full_for_ack(listener) and (of_cookie or not self.found.supposed.abort)

    def _make_room(self, step: Step, now: int) -> None:
        rules = self.host.generation.queues
        full = rules.full_for_syn if step.seen.segment.flags & SYN else rules.full_for_ack
        while full(self.listener) and self._accept(now):
            self.found.accepts += 1

    def _accept(self, now: int) -> bool:
        try:
            socket = self.listening.accept(now)
        except SocketError:
            return False
        self.found.accepted_at.append(now + self.base)
        if socket.flow is not None:
            self.accepted[socket.flow] = socket
        return True

    def _accept_up_to(self, key: FlowKey, step: Step) -> None:
        now = max(step.at - self.base, self.host.now)
        if not isinstance(self._flows.get(key), Connection):
            if key not in self.accepted:
                self._unseen(step.flow, "a packet of the client is not in the capture", step)
            return
        while key not in self.accepted and self._accept(now):
            pass

    def _clear_way(self, key: FlowKey, flow: PathFlow, now: int) -> None:
        """The ports of a connection that the emulated server still has are used anew: its program has closed it."""
        if self.flow_at.get(key) in (None, flow) or not isinstance(self._flows.get(key), Connection):
            return
        while key not in self.accepted and self._accept(now):
            pass
        if (socket := self.accepted.pop(key, None)) is not None:
            socket.linger(True, 0)
            socket.close(now)
            self.host.events()
            self.host.transmit()

    # What it says.

    def _collect(self) -> list[Verdict]:
        verdicts = []
        self.host.transmit()
        for event in self.host.events():
            if isinstance(event, Verdict):
                verdicts.append(event)
            elif isinstance(event, Sent) and event.segment.flags & (SYN | RST):
                flow = self.flow_at.get(event.segment.sender_flow)
                if flow is not None:
                    self._note_said(flow, event)
        return verdicts

    def _note_said(self, flow: PathFlow, event: Sent) -> None:
        reset = bool(event.segment.flags & RST)
        self.found.repeats = max(self.found.repeats, event.repeat)
        self.found.said[flow].append(Said(event.at + self.base, reset, event.reason, event.repeat))
        if not reset:
            self.last_own[flow] = event.segment
            if (real := self.early.pop(flow, None)) is not None:
                self.numbers[flow].pair(real, event.segment)

    # Beside the capture.

    def _lay_beside(self) -> None:
        for flow in self.path.flows:
            said = self.found.said.get(flow, [])
            handshake = [
                one for one in flow.resets if one < min(flow.spoke or one + 1, flow.finished or one + 1)
            ]
            for captured, reset in ((flow.syn_acks, False), (handshake, True)):
                for at in captured:
                    self._match(flow, said, at, reset)
            self._left_over(flow, said)

    def _match(self, flow: PathFlow, said: list[Said], at: int, reset: bool) -> None:
        begins = flow.syn_acks[0] if flow.syn_acks else at
        for one in said:
            if one.matched or one.reset != reset:
                continue
            late = (one.at - begins) // _LATE_SHARE if one.repeat or one.at > begins else 0
            if abs(at - one.at) <= self.path.slack + self.phase + min(
                late, _LATE_MOST * (1 + one.repeat) * 2
            ):
                one.matched = True
                return
        what = "RST" if reset else "SYN|ACK"
        self.found.unseen.append(Unseen(flow, f"the server sent a {what} that nothing here explains", 0, at))

    def _left_over(self, flow: PathFlow, said: list[Said]) -> None:
        for one in said:
            grace = self.path.slack + self.phase + (one.at - said[0].at) // _LATE_SHARE
            if one.matched or one.at + grace >= self.path.ends or self._reset_beyond(flow, one):
                continue
            what = "RST" if one.reset else "SYN|ACK"
            self.found.unseen.append(
                Unseen(flow, f"a {what} that it would send is not in the capture", 0, one.at)
            )

    def _reset_beyond(self, flow: PathFlow, one: Said) -> bool:
        """A RST of what came after the handshake, which is not replayed."""
        after = min(flow.spoke or one.at, flow.finished or one.at)
        return one.reset and one.at > after

    def _unseen(self, flow: PathFlow, what: str, step: Step) -> None:
        listener = self.listener
        self.found.unseen.append(
            Unseen(flow, what, step.seen.frame, step.at, listener.accepting, listener.syn_queue)
        )


def _cookie(segment: Segment) -> bytes:
    """Its cookie of Fast Open; empty where it has none, or asks for one."""
    return next((one.cookie for one in segment.options if isinstance(one, FastOpen)), b"")


def _look(segment: Segment) -> tuple[object, ...]:
    """What tells kernels apart in a SYN|ACK: its window, and which options stand in which order."""
    return segment.window, *(type(option) for option in segment.options)


def path_mtu(path: ListenPath) -> int:
    """The MTU of a host that announces that MSS."""
    headers = 60 if len(path.address) == 16 else 40
    least = 1280 if len(path.address) == 16 else 576
    return min(max((path.mss or 1460) + headers, least), 65535)


def replay(path: ListenPath, supposed: Supposed, most: int | None = None) -> Replayed:
    """What a server with these settings does with these handshakes, and what would have to be unseen.

    It is given up once that is more than `most` events.
    """
    return _Replay(path, supposed, most).run()
