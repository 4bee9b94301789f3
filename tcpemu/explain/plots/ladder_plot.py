"""A run as a ladder for a slide: a line for each host, arrows for packets, data and its ACKs as trains.

Rows are moments of a host, in order and not to scale. Moments one after the other in which nothing but data and its
ACKs passes are one row, a train, whose packets are one thick arrow for each kind; none of them both leaves and arrives
in it, so each round trip has its own. What was lost or sent again, and whatever changes a state or a queue, stands by
itself.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tcpemu.explain.facts.host_sides import HostSides
from tcpemu.explain.facts.row_notes import drop_word
from tcpemu.explain.facts.rows import CallRow, PacketRow, Row, TimerRow, rows_of
from tcpemu.explain.ladder.ladder_lines import PAUSE, arrow_role
from tcpemu.explain.lines.segment_words import flag_words, state_word
from tcpemu.explain.lines.style import Role
from tcpemu.explain.lines.time_words import decimals_for, seconds, span_words
from tcpemu.explain.phases.followed_transfers import followed_transfers
from tcpemu.explain.phases.phase_notes import phase_headlines
from tcpemu.explain.plots.picture import NothingToDrawError
from tcpemu.network.record import NO_HOST
from tcpemu.scenario.running.result import Result

LEAST_TRAIN = 3
"""Moments that make a train."""
_TRAIN, _PAUSE = 1.5, 0.7
"""How high a train is, and the room of a pause, beside the row of one moment."""


@dataclass(frozen=True, slots=True)
class Arrow:
    """From one host's line to another's; of several packets of a kind where there is a train."""

    begin: tuple[float, float]
    """Number of the host, and place downwards."""
    end: tuple[float, float]
    wordings: tuple[str, ...]
    """What may stand on it, the longest first."""
    role: Role
    count: int = 1
    lost: bool = False


@dataclass(frozen=True, slots=True)
class Beside:
    """Words beside a host's line."""

    host: int
    at: float
    words: str
    right: bool
    role: Role


@dataclass(frozen=True, slots=True)
class LadderPicture:
    """All that is drawn, places downwards counted from 0."""

    title: str
    note: str
    hosts: tuple[str, ...]
    times: tuple[tuple[float, str], ...]
    arrows: tuple[Arrow, ...]
    beside: tuple[Beside, ...]
    height: float


@dataclass(slots=True)
class _Moment:
    """What one host did at one time."""

    at: int
    node: str
    rows: list[Row] = field(default_factory=list)
    arrivals: list[PacketRow] = field(default_factory=list)
    departures: list[PacketRow] = field(default_factory=list)

    @property
    def packets(self) -> Iterator[PacketRow]:
        yield from self.arrivals
        yield from self.departures


def ladder_picture(title: str, note: str, result: Result, most: float, since: int = 0) -> LadderPicture:
    """The ladder of a run from a time on, as far down as `most` rows. Raises NothingToDrawError."""
    rows = [row for row in rows_of(result.record) if not isinstance(row, PacketRow) or row.lost != NO_HOST]
    if not any(isinstance(row, PacketRow) for row in rows):
        raise NothingToDrawError("no packet is sent in this run")
    followed = followed_transfers(result.record, rows, result.network.transfers, result.ended)
    if since:
        note = f"{note} · from {span_words(since)}"
        if not any(isinstance(row, PacketRow) and row.at >= since for row in rows):
            raise NothingToDrawError(f"no packet is sent from {span_words(since)} on")
    return _Ladder(rows, phase_headlines(followed), since).picture(title, note, most)


