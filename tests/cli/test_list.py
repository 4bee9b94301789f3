"""`tcpemu list --kernels` and `tcpemu schema --text`."""

import pytest
from typer.testing import CliRunner

from tcpemu.cli.app import app
from tcpemu.generations import GENERATIONS


def tcpemu(*arguments):
    return CliRunner().invoke(app, [*arguments])


@pytest.mark.parametrize("columns", [80, 100])
@pytest.mark.parametrize("arguments", [("list", "--kernels"), ("schema", "--text")])
def test_it_fits(arguments, columns, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(columns))
    done = tcpemu(*arguments)
    assert done.exit_code == 0
    assert max(map(len, done.stdout.splitlines())) <= columns


def test_list_of_kernels():
    lines = tcpemu("list", "--kernels").stdout.splitlines()
    assert [each.split()[0] for each in lines if each[0] != " "] == list(GENERATIONS)


def test_schema_as_text():
    assert 'delay = "20 ms"' in tcpemu("schema", "--text").stdout
