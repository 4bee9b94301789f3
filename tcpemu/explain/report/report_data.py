"""What a page shows of one run, as plain data for JSON.

A run is a list of scenes: each is one thing that a host did at one moment (a packet arrived, an application made
a call, a timer was due, a raw host sent) with all that followed from it. Packets go from scene to scene.
Sockets, queues and counters stand in the scene that changed them, with the value that they have from then on
(counters: by how much they moved), so that whoever goes through the scenes in order knows how all stands.
Keys that would say nothing are left out.
"""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from tcpemu.explain.capture.packet_comments import comment_on
from tcpemu.explain.facts.client_outcomes import ApplicationOutcome, client_outcome_lines, client_outcomes
from tcpemu.explain.facts.counter_meanings import MEANING
from tcpemu.explain.facts.flow_memory import FlowEnd
from tcpemu.explain.facts.flow_numbers import Relative
from tcpemu.explain.facts.host_sides import HostSides
from tcpemu.explain.facts.listen_backlog import backlog_words
from tcpemu.explain.facts.queue_limits import QueueLimits, queue_limits
from tcpemu.explain.facts.record_steps import HostStep, PacketLife, RecordItem, RecordSteps
from tcpemu.explain.facts.row_notes import BLACK_HOLE, NOBODY, drop_word
from tcpemu.explain.facts.rows import PacketRow, call_row, rows_of
from tcpemu.explain.ladder.ladder_lines import arrow_role
from tcpemu.explain.lines.segment_words import flag_words, option_words, state_word
from tcpemu.explain.lines.style import plain
from tcpemu.explain.phases.transfer_phases import NO_THRESHOLD
from tcpemu.explain.report.socket_changes import SocketChange, SocketKey
from tcpemu.explain.story.opening_and_closing import CLOSES_FIRST
from tcpemu.explain.story.story_paragraph import TurningPoint
from tcpemu.explain.story.turning_points import turning_points
from tcpemu.explain.story.turning_titles import LOSS
from tcpemu.network import Network
from tcpemu.network.record import CRASHES, NO_HOST, PROGRAM_ENDS, SILENT_ROUTER, WAITS, PacketSeen
from tcpemu.network.recorded.transfers import FiguresChanged
from tcpemu.scenario.format.consistency import SERVER
from tcpemu.scenario.running.result import Result
from tcpemu.stack.base.events import Outcome, Verdict
from tcpemu.wire.segment import FIN, Segment, endpoint_text

PageData: TypeAlias = dict[str, object]

SHOWN_OCTETS = 200
"""Of a payload, so many octets are shown."""
MOST_WINDOWS = 4
"""Senders whose windows are shown."""
LEAST_SENT = 4000
"""Who sends fewer octets has no windows worth a picture."""
MOST_POINTS = 4000
"""Of one sender's windows."""


@dataclass(frozen=True, slots=True)
class RunToShow:
    """A run of a network, as a page needs it."""

    network: Network
    name: str = ""
    """Of one among several."""
    server: str = SERVER
    """The host that the story is told of."""
    starts: Mapping[str, int] = field(default_factory=dict)
    """When each client begins, where that is known."""


def run_data(result: Result, sockets: Sequence[SocketChange]) -> PageData:
    """The run of a scenario, of which a `SocketWatch` saw these changes."""
    return network_data(RunToShow(result.network, result.name, starts=result.starts), sockets)


def network_data(run: RunToShow, sockets: Sequence[SocketChange]) -> PageData:
    """The run of a network, of which a `SocketWatch` saw these changes."""
    return _PageOfRun(run, sockets).data()


