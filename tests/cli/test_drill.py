"""`tcpemu drill`."""

import xml.etree.ElementTree as ET

import pytest
from typer.testing import CliRunner

from tcpemu.cli.app import app
from tcpemu.kernel import run_trace, whats_missing
from tcpemu.wire.capture_file import read_capture

GOOD = """ 0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 bind(3, ..., ...) = 0
+0 listen(3, 1) = 0
+0 < S 0:0(0) win 65535 <mss 1000>
+0 > S. 0:0(0) ack 1 <mss 1460>
"""
BAD = GOOD.replace("mss 1460", "mss 1000")
MISTAKE = "0 sokket(1, 2, 3) = 3\n"


def tcpemu(*arguments):
    return CliRunner().invoke(app, ["drill", *map(str, arguments)])


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, text in {"good": GOOD, "bad": BAD, "mistake": MISTAKE}.items():
        (tmp_path / f"{name}.pkt").write_text(text)
    return tmp_path


def test_a_script_that_passes(folder):
    done = tcpemu("good.pkt")
    assert done.exit_code == 0, done.output
    assert done.stdout == "passed  good.pkt  (0.000 s of virtual time)\n1 passed, 0 failed\n"
    assert not (folder / "drill-failures").exists()


def test_a_script_that_fails_leaves_its_packets(folder):
    done = tcpemu("bad.pkt", "--failures", "here")
    assert done.exit_code == 1
    assert "bad.pkt:5: the host sends another packet: options" in done.stdout
    assert done.stdout.endswith("0 passed, 1 failed\n")
    capture = read_capture(folder / "here" / "bad.pcapng")
    assert [packet.comments for packet in capture.packets] == [("line 4",), ("answers the SYN",)]
    assert "failed: the host sends another packet: options" in capture.comments[0]


def test_a_mistake_has_status_2_and_leaves_nothing(folder):
    done = tcpemu("mistake.pkt", "good.pkt")
    assert done.exit_code == 2
    assert "mistake.pkt:1:3: 'sokket' is no system call that there is; did you mean socket?" in done.stdout
    assert "1 passed, 1 failed" in done.stdout
    assert not (folder / "drill-failures").exists()


def test_a_folder_a_sum_and_junit(folder):
    done = tcpemu(".", "-q", "--junit", "out.xml")
    assert done.exit_code == 2
    assert "1 passed, 2 failed" in done.stdout
    assert "passed  good" not in done.stdout
    suites = ET.parse(folder / "out.xml").getroot()
    assert {key: suites.get(key) for key in ("tests", "failures", "errors")} == {
        "tests": "3",
        "failures": "1",
        "errors": "1",
    }
    assert [case.get("name") for case in suites.iter("testcase")] == ["bad.pkt", "good.pkt", "mistake.pkt"]
    (failure,) = suites.iter("failure")
    assert "expected mss 1000, got mss 1460" in failure.text


def test_captures_of_all_go_where_they_are_wanted(folder):
    assert tcpemu("good.pkt", "-o", "one.pcapng").exit_code == 0
    assert len(read_capture(folder / "one.pcapng").packets) == 2
    assert tcpemu("good.pkt", "bad.pkt", "-o", "all").exit_code == 1
    assert sorted(path.name for path in (folder / "all").iterdir()) == ["bad.pcapng", "good.pcapng"]


def test_definitions_and_options_and_kernels(folder):
    text = GOOD.replace("listen(3, 1)", "listen(3, BACKLOG)").replace("ack 1 <", "ack 1 win 14600 <")
    (folder / "defined.pkt").write_text(text)
    assert tcpemu("defined.pkt", "-D", "BACKLOG=5", "--generation", "linux-3.10").exit_code == 0
    assert tcpemu("defined.pkt", "-D", "BACKLOG=5").exit_code == 1
    assert tcpemu("defined.pkt").exit_code == 2
    assert tcpemu("good.pkt", "-O", "mtu=1000").exit_code == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nothing.pkt"], "nothing.pkt: No such file or directory"),
        (["empty"], "empty: no .pkt file there"),
        (["good.pkt", "-D", "BACKLOG"], "a definition is NAME=VALUE"),
        (["good.pkt", "-O", "tolerance=5"], "--tolerance is no option of a script"),
        (["good.pkt", "--generation", "linux-9"], "linux-9"),
        (["good.pkt", "--hz", "7"], "hz"),
        (["good.pkt", "-o", "good.pkt"], "*.pcap or *.pcapng"),
        (["good.pkt", "bad.pkt", "-o", "good.pkt"], "good.pkt is a file"),
        (["good.pkt", "--junit", "no/such.xml"], "there is no directory no"),
    ],
)
def test_mistakes_on_the_command_line(folder, arguments, words):
    (folder / "empty").mkdir()
    done = tcpemu(*arguments)
    assert done.exit_code == 2
    assert words in done.output


