"""What the README shows is what happens: its Python blocks run, its scenario file is one."""

import re
from pathlib import Path

import pytest

from tcpemu.cli.app import app
from tcpemu.scenario.format import load_scenario
from tcpemu.scenario.running import build
from tcpemu.wire.capture_file import read_capture

README = (Path(__file__).resolve().parent.parent / "README.md").read_text()


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


@pytest.mark.parametrize("code", blocks("python"), ids=["a host", "a network"])
def test_a_python_block_runs(code, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "README.md", "exec"), {})
    said = capsys.readouterr().out
    assert "S" in said if "to_scapy" in code else "b'hello'" in said


def test_the_network_shows_its_ladder_and_writes_its_packets(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec(blocks("python")[1], {})
    said = capsys.readouterr().out
    assert "─ SYN seq 0" in said
    assert "lost" in said
    capture = read_capture(tmp_path / "x.pcapng")
    assert capture.interfaces[capture.packets[0].interface].name == "lost"
    assert len(capture.packets) == len(re.findall("(?:▶|◀|✗)", said))


def test_the_host_answers_the_syn_twice(capsys):
    exec(blocks("python")[0], {})
    first, second = capsys.readouterr().out.splitlines()[:2]
    assert "192.0.2.1:http > 198.51.100.7:40000 SA" in first
    assert first == second


def test_the_scenario_file_is_one():
    (text,) = blocks("toml")
    (run,) = load_scenario.runs(load_scenario.from_text(text, "README.md"))
    result = build.run(run)
    assert len(result.clients) == 4
    assert [accepted.at for accepted in result.accepted] == [4_000_000_000]
    counters = result.hosts["server"].counters
    assert counters["ListenOverflows"]
    assert not counters.get("SyncookiesSent")
    assert [client.connected is not None for client in result.clients] == [True, True, True, False]


def test_every_command_and_tool_it_names_exists():
    root = Path(__file__).resolve().parent.parent
    for tool in re.findall(r"python (tools/\w+\.py)", README):
        assert (root / tool).is_file(), tool
    for path in re.findall(r"\]\((\w[\w/.]*)\)", README):
        assert (root / path).exists(), path


def test_its_table_of_commands_is_that_of_the_program():
    shown = set(re.findall(r"^\| `tcpemu (\w+)", README, re.MULTILINE))
    assert shown == {command.name or command.callback.__name__ for command in app.registered_commands}
