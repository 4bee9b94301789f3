"""The best explanation as a step trace: what was done to the server, and what it said.

The trace is run before it is given away, and has to say what the explanation says. Where the packets of the capture
are those too, they are its log, so that `tcpemu trace --check` compares the emulator with the real host; else the log
is the emulator's own, and it is told where the capture is otherwise. Results of calls and samples are the emulator's
in any case, as no capture has them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Any

from tcpemu.diagnose.flows.flow_life import FlowLife
from tcpemu.diagnose.replay.program_conduct import Called, Heard
from tcpemu.diagnose.replay.supposed_settings import LARGE
from tcpemu.diagnose.reproducing.cannot_make import CannotMakeError, check_can_make
from tcpemu.diagnose.reproducing.explained_host import ExplainedRun
from tcpemu.scenario.traces import phases, step_trace
from tcpemu.stack import Sent
from tcpemu.stack.base.units import SECOND
from tcpemu.wire.options import Option, Sack, Timestamps
from tcpemu.wire.relative_numbers import (
    ENDS,
    IPV4,
    IPV6,
    LISTENER_PORT,
    FlowOrigins,
    RelativeNumbers,
    Trace,
    words_of_option,
)
from tcpemu.wire.segment import ACK, FIN, PSH, SYN, FlowKey, Segment, address, flag_letters

_MASK = 0xFFFFFFFF
_MOST_READ = 1 << 20
_ETHERNET = {IPV4: 1500, IPV6: 1500}
_HEADERS = {IPV4: 40, IPV6: 60}
_MOST_ADDRESSES = 250
"""Of the network that the peer is in; further clients share them."""
_SOMAXCONN = 4096
_LEAST_MSS = 536
_STAMPS = 12
"""Octets that timestamps take of each segment."""


@dataclass(frozen=True, slots=True)
class MadeTrace:
    """A step trace with its log."""

    trace: Trace
    kernel: str
    otherwise: str
    """The first thing that the capture has otherwise, where the log is the emulator's; else empty."""

    def text(self) -> str:
        """As one line of JSON."""
        return json.dumps(self.trace, separators=(",", ":")) + "\n"


def explained_trace(run: ExplainedRun, name: str) -> MadeTrace:
    """The trace of a run, checked. Raises CannotMakeError."""
    writer = _Writer(run)
    trace = writer.trace(name)
    check_can_make(run.supposed)
    kernel = run.supposed.kernel
    answered = step_trace.run(trace, generation_name=kernel, hz=None)
    writer.check(answered)
    truth = {**answered, "log": writer.log_of_capture(answered)}
    found = phases.compare(truth, answered, generation_name=kernel, hz=None)
    if found.same:
        about = f"Made from {name}: the packets of the log are the capture's, all else the emulator's."
        return MadeTrace({**truth, "about": about}, kernel, "")
    about = f"Made from {name}: the log is the emulator's."
    return MadeTrace({**answered, "about": about}, kernel, str(found.difference))


@dataclass(slots=True)
class _Peer:
    """What a client is called in the trace."""

    ip: str
    port: int
    origins: FlowOrigins