def test_several_at_a_time_are_told_in_order(folder):
    done = tcpemu(".", "-j", "3", "-q")
    assert done.exit_code == 2
    assert done.stdout.index("bad.pkt:5:") < done.stdout.index("mistake.pkt:1:3:")
    assert done.stdout.endswith("1 passed, 2 failed\n")


def test_the_emulator_is_not_told_what_to_be_where_it_does_not_run(folder):
    done = tcpemu("--kernel", "--generation", "linux-3.10", "good.pkt")
    assert done.exit_code == 2
    assert "--generation is for the emulator" in done.output


@pytest.mark.skipif(whats_missing() is not None, reason=whats_missing() or "")
def test_on_the_kernel(folder):
    done = tcpemu("--kernel", "good.pkt", "-o", "out.pcapng")
    assert done.exit_code == 0, done.output
    assert "s on Linux" in done.stdout
    assert len(read_capture(folder / "out.pcapng").packets) == 2


@pytest.mark.skipif(whats_missing() is not None, reason=whats_missing() or "")
def test_on_both(folder):
    done = tcpemu("--both", "good.pkt", "-O", "tolerance_usecs=50000")
    assert done.exit_code == 0, done.output
    assert "s of virtual time, and the same on Linux" in done.stdout
    done = tcpemu("--both", "good.pkt", "-O", "tolerance_usecs=50000", "--generation", "linux-3.10")
    assert done.exit_code == 1
    assert "their packets differ" in done.stdout
    capture = read_capture(folder / "drill-failures" / "good.pcapng")
    assert [interface.name for interface in capture.interfaces] == ["emulator", "kernel"]


def test_a_script_from_a_capture(folder):
    assert tcpemu("good.pkt", "-o", "good.pcapng").exit_code == 0
    done = tcpemu("--from", "good.pcapng", "--host", "192.168.0.1", "-o", "made.pkt")
    assert done.exit_code == 0, done.output
    assert "it passes on linux-6.18" in done.output
    assert tcpemu("made.pkt").exit_code == 0
    assert "< 40001 > 8080 S 0:0(0) win 65535 <mss 1000>" in (folder / "made.pkt").read_text()
    done = tcpemu("--from", "good.pcapng", "--host", "192.168.0.1", "--generation", "linux-3.10")
    assert done.exit_code == 1
    assert "no guess passes on linux-3.10" in done.output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--from", "good.pcapng"), "the addresses there are"),
        (("--from", "good.pcapng", "--host", "10.1.1.1"), "--host 10.1.1.1 is not in the capture"),
        (("--from", "good.pcapng", "--host", "there"), "--host there is no address"),
        (("--from", "none.pcap", "--host", "10.1.1.1"), "there is no such file"),
        (("--from", "good.pkt", "--host", "10.1.1.1"), "good.pkt"),
        (("--from", "good.pcapng", "good.pkt"), "runs none"),
        ((), "name a script"),
    ],
)
def test_what_is_asked_of_a_capture_has_to_be_there(folder, arguments, words):
    tcpemu("good.pkt", "-o", "good.pcapng")
    done = tcpemu(*arguments)
    assert done.exit_code == 2
    assert words in done.output
    assert len(done.output.strip().splitlines()) == 1


def test_without_root_it_is_said_what_helps(folder, monkeypatch):
    monkeypatch.setattr(run_trace.os, "geteuid", lambda: 1000)
    done = tcpemu("--kernel", "good.pkt")
    assert done.exit_code == 2
    assert "--kernel: " in done.output
    assert done.output.count("\n") == 1


def test_a_shell_runs_only_where_it_may(folder):
    (folder / "shell.pkt").write_text("`touch made`" + GOOD)
    assert tcpemu("shell.pkt").exit_code == 2
    assert not (folder / "made").exists()
    assert tcpemu("--shell", "shell.pkt").exit_code == 0
    assert (folder / "made").exists()
