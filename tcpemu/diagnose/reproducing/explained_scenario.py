"""The best explanation as a scenario: clients that do what those of the capture did, at a server as it was found.

Clients of a scenario have a TCP of their own, so what is written is what their programs did: when they connected, sent
and closed. What the capture shows of the network becomes delays and faults. The scenario is run before it is given
away: each connection has to fare as in the capture, and what is dropped has to be dropped for the same reasons.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from tcpemu.diagnose.claims.listener_diagnosis import Diagnosis
from tcpemu.diagnose.flows.flow_fate import fate_words
from tcpemu.diagnose.flows.flow_life import FlowLife
from tcpemu.diagnose.flows.survey import survey
from tcpemu.diagnose.reading.seen_segment import SeenSegment
from tcpemu.diagnose.replay.answering_host import Conversation
from tcpemu.diagnose.replay.listen_replay import LOST_BEHIND
from tcpemu.diagnose.replay.program_conduct import Called
from tcpemu.diagnose.replay.supposed_settings import LARGE
from tcpemu.diagnose.reproducing.cannot_make import CannotMakeError, check_can_make
from tcpemu.diagnose.reproducing.explained_host import ExplainedRun
from tcpemu.explain.capture.annotated_capture import capture_of
from tcpemu.generations import DEFAULT
from tcpemu.network.record import HostEvent
from tcpemu.scenario.format.load_scenario import from_text, runs
from tcpemu.scenario.format.problems import ScenarioError
from tcpemu.scenario.format.scenario_text import toml_of
from tcpemu.scenario.format.setting_paths import Document
from tcpemu.scenario.running.build import host_addresses
from tcpemu.scenario.running.build import run as run_scenario
from tcpemu.scenario.running.result import Result
from tcpemu.stack import Outcome, Verdict
from tcpemu.stack.base.units import MICROSECOND, MILLISECOND, SECOND
from tcpemu.wire.capture_file import write_capture
from tcpemu.wire.segment import ACK, FIN, RST, SYN, FlowKey, Segment, address

MOST_CONNECTIONS = 400
"""Of a scenario that anybody would read."""
_SOMAXCONN = 4096
"""What a kernel of today cuts a backlog to that nobody has raised."""
_USUAL_DELAY = 5 * MILLISECOND
_BEFORE_A_PACKET = 10 * MICROSECOND
"""So long before the packet that shows it, accept() is called."""
_AFTER = (100 * MILLISECOND, MICROSECOND)
"""How long a scenario goes on after the capture: programs may be a little later than those of the capture, and timers
fire that would have fired after its end."""
_A_WAIT = 10 * MICROSECOND
"""A shorter one of the server's program is none."""
_TOGETHER = 50 * MILLISECOND
"""Data with no longer a pause in it was given to TCP at once."""
_USUAL_MSS = {4: 1460, 16: 1440}
_HEADERS = {4: 40, 16: 60}


@dataclass(slots=True)
class _Client:
    """One connection, as its group in the scenario needs it. Times are the scenario's."""

    name: str
    told: Conversation
    delay: int
    start: int = 0
    do: list[Any] = field(default_factory=list)
    raw: bool = False
    resets: bool = False
    faults: list[dict[str, Any]] = field(default_factory=list)


def explained_scenario(run: ExplainedRun, diagnosis: Diagnosis, name: str) -> str:
    """The text of the scenario, run and found to do as the capture. Raises CannotMakeError."""
    check_can_make(run.supposed)
    other = [
        one.what
        for one in (diagnosis.found.best.unseen if diagnosis.found else ())
        if one.what != LOST_BEHIND
    ]
    if other:
        raise CannotMakeError(f"even the best explanation takes what nothing explains: {other[0]}")
    if len(run.conversations) > MOST_CONNECTIONS:
        raise CannotMakeError(
            f"{len(run.conversations):,} connections are too many for a scenario; cut out what is asked about with "
            f"'editcap -A -B'"
        )
    writer = _Writer(run)
    for after in _AFTER[:-1]:
        with suppress(CannotMakeError):
            return _tried(writer, name, diagnosis, after)
    return _tried(writer, name, diagnosis, _AFTER[-1])


