"""One host, its clock, the peers that talk to it, and its applications; see the package for how it reads."""

from __future__ import annotations

import errno
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tcpemu.generations import generation as generation_named
from tcpemu.network.clock import seconds_text
from tcpemu.stack import (
    ConfigurationError,
    Counted,
    Event,
    Generation,
    Host,
    Outcome,
    Reason,
    Sent,
    Socket,
    StateChanged,
    Verdict,
)
from tcpemu.stack.base.states import TRANSITIONS, State
from tcpemu.stack.base.units import SECOND
from tcpemu.testing.bench.bench_values import (
    CLIENT,
    GENERATION,
    HOST,
    MASK,
    PEER,
    PORT,
    instant,
    octets,
    packed_address,
    segment_of,
    sysctl_of,
)
from tcpemu.testing.bench.expected_segments import Departure, Fields, mistakes, option_words
from tcpemu.wire.options import NOP, Option, Sack, Timestamps
from tcpemu.wire.refused import Refused
from tcpemu.wire.segment import RST, SYN, Segment, flag_letters, flags_of

QUIET = {"InSegs", "OutSegs", "CurrEstab"}
"""Counters that move all the time and say little."""
ALLOWED = {
    **{old: set(new) for old, new in TRANSITIONS.items()},
    # A request has no socket, so the table of a socket's transitions does not begin with one.
    State.CLOSE: {*TRANSITIONS[State.CLOSE], State.SYN_RECV},
}


class Flow:
    """The first numbers of one flow."""

    __slots__ = ("isn", "peer_isn", "stamp")

    def __init__(self, port: int) -> None:
        self.peer_isn = 1_000_000 + port
        self.isn: int | None = None
        self.stamp: int | None = None


def _require(holds: object, message: str) -> None:
    __tracebackhide__ = True
    if not holds:
        raise AssertionError(message)


