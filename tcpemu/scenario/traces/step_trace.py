"""Step traces: what was done to one host, and what it answered, as JSON.

A trace lists segments that reach the host and calls of its applications, each with its time; running it adds a
log of all that the host sent and returned. The same file can be answered by a real kernel, so that both logs
can be laid side by side: `tcpemu trace FILE.json` answers one, `--check` compares with the log that is in it.
This is a whole one:

    {"name": "one-client", "about": "A handshake, and five octets.",
     "sysctl": {"net.ipv4.tcp_syncookies": 0},
     "until": 1,
     "steps": [[0, "listen", 1],
               [0.1, "in", 42001, "S", 0, null, {"opts": [["mss", 1460]]}],
               [0.2, "in", 42001, "A", 1, 1],
               [0.3, "accept"],
               [0.4, "in", 42001, "PA", 1, 1, {"len": 5}],
               [0.5, "recv", 42001, 100],
               [0.6, "sample"]]}

`name` and `about` are for people, and may be left out; so may `sysctl`, the settings of the host by their full
names; net.ipv4.tcp_congestion_control is reno if they do not say. `until` says when the run ends. Times are seconds
from the beginning.

**Who is there.** The host is 192.168.0.1, its listener port 8080. The peer is 192.0.2.1, and a connection is
called by the peer's port. The peer has no TCP of its own: it sends what the steps say, and nothing else. With
`"family": "ipv6"` in the trace they are 2001:db8::1 and 2001:db8:1::1, the router 2001:db8:1::fe, and sockets are of
AF_INET6; the host has its address of IPv4 too, for a step whose `ip` is one.

**A segment that arrives** is [time, "in", peer port, flags, seq, ack, more]. Flags are letters of FSRPAUEC; ack
is null where there is none. Numbers are relative: sequence numbers count from the initial one of the side that
counts, so a SYN has seq 0 and what follows begins at 1. The table of more may be left out, and so may each key:

    len     octets of data, which are all x
    win     the window field, 65535 if not given
    opts    options in order: ["mss", 1460], ["wscale", 7], ["sackOK"], ["TS", value, echo], ["nop"], ["eol"],
            ["sack", [[left, right], ...]], ["fo", cookie in hex], ["raw", octets in hex]
    isn     the peer's initial sequence number, in the first segment of a flow
    lport   the host's port, where it is not 8080
    ip      the peer's address, where it is not 192.0.2.1
    urg     the urgent pointer, 0 if not given
    ttl, tos   those of the IP header; of IPv6 hop limit and traffic class
    label   the flow label of IPv6, 0 if not given
    badsum  1: the checksum of TCP is wrong

An echo of a timestamp counts from the first timestamp that the host sent on the flow.

**A call** is [time, verb, ...]. What may be left out stands in parentheses:

    listen backlog ({"port", "rcvbuf", "maxseg", "defer", "syncnt", "fastopen", "opts"})   socket, bind, listen; once
                                          more: only listen; opts are [[level, name, value], ...], by numbers, set
                                          before that
    accept (port)                         gives the peer's port
    connect own port, peer's port ({"syncnt", "opts"})
    sendto own port, peer's port, octets, flags ({"syncnt", "opts"})   socket, bind, sendto(), as with MSG_FASTOPEN
                                          0x20000000: gives how many octets were taken
    send peer port, octets (flags)        gives how many were taken; flags by number, as 1 for MSG_OOB
    recv peer port, most octets (flags)   gives how many were read
    shutdown peer port, how               0 SHUT_RD, 1 SHUT_WR, 2 SHUT_RDWR
    close peer port                       gives 0 at once, also where SO_LINGER would have it wait
    closed peer port                      gives 1 where its last close() has returned, 0 while SO_LINGER has it wait
    rst_close peer port                   close() with SO_LINGER of 0 s
    setopt peer port, level, name, value  setsockopt(), by numbers; a value may be text, as "cubic" of TCP_CONGESTION
    setlinger peer port, on, seconds      SO_LINGER
    getopt peer port, level, name (, octets)   gives what getsockopt() gives, as a number; with room for so many octets
                                          these, in hex
    atmark peer port                      gives 1 where the next octet is the urgent one (SIOCATMARK), else 0
    poll peer port                        gives the bits of poll(): 1 IN, 2 PRI, 4 OUT, 8 ERR, 16 HUP, 8192 RDHUP
    recverr peer port                     recvmsg() with MSG_ERRQUEUE: gives the fields of struct sock_extended_err, by
                                          whom and to where, and len, the octets that it quotes
    icmp peer port, type, code ({"mtu", "seq", "lport", "ip", "flow_ip"})   an ICMP error arrives from 192.0.2.254 or
                                          ip; it quotes a segment to the peer, or to flow_ip, whose number is seq
    soerror peer port                     gives the errno of SO_ERROR, or 0
    close_listener
    shutdown_listener (how)
    sample                                gives the socket table and the counters

No call waits: one that would, fails with EAGAIN, or EINPROGRESS.

**The log** has an entry for each step as it was done, and for each packet that the host sent, each with its time
`t`; the end of the run is one more sample:

    {"t": 0.1, "in": [42001, "S", 0, null, {"opts": [["mss", 1460]]}]}
    {"t": 0.1, "out": 42001, "flags": "SA", "seq": 0, "ack": 1, "win": 64240, "len": 0, "opts": [["mss", 1460]],
     "df": 1, "ttl": 64, "tos": 0, "ipid0": 1}
    {"t": 0.3, "do": ["accept"], "ret": 42001}

`out` is the peer's port; `ip`, `lport` and `urg` stand there as they do above; `ipid0` is 1 where the IP header's
identification is 0. Over IPv6 there is `label` instead of `df` and `ipid0`: how many other flow labels the flow had
before this one, so that 0 is its first; null where the packet has none. A number that there is nothing to count from
is {"abs": number}. `ret` is the result of a call, or the name of its errno, such as "EAGAIN". That of a sample is
{"ss": rows, "mib": counters}: a row is [state, Recv-Q, Send-Q, own port, peer's port or *], a counter is there if it
has moved. The answered trace also says who answered: `emulator` names the generation, `kernel` the release of a real
one.

What counts as the same answer stands in `tcpemu.scenario.traces.judge`.
"""

