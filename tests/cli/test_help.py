"""What the help says is what was written: nothing in brackets is taken for markup."""

import pytest
import typer.main
from typer.testing import CliRunner

from tcpemu.cli.app import app

COMMANDS = typer.main.get_command(app).commands


@pytest.fixture(autouse=True)
def room_for_every_text(monkeypatch):
    monkeypatch.setenv("COLUMNS", "2000")


def shown(*arguments):
    done = CliRunner().invoke(app, [*arguments, "--help"])
    assert done.exit_code == 0
    return " ".join(done.stdout.replace("│", " ").split())


def meant(text):
    return " ".join(text.replace("\\[", "[").split())


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_command_is_whole(name):
    command = COMMANDS[name]
    said = shown(name)
    assert meant(command.help) in said
    for parameter in command.params:
        if parameter.help:
            assert meant(parameter.help) in said
        if parameter.metavar:
            assert parameter.metavar in said


def test_the_list_of_commands_is_whole():
    said = shown()
    for name, command in COMMANDS.items():
        assert f"{name} {meant(command.help).partition('. ')[0].rstrip('.')}" in said


def test_plots_say_what_they_need():
    assert "pip install '.[plot]' in a checkout, else pip install 'tcpemu[plot]'" in shown("plot")