class Bench:
    """One host, its clock, and the peers that talk to it. Times are nanoseconds, or text as `1.01 s`."""

    def __init__(
        self,
        *,
        seed: int = 0,
        hz: int | None = None,
        mtu: int = 1500,
        observe: bool = True,
        routes: Any = None,
        generation: str | Generation = GENERATION,
        ip: str = HOST,
        **sysctls: Any,
    ) -> None:
        """A host at 0 s. Sysctls may be told by the ends of their names, `syncookies=0`; for the rest see `Host`.

        Raises ConfigurationError for a name or a value that is none.
        """
        self.host = Host(
            [packed_address(ip)],
            generation_named(generation) if isinstance(generation, str) else generation,
            sysctls={sysctl_of(name): value for name, value in sysctls.items()},
            seed=seed,
            hz=hz,
            mtu=mtu,
            observe=observe,
            routes=routes,
        )
        self.now = 0
        """Nanoseconds."""
        self.flows: dict[tuple[bytes, int, int], Flow] = {}
        self.out: list[tuple[int, Segment]] = []
        """(time, segment) that nobody has expected yet."""
        self.events: list[Event] = []
        """Everything that the host has told so far."""
        self.conn: Any = None
        """The connection that a constructor of a state has made, an App."""
        self.listener: Any = None
        """The App of the listener that a constructor of a state has made."""
        self._counted: dict[str, int] = {}
        self._reasons: dict[int, Reason] = {}

    # Time and segments.

    def run(self, until: int | str) -> None:
        """Let time pass to that instant, in nanoseconds or text; timers fire, each when it is due.

        Raises ConfigurationError for a time that is past.
        """
        host, end = self.host, instant(until)
        if end < self.now:
            raise ConfigurationError(
                f"until={until!r}: it is {seconds_text(self.now)} already; give a later time"
            )
        while (due := host.next_timer()) is not None and due <= end:
            self.now = max(due, self.now)
            host.advance(self.now)
            self.drain()
        self.now = end

    def send(
        self,
        flags: str,
        seq: int = 0,
        ack: int | None = None,
        *,
        at: int | str | None = None,
        ts: tuple[int, int | None] | None = None,
        **fields: Any,
    ) -> str | None:
        """A segment reaches the host, at a time in nanoseconds or text; the name of its verdict's reason.

        `ack` is relative to the host's first number, absolute where it has none. `ts` is (TSval, TSecr), the
        latter relative to the host's first timestamp of the flow; None for zero. `sack` are blocks, each with
        its two edges relative to the host's first number. For other fields see `segment`.
        """
        __tracebackhide__ = True
        segment = self.segment(flags, seq, ack, ts=ts, **fields)
        if at is not None:
            self.run(at)
            segment = self.segment(flags, seq, ack, ts=ts, **fields)
        return self.give(segment)

    def segment(
        self,
        flags: str,
        seq: int = 0,
        ack: int | None = None,
        *,
        port: int = CLIENT,
        lport: int = PORT,
        ip: str | bytes = PEER,
        data: bytes | int = b"",
        opts: Sequence[Option] = (),
        ts: tuple[int, int | None] | None = None,
        sack: Sequence[tuple[int, int]] = (),
        win: int = 65535,
        **rest: Any,
    ) -> Segment:
        """The segment that `send` sends: from a peer's `port` to `lport`; `data` octets, or how many of them.

        `rest` are the fields `ttl tos urgent ip_id df reserved ip_options` of a Segment. Raises ConfigurationError
        for flags, addresses, options and fields that are none.
        """
        flow = self.flow(port, lport, ip)
        options = _checked_options(opts)
        if sack:
            blocks = tuple(
                ((flow.isn or 0) + one & MASK, (flow.isn or 0) + other & MASK) for one, other in sack
            )
            options = (*options, NOP, NOP, Sack(blocks))
        if ts is not None:
            echo = 0 if ts[1] is None else (flow.stamp or 0) + ts[1] & MASK
            options = (NOP, NOP, Timestamps(ts[0] & MASK, echo), *options)
        return Segment(
            packed_address(ip),
            port,
            packed_address(HOST),
            lport,
            flow.peer_isn + seq & MASK,
            0 if ack is None else (flow.isn or 0) + ack & MASK,
            _checked_flags(flags),
            win,
            options,
            octets(data),
            **_checked_rest(rest),
        )

    def give(self, packet: Any) -> str | None:
        """The same for a Segment, a Scapy packet, or octets. None where the host does not `observe`.

        Raises AssertionError where the host's account of it does not hold, ConfigurationError for what is no packet.
        """
        __tracebackhide__ = True
        segment = segment_of(packet)
        before, waiting = len(self.events), len(self.out)
        self.host.receive(segment, self.now)
        self.drain()
        if not self.host.observe:
            return None
        verdicts = [event for event in self.events[before:] if isinstance(event, Verdict)]
        _require(len(verdicts) == 1, f"{len(verdicts)} verdicts for one segment")
        [verdict] = verdicts
        _require(
            (verdict.at, verdict.outcome) == (self.now, verdict.reason.outcome),
            f"{verdict}: not as its reason",
        )
        _require(verdict.segment is segment, f"{verdict}: of another segment")
        self._check_answers(verdict, len(self.out) - waiting)
        return verdict.reason.name

    def _check_answers(self, verdict: Verdict, answers: int) -> None:
        __tracebackhide__ = True
        if verdict.outcome is Outcome.DROPPED:
            _require(not answers, f"{verdict.reason.name} is answered")
        elif verdict.outcome is Outcome.ANSWERED and not isinstance(verdict.segment, Refused):
            flow = self.host.tables.host.flows.get(verdict.segment[:4])
            _require(answers or getattr(flow, "ack_pending", 0), f"{verdict.reason.name} is not answered")

    def drain(self) -> None:
        """Take what the host has for the network, and check its account of it. Raises AssertionError."""
        __tracebackhide__ = True
        segments, events = self.host.transmit(), self.host.events()
        self.out += [(self.now, segment) for segment in segments]
        for segment in segments:
            self._note(segment)
        departures = [event for event in events if isinstance(event, Sent)]
        if self.host.observe:
            _require(
                [event.segment for event in departures] == segments,
                "what was sent is not what the events say",
            )
        for event in events:
            if isinstance(event, StateChanged):
                _require(event.new in ALLOWED[event.old], f"{event} is no transition")
        self._reasons |= {id(event.segment): event.reason for event in departures}
        self.events += events

    def flow(self, port: int = CLIENT, lport: int = PORT, ip: str | bytes = PEER) -> Flow:
        """The first numbers of the flow of a peer; raises ConfigurationError for what is no address."""
        return self.flows.setdefault((packed_address(ip), port, lport), Flow(port))

    def _note(self, segment: Segment) -> None:
        flow = self.flows.setdefault((segment.dst, segment.dport, segment.sport), Flow(segment.dport))
        if segment.flags & SYN:
            flow.isn = segment.seq
        stamps = [option for option in segment.options if isinstance(option, Timestamps)]
        if stamps and flow.stamp is None:
            flow.stamp = stamps[0].val

    # What was sent.

    def expect(self, *texts: str, tolerance: int = 0) -> None:
        """These segments were sent since the last time, and nothing else: `"1.01 PA seq 1 ack 1 len 100"`.

        Times may differ by `tolerance` nanoseconds. Raises AssertionError, which shows each that is not as
        expected beside what was sent, field by field, with the host's reason; ConfigurationError for a text that
        says nothing.
        """
        __tracebackhide__ = True
        sent = [
            Departure(self.shown(at, segment), self._reasons.get(id(segment))) for at, segment in self.taken()
        ]
        verdicts = [event for event in self.events if isinstance(event, Verdict)]
        if found := mistakes(texts, sent, verdicts, tolerance):
            raise AssertionError(found)

    def taken(self) -> list[tuple[int, Segment]]:
        """What was sent since the last time, as (nanoseconds, segment), for a test that looks for itself."""
        out, self.out = self.out, []
        return out

    def times(self, flags: str) -> list[float]:
        """When these flags were sent since the last time, in seconds, if nothing else was. Raises AssertionError."""
        __tracebackhide__ = True
        out = self.taken()
        others = {flag_letters(segment.flags) for _, segment in out} - {flags}
        _require(not others, f"not only {flags} was sent, but {', '.join(sorted(others))} too")
        return [at / SECOND for at, _ in out]

    def shown(self, at: int, segment: Segment) -> Fields:
        """The fields of a segment that was sent at that time in nanoseconds, as `expect` names them."""
        flow = self.flows[segment.dst, segment.dport, segment.sport]
        zero = segment.flags & RST and not segment.seq
        return {
            "at": at,
            "flags": flag_letters(segment.flags),
            "to": segment.dport,
            "seq": "zero" if zero else segment.seq - (flow.isn or 0) & MASK,
            "ack": segment.ack - flow.peer_isn & MASK if segment.ack else "zero",
            "len": len(segment.payload),
            "win": segment.window,
            "ttl": segment.ttl,
            "tos": segment.tos,
            "<>": [option_words(option, flow.stamp or 0, flow.peer_isn) for option in segment.options],
        }

    # Calls.

    def socket(self) -> App:
        """An application's socket."""
        return App(self)

    def listen(self, backlog: int, port: int = PORT, options: Iterable[tuple[int, int, Any]] = ()) -> App:
        """A socket that listens on all addresses. `options` are (level, name, value)."""
        listener = App(self)
        listener.bind(port)
        for option in options:
            listener.setsockopt(*option)
        listener.listen(backlog)
        return listener

    def accept(self) -> App:
        """The next connection of the listener that a constructor has made. Raises ConfigurationError without one."""
        if self.listener is None:
            raise ConfigurationError("this host has no listener of its own; ask the one that listen() gave")
        child: App = self.listener.accept()
        return child

    # Whole states.

    def table(self) -> list[str]:
        """The rows of `ss -tan`, as text: state, queues, local port, peer port."""
        return sorted(
            f"{row.state.ss_name} {row.recv_q} {row.send_q} {row.local[1]} {row.remote[1] if row.remote else '*'}"
            for row in self.host.sockets()
        )

    def queues(self, port: int = PORT) -> tuple[int, int, int] | None:
        """Accept queue, SYN queue and backlog of the listener on a port; None when there is none."""
        for listener in self.host.tables.listeners.get(port, ()):
            return listener.accepting, listener.syn_queue, listener.backlog
        return None

    def moved(self) -> dict[str, int]:
        """The counters that have moved since the last time, but for the quiet ones."""
        now: Mapping[str, int] = self.host.counters
        moved = {name: now[name] - self._counted.get(name, 0) for name in now if name not in QUIET}
        self._counted = dict(now)
        return {name: by for name, by in moved.items() if by}

    def fresh(self) -> Bench:
        """Forget what has been sent and counted so far."""
        self.out, self._counted = [], dict(self.host.counters)
        return self

    def changes(self) -> list[tuple[str, str]]:
        """The changes of state so far, as (old, new)."""
        return [(event.old.name, event.new.name) for event in self.events if isinstance(event, StateChanged)]

    def counted(self) -> dict[str, int]:
        """The counters as the events tell them."""
        total: dict[str, int] = {}
        for event in self.events:
            if isinstance(event, Counted):
                total[event.name] = total.get(event.name, 0) + event.by
        return total


