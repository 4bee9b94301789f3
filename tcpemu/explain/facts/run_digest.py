"""A run in short: its packets, whose connection each is of, SYN|ACKs that came again, RSTs, and how clients fared."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias, TypeGuard

from tcpemu.explain.facts.client_outcomes import ApplicationOutcome, client_outcomes
from tcpemu.explain.facts.rows import PacketRow, Row, rows_of
from tcpemu.explain.lines.segment_words import segment_kind
from tcpemu.network.record import MIDDLEBOX, Call, HostEvent, Record
from tcpemu.stack.base.events import Event, StateChanged
from tcpemu.stack.base.states import State
from tcpemu.wire.segment import ACK, RST, SYN, Address, Segment, address_text

ClientEnd: TypeAlias = tuple[Address, int]


@dataclass(frozen=True, slots=True)
class SentReset:
    """A RST that somebody sent."""

    at: int
    sender: str
    client: str
    """The client of whose connection it is; the sender may be this one too."""
    answers: str
    """What kind of segment it answers; empty if none."""


@dataclass(frozen=True, slots=True)
class RunDigest:
    """One run, as a story or a comparison needs it."""

    rows: tuple[PacketRow, ...]
    """Its packets in order."""
    server: str
    names: Mapping[ClientEnd, Sequence[tuple[int, str]]]
    """Clients by their addresses and ports, each with the time of its connect(): a port may be had again."""
    outcomes: tuple[ApplicationOutcome, ...]
    syn_ack_repeats: Mapping[ClientEnd, tuple[int, ...]] = field(default_factory=dict)
    """For each client that was sent a SYN|ACK, when others were: nanoseconds after its SYN had arrived."""
    resets: tuple[SentReset, ...] = ()

    def end_of(self, row: PacketRow) -> ClientEnd:
        """The client's address and port."""
        segment = row.segment
        forged = row.sender == MIDDLEBOX and row.receiver != self.server
        if row.sender == self.server or forged:
            return segment.dst, segment.dport
        return segment.src, segment.sport

    def client_of(self, row: PacketRow) -> str:
        """The client of whose connection the packet is; host and port where no connect() made it."""
        end = self.end_of(row)
        outward = row.sender in (self.server, MIDDLEBOX)
        host = row.receiver if outward else row.sender
        return self.name_at(end, row.at) or f"{host or address_text(end[0])}:{end[1]}"

    def name_at(self, end: ClientEnd, at: int) -> str:
        """The client that had that address and port at that time; empty where no connect() made it."""
        had = self.names.get(end, ())
        return next((name for since, name in reversed(had) if since <= at), had[0][1] if had else "")


def digest_of(record: Record, server: str, rows: Sequence[Row] | None = None) -> RunDigest:
    """The digest of a run, the server being the host of that name.

    `rows` are the record's, for who has them already: to make them takes longer than all the rest.
    """
    every = rows_of(record) if rows is None else rows
    packets = tuple(row for row in every if isinstance(row, PacketRow))
    bare = RunDigest(packets, server, _names(record), tuple(client_outcomes(record)))
    return RunDigest(packets, server, bare.names, bare.outcomes, _syn_ack_repeats(bare), tuple(_resets(bare)))


def _names(record: Record) -> dict[ClientEnd, list[tuple[int, str]]]:
    """The applications that called connect(), by the address and port that they got."""
    names: dict[ClientEnd, list[tuple[int, str]]] = {}
    call: Call | None = None
    for entry in record.each(Call, StateChanged):
        if isinstance(entry, Call):
            call = entry if entry.text.startswith("connect(") else None
        elif call and isinstance(entry, HostEvent) and _is_opening(entry.event):
            _, _, local, port = entry.event.flow
            names.setdefault((local, port), []).append((call.at, call.application or call.node))
    return names


def _is_opening(event: Event) -> TypeGuard[StateChanged]:
    return isinstance(event, StateChanged) and event.new is State.SYN_SENT


def _syn_ack_repeats(digest: RunDigest) -> dict[ClientEnd, tuple[int, ...]]:
    """The first SYN|ACK leaves when the SYN arrives, so time counts from there."""
    times: dict[ClientEnd, list[int]] = {}
    for row in digest.rows:
        answers = row.segment.flags & (SYN | ACK) == SYN | ACK and row.sender == digest.server
        if answers and row.copy_of is None:
            times.setdefault(digest.end_of(row), []).append(row.at)
    return {client: tuple(at - first for at in more) for client, (first, *more) in times.items()}


def _resets(digest: RunDigest) -> Iterator[SentReset]:
    for row in digest.rows:
        if row.segment.flags & RST and row.copy_of is None:
            met = row.sent_because.segment if row.sent_because else None
            answers = segment_kind(met) if isinstance(met, Segment) else ""
            yield SentReset(row.at, row.sender, digest.client_of(row), answers)
