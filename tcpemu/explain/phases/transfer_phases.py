"""What one sender of data goes through, found in its figures: slow start, recoveries, time-outs, reductions.

The figures say when a phase begins and ends; the counters that moved in the same step say why.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto

from tcpemu.explain.phases.flow_history import PROBE, FlowHistory, Mark, Repeat
from tcpemu.network.recorded.transfers import FiguresChanged
from tcpemu.stack.base.units import MICROSECOND
from tcpemu.stack.sockets.tcp_info import NO_MODE, FlowFigures

OPEN, DISORDER, CWR, RECOVERY, LOSS = range(5)
"""States of recovery, as `FlowFigures.ca_state` has them."""
NO_THRESHOLD = 2**31 - 1
"""The slow start threshold before the first loss."""


class Why(Enum):
    """What began or ended a phase."""

    TRAIN = auto()
    """HyStart: ACKs came in a row for as long as the path is."""
    DELAY = auto()
    """HyStart: round-trip times grew."""
    SACK = auto()
    """SACKs tell that later data has arrived."""
    DUPLICATES = auto()
    """Without SACK: duplicate ACKs."""
    REORDERING_TIMER = auto()
    """RACK's timer: later data has arrived, and the wait for reordering is over."""
    PROBE = auto()
    """A tail loss probe has mended a loss; BBR has gone to look for a shorter round trip."""
    FULL = auto()
    """BBR: three round trips brought no quarter more."""
    TIME_OUT = auto()
    ECN = auto()
    """The peer says that a router has marked packets."""
    SMALLER = auto()
    """ICMP says that a link holds less: what was too large is lost for certain."""
    THRESHOLD = auto()
    """The window has reached the threshold."""
    ACKNOWLEDGED = auto()
    """All that was under way when the phase began is acknowledged."""
    UNDONE = auto()
    """Nothing was lost, as it turned out."""
    LAST = auto()
    """The connection, or the run, was over."""


@dataclass(frozen=True, slots=True)
class Phase:
    """A stretch of a connection's life at the sender."""

    at: int
    """When it began."""
    until: int
    before: FlowFigures
    """How the connection stood before it began."""
    after: FlowFigures
    """And at its end."""
    why: Why
    """What began it; for slow start, what ended it."""
    end: Why = Why.LAST
    mark: Mark | None = None
    """The step that `why` happened in: of slow start the last one, of all others the first."""
    repeats: Sequence[Repeat] = ()
    """What was sent again in it."""
    over: Mark | None = None
    """The step in which it ended, of states of recovery."""
    by_model: bool = False
    """Whether the congestion control goes by a model of the path (BBR), so that losses leave its threshold alone."""


@dataclass(frozen=True, slots=True)
class SlowStart(Phase):
    """The window grows by a segment for each that is acknowledged."""

    after_time_out: bool = False
    srtts: tuple[int, int] = (0, 0)
    """The smoothed round-trip time at its beginning and at its end, in microseconds."""
    held: int = 0
    """For how long of it the peer's window held data back, in nanoseconds."""


@dataclass(frozen=True, slots=True)
class Recovery(Phase):
    """Fast retransmit, and what follows until all is acknowledged."""

    after_probe: bool = False
    """Whether a tail loss probe had drawn the ACK."""
    first_cwnd: int = 0
    """The congestion window once it had begun, in segments."""


@dataclass(frozen=True, slots=True)
class TimeOuts(Phase):
    """The retransmission timer has fired, once or more."""

    answered: int | None = None
    """When the first ACK came after that."""
    first_cwnd: int = 1
    """The congestion window once it had begun, in segments."""


@dataclass(frozen=True, slots=True)
class Reduction(Phase):
    """The window comes down though nothing is lost."""


@dataclass(frozen=True, slots=True)
class Restart(Phase):
    """The window comes down since nothing was sent for longer than a time-out."""


@dataclass(frozen=True, slots=True)
class Undo(Phase):
    """What had been taken for lost was not: the window is as before."""


@dataclass(frozen=True, slots=True)
class LossProbe(Phase):
    """A tail loss probe, and what its answer told (`end`)."""

    new_data: bool = False
    """Whether it was data that had not been sent yet."""
    answered: int | None = None
    """When the first ACK after it came."""
    mends: bool = False
    """Whether it is a segment that was lost."""


def phases_of(
    changes: Sequence[FiguresChanged], history: FlowHistory, *, by_model: bool = False
) -> list[Phase]:
    """The phases of one sender, in the order in which they began.

    With `by_model` the congestion control goes by a model of the path (BBR): there is no slow start.
    """
    found = [*_states(changes, history), *_undone(changes, history), *_probes(changes, history)]
    if by_model:
        found = [replace(phase, by_model=True) for phase in found]
    else:
        found += [*_slow_starts(changes, history), *_restarts(changes, history)]
    return sorted(found, key=lambda phase: phase.at)