def _tried(writer: _Writer, name: str, diagnosis: Diagnosis, after: int) -> str:
    """The text of a scenario that ends so long after the capture. Raises CannotMakeError."""
    text = toml_of(writer.document(name, diagnosis, after))
    try:
        scenario = from_text(text, f"{name}.toml")
    except ScenarioError as error:
        raise CannotMakeError(str(error).splitlines()[0]) from None
    (one,) = runs(scenario)
    _check(writer, run_scenario(one))
    return text


class _Writer:
    """Finds out what clients and server did, and writes it as tables."""

    def __init__(self, run: ExplainedRun) -> None:
        self.run = run
        known = {id(told): delay for told in run.conversations if (delay := _delay_of(told)) is not None}
        usual = int(median(known.values())) if known else _USUAL_DELAY
        self.usual = usual
        self.clients = [
            _Client(f"flow-{number}", told, known.get(id(told), usual))
            for number, told in enumerate(run.conversations, 1)
        ]
        self.begins = min(client.told.seen[0][0].at - client.delay for client in self.clients)
        for client in self.clients:
            self._note(client)

    def document(self, name: str, diagnosis: Diagnosis, after: int) -> Document:
        ends = max(seen.at for client in self.clients for seen, _ in client.told.seen)
        return {
            "title": f"As in {name}: {diagnosis.server}",
            "about": f"Made by tcpemu diagnose: the best explanation, {self.run.supposed.kernel}, "
            f"{self.run.supposed.words()}.",
            "duration": _duration(ends - self.begins + after),
            "link": {"delay": _duration(self.usual)},
            "server": self._server(),
            "clients": [self._group(client) for client in self.clients],
            "faults": [fault for client in self.clients for fault in client.faults],
        }

    # The server.

    def _server(self) -> Document:
        run = self.run
        supposed = run.supposed
        sysctls: dict[str, Any] = dict(supposed.sysctls())
        if _SOMAXCONN < supposed.backlog < LARGE:
            sysctls["net.core.somaxconn"] = supposed.backlog
        table: Document = {
            "port": run.port,
            "backlog": min(supposed.backlog, _SOMAXCONN) if supposed.backlog == LARGE else supposed.backlog,
        }
        if supposed.kernel != DEFAULT:
            table["generation"] = supposed.kernel
        if len(run.address) == 16:
            table["address"] = "2001:db8::1"
        if run.mtu != 1500:
            table["mtu"] = run.mtu
        if sysctls:
            table["sysctls"] = sysctls
        if supposed.defer:
            table["options"] = {"defer_accept": supposed.defer}
        times = [
            max(entry.at + run.base - self.begins - _BEFORE_A_PACKET, 0)
            for entry in run.entries
            if isinstance(entry, Called) and entry.verb == "accept"
        ]
        if not run.accepts_at_once:
            table["accept"] = {"at": [_duration(at) for at in sorted(times)]} if times else {"never": True}
        if actions := self._conversation():
            table["do"] = actions
        return table

    def _conversation(self) -> list[Any]:
        """What the server does with each connection, the same with all. Raises CannotMakeError."""
        acts = _acts_of(self.run)
        flow = max(acts, key=lambda flow: len(acts[flow]), default=None)
        if flow is None:
            return []
        for other, mine in acts.items():
            if not _begins_so(mine, acts[flow]):
                raise CannotMakeError(
                    f"the server of a scenario does the same with each connection, and this one did not: that with "
                    f"port {other[1]} is not as that with port {flow[1]}"
                )
        ends = {
            (told.life.client.address, told.life.client.port): told.life for told in self.run.conversations
        }
        client_first = ends[flow[:2]].first_close is ends[flow[:2]].client
        return list(_actions(acts[flow], client_first=client_first))

    # Clients.

    def _group(self, client: _Client) -> Document:
        group: Document = {"name": client.name, "start": _duration(client.start), "do": client.do}
        if client.delay != self.usual:
            group["link"] = {"delay": _duration(client.delay)}
        if client.resets:
            group["replies"] = "rst"
        if not client.raw:
            group |= self._of_its_syn(client)
        return group

    def _of_its_syn(self, client: _Client) -> Document:
        side = client.told.life.client
        family = len(self.run.address)
        table: Document = {"own_port": side.port}
        if side.mss is not None and side.mss != _USUAL_MSS[family]:
            table["mtu"] = min(max(side.mss + _HEADERS[family], 68), 65535)
        sysctls = {}
        if side.wscale is None:
            sysctls["net.ipv4.tcp_window_scaling"] = 0
        if not side.timestamps:
            sysctls["net.ipv4.tcp_timestamps"] = 0
        if sysctls:
            table["sysctls"] = sysctls
        return table

    def _note(self, client: _Client) -> None:
        told = client.told
        life = told.life
        inbound = [seen for seen, outbound in told.seen if not outbound]
        client.start = self._left(client, inbound[0])
        opened = any(seen.segment.flags & (SYN | RST) == 0 for seen in inbound)
        if not opened:
            self._note_syns(client, inbound)
            return
        client.do = ["connect", *self._speaks(client, inbound)]
        lost_syns = sum(seen.frame in self.run.lost for seen in inbound if seen.segment.flags & SYN)
        lost_acks = sum(seen.frame in self.run.lost for seen in inbound if not seen.segment.flags & SYN)
        begins = next(seen.at for seen in inbound if seen.segment.flags & (SYN | RST) == 0)
        answered = sum(
            outbound and seen.at < begins and bool(seen.segment.flags & SYN) for seen, outbound in told.seen
        )
        for role, times in (("syn", lost_syns), ("third-ack", lost_acks), ("syn-ack", max(answered - 1, 0))):
            if times:
                client.faults.append({"what": "lose", "role": role, "of": client.name, "times": times})
        if life.server.silent_repeats > 1:
            client.do += [{"wait": _duration(MILLISECOND)}, "abandon"]

    def _note_syns(self, client: _Client, inbound: list[SeenSegment]) -> None:
        """Who never answers a SYN|ACK sends bare SYNs, and perhaps a RST."""
        client.raw = True
        client.resets = any(seen.segment.flags & RST for seen in inbound)
        before = inbound[0].at
        for seen in inbound:
            if seen.segment.flags & RST:
                continue
            if client.do:
                client.do.append({"wait": _duration(seen.at - before)})
            client.do.append("syn")
            before = seen.at

    def _speaks(self, client: _Client, inbound: list[SeenSegment]) -> Iterator[Any]:
        """Data and the end of it, when they left; before each what had come by then is read."""
        fin: SeenSegment | None = None
        read = 0
        for piece in _pieces(inbound, _TOGETHER + 2 * client.delay):
            if piece.reset is None and piece.octets:
                yield from self._reads(client, piece.at, read)
                read = max(read, self._heard(client, piece.at))
                yield {"wait_until": _duration(max(piece.at - client.delay - self.begins, 0))}
                yield {"send": piece.octets}
            fin = fin or piece.fin
            if piece.reset is not None:
                yield {"wait_until": _duration(self._left(client, piece.reset))}
                yield "abort"
                return
        if fin is not None:
            yield from self._closes(client, fin, read)

    def _closes(self, client: _Client, fin: SeenSegment, read: int) -> Iterator[Any]:
        """At a time of its own, or once it has read the server's end."""
        life = client.told.life
        first = life.first_close is life.server and not life.client.zero_windows
        of_server = next(
            (seen.at for seen, outbound in client.told.seen if outbound and seen.segment.flags & FIN), fin.at
        )
        if first:
            yield "read_to_end"
            if (later := fin.at - of_server - 2 * client.delay) >= _A_WAIT:
                yield {"wait": _duration(later)}
        else:
            yield from self._reads(client, fin.at, read)
            yield {"wait_until": _duration(self._left(client, fin))}
        yield self._end_word(client, fin)

    def _reads(self, client: _Client, at: int, read: int) -> Iterator[Any]:
        """What the server had sent that the client can have read before it spoke."""
        heard = self._heard(client, at)
        if heard > read and not client.told.life.client.zero_windows:
            yield {"recv": heard - read}

    def _heard(self, client: _Client, at: int) -> int:
        """Octets of the server that had come to the client when it sent what came to the server at that time."""
        isn = client.told.life.server.isn
        if isn is None:
            return 0
        acked = [
            (seen.segment.ack - isn - 1) & 0xFFFFFFFF
            for seen, outbound in client.told.seen
            if not outbound and seen.at <= at and seen.segment.flags & ACK
        ]
        sent = [
            (seen.segment.seq + seen.length - isn - 1) & 0xFFFFFFFF
            for seen, outbound in client.told.seen
            if outbound and seen.length
        ]
        octets = [number for number in acked if number < 1 << 30]
        return min(max(octets, default=0), max((number for number in sent if number < 1 << 30), default=0))

    def _sends(self, client: _Client, at: int, octets: int) -> Iterator[Any]:
        yield {"wait_until": _duration(max(at - client.delay - self.begins, 0))}
        yield {"send": octets}

    def _end_word(self, client: _Client, fin: SeenSegment) -> str:
        """Whether the client still reads what comes after its FIN."""
        later = any(outbound and seen.length and seen.at > fin.at for seen, outbound in client.told.seen)
        return "half_close" if later else "close"

    def _left(self, client: _Client, seen: SeenSegment) -> int:
        """When a segment left the client."""
        return max(seen.at - client.delay - self.begins, 0)


