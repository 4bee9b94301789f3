"""`tcpemu plot`: files that open, the same each time, and mistakes that are told."""

import re
import sys
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

from tcpemu.cli.app import app
from tcpemu.cli.pictures.plot_command import Kind, kind_of

MAGIC = {"png": b"\x89PNG\r\n\x1a\n", "pdf": b"%PDF-", "svg": b"<?xml"}


def tcpemu(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def plotted(path, *arguments):
    done = tcpemu("plot", *arguments, "-o", path)
    assert (done.exit_code, done.stderr) == (0, ""), done.output
    written, *kind = done.stdout.replace(f"Written:\n{path}", f"Written: {path}").splitlines()
    assert written == f"Written: {path}"
    assert bool(kind) == ("--kind" not in arguments)
    return path.read_bytes()


def words_of(svg):
    """All text in the picture; not well-formed XML raises."""
    return [
        " ".join(node.itertext()) for node in ElementTree.fromstring(svg).iter() if node.tag.endswith("}text")
    ]


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """A machine that is slow today is no reason for a word on standard error."""
    monkeypatch.setattr("tcpemu.cli.printing.PATIENCE", 600.0)


@pytest.mark.parametrize("kind", ["png", "pdf", "svg"])
def test_the_file_is_what_its_name_says(tmp_path, kind):
    assert plotted(tmp_path / f"x.{kind}", "handshake").startswith(MAGIC[kind])
    assert [path.name for path in tmp_path.iterdir()] == [f"x.{kind}"]


@pytest.mark.parametrize("kind", ["png", "pdf", "svg"])
def test_the_same_run_gives_the_same_octets(tmp_path, kind):
    once, again = (plotted(tmp_path / f"{name}.{kind}", "ignored-ack") for name in "ab")
    assert once == again
    assert not re.search(rb"<dc:date>|CreationDate", once)


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        (["handshake"], Kind.QUEUES),
        (["slow-start"], Kind.CWND),
        (["path-mtu"], Kind.SEQUENCE),
        (["ignored-ack", "--client", "late"], Kind.SEQUENCE),
        (["slow-start", "--vary", "link.delay='5 ms','20 ms'"], Kind.COMPARE),
        (["slow-start", "--kind", "rtt"], Kind.RTT),
    ],
)
def test_without_a_kind_it_is_the_one_that_shows_what_the_scenario_is_about(arguments, kind):
    options = dict(zip(arguments[1::2], arguments[2::2], strict=True))
    vary = [options["--vary"]] if "--vary" in options else []
    found = kind_of(arguments[0], options.get("--kind"), {}, None, options.get("--client"), vary)
    assert found is kind


def test_queues_have_axes_limits_and_counts(tmp_path):
    words = words_of(plotted(tmp_path / "x.svg", "ignored-ack"))
    for word in (
        "time (s), log scale",
        "accept queue",
        "(connections)",
        "SYN queue",
        "(half-open connections)",
        "full at 2 (backlog 1)",
        "final ACK ignored: 6",
        "SYN|ACK sent again: 5",
        "RST sent: 1",
        "ignored-ack: The final ACK of a handshake is ignored",
        "linux-6.18 · seed 1",
    ):
        assert word in words


def test_sequence_has_axes_and_the_connection_of_that_client(tmp_path):
    words = words_of(plotted(tmp_path / "x.svg", "time-server", "--kind", "sequence", "--client", "client-2"))
    for word in (
        "time (ms)",
        "sequence number",
        "(octets from the SYN on)",
        "acknowledged",
        "sent: 1 segment with data",
        "FIN",
    ):
        assert word in words
    assert "Time-sequence graph of client-2: server to client" in words
    assert "right edge of the receiver's window" in words


def test_rate_has_axes_and_every_run(tmp_path):
    words = words_of(plotted(tmp_path / "x.svg", "accept-rate", "--kind", "rate"))
    assert "places in the SYN queue / round-trip time (1/s)" in words
    assert "accepted connections" in words
    assert "(1/s)" in words
    assert sum(word.startswith("backlog ") for word in words) == 6


def test_one_run_alone_and_settings(tmp_path):
    options = ["listen-1-vs-5", "--run", "listen(5)", "--seed", "7", "--generation", "linux-5.10"]
    words = words_of(plotted(tmp_path / "x.svg", *options, "--set", "server.backlog=3", "--until", "1 s"))
    assert "full at 4 (backlog 3)" in words
    assert "run 'listen(5)' · server linux-5.10 · seed 7 · server.backlog = 3" in words
    assert "listen(1)" not in words


