"""What became of the clients of one run, as far as it can stand in a cell beside that of another run."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import TypeAlias, TypeGuard

from tcpemu.explain.fates import Fate, fates_of
from tcpemu.explain.rows import PacketRow, Row, rows_of
from tcpemu.explain.words import count, flag_words, moment, seconds
from tcpemu.network.record import Call, HostEvent, Record
from tcpemu.stack.base.events import Event, StateChanged
from tcpemu.stack.base.states import State
from tcpemu.wire.segment import ACK, FIN, RST, SYN, Address, Segment, address_text

End: TypeAlias = tuple[Address, int]

CLIENTS_ONE_BY_ONE = 6
"""Clients that are told one by one; of more, those with the same fate are counted."""
RESETS_ONE_BY_ONE = 3
INSTANTS = 10
"""Of more, the others are counted."""


@dataclass(frozen=True, slots=True)
class Reset:
    """A RST that somebody sent."""

    at: int
    sender: str
    client: str
    """The client of whose connection it is; the sender may be this one too."""
    answers: str
    """What kind of segment it answers; empty if none."""


@dataclass(frozen=True, slots=True)
class Story:
    """One run."""

    rows: tuple[PacketRow, ...]
    """Its packets in order."""
    server: str
    names: Mapping[End, str]
    """Clients by their addresses and ports."""
    fates: tuple[Fate, ...]
    again: Mapping[End, tuple[int, ...]] = field(default_factory=dict)
    """For each client that was sent a SYN|ACK, when others were: nanoseconds after its SYN had arrived."""
    resets: tuple[Reset, ...] = ()

    def end_of(self, row: PacketRow) -> End:
        """The client's address and port."""
        segment = row.segment
        if row.sender == self.server:
            return segment.dst, segment.dport
        return segment.src, segment.sport

    def client_of(self, row: PacketRow) -> str:
        """The client of whose connection the packet is; host and port where no connect() made it."""
        end = self.end_of(row)
        host = row.receiver if row.sender == self.server else row.sender
        return self.names.get(end) or f"{host or address_text(end[0])}:{end[1]}"


def story_of(record: Record, server: str, rows: Sequence[Row] | None = None) -> Story:
    """The story that the record of a run tells, the server being the host of that name.

    `rows` are the record's, for who has them already: to make them takes longer than all the rest.
    """
    every = rows_of(record) if rows is None else rows
    packets = tuple(row for row in every if isinstance(row, PacketRow))
    bare = Story(packets, server, _names(record), tuple(fates_of(record)))
    return Story(packets, server, bare.names, bare.fates, _again(bare), tuple(_resets(bare)))


def _names(record: Record) -> dict[End, str]:
    """The application that called connect(), by the address and port that it got."""
    names: dict[End, str] = {}
    call: Call | None = None
    for entry in record:
        if isinstance(entry, Call):
            call = entry if entry.text.startswith("connect(") else None
        elif call and isinstance(entry, HostEvent) and _is_opening(entry.event):
            _, _, local, port = entry.event.flow
            names[local, port] = call.application or call.node
    return names


def _is_opening(event: Event) -> TypeGuard[StateChanged]:
    return isinstance(event, StateChanged) and event.new is State.SYN_SENT


def _again(story: Story) -> dict[End, tuple[int, ...]]:
    """The first SYN|ACK leaves when the SYN arrives, so time counts from there."""
    times: dict[End, list[int]] = {}
    for row in story.rows:
        answers = row.segment.flags & (SYN | ACK) == SYN | ACK and row.sender == story.server
        if answers and row.copy_of is None:
            times.setdefault(story.end_of(row), []).append(row.at)
    return {client: tuple(at - first for at in more) for client, (first, *more) in times.items()}


def _resets(story: Story) -> Iterator[Reset]:
    for row in story.rows:
        if row.segment.flags & RST and row.copy_of is None:
            met = row.sent_because.segment if row.sent_because else None
            answers = segment_kind(met) if isinstance(met, Segment) else ""
            yield Reset(row.at, row.sender, story.client_of(row), answers)


