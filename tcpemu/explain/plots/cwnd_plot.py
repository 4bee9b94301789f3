"""The congestion window of a sender against time: with its threshold, what is in flight, and the state of recovery.

Where the peer's window is what limits, it is drawn too. A threshold is only drawn from the first loss on, as it is
beyond all windows before.
"""

from collections.abc import Callable, Container, Iterator, Sequence
from math import ceil

from tcpemu.explain.plots.picture import (
    Bands,
    Curve,
    Meaning,
    NothingToDrawError,
    Panel,
    PanelBlock,
    Picture,
    thinned,
)
from tcpemu.explain.plots.transfer_view import NO_THRESHOLD, TransferView, events_of, viewed_runs
from tcpemu.network.recorded.transfers import FiguresChanged
from tcpemu.scenario.running.result import Result
from tcpemu.stack.sockets.tcp_info import FlowFigures

_STATES = {
    1: (Meaning.DISORDER, "Disorder: something is missing"),
    2: (Meaning.CWR, "CWR: comes down without a loss"),
    3: (Meaning.RECOVERY, "Recovery: fast retransmit"),
    4: (Meaning.LOSS, "Loss: after a time-out"),
}
_LOSS = 4
_TOO_LARGE = "Loss: segments were too large for the path"
_NEAR = 1.25
"""So many times the greatest congestion window is as far as a peer's window is drawn."""


def cwnd_picture(title: str, note: str, results: Sequence[Result], client: str | None) -> Picture:
    """A block for each run. Raises NothingToDrawError."""
    return Picture(title, note, tuple(map(_block, viewed_runs(results, client))))


def _block(view: TransferView) -> PanelBlock:
    if not view.changes:
        raise NothingToDrawError(f"the windows of {view.way.sender} were not followed in this run")
    begin, end = view.span
    changes = [change for change in view.changes if change.at <= end]
    curves = tuple(_curves(changes, end))
    panel = Panel(
        "segments",
        curves,
        tuple(events_of(view)),
        height=2.0,
        bands=tuple(_bands(changes, end, _sent_smaller(view))),
    )
    return PanelBlock(view.heading, (panel,), (begin, end))


def _curves(changes: Sequence[FiguresChanged], end: int) -> Iterator[Curve]:
    yield Curve(Meaning.CWND, "congestion window", curve_of(changes, end, lambda one: one.cwnd))
    known = [change for change in changes if change.figures.ssthresh < NO_THRESHOLD]
    if known:
        points = curve_of(known, end, lambda one: one.ssthresh)
        yield Curve(Meaning.SSTHRESH, "slow start threshold", points)
    if any(_limits(change.figures) for change in changes):
        yield _peer_window(changes, end)
    yield Curve(Meaning.IN_FLIGHT, "in flight", curve_of(changes, end, lambda one: one.in_flight))


def _limits(one: FlowFigures) -> bool:
    """Whether the peer's window leaves less room than the congestion window while data waits for it."""
    return one.snd_wnd < one.cwnd * one.mss and one.notsent > 0 and one.srtt > 0


def _peer_window(changes: Sequence[FiguresChanged], end: int) -> Curve:
    """Far above the congestion window it says nothing, and is cut."""
    most = ceil(_NEAR * max(change.figures.cwnd for change in changes))
    known = [change for change in changes if change.figures.srtt]
    cut = any(change.figures.snd_wnd > most * change.figures.mss for change in known)
    label = f"peer's window (above {most:,} cut)" if cut else "peer's window"
    points = curve_of(known, end, lambda one: min(one.snd_wnd / one.mss, most))
    return Curve(Meaning.PEER_WINDOW, label, points)


def curve_of(
    changes: Sequence[FiguresChanged], end: int, value: Callable[[FlowFigures], float]
) -> tuple[tuple[float, float], ...]:
    """A figure from its first change to the end."""
    points = [(float(change.at), float(value(change.figures))) for change in changes]
    return thinned([*points, (float(end), points[-1][1])])


def _sent_smaller(view: TransferView) -> frozenset[int]:
    """When segments were sent again since ICMP said that a link holds less: no time-out has told of that loss."""
    pairs = zip(view.way.again, view.way.causes, strict=True)
    return frozenset(at for (at, *_), cause in pairs if cause is Meaning.SMALLER_AGAIN)


def _bands(changes: Sequence[FiguresChanged], end: int, smaller: Container[int]) -> Iterator[Bands]:
    spans: dict[str, list[tuple[int, int]]] = {}
    looks = {label: meaning for meaning, label in _STATES.values()} | {_TOO_LARGE: Meaning.LOSS}
    state, since = 0, 0
    for at, now in [*((change.at, change.figures.ca_state) for change in changes), (end, -1)]:
        if now == state:
            continue
        if state in _STATES:
            label = _TOO_LARGE if state == _LOSS and since in smaller else _STATES[state][1]
            spans.setdefault(label, []).append((since, at))
        state, since = now, at
    for label, meaning in looks.items():
        if label in spans:
            yield Bands(meaning, label, tuple(spans[label]))
