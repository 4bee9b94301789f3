"""A few of a real kernel's answers, diagnosed; `tools/diagnose_kernel.py` does so with all, spoilt in many ways."""

import random
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

import diagnose_kernel as tool

from tcpemu.diagnose.claims.sureness import Sure

NAMES = (
    "ignored_ack_then_accept",
    "defer_accept_timeout",
    "syn_queue_limit_backlog2",
    "ignored_ack_full_life_ipv6",
)


def verdicts(name, at, how, share, folder):
    case = tool.of_trace(tool.TRUTHS / f"{name}.json")
    reasons = tool.reasons_of(case, folder)
    seen = tool.spoilt(case.seen_at[at], how, share, random.Random(3))
    for claim in tool.claims_of(seen, case, at, tool.KERNEL, folder):
        if verdict := tool.wrong_or_right(claim, case, reasons, seen):
            yield claim, verdict


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("at", tool.AWAY)
def test_what_a_real_kernel_did_is_told_rightly(name, at, tmp_path):
    told = list(verdicts(name, at, "whole", 0, tmp_path))
    assert [claim for claim, verdict in told if verdict == "wrong"] == []
    assert [claim for claim, _ in told if claim.sure in (Sure.LIKELY, Sure.CERTAIN)]


@pytest.mark.parametrize("how", tool.SPOILT)
def test_nothing_wrong_is_certain_of_a_spoilt_capture(how, tmp_path):
    told = [one for name in NAMES for one in verdicts(name, "server", how, 0.2, tmp_path)]
    assert told
    assert [claim for claim, verdict in told if verdict == "wrong" and claim.sure is Sure.CERTAIN] == []


def test_a_trace_that_is_no_capture_of_one_listener_is_left_out():
    paths = sorted(tool.TRUTHS.glob("relisten*.json"))[:3] + sorted(tool.TRUTHS.glob("connect*.json"))[:3]
    assert paths
    assert list(tool.suited(paths)) == []