from __future__ import annotations

import errno
import struct
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from random import Random
from typing import Any, Literal, TypeGuard

from tcpemu.generations import DEFAULT, generation
from tcpemu.stack import ConfigurationError, Event, Host, Sent, Socket, SocketError, TimerFired, Verdict
from tcpemu.stack.base import socket_constants as so
from tcpemu.stack.base.events import IcmpArrived
from tcpemu.stack.base.generation import Generation
from tcpemu.stack.base.host_arguments import why_no_ticks
from tcpemu.stack.base.units import MILLISECOND, SECOND
from tcpemu.stack.records.connection import Connection
from tcpemu.wire.codec_choice import decode
from tcpemu.wire.icmp import decode_icmp
from tcpemu.wire.refused import Refused
from tcpemu.wire.relative_numbers import (
    ENDS,
    HOST,
    IPV4,
    LISTENER_PORT,
    RelativeNumbers,
    TraceEnds,
    ends_of,
)
from tcpemu.wire.segment import FlowKey, Segment, address, address_text, flag_letters

_ROUTES = ((address("192.168.0.0"), 24), (address("192.0.2.0"), 24))
_IPV6_ROUTES = (*_ROUTES, (address("2001:db8::"), 64), (address("2001:db8:1::"), 64))
USUAL_HZ = 250
"""Ticks a second of the kernels whose logs there are."""
CYCLES = 7
"""How many phases of its cycle BBR may begin with."""
_RACE = 5 * MILLISECOND
"""So near each other a step and a timer of a real kernel may come in either order, as the machine does other things."""
_SLIPS = (
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    OverflowError,
    struct.error,
    NotImplementedError,
)
"""What is raised where a step is not as it should be."""
_KEYS = ("name", "about", "family", "sysctl", "until", "steps", "reactive", "log", "kernel", "emulator")
"""What a trace may have."""
_LARGEST_PORT = 65535
_LONGEST = 10_000_000
"""Seconds, or octets of one call: what is beyond is a slip of the pen."""
_UNCOMPARED = frozenset(
    (
        "CurrEstab",
        "InSegs",
        "OutSegs",
        "TCPHPAcks",
        "TCPPureAcks",
        "TCPHPHits",
        "TCPAutoCorking",
        "TCPOrigDataSent",
        "TCPDelivered",
    )
)
_BITS_OF_POLL = 1 | 2 | 4 | 8 | 16 | 0x2000
_LISTEN_OPTIONS = {
    "rcvbuf": (so.SOL_SOCKET, so.SO_RCVBUF),
    "maxseg": (so.IPPROTO_TCP, so.TCP_MAXSEG),
    "defer": (so.IPPROTO_TCP, so.TCP_DEFER_ACCEPT),
    "syncnt": (so.IPPROTO_TCP, so.TCP_SYNCNT),
    "fastopen": (so.IPPROTO_TCP, so.TCP_FASTOPEN),
}
Json = dict[str, Any]


