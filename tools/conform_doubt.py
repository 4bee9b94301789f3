"""Truths that cannot judge anybody, because a kernel would not give them twice.

Two things make one: the machine was too busy to do a step in time; a flow's timestamps began with that of a
SYN cookie, which is rounded to 64 ms. Two more cannot be seen, only guessed once a difference was found: a timer
that a step may have stopped just before it fired, and a rate limit that two segments may just have kept. Which of a
step and a timer was first, when both came at once, is tried at several phases instead: see `traces/phases.py`.
"""

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

Trace: TypeAlias = dict[str, Any]
Entry: TypeAlias = dict[str, Any]

TOO_LATE = 0.006
"""Seconds that a step may come after its time."""
INVALID_RATE_LIMIT = "net.ipv4.tcp_invalid_ratelimit"
JIFFIES_OF_DOUBT = 0.008
HARMLESS = ("accept", "listen")
"""Calls that no timer minds, nor they it."""


def guess(truth: Trace) -> str | None:
    """What may be the matter with a truth that somebody differs from."""
    return step_near_unseen_timer(truth) or rate_limit_edge(truth)


def late_step(truth: Trace) -> str | None:
    planned = sorted(step[0] for step in truth["steps"])
    done = [entry["t"] for entry in truth["log"] if "out" not in entry]
    late = max((at - plan for plan, at in zip(planned, done, strict=False)), default=0.0)
    return f"the machine is busy: a step came {late * 1000:.0f} ms late" if late > TOO_LATE else None


def _concerns(step: Entry, packet: Entry) -> bool:
    if "in" in step:
        return bool(step["in"][0] == packet["out"])
    return step["do"][0] not in HARMLESS


def step_near_unseen_timer(truth: Trace) -> str | None:
    """A repeat was due, as far as one can tell, but the step came first and may have stopped it."""
    steps = [entry for entry in truth["log"] if "out" not in entry]
    for packet, start, end in _repeats_due(truth["log"]):
        for step in steps:
            if start < step["t"] < end and _concerns(step, packet):
                return f"at {step['t']:.3f} {packet['out']} may have had a timer due"
    return None


def _repeats_due(log: list[Entry]) -> Iterator[tuple[Entry, float, float]]:
    """Each packet that might have been sent again, and from when till when that was due."""
    sendings: dict[tuple[Any, ...], list[float]] = {}
    for number, entry in enumerate(log):
        if "out" not in entry or not (entry["len"] or "S" in entry["flags"] or "F" in entry["flags"]):
            continue
        at = entry["t"]
        times = sendings.setdefault((entry["out"], entry["flags"], str(entry["seq"]), entry["len"]), [])
        delays = [at - times[-1], 2 * (at - times[-1])] if times else [1.0] * ("S" in entry["flags"])
        times.append(at)
        answered = _answered(entry["out"], log[number:])
        for delay in delays:
            slack = 0.05 + 0.125 * (at + delay - times[0])
            if answered > at + delay - slack:
                yield entry, max(at + 0.01, at + delay - slack), at + delay + slack


def _answered(flow: int, log: list[Entry]) -> float:
    """When the peer's next ACK comes."""
    acks = (entry["t"] for entry in log if "in" in entry and entry["in"][0] == flow and "A" in entry["in"][1])
    return next(acks, float("inf"))


def rate_limit_edge(truth: Trace) -> str | None:
    """The kernel measures the distance in jiffies."""
    limit = truth["sysctl"].get(INVALID_RATE_LIMIT, 500) / 1000
    heard: dict[int, list[float]] = {}
    for entry in truth["log"]:
        if "in" in entry:
            earlier = heard.setdefault(entry["in"][0], [])
            if any(abs(entry["t"] - before - limit) < JIFFIES_OF_DOUBT for before in earlier):
                return f"segments of {entry['in'][0]} came {limit} s apart, as the rate limit asks"
            earlier.append(entry["t"])
    return None


def cookie_clock(truth: Trace) -> str | None:
    if not truth["log"][-1]["ret"]["mib"].get("SyncookiesSent"):
        return None
    stamped = [entry["out"] for entry in truth["log"] if _has_timestamp(entry)]
    twice = sorted({flow for flow in stamped if stamped.count(flow) > 1})
    return f"the timestamps of {twice} may begin with that of a cookie" if twice else None


def _has_timestamp(entry: Entry) -> bool:
    return "out" in entry and any(words[0] == "TS" for words in entry["opts"])


def steadily(run: Callable[[Trace], Trace], trace: Trace, tries: int = 3) -> Trace:
    """The kernel's answer, asked again where the machine was too busy."""
    for _ in range(tries - 1):
        truth = run(trace)
        if late_step(truth) is None:
            return truth
    return run(trace)
