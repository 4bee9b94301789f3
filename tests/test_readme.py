"""What the README shows is what happens: its Python block runs, what it names exists, and it stays short."""

import re
from pathlib import Path

import pytest

from tcpemu.cli.app import app

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


@pytest.mark.parametrize("code", blocks("python"), ids=["a host"])
def test_a_python_block_runs(code, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "README.md", "exec"), {})
    said = capsys.readouterr().out
    assert "SA" in said


def test_the_host_answers_the_syn_twice(capsys):
    exec(blocks("python")[0], {})
    first, second = capsys.readouterr().out.splitlines()[:2]
    assert "192.0.2.1:http > 198.51.100.7:40000 SA" in first
    assert first == second


def test_every_command_and_tool_it_names_exists():
    for tool in re.findall(r"python (tools/\w+\.py)", README + (ROOT / "CONTRIBUTING.md").read_text()):
        assert (ROOT / tool).is_file(), tool
    for path in re.findall(r"\]\((\w[\w/.]*)[#)]", README):
        assert (ROOT / path).exists(), path


def test_its_table_of_commands_is_that_of_the_program():
    shown = set(re.findall(r"^\| `tcpemu (\w+)", README, re.MULTILINE))
    there = {command.name or command.callback.__name__ for command in app.registered_commands}
    assert shown == there | {group.name for group in app.registered_groups}


def test_it_stays_short():
    assert len(README.splitlines()) <= 140
