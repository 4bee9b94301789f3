"""What a sender with BBR goes through, found in its figures: startup with the drain behind it, and probe_rtt.

probe_bw, in which it is most of the time, is no phase of its own: it begins where startup has been drained.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tcpemu.explain.phases.flow_history import FlowHistory
from tcpemu.explain.phases.transfer_phases import Phase, Why
from tcpemu.network.recorded.transfers import FiguresChanged
from tcpemu.stack.control.bbr import Mode
from tcpemu.stack.sockets.tcp_info import FlowFigures

BBR = "bbr"
"""The name of the congestion control."""


@dataclass(frozen=True, slots=True)
class Startup(Phase):
    """The rate doubles each round trip, until it grows no more; `mark` is the step that ended it."""

    drained: int | None = None
    """When no more was under way than the path holds, in nanoseconds; None where the run ends before."""


@dataclass(frozen=True, slots=True)
class RoundTripProbe(Phase):
    """Next to nothing is sent, so that the path is empty and shows its shortest round-trip time (probe_rtt)."""


def bbr_phases(changes: Sequence[FiguresChanged], history: FlowHistory) -> Iterator[Phase]:
    """Each stretch in startup and in probe_rtt."""
    begun: FiguresChanged | None = None
    last: FiguresChanged | None = None
    for place, change in enumerate(changes):
        mode = change.figures.bbr_mode
        if begun is not None and last is not None and mode != begun.figures.bbr_mode:
            if begun.figures.bbr_mode == Mode.STARTUP:
                why = Why.PROBE if mode == Mode.PROBE_RTT else Why.FULL
                yield _startup(begun, change, why, history, changes[place:])
            else:
                yield _probe(begun, last, change, Why.ACKNOWLEDGED, history)
            begun = None
        started = history.first_data is not None and change.at >= history.first_data
        if begun is None and mode in (Mode.STARTUP, Mode.PROBE_RTT) and started:
            begun = change
        last = change
    if begun is not None and last is not None:
        if begun.figures.bbr_mode == Mode.STARTUP:
            yield _startup(begun, last._replace(at=history.last_data), Why.LAST, history, ())
        else:
            yield _probe(begun, last, last._replace(at=history.ended), Why.LAST, history)


def _startup(
    begun: FiguresChanged,
    over: FiguresChanged,
    why: Why,
    history: FlowHistory,
    later: Sequence[FiguresChanged],
) -> Startup:
    drained = next((one.at for one in later if one.figures.bbr_mode != Mode.DRAIN), None)
    mark = None if why is Why.LAST else history.mark_at(over.place)
    return Startup(begun.at, over.at, begun.figures, over.figures, why, mark=mark, drained=drained)


def _probe(
    begun: FiguresChanged, last: FiguresChanged, over: FiguresChanged, end: Why, history: FlowHistory
) -> RoundTripProbe:
    """`before` is how it stood in it, as nothing else tells how little was sent."""
    mark, ending = history.mark_at(begun.place), history.mark_at(over.place)
    ending = ending if end is Why.ACKNOWLEDGED else None
    return RoundTripProbe(begun.at, over.at, last.figures, over.figures, Why.DELAY, end, mark, over=ending)


def path_holds(figures: FlowFigures) -> int:
    """Segments that the path holds without a queue, by what BBR knows: its rate times the shortest round trip."""
    return round(figures.bbr_rate * figures.bbr_min_rtt / 1_000_000 / figures.mss)