# Slow start.


def _slow_starts(changes: Sequence[FiguresChanged], history: FlowHistory) -> Iterator[SlowStart]:
    """The first, and those after a time-out, each up to the change that ends it."""
    begun: FiguresChanged | None = None
    before: FiguresChanged | None = None
    after_time_out = False
    held = 0
    for change in changes:
        now = change.figures
        if begun is not None and before is not None and held_by_peer(before.figures):
            held += change.at - before.at
        if begun is None:
            first = history.first_data is not None and change.at >= history.first_data
            timed_out = before is not None and before.figures.ca_state == LOSS != now.ca_state
            if now.srtt and _grows(now) and (timed_out or (first and not after_time_out)):
                begun, held = change, 0
        elif not _grows(now):
            assert before is not None
            yield replace(
                _slow_start(begun, before, change, history, after_time_out=after_time_out), held=held
            )
            begun, after_time_out = None, True
        before = change
    if begun is not None and before is not None and before is not begun:
        yield SlowStart(
            begun.at,
            history.last_data or before.at,
            begun.figures,
            before.figures,
            Why.LAST,
            after_time_out=after_time_out,
            srtts=(begun.figures.srtt, before.figures.srtt),
            held=held,
        )


def held_by_peer(figures: FlowFigures) -> bool:
    """Whether data waits, and the peer's window leaves less room for it than the congestion window."""
    return figures.snd_wnd < figures.cwnd * figures.mss and figures.notsent > 0


def _grows(figures: FlowFigures) -> bool:
    return figures.ca_state in (OPEN, DISORDER) and figures.cwnd < figures.ssthresh


def _slow_start(
    begun: FiguresChanged,
    before: FiguresChanged,
    change: FiguresChanged,
    history: FlowHistory,
    *,
    after_time_out: bool,
) -> SlowStart:
    mark = history.mark_at(change.place)
    return SlowStart(
        begun.at,
        change.at,
        begun.figures,
        before.figures if change.figures.ca_state in (CWR, RECOVERY, LOSS) else change.figures,
        _end_of_growth(change.figures, mark),
        mark=mark,
        after_time_out=after_time_out,
        srtts=(begun.figures.srtt, change.figures.srtt),
    )


def _end_of_growth(figures: FlowFigures, mark: Mark | None) -> Why:
    counted = mark.counted if mark else {}
    if "TCPHystartTrainDetect" in counted:
        return Why.TRAIN
    if "TCPHystartDelayDetect" in counted:
        return Why.DELAY
    if "TCPLossProbeRecovery" in counted:
        return Why.PROBE
    return _cause(figures, mark) if figures.ca_state in (CWR, RECOVERY, LOSS) else Why.THRESHOLD


def _cause(figures: FlowFigures, mark: Mark | None) -> Why:
    """What began a state of recovery."""
    if figures.ca_state == CWR:
        return Why.ECN
    if figures.ca_state == LOSS:
        return Why.TIME_OUT if mark is None or mark.by_timer else Why.SMALLER
    if mark is not None and mark.by_timer:
        return Why.REORDERING_TIMER
    return Why.DUPLICATES if mark is not None and "TCPRenoRecovery" in mark.counted else Why.SACK


# States of recovery.


_KIND: dict[int, type[Phase]] = {CWR: Reduction, RECOVERY: Recovery, LOSS: TimeOuts}


def _states(changes: Sequence[FiguresChanged], history: FlowHistory) -> Iterator[Phase]:
    """Each stretch in CWR, Recovery or Loss."""
    begun: FiguresChanged | None = None
    calm: FlowFigures | None = None
    answered: int | None = None
    last: FlowFigures | None = None
    for change in changes:
        now = change.figures
        if begun is not None and now.ca_state != begun.figures.ca_state:
            assert calm is not None
            yield _state(begun, calm, change, history, answered=answered)
            begun, calm = None, last if now.ca_state in _KIND else None
        elif begun is not None and last is not None and _begins_anew(last, now):
            assert calm is not None
            settled = last._replace(cwnd=last.ssthresh)
            yield _state(begun, calm, change._replace(figures=settled), history, answered=answered)
            begun, calm, answered = change, settled, None
        if begun is not None and answered is None and now.acked > begun.figures.acked:
            answered = change.at
        if now.ca_state in (OPEN, DISORDER):
            calm = now if now.ca_state == OPEN or calm is None else calm
        elif begun is None and now.srtt:
            begun, calm, answered = change, calm or now, None
        last = now
    if begun is not None:
        assert calm is not None
        over = changes[-1]._replace(at=history.ended)
        yield _state(begun, calm, over, history, Why.LAST, answered=answered)


def _begins_anew(before: FlowFigures, now: FlowFigures) -> bool:
    """Whether a reduction is over and the next one begins in the same step: the threshold comes down once in each.

    The window was at the threshold in between (tcp_input.c: tcp_end_cwnd_reduction).
    """
    return now.ca_state in (CWR, RECOVERY) and now.ssthresh < before.ssthresh and now.bbr_mode == NO_MODE


