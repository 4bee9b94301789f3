"""Whether the emulator answers as a log says, allowing for what no trace can tell of a real kernel.

A kernel's timers go by ticks, of HZ = 250 say, and nobody knows how far its clock was past a tick when the trace
began: its *phase*. And each step came a little later than planned, as the log tells. Both decide which of a step and
a timer comes first, and what is measured in ticks. So where the emulator answers otherwise at the planned times, it
is asked again with the times of the log, at several phases; and at some that are more than a tick apart, since timers
of a quarter of a second and more go by eight ticks at once, those of two seconds by 64. What is the same at one of
them is consistent: the kernel may have done that. What leaves at a pace leaves on time, also where the log has a step
before it that was written down in the same moment, and where BBR's cycle of phases begins is drawn: both are tried
too. A sample takes its time, so that counters may tell of what left before it was done: that is tried last. What
differs at all of them is told as it differs where that shows last, with the rule that it looks like.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain

from tcpemu.generations import DEFAULT
from tcpemu.scenario.traces import step_trace
from tcpemu.scenario.traces.judge import Difference, earliest_difference
from tcpemu.scenario.traces.step_trace import CYCLES, USUAL_HZ, Moments
from tcpemu.stack.base.units import MILLISECOND, SECOND
from tcpemu.stack.sockets.option_names import NUMBERS
from tcpemu.wire.relative_numbers import LogEntry, Trace

_PACE = list(NUMBERS["SO_MAX_PACING_RATE"])
_TRIES = 8
"""Phases that are tried, evenly over a tick."""
_TICKS_AT_ONCE = 8
"""By which the kernel's timer wheel has timers of 63 ticks and more."""
_TICKS_OF_SECONDS = 64
"""And those of 504 ticks and more."""
_SAMPLING, _LAST_SAMPLING = 0.06, 0.035
"""Seconds that a sample may take at most, as programs are run for it, in a booted kernel by software; and that the
last one takes, of which no later entry of the log tells."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What came of a trace that has a log."""

    answer: Trace
    """What the emulator answers, at the planned times."""
    difference: Difference | None = None
    """None where it is the same, at some phase."""
    phase: int | None = None
    """Nanoseconds past a tick at which it is the same, with the times of the log, or past the first of eight; None
    where no phase was needed."""

    @property
    def same(self) -> bool:
        return self.difference is None

    def __str__(self) -> str:
        if self.difference is not None:
            return f"different: {self.difference}; it looks like {self.difference.rule}"
        return "the same" if self.phase is None else f"the same at phase {self.phase / MILLISECOND:g} ms"


def judge(
    truth: Trace, *, generation_name: str = DEFAULT, hz: int | None = USUAL_HZ, seed: int = 0
) -> Judgement:
    """Have the emulator answer a trace, and say whether that is what its log says.

    Raises what `step_trace.run` raises, and ValueError for a trace without a log.
    """
    answer = step_trace.run(truth, generation_name=generation_name, hz=hz, seed=seed)
    return compare(truth, answer, generation_name=generation_name, hz=hz, seed=seed)


def compare(
    truth: Trace,
    answer: Trace,
    *,
    generation_name: str = DEFAULT,
    hz: int | None = USUAL_HZ,
    seed: int = 0,
) -> Judgement:
    """The same for an answer that is there already."""
    found = earliest_difference(truth, answer)
    if found is None:
        return Judgement(answer)
    moments = moments_of(truth)
    if moments is None:
        return Judgement(answer, found)
    tick = SECOND // (hz or USUAL_HZ)
    late = _with_late_samples(truth, moments)
    for tried in chain(_tries(truth, moments, tick), _tries(truth, late, tick)):
        other = step_trace.run(
            truth, generation_name=generation_name, hz=hz or "usual", seed=seed, moments=tried
        )
        left = earliest_difference(truth, other)
        if left is None:
            return Judgement(answer, None, tried.phase)
        if left.at > found.at:
            found = left
    return Judgement(answer, found)


def _tries(truth: Trace, moments: Moments, tick: int) -> Iterator[Moments]:
    """All that nobody can tell of that run, the likeliest first."""
    control = truth.get("sysctl", {}).get("net.ipv4.tcp_congestion_control")
    chosen = [step for step in truth["steps"] if step[1] in ("setopt", "listen", "connect")]
    words = json.dumps(chosen)
    has_bbr = control == "bbr" or '"bbr"' in words
    paced = has_bbr or "opts" in words or any(step[1] == "setopt" and step[3:5] == _PACE for step in chosen)
    for cycle in (None, *range(CYCLES)) if has_bbr else (None,):
        for exactly in (False, True) if paced else (False,):
            for number in range(_TRIES):
                phase = number * tick // _TRIES
                yield replace(moments, phase=phase, paces_exactly=exactly, cycle=cycle)
    for exactly in (False, True) if paced else (False,):
        for halves in range(2, 2 * _TICKS_AT_ONCE):
            yield replace(moments, phase=halves * tick // 2, paces_exactly=exactly)
    if not paced:
        for eights in range(1, _TICKS_OF_SECONDS // _TICKS_AT_ONCE):
            yield replace(moments, phase=eights * _TICKS_AT_ONCE * tick)


def _with_late_samples(truth: Trace, moments: Moments) -> Moments:
    """Samples that end after the packet that left next, where it left soon, and the last one a little later."""
    times, sent = list(moments.times), list(moments.sent)
    for number, step in enumerate([*truth["steps"], [0, "sample"]]):
        packets = moments.packets[sent[number] : sent[number + 1] if number + 1 < len(sent) else None]
        soon = [packet["t"] for packet in packets if packet["t"] < times[number] + _SAMPLING]
        if step[1] == "sample" and soon:
            times[number] = soon[-1]
            sent[number] += len(soon)
    times[-1] += _LAST_SAMPLING
    return replace(moments, times=tuple(times), sent=tuple(sent))


def moments_of(truth: Trace) -> Moments | None:
    """When its steps were done, by its log; None where the log is not one of all its steps, in their order."""
    times: list[float] = []
    sent: list[int] = []
    packets: list[LogEntry] = []
    for entry in truth["log"]:
        if "out" in entry:
            packets.append(entry)
        elif "in" in entry or "do" in entry:
            times.append(max(entry["t"], times[-1] if times else 0.0))
            sent.append(len(packets))
    if len(times) != len(truth["steps"]) + 1:
        return None
    return Moments(tuple(times), tuple(sent), tuple(packets))