class _Ladder:
    def __init__(self, rows: Sequence[Row], phases: Mapping[int, Sequence[str]], since: int = 0) -> None:
        self._phases = phases
        self._sides = HostSides(rows)
        names = [*self._sides.left, *sorted(self._sides.right)]
        self._hosts = {name: number for number, name in enumerate(dict.fromkeys(names))}
        self._moments = [one for one in _moments_of(rows) if one.at >= since]
        self._left_in: dict[int, int] = {}
        """By the number of a packet, the moment in which it left."""
        for number, moment in enumerate(self._moments):
            for row in moment.departures:
                self._left_in[row.number] = number
        self._decimals = decimals_for(moment.at for moment in self._moments)

    def picture(self, title: str, note: str, most: float) -> LadderPicture:
        places, times, height = self._placed(most)
        cut = len(places) < len(self._moments)
        if cut:
            until = seconds(self._moments[len(places) - 1].at, self._decimals)
            note = f"{note} · to {until} s of {seconds(self._moments[-1].at, self._decimals)} s"
        return LadderPicture(
            title,
            note,
            tuple(self._hosts),
            tuple(times),
            tuple(self._arrows(places)),
            tuple(self._beside(places)),
            height,
        )

    def _placed(self, most: float) -> tuple[list[float], list[tuple[float, str]], float]:
        """Where each moment stands, the times beside them, and how far down that goes."""
        places: list[float] = []
        times: list[tuple[float, str]] = []
        at = 0.0
        for first, last in self._groups():
            train = last > first
            moment = self._moments[first]
            pause = bool(first) and moment.at - self._moments[first - 1].at >= PAUSE
            size = (_TRAIN if train else 1.0) + (_PAUSE if pause else 0.0)
            if at + size > most:
                break
            middle = at + size - (_TRAIN if train else 1.0) / 2
            words = seconds(moment.at, self._decimals)
            times.append((middle, f"{words}\n{last - first + 1} events" if train else words))
            places += [middle] * (last - first + 1)
            at += size
        return places, times, at

    def _groups(self) -> Iterator[tuple[int, int]]:
        """First and last moment of each row."""
        number = 0
        while number < len(self._moments):
            last = number
            while last + 1 < len(self._moments) and self._joins(number, last + 1):
                last += 1
            if last - number + 1 < LEAST_TRAIN:
                last = number
            yield number, last
            number = last + 1

    def _joins(self, first: int, number: int) -> bool:
        """Whether a moment belongs to the train that begins at `first`."""
        here, before = self._moments[number], self._moments[number - 1]
        if not self._plain(self._moments[first]) or not self._plain(here) or here.at - before.at >= PAUSE:
            return False
        return all(self._left_in.get(row.number, -1) < first for row in here.arrivals)

    def _plain(self, moment: _Moment) -> bool:
        calls = [row for row in moment.rows if not isinstance(row, PacketRow)]
        return not calls and all(map(self._is_plain, moment.packets))

    def _is_plain(self, row: PacketRow) -> bool:
        changed = row.sender_change or row.receiver_change or row.queues_changed
        again = row.sent is not None and row.sent.repeat
        whole = row.arrived is not None and not row.lost and row.copy_of is None
        told = row.number in self._phases or drop_word(row.verdict)
        return bool(whole and not changed and not again and not told and arrow_role(row) is Role.PLAIN)

    # Arrows.

    def _arrows(self, places: Sequence[float]) -> Iterator[Arrow]:
        arrives = {
            row.number: number for number, moment in enumerate(self._moments) for row in moment.arrivals
        }
        joined: dict[tuple[object, ...], list[PacketRow]] = {}
        for number, moment in enumerate(self._moments[: len(places)]):
            for row in moment.departures:
                to = arrives.get(row.number, len(places))
                if to < len(places) and self._is_plain(row):
                    way = places[number], places[to], row.sender, row.receiver, row.segment.sender_flow
                    joined.setdefault((*way, bool(row.segment.payload)), []).append(row)
                else:
                    end = places[to] if to < len(places) else None
                    yield self._single(row, places[number], end)
        for some in joined.values():
            begin, end = places[self._left_in[some[0].number]], places[arrives[some[0].number]]
            if len(some) == 1:
                yield self._single(some[0], begin, end)
                continue
            here, there = self._hosts[some[0].sender], self._hosts[some[0].receiver or ""]
            yield Arrow((here, begin), (there, end), _train_words(some), Role.PLAIN, len(some))

    def _single(self, row: PacketRow, begin: float, end: float | None) -> Arrow:
        here = self._hosts[row.sender]
        there = self._hosts.get(row.receiver or "", here + 1)
        role = Role.LOST if row.lost else arrow_role(row)
        words = _words(row)
        if end is not None and not row.lost:
            return Arrow((here, begin), (there, end), words, role)
        return Arrow(
            (here, begin), (here + (there - here) * 0.6, begin + 0.6), words, role, 1, bool(row.lost)
        )

    # Words beside the lines.

    def _beside(self, places: Sequence[float]) -> Iterator[Beside]:
        for place, moment in zip(places, self._moments, strict=False):
            host = self._hosts.get(moment.node)
            if host is None:
                continue
            words, role = self._said(moment)
            if words:
                yield Beside(host, place, words, moment.node in self._sides.right, role)

    def _said(self, moment: _Moment) -> tuple[str, Role]:
        """What a host made of it: a state, a call, a drop, a phase of its transfer."""
        found: list[str] = []
        role = Role.STATE
        for row in moment.arrivals:
            if word := drop_word(row.verdict):
                found.append(word)
                role = Role.LOST
            if row.receiver_change:
                found.append(state_word(row.receiver_change.new))
            if row.queues_changed and row.queues is not None:
                found.append(
                    f"accept {row.queues.accept}/{row.queues.backlog}, syn {row.queues.syn}/{row.queues.backlog}"
                )
            found += self._phases.get(row.number, ())
        for row in moment.departures:
            if row.sender_change:
                found.append(state_word(row.sender_change.new))
            if not moment.arrivals:
                found += self._phases.get(row.number, ())
        for one in moment.rows:
            if isinstance(one, CallRow):
                found.append(
                    f"{one.text.split('(')[0]}()" + (f" {one.result}" if one.result.isupper() else "")
                )
            elif isinstance(one, TimerRow) and one.change:
                found.append(state_word(one.change.new))
        return "\n".join(dict.fromkeys(found)), role


