"""The reference in docs/ is as the code says, and has what a reader looks for."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tcpemu.cli.app import app

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

import reference

ROOT = Path(__file__).resolve().parents[2]


def test_every_page_is_as_the_code_says():
    assert reference.differences() == [], "python tools/reference.py makes it anew"


def test_a_page_that_is_not_is_named(tmp_path):
    for name, text in reference.made().items():
        (tmp_path / name).write_text(text)
    (tmp_path / "events.md").write_text(
        (tmp_path / "events.md").read_text().replace("A segment arrived", "It")
    )
    (tmp_path / "old.md").write_text("")
    (tmp_path / "sysctls.md").unlink()
    found = reference.differences(tmp_path)
    assert [line.partition(":")[0] for line in found] == ["events.md", "old.md", "sysctls.md"]
    assert "A segment arrived" in found[0]


def test_it_can_be_called_as_a_program():
    run = subprocess.run(
        [sys.executable, ROOT / "tools" / "reference.py", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stdout) == (0, "the reference is as the code says\n")


@pytest.mark.parametrize("command", [one.name or one.callback.__name__ for one in app.registered_commands])
def test_the_options_of_a_command_are_those_of_its_help(command):
    text = "\n".join(reference.commands()).partition(f"## tcpemu {command}\n")[2].partition("\n## ")[0]
    told = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "200", "NO_COLOR": "1"}).stdout
    shown = set(
        re.findall(r"(?<![\w-])--[a-z-]+", "\n".join(re.findall(r"^\| `([^`]*)`", text, re.MULTILINE)))
    )
    offered = set(re.findall(r"^│ \*? *(--[a-z-]+)", told, re.MULTILINE))
    assert offered
    assert shown == offered - {"--help"}
