"""Paragraphs about transfers: slow start, recoveries, time-outs, probes, reductions, what is taken back.

One paragraph for each kind and cause; what happened again for the same cause is summed up in it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tcpemu.explain.facts.rows import PacketRow, Row
from tcpemu.explain.lines.count_words import count
from tcpemu.explain.lines.time_words import MOMENTS_LISTED, listed_moments, moment
from tcpemu.explain.phases import phase_words
from tcpemu.explain.phases.bbr_phases import RoundTripProbe, Startup
from tcpemu.explain.phases.followed_transfers import FollowedTransfer
from tcpemu.explain.phases.transfer_phases import (
    LossProbe,
    Phase,
    Recovery,
    Reduction,
    Restart,
    SlowStart,
    TimeOuts,
    Undo,
    Why,
)
from tcpemu.explain.story.settings_advice import SettingsCase, settings_advice
from tcpemu.explain.story.story_paragraph import TurningPoint
from tcpemu.network.endpoint import KnownHost
from tcpemu.stack.base.units import MICROSECOND
from tcpemu.wire.segment import Address, FlowKey

_AHEAD = "DATA_AHEAD"
_ANSWERS = frozenset({"DUP_ACK", "COMPRESSED_ACK"})
_REASON: dict[type[Phase], str] = {
    SlowStart: "SLOW_START",
    Recovery: "RECOVERY",
    TimeOuts: "TIME_OUTS",
    Reduction: "CWR",
    Restart: "RESTART",
    Undo: "UNDO",
    LossProbe: "TAIL_LOSS_PROBE",
    Startup: "BBR_STARTUP",
    RoundTripProbe: "BBR_PROBE_RTT",
}
"""Stand for the reasons of turning points of transfers."""
_ENDS = {
    Why.TRAIN: "SLOW_START_HYSTART",
    Why.DELAY: "SLOW_START_HYSTART",
    Why.LAST: "SLOW_START",
    Why.THRESHOLD: "SLOW_START",
}
_LEAST_GROWTH = 2
"""A slow start whose window has not grown by so many times is not worth a word."""


@dataclass(frozen=True, slots=True)
class _Told:
    """One phase of one connection."""

    transfer: FollowedTransfer
    phase: Phase


def transfer_points(
    transfers: Sequence[FollowedTransfer],
    hosts: Mapping[str, KnownHost],
    name_of: Callable[[Address, int, int], str],
    servers: frozenset[str] | set[str],
) -> Iterator[TurningPoint]:
    """A paragraph for each kind of phase. `name_of` gives the client of an address and port at a time."""
    kinds: dict[tuple[str, str], list[_Told]] = {}
    for transfer in transfers:
        for phase in transfer.phases:
            if _worth_telling(phase):
                kinds.setdefault((reason_of(phase), transfer.node), []).append(_Told(transfer, phase))
    for (reason, node), some in kinds.items():
        some.sort(key=lambda one: one.phase.at)
        yield _point(reason, some, hosts.get(node), name_of, servers)


def _worth_telling(phase: Phase) -> bool:
    if isinstance(phase, Startup) and phase.why is Why.LAST:
        return phase.after.cwnd >= _LEAST_GROWTH * phase.before.cwnd
    if isinstance(phase, SlowStart):
        if phase.after_time_out:
            return False
        grown = phase.after.cwnd >= _LEAST_GROWTH * phase.before.cwnd
        return grown or phase.why in (Why.TRAIN, Why.DELAY, Why.SACK, Why.DUPLICATES, Why.REORDERING_TIMER)
    return not (isinstance(phase, TimeOuts) and phase.why is Why.SMALLER)


def reason_of(phase: Phase) -> str:
    """What stands for the reason of its turning point."""
    if isinstance(phase, SlowStart):
        return _ENDS.get(phase.why, "SLOW_START_LOSS")
    if isinstance(phase, Recovery) and phase.why is Why.DUPLICATES:
        return "RECOVERY_WITHOUT_SACK"
    return _REASON[type(phase)]


def _point(
    reason: str,
    some: Sequence[_Told],
    host: KnownHost | None,
    name_of: Callable[[Address, int, int], str],
    servers: frozenset[str] | set[str],
) -> TurningPoint:
    first, *others = some
    transfer, phase = first.transfer, first.phase

    def way(one: _Told) -> str:
        remote, remote_port, local, local_port = one.transfer.flow
        right = one.transfer.node in servers
        client = name_of(*((remote, remote_port) if right else (local, local_port)), one.phase.at)
        peer = one.transfer.history.peer or "nobody"
        return f"{one.transfer.node} to {client}" if right else f"{client} to {peer}"

    lost = next(iter(transfer.history.lost.values()), "")
    case = SettingsCase(reason, host, transfer.node, None, control=transfer.control, lost=lost)
    lead, *rest = phase_words.sentences(phase, transfer.history)
    text = [f"{way(first)}: {lead}."]
    text += [f"{each[0].upper()}{each[1:]}." for each in rest]
    if others:
        text.append(_again(first, others, way))
    text.append(f"[{phase_words.source(phase)}]")
    at = _when(phase)
    number = phase.mark.number if phase.mark else None
    return TurningPoint(
        at, reason, phase_words.title(phase), " ".join(text), settings_advice(case), len(some), number
    )


def _again(first: _Told, others: Sequence[_Told], way: Callable[[_Told], str]) -> str:
    """The other times, each with the window before it and the threshold after, as long as they are few."""
    one_way = {way(one) for one in (first, *others)}
    if len(others) > MOMENTS_LISTED:
        windows = [one.phase.before.cwnd for one in others]
        return (
            f"Then {count(len(others), 'time')}, until {moment(max(one.phase.at for one in others))}, with windows of "
            f"{min(windows)} to {max(windows)} segments."
        )
    if len(one_way) > 1 or isinstance(first.phase, SlowStart | Startup):
        told = [f"{way(one)} at {moment(_when(one.phase))}{_windows(one.phase)}" for one in others]
        return f"Likewise {'; '.join(told)}."
    if isinstance(first.phase, LossProbe | Undo | Restart | RoundTripProbe):
        return f"Again at {listed_moments([one.phase.at for one in others])}."
    told = [f"at {moment(one.phase.at)}{_windows(one.phase)}" for one in others]
    return f"Again {', '.join(told[:-1]) + ' and ' if told[:-1] else ''}{told[-1]}."


def _when(phase: Phase) -> int:
    return phase.until if isinstance(phase, SlowStart | Startup) else phase.at


def _windows(phase: Phase) -> str:
    match phase:
        case SlowStart() | Startup():
            return f" ({phase.before.cwnd} to {phase.after.cwnd} segments)"
        case Recovery() | TimeOuts() | Reduction():
            again = f", {count(len(phase.repeats), 'repeat')}" if phase.repeats else ""
            threshold = "" if phase.by_model else f", threshold {phase.after.ssthresh}"
            return f" (window {phase.before.cwnd}{threshold}{again})"
    return ""


# What needs no paragraph of its own.


class ToldOfPhases:
    """Knows which repeats, duplicate ACKs and data out of order the paragraphs of phases tell of."""

    def __init__(self, transfers: Sequence[FollowedTransfer]) -> None:
        self._repeats = {
            repeat.number for transfer in transfers for phase in transfer.phases for repeat in phase.repeats
        }
        self._spans: dict[tuple[str, FlowKey], list[tuple[int, int]]] = {}
        for transfer in transfers:
            for phase in transfer.phases:
                if isinstance(phase, Recovery | TimeOuts):
                    spans = self._spans.setdefault((transfer.node, transfer.flow), [])
                    early = phase.before.rto * MICROSECOND
                    spans.append((phase.at - early, phase.until + phase.after.srtt * MICROSECOND))

    def tells(self, row: Row, rule: str) -> bool:
        """Whether the paragraph of a phase tells what this note of a row says."""
        if not isinstance(row, PacketRow):
            return False
        if row.sent is not None and row.sent.repeat and rule == row.sent.reason.name:
            return row.number in self._repeats
        if rule == _AHEAD:
            return self._within((row.sender, row.segment.sender_flow), row.at)
        return rule in _ANSWERS and self._within((row.receiver or "", row.segment[:4]), row.at)

    def _within(self, here: tuple[str, FlowKey], at: int) -> bool:
        return any(since <= at <= until for since, until in self._spans.get(here, ()))
