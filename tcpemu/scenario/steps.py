"""Step traces: what was done to one host, and what it answered, as JSON.

A trace lists segments that reach the host and calls of its applications, each with its time; running it adds a
log of all that the host sent and returned. The same file can be answered by a real kernel, so that both logs
can be laid side by side. Numbers in it are relative: sequence numbers to each side's initial one, timestamps
to the first that the host sent on the flow.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import Any

from tcpemu.generations import DEFAULT, generation
from tcpemu.stack import ConfigurationError, Host, Socket, SocketError
from tcpemu.stack import sockopt as so
from tcpemu.stack.units import SECOND
from tcpemu.wire import options as wire
from tcpemu.wire.codec import decode, encode
from tcpemu.wire.segment import RST, SYN, Segment, address, address_text, flag_letters, flags_of

LOCAL, PEER = "192.168.0.1", "192.0.2.1"
LISTENER_PORT = 8080
_ROUTES = ((address("192.168.0.0"), 24), (address("192.0.2.0"), 24))
_LETTERS = "FSRPAUEC"
_FIRST_ISN = 1_000_000
_MASK = 0xFFFFFFFF
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
_LISTEN_OPTIONS = {
    "rcvbuf": (so.SOL_SOCKET, so.SO_RCVBUF),
    "maxseg": (so.IPPROTO_TCP, so.TCP_MAXSEG),
    "defer": (so.IPPROTO_TCP, so.TCP_DEFER_ACCEPT),
    "syncnt": (so.IPPROTO_TCP, so.TCP_SYNCNT),
}
Json = dict[str, Any]


class TraceError(ValueError):
    """A trace that cannot be run: the message says at which step, and what would be right."""


def run(trace: Json, *, generation_name: str = DEFAULT, hz: int | None = 250, seed: int = 0) -> Json:
    """The trace with the log that the emulator gives. Raises TraceError.

    Timers are as late as those of a kernel built with that `hz` (100, 250 or 1000), since logs of real
    kernels are what this is laid beside; None fires them exactly on time.
    """
    if not isinstance(trace, dict) or not isinstance(trace.get("steps"), list):
        raise TraceError("a trace is a JSON object with a list named steps")
    until = trace.get("until")
    if not isinstance(until, int | float) or isinstance(until, bool) or until < 0:
        raise TraceError(f"until is {until!r}; it is a number of seconds, 0 or more")
    sysctls = {"net.ipv4.tcp_congestion_control": "reno", **trace.get("sysctl", {})}
    try:
        host = Host(
            [address(LOCAL)], generation(generation_name), sysctls=sysctls, seed=seed, hz=hz, routes=_ROUTES
        )
    except ConfigurationError as error:
        raise TraceError(f"sysctl: {error}") from error
    player = _Player(host)
    for index, step in _in_order(trace["steps"]):
        player.step(index, step)
    player.advance(_time(until))
    player.do(-1, ["sample"])
    return {**trace, "emulator": generation_name, "log": player.log}


def _in_order(steps: list[Any]) -> list[tuple[int, list[Any]]]:
    for index, step in enumerate(steps):
        if not isinstance(step, list) or len(step) < 2 or not isinstance(step[0], int | float):
            raise TraceError(f"steps[{index}] is {step!r}; a step is [seconds, verb, ...]")
    return sorted(enumerate(steps), key=lambda entry: entry[1][0])


def _time(seconds: float) -> int:
    return round(seconds * SECOND)


class _Flow:
    """The first numbers of one flow, by which all others are told."""

    __slots__ = ("first_stamp", "isn", "peer_isn")

    def __init__(self) -> None:
        self.isn: int | None = None
        self.peer_isn: int | None = None
        self.first_stamp: int | None = None


class _Player:
    """Runs steps on a host and writes the log."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.now = 0
        self.log: list[Json] = []
        self.flows: dict[tuple[str, int, int], _Flow] = {}
        self.listeners: dict[int, Socket] = {}
        self.connections: dict[int, Socket] = {}

    # --- time -------------------------------------------------------------------------------------

    def advance(self, until: int) -> None:
        # What happens at the very time of a timer comes first: a kernel's timers are never early.
        while (due := self.host.next_timer()) is not None and due < until:
            self.now = max(due, self.now)
            self.host.advance(self.now)
            self._drain()
        self.now = until

    def step(self, index: int, step: list[Any]) -> None:
        self.advance(_time(step[0]))
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
        except (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError) as error:
            raise TraceError(f"steps[{index}] is {step!r}: {_words(error)}") from error

    def do(self, index: int, call: list[Any]) -> None:
        """A call of the application, and its result."""
        method: Callable[..., Any] | None = getattr(self, f"_do_{call[0]}", None)
        if method is None:
            verbs = sorted(name[4:] for name in dir(self) if name.startswith("_do_"))
            raise TraceError(f"steps[{index}]: no verb {call[0]!r}; there are in, {', '.join(verbs)}")
        entry = self._log("do", call)
        try:
            entry["ret"] = method(*call[1:])
        except SocketError as error:
            entry["ret"] = error.name
        self._drain()

    def _log(self, kind: str, what: Any) -> Json:
        entry: Json = {"t": self.now / SECOND, kind: what}
        self.log.append(entry)
        return entry

    # --- segments that reach the host -------------------------------------------------------------

    def _flow(self, peer: str, peer_port: int, port: int) -> _Flow:
        return self.flows.setdefault((peer, peer_port, port), _Flow())

    def _segment_in(self, arguments: list[Any]) -> None:
        peer_port, letters, seq, ack = arguments[:4]
        extra: Json = arguments[4] if len(arguments) > 4 else {}
        peer, port = extra.get("ip", PEER), extra.get("lport", LISTENER_PORT)
        flow = self._flow(peer, peer_port, port)
        if flow.peer_isn is None:
            flow.peer_isn = extra.get("isn", _FIRST_ISN + peer_port)
        octets = encode(
            Segment(
                address(peer),
                peer_port,
                address(LOCAL),
                port,
                flow.peer_isn + seq & _MASK,
                0 if ack is None else (flow.isn or 0) + ack & _MASK,
                flags_of(letters),
                extra.get("win", 65535),
                tuple(_read_option(option, flow) for option in extra.get("opts", [])),
                b"x" * extra.get("len", 0),
                ttl=extra.get("ttl", 64),
                tos=extra.get("tos", 0),
                ip_id=1,
            )
        )
        if extra.get("badsum"):
            octets = octets[:36] + bytes((octets[36] ^ 0x55, octets[37] ^ 0x55)) + octets[38:]
        self.host.receive(decode(octets), self.now)

    # --- segments that the host sends -------------------------------------------------------------

    def _drain(self) -> None:
        for segment in self.host.transmit():
            self.log.append(self._segment_out(segment))

    def _segment_out(self, segment: Segment) -> Json:
        peer = address_text(segment.dst)
        flow = self._flow(peer, segment.dport, segment.sport)
        if segment.flags & SYN:
            flow.isn = segment.seq
        entry: Json = {"t": self.now / SECOND, "out": segment.dport, "flags": flag_letters(segment.flags)}
        if peer != PEER:
            entry["ip"] = peer
        if segment.sport != LISTENER_PORT:
            entry["lport"] = segment.sport
        absolute = flow.isn is None or (segment.flags & RST and segment.seq == 0)
        entry["seq"] = {"abs": segment.seq} if absolute else segment.seq - (flow.isn or 0) & _MASK
        if "A" in entry["flags"] or segment.ack:
            known = flow.peer_isn
            entry["ack"] = {"abs": segment.ack} if known is None else segment.ack - known & _MASK
        entry["win"], entry["len"] = segment.window, len(segment.payload)
        entry["opts"] = [_write_option(option, flow) for option in segment.options]
        entry["df"], entry["ttl"], entry["tos"] = int(segment.df), segment.ttl, segment.tos
        entry["ipid0"] = int(segment.ip_id == 0)
        return entry

    # --- calls ------------------------------------------------------------------------------------

    def _do_listen(self, backlog: int, options: Json | None = None) -> int:
        options = options or {}
        port = options.get("port", LISTENER_PORT)
        unknown = options.keys() - _LISTEN_OPTIONS.keys() - {"port"}
        if unknown:
            raise ValueError(f"listen has no option {', '.join(sorted(unknown))} here")
        listener = self.listeners.get(port)
        if listener is None:
            listener = self.host.socket()
            listener.setsockopt(so.SOL_SOCKET, so.SO_REUSEADDR, 1)
            listener.bind(None, port)
            self.listeners[port] = listener
        for name, (level, number) in _LISTEN_OPTIONS.items():
            if name in options:
                listener.setsockopt(level, number, options[name], self.now)
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
        socket = self.host.socket()
        socket.bind(address(LOCAL), local_port)
        if options and "syncnt" in options:
            socket.setsockopt(so.IPPROTO_TCP, so.TCP_SYNCNT, options["syncnt"], self.now)
        self.connections[peer_port] = socket
        socket.connect(address(PEER), peer_port, self.now)
        return 0

    def _do_send(self, peer_port: int, count: int) -> int:
        return self._connection(peer_port).send(b"y" * count, self.now)

    def _do_recv(self, peer_port: int, count: int) -> int:
        return len(self._connection(peer_port).recv(count, self.now))

    def _do_shutdown(self, peer_port: int, how: int) -> int:
        self._connection(peer_port).shutdown(how, self.now)
        return 0

    def _do_close(self, peer_port: int) -> int:
        self._connection(peer_port).close(self.now)
        del self.connections[peer_port]
        return 0

    def _do_rst_close(self, peer_port: int) -> int:
        self._connection(peer_port).linger(True, 0)
        return self._do_close(peer_port)

    def _do_setopt(self, peer_port: int, level: int, name: int, value: int) -> int:
        self._connection(peer_port).setsockopt(level, name, value, self.now)
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