class TraceError(ValueError):
    """A trace that cannot be run: the message says at which step, and what would be right."""


@dataclass(frozen=True, slots=True)
class Moments:
    """When things really happened in a run that has a log, where the trace only says when they should."""

    times: tuple[float, ...]
    """Seconds, of each step in order, and of the end."""
    sent: tuple[int, ...]
    """How many packets the host had sent before each of these."""
    packets: tuple[Json, ...] = ()
    """What the log says of each packet, in order."""
    phase: int = 0
    """Nanoseconds by which the kernel's clock was past a tick when the trace began."""
    paces_exactly: bool = False
    """A segment that waits for the pace leaves on time, though the log has it after the step that came then."""
    cycle: int | None = None
    """What BBR draws below `CYCLES`, where its cycle of phases begins; None for what the seed gives."""


def run(
    trace: Json,
    *,
    generation_name: str = DEFAULT,
    hz: int | Literal["usual"] | None = "usual",
    seed: int = 0,
    why: list[str] | None = None,
    moments: Moments | None = None,
) -> Json:
    """The trace with the log that the emulator gives. Raises TraceError; ConfigurationError for an unknown kernel.

    A list given as `why` gets a line for each segment that came or went and each timer that fired, with its reason.
    Sysctls of the trace that the kernel does not have are left out; `remarks` tells which.
    Timers are as late as those of a kernel of Linux built with that `hz` (100, 250 or 1000; "usual" is 250), since
    logs of real kernels are what this is laid beside. None fires them on time, as do kernels that are not Linux.
    With `moments` the steps come when they say, and where a step and a timer meet, in the order that they tell.
    """
    if not isinstance(trace, dict) or not isinstance(trace.get("steps"), list):
        raise TraceError("a trace is a JSON object with a list named steps")
    _check_keys(trace)
    until, settings = trace.get("until"), trace.get("sysctl", {})
    if not _is_time(until):
        raise TraceError(f"until is {until!r}; it is a number of seconds, 0 or more")
    if not isinstance(settings, dict):
        raise TraceError(f"sysctl is {settings!r}; it is an object of full names and values")
    try:
        ends = ends_of(trace)
    except ValueError as error:
        raise TraceError(str(error)) from error
    if "reactive" in trace:
        raise TraceError(
            "reactive: what that receiver does, a run on a kernel has to show first; it puts it into steps"
        )
    kernel = generation(generation_name)
    ticks = _usual_ticks(kernel) if hz == "usual" else hz
    wanted = {"net.ipv4.tcp_congestion_control": "reno", **settings}
    sysctls = {name: value for name, value in wanted.items() if name not in kernel.missing}
    own = [address(HOST), address(ends.host)] if ends.ipv6 else [address(HOST)]
    routes = _IPV6_ROUTES if ends.ipv6 else _ROUTES
    try:
        host = Host(own, kernel, sysctls=sysctls, seed=seed, hz=ticks, routes=routes)
    except ConfigurationError as error:
        raise TraceError(str(error) if str(error).startswith("hz ") else f"sysctl: {error}") from error
    player = _Player(host, why, moments, ends)
    for place, (index, step) in enumerate(_in_order(trace["steps"])):
        player.step(index, step, place)
    player.advance_to(len(trace["steps"]), until)
    player.do(-1, ["sample"])
    return {**trace, "emulator": generation_name, "log": player.log}


def _check_keys(trace: Json) -> None:
    """A trace may have keys of its owner's, but none that is a slip of the pen."""
    for key in trace.keys() - _KEYS:
        if close := get_close_matches(str(key), _KEYS, n=1, cutoff=0.75):
            raise TraceError(f"{key}: nothing in a trace goes by that name; did you mean {close[0]}?")


