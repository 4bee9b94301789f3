"""How far a long work has got: a bar on a terminal, lines elsewhere, nothing for what is quickly done."""

import contextlib
import io
import os
import pty
import re
import subprocess
import sys
import threading
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from tcpemu.cli import printing, progress
from tcpemu.cli.app import app
from tcpemu.cli.progress import Progress, ProgressOfRun, run_and_tell
from tcpemu.explain.as_json import json_text
from tcpemu.explain.capture.annotated_capture import capture_of
from tcpemu.network import Network
from tcpemu.network.record import Point
from tcpemu.scenario.format import load_scenario
from tcpemu.scenario.running import build
from tcpemu.wire.capture_file import write_capture

LONG = 10
"""Seconds after which a test gives up waiting for what should come at once."""
HALF = ProgressOfRun("doing it", 0.5, "1 of 2")


class Heard(io.StringIO):
    """A standard error that is no terminal, and can be waited for."""

    def __init__(self):
        super().__init__()
        self.lines = 0
        self.changed = threading.Condition()

    def write(self, text):
        with self.changed:
            self.lines += text.count("\n")
            self.changed.notify_all()
            return super().write(text)

    def wait_for(self, lines):
        with self.changed:
            assert self.changed.wait_for(lambda: self.lines >= lines, LONG)


class Terminal:
    """A standard error that is a terminal; what it shows is read at once from the other end."""

    def __init__(self):
        self._leader, follower = pty.openpty()
        self.stream = os.fdopen(follower, "w", encoding="utf-8")
        self._octets = b""
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self):
        with contextlib.suppress(OSError):  # Linux says EIO when the other end is closed
            while part := os.read(self._leader, 65536):
                with self._changed:
                    self._octets += part
                    self._changed.notify_all()

    def wait_for(self, words):
        with self._changed:
            assert self._changed.wait_for(lambda: words.encode() in self._octets, LONG), self._octets

    def all_of_it(self):
        """What it has shown, now that nothing more will come."""
        self.stream.close()
        self._reader.join(LONG)
        return self._octets.decode()

    def close(self):
        self.all_of_it()
        os.close(self._leader)


@pytest.fixture
def pipe(monkeypatch):
    heard = Heard()
    monkeypatch.setattr(progress, "sys", SimpleNamespace(stderr=heard))
    return heard


@pytest.fixture
def terminal(monkeypatch):
    made = Terminal()
    monkeypatch.setattr(progress, "sys", SimpleNamespace(stderr=made.stream))
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    yield made
    made.close()


@pytest.fixture
def at_once(monkeypatch):
    """No patience at all, and a look as often as can be."""
    monkeypatch.setattr(printing, "PATIENCE", 0.0)
    monkeypatch.setattr(progress, "AGAIN", 0.01)
    monkeypatch.setattr(progress, "REFRESH", 0.01)


