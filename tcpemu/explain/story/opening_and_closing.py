"""Turning points at which nothing goes wrong: a handshake that completes, in the end or at once, and who closes first.

A ladder shows them without words, as changes of state; a story that leaves them out stops before its end.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tcpemu.explain.facts.changed_states import each_change
from tcpemu.explain.facts.row_notes import Note
from tcpemu.explain.facts.rows import CallRow, PacketRow, Row
from tcpemu.explain.facts.run_digest import RunDigest
from tcpemu.explain.lines.count_words import count
from tcpemu.explain.lines.segment_words import segment_kind
from tcpemu.explain.lines.style import Role
from tcpemu.explain.lines.time_words import moment, span_words
from tcpemu.network.endpoint import KnownHost
from tcpemu.network.record import Record
from tcpemu.stack.base.events import Outcome, StateChanged
from tcpemu.stack.base.states import State
from tcpemu.wire.segment import ACK, FIN, SYN, FlowKey

HANDSHAKE = "HANDSHAKE"
"""A handshake without trouble; told only where the whole run has none."""
PUT_OFF_DONE = "PUT_OFF_DONE"
CLOSES_FIRST = "CLOSES_FIRST"

UNTROUBLED = frozenset(
    {
        HANDSHAKE,
        CLOSES_FIRST,
        "SLOW_START",
        "SLOW_START_HYSTART",
        "BBR_STARTUP",
        "BBR_PROBE_RTT",
        "DELAYED_ACK",
    }
)
"""What a run without any trouble has."""
_NOT_OPEN = frozenset({State.CLOSE, State.LISTEN, State.SYN_SENT, State.SYN_RECV})


@dataclass(slots=True)
class _Connection:
    """One connection as far as its packets have told it."""

    syn: PacketRow | None = None
    """The first one of the client."""
    connected: PacketRow | None = None
    """What made the client's side ESTABLISHED."""
    done: PacketRow | None = None
    """What made the server's side ESTABLISHED."""
    troubles: list[PacketRow] = field(default_factory=list)
    """What was lost or ignored before that."""
    fin: PacketRow | None = None
    """The first one of either side."""
    half_closed: StateChanged | None = None
    """How the other side came into CLOSE-WAIT."""
    closed_too: StateChanged | None = None
    """How it left that."""
    time_wait: StateChanged | None = None
    """How the side that closed first came into TIME-WAIT."""


def opening_and_closing_notes(
    record: Record, rows: Sequence[Row], digest: RunDigest, hosts: Mapping[str, KnownHost]
) -> dict[int, list[Note]]:
    """What there is to tell of packets, by their numbers."""
    return _OpeningAndClosing(record, rows, digest, hosts).notes()