@dataclass(frozen=True, slots=True)
class _Act:
    """What a program did with a connection."""

    verb: str
    number: int
    at: int


@dataclass(slots=True)
class _Piece:
    """Data that left at once, or an end."""

    at: int
    octets: int = 0
    last: int = 0
    fin: SeenSegment | None = None
    reset: SeenSegment | None = None


def _pieces(inbound: list[SeenSegment], pause: int) -> Iterator[_Piece]:
    """What a client sent that is new; a pause as long as that ends a piece."""
    highest: int | None = None
    piece: _Piece | None = None
    for seen in inbound:
        segment = seen.segment
        end = (segment.seq + seen.length) & 0xFFFFFFFF
        if segment.flags & SYN:
            highest = (segment.seq + 1) & 0xFFFFFFFF
            continue
        if segment.flags & RST:
            if piece is not None:
                yield piece
            yield _Piece(seen.at, reset=seen)
            return
        new = 0 if highest is None or not seen.length else (end - highest) & 0xFFFFFFFF
        if 0 < new < 1 << 30:
            if piece is not None and seen.at - piece.last > pause:
                yield piece
                piece = None
            piece = piece or _Piece(seen.at)
            piece.octets += new
            piece.last, highest = seen.at, end
        if segment.flags & FIN:
            piece = piece or _Piece(seen.at)
            piece.fin = piece.fin or seen
    if piece is not None:
        yield piece


