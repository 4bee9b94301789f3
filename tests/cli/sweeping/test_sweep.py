"""`tcpemu sweep`."""

import signal
import subprocess
import sys
import time

import pytest
from typer.testing import CliRunner

from tcpemu.cli.app import app
from tests.sweep.conftest import CROWD


@pytest.fixture
def crowd(tmp_path):
    path = tmp_path / "crowd.toml"
    path.write_text(CROWD)
    return path


def sweep(*arguments):
    return CliRunner().invoke(app, ["sweep", *map(str, arguments)])


def test_the_table_has_a_line_for_each_combination(crowd):
    done = sweep(
        crowd, "--vary", "server.backlog=0,16", "--vary", "clients.start.rate=100..800:2", "--seeds", 2,
        "--measure", "served,first_octet_time.p99", "--jobs", 1,
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "8 runs · 4 points · seeds 1 to 2" in done.stdout
    assert "backlog=16 rate=800" in done.stdout
    assert "mean of 2 seeds ± half of its 95 % confidence interval" in done.stdout


def test_file_and_picture(crowd, tmp_path):
    table, picture = tmp_path / "x.csv", tmp_path / "x.svg"
    arguments = (crowd, "--vary", "server.backlog=0,4,16", "-o", table, "--plot", picture, "--jobs", 1)
    done = sweep(*arguments)
    assert done.exit_code == 0, done.output
    assert table.read_text().startswith("server.backlog,seed,connected,")
    assert "<svg" in picture.read_text()
    assert "every run had been done before" in sweep(*arguments).stdout


def test_every_measure_is_drawn_and_what_there_is_no_room_for_is_named(crowd, tmp_path):
    picture, hundredths = tmp_path / "x.svg", [f"connect_time.p{number}" for number in range(1, 19)]
    arguments = (crowd, "--vary", "server.backlog=4,16", "--jobs", 1, "--plot", picture)
    for measured, drawn, left_out in ((hundredths[:6], 6, ""), (hundredths, 16, "p17, connect_time.p18")):
        done = sweep(*arguments, "--measure", ",".join(measured))
        assert done.exit_code == 0, done.output
        words = picture.read_text()
        assert sum(f">{name} (s)<" in words for name in measured) == drawn
        assert (f"not drawn, beyond 16 measures: connect_time.{left_out}" in words) == bool(left_out)


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        (
            "heat",
            ["--vary", "server.backlog=0,2,4", "--vary", "clients.start.rate=100,400", "--measure", "served"],
        ),
        ("distribution", ["--seeds", "4", "--measure", "served"]),
        ("time", ["--seeds", "2", "--measure", "accept_queue.every.500ms", "--vary", "server.backlog=1,2"]),
    ],
)
def test_each_kind_of_picture(crowd, tmp_path, kind, more):
    picture = tmp_path / "x.svg"
    done = sweep(crowd, *more, "--jobs", 1, "--plot", picture, "--kind", kind)
    assert done.exit_code == 0, done.output
    assert "<svg" in picture.read_text()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--vary", "server.backlok=1"], "backlog"),
        (["--vary", "server.backlog=1..5"], "FROM..TO:COUNT"),
        (["--vary", "link.delay=5,10"], "of what"),
        (["--seeds", "0"], "one at least"),
        (["--jobs", "0"], "one at least"),
        (["--measure", "served_by"], "'served'"),
        (["-o", "x.txt"], "*.csv or *.json or *.parquet"),
        (["--kind", "lines"], "--plot x.svg"),
        (["--plot", "x.svg", "--kind", "pie"], "distribution"),
        (["--plot", "x.svg"], None),
        (["--dask", "tcp://127.0.0.1:1", "--jobs", "2"], "--jobs is for this machine"),
    ],
)
def test_a_mistake_ends_with_one_message(crowd, tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    done = sweep(crowd, *arguments)
    if words is None:  # nothing is varied: the distribution of one run
        assert done.exit_code == 0, done.output
        return
    assert done.exit_code == 2, done.output
    assert words in done.stderr


def test_measures_are_listed():
    done = sweep("--measures")
    assert done.exit_code == 0
    assert "first_octet_time.p99" in done.stdout
    assert "FILE.py:FUNCTION" in done.stdout


HEARS_CTRL_C = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from tcpemu.cli import main
main()
"""
"""The program, also where the tests run in the background, whose children ignore Ctrl-C."""


def test_a_sweep_that_is_interrupted_goes_on(crowd, tmp_path):
    table = tmp_path / "x.csv"
    command = [
        sys.executable, "-c", HEARS_CTRL_C, "sweep", str(crowd), "--vary", "server.backlog=0,1,2,4", "--seeds", "60",
        "--measure", "served", "-o", str(table), "--jobs", "2",
    ]  # fmt: skip
    journal = tmp_path / "x.csv.runs"
    running = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not (journal.exists() and journal.stat().st_size > 1000):
        time.sleep(0.05)
    running.send_signal(signal.SIGINT)
    _, told = running.communicate(timeout=60)
    assert running.returncode == 130, told
    assert "the same command goes on" in told
    assert not table.exists()
    before = journal.read_text().count('"values"')
    assert 0 < before < 240
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    assert "240 rows" in done.stdout
    assert journal.read_text().count('"values"') == 240
