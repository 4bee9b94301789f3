"""What a phase of a transfer is in words: in a few for a ladder, and as a paragraph of a story."""

from collections.abc import Iterator
from itertools import pairwise

from tcpemu.explain.lines.count_words import count, rate_words
from tcpemu.explain.lines.time_words import moment, span_words
from tcpemu.explain.phases.bbr_phases import RoundTripProbe, Startup, path_holds
from tcpemu.explain.phases.flow_history import FlowHistory
from tcpemu.explain.phases.transfer_phases import (
    NO_THRESHOLD,
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
from tcpemu.stack.base.units import MICROSECOND

TITLES: dict[type[Phase], str] = {
    SlowStart: "Slow start ends",
    Recovery: "Fast retransmit and recovery",
    TimeOuts: "Retransmission time-out (RTO)",
    Reduction: "The window comes down without a loss (ECN)",
    Restart: "Slow start after a pause",
    Undo: "The sender takes it back: nothing was lost",
    LossProbe: "Tail loss probe",
    Startup: "BBR has found the rate of the path: startup ends",
    RoundTripProbe: "BBR looks for a shorter round trip",
}
SOURCES: dict[type[Phase], str] = {
    SlowStart: "tcp_cong.c: tcp_slow_start",
    Recovery: "tcp_input.c: tcp_enter_recovery",
    TimeOuts: "tcp_timer.c: tcp_retransmit_timer; tcp_input.c: tcp_enter_loss",
    Reduction: "tcp_input.c: tcp_enter_cwr",
    Restart: "tcp_output.c: tcp_cwnd_restart",
    Undo: "tcp_input.c: tcp_undo_cwnd_reduction",
    LossProbe: "tcp_output.c: tcp_send_loss_probe",
    Startup: "tcp_bbr.c: bbr_check_full_bw_reached, bbr_check_drain",
    RoundTripProbe: "tcp_bbr.c: bbr_update_min_rtt",
}
HYSTART = "tcp_cubic.c: hystart_update"
_FOUND_BY = {
    Why.SACK: "SACKs tell that data sent later has arrived",
    Why.DUPLICATES: "as many duplicate ACKs have come as make a loss (net.ipv4.tcp_reordering)",
    Why.REORDERING_TIMER: (
        "data sent later has arrived, and RACK's timer has waited as long as one segment may take to overtake another"
    ),
}


def segments(number: int) -> str:
    """`1 segment`, `12 segments`."""
    return count(number, "segment")


def title(phase: Phase) -> str:
    """What the phase is called."""
    if isinstance(phase, SlowStart) and phase.why is Why.LAST:
        return "Slow start"
    if isinstance(phase, Startup) and phase.why is not Why.FULL:
        return "BBR: startup"
    return TITLES[type(phase)]


def short_words(phase: Phase) -> str:
    """What a ladder says where it begins; of slow start, where it ends."""
    match phase:
        case SlowStart():
            return f"slow start ends{_short_end(phase)}; the window is {segments(phase.after.cwnd)}"
        case Recovery() if phase.by_model:
            fall = f"the window of {segments(phase.before.cwnd)} is {phase.first_cwnd} for now"
            return f"recovery begins: {fall}, and as much is sent as arrives (BBR)"
        case Recovery():
            how = (
                f"is {phase.first_cwnd} at once, below the threshold of" if _below(phase) else "comes down to"
            )
            return (
                f"recovery begins: the window of {segments(phase.before.cwnd)} {how} {phase.after.ssthresh}"
            )
        case TimeOuts():
            known = phase.after.ssthresh < NO_THRESHOLD and not phase.by_model
            return f"{_fall(phase)}" + (
                f", and slow start goes up to {phase.after.ssthresh}" if known else ""
            )
        case Reduction():
            fall = f"from {phase.before.cwnd} to {phase.after.ssthresh}"
            return f"the window comes down {fall}: the peer echoes congestion (ECN)"
        case Undo():
            return f"nothing was lost: the window is {segments(phase.after.cwnd)} again"
        case Startup():
            why = f"the path delivers no more than {rate_words(phase.after.bbr_rate)}"
            why = why if phase.why is Why.FULL else "a shorter round trip is looked for"
            return f"startup ends (BBR): {why}; the window is {segments(phase.after.cwnd)}"
        case RoundTripProbe():
            return f"the window is {segments(phase.before.cwnd)}, to look for a shorter round trip (BBR)"
    return ""


def short_end(phase: Phase) -> str:
    """What a ladder says where a state of recovery ends; empty where that is told otherwise."""
    if isinstance(phase, RoundTripProbe) and phase.end is Why.ACKNOWLEDGED:
        shortest = _rtt(phase.after.bbr_min_rtt)
        return f"the shortest round trip is {shortest}; the window is {segments(phase.after.cwnd)} again"
    if not isinstance(phase, Recovery | TimeOuts) or phase.end is not Why.ACKNOWLEDGED:
        return ""
    name = "recovery" if isinstance(phase, Recovery) else "the state after the time-out"
    return f"{name} is over after {span_words(phase.until - phase.at)}; the window is {segments(phase.after.cwnd)}"


def headline(phase: Phase) -> str:
    """The same in as few words as stand beside a line on a slide."""
    before, after = phase.before.cwnd, phase.after
    match phase:
        case SlowStart():
            return f"slow start ends: {after.cwnd}"
        case Startup():
            return f"startup ends: {after.cwnd}"
        case RoundTripProbe():
            return f"probe_rtt: {before}"
        case Recovery() if phase.by_model:
            return f"recovery: {before} to {phase.first_cwnd}"
        case Recovery():
            return f"recovery: {before} to {min(phase.first_cwnd, after.ssthresh)}"
        case TimeOuts():
            name = "smaller segments" if phase.why is Why.SMALLER else "time-out"
            return f"{name}: {before} to {phase.first_cwnd}"
        case Reduction():
            return f"ECN: {before} to {after.ssthresh}"
        case Undo():
            return f"taken back: {after.cwnd}"
    return ""


def _fall(phase: TimeOuts) -> str:
    """A window that recovery has brought down before has no further to fall."""
    if phase.first_cwnd == phase.before.cwnd:
        return f"the window stays at {segments(phase.first_cwnd)}"
    return f"the window of {segments(phase.before.cwnd)} is {phase.first_cwnd}"


def _below(phase: Recovery) -> bool:
    """Whether the window was below the threshold at once, since little was under way."""
    return phase.first_cwnd < phase.after.ssthresh


_SHORT_ENDS = {
    Why.TRAIN: ": HyStart found that ACKs come in a row as long as the path",
    Why.DELAY: ": HyStart found that round-trip times grow",
    Why.THRESHOLD: ": the threshold is reached",
    Why.ECN: ": the peer echoes congestion (ECN)",
    Why.TIME_OUT: " with a time-out",
    Why.SMALLER: ": the path holds smaller packets only (path MTU)",
}


def _short_end(phase: SlowStart) -> str:
    return _SHORT_ENDS.get(phase.why, " with a loss")


# At length.


def sentences(phase: Phase, history: FlowHistory) -> Iterator[str]:
    """The paragraph, sentence by sentence."""
    match phase:
        case SlowStart():
            yield from _slow_start(phase, history)
        case Recovery():
            yield from _recovery(phase, history)
        case TimeOuts():
            yield from _time_outs(phase)
        case Reduction():
            yield from _reduction(phase)
        case Restart():
            yield (
                f"nothing was sent for {span_words(phase.until - phase.at)}, longer than a time-out, so what "
                f"the window says of the path is old: from {segments(phase.before.cwnd)} it falls to {phase.after.cwnd}"
            )
        case Undo():
            yield from _undo(phase)
        case LossProbe():
            yield from _probe(phase)
        case Startup():
            yield from _startup(phase)
        case RoundTripProbe():
            yield from _round_trip_probe(phase)


def _slow_start(phase: SlowStart, history: FlowHistory) -> Iterator[str]:
    begin, end = phase.before.cwnd, phase.after.cwnd
    again = "begins again" if phase.after_time_out else "begins"
    yield (
        f"slow start {again} at {moment(phase.at)} with a window of {segments(begin)}, and each segment that is "
        f"acknowledged makes it larger by one, so that it doubles each round trip ({_rtt(phase.srtts[0])})"
    )
    grown = f"{_grown(begin, end)} at {moment(phase.until)}"
    match phase.why:
        case Why.DELAY:
            yield (
                f"It {grown}, and ends there before any loss: HyStart, a part of CUBIC, sees that round-trip "
                f"times have grown (the mean to {_rtt(phase.srtts[1])}), so a queue builds up on the way"
            )
        case Why.TRAIN:
            yield (
                f"It {grown}, and ends there before any loss: HyStart, a part of CUBIC, sees that ACKs "
                "come in a row for more than half of a round trip, so the path is as good as full"
            )
        case Why.THRESHOLD:
            yield f"At {moment(phase.until)} it has reached the threshold of {segments(phase.after.ssthresh)}"
        case Why.LAST:
            yield f"All is sent before it ends: the window {grown}"
        case Why.TIME_OUT:
            yield f"It {grown}, where a time-out ends it"
        case Why.ECN:
            yield f"It {grown}, where the peer's echo of congestion (ECN) ends it"
        case Why.PROBE:
            yield f"It {grown}, where a loss that a tail loss probe has mended ends it"
        case Why.SMALLER:
            yield f"It {grown}, where segments turn out to be too large for the path"
        case _:
            yield f"It {grown}, where {'a loss' if history.lost else 'what looks like a loss'} ends it"
    if phase.why in (Why.TRAIN, Why.DELAY, Why.THRESHOLD):
        yield "From there on it grows slowly (congestion avoidance)"
    if phase.held > phase.srtts[0] * MICROSECOND:
        yield (
            f"For {span_words(phase.held)} of this the peer's window leaves less room than the congestion window: the "
            "receiver holds the data back, and not the path"
        )


def _grown(begin: int, end: int) -> str:
    return f"{'has grown to' if end > begin else 'is still'} {segments(end)}"


def _startup(phase: Startup) -> Iterator[str]:
    begin, end, after = phase.before.cwnd, phase.after.cwnd, phase.after
    yield (
        f"BBR begins at {moment(phase.at)} with a window of {segments(begin)}, and sends 2.89 times as fast as ACKs "
        f"tell that the path delivers: so the rate doubles each round trip ({_rtt(phase.before.srtt)}) as long as "
        "there is more (startup)"
    )
    match phase.why:
        case Why.FULL:
            yield (
                f"At {moment(phase.until)} three round trips have brought no quarter more: the path is full, and "
                f"delivers {rate_words(after.bbr_rate)}; the window is {segments(end)}"
            )
            yield from _drain(phase)
        case Why.PROBE:
            yield f"It {_grown(begin, end)} at {moment(phase.until)}, where a shorter round trip is looked for"
        case _:
            yield f"All is sent before it ends: the window {_grown(begin, end)} at {moment(phase.until)}"


def _drain(phase: Startup) -> Iterator[str]:
    holds = f"the {segments(path_holds(phase.after))} that the path holds in {_rtt(phase.after.bbr_min_rtt)}"
    if phase.drained is None:
        yield f"Then it is slow, until no more is under way than {holds}, which is not so before the end (drain)"
        return
    yield (
        f"What has queued on the way goes first: it is slow until {moment(phase.drained)}, when no more is under way "
        f"than {holds} (drain)"
    )
    yield "From there on it keeps to that rate, and asks for a quarter more in one round trip of eight (probe_bw)"


def _round_trip_probe(phase: RoundTripProbe) -> Iterator[str]:
    yield (
        "for ten seconds no round trip was as short as the shortest, so what BBR knows of it is old: it sends no more "
        f"than {segments(phase.before.cwnd)} at a time, for 200 ms and a round trip at least, so that no queue is left "
        "to wait in (probe_rtt)"
    )
    if phase.end is Why.ACKNOWLEDGED:
        yield (
            f"At {moment(phase.until)} the shortest round trip is {_rtt(phase.after.bbr_min_rtt)}, and the window is "
            f"{segments(phase.after.cwnd)} again"
        )


def _rtt(microseconds: int) -> str:
    return span_words(microseconds * MICROSECOND, 3)


def _recovery(phase: Recovery, history: FlowHistory) -> Iterator[str]:
    found = _FOUND_BY.get(phase.why, "")
    probe = "the ACK that a tail loss probe has drawn shows it: " if phase.after_probe else ""
    rto = span_words(phase.before.rto * MICROSECOND, 3)
    yield (
        f"{probe}{found}, so what is missing is presumed lost, and sent again at once, without waiting for the "
        f"time-out ({rto})"
    )
    kept, told = _around(history.kept, phase), _around(history.duplicates, phase)
    if kept:
        said = f", and {count(told, 'duplicate ACK')} said so" if told else ""
        yield f"{segments(kept)} of later data {_were(kept)} kept at {history.peer} until the gap is filled{said}"
    sent = len(phase.repeats)
    yield f"{segments(sent)} {_are(sent)} sent again{_until_over(phase)}"
    lost = sum(repeat.number in history.lost for repeat in phase.repeats)
    if lost and phase.end is Why.ACKNOWLEDGED:
        yield (
            f"{lost:,} of the repeats {_are(lost)} lost too, which takes no time-out: what was sent after "
            f"{'it' if lost == 1 else 'them'} arrives, so {'it is' if lost == 1 else 'they are'} sent once more (RACK)"
        )
    window = segments(phase.before.cwnd)
    if phase.by_model:
        back = (
            f", and at the end of it the window is {phase.after.cwnd}"
            if phase.end is Why.ACKNOWLEDGED
            else ""
        )
        yield (
            f"BBR does not take that for a full path: the window of {window} is {phase.first_cwnd} for now, for a "
            f"round trip as much is sent as arrives{back}"
        )
        return
    yield f"The window was {window}; the threshold is {phase.after.ssthresh} now, {_way_down(phase)}"


def _way_down(phase: Recovery) -> str:
    if _below(phase):
        return (
            f"and since less than that is under way, the window is {segments(phase.first_cwnd)} at once: only as ACKs "
            "arrive does it come up to the threshold (PRR)"
        )
    return "and the window comes down to it step by step, as ACKs arrive (PRR)"


def _are(number: int) -> str:
    return "is" if number == 1 else "are"


def _were(number: int) -> str:
    return "was" if number == 1 else "were"


def _around(times: list[int], phase: Phase) -> int:
    """How many there were from half a time-out before it began to its end."""
    since = phase.at - phase.before.rto * MICROSECOND // 2
    return sum(since <= at <= phase.until for at in times)


def _until_over(phase: Phase) -> str:
    match phase.end:
        case Why.ACKNOWLEDGED:
            return (
                f"; the state lasts until all that was under way is acknowledged, at {moment(phase.until)}, after "
                f"{span_words(phase.until - phase.at)}"
            )
        case Why.UNDONE:
            return f"; at {moment(phase.until)} it turns out that nothing was lost"
        case Why.TIME_OUT:
            return f"; a time-out cuts it short at {moment(phase.until)}"
    return "; it is not over at the end"


def _time_outs(phase: TimeOuts) -> Iterator[str]:
    fired = [one for one in phase.repeats if one.reason == "RETRANSMIT"]
    first = f" {span_words(fired[0].since_last)} after it was sent" if fired and fired[0].since_last else ""
    yield f"no ACK came in time: the first segment without one is sent again{first}"
    waits = [span_words(later.at - one.at) for one, later in pairwise(fired)]
    if waits:
        yield (
            f"Each time-out is twice as long as the one before, since the network may be overloaded: the next "
            f"{'one comes' if len(waits) == 1 else f'{len(waits)} come'} after {_listed(waits)}"
        )
    now, then = phase.first_cwnd, phase.before.cwnd
    window = f"falls from {segments(then)} to {now}" if now < then else f"is {segments(now)} already"
    threshold = "" if phase.by_model else f", the threshold is {phase.after.ssthresh}"
    yield (f"The window {window}{threshold}, and all that is not acknowledged counts as lost")
    others = len(phase.repeats) - len(fired)
    match phase.end:
        case Why.ACKNOWLEDGED:
            more = f", {segments(others)} more having been sent again in slow start" if others else ""
            yield f"All that was under way is acknowledged at {moment(phase.until)}{more}"
        case Why.UNDONE:
            yield f"At {moment(phase.until)} an ACK shows that the original had arrived: the time-out was for nothing"
        case _ if phase.answered is not None:
            yield f"An ACK comes at {moment(phase.answered)}"
        case _:
            yield "To the end no ACK says that it has arrived"


def _listed(words: list[str]) -> str:
    return f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else words[0]


def _reduction(phase: Reduction) -> Iterator[str]:
    yield "a router has marked packets in place of dropping them, and the peer echoes that (ECE)"
    yield (
        f"The window comes down from {segments(phase.before.cwnd)} to {phase.after.ssthresh}, as after a loss, but "
        "nothing has to be sent again"
    )


_UNDONE_BY = {
    "TCPDSACKUndo": "D-SACKs tell that each repeat was one too many: the originals had arrived",
    "TCPSpuriousRTOs": "after the time-out ACKs came for what had not been sent again (F-RTO), so it was for nothing",
}


def _undo(phase: Undo) -> Iterator[str]:
    counted = phase.mark.counted if phase.mark else {}
    why = next((words for name, words in _UNDONE_BY.items() if name in counted), "")
    yield why or "the timestamp in the ACK is from before the repeat, so the original had arrived, only late"
    yield f"The window is {segments(phase.after.cwnd)} again, from {phase.before.cwnd}, and the threshold as it was"


def _probe(phase: LossProbe) -> Iterator[str]:
    what = "data that was not sent yet" if phase.new_data else "the last segment again"
    yield (
        f"no ACK has come for about two round trips, with nothing else to send that would draw one: {what} goes out to "
        "draw it, long before the time-out"
    )
    mended = "The last segment was lost, and the probe has mended it: its ACK comes at"
    match phase.end:
        case Why.ACKNOWLEDGED if phase.answered is not None:
            yield (
                f"{mended} {moment(phase.answered)}, and once it is clear that nothing came twice, the window comes "
                f"down to {segments(phase.after.cwnd)}, as after any loss"
            )
        case Why.SACK:
            yield f"Its ACK, at {moment(phase.until)}, shows what is missing: fast retransmit follows"
        case Why.TIME_OUT:
            yield "The probe draws no ACK either: the time-out follows"
        case _ if phase.answered is not None and phase.mends:
            yield f"{mended} {moment(phase.answered)}"
        case _ if phase.answered is not None:
            yield f"An ACK comes at {moment(phase.answered)}: nothing was lost, it was late"
        case _:
            yield "No ACK comes to the end"


def source(phase: Phase) -> str:
    """The kernel's function and the counters that moved."""
    by_hystart = isinstance(phase, SlowStart) and phase.why in (Why.TRAIN, Why.DELAY)
    name = HYSTART if by_hystart else SOURCES[type(phase)]
    counted = dict(phase.mark.counted) if phase.mark else {}
    shown = [
        f"{each} +{by:,}" for each, by in counted.items() if each.startswith("TCP") and _TELLING.get(each)
    ]
    return "; ".join([name, *([", ".join(shown)] if shown else [])])


_TELLING = dict.fromkeys(
    (
        "TCPHystartTrainDetect",
        "TCPHystartDelayDetect",
        "TCPSackRecovery",
        "TCPRenoRecovery",
        "TCPTimeouts",
        "TCPLossProbes",
        "TCPFullUndo",
        "TCPPartialUndo",
        "TCPDSACKUndo",
        "TCPLossUndo",
        "TCPSpuriousRTOs",
    ),
    True,
)