class _PageOfRun:
    """Puts numbers on hosts, sockets, listeners and packets, and tells them scene by scene."""

    def __init__(self, run: RunToShow, sockets: Sequence[SocketChange]) -> None:
        self._run = run
        self._steps = RecordSteps(run.network.record)
        self._all = rows_of(run.network.record)
        self._rows = {row.number: row for row in self._all if isinstance(row, PacketRow)}
        self._sides = HostSides(self._all)
        self._items = [item for item in self._steps.items if _is_scene(item, self._steps.lives)]
        seen = [*self._sides.left, *sorted(self._sides.right)]
        self._hosts = {name: n for n, name in enumerate(dict.fromkeys([*seen, *run.network.nodes]))}
        self._packets = {number: n for n, number in enumerate(self._rows)}
        self._sockets: dict[tuple[str, SocketKey], int] = {}
        self._listeners: dict[tuple[str, int], int] = {}
        self._limits = {name: queue_limits(host) for name, host in run.network.known_hosts.items()}
        self._changes = self._by_scene(sockets)
        self._totals: dict[str, dict[str, int]] = {}
        """Of each host, how far its counters have moved up to the scene that is made."""

    def data(self) -> PageData:
        run = self._run
        scenes = [self._scene(number, item) for number, item in enumerate(self._items)]
        return {
            "name": run.name,
            "ended": run.network.now,
            "hosts": [self._host(name) for name in self._hosts],
            "listeners": [self._listener(host, port) for host, port in self._listeners],
            "sockets": [self._socket(host, key) for host, key in self._sockets],
            "scenes": scenes,
            "packets": [self._packet(row) for row in self._rows.values()],
            "windows": self._windows(),
            "story": self._story(),
            "clients": [plain(each).strip() for each in client_outcome_lines(self._outcomes())],
        }

    def _host(self, name: str) -> PageData:
        node = self._run.network.nodes.get(name)
        address = node.addresses[0] if node is not None else "between them"
        return {"name": name, "address": address, "right": name in self._sides.right}

    def _socket(self, host: str, key: SocketKey) -> PageData:
        (local, port), remote = key
        who = self._sides.label_of_flow(host, (*remote, local, port)) if remote else ""
        return without_empty(
            host=self._hosts[host],
            local=_end(local, port),
            remote=endpoint_text(remote) if remote else "0.0.0.0:*",
            port=port,
            listens=remote is None,
            who=who,
        )

    def _listener(self, host: str, port: int) -> PageData:
        limits = self._limits.get(host)
        return without_empty(host=self._hosts[host], port=port, one_queue=bool(limits and limits.one_queue))

    def _windows(self) -> list[PageData]:
        """How the windows of each host that sends data stood and changed, who sends most first."""
        transfers = self._run.network.transfers
        sent: Counter[FlowEnd] = Counter()
        for row in self._rows.values():
            if row.segment.payload:
                sent[row.sender, row.segment.sender_flow] += len(row.segment.payload)
        found: list[PageData] = []
        for (host, flow), octets in sent.most_common(MOST_WINDOWS):
            changes = [] if transfers is None or octets < LEAST_SENT else transfers.of(host, flow)
            if changes:
                label = self._sides.label_of_flow(host, flow)
                who = host if label.startswith(":") else f"{host} to {label}"
                who = label if label.startswith(host) else who
                found.append({"who": who, "changes": windows_of(changes)})
        return found

    def _outcomes(self) -> list[ApplicationOutcome]:
        return client_outcomes(self._run.network.record, self._run.starts, self._run.network.now)

    def _story(self) -> list[PageData]:
        network = self._run.network
        points = turning_points(
            network.record, self._run.server, network.known_hosts, self._all, network.transfers
        )
        return [
            without_empty(
                at=point.at, title=point.title, text=point.text, change=point.change, scene=self._place(point)
            )
            for point in points
        ]

    def _place(self, point: TurningPoint) -> int:
        """The scene of a turning point: of those at its time the first in which its reason was given."""
        first = bisect_left(self._items, point.at, key=lambda item: item.at)
        for place in range(first, bisect_right(self._items, point.at, key=lambda item: item.at)):
            item = self._items[place]
            if point.packet is not None and point.packet in _packets_of(item):
                return place
            if point.packet is None and point.reason in self._reasons(item):
                return place
        return min(first, len(self._items) - 1)

    def _reasons(self, item: RecordItem) -> Iterator[str]:
        """The names of all reasons for what happened in a scene."""
        if isinstance(item, PacketSeen):
            yield from self._reasons_sent(item.number)
            return
        if item.verdict:
            yield item.verdict.reason.name
        yield from (timer.reason.name for timer in item.timers)
        for number in item.sent:
            yield from self._reasons_sent(number)

    def _reasons_sent(self, number: int) -> Iterator[str]:
        life = self._steps.lives[number]
        if life.reason:
            yield life.reason.reason.name
        if life.lost:
            silent = life.lost.why.endswith(SILENT_ROUTER)
            yield NOBODY if life.lost.why == NO_HOST else BLACK_HOLE if silent else LOSS
        if self._rows[number].segment.flags & FIN:
            yield CLOSES_FIRST

    # Scenes.

    def _by_scene(self, changes: Iterable[SocketChange]) -> dict[int, list[SocketChange]]:
        """The changes by the scene that they belong to: the last one that had begun."""
        places = [(item.first, n) for n, item in enumerate(self._items) if isinstance(item, HostStep)]
        firsts = [first for first, _ in places]
        by_scene: dict[int, list[SocketChange]] = {}
        for change in changes:
            place = bisect_right(firsts, change.entries - 1) - 1
            by_scene.setdefault(places[max(place, 0)][1] if places else 0, []).append(change)
        return by_scene

    def _scene(self, number: int, item: RecordItem) -> PageData:
        if isinstance(item, PacketSeen):
            sent = [self._packets[item.number]]
            return without_empty(at=item.at, host=self._hosts[item.node], kind="send", sent=sent)
        return without_empty(
            at=item.at,
            host=self._hosts[item.node],
            kind="packet" if item.arrival is not None else "call" if item.call else "timer",
            packet=None if item.arrival is None else self._packets[item.arrival],
            text=_text(item),
            by=item.call.application if item.call else "",
            sent=[self._packets[each] for each in item.sent],
            states=[state_word(change.new) for change in item.changes],
            result=item.call.result if item.call and item.call.result != WAITS else "",
            ignored=drop_word(item.verdict),
            answered=answered_word(item.verdict),
            note=self._note(item),
            queues=[self._queue(item.node, *each) for each in _last_queues(item)],
            sockets=[self._change(each) for each in self._changes.get(number, ())],
            counted=self._moved(item),
            accepted=self._accepted(item),
        )

    def _moved(self, item: HostStep) -> dict[str, int]:
        """By how much each counter moved; a crash takes all of them back to 0. Asked in the order of the scenes."""
        totals = self._totals.setdefault(item.node, {})
        if item.call and item.call.text == CRASHES and not item.call.application:
            moved = {name: -total for name, total in totals.items()}
            totals.clear()
            return moved
        for name, by in item.sums.items():
            totals[name] = totals.get(name, 0) + by
        return item.sums

    def _note(self, item: HostStep) -> str:
        """Why a listener's backlog is not the one that was asked for."""
        if item.call is None or not item.queues:
            return ""
        return backlog_words(call_row(item, item.call), self._run.network.known_hosts.get(item.node))

    def _queue(self, host: str, port: int, accept: int, syn: int, backlog: int) -> list[int | None]:
        listener = self._listeners.setdefault((host, port), len(self._listeners))
        limits: QueueLimits | None = self._limits.get(host)
        most = (limits.accept(backlog), limits.syn(backlog)) if limits else (None, None)
        return [listener, accept, syn, backlog, *most]

    def _change(self, change: SocketChange) -> list[object]:
        number = self._sockets.setdefault((change.node, change.key), len(self._sockets))
        row = change.row
        return [number] if row is None else [number, row.state.ss_name, row.recv_q, row.send_q]

    def _accepted(self, item: HostStep) -> int | None:
        """The socket that accept() gave."""
        call = item.call
        if call is None or call.flow is None or not call.text.startswith("accept(") or call.result == WAITS:
            return None
        remote, remote_port, local, port = call.flow
        return self._sockets.get((item.node, ((local, port), (remote, remote_port))))

    # Packets.

    def _packet(self, row: PacketRow) -> PageData:
        return segment_fields(row.segment, row.relative) | without_empty(
            sender=self._hosts[row.sender],
            receiver=None if row.receiver is None else self._hosts[row.receiver],
            at=row.at,
            arrived=row.arrived,
            lost=row.lost,
            copy_of=None if row.copy_of is None else self._packets.get(row.copy_of),
            role=arrow_role(row).value,
            repeat=(row.sent.repeat if row.sent else 0) or None,
            comment=comment_on(row),
            who=self._sides.left_label(*self._sides.left_end(row)),
        )


