"""The queues of listeners against time: how long, how long they may be, and what they cost."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from tcpemu.explain.facts.queue_limits import QueueLimits, queue_limits
from tcpemu.explain.plots.picture import (
    Curve,
    Marks,
    Meaning,
    NothingToDrawError,
    Panel,
    PanelBlock,
    Picture,
    crowded_at_first,
    thinned,
    thinned_moments,
)
from tcpemu.network import Record
from tcpemu.network.record import HostEvent, QueueLength
from tcpemu.scenario.running.result import Result
from tcpemu.stack.base import reasons
from tcpemu.stack.base.events import Event, QueueChanged, Sent, Verdict
from tcpemu.wire.segment import ACK, RST, SYN, Segment

MOST_RUNS = 12
_FULL_SYN = {reasons.SYN_QUEUE_FULL.name, reasons.LAST_QUARTER.name}
_FULL_ACCEPT = {reasons.ACCEPT_QUEUE_FULL_SYN.name, reasons.QUEUE_FULL_SYN.name}
_IGNORED = {reasons.ACCEPT_QUEUE_FULL.name, reasons.COOKIE_ACCEPT_QUEUE_FULL.name}


def queues_picture(title: str, note: str, results: Sequence[Result]) -> Picture:
    """A block for each run and listener. Raises NothingToDrawError."""
    if len(results) > MOST_RUNS:
        raise NothingToDrawError(f"{len(results)} runs are too many for one picture; choose one with --run")
    blocks = [block for result in results for block in _blocks(result)]
    if not blocks:
        raise NothingToDrawError(
            "nobody listens before the run ends, so there is no queue; try a later --until"
        )
    return Picture(title, note, tuple(blocks))


def _blocks(result: Result) -> Iterator[PanelBlock]:
    listeners = listeners_of(result.record)
    for node, port in listeners:
        several = f"{node}, port {port}" if len(listeners) > 1 else ""
        heading = " — ".join(part for part in (result.name, several) if part)
        yield _block(heading, result, node, port)


def listeners_of(record: Record) -> list[tuple[str, int]]:
    """Host and port of each listener, in the order in which they began to listen."""
    found = (
        (entry.node, entry.event.port)
        for entry in record.events(QueueChanged)
        if isinstance(entry.event, QueueChanged)
    )
    return list(dict.fromkeys(found))


def _block(heading: str, result: Result, node: str, port: int) -> PanelBlock:
    lengths = result.record.queue_lengths(node, port)
    events = [entry for entry in result.record.events(Verdict, Sent, node=node) if _is_of(entry.event, port)]
    panels = tuple(_panels(queue_limits(result.hosts[node]), lengths, events, result.ended))
    moments = [each.at for each in lengths] + [
        at for panel in panels for marks in panel.marks for at in marks.at
    ]
    span = (0, max(result.ended, 1))
    if _quiet(lengths, panels):
        heading = " — ".join(filter(None, (heading, _hint(result.record))))
        span = (0, max(min(result.ended, max(moments) * 5 // 4), 1))
    return PanelBlock(heading, panels, span, stretched=crowded_at_first(moments, span))


def _quiet(lengths: Sequence[QueueLength], panels: Sequence[Panel]) -> bool:
    """Whether no connection ever waits behind another and nothing is dropped or sent again."""
    most = max((max(each.accept, each.syn) for each in lengths), default=0)
    return most <= 1 and not any(panel.marks for panel in panels)


def _hint(record: Record) -> str:
    """Where there is more to see than in a queue that is all but empty."""
    data = any(seen.segment.payload for seen in record.packets())
    return "at most 1 connection waits at a time" + ("; its data: --kind sequence" if data else "")


def _panels(
    limits: QueueLimits, lengths: Sequence[QueueLength], events: Sequence[HostEvent], ended: int
) -> Iterator[Panel]:
    """One for each queue that the kernel has."""
    if limits.one_queue:
        yield _one_for_both(limits, lengths, events, ended)
        return
    yield Panel(
        "accept queue\n(connections)",
        _curves(Meaning.ACCEPT_QUEUE, lengths, lambda each: each.accept, limits.accept, ended),
        tuple(_marks(events, (Meaning.SYN_DROPPED, Meaning.ACK_IGNORED, Meaning.RST), _at_accept_queue)),
    )
    yield Panel(
        "SYN queue\n(half-open connections)",
        _curves(Meaning.SYN_QUEUE, lengths, lambda each: each.syn, limits.syn, ended),
        tuple(
            _marks(events, (Meaning.SYN_DROPPED, Meaning.COOKIE_SENT, Meaning.SYN_ACK_AGAIN), _at_syn_queue)
        ),
    )


def _one_for_both(
    limits: QueueLimits, lengths: Sequence[QueueLength], events: Sequence[HostEvent], ended: int
) -> Panel:
    """Half-open connections stand upon those that wait for accept(), for the limit is that of both together."""
    half_open, *limit = _curves(
        Meaning.SYN_QUEUE, lengths, lambda each: each.accept + each.syn, limits.accept, ended
    )
    waiting = _curves(Meaning.ACCEPT_QUEUE, lengths, lambda each: each.accept, limits.accept, ended)[0]
    curves = (
        replace(half_open, label="half-open, on top", filled=True),
        replace(waiting, label="wait for accept()", filled=True),
        *limit,
    )
    kinds = (Meaning.SYN_DROPPED, Meaning.SYN_ACK_AGAIN, Meaning.RST)
    marks = _marks(events, kinds, lambda event: _at_accept_queue(event) or _at_syn_queue(event))
    return Panel("the one queue\n(connections)", curves, tuple(marks))


def _is_of(event: Event, port: int) -> bool:
    if not isinstance(event, Verdict | Sent) or not isinstance(event.segment, Segment):
        return False
    return (event.segment.sport if isinstance(event, Sent) else event.segment.dport) == port


# Curves.


def _curves(
    meaning: Meaning,
    lengths: Sequence[QueueLength],
    length: Callable[[QueueLength], int],
    limit: Callable[[int], int | None],
    ended: int,
) -> tuple[Curve, ...]:
    """The queue, and its limit as a line."""
    points = _to_the_end([(each.at, length(each)) for each in lengths], ended)
    limits = [(each.at, limit(each.backlog)) for each in lengths]
    known = _changes([(at, most) for at, most in limits if most is not None])
    queue = Curve(meaning, meaning.value, thinned(points))
    if not known:
        return (queue,)
    values = dict.fromkeys(most for _, most in known)
    backlogs = dict.fromkeys(each.backlog for each in lengths)
    label = f"full at {_listed(values)} (backlog {_listed(backlogs)})"
    return queue, Curve(Meaning.LIMIT, label, thinned(_to_the_end(known, ended)))


def _listed(values: dict[int, None]) -> str:
    shown = [f"{value:,}" for value in values]
    return ", ".join(shown if len(shown) <= 3 else [*shown[:2], "…"])


def _to_the_end(points: list[tuple[int, int]], ended: int) -> list[tuple[float, float]]:
    return [*points, (max(ended, points[-1][0]), points[-1][1])]


def _changes(points: list[tuple[int, int]]) -> list[tuple[int, int]]:
    return [point for place, point in enumerate(points) if place == 0 or points[place - 1][1] != point[1]]


# Marks.


def _marks(
    events: Sequence[HostEvent], kinds: Sequence[Meaning], meaning: Callable[[Event], Meaning | None]
) -> Iterator[Marks]:
    at: dict[Meaning, list[int]] = {}
    for entry in events:
        kind = meaning(entry.event)
        if kind is not None:
            at.setdefault(kind, []).append(entry.at)
    for kind in kinds:
        if kind in at:
            yield Marks(kind, f"{kind.value}: {len(at[kind]):,}", thinned_moments(at[kind]))


def _at_accept_queue(event: Event) -> Meaning | None:
    """What the accept queue has to do with: SYNs and final ACKs that found it full, and RSTs."""
    if isinstance(event, Sent):
        return Meaning.RST if event.segment.flags & RST else None
    if isinstance(event, Verdict) and event.reason.name in _FULL_ACCEPT:
        return Meaning.SYN_DROPPED
    return Meaning.ACK_IGNORED if isinstance(event, Verdict) and event.reason.name in _IGNORED else None


def _at_syn_queue(event: Event) -> Meaning | None:
    """What the SYN queue has to do with: SYNs that found it full, cookies, and SYN|ACKs that were sent again."""
    if isinstance(event, Sent):
        if event.reason.name == reasons.SENT_COOKIE.name:
            return Meaning.COOKIE_SENT
        both = event.segment.flags & (SYN | ACK) == SYN | ACK
        return Meaning.SYN_ACK_AGAIN if both and event.repeat else None
    return Meaning.SYN_DROPPED if isinstance(event, Verdict) and event.reason.name in _FULL_SYN else None
