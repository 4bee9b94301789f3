"""The story of a run in paragraphs: one for each kind of turning point, in the order in which they came.

A turning point is the first time that something unusual was done for one reason: a queue became full, a final
ACK was ignored, a request was given up. What happened again for the same reason is summed up in its
paragraph, so that a flood makes no longer a story than one lost packet.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from tcpemu.explain.facts.changed_states import each_change
from tcpemu.explain.facts.flow_memory import FlowEnd
from tcpemu.explain.facts.host_sides import HostSides
from tcpemu.explain.facts.listen_backlog import asked_backlog
from tcpemu.explain.facts.row_notes import (
    BLACK_HOLE,
    DISAGREEMENT,
    ZERO_WINDOW,
    Note,
    counters_moved,
    notes_of,
    reset_cause,
)
from tcpemu.explain.facts.rows import (
    UNKNOWN_FLOW,
    CallRow,
    IcmpRow,
    ListenerQueues,
    PacketRow,
    Row,
    TimerRow,
    rows_of,
)
from tcpemu.explain.facts.run_digest import RunDigest, digest_of
from tcpemu.explain.lines.count_words import count
from tcpemu.explain.lines.segment_words import segment_kind
from tcpemu.explain.lines.style import Role
from tcpemu.explain.lines.time_words import MOMENTS_LISTED, listed_moments, moment, span_words
from tcpemu.explain.phases.followed_transfers import FollowedTransfer, followed_transfers
from tcpemu.explain.story.awaited_acks import awaited_ack_points
from tcpemu.explain.story.crashes import crashes
from tcpemu.explain.story.failed_calls import failed_calls
from tcpemu.explain.story.full_queues import ACCEPT_FULL, QUEUE_FULL, SYN_FULL, FullQueue, full_queues
from tcpemu.explain.story.lone_ends import lone_ends
from tcpemu.explain.story.opening_and_closing import (
    CLOSES_FIRST,
    HANDSHAKE,
    UNTROUBLED,
    opening_and_closing_notes,
)
from tcpemu.explain.story.settings_advice import SettingsCase, settings_advice
from tcpemu.explain.story.story_paragraph import TurningPoint
from tcpemu.explain.story.transfer_points import ToldOfPhases, transfer_points
from tcpemu.explain.story.turning_titles import LOSS, TITLES, UNTROUBLED_TITLES
from tcpemu.explain.story.waits import Waits
from tcpemu.network.endpoint import KnownHost
from tcpemu.network.record import MIDDLEBOX, NO_HOST, Call, Record
from tcpemu.network.recorded.transfers import Transfers
from tcpemu.stack.base.events import GivenUp
from tcpemu.stack.base.socket_constants import IPPROTO_TCP, TCP_SYNCNT
from tcpemu.stack.base.states import State
from tcpemu.wire.segment import ACK, RST, Address, FlowKey, address_text

_QUEUES = {ACCEPT_FULL: "accept queue", SYN_FULL: "SYN queue", QUEUE_FULL: "queue"}
WITHOUT_PARAGRAPH = frozenset({DISAGREEMENT, "TIME_WAIT_OVER", ""})
"""What makes no paragraph of its own."""


@dataclass(frozen=True, slots=True)
class _Instance:
    """One time that something unusual was done."""

    at: int
    row: PacketRow | TimerRow
    note: Note
    node: str
    """The host that did it."""
    client: str
    """Whose connection it was about."""
    group: str
    """The host that the client is on."""


def turning_points(
    record: Record,
    server: str,
    hosts: Mapping[str, KnownHost],
    rows: Sequence[Row] | None = None,
    transfers: Transfers | None = None,
) -> list[TurningPoint]:
    """The story of a run, the server being the host of that name; `hosts` says which settings are in force.

    `rows` are those of the record, where they are there already. With `transfers`, which a network keeps where it is
    asked to (`Network.watch_transfers`), slow start, recoveries and time-outs are told as such.
    """
    rows = rows_of(record) if rows is None else rows
    ended = max((row.at for row in rows), default=0)
    followed = followed_transfers(record, rows, transfers, ended)
    finder = _TurningPoints(record, rows, digest_of(record, server, rows), hosts, followed)
    one_queue = {name for name, host in hosts.items() if host.generation.queues.one_queue}
    full = finder.full(full_queues(record, rows, one_queue))
    failed = list(failed_calls(record, rows, hosts))
    lone, switched = list(lone_ends(record, hosts)), list(crashes(record))
    phases = list(finder.phases())
    troubled = any(point.reason not in UNTROUBLED for point in phases)
    trouble = bool(failed or lone or switched or troubled)
    points = [*switched, *full, *finder.points(trouble=trouble), *phases, *failed, *lone]
    return sorted(points, key=lambda point: point.at)


class _TurningPoints:
    """Knows the names and the settings of a run."""

    def __init__(
        self,
        record: Record,
        rows: Sequence[Row],
        digest: RunDigest,
        hosts: Mapping[str, KnownHost],
        followed: Sequence[FollowedTransfer],
    ) -> None:
        calls = record.calls()
        self._rows = rows
        self._digest = digest
        self._hosts = hosts
        self._servers = HostSides(rows).right
        self._notes_without_trouble = opening_and_closing_notes(record, rows, digest, hosts)
        self._owners = {address: name for name, host in hosts.items() for address in host.addresses}
        self._owners.update(_owners(rows))
        self._asked = dict(_asked_backlogs(rows))
        self._waits = Waits(rows, calls)
        self._syncnt = dict(_syncnt_of_hosts(calls))
        self._crowds = _crowds(rows)
        self._listening = list(_listening(record))
        self._followed = followed
        self._told = ToldOfPhases(followed)

    def phases(self) -> Iterator[TurningPoint]:
        """What transfers go through."""
        yield from transfer_points(self._followed, self._hosts, self._name, self._servers)
        yield from awaited_ack_points(self._rows, self._hosts)

    def points(self, *, trouble: bool = False) -> Iterator[TurningPoint]:
        """All but full queues and failed calls; `trouble` says that there is some of those."""
        kinds: dict[tuple[str, bool, str], list[_Instance]] = {}
        troubles = list(self._instances())
        calm = [
            one
            for one in self._instances_without_trouble()
            if not (troubles or trouble) or one.note.rule != HANDSHAKE
        ]
        for instance in [*troubles, *calm]:
            key = _kind(instance), instance.node in self._servers, _decided_by(instance)
            kinds.setdefault(key, []).append(instance)
        for (kind, *_), instances in kinds.items():
            instances.sort(key=lambda instance: instance.at)
            yield self._point(kind, instances)

    def _point(self, kind: str, instances: Sequence[_Instance]) -> TurningPoint:
        first = instances[0]
        given_up = first.row.given_up if isinstance(first.row, TimerRow) else None
        case = replace(
            self._case(kind, first.node, first.row.queues, given_up),
            others=self._others_listen(first),
            crossed=self._waits.crosses(first.row, first.note.rule),
        )
        more = self._waits.sentence(first.row, first.note.rule)
        last = first.note.rule == BLACK_HOLE
        parts = (
            f"{self._lead(first)}.",
            self._disagreement(first),
            "" if last else more,
            self._again(kind, instances),
            more if last else "",
            self._waits.longest([one.row for one in instances], first.note.rule),
            _proof(first),
        )
        title = (
            _special_title(first) or TITLES.get(kind) or UNTROUBLED_TITLES.get(kind) or _plain_title(first)
        )
        text = " ".join(filter(None, parts))
        return TurningPoint(first.at, kind, title, text, settings_advice(case), len(instances))

    def _others_listen(self, one: _Instance) -> bool:
        """Whether somebody else listens on the port at which it happened."""
        if not isinstance(one.row, PacketRow):
            return False
        segment = one.row.segment
        port = segment.sport if one.node == one.row.sender else segment.dport
        return any(
            since <= one.at < until
            for node, at, since, until in self._listening
            if (node, at) == (one.node, port)
        )

    def _case(
        self, kind: str, node: str, queues: ListenerQueues | None, given_up: GivenUp | None = None
    ) -> SettingsCase:
        asked = self._asked.get((queues.node, queues.port, queues.backlog)) if queues else None
        crowd = self._crowds.get((queues.node, queues.port), 0) if queues else 0
        return SettingsCase(
            kind, self._hosts.get(node), node, queues, asked, given_up, self._syncnt.get(node), crowd
        )

    # What happened, each time.

    def _instances(self) -> Iterator[_Instance]:
        learned = _LearnedSizes()
        for row in self._rows:
            if isinstance(row, CallRow) or learned.says_nothing_new(row):
                continue
            for note in notes_of(row):
                lost = note.of_departure and note.role is Role.LOST
                if self._told.tells(row, note.rule):
                    continue
                if lost or note.rule not in WITHOUT_PARAGRAPH:
                    yield self._instance(row, note)

    def _instances_without_trouble(self) -> Iterator[_Instance]:
        for row in self._rows:
            if isinstance(row, PacketRow):
                for note in self._notes_without_trouble.get(row.number, ()):
                    yield self._instance(row, note)

    def _instance(self, row: PacketRow | TimerRow, note: Note) -> _Instance:
        if isinstance(row, TimerRow):
            remote, remote_port, local, local_port = row.flow
            end = (remote, remote_port) if row.node in self._servers else (local, local_port)
            return _Instance(row.at, row, note, row.node, self._name(*end, row.at), self._owner(end[0]))
        node = row.sender if note.of_departure else row.receiver or ""
        at = row.at if note.of_departure else row.arrived or row.at
        return _Instance(
            at, row, note, node, self._digest.client_of(row), self._owner(self._digest.end_of(row)[0])
        )

    def _name(self, address: Address, port: int, at: int) -> str:
        return self._digest.name_at((address, port), at) or f"{self._owner(address)}:{port}"

    def _owner(self, address: Address) -> str:
        return self._owners.get(address, "nobody")

    # In words.

    def _lead(self, one: _Instance) -> str:
        row, note = one.row, one.note
        if isinstance(row, IcmpRow):
            return f"An ICMP error arrives at {one.node}: {note.text}"
        if isinstance(row, TimerRow):
            about = "" if one.client == one.node else f", about {one.client}"
            return f"A timer of {one.node}{about}: {_after_name(note.text, one.node)}"
        ours = row.sender in self._servers
        forged = row.sender == MIDDLEBOX
        sender = row.sender if ours or forged else one.client
        receiver = one.client if ours and not forged else self._receiver(row)
        kind = segment_kind(row.segment)
        if note.of_departure:
            colon = "" if note.role in {Role.LOST, Role.AGAIN} and note.rule != ZERO_WINDOW else ":"
            return f"{sender} to {receiver}: {kind}{colon} {_after_name(note.text, row.sender)}"
        text = _after_name(note.text, row.receiver or "")
        if row.segment.flags & RST and (cause := reset_cause(row)):
            text += (
                f"; {sender} sent it at {moment(row.at)}, {cause}"
                if row.sent_because
                else f"; {sender} sent it at {moment(row.at)}: {cause}"
            )
        return f"{kind[0].upper()}{kind[1:]} of {sender} arrives at {receiver}: {text}"

    def _receiver(self, row: PacketRow) -> str:
        """Whom it was sent to, though it may never have arrived there."""
        if row.lost == NO_HOST:
            return row.receiver or "an address that nobody has"
        return row.receiver or self._owners.get(row.segment.dst) or address_text(row.segment.dst)

    def _disagreement(self, one: _Instance) -> str:
        if one.note.of_departure:
            return ""
        found = [note.text for note in notes_of(one.row) if note.rule == DISAGREEMENT]
        return f"{found[0][0].upper()}{found[0][1:]}." if found else ""

    def _again(self, kind: str, instances: Sequence[_Instance]) -> str:
        """The other times, in a sentence."""
        if len(instances) == 1:
            return ""
        groups: dict[str, list[_Instance]] = {}
        for one in instances[1:]:
            groups.setdefault(one.group, []).append(one)
        if len(groups) == 1 and len(instances) <= MOMENTS_LISTED + 1 and _same_client(instances):
            return f"{_again_at([one.at for one in instances])}{self._offsets(kind, instances)}."
        parts = [self._of_group(name, some) for name, some in groups.items()]
        total = f"{len(instances) - 1:,} more times: " if len(parts) > 1 else "Then "
        return f"{total}{'; '.join(parts)}."

    def _of_group(self, name: str, some: Sequence[_Instance]) -> str:
        """Those of the clients of one host."""
        if len(some) <= MOMENTS_LISTED and _same_client(some):
            return f"{some[0].client} at {listed_moments([one.at for one in some])}"
        return f"{count(len(some), 'time')} with {name}, until {moment(max(one.at for one in some))}"

    def _offsets(self, kind: str, instances: Sequence[_Instance]) -> str:
        """For the SYN|ACKs of one request, how long after the first one each of them came."""
        row = instances[0].row
        if kind != "SYN_ACK_AGAIN" or not isinstance(row, PacketRow):
            return ""
        after = self._digest.syn_ack_repeats.get(self._digest.end_of(row), ())
        if len(after) != len(instances):  # a SYN that came again was answered too
            return ""
        return f": {listed_moments(after)} after the first one"

    # Queues.

    def full(self, found: Sequence[FullQueue]) -> Iterator[TurningPoint]:
        for full in found:
            case = self._case(full.kind, full.node, full.queues)
            which = _QUEUES[full.kind]
            yield TurningPoint(
                full.at,
                full.kind,
                f"The {which} is full",
                _full_text(full, which),
                settings_advice(case),
                len(full.times),
            )


class _LearnedSizes:
    """Which ICMP errors tell a sender no smaller size than it knows: those about what left before it was told."""

    def __init__(self) -> None:
        self._left: dict[tuple[FlowEnd, int], int] = {}
        """When the last lost packet with this sequence number left."""
        self._told: dict[FlowEnd, tuple[int, int]] = {}
        """The last MTU that was told, and when."""

    def says_nothing_new(self, row: PacketRow | TimerRow) -> bool:
        """Whether the row is such an error; to be asked of each row, in their order."""
        if isinstance(row, PacketRow):
            if row.lost:
                self._left[(row.sender, row.segment.sender_flow), row.segment.seq] = row.at
            return False
        if not isinstance(row, IcmpRow) or row.error is None or not row.error.mtu:
            return False
        end = row.node, row.flow
        mtu, at = self._told.get(end, (0, 0))
        left = self._left.get((end, row.error.seq))
        if mtu == row.error.mtu and left is not None and left <= at:
            return True
        self._told[end] = row.error.mtu, row.at
        return False


def _asked_backlogs(rows: Sequence[Row]) -> Iterator[tuple[tuple[str, int, int], int]]:
    """With what backlog listen() was called, by host, port and the backlog in force."""
    for row in rows:
        if isinstance(row, CallRow) and row.queues and (asked := asked_backlog(row.text)) is not None:
            yield (row.queues.node, row.queues.port, row.queues.backlog), asked


def _listening(record: Record) -> Iterator[tuple[str, int, int, float]]:
    """The node and port of each socket that listened, from when, and until when."""
    since: dict[tuple[str, int], list[int]] = {}
    for node, change in each_change(record):
        here = node, change.flow[3]
        if change.new is State.LISTEN:
            since.setdefault(here, []).append(change.at)
        elif change.old is State.LISTEN and since.get(here):
            yield *here, since[here].pop(0), change.at
    for (node, port), times in since.items():
        yield from ((node, port, at, float("inf")) for at in times)


_FOUND_NO_ROOM = frozenset({"SYN_COOKIE", "SYN_QUEUE_FULL", "SYN_BACKLOG_LAST_QUARTER"})
_SYNCNT = f"setsockopt({IPPROTO_TCP}, {TCP_SYNCNT}, "


def _syncnt_of_hosts(calls: Sequence[Call]) -> Iterator[tuple[str, int]]:
    """The TCP_SYNCNT that the programs of a host have set on sockets."""
    for call in calls:
        if call.text.startswith(_SYNCNT) and not call.result.isupper():
            yield call.node, int(call.text.removeprefix(_SYNCNT).rstrip(")"))


def _crowds(rows: Sequence[Row]) -> dict[tuple[str, int], int]:
    """How many connections found no room in the SYN queue of each listener, by host and port."""
    flows: dict[tuple[str, int], set[FlowKey]] = {}
    for row in rows:
        if not isinstance(row, PacketRow) or row.queues is None:
            continue
        if row.evicted or (row.verdict and row.verdict.reason.name in _FOUND_NO_ROOM):
            flows.setdefault((row.queues.node, row.queues.port), set()).add(row.segment[:4])
    return {listener: len(some) for listener, some in flows.items()}


def _special_title(one: _Instance) -> str:
    """Where the same rule has two faces."""
    row = one.row
    if not isinstance(row, PacketRow):
        return ""
    if one.note.rule == "CHALLENGE_SYN" and row.segment.flags & ACK:
        return "A repeated SYN|ACK reaches an open connection: challenge ACK"
    if one.note.rule in UNKNOWN_FLOW and row.gone:
        kind = segment_kind(row.segment)
        return f"{kind[0].upper()}{kind[1:]} for a connection that is gone"
    return ""


def _kind(one: _Instance) -> str:
    return one.note.rule or LOSS


def _decided_by(one: _Instance) -> str:
    """The setting by which a timer gave up: what one setting decided, another does not change."""
    return one.row.given_up.setting if isinstance(one.row, TimerRow) and one.row.given_up else ""


def _owners(rows: Sequence[Row]) -> dict[Address, str]:
    """Which host each address was seen at."""
    owners: dict[Address, str] = {}
    for row in rows:
        if isinstance(row, PacketRow):
            if row.sender != MIDDLEBOX:
                owners[row.segment.src] = row.sender
            if row.receiver:
                owners[row.segment.dst] = row.receiver
    return owners


def _after_name(text: str, name: str) -> str:
    return text.removeprefix(f"{name}: ")


def _plain_title(one: _Instance) -> str:
    if one.note.rule == CLOSES_FIRST:
        return f"{one.node} closes first"
    if isinstance(one.row, TimerRow):
        return f"A timer of {one.node}"
    kind = segment_kind(one.row.segment)
    what = kind[0].upper() + kind[1:]
    return f"{what} of {one.row.sender}" if one.note.of_departure else f"{what} at {one.node}"


def _proof(one: _Instance) -> str:
    """The counters that moved the first time, and the kernel's function."""
    counters = counters_moved(one.row) if isinstance(one.row, PacketRow) and not one.note.of_departure else ""
    proof = "; ".join(filter(None, (one.note.source, counters)))
    return f"[{proof}]" if proof else ""


