"""All transfers of a run."""

from tcpemu.explain.facts.rows import rows_of
from tcpemu.explain.phases.followed_transfers import followed_transfers
from tcpemu.scenario.format.load_scenario import load_runs
from tcpemu.scenario.running import build
from tests.explain.phases.followed import transfers_of


def test_each_sender_has_its_congestion_control_and_its_phases():
    found = transfers_of("shared-bottleneck")
    assert [(one.node, one.control) for one in found] == [("near", "cubic"), ("far", "cubic")]
    assert all(one.phases for one in found)
    assert [one.control for one in transfers_of("reno-cubic", "reno")] == ["reno"]


def test_nothing_is_found_where_nobody_followed_them():
    result = build.run(load_runs("slow-start")[0])
    assert followed_transfers(result.record, rows_of(result.record), result.network.transfers, 1) == []