def segment_kind(segment: Segment) -> str:
    """`SYN`, `data`, `ACK`: what a reader calls it."""
    if segment.payload and not segment.flags & (SYN | FIN | RST):
        return "data"
    return flag_words(segment.flags)


# In words.


def story_rows(stories: Sequence[Story]) -> Iterator[tuple[str, list[str]]]:
    """Labels, and for each a cell for each story."""
    telling = most_telling(stories)
    if telling:
        label = f"SYN|ACK to {_name_of(telling, stories)} again, s after its SYN"
        yield label, [_again_words(story.again.get(telling)) for story in stories]
    if any(story.resets for story in stories):
        yield "RSTs, and to what", [_reset_words(story) for story in stories]
    yield from _client_rows(stories)


def most_telling(stories: Sequence[Story]) -> End | None:
    """The client to whom SYN|ACKs were sent again most often, in all stories together; None if to none."""
    sums: Counter[End] = Counter()
    for story in stories:
        sums.update({client: len(times) for client, times in story.again.items()})
    client, most = max(sums.items(), key=lambda item: item[1], default=(None, 0))
    return client if most else None


def _name_of(client: End, stories: Sequence[Story]) -> str:
    rows = ((story, row) for story in stories for row in story.rows)
    return next(story.client_of(row) for story, row in rows if story.end_of(row) == client)


def _again_words(times: Sequence[int] | None) -> str:
    if times is None:
        return "no SYN|ACK"
    words = [seconds(time, 3).rstrip("0").rstrip(".") for time in times[:INSTANTS]]
    more = [f"{len(times) - INSTANTS} more"] if len(times) > INSTANTS else []
    return ", ".join(words + more) or "never"


def _reset_words(story: Story) -> str:
    def kind(reset: Reset) -> tuple[str, str]:
        return reset.sender, reset.answers

    resets = sorted(story.resets, key=kind)
    parts = [_resets_alike(story, list(alike)) for _, alike in groupby(resets, kind)]
    return "; ".join(parts) or "none"


def _resets_alike(story: Story, resets: Sequence[Reset]) -> str:
    """Those of one sender that answer the same kind of segment."""
    one = resets[0]
    theirs = one.sender == story.server
    answered = f"to {one.answers}" if one.answers else "on its own"
    head = answered if theirs else f"by {one.sender} {answered}"
    if len(resets) > RESETS_ONE_BY_ONE:
        return f"{count(len(resets), 'RST')} {head}, {moment(one.at)} to {moment(resets[-1].at)}"
    each = [f"of {reset.client} {moment(reset.at)}" if theirs else moment(reset.at) for reset in resets]
    return f"{head} {', '.join(each)}"


def _client_rows(stories: Sequence[Story]) -> Iterator[tuple[str, list[str]]]:
    names = list(dict.fromkeys(fate.application for story in stories for fate in story.fates))
    if len(names) > CLIENTS_ONE_BY_ONE:
        yield "when clients knew", [_crowd_words(story.fates) for story in stories]
        return
    for name in names:
        fates = [{fate.application: fate for fate in story.fates}.get(name) for story in stories]
        yield f"when {name} knew", [_fate_words(fate) for fate in fates]


def _fate_words(fate: Fate | None) -> str:
    if fate is None:
        return "-"
    known = [] if fate.connected is None else [f"connected {moment(fate.connected)}"]
    if fate.error:
        known.append(f"{fate.error} {moment(fate.failed or 0)}")
    return ", ".join(known) or "never"


def _crowd_words(fates: Sequence[Fate]) -> str:
    """How many came to know what, and from when to when."""
    connected = [fate.connected for fate in fates if fate.connected is not None]
    parts = [_span("connected", connected)] if connected else []
    for error in sorted({fate.error for fate in fates if fate.error}):
        times = [fate.failed or 0 for fate in fates if fate.error == error]
        parts.append(_span(error, times))
    silent = sum(fate.connected is None and not fate.error for fate in fates)
    return "; ".join([*parts, f"{silent:,} never"] if silent else parts)


def _span(what: str, times: Sequence[int]) -> str:
    first, last = min(times), max(times)
    when = moment(first) if first == last else f"{moment(first)} to {moment(last)}"
    return f"{len(times):,} {what}, {when}"