def _acts_of(run: ExplainedRun) -> dict[FlowKey, list[_Act]]:
    """What was done with each connection that was accepted, in order; pieces of one message together."""
    acts: dict[FlowKey, list[_Act]] = {}
    for entry in run.entries:
        if not isinstance(entry, Called):
            continue
        mine = acts.setdefault(entry.flow, [])
        verb, number = entry.verb, entry.number
        before = mine[-1] if mine else None
        together = verb == "recv" or (before is not None and entry.at - before.at <= _TOGETHER)
        if before is not None and before.verb == verb and verb in ("recv", "send") and together:
            mine[-1] = _Act(verb, before.number + number, entry.at)
        else:
            mine.append(_Act(verb, number, entry.at))
    return acts


def _actions(acts: list[_Act], *, client_first: bool) -> Iterator[Any]:
    """As `do` of a server has them."""
    before = acts[0].at
    for place, act in enumerate(acts):
        following = acts[place + 1].verb if place + 1 < len(acts) else ""
        if act.verb in ("send", "shutdown", "close", "rst_close") and act.at - before >= _A_WAIT:
            yield {"wait": _duration(act.at - before)}
        before = act.at
        if act.verb == "recv":
            to_the_end = not following or (following in ("shutdown", "close") and client_first)
            yield "read_to_end" if to_the_end else {"recv": act.number}
        elif act.verb == "send":
            yield {"send": act.number}
        elif act.verb == "shutdown":
            yield "half_close" if following else "close"
        elif act.verb == "close":
            yield "close"
        elif act.verb == "rst_close":
            yield "abort"


