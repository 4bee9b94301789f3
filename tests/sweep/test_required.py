"""What a test says of a sweep."""

import pytest

from tcpemu.sweep import MeasureError, require, sweep


def test_every_run_has_to_meet_it(crowd):
    found = sweep(crowd, {"server.backlog": [1, 16]}, seeds=3, measure=["served", "ListenOverflows"])
    require(found, "served >= 1")
    with pytest.raises(AssertionError) as failed:
        require(found, "ListenOverflows < 1")
    told = str(failed.value)
    assert told.startswith("ListenOverflows < 1: 3 of 3 runs of backlog=1 do not meet it; with seed 1 Listen")
    assert f"tcpemu explain {crowd} --set 'server.backlog=1' --seed 1" in told


def test_a_share_of_the_runs_may_do(crowd):
    found = sweep(crowd, {}, seeds=4, measure=["served.share"])
    shares = sorted(row["served.share"] for row in found.rows())
    between = f"served > {(shares[0] + shares[-1]) / 2}"
    require(found, between, share=0.25)
    with pytest.raises(AssertionError):
        require(found, between)


def test_what_was_not_measured_cannot_be_required(crowd):
    with pytest.raises(MeasureError, match="was not measured"):
        require(sweep(crowd, {}, measure=["served"]), "failed < 1 %")
