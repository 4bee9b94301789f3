"""Truths that cannot judge anybody, because a kernel would not give them twice.

Three things make one: the machine was too busy to do a step in time; a step came so close to a timer's
firing that either might have been first; a flow's timestamps began with that of a SYN cookie, which is
rounded to 64 ms. Two more cannot be seen, only guessed once a difference was found: a timer that a step may
have stopped just before it fired, and a rate limit that two segments may just have kept.
"""

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

Trace: TypeAlias = dict[str, Any]
Entry: TypeAlias = dict[str, Any]

TOO_LATE = 0.006
"""Seconds that a step may come after its time."""
AT_ONCE = 0.0075
"""An answer to a segment comes within this; what comes later comes from a timer."""
SYN_AT_ONCE = 0.016
"""A SYN that a wrong answer provokes comes from a timer of two jiffies, and belongs to that answer."""
DELAYED_ACK_MARGIN = 0.012
INVALID_RATE_LIMIT = "net.ipv4.tcp_invalid_ratelimit"
JIFFIES_OF_DOUBT = 0.008
HARMLESS = ("accept", "listen")
"""Calls that no timer minds, nor they it."""


def doubt(truth: Trace) -> str | None:
    """Why the truth proves nothing, if it does not."""
    return late_step(truth) or step_near_timer(truth) or cookie_clock(truth)


def guess(truth: Trace) -> str | None:
    """What may be the matter with a truth that somebody differs from."""
    return step_near_unseen_timer(truth) or rate_limit_edge(truth)


def late_step(truth: Trace) -> str | None:
    planned = sorted(step[0] for step in truth["steps"])
    done = [entry["t"] for entry in truth["log"] if "out" not in entry]
    late = max((at - plan for plan, at in zip(planned, done, strict=False)), default=0.0)
    return f"the machine is busy: a step came {late * 1000:.0f} ms late" if late > TOO_LATE else None


def step_near_timer(truth: Trace) -> str | None:
    steps = [entry for entry in truth["log"] if "out" not in entry]
    for packet, margin in _from_timers(truth["log"]):
        for step in steps:
            if abs(step["t"] - packet["t"]) < margin and _concerns(step, packet):
                return f"a step at {step['t']:.3f} meets a timer of {packet['out']} at {packet['t']:.3f}"
    return None


def _from_timers(log: list[Entry]) -> Iterator[tuple[Entry, float]]:
    """The packets that timers sent, and how near a step must not come."""
    heard: dict[int, float] = {}
    spoke: dict[int, float] = {}
    last_step = -1.0
    for entry in log:
        at = entry["t"]
        if "out" in entry:
            flow = entry["out"]
            since_heard = at - heard.get(flow, -1.0)
            prompt = SYN_AT_ONCE if entry["flags"] == "S" else AT_ONCE
            if at - last_step > prompt / 2 and since_heard > prompt:
                delayed_ack = entry["flags"] == "A" and entry["len"] == 0 and since_heard < 0.3
                grown = min(4.0, 0.04 + 0.12 * (at - spoke.get(flow, 0.0)))
                yield entry, DELAYED_ACK_MARGIN if delayed_ack else grown
            spoke[flow] = at
        else:
            last_step = at
            if "in" in entry:
                heard[entry["in"][0]] = at


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