class _Writer:
    """Writes steps, and what a host said, in the numbers of a trace."""

    def __init__(self, run: ExplainedRun) -> None:
        self._run = run
        self._family = IPV6 if len(run.address) == 16 else IPV4
        self._ends = ENDS[self._family]
        self._addresses: dict[bytes, str] = {}
        self._peers: dict[FlowKey, _Peer] = {}
        self._taken: set[int] = set()

    def trace(self, name: str) -> Trace:
        until = max((entry.at for entry in self._run.entries if isinstance(entry, Heard | Called)), default=0)
        settings: dict[str, object] = {
            "net.ipv4.tcp_congestion_control": "cubic",
            **self._run.supposed.sysctls(),
        }
        if self._run.supposed.backlog > _SOMAXCONN:
            settings["net.core.somaxconn"] = LARGE
        family = {"family": IPV6} if self._family == IPV6 else {}
        return {
            "name": name,
            "about": "",
            **family,
            "sysctl": settings,
            "until": _seconds(until + SECOND // 2),
            "steps": [self._listen(), *self._steps()],
        }

    def _listen(self) -> list[Any]:
        run, options = self._run, {}
        if run.supposed.defer:
            options["defer"] = run.supposed.defer
        usual = _ETHERNET[self._family]
        if run.mtu > usual:
            raise CannotMakeError(
                f"its SYN|ACKs announce an MSS of {run.mtu - _HEADERS[self._family]}, and the link of a step trace has "
                f"an MTU of {usual}"
            )
        if run.mtu < usual:
            options["maxseg"] = run.mtu - _HEADERS[self._family]
        return [0, "listen", run.supposed.backlog, *([options] if options else [])]

    def _steps(self) -> Iterator[list[Any]]:
        for entry in self._run.entries:
            if isinstance(entry, Heard):
                yield self._in(entry)
            elif isinstance(entry, Called):
                yield self._call(entry)
            elif isinstance(entry, Sent):
                self._learn(self._peer(entry.segment.sender_flow).origins, entry.segment)

    def _call(self, called: Called) -> list[Any]:
        at, port = _seconds(called.at), self._peer(called.flow).port
        match called.verb:
            case "accept":
                return [at, "accept"]
            case "recv":
                return [at, "recv", port, _MOST_READ]
            case "close" | "rst_close":
                return [at, called.verb, port]
        return [at, called.verb, port, called.number]

    def _in(self, heard: Heard) -> list[Any]:
        segment = heard.segment
        peer = self._peer(segment[:4])
        origins = peer.origins
        more: dict[str, Any] = {}
        if peer.ip != self._ends.peer:
            more["ip"] = peer.ip
        if origins.peer is None:
            origins.peer = more["isn"] = segment.seq
        if segment.payload:
            more["len"] = len(segment.payload)
        more |= {
            key: value
            for key, value, usual in (
                ("win", segment.window, 65535),
                ("ttl", segment.ttl, 64),
                ("tos", segment.tos, 0),
                ("urg", segment.urgent, 0),
            )
            if value != usual
        }
        if segment.options:
            more["opts"] = [_option(origins, option) for option in segment.options]
        seq = (segment.seq - origins.peer) & _MASK
        ack = (segment.ack - (origins.host or 0)) & _MASK if segment.flags & ACK else None
        flags = flag_letters(segment.flags & 0xFF)
        return [_seconds(heard.at), "in", peer.port, flags, seq, ack, *([more] if more else [])]

    def _learn(self, origins: FlowOrigins, segment: Segment) -> None:
        """Where numbers of the host count from, as the player of a trace does."""
        if segment.flags & SYN:
            origins.host = segment.seq
        for option in segment.options:
            if isinstance(option, Timestamps) and origins.clock is None:
                origins.clock = option.val

    # Names.

    def _peer(self, flow: FlowKey) -> _Peer:
        """Of a flow, as the server calls it. No two clients have one port, since a trace calls them by that."""
        if flow not in self._peers:
            port = flow[1]
            while port in self._taken:
                port = port % 65535 + 1
            self._taken.add(port)
            self._peers[flow] = _Peer(self._address(flow[0]), port, FlowOrigins())
        return self._peers[flow]

    def _address(self, real: bytes) -> str:
        place = len(self._addresses) % _MOST_ADDRESSES
        if real not in self._addresses:
            whole = self._ends.peer
            head = whole[:-1]
            self._addresses[real] = (
                whole if not place else head + (f"{place + 1:x}" if ":" in whole else str(place + 1))
            )
        return self._addresses[real]

    def check(self, answered: Trace) -> None:
        """The trace says what the explanation says, connection by connection. Raises CannotMakeError."""
        until = answered["until"] * SECOND
        said: dict[int, list[tuple[str, int, int]]] = {}
        for entry in self._run.entries:
            if isinstance(entry, Sent) and entry.at < until:
                said.setdefault(self._peer(entry.segment.sender_flow).port, []).append(_said(entry.segment))
        again: dict[int, list[tuple[str, int, int]]] = {}
        for entry in answered["log"]:
            if "out" in entry:
                again.setdefault(entry["out"], []).append((entry["flags"], entry["win"], entry["len"]))
        for port in said.keys() | again.keys():
            for one, other in zip_longest(said.get(port, []), again.get(port, [])):
                if one != other:
                    raise CannotMakeError(
                        f"run as a step trace, the host sends {_words(other)} to port {port} in place of {_words(one)}"
                    )

    # The capture.

    def log_of_capture(self, answered: Trace) -> list[dict[str, Any]]:
        """The log with the packets of the capture in place of the emulator's."""
        run = self._run
        numbers = RelativeNumbers(self._ends)
        packets: list[dict[str, Any]] = []
        for told in run.conversations:
            life = told.life
            peer = self._peers.get((life.client.address, life.client.port, run.address, run.port))
            if peer is None:
                continue
            for seen, outbound in told.seen:
                segment = seen.segment
                name = (peer.ip, peer.port, LISTENER_PORT)
                if not outbound:
                    origins = numbers.flows.setdefault(name, FlowOrigins())
                    origins.peer = segment.seq if origins.peer is None else origins.peer
                    continue
                renamed = seen.whole._replace(
                    src=address(self._ends.host),
                    sport=LISTENER_PORT,
                    dst=address(peer.ip),
                    dport=peer.port,
                )
                at = _seconds(max(seen.at - run.base, 0))
                packets += ({"t": at, **numbers.entry(piece)} for piece in _on_the_wire(renamed, life))
        entries = [entry for entry in answered["log"] if "out" not in entry]
        return sorted([*entries, *packets], key=lambda entry: (entry["t"], "out" in entry))


def _on_the_wire(segment: Segment, life: FlowLife) -> Iterator[Segment]:
    """As the network card cuts what the capture has in one piece (TSO): FIN and PSH are on the last one."""
    room = (life.client.mss or _LEAST_MSS) - (_STAMPS if segment.options and not segment.flags & SYN else 0)
    octets = segment.payload
    if len(octets) <= room:
        yield segment
        return
    for place in range(0, len(octets), room):
        last = place + room >= len(octets)
        flags = segment.flags if last else segment.flags & ~(FIN | PSH)
        yield segment._replace(
            seq=(segment.seq + place) & _MASK, payload=octets[place : place + room], flags=flags
        )


def _option(origins: FlowOrigins, option: Option) -> list[Any]:
    """An option of a peer: what it says of the host's numbers counts from these."""
    if isinstance(option, Timestamps):
        return ["TS", option.val, 0 if origins.clock is None else _signed(option.ecr - origins.clock)]
    if isinstance(option, Sack):
        return words_of_option(_as_the_peer_counts(origins), option)
    words = words_of_option(origins, option)
    if words[0] == "raw" and len(words) == 3:
        return ["raw", f"{words[1]:02x}{len(words[2]) // 2 + 2:02x}{words[2]}"]
    return words


def _as_the_peer_counts(origins: FlowOrigins) -> FlowOrigins:
    """The same with the host's numbers where the peer's are."""
    return replace(origins, peer=origins.host)


def _signed(difference: int) -> int:
    difference &= _MASK
    return difference if difference < 1 << 31 else difference - (1 << 32)


def _seconds(nanoseconds: int) -> float:
    return round(nanoseconds / SECOND, 9)


def _said(segment: Segment) -> tuple[str, int, int]:
    return flag_letters(segment.flags & 0xFF), segment.window, len(segment.payload)


def _words(said: tuple[str, int, int] | None) -> str:
    return "nothing" if said is None else f"{said[0]} win {said[1]} len {said[2]}"