def segment_fields(segment: Segment, relative: Relative) -> PageData:
    """What the page shows of any segment, with its numbers counted from the SYNs."""
    return without_empty(
        flags=flag_words(segment.flags),
        source=_end(segment.src, segment.sport),
        target=_end(segment.dst, segment.dport),
        seq=relative.seq,
        ack=relative.ack,
        window=relative.window,
        raw=[segment.seq, segment.ack, segment.window],
        options=option_words(segment),
        length=len(segment.payload) or None,
        payload=_preview(segment.payload),
        ttl=segment.ttl,
    )


def windows_of(changes: Sequence[FiguresChanged]) -> list[list[int]]:
    """Time, congestion window, threshold (0: none yet), in flight, state of recovery, srtt and RTO in microseconds, and
    the peer's window, whenever one of the first five changes; of very many some.
    """
    told: list[list[int]] = []
    for at, now, _ in changes:
        threshold = now.ssthresh if now.ssthresh < NO_THRESHOLD else 0
        row = [at, now.cwnd, threshold, now.in_flight, now.ca_state, now.srtt, now.rto, now.snd_wnd]
        if told and told[-1][1:5] == row[1:5]:
            continue
        if told and told[-1][0] == at:
            told[-1] = row
        else:
            told.append(row)
    step = len(told) // MOST_POINTS + 1
    return [row for n, row in enumerate(told) if n % step == 0 or row[4] != told[n - 1][4]]