class App:
    """An application's socket, whose calls happen when the bench's clock says. They raise SocketError."""

    def __init__(self, bench: Bench, sock: Socket | None = None) -> None:
        self.bench = bench
        self.sock: Any = bench.host.socket() if sock is None else sock
        """The Socket of the stack."""

    def _done(self) -> None:
        self.bench.drain()

    def bind(self, port: int = 0, ip: str | None = None) -> None:
        """To all addresses, or to one."""
        self.sock.bind(None if ip is None else packed_address(ip), port)

    def listen(self, backlog: int) -> None:
        """As the call of that name."""
        self.sock.listen(backlog, self.bench.now)
        self._done()

    def accept(self) -> App:
        """The next connection."""
        child = App(self.bench, self.sock.accept(self.bench.now))
        self._done()
        return child

    def connect(self, port: int = CLIENT, ip: str = PEER) -> None:
        """Begin to connect, which fails with EINPROGRESS."""
        try:
            self.sock.connect(packed_address(ip), port, self.bench.now)
        finally:
            self._done()

    def send(self, data: bytes | int, flags: int = 0) -> int:
        """Octets, or so many of them, with MSG_ flags by number; how many were taken."""
        taken: int = self.sock.send(octets(data), self.bench.now, flags)
        self._done()
        return taken

    def sendto(self, data: bytes | int, flags: int, port: int = CLIENT, ip: str = PEER) -> int:
        """The same to an address, as MSG_FASTOPEN has it; how many octets were taken."""
        try:
            taken: int = self.sock.sendto(octets(data), packed_address(ip), port, self.bench.now, flags)
        finally:
            self._done()
        return taken

    def recv(self, size: int = 65536, flags: int = 0) -> bytes:
        """Octets that have arrived, with MSG_ flags by number; none where the peer has closed."""
        data: bytes = self.sock.recv(size, self.bench.now, flags)
        self._done()
        return data

    def shutdown(self, how: int) -> None:
        """0 for reading, 1 for writing, 2 for both."""
        try:
            self.sock.shutdown(how, self.bench.now)
        finally:
            self._done()

    def close(self) -> None:
        """As the call of that name."""
        self.sock.close(self.bench.now)
        self._done()

    def abort(self) -> None:
        """close() with SO_LINGER on and 0 seconds."""
        self.sock.linger(True, 0)
        self.close()

    def setsockopt(self, level: int, name: int, value: Any) -> None:
        """As the call of that name."""
        self.sock.setsockopt(level, name, value, self.bench.now)
        self._done()

    def getsockopt(self, level: int, name: int) -> Any:
        """As the call of that name."""
        return self.sock.getsockopt(level, name)

    @property
    def state(self) -> str:
        """Its state by the name that Linux gives it."""
        name: str = self.sock.state.name
        return name

    @property
    def error(self) -> str:
        """The pending error by its name, or an empty text."""
        return errno.errorcode.get(self.sock.error, "")


def _checked_flags(flags: object) -> int:
    if not isinstance(flags, str):
        raise ConfigurationError(f"flags={flags!r}: letters, as 'SA' for SYN and ACK")
    try:
        return flags_of(flags)
    except ValueError as error:
        raise ConfigurationError(f"flags={flags!r}: {error}") from None


def _checked_options(opts: object) -> tuple[Option, ...]:
    if not isinstance(opts, list | tuple) or any(isinstance(each, str | int) for each in opts):
        raise ConfigurationError(
            f"opts={opts!r}: options as a tuple, such as (Mss(1460),), or MSS, FULL, TS, SACK"
        )
    return tuple(opts)


_REST = ("ttl", "tos", "urgent", "ip_id", "df", "reserved", "ip_options")


def _checked_rest(rest: dict[str, Any]) -> dict[str, Any]:
    for name, value in rest.items():
        if name not in _REST:
            known = "port lport ip data opts ts sack win " + " ".join(_REST)
            raise ConfigurationError(f"{name}={value!r}: a segment has no such field; there are {known}")
    return rest