class _OpeningAndClosing:
    """Follows each connection through the rows."""

    def __init__(
        self, record: Record, rows: Sequence[Row], digest: RunDigest, hosts: Mapping[str, KnownHost]
    ) -> None:
        self._rows = rows
        self._digest = digest
        self._hosts = hosts
        self._accepted = dict(_accepts(rows))
        self._ends = _ends_of_time_wait(record)
        self._connections: dict[FlowKey, _Connection] = {}
        self._all: list[_Connection] = []
        self._notes: dict[int, list[Note]] = {}

    def notes(self) -> dict[int, list[Note]]:
        for row in self._rows:
            if isinstance(row, PacketRow) and row.copy_of is None:
                self._follow(row)
        for connection in self._all:
            if connection.fin:
                text = self._first_fin(connection, connection.fin)
                self._add(connection.fin, CLOSES_FIRST, text, departure=True)
        return self._notes

    def _follow(self, row: PacketRow) -> None:
        flow = self._flow(row)
        connection = self._connections.get(flow)
        ours = row.sender == self._digest.server
        if connection is None or (connection.done and row.segment.flags & (SYN | ACK) == SYN and not ours):
            connection = self._connections[flow] = _Connection()
            self._all.append(connection)
        if row.segment.flags & SYN and not ours:
            connection.syn = connection.syn or row
        if connection.done is None:
            self._open(connection, flow, row)
        self._close(connection, row)

    def _flow(self, row: PacketRow) -> FlowKey:
        """As the server calls it: the client's end first."""
        return row.segment.sender_flow if row.sender == self._digest.server else row.segment[:4]

    # How it opens.

    def _open(self, connection: _Connection, flow: FlowKey, row: PacketRow) -> None:
        if row.lost or row.outcome is Outcome.DROPPED:
            connection.troubles.append(row)
        change = row.receiver_change
        if change is None or change.new in _NOT_OPEN or change.old not in _NOT_OPEN:
            return
        if row.receiver != self._digest.server:
            connection.connected = row
            return
        connection.done = row
        if connection.troubles:
            self._add(row, PUT_OFF_DONE, self._put_off(connection, row), departure=False)
        elif connection.syn and connection.connected:
            text = self._handshake(connection.syn, connection.connected, row, self._accepted.get(flow))
            self._add(connection.syn, HANDSHAKE, text, departure=True)

    def _put_off(self, connection: _Connection, row: PacketRow) -> str:
        parts = ["it completes the handshake that was put off"]
        if connection.syn:
            parts[0] += f", {span_words((row.arrived or row.at) - connection.syn.at)} after the first SYN"
        parts.append(f"before: {', '.join(_troubles(connection.troubles))}")
        if connection.connected:
            since = moment(connection.connected.arrived or connection.connected.at)
            client = self._digest.client_of(row)
            parts.append(
                f"{client} says ESTABLISHED since {since}, {row.receiver} from now on: both ends agree"
            )
        return "; ".join(parts)

    def _handshake(self, syn: PacketRow, answer: PacketRow, ack: PacketRow, accepted: int | None) -> str:
        server, client = self._digest.server, self._digest.client_of(syn)
        came, done = answer.arrived or answer.at, ack.arrived or ack.at
        accept = (
            "nobody takes it out before the end"
            if accepted is None
            else f"accept() takes it out at {moment(accepted)}"
        )
        return (
            f"{server} answers with {segment_kind(answer.segment)} at {moment(answer.at)}; it arrives at "
            f"{moment(came)}, one round trip of {span_words(came - syn.at)} after the SYN left, and {client} "
            f"says ESTABLISHED; the {segment_kind(ack.segment)} to it arrives at {moment(done)}: {server} "
            f"says ESTABLISHED too, and the connection is in the accept queue; {accept}"
        )

    # How it closes.

    def _close(self, connection: _Connection, row: PacketRow) -> None:
        if row.segment.flags & FIN and connection.fin is None:
            connection.fin = row
        first = connection.fin
        if first is None:
            return
        for node, change in ((row.sender, row.sender_change), (row.receiver, row.receiver_change)):
            if change and node != first.sender and change.new is State.CLOSE_WAIT:
                connection.half_closed = change
            elif change and node != first.sender and change.old is State.CLOSE_WAIT:
                connection.closed_too = change
            if change and node == first.sender and change.new is State.TIME_WAIT:
                connection.time_wait = change

    def _first_fin(self, connection: _Connection, fin: PacketRow) -> str:
        """Who closed first and how, how long the other side left it half-closed, and who keeps TIME-WAIT."""
        cause = f"{fin.sender_change.cause} sends the first FIN" if fin.sender_change else "the first FIN"
        parts = [cause, *self._half_closed(connection, fin)]
        change = connection.time_wait
        if change:
            lasts = self._lasts(fin.sender, change)
            parts.append(f"so TIME-WAIT stays with {fin.sender}, from {moment(change.at)}{lasts}")
        return "; ".join(parts)

    def _half_closed(self, connection: _Connection, fin: PacketRow) -> Iterator[str]:
        """CLOSE-WAIT, where it lasts: a program that does not close what its peer has closed."""
        change = connection.half_closed
        if change is None:
            return
        other = fin.receiver if fin.receiver == self._digest.server else self._digest.client_of(fin)
        if connection.closed_too is None:
            waits = f"{other} is in CLOSE-WAIT from {moment(change.at)} to the end, for its program does not close"
            yield waits
        elif connection.closed_too.at > change.at:
            lasts = span_words(connection.closed_too.at - change.at)
            closes = connection.closed_too.new is State.LAST_ACK
            until = "its program closes too" if closes else f"it ends: {connection.closed_too.cause}"
            yield f"{other} stays in CLOSE-WAIT for {lasts}, until {until}"

    def _lasts(self, node: str, change: StateChanged) -> str:
        """` for 60 s, until 60.025 s`: until its time is over, or something else ends it."""
        ends = self._ends.get((node, change.flow), ())
        end = next((end for end in ends if end.at >= change.at), None)
        host = self._hosts.get(node)
        if end is not None:
            cause = "" if end.cause.endswith(_OVER) or not end.cause else f": {end.cause}"
            return f" for {span_words(end.at - change.at)}, until {moment(end.at)}{cause}"
        if host is None:
            return ""
        due = change.at + host.generation.time_wait
        return f" for {span_words(due - change.at)}, until {moment(due)}"

    def _add(self, row: PacketRow, rule: str, text: str, *, departure: bool) -> None:
        self._notes.setdefault(row.number, []).append(Note(text, Role.PLAIN, rule, of_departure=departure))


def _accepts(rows: Iterable[Row]) -> Iterator[tuple[FlowKey, int]]:
    """When accept() gave each connection."""
    for row in rows:
        if isinstance(row, CallRow) and row.flow and row.text.startswith("accept("):
            yield row.flow, row.at


_OVER = "in TIME-WAIT have passed"


def _ends_of_time_wait(record: Record) -> dict[tuple[str, FlowKey], list[StateChanged]]:
    ends: dict[tuple[str, FlowKey], list[StateChanged]] = {}
    for node, change in each_change(record):
        if change.old is State.TIME_WAIT:
            ends.setdefault((node, change.flow), []).append(change)
    return ends


_OFTEN = {1: "once", 2: "twice"}


def _troubles(rows: Iterable[PacketRow]) -> Iterator[str]:
    """`ACK ignored 4 times`."""
    tally = Counter((segment_kind(row.segment), "lost" if row.lost else "ignored") for row in rows)
    for (kind, what), number in tally.items():
        yield f"{kind} {what} {_OFTEN.get(number) or count(number, 'time')}"