def _same_client(instances: Sequence[_Instance]) -> bool:
    return len({one.client for one in instances}) == 1


def _again_at(times: Sequence[int]) -> str:
    """The times after the first; what happened at its very moment is only counted."""
    first, *more = times
    later = [at for at in more if at != first]
    once_more = {1: "Once", 2: "Twice"}.get(len(more) - len(later), f"{len(more) - len(later)} times")
    if len(later) == len(more):
        return f"Again at {listed_moments(later)}"
    return f"{once_more} more at the same time" + (f", and again at {listed_moments(later)}" if later else "")


def _full_text(full: FullQueue, which: str) -> str:
    queues = full.queues
    if full.kind == QUEUE_FULL:
        length = queues.accept + queues.syn
        parts = f"{queues.accept} for accept() and {queues.syn} for the final ACK"
        waiting = f"{_waiting(length)} in one queue, {parts}"
    else:
        syn = full.kind == SYN_FULL
        length, waits = (queues.syn, "the final ACK") if syn else (queues.accept, "accept()")
        waiting = f"{_waiting(length)} for {waits}"
    more = f", one more than the backlog of {queues.backlog}" if length == queues.backlog + 1 else ""
    more = more or f", with a backlog of {queues.backlog}"
    return f"Port {queues.port} of {queues.node}: {waiting}{more}. {_ever_after(full, which)}"


def _waiting(length: int) -> str:
    return f"{count(length, 'connection')} {'waits' if length == 1 else 'wait'}"


def _ever_after(full: FullQueue, which: str) -> str:
    if full.room is None:
        return f"The {which} stays full to the end."
    again = full.times[1:]
    if full.by_end and not again:
        lasted = span_words(full.room - full.at)
        return f"The {which} stays full for {lasted}, until its listener ends at {moment(full.room)}."
    after = f"after {span_words(full.room - full.at)}" if full.room > full.at else "in the same moment"
    lasted = f"There is room again at {moment(full.room)}, {after}"
    lasted += ", when accept() takes one out" if full.by_accept else ""
    if not again:
        return f"{lasted}."
    if len(again) <= MOMENTS_LISTED:
        return f"{lasted}; it is full again at {listed_moments(again)}."
    return f"{lasted}; it is full {len(again):,} times more, the last time at {moment(again[-1])}."