def test_a_long_run_stays_small(tmp_path):
    options = ["syn-flood", "--run", "cookies off", "--set", "clients.flood.start.rate=1000"]
    svg = plotted(tmp_path / "x.svg", *options)
    assert "SYN dropped: 5,9" in " ".join(words_of(svg))
    assert len(svg) < 300_000


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["-o", "x.gif"], "x.gif: name the file *.svg or *.png or *.pdf"),
        (["-o", "x"], "x: name the file *.svg or *.png or *.pdf"),
        (["-o", "nowhere/x.svg"], "there is no directory nowhere"),
        (
            ["-o", "x.svg", "--kind", "pie"],
            "--kind 'pie': it must be queues, sequence, cwnd, rtt, throughput, compare, rate or ladder",
        ),
        (
            ["-o", "x.svg", "--kind", "queues", "--vary", "server.backlog=1,2"],
            "--vary goes with --kind compare, not with queues",
        ),
        (["-o", "x.svg", "--kind", "compare"], "ignored-ack: there is one run, and 2 to 6 can be compared"),
        (
            ["-o", "x.svg", "--size", "10"],
            "--size '10': width and height in inches, each 2 to 100, as 10x5.6",
        ),
        (["-o", "x.svg", "--size", "1x400"], "--size '1x400': width and height"),
        (["-o", "x.svg", "--size", "nanxnan"], "--size 'nanxnan': width and height"),
        (["-o", "x.png", "--size", "100x100", "--dpi", "300"], "more than 20,000 dots; lower one"),
        (["-o", "x.png", "--dpi", "5"], "--dpi 5: dots to the inch are 20 to 1200"),
        (["-o", "x.svg", "--dpi", "100"], "--dpi goes with a .png"),
        (
            ["-o", "x.svg", "--kind", "rate", "--client", "late"],
            "--client goes with a --kind that shows a connection",
        ),
        (
            ["-o", "x.svg", "--kind", "sequence", "--client", "lat"],
            "ignored-ack: --client 'lat': there is no such client; did you mean 'late'?",
        ),
        (["-o", "x.svg", "--kind", "rate"], "ignored-ack: --kind rate needs two runs or more"),
        (["-o", "x.svg", "--run", "other"], "ignored-ack has no run 'other'"),
        (["-o", "x.svg", "--until", "soon"], "--until 'soon'"),
    ],
)
def test_a_mistake_is_one_message_and_status_2(tmp_path, monkeypatch, arguments, told):
    monkeypatch.chdir(tmp_path)
    done = tcpemu("plot", "ignored-ack", *arguments)
    assert done.exit_code == 2
    assert told in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout == ""
    assert list(tmp_path.iterdir()) == []


def test_without_matplotlib_it_says_what_to_install(tmp_path, monkeypatch):
    for name in ("matplotlib", "matplotlib.figure"):
        monkeypatch.setitem(sys.modules, name, None)
    done = tcpemu("plot", "ignored-ack", "-o", tmp_path / "x.svg")
    assert done.exit_code == 2
    advice = "pip install 'tcpemu[plot]', or '.[plot]' in a checkout"
    assert done.stderr == f"tcpemu: plots need matplotlib; install it with: {advice}\n"
    assert list(tmp_path.iterdir()) == []


def test_nothing_else_loads_matplotlib():
    import subprocess

    code = "import sys, tcpemu.cli.pictures.plot_command, tcpemu.cli.app; print('matplotlib' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


TRANSFER = """
title = "An upload"
look_at = "its window"
link = { delay = "20 ms", rate = "10 Mbit/s", queue = 20 }
server.then = "read_to_end"
[[clients]]
name = "client"
do = ["connect", { send = 200000 }, "close"]
"""


@pytest.fixture
def upload(tmp_path):
    path = tmp_path / "upload.toml"
    path.write_text(TRANSFER)
    return path


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        (
            "cwnd",
            [
                "segments",
                "congestion window",
                "in flight",
                "slow start threshold",
                "Recovery: fast retransmit",
            ],
        ),
        ("rtt", ["(ms)", "smoothed (srtt)", "time-out (RTO)"]),
        ("throughput", ["Mbit/s", "sent, repeats too"]),
    ],
)
def test_a_transfer_is_drawn(tmp_path, upload, kind, told):
    words = words_of(plotted(tmp_path / "x.svg", upload, "--kind", kind))
    assert "time (s)" in words or "time (ms)" in words
    assert [word for word in told if word not in words] == []


def test_runs_that_are_compared_are_named_by_what_differs(tmp_path, upload):
    vary = ["--kind", "compare", "--vary", "clients.client.options.congestion=reno,cubic"]
    words = words_of(plotted(tmp_path / "x.svg", upload, *vary, "--vary", "link.delay=10 ms,20 ms"))
    assert {word for word in words if "congestion=" in word} == {
        f"congestion={control} delay={delay} ms" for control in ("reno", "cubic") for delay in (10, 20)
    }


def test_title_size_and_dots_are_as_asked_for(tmp_path, upload):
    look = ["--kind", "cwnd", "--title", "One upload", "--size", "6x4"]
    words = words_of(plotted(tmp_path / "x.svg", upload, *look))
    assert "One upload" in words
    assert not any("An upload" in word for word in words)
    png = plotted(tmp_path / "x.png", upload, *look, "--dpi", "50")
    assert [int.from_bytes(png[place : place + 4]) for place in (16, 20)] == [300, 200]
    done = tcpemu("plot", upload, "--kind", "cwnd", "--size", "2x2", "-o", tmp_path / "y.png")
    assert (done.exit_code, "--size: the picture is too small for what is in it" in done.stderr) == (2, True)
    assert not (tmp_path / "y.png").exists()