def halfway(monkeypatch, wait):
    """Every network stops in the middle of its time until that function returns."""
    whole = Network.run

    def run(network, until):
        whole(network, until // 2)
        wait()
        whole(network, until)

    monkeypatch.setattr(Network, "run", run)


def labelled(name):
    return [(f"running {name}, {run.name}", run) for run in load_scenario.runs(load_scenario.load(name))]


# What is shown.


def test_on_a_pipe_first_what_is_done_and_then_how_far_it_is(pipe, at_once):
    with Progress().of(lambda: HALF):
        pipe.wait_for(lines=3)
    first, second, third = pipe.getvalue().splitlines()[:3]
    assert first == "tcpemu: doing it ..."
    assert second == third == "tcpemu: doing it ... 50% (1 of 2)"


def test_a_work_in_pieces_says_once_what_is_done(pipe, at_once, monkeypatch):
    monkeypatch.setattr(progress, "AGAIN", 1000.0)
    pieces = Progress()
    with pieces.of(lambda: HALF):
        pipe.wait_for(lines=1)
    for _ in range(5):
        with pieces.of(lambda: HALF):
            pass
    assert pipe.getvalue() == "tcpemu: doing it ...\n"


@pytest.mark.parametrize("stream", ["pipe", "terminal"])
def test_nothing_is_said_of_what_is_quickly_done(stream, request, monkeypatch):
    monkeypatch.setattr(printing, "PATIENCE", 1000.0)
    seen = request.getfixturevalue(stream)
    with Progress().of(lambda: HALF):
        pass
    assert (seen.getvalue() if stream == "pipe" else seen.all_of_it()) == ""


def test_on_a_terminal_a_bar_comes_and_goes(terminal, at_once):
    with Progress().of(lambda: HALF):
        terminal.wait_for("1 of 2")
    shown = terminal.all_of_it()
    assert "doing it" in shown
    assert "━" in shown
    # The cursor comes back, and the last that happens to the line of the bar is that it is erased.
    assert "\x1b[?25h" in shown
    assert shown.endswith("\x1b[2K")


def test_a_name_in_brackets_is_shown_as_it_is(terminal, at_once):
    with Progress().of(lambda: ProgressOfRun("running [red]x[/].toml", 0.5, "[b]")):
        terminal.wait_for("[red]x[/].toml")
        terminal.wait_for("[b]")


def test_a_simple_terminal_gets_lines(terminal, at_once, monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    with Progress().of(lambda: HALF):
        terminal.wait_for("50% (1 of 2)")
    assert "\x1b" not in terminal.all_of_it()


def test_the_bar_is_gone_when_the_work_fails(terminal, at_once):
    def fails():
        with Progress().of(lambda: HALF):
            terminal.wait_for("1 of 2")
            raise ValueError("a fault")

    with pytest.raises(ValueError, match="a fault"):
        fails()
    assert terminal.all_of_it().endswith("\x1b[2K")
    assert not any(thread.name == progress.THREAD for thread in threading.enumerate())


def test_nobody_who_reads_is_no_error(monkeypatch, at_once):
    gone = threading.Event()

    class Broken(io.StringIO):
        def write(self, text):
            gone.set()
            raise BrokenPipeError

    monkeypatch.setattr(progress, "sys", SimpleNamespace(stderr=Broken()))
    with Progress().of(lambda: HALF):
        assert gone.wait(LONG)


# Runs.


def test_the_bar_tells_virtual_time_and_packets(terminal, at_once, monkeypatch):
    halfway(monkeypatch, lambda: terminal.wait_for("36.000 of 72 s, "))
    (result,) = run_and_tell([("running it", *load_scenario.runs(load_scenario.load("ignored-ack")))], None)
    shown = terminal.all_of_it()
    assert "running it" in shown
    sent = sum(seen.at <= result.ended // 2 for seen in result.record.packets(point=Point.SENT))
    assert f"36.000 of 72 s, {sent} packets" in shown


def test_the_percent_is_of_all_runs_together(pipe, at_once, monkeypatch):
    halfway(monkeypatch, lambda: pipe.wait_for(pipe.lines + 3))
    run_and_tell(labelled("listen-1-vs-5"), None)
    shown = pipe.getvalue()
    assert re.search(
        r"running listen-1-vs-5, listen\(1\) \.\.\. 25% \(1\.250 of 2\.5 s, \d+ packets\)", shown
    )
    assert re.search(
        r"running listen-1-vs-5, listen\(5\) \.\.\. 75% \(1\.250 of 2\.5 s, \d+ packets\)", shown
    )


def test_a_run_of_no_time_at_all(pipe, at_once, monkeypatch):
    halfway(monkeypatch, lambda: pipe.wait_for(2))
    (result,) = run_and_tell(labelled("handshake"), 0)
    assert result.ended == 0
    assert "0% (0.000 of 0 s, 1 packet)" in pipe.getvalue()


@pytest.mark.parametrize("name", ["ignored-ack", "syn-flood"])
def test_what_comes_of_a_run_is_the_same_whether_anybody_looks_or_not(name, pipe, at_once, tmp_path):
    watched = run_and_tell(labelled(name), None)
    alone = [build.run(run) for run in load_scenario.runs(load_scenario.load(name))]
    assert pipe.lines > 0
    assert "".join(json_text(name, watched)) == "".join(json_text(name, alone))
    for number, (one, other) in enumerate(zip(watched, alone, strict=True)):
        paths = [tmp_path / f"{number}-{which}.pcapng" for which in ("watched", "alone")]
        write_capture(paths[0], capture_of(one.record))
        write_capture(paths[1], capture_of(other.record))
        assert paths[0].read_bytes() == paths[1].read_bytes()


@pytest.mark.parametrize("name", ["ignored-ack", "syn-flood"])
def test_a_run_in_slices_is_the_whole_run(name):
    for run in load_scenario.runs(load_scenario.load(name)):
        whole, sliced = build.run(run), build.build(run)
        for number in range(1, 201):
            sliced.network.run(run.scenario.duration * number // 200)
        assert sliced.record.entries == whole.record.entries
        assert capture_of(sliced.record) == capture_of(whole.record)


# The commands.


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "handshake"], r"running handshake \.\.\. \d+% \(0\.\d{3} of \d+ s, \d+ packets?\)"),
        (["run", "handshake", "--json"], r"running handshake \.\.\. \d+% \(0\.\d{3} of \d+ s"),
        (["explain", "handshake"], r"running handshake \.\.\. \d+%"),
        (["state", "handshake", "--at", "20 ms"], r"running handshake \.\.\. 50% \(0\.010 of 0\.02 s"),
        (["compare", "handshake", "--generation", "linux-6.18"], r"running linux-6\.18 \.\.\. \d+%"),
        (["plot", "handshake", "-o", "x.svg"], r"running handshake \.\.\. \d+%"),
        (["plot", "handshake", "-o", "x.svg", "--kind", "sequence"], r"running handshake \.\.\. \d+%"),
        (
            ["claims", "backlog-1-holds-one", "--generation", "linux-6.18"],
            r"scenarios of backlog-1-holds-one \.\.\. 0% \(0 of 1 kernel\)",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_every_command_that_runs_says_how_far_it_is(arguments, words, at_once, monkeypatch, tmp_path):
    if arguments[0] == "plot":
        pytest.importorskip("matplotlib")
    monkeypatch.chdir(tmp_path)
    told = threading.Event()

    def heard(line, **more):
        print(line, **more)
        if "%" in line:
            told.set()

    monkeypatch.setattr(progress, "print", heard, raising=False)
    halfway(monkeypatch, lambda: told.wait(LONG))
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    assert re.search(words, done.stderr), done.stderr
    assert "..." not in done.stdout


def test_the_claims_are_counted(at_once, monkeypatch):
    done = CliRunner().invoke(app, ["claims", "--generation", "linux-6.18"])
    assert done.exit_code == 0
    assert re.search(r"claim \d+ of \d+ \.\.\.", done.stderr)


def test_rich_is_not_loaded_for_what_is_quickly_done():
    code = (
        "import sys\nfrom tcpemu.cli.app import app\n"
        "try:\n    app(['state', 'handshake', '--at', '20 ms'])\nexcept SystemExit:\n    pass\n"
        "sys.stderr.write(str('rich.progress' in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "False"