def _moments_of(rows: Sequence[Row]) -> list[_Moment]:
    """What each host did at each time, in order; what arrives stands before what is sent at the same time."""
    events: list[tuple[int, int, int, str, Row]] = []
    for number, row in enumerate(rows):
        if isinstance(row, PacketRow):
            events.append((row.at, 1, number, row.sender, row))
            if row.arrived is not None and row.receiver is not None:
                events.append((row.arrived, 0, number, row.receiver, row))
        else:
            events.append((row.at, 1, number, row.node, row))
    moments: list[_Moment] = []
    for at, leaves, _, node, row in sorted(events, key=lambda event: event[:3]):
        last = moments[-1] if moments else None
        if last is None or (last.at, last.node) != (at, node):
            last = _Moment(at, node)
            moments.append(last)
        if not isinstance(row, PacketRow):
            last.rows.append(row)
        elif leaves:
            last.departures.append(row)
        else:
            last.arrivals.append(row)
    return moments


def _words(row: PacketRow) -> tuple[str, ...]:
    """What may be said of one packet: the window never, as a slide has no room for it."""
    segment, relative = row.segment, row.relative
    again = " again" if row.sent is not None and row.sent.repeat else ""
    parts = [f"{flag_words(segment.flags)}{again}"]
    if segment.payload:
        parts.append(f"len {len(segment.payload)}")
    parts.append(f"seq {relative.seq}")
    if relative.ack is not None:
        parts.append(f"ack {relative.ack}")
    return tuple(" ".join(parts[:number]) for number in range(len(parts), 0, -1))


def _train_words(some: Sequence[PacketRow]) -> tuple[str, ...]:
    octets = sum(len(row.segment.payload) for row in some)
    if octets:
        return f"{len(some)} segments, {octets:,} octets", f"{len(some)} segments"
    acks = [row.relative.ack or 0 for row in some]
    return f"{len(some)} ACKs up to {max(acks)}", f"{len(some)} ACKs"
