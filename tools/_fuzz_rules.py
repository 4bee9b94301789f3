"""What must hold of a host, whatever is done to it. Each rule has a name, which is the sentence that it checks.

After each deed, of what the host has said and sent:
  one verdict for each segment that arrives, and none otherwise; one Sent event for each segment sent; a
  verdict of DROPPED answers nothing and changes no state, one of ANSWERED sends something; a RST never answers
  a RST; what is sent decodes to itself, with checksums that add up, and carries the text of its numbers; the
  right edge of the window is never taken back; events are in order of time; states follow each other by the
  table of transitions; counters move as the events say, add up, and are never negative.
After some deeds, of all that the host holds: see `_fuzz_state.py`.
At the end, when all applications have gone and time has passed: no flow, timer or port is left.
"""

from __future__ import annotations

import errno
import struct
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import _fuzz_state as state

from tcpemu.stack import Counted, Event, Host, Outcome, Sent, Socket, State, StateChanged, Verdict
from tcpemu.stack.base import reasons
from tcpemu.stack.base.sequence_numbers import MASK, after, before, distance
from tcpemu.stack.base.states import TRANSITIONS
from tcpemu.stack.records.connection import Connection
from tcpemu.wire import ACK, FIN, RST, SYN, URG, Address, FlowKey, Refused, Segment, decode, encode


class BrokenRuleError(Exception):
    """A rule does not hold."""

    def __init__(self, rule: str, detail: str) -> None:
        super().__init__(f"{rule}: {detail}")
        self.rule = rule


def require(truth: object, rule: str, detail: Callable[[], str] | str = "") -> None:
    if not truth:
        raise BrokenRuleError(rule, detail if isinstance(detail, str) else detail())


@dataclass(frozen=True, slots=True)
class Calling:
    """A socket before a call."""

    socket: Socket
    name: str
    arguments: tuple[object, ...]
    readable: bool
    writable: bool
    at: int
    """The sequence number of what would be read next."""
    end: int | None
    """Where the text ends, if that is known."""


_BY_REQUEST = (
    reasons.SENT_SYN_ACK_AGAIN,
    reasons.SENT_SYN_ACK_DUPLICATE,
    reasons.SENT_SYN_ACK_FAST_OPEN_AGAIN,
)
_SILENT = reasons.DATA_NO_MEMORY_SILENT.name
_MADE = (reasons.HANDSHAKE_DONE, reasons.COOKIE_GOOD, reasons.FAST_OPENED)
_COUNTED_WITHOUT_ROUTE = ("OutRsts", "RetransSegs", "SyncookiesSent", "DelayedACKs")
_PASSING = (State.SYN_RECV, State.TIME_WAIT)
"""What a segment may end on its way, whatever becomes of it: a request whose listener is gone, and TIME_WAIT."""
_UNTOLD = {"InSegs", "OutSegs", "CurrEstab"}
"""Counters that move so often that no event says it; each has a rule of its own."""
_NOT_BY_CONNECTION = (reasons.SENT_RST, reasons.SENT_REQUEST_ACK, reasons.SENT_TW_ACK)


