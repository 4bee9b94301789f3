"""A scenario run from Python by one call."""

import subprocess
import sys

import pytest

import tcpemu
from tcpemu.scenario.format.problems import ScenarioError
from tcpemu.wire import read_capture


def test_a_file_is_run_shown_and_saved(tmp_path):
    path = tmp_path / "talk.toml"
    path.write_text('title = "Talk"\nduration = "1 s"\nserver.answer = "echo"\n[[clients]]\nname = "c"\n')
    result = tcpemu.run_scenario(
        path, {"server.backlog": 3, "clients.c.do": ["connect", {"send": 5}, {"recv": 5}]}
    )
    assert (result.name, result.scenario.server.backlog, len(result.accepted)) == ("", 3, 1)
    (client,) = result.clients
    assert (client.error, client.received) == ("", 5)
    assert result.counters()["PassiveOpens"] == 1
    assert "SYN" in result.ladder(80)
    assert "Talk" in result.story()
    saved = read_capture(result.save(tmp_path / "x.pcapng"))
    assert len(saved.packets) == len(result.record.packets()) // 2
    assert "seed 1" in saved.comments


def test_a_built_in_one_by_its_name_and_a_run_by_its():
    result = tcpemu.run_scenario("listen-1-vs-5", until=50_000_000)
    assert result.result.ended == 50_000_000
    other = tcpemu.run_scenario("listen-1-vs-5", run=_names("listen-1-vs-5")[1], until=1)
    assert other.name == _names("listen-1-vs-5")[1] != result.name
    with pytest.raises(ScenarioError, match="there is no run 'nonsense'"):
        tcpemu.run_scenario("listen-1-vs-5", run="nonsense")


def _names(scenario):
    from tcpemu.scenario.format.load_scenario import load_runs

    return [run.name for run in load_runs(scenario)]


def test_help_tells_of_every_name_with_a_sentence():
    done = subprocess.run(
        [sys.executable, "-m", "pydoc", "tcpemu"], capture_output=True, text=True, check=True
    )
    for name in set(tcpemu.__all__) - {"__version__"}:
        assert name in done.stdout
    assert "run_scenario(" in done.stdout
    for name in set(tcpemu.__all__) - {"GENERATIONS", "__version__"}:
        assert getattr(tcpemu, name).__doc__, name


def test_transfers_are_kept_where_they_are_asked_for():
    assert tcpemu.run_scenario("time-server").transfers is None
    run = tcpemu.run_scenario("time-server", transfers=True)
    windows = {host: [change.figures.cwnd for change in changes] for host, _, changes in run.transfers}
    assert windows["server"][0] == 10
    assert windows["client"][0] == 10