def _read_option(option: list[Any], flow: _Flow) -> wire.Option:
    """An option of a step, its relative numbers made absolute."""
    kind = option[0]
    if kind == "TS":
        echo = 0 if flow.first_stamp is None else flow.first_stamp + option[2] & _MASK
        return wire.Timestamps(option[1], echo)
    if kind == "sack":
        isn = flow.isn or 0
        return wire.Sack(tuple((isn + left & _MASK, isn + right & _MASK) for left, right in option[1]))
    simple: dict[str, Callable[..., wire.Option]] = {
        "mss": wire.Mss,
        "wscale": wire.WScale,
        "sackOK": wire.SackOk,
        "nop": wire.Nop,
        "eol": wire.Eol,
        "fo": lambda text: wire.FastOpen(bytes.fromhex(text)),
        "raw": lambda text: wire.Garbage(bytes.fromhex(text)),
    }
    if kind not in simple:
        raise ValueError(f"no option {kind!r}; there are TS, sack, {', '.join(simple)}")
    return simple[kind](*option[1:])


def _write_option(option: wire.Option, flow: _Flow) -> list[Any]:
    match option:
        case wire.Timestamps(val, ecr):
            if flow.first_stamp is None:
                flow.first_stamp = val
            return ["TS", val - flow.first_stamp & _MASK, ecr]
        case wire.Sack(blocks):
            base = flow.peer_isn or 0
            return ["sack", [[left - base & _MASK, right - base & _MASK] for left, right in blocks]]
        case wire.Mss(value):
            return ["mss", value]
        case wire.WScale(shift):
            return ["wscale", shift]
        case wire.SackOk():
            return ["sackOK"]
        case wire.Nop():
            return ["nop"]
    raise AssertionError(f"a host never sends {option!r}")


def _words(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"{error} is missing"
    return str(error)