class Rules:
    """Watches one host from its beginning."""

    def __init__(self, host: Host, text_at: Callable[[int, int], bytes], peers: Sequence[Address]) -> None:
        self.host = host
        self.text_at = text_at
        self.all_reachable = all(host.tables.host.routable(peer) for peer in peers)
        self.last = 0
        self.counters: Counter[str] = Counter()
        self.tally: Counter[str] = Counter()
        """What the counters must agree with, by what was seen."""
        self.states: dict[FlowKey, State] = {}
        self.edges: dict[FlowKey, tuple[Connection, int]] = {}
        self.received: dict[FlowKey, tuple[Connection, int]] = {}
        self.fins: dict[FlowKey, int] = {}
        """Where the first FIN stands that may be taken."""
        self.urged: set[FlowKey] = set()
        """Flows that URG has reached: an urgent octet leaves the stream, so its numbers do not say what is read."""
        self.readiness = state.Readiness()
        self.limits = state.QueueLimits()
        self.verdicts: Counter[str] = Counter()
        self.answers: dict[FlowKey, Segment] = {}
        """The last SYN|ACK of each flow."""
        self.met: Counter[str] = Counter()
        """Segments by the state that they found."""

    # --- one step --------------------------------------------------------------------------------------------

    def arrives(self, segment: Segment | Refused) -> None:
        """Note what a segment is going to meet."""
        self.met[state.label(self.host, segment)] += 1
        if isinstance(segment, Segment):
            if segment.flags & FIN:
                self._note_fin(segment)
            if segment.flags & URG:
                self.urged.add(segment[:4])

    def _note_fin(self, segment: Segment) -> None:
        """Behind a FIN a stream has no text, though a peer may send some."""
        key, at = segment[:4], segment.seq + len(segment.payload) + bool(segment.flags & SYN) & MASK
        flow = self.host.tables.host.flows.get(key)
        expected = flow.rcv.nxt if type(flow) is Connection else at
        if not before(at, expected) and not before(self.fins.get(key, at), at):
            self.fins[key] = at

    def step(self, now: int, segment: Segment | Refused | None) -> None:
        """Look at everything that has come out of the host since the last step."""
        host = self.host
        events, sent = host.events(), host.transmit()
        self.readiness.woken(host.woken())
        verdicts = [event for event in events if type(event) is Verdict]
        sents = [event for event in events if type(event) is Sent]
        self._times(now, events)
        require(
            len(sents) == len(sent) and all(e.segment is s for e, s in zip(sents, sent, strict=True)),
            "one Sent event for each segment sent",
        )
        self._verdict(verdicts, segment, sents, events)
        for sending in sents:
            self._sent(sending)
        for event in events:
            if isinstance(event, Counted):
                self.counters[event.name] += event.by
            elif isinstance(event, StateChanged):
                self._state(event)
        self._progress(segment)
        for rule, detail in self.limits.broken(host):
            raise BrokenRuleError(rule, detail)
        due = host.next_timer()
        require(due is None or due >= now, "timers are not in the past", lambda: f"{due} at {now}")

    def _times(self, now: int, events: Sequence[Event]) -> None:
        last = self.last
        for event in events:
            if not last <= event.at <= now:
                raise BrokenRuleError("events are in order of time", f"{event} at {now}")
            last = event.at
        self.last = now

    def _verdict(
        self,
        verdicts: list[Verdict],
        segment: Segment | Refused | None,
        sents: list[Sent],
        events: list[Event],
    ) -> None:
        if segment is None:
            require(not verdicts, "no verdict without a segment", lambda: str(verdicts))
            return
        require(
            len(verdicts) == 1 and verdicts[0].segment is segment,
            "one verdict for each segment that arrives",
            lambda: str(verdicts),
        )
        reason = verdicts[0].reason
        self.verdicts[reason.name] += 1
        if isinstance(segment, Segment) and segment.dst in self.host.addresses:
            self.tally["InSegs"] += 1
        self.tally["PassiveOpens"] += reason in _MADE
        if reason.outcome is Outcome.DROPPED:
            # Data for which there is no memory is dropped once its acknowledgment counts, which may let data go.
            answers = [event for event in sents if reason.name != _SILENT or not event.segment.payload]
            require(not answers, "a dropped segment is not answered", lambda: f"{reason.name}: {answers}")
            changed = [event for event in events if type(event) is StateChanged and event.old not in _PASSING]
            require(not changed, "a dropped segment changes no state", lambda: f"{reason.name}: {changed}")
        elif reason.outcome is Outcome.ANSWERED:
            answered = sents or state.owes_ack(self.host, segment) or self._unreachable(segment)
            require(answered, "an answered segment is answered", lambda: reason.name)
        if isinstance(segment, Segment) and segment.flags & RST:
            answers = [event for event in sents if event.segment.flags & RST]
            require(not answers, "a RST never answers a RST", lambda: f"{reason.name}: {answers}")

    def _unreachable(self, segment: Segment | Refused) -> bool:
        return isinstance(segment, Segment) and not self.host.tables.host.routable(segment.src)

    def _state(self, event: StateChanged) -> None:
        if not event.flow[0]:
            return  # a listener; several may share a port
        known = self.states.get(event.flow, State.CLOSE)
        if known is State.CLOSE and event.old is State.SYN_RECV:
            known = State.SYN_RECV  # made by a cookie, which nothing is kept for
        require(event.old is known, "states follow each other", lambda: f"{event} after {known.name}")
        to_request = event.old is State.CLOSE and event.new is State.SYN_RECV
        require(
            to_request or event.new in TRANSITIONS[event.old],
            "transitions are those of the table",
            lambda: f"{event.old.name} to {event.new.name}: {event.cause}",
        )
        self.states[event.flow] = event.new
        if event.new is State.CLOSE:
            self.fins.pop(event.flow, None)

    # --- what is sent ------------------------------------------------------------------------------------------

    def _sent(self, event: Sent) -> None:
        segment = event.segment
        octets = encode(segment)
        again = decode(octets)
        require(again == segment, "what is sent decodes to itself", lambda: f"{segment} to {again}")
        require(_sums_up(octets), "checksums add up", lambda: str(segment))
        flags = segment.flags
        if flags & SYN and flags & ACK:
            self.answers[segment.dst, segment.dport, segment.src, segment.sport] = segment
        by_request = event.reason in _BY_REQUEST
        by_connection = bool(event.repeat) and not by_request
        self.tally["OutSegs"] += not by_connection and event.reason != reasons.SENT_SYN_ACK_CROSSED
        self.tally["OutRsts"] += bool(flags & RST)
        self.tally["RetransSegs"] += bool(event.repeat)
        self.tally["SyncookiesSent"] += event.reason == reasons.SENT_COOKIE
        self.tally["DelayedACKs"] += event.reason == reasons.SENT_DELAYED_ACK
        require(
            not (flags & SYN and flags & (RST | FIN)) and not (flags & RST and flags & FIN),
            "flags make sense",
            lambda: str(segment),
        )
        start = segment.seq + bool(flags & SYN)
        require(
            segment.payload == self.text_at(start, len(segment.payload)),
            "the text of a segment is that of its numbers",
            lambda: str(segment),
        )
        if event.reason == reasons.SENT_DATA:
            self._within_window(segment)
        if event.reason not in _NOT_BY_CONNECTION and flags & ACK and not flags & (SYN | RST):
            self._edge(segment)

    def _within_window(self, segment: Segment) -> None:
        """New data does not go beyond the window that the peer has offered last."""
        conn = self.host.tables.host.flows.get((segment.dst, segment.dport, segment.src, segment.sport))
        if type(conn) is Connection:
            end, edge = segment.seq + segment.length & MASK, conn.snd.una + conn.snd.wnd & MASK
            require(not after(end, edge), "data keeps to the window", lambda: f"{end} beyond {edge}")

    def _edge(self, segment: Segment) -> None:
        key = segment.dst, segment.dport, segment.src, segment.sport
        conn = self.host.tables.host.flows.get(key)
        if type(conn) is not Connection:
            return
        edge = segment.ack + (segment.window << conn.rcv.wscale) & MASK
        known = self.edges.get(key)
        # Linux takes it back where it was told to: with tcp_shrink_window, which needs scaled windows, for data
        # beyond a hole; and where tcp_workaround_signed_windows begins to limit a window that is not scaled.
        sysctls = conn.host.sysctls
        shrinks = sysctls.tcp_shrink_window if conn.rcv.wscale else sysctls.tcp_workaround_signed_windows
        if known is not None and known[0] is conn:
            require(
                bool(shrinks) or not before(edge, known[1]),
                "the window's edge is not taken back",
                lambda: f"{known[1] - edge & MASK} octets: {segment}",
            )
        self.edges[key] = conn, edge

    def _progress(self, segment: Segment | Refused | None) -> None:
        """What was received in order stays received. A segment moves its own flow alone."""
        flows = self.host.tables.host.flows
        touched = [segment[:4]] if isinstance(segment, Segment) else list(flows)
        for key in touched:
            flow = flows.get(key)
            if type(flow) is not Connection or flow.state is State.SYN_SENT:
                continue
            known = self.received.get(key)
            if known is not None and known[0] is flow and before(flow.rcv.nxt, known[1]):
                raise BrokenRuleError("rcv_nxt only moves forward", f"{known[1]} to {flow.rcv.nxt}")
            self.received[key] = flow, flow.rcv.nxt

    # --- calls ---------------------------------------------------------------------------------------------------

    def before_call(self, socket: Socket, name: str, arguments: tuple[object, ...]) -> Calling:
        conn = socket.connection
        at = 0 if conn is None else conn.rcv.copied_seq
        end = None if conn is None else self.fins.get(conn.key)
        self.readiness.called(socket)
        return Calling(socket, name, arguments, socket.readable, socket.writable, at, end)

    def after_call(self, before: Calling, result: object, error: int) -> None:
        name, again = before.name, error == errno.EAGAIN
        if name == "recv" and isinstance(result, bytes):
            self._read(before, result)
        blocks = name in ("accept", "recv", "send") and before.arguments != (0,)
        ready = before.writable if name == "send" else before.readable
        if blocks and ready:
            require(not again, f"{name}() does not block where the socket is ready")
        elif blocks and name != "send":
            require(error, f"{name}() blocks or fails where the socket is not ready", lambda: repr(result))
        self.tally["ActiveOpens"] += name == "connect" and error == errno.EINPROGRESS

    def _read(self, before: Calling, data: bytes) -> None:
        """What is read is the text of its numbers, up to the first FIN; where nothing is urgent."""
        conn = before.socket.connection
        if conn is not None and conn.key in self.urged:
            return
        length = len(data)
        if before.end is not None:
            length = min(length, distance(before.at, before.end))
        require(
            data[:length] == self.text_at(before.at, length),
            "what is read is what was sent",
            lambda: f"{len(data)} octets at {before.at}",
        )

    # --- everything ------------------------------------------------------------------------------------------------

    def whole(self, sockets: Sequence[Socket]) -> None:
        """Look at all that the host holds."""
        self._counters()
        for rule, detail in state.broken(self.host):
            raise BrokenRuleError(rule, detail)
        for rule, detail in self.readiness.broken(sockets):
            raise BrokenRuleError(rule, detail)
        for conn, edge in self.edges.values():
            end = conn.rcv.wup + conn.rcv.wnd & MASK
            if conn.state is not State.CLOSE and before(end, edge):
                raise BrokenRuleError("a window that was offered is kept in mind", f"{end}, offered {edge}")
        flows = self.host.tables.host.flows
        for known in (self.edges, self.received):
            for key in [key for key, (conn, _) in known.items() if flows.get(key) is not conn]:
                del known[key]

    def _counters(self) -> None:
        counters = self.host.counters
        for name in (counters.keys() | self.counters.keys()) - _UNTOLD:
            told, is_now = self.counters[name], counters.get(name, 0)
            require(told == is_now, "counters move as the events say", f"{name} is {is_now}, not {told}")
        negative = [name for name, value in counters.items() if value < 0]
        require(not negative, "counters are not negative", lambda: ", ".join(negative))
        for name, seen in self.tally.items():
            if not self._has(name) or (name in _COUNTED_WITHOUT_ROUTE and not self.all_reachable):
                continue
            count = counters.get(name, 0)
            errors = counters.get("InErrs", 0) if self._has("InErrs") else count
            refused = errors if name == "InSegs" else 0
            if not seen <= count <= seen + refused:
                raise BrokenRuleError(f"{name} counts what was seen", f"{count}, but {seen} were seen")
        require(
            counters.get("ListenOverflows", 0) <= counters.get("ListenDrops", 0),
            "every overflow is a drop",
        )

    def _has(self, counter: str) -> bool:
        """Whether the host's kernel has this counter."""
        known = self.host.generation.counters
        return known is None or counter in known

    def empty(self) -> None:
        """Nothing is left."""
        host = self.host
        left = [
            type(flow).__name__ + " " + state.state_name(flow) for flow in host.tables.host.flows.values()
        ]
        require(not left, "no flow is left at the end", lambda: ", ".join(left))
        require(
            not host.tables.listeners, "no listener is left at the end", lambda: str(host.tables.listeners)
        )
        ports = list(host.tables.ports._bound)
        require(not ports, "no port is left at the end", lambda: str(ports))
        require(not host.counters.get("CurrEstab", 0), "no connection is counted at the end")


def _sums_up(octets: bytes) -> bool:
    """Both checksums of a packet without IP options, added word by word; of IPv6 the one that there is."""
    if octets[0] >> 4 == 6:
        tcp = octets[40:]
        return _sum(octets[8:40] + struct.pack("!II", len(tcp), 6) + tcp + bytes(len(tcp) & 1)) == 0xFFFF
    header = (octets[0] & 15) * 4
    tcp = octets[header:]
    pseudo_header = octets[12:20] + struct.pack("!HH", 6, len(tcp))
    return _sum(octets[:header]) == 0xFFFF and _sum(pseudo_header + tcp + bytes(len(tcp) & 1)) == 0xFFFF


def _sum(octets: bytes) -> int:
    total: int = sum(struct.unpack(f"!{len(octets) // 2}H", octets))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total
