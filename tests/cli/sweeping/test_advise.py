"""`tcpemu advise`."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tcpemu import run_scenario
from tcpemu.cli.app import app
from tcpemu.scenario import load

SMALL = [
    "--seeds",
    "1",
    "--jobs",
    "1",
    "--clients",
    "12",
    "--rate",
    "1000/s",
    "--accept",
    "50 ms",
    "--patience",
    "3s",
]
BURST = [*SMALL, "--arrivals", "burst of 12", "--target", "ListenOverflows < 1"]

CAPTURE = Path(__file__).parents[3] / "pcaps" / "listen-1-vs-5.pcapng"


def advise(*arguments):
    return CliRunner().invoke(app, ["advise", *map(str, arguments)])


def test_the_answer_with_a_scenario_to_look_at(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    arguments = [each if each != "burst of 12" else "outage of 12 ms" for each in BURST]
    done = advise(*arguments, "-o", "q.toml", "--plot", "q.svg")
    assert done.exit_code == 0, done.output
    assert "meets it" in done.stdout
    assert "Beside it" in done.stdout
    assert load("q.toml").server.backlog >= 10
    assert "<svg" in (tmp_path / "q.svg").read_text()


def test_json(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = advise("--arrivals", "times.txt", "--accept", "50 ms", "--seeds", 1, "--jobs", 1, "--json",
                  "--target", "ListenOverflows < 1", "--patience", "3s")  # fmt: skip
    assert done.exit_code == 2
    (tmp_path / "times.txt").write_text("0\n" * 12)
    done = advise("--arrivals", "times.txt", "--accept", "50 ms", "--seeds", 1, "--jobs", 1, "--json",
                  "--target", "ListenOverflows < 1", "--patience", "3s")  # fmt: skip
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["backlog"] == 11


def test_as_connections_came_in_a_capture(tmp_path):
    capture = tmp_path / "x.pcapng"
    run_scenario("listen-1-vs-5").save(capture)
    done = advise("--capture", capture, "--accept", "10/s", "--seeds", 1, "--jobs", 1, "--patience", "2s")
    assert done.exit_code == 0, done.output
    assert "8 as in" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "--rate 800/s"),
        (["--rate", "fast"], "800/s"),
        (["--rate", "0/s"], "800/s"),
        (["--rate", "10/s", "--arrivals", "poison"], "poisson"),
        (["--rate", "10/s", "--rtt", "40"], "40 of what"),
        (["--rate", "10/s", "--patience", "3"], "3 of what"),
        (["--rate", "10/s", "--accept", "fast"], "1000/s"),
        (["--rate", "10/s", "--target", "p99"], "p99 answer < 1 s"),
        (["--rate", "10/s", "--clients", "0"], "--clients"),
        (["--rate", "10/s", "--seeds", "0"], "--seeds"),
        (["--rate", "10/s", "--somaxconn", "0"], "--somaxconn"),
        (["--rate", "10/s", "--generation", "linux-9"], "linux"),
        (["--rate", "10/s", "-o", "x.csv"], "*.toml"),
        (["--rate", "10/s", "--capture", CAPTURE], "leave out --rate"),
        (["--arrivals", "even", "--capture", "x.pcap"], "leave out --arrivals"),
        (["--capture", "no.pcap"], "no.pcap"),
    ],
)
def test_a_mistake_ends_with_one_message(arguments, words):
    done = advise(*arguments)
    assert done.exit_code == 2, done.output
    assert words in done.stderr