def _begins_so(mine: list[_Act], longest: list[_Act]) -> bool:
    """Whether one server would do both: what was done less often was cut off by the end of the capture, or waits."""
    for place, (one, other) in enumerate(zip(mine, longest, strict=False)):
        waits = place == len(mine) - 1 and one.verb == "recv" and one.number < other.number
        if one.verb != other.verb or (one.number != other.number and not waits):
            return False
    return True


def _delay_of(told: Conversation) -> int | None:
    """One way from the client to the server: half of the least time from a SYN|ACK to the ACK of it."""
    gaps, sent = [], None
    for seen, outbound in told.seen:
        flags = seen.segment.flags
        if outbound and flags & SYN:
            sent = seen.at
        elif not outbound and sent is not None and flags & (SYN | RST) == 0 and flags & ACK:
            gaps.append(seen.at - sent)
            sent = None
    return min(gaps) // 2 if gaps and min(gaps) < SECOND else None


def _duration(nanoseconds: int) -> str:
    for unit, name in ((SECOND, "s"), (MILLISECOND, "ms"), (MICROSECOND, "us")):
        if nanoseconds % unit == 0:
            return f"{nanoseconds // unit} {name}"
    return f"{nanoseconds} ns"


# The check.


def _check(writer: _Writer, result: Result) -> None:
    """Each connection fares as in the capture, and what is dropped is dropped for the same reasons."""
    addresses = {address(text): name for name, text in host_addresses(result.scenario).items()}
    again = {addresses[flow.client.address]: flow for flow in _flows_of(result)}
    reasons = _reasons_of(result, addresses)
    wanted = _reasons_found(writer)
    for client in writer.clients:
        life, other = client.told.life, again.get(client.name)
        where = f"run as a scenario, the connection of {life.client}"
        if other is None:
            raise CannotMakeError(f"{where} does not come to the server")
        if _fares(life) != _fares(other):
            raise CannotMakeError(f"{where} is '{_fate_of(other)}', where the capture has '{_fate_of(life)}'")
        mine = wanted.get(client.name, set())
        if mine != reasons.get(client.name, set()):
            missing = sorted(mine ^ reasons.get(client.name, set()))
            raise CannotMakeError(f"{where} differs in what becomes of its segments: {', '.join(missing)}")


def _fares(flow: FlowLife) -> tuple[object, ...]:
    """What has to be the same."""
    return (
        fate_words(flow),
        flow.server.syn_count,
        flow.repeats_after_opened,
        bool(flow.client.octets),
        bool(flow.server.octets),
    )


def _fate_of(flow: FlowLife) -> str:
    return f"{fate_words(flow)}; SYN|ACKs: {flow.server.syn_count}"


def _flows_of(result: Result) -> list[FlowLife]:
    with TemporaryDirectory() as folder:
        path = Path(folder, "x.pcapng")
        write_capture(path, capture_of(result.record, comments=False))
        return survey(path).flows


def _reasons_of(result: Result, addresses: dict[bytes, str]) -> dict[str, set[str]]:
    """By client: why its segments were dropped or answered at the server."""
    found: dict[str, set[str]] = {}
    for entry in result.record.since(0):
        if isinstance(entry, HostEvent) and isinstance(entry.event, Verdict) and entry.node == "server":
            verdict = entry.event
            if verdict.outcome is Outcome.DROPPED and isinstance(verdict.segment, Segment):
                client = addresses.get(verdict.segment.src, "")
                found.setdefault(client, set()).add(verdict.reason.name)
    return found


def _reasons_found(writer: _Writer) -> dict[str, set[str]]:
    """The same in the best explanation."""
    found: dict[str, set[str]] = {}
    by_flow = {
        (client.told.life.client.address, client.told.life.client.port): client.name
        for client in writer.clients
    }
    for entry in writer.run.entries:
        if (
            isinstance(entry, Verdict)
            and entry.outcome is Outcome.DROPPED
            and isinstance(entry.segment, Segment)
        ):
            name = by_flow.get((entry.segment.src, entry.segment.sport), "")
            found.setdefault(name, set()).add(entry.reason.name)
    return found