def _packets_of(item: RecordItem) -> tuple[int, ...]:
    """The packet that arrived in a scene, or those that were sent in it."""
    if isinstance(item, PacketSeen):
        return (item.number,)
    return (item.arrival,) if item.arrival is not None else tuple(item.sent)


def _is_scene(item: RecordItem, lives: Mapping[int, PacketLife]) -> bool:
    """Whether there is anything to see in it. What a host sends stands in the scene that made it send."""
    if isinstance(item, PacketSeen):
        life = lives[item.number]
        return life.departure is None and life.sent is not None
    call = item.call
    if call is None or item.sent or item.queues or item.changes:
        return True
    return call.result != WAITS and call.text != PROGRAM_ENDS


def _text(item: HostStep) -> str:
    """The call, or why timers were due."""
    if item.call is not None:
        return item.call.text
    return "; ".join(dict.fromkeys(f"{timer.reason.text} [{timer.reason.source}]" for timer in item.timers))


def answered_word(verdict: Verdict | None) -> str:
    """What was said to a packet that changed nothing, in a word; empty where it did, or nothing was said."""
    if verdict is None or verdict.outcome is not Outcome.ANSWERED:
        return ""
    name = verdict.reason.name
    return next((word for part, word in _ANSWERS.items() if part in name), "answered")


_ANSWERS = {"COOKIE": "cookie", "CHALLENGE": "challenge ACK"}
"""What an answer is called, by a part of its reason's name."""


def _last_queues(item: HostStep) -> Iterator[tuple[int, int, int, int]]:
    """The queues as the step left them: port, accept, SYN, backlog."""
    for changed in {each.port: each for each in item.queues}.values():
        yield changed.port, changed.accept, changed.syn, changed.backlog


def without_empty(**values: object) -> PageData:
    """The values without those that say nothing. Numbers always say something."""
    return {key: value for key, value in values.items() if value or type(value) is int}


def _end(address: bytes, port: int) -> str:
    return endpoint_text((address or bytes(4), port))  # no address stands for every one, as in ss


def _preview(payload: bytes) -> str:
    """The first octets as text; what is no text as dots."""
    shown = payload[:SHOWN_OCTETS].decode("ascii", "replace")
    text = "".join(
        each if each.isprintable() and each != "\N{REPLACEMENT CHARACTER}" else "." for each in shown
    )
    return text + ("…" if len(payload) > SHOWN_OCTETS else "")


def meanings(runs: Iterable[PageData]) -> dict[str, str]:
    """What the counters that moved in these runs count."""
    names = {
        name
        for run in runs
        for scene in run["scenes"]  # type: ignore[attr-defined]
        for name in scene.get("counted", ())
    }
    return {name: MEANING[name] for name in sorted(names) if name in MEANING}
