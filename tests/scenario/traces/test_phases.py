"""The judge allows for the phase of a kernel's clock and for late steps, and for nothing else."""

import json
from pathlib import Path

import pytest

from tcpemu.scenario.traces import phases, step_trace
from tcpemu.stack.base.units import MILLISECOND

SYN = {"opts": [["mss", 1460]]}
TRUTHS = Path(__file__).parents[2] / "traces" / "linux-6.18"
TRACE = {
    "until": 0.8,
    "steps": [
        [0, "listen", 1],
        [0.1, "in", 42001, "S", 0, None, SYN],
        [0.12, "in", 42001, "A", 1, 1],
        [0.15, "accept"],
        *[
            [round(0.2 + 0.01 * number, 2), "in", 42001, "PA", 1 + 10 * number, 1, {"len": 10}]
            for number in range(20)
        ],
        [0.5, "in", 42001, "PA", 201, 1, {"len": 10}],
    ],
}


def answered(late=0.0, phase=0, **changes):
    """The trace as a kernel would answer it whose steps come so late, with its clock at this phase."""
    steps = sorted(step[0] for step in TRACE["steps"])
    times = (*(at + (late if at else 0.0) for at in steps), TRACE["until"])
    log = step_trace.run(TRACE, moments=step_trace.Moments(times, (0,) * len(times), phase=phase))["log"]
    return {**TRACE, **changes, "log": log}


def test_what_is_the_same_at_the_planned_times_needs_no_phase():
    judged = phases.judge(answered())
    assert (judged.same, judged.phase, str(judged)) == (True, None, "the same")


@pytest.mark.parametrize("phase", [0, 1, 3])
def test_a_clock_at_another_phase_is_found_whatever_the_times(phase):
    judged = phases.judge(answered(late=0.002, phase=phase * MILLISECOND))
    assert judged.same


def test_a_timer_that_meets_a_step_may_come_before_it_or_after_it():
    """A delayed ACK is due when the last segment comes: either order is the kernel's to choose."""
    due = round(step_trace.run(TRACE)["log"][-2]["t"], 3)
    last = ["in", 42001, "PA", 211, 1, {"len": 10}]
    verdicts = []
    for late in (-0.002, 0.002):
        log = step_trace.run({**TRACE, "steps": [*TRACE["steps"], [due + late, *last]]})["log"]
        verdicts.append(phases.judge({**TRACE, "steps": [*TRACE["steps"], [due, *last]], "log": log}))
    assert [judged.same for judged in verdicts] == [True, True]
    assert "the same at phase 0 ms" in {str(judged) for judged in verdicts}


@pytest.mark.parametrize("ticks", [1, 4, 7])
def test_a_long_timer_goes_by_eight_ticks_whose_first_nobody_knows(ticks):
    """Data sent again after 0.4 s and more, and segments that come about then: they are answered in between."""
    steps = [*TRACE["steps"][:4], [0.2, "send", 42001, 10]]
    steps += [
        [round(0.7 + 0.004 * number, 3), "in", 42001, "PA", 1 + 10 * number, 1, {"len": 10}]
        for number in range(60)
    ]
    trace = {**TRACE, "steps": steps, "until": 1.2}
    times = (*(step[0] for step in steps), trace["until"])
    moments = step_trace.Moments(times, (0,) * len(times), phase=ticks * 4 * MILLISECOND)
    log = step_trace.run(trace, moments=moments)["log"]
    assert phases.judge({**trace, "log": log}).same


@pytest.mark.parametrize(
    ("field", "value", "rule"),
    [
        ("win", 1, "the receive window"),
        ("ack", 9999, "when an ACK is sent"),
        ("opts", [["nop"]], "SACK blocks"),
        ("ttl", 1, "IP_TTL"),
    ],
)
def test_what_differs_at_every_phase_is_told_with_the_rule_that_it_looks_like(field, value, rule):
    truth = answered()
    packet = [entry for entry in truth["log"] if "out" in entry][-1]
    packet[field] = value
    judged = phases.judge(truth)
    assert not judged.same
    assert rule in str(judged)
    assert str(judged).startswith("different: flow of 42001, packet ")


def test_a_counter_that_differs_is_named():
    truth = answered()
    truth["log"][-1]["ret"]["mib"]["TCPTimeouts"] = 3
    assert "it looks like counter TCPTimeouts" in str(phases.judge(truth))


def test_a_log_of_other_steps_has_no_times_to_go_by():
    truth = answered()
    del truth["log"][0]
    assert phases.moments_of(truth) is None
    assert not phases.judge(truth).same


def test_a_compressed_ack_went_out_when_what_it_tells_says_so():
    truth = json.loads((TRUTHS / "compressed_acks.json").read_text())
    assert str(phases.judge(truth)) == "the same at phase 0 ms"
    sacks = [entry for entry in truth["log"] if "out" in entry and len(entry["opts"]) == 3][-2]
    sacks["opts"][2][1][0][1] += 5000
    assert not phases.judge(truth).same


def test_a_sample_may_take_until_the_packet_that_leaves_next():
    """A SYN|ACK sent again while ss and nstat run is counted, though the sample began before it."""
    syn = [[0, "listen", 1], [0.1, "in", 42001, "S", 0, None, SYN], [1.09, "sample"]]
    trace = {"until": 1.5, "sysctl": {"net.ipv4.tcp_syncookies": 0}, "steps": syn}
    log = step_trace.run(trace)["log"]
    again = [entry["t"] for entry in log if "out" in entry][1]
    sample = next(entry for entry in log if entry.get("do") == ["sample"])
    later = step_trace.run({**trace, "steps": [*syn[:2], [again + 0.01, "sample"]]})["log"]
    sample["ret"] = next(entry["ret"] for entry in later if entry.get("do") == ["sample"])
    assert phases.judge({**trace, "log": log}).same
    sample["ret"]["mib"]["TCPTimeouts"] += 1
    assert not phases.judge({**trace, "log": log}).same