def _state(
    begun: FiguresChanged,
    before: FlowFigures,
    over: FiguresChanged,
    history: FlowHistory,
    end: Why | None = None,
    *,
    answered: int | None = None,
) -> Phase:
    kind, mark = _KIND[begun.figures.ca_state], history.mark_at(begun.place)
    ending = history.mark_at(over.place)
    if end is None:
        undone = ending is not None and _undoes(ending)
        end = Why.UNDONE if undone else Why.TIME_OUT if over.figures.ca_state == LOSS else Why.ACKNOWLEDGED
    again = history.repeats_between(begun.at, over.at)
    if end is Why.TIME_OUT:  # what the timer sends belongs to what follows
        again = [one for one in again if one.at < over.at]
    phase = kind(
        begun.at, over.at, before, over.figures, _cause(begun.figures, mark), end, mark, again, ending
    )
    first = begun.figures.cwnd
    if isinstance(phase, TimeOuts):
        phase = replace(phase, answered=answered, first_cwnd=first)
    if isinstance(phase, Recovery):
        phase = replace(phase, after_probe=_follows_probe(begun, history), first_cwnd=first)
    return phase


def _follows_probe(begun: FiguresChanged, history: FlowHistory) -> bool:
    """Whether a tail loss probe was sent less than a time-out ago."""
    early = begun.at - begun.figures.rto * MICROSECOND
    return any(early <= probe.at < begun.at for probe in history.probes)


# What is taken back.

_UNDO = ("TCPFullUndo", "TCPPartialUndo", "TCPDSACKUndo", "TCPLossUndo")


def _undoes(mark: Mark) -> bool:
    return any(name in mark.counted for name in _UNDO)


def _undone(changes: Sequence[FiguresChanged], history: FlowHistory) -> Iterator[Undo]:
    before: FlowFigures | None = None
    for change in changes:
        mark = history.mark_at(change.place)
        if mark is not None and _undoes(mark) and before is not None:
            yield Undo(change.at, change.at, before, change.figures, Why.UNDONE, mark=mark)
        before = change.figures


# A window that was not used.


def _restarts(changes: Sequence[FiguresChanged], history: FlowHistory) -> Iterator[Restart]:
    """The window is smaller, in one step, with nothing wrong and nothing under way before."""
    before: FiguresChanged | None = None
    for change in changes:
        now = change.figures
        if before is not None and now.ca_state == OPEN == before.figures.ca_state:
            idle = before.figures.unacked == 0 and change.at - before.at >= before.figures.rto * MICROSECOND
            if idle and now.cwnd < before.figures.cwnd and now.ssthresh >= before.figures.ssthresh:
                yield Restart(
                    before.at, change.at, before.figures, now, Why.LAST, mark=history.mark_at(change.place)
                )
        before = change


# Tail loss probes.


def _probes(changes: Sequence[FiguresChanged], history: FlowHistory) -> Iterator[LossProbe]:
    for mark in history.probes:
        known = [change.figures for change in changes if change.at <= mark.at]
        if not known:
            continue
        before, later = known[-1], [change for change in changes if change.place > mark.place]
        answer = next((one for one in later if _tells(one.figures, before)), None)
        over, end = _end_of_probe(later, answer, history)
        again = [one for one in history.repeats if one.at == mark.at and one.reason == PROBE]
        yield LossProbe(
            mark.at,
            over.at if over else history.ended,
            before,
            over.figures if over else before,
            Why.TIME_OUT,
            end,
            mark,
            again,
            new_data=not again,
            answered=answer.at if answer and end is not Why.TIME_OUT else None,
            mends=any(history.lost_seqs.get(one.seq, mark.at) < mark.at for one in again),
        )


def _tells(now: FlowFigures, before: FlowFigures) -> bool:
    """Whether an ACK has come that says more."""
    return now.acked > before.acked or now.sacked > before.sacked


def _end_of_probe(
    later: Sequence[FiguresChanged], answer: FiguresChanged | None, history: FlowHistory
) -> tuple[FiguresChanged | None, Why]:
    """What came of it: a time-out, fast retransmit, a window that comes down since it has mended a loss; or nothing.

    That last the sender only learns with the ACK after the answer, as the answer could be one for the original.
    """
    for one in later:
        counted = mark.counted if (mark := history.mark_at(one.place)) else {}
        if "TCPLossProbeRecovery" in counted:
            return one, Why.ACKNOWLEDGED
        if answer is None or one.at <= answer.at:
            if one.figures.ca_state in (RECOVERY, LOSS):
                return one, Why.SACK if one.figures.ca_state == RECOVERY else Why.TIME_OUT
        elif "TCPLossProbes" in counted:
            break
    return answer, Why.LAST