def _usual_ticks(kernel: Generation) -> int | None:
    return None if why_no_ticks(kernel) else kernel.hz


def _in_order(steps: list[Any]) -> list[tuple[int, list[Any]]]:
    for index, step in enumerate(steps):
        if not isinstance(step, list) or len(step) < 2 or not _is_time(step[0]):
            raise TraceError(f"steps[{index}] is {step!r}; a step is [seconds, verb, ...]")
    return sorted(enumerate(steps), key=lambda entry: entry[1][0])


def _is_time(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= _LONGEST


def _time(seconds: float) -> int:
    return round(seconds * SECOND)


class _Draws(Random):
    """Chance, but for where BBR's cycle begins."""

    def __init__(self, seed: int, cycle: int) -> None:
        super().__init__(seed)
        self._cycle = cycle

    def randrange(self, start: int, stop: int | None = None, step: int = 1) -> int:
        return self._cycle if start == CYCLES and stop is None else super().randrange(start, stop, step)


class _Player:
    """Runs steps on a host and writes the log."""

    def __init__(
        self, host: Host, why: list[str] | None, moments: Moments | None, ends: TraceEnds = ENDS[IPV4]
    ) -> None:
        self.host = host
        self.ends = ends
        self.why = why
        self.moments = moments
        self.start = moments.phase if moments is not None else 0
        self.now = self.start
        self.sent = 0
        self.log: list[Json] = []
        self.numbers = RelativeNumbers(ends)
        self.listeners: dict[int, Socket] = {}
        self.connections: dict[int, Socket] = {}
        self.closed: dict[int, Socket] = {}
        if moments is not None and moments.cycle is not None:
            host.tables.host.secrets.draw = _Draws(0, moments.cycle)

    # --- time -------------------------------------------------------------------------------------

    def advance_to(self, place: int, planned: float) -> None:
        """Let time pass until a step is to be done: its place among all, and when the trace has it."""
        moments = self.moments
        if moments is None:
            self._advance(_time(planned), 0)
            return
        until, wanted = _time(moments.times[place]) + self.start, moments.sent[place]
        self._advance(max(until - _RACE, self.now), 0)
        if self._compressed_ack(until):
            return
        if moments.paces_exactly:
            self._paced(until)
        # About now a timer may be a little late, or the step.
        if self.sent < wanted:
            self._advance(max(until, self.now), 0)
            self._advance(until + _RACE, wanted)
        self.now = max(self.now, until)

    def _compressed_ack(self, until: int) -> bool:
        """Fire that timer as soon as it would send what the log has next; whether it has to wait for this.

        Its time has a slack of its own, in which segments keep arriving: what it tells shows when it fired.
        """
        assert self.moments is not None
        for timer in self.host.pending():
            if timer.what != "compressed ACK" or timer.due > until + _RACE:
                continue
            if not self._is_next(timer.flow):
                self.now = max(self.now, until)
                return timer.due < until
            self.now = max(self.now, timer.due)
            self.host.advance(self.now)
            self._drain()
        return False

    def _paced(self, until: int) -> None:
        """Fire the timers up to the last before `until` that a pace has set: those are of high resolution."""
        while any(timer.what == "pacing" and timer.due < until for timer in self.host.pending()):
            due = self.host.next_timer()
            assert due is not None
            self._advance(min(due + 1, until), 0)

    def _is_next(self, flow: FlowKey) -> bool:
        """Whether an ACK of this connection that goes out now is the next one in the log."""
        assert self.moments is not None
        conn = self.host.tables.host.flows[flow]
        assert isinstance(conn, Connection)
        name = (address_text(flow[0]), flow[1])
        packets = [one for one in self.moments.packets if (one.get("ip", self.ends.peer), one["out"]) == name]
        done = sum(
            (one.get("ip", self.ends.peer), one.get("out")) == name for one in self.log if "out" in one
        )
        if done >= len(packets):
            return False
        start = self.numbers.flows[name[0], name[1], flow[3]].peer or 0
        sacks = [[edge - start & 0xFFFFFFFF for edge in block] for block in conn.rcv.sacks]
        said: list[list[int]] = next(
            (option[1] for option in packets[done]["opts"] if option[0] == "sack"), []
        )
        return packets[done].get("ack") == conn.rcv.nxt - start & 0xFFFFFFFF and said == sacks[: len(said)]

    def _advance(self, until: int, wanted: int) -> None:
        """Fire the timers that are due before then; only until so many packets were sent, if that is not 0."""
        # What happens at the very time of a timer comes first: a kernel's timers are never early.
        while (due := self.host.next_timer()) is not None and due < until:
            if wanted and self.sent >= wanted:
                return
            self.now = max(due, self.now)
            self.host.advance(self.now)
            self._drain()
        if not wanted:
            self.now = until

    def step(self, index: int, step: list[Any], place: int) -> None:
        self.advance_to(place, step[0])
        verb, arguments = step[1], step[2:]
        try:
            if verb == "in":
                self._log("in", arguments)
                self._segment_in(arguments)
                self._drain()
            else:
                self.do(index, [verb, *arguments])
        except TraceError:
            raise
        except _SLIPS as error:
            raise TraceError(f"steps[{index}] is {step!r}: {_words(error)}") from error

    def do(self, index: int, call: list[Any]) -> None:
        """A call of the application, and its result."""
        method: Callable[..., Any] | None = getattr(self, f"_do_{call[0]}", None)
        if method is None:
            verbs = sorted(name[4:] for name in dir(self) if name.startswith("_do_"))
            raise TraceError(f"steps[{index}]: no verb {call[0]!r}; there are in, {', '.join(verbs)}")
        _check_numbers(call[1:4] if call[0] == "setopt" and isinstance(call[-1], str) else call[1:])
        entry = self._log("do", call)
        try:
            entry["ret"] = method(*call[1:])
        except SocketError as error:
            # As a log of a real kernel has it, of the two names of one number: ENOTSUP.
            entry["ret"] = errno.errorcode[error.errno or 0]
        self._drain()

    def _log(self, kind: str, what: Any) -> Json:
        entry: Json = {"t": (self.now - self.start) / SECOND, kind: what}
        self.log.append(entry)
        return entry

    # --- segments ---------------------------------------------------------------------------------

    def _segment_in(self, arguments: list[Any]) -> None:
        """A segment from the peer, as octets, so that a wrong checksum can be one."""
        if not 4 <= len(arguments) <= 5:
            raise ValueError("a segment is in, peer port, flags, seq, ack, and perhaps a table")
        peer_port, flags, seq, ack = arguments[:4]
        extra: Json = arguments[4] if len(arguments) > 4 else {}
        if not isinstance(extra, dict):
            raise ValueError(f"found {extra!r}; more of a segment is a table")  # noqa: TRY004
        self.host.receive(decode(self.numbers.packet(peer_port, flags, seq, ack, extra)), self.now)

    def _drain(self) -> None:
        # What became of a segment before what was sent for it.
        for event in sorted(self.host.events(), key=lambda event: not isinstance(event, Verdict)):
            if self.why is not None and (words := _reason(event)):
                self.why.append(words)
        for segment in self.host.transmit():
            self.sent += 1
            self.log.append({"t": (self.now - self.start) / SECOND, **self.numbers.entry(segment)})

    # --- calls ------------------------------------------------------------------------------------

    def _do_listen(self, backlog: int, options: Json | None = None) -> int:
        options = options or {}
        port = options.get("port", LISTENER_PORT)
        unknown = options.keys() - _LISTEN_OPTIONS.keys() - {"port", "opts"}
        if unknown:
            raise ValueError(f"listen has no option {', '.join(sorted(unknown))} here")
        listener = self.listeners.get(port)
        if listener is None:
            listener = self.host.socket(ipv6=self.ends.ipv6)
            listener.setsockopt(so.SOL_SOCKET, so.SO_REUSEADDR, 1)
            listener.bind(None, port)
            self.listeners[port] = listener
        for name, (level, number) in _LISTEN_OPTIONS.items():
            if name in options:
                listener.setsockopt(level, number, options[name], self.now)
        self._set_all(listener, options)
        # Like the program that asks kernels, which is written in Python: its listen() takes no negatives.
        listener.listen(max(backlog, 0), self.now)
        return 0

    def _do_accept(self, port: int = LISTENER_PORT) -> int:
        child = self._listener(port).accept(self.now)
        assert child.remote is not None
        peer_port = child.remote[1]
        self.connections[peer_port] = child
        return peer_port

    def _do_connect(self, local_port: int, peer_port: int, options: Json | None = None) -> int | str:
        socket = self._bound(local_port, peer_port, options or {}, "connect")
        socket.connect(address(self.ends.peer), peer_port, self.now)
        return 0

    def _bound(self, local_port: int, peer_port: int, options: Json, verb: str) -> Socket:
        """A new socket with a port and options, which is to connect to the peer."""
        for port in (local_port, peer_port):
            if not 0 <= port <= _LARGEST_PORT:
                raise ValueError(f"{port} is no port; they are 0 to {_LARGEST_PORT}")
        socket = self.host.socket(ipv6=self.ends.ipv6)
        socket.bind(address(self.ends.host), local_port)
        if unknown := options.keys() - {"syncnt", "opts"}:
            raise ValueError(f"{verb} has no option {', '.join(sorted(unknown))} here")
        if "syncnt" in options:
            socket.setsockopt(so.IPPROTO_TCP, so.TCP_SYNCNT, options["syncnt"], self.now)
        self._set_all(socket, options)
        self.connections[peer_port] = socket
        return socket

    def _do_sendto(
        self, local_port: int, peer_port: int, count: int, flags: int, options: Json | None = None
    ) -> int:
        socket = self._bound(local_port, peer_port, options or {}, "sendto")
        return socket.sendto(_octets(count), address(self.ends.peer), peer_port, self.now, flags)

    def _set_all(self, socket: Socket, options: Json) -> None:
        for level, name, value in options.get("opts", []):
            socket.setsockopt(level, name, _option_value(value), self.now)

    def _do_send(self, peer_port: int, count: int, flags: int = 0) -> int:
        return self._connection(peer_port).send(_octets(count), self.now, flags)

    def _do_recv(self, peer_port: int, count: int, flags: int = 0) -> int:
        if count < 0:
            raise ValueError(f"{count} octets cannot be read; give 0 or more")
        if not count and self._connection(peer_port):
            # Like the program that asks kernels: Python's recv(0) does not call the kernel.
            return 0
        return len(self._connection(peer_port).recv(count, self.now, flags))

    def _do_shutdown(self, peer_port: int, how: int) -> int:
        self._connection(peer_port).shutdown(how, self.now)
        return 0

    def _do_close(self, peer_port: int) -> int:
        closed = self.closed[peer_port] = self._connection(peer_port)
        closed.close(self.now)
        del self.connections[peer_port]
        return 0

    def _do_closed(self, peer_port: int) -> int:
        if peer_port not in self.closed:
            raise ValueError(f"no connection with peer port {peer_port} has been closed yet")
        return int(not self.closed[peer_port].lingering)

    def _do_rst_close(self, peer_port: int) -> int:
        self._connection(peer_port).linger(True, 0)
        return self._do_close(peer_port)

    def _do_setopt(self, peer_port: int, level: int, name: int, value: int | str) -> int:
        self._connection(peer_port).setsockopt(level, name, _option_value(value), self.now)
        return 0

    def _do_setlinger(self, peer_port: int, on: int, seconds: int) -> int:
        self._connection(peer_port).linger(bool(on), seconds)
        return 0

    def _do_getopt(self, peer_port: int, level: int, name: int, length: int = 0) -> int | str:
        connection = self._connection(peer_port)
        if length:
            return connection.getsockopt_octets(level, name, length, self.now).hex()
        return connection.getsockopt(level, name, self.now)

    def _do_atmark(self, peer_port: int) -> int:
        return int(self._connection(peer_port).at_mark)

    def _do_poll(self, peer_port: int) -> int:
        return self._connection(peer_port).poll() & _BITS_OF_POLL

    def _do_recverr(self, peer_port: int) -> Json:
        entry = self._connection(peer_port).recv_error(self.now)
        return {
            "errno": errno.errorcode[entry.errno] if entry.errno else 0,
            "origin": entry.origin,
            "type": entry.kind,
            "code": entry.code,
            "info": entry.info,
            "data": entry.data,
            "by": None if entry.offender is None else address_text(entry.offender),
            "to": None if entry.target is None else [address_text(entry.target[0]), entry.target[1]],
            "len": len(entry.octets),
        }

    def _do_icmp(self, peer_port: int, kind: int, code: int, more: Json | None = None) -> int:
        error = decode_icmp(self.numbers.icmp_error(peer_port, kind, code, more or {}))
        if isinstance(error, Refused):
            raise ValueError(f"no ICMP error that TCP is told: {error.detail}")  # noqa: TRY004
        self.host.receive_icmp(error, self.now)
        return 0

    def _do_soerror(self, peer_port: int) -> int | str:
        number = self._connection(peer_port).getsockopt(so.SOL_SOCKET, so.SO_ERROR)
        return errno.errorcode[number] if number else 0

    def _do_close_listener(self) -> int:
        self._listener(LISTENER_PORT).close(self.now)
        del self.listeners[LISTENER_PORT]
        return 0

    def _do_shutdown_listener(self, how: int = so.SHUT_RDWR) -> int:
        self._listener(LISTENER_PORT).shutdown(how, self.now)
        return 0

    def _do_sample(self) -> Json:
        rows = []
        for row in self.host.sockets():
            remote = "*" if row.remote is None else str(row.remote[1])
            rows.append([row.state.ss_name, row.recv_q, row.send_q, str(row.local[1]), remote])
        counters = self.host.counters
        moved = {name: value for name, value in counters.items() if value and name not in _UNCOMPARED}
        return {"ss": sorted(rows), "mib": moved}

    def _listener(self, port: int) -> Socket:
        if port not in self.listeners:
            raise ValueError(f"nobody listens on port {port} yet")
        return self.listeners[port]

    def _connection(self, peer_port: int) -> Socket:
        if peer_port not in self.connections:
            raise ValueError(f"no connection with peer port {peer_port} has been accepted or opened yet")
        return self.connections[peer_port]


def _octets(count: int) -> bytes:
    if not 0 <= count <= _LONGEST:
        raise ValueError(f"{count} octets cannot be sent; give 0 to {_LONGEST}")
    return b"y" * count


def _check_numbers(values: list[Any]) -> None:
    """What a call takes are whole numbers, in a table too. Raises ValueError."""
    inner = [number for value in values if isinstance(value, dict) for number in _numbers_in(value)]
    for value in [*inner, *(value for value in values if not isinstance(value, dict))]:
        if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
            raise ValueError(f"found {value!r}; it must be a whole number")
        if value is not None and not -(1 << 31) <= value < 1 << 32:
            raise ValueError(f"found {value}; it does not fit an int of C")


def _option_value(value: int | str) -> int | bytes:
    """What is set: a number, or the octets of a text."""
    return value.encode() if isinstance(value, str) else value


def _numbers_in(table: Json) -> list[Any]:
    """The numbers of a table, those of its list of socket options among them. Raises ValueError."""
    numbers = [number for name, number in table.items() if name not in ("opts", "ip", "flow_ip")]
    options = table.get("opts", [])
    if not isinstance(options, list) or not all(isinstance(one, list) and len(one) == 3 for one in options):
        raise ValueError(f"opts is {options!r}; it is a list such as [[1, 8, 20000]]: level, name, value")
    return numbers + [number for option in options for number in option if not isinstance(number, str)]


def remarks(trace: Json, generation_name: str = DEFAULT) -> list[str]:
    """What is not done as the trace says, in words: sysctls that the kernel does not have."""
    kernel, own = generation(generation_name), trace.get("sysctl")
    return [
        f"{name} is left out: it is not there in {kernel.name}: {kernel.missing[name]}"
        for name in (own if isinstance(own, dict) else ())
        if name in kernel.missing
    ]


def _reason(event: Event) -> str:
    """In words why something was done; empty for what needs no reason."""
    at = f"{event.at / SECOND:.6f} s"
    match event:
        case Verdict(segment=Segment() as segment, outcome=outcome, reason=reason):
            flags = flag_letters(segment.flags) or "no flags"
            return f"{at} in  {segment.sport} {flags}: {outcome.value}: {reason.text} ({reason.source})"
        case Verdict(reason=reason):
            return f"{at} in  {reason.text} ({reason.source})"
        case Sent(segment=segment, reason=reason):
            return f"{at} out {segment.dport} {flag_letters(segment.flags)}: {reason.text} ({reason.source})"
        case IcmpArrived(error=error, reason=reason):
            return f"{at} in  {error}: {reason.text} ({reason.source})"
        case TimerFired(flow=flow, reason=reason):
            return f"{at} timer {flow[1]}: {reason.text} ({reason.source})"
    return ""


def _words(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"{error} is missing"
    return str(error)
