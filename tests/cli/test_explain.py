"""`tcpemu explain` and `tcpemu state`."""

from dataclasses import replace

import pytest
from typer.testing import CliRunner

from tcpemu.cli.app import app
from tcpemu.wire.capture_file import read_capture, write_capture


@pytest.fixture(scope="module")
def capture(tmp_path_factory):
    path = tmp_path_factory.mktemp("captures") / "x.pcapng"
    assert tcpemu("run", "ignored-ack", "-o", path).exit_code == 0
    return path


def tcpemu(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_the_story_of_a_scenario():
    done = tcpemu("explain", "ignored-ack")
    assert done.exit_code == 0
    assert done.stdout == tcpemu("explain").stdout
    for words in (
        "0.115 s  The accept queue is full\n",
        "0.116 s  A final ACK is ignored\n",
        "63.106 s  The server forgets a half-open connection\n",
        "What would change it: net.ipv4.tcp_synack_retries (now 5)",
        "late    connected at 0.111 s",
    ):
        assert words in done.stdout


def test_a_story_begins_with_what_it_is_about_and_what_to_look_at():
    lines = tcpemu("explain", "ignored-ack-then-accept").stdout.splitlines()
    assert lines[1].startswith("As in ignored-ack, the accept queue is full")
    assert any(line.startswith("Look at: the client 'late'") for line in lines[2:7])
    other = tcpemu("explain", "ignored-ack-then-accept", "--generation", "linux-2.0").stdout
    assert "As in ignored-ack" not in other
    assert "Look at" not in other


def test_both_runs_of_the_flood_and_one_of_them():
    shown = tcpemu("explain", "syn-flood").stdout
    assert shown.count("How the clients fared") == 2
    assert len(shown.splitlines()) < 90
    assert "SYN cookies begin" in shown
    assert "SYN cookies begin" not in tcpemu("explain", "syn-flood", "--run", "cookies off").stdout


def test_of_many_runs_the_first_is_told_and_the_others_are_named():
    shown = tcpemu("explain", "accept-rate", "--until", "50 ms").stdout
    assert shown.count("How the clients fared") == 1
    assert "'backlog 9, 20 ms, slow server'" in shown


def test_settings_change_the_story():
    assert "A final ACK is ignored" not in tcpemu("explain", "--set", "server.backlog=5").stdout
    assert "A final ACK is ignored" not in tcpemu("explain", "--until", "0.1").stdout
    assert "A final ACK is ignored" in tcpemu("explain", "--until", "0.2").stdout


def test_one_packet_of_a_capture(capture):
    done = tcpemu("explain", capture, "--frame", 12)
    assert done.exit_code == 0
    for words in (
        "frame 12 of 21\n",
        "time     3.106 s\n",
        "seen at  server, where it leaves\n",
        "from     10.0.0.1:80\n",
        "to       10.0.0.4:",
        "packet   SYN|ACK seq 0 ack 1 win 65160 (mss 1460",
        "comment  Sent again after 2 s (2nd repeat)",
    ):
        assert words in done.stdout
    assert done.stdout != tcpemu("explain", capture, "--frame", 13).stdout


def test_every_packet_of_a_capture_can_be_explained(capture):
    shown = [tcpemu("explain", capture, "--frame", number).stdout for number in range(1, 22)]
    assert len(set(shown)) == 21
    assert any("the accept queue is full (2 wait, backlog 1)" in each for each in shown)


def test_one_packet_of_a_capture_without_comments_of_ours(tmp_path):
    """A stranger's comments are never taken for ours, and no capture is refused."""
    path = tmp_path / "x.pcapng"
    tcpemu("run", "ignored-ack", "-o", path)
    whole = read_capture(path)
    strange = replace(whole, application="dumpcap", names=())
    packets = tuple(replace(packet, comments=("a stranger says so",)) for packet in whole.packets)
    write_capture(path, replace(strange, packets=packets))
    shown = " ".join(tcpemu("explain", path, "--frame", 9).stdout.split())
    assert "stranger" not in shown
    assert "packet ACK seq 1 ack 1 win " in shown
    assert "flow 3: reset by the server" in shown
    assert "likely frames 9, 11, 13, 15, 17: the accept queue is full" in shown
    assert "as it should be: the SYN enters the SYN queue" in " ".join(
        tcpemu("explain", path, "--frame", 1).stdout.split()
    )


def test_the_state_at_a_moment():
    done = tcpemu("state", "ignored-ack", "--at", "3.2s")
    assert done.exit_code == 0
    for words in (
        "at 3.2 s",
        "server: listeners (ss -tln)",
        "server: timers that wait",
        "in 3.906 s",
        "late: sockets (ss -tan)",
    ):
        assert words in done.stdout
    assert "timers that wait" not in tcpemu("state", "ignored-ack", "--at", "64").stdout


def test_a_moment_after_the_end_says_so():
    lines = tcpemu("state", "ignored-ack", "--at", "100").stdout.splitlines()
    assert lines[1] == "at 100 s · after the scenario, which ends at 72 s · linux-6.18 · seed 1"
    assert "after the scenario" not in tcpemu("state", "ignored-ack", "--at", "72").stdout


def test_sockets_that_wait_for_accept_are_marked():
    """At 12 s the first has been accepted, the second waits, and the late one is half-open."""
    lines = tcpemu("state", "ignored-ack-then-accept", "--at", "12").stdout.splitlines()
    (marked,) = [line for line in lines if "waits for accept()" in line]
    state, _, _, local, remote, *_ = marked.split()
    assert (state, local, remote.split(":")[0]) == ("ESTAB", "10.0.0.1:80", "10.0.0.3")
    before = tcpemu("state", "ignored-ack-then-accept", "--at", "9").stdout
    assert before.count("waits for accept()") == 2
    assert "waits for accept()" not in tcpemu("state", "ignored-ack-then-accept", "--at", "18").stdout


def test_the_state_of_one_run_of_several():
    first = tcpemu("state", "syn-flood", "--at", "1.02")
    assert "Others, with tcpemu state syn-flood --run: 'cookies on'" in first.stdout
    second = tcpemu("state", "syn-flood", "--at", "1.02", "--run", "cookies on")
    assert "SyncookiesRecv" in second.stdout
    assert "SyncookiesRecv" not in first.stdout
    assert "Others" not in second.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["explain", "CAPTURE", "--frame", "99"], ["--frame 99", "no such frame", "frames 1 to 21"]),
        (["explain", "CAPTURE", "--frame", "0"], ["--frame 0", "no such frame"]),
        *(
            ([*command, "CAPTURE"], ["this is a capture, not a scenario", "tcpemu explain ", " --frame 1"])
            for command in (
                ["explain"],
                ["run"],
                ["state", "--at", "1"],
                ["compare"],
            )
        ),
        (["plot", "-o", "x.svg", "--kind", "queues", "CAPTURE"], ["in no capture", "tcpemu report "]),
        (["report", "-o", "x.html", "CAPTURE", "--seed", "2"], ["is a capture, which no setting changes"]),
        (["run", "old.pcap"], ["old.pcap: this is a capture", "tcpemu explain old.pcap --frame 1"]),
        (["run", "missing.pcapng"], ["no file 'missing.pcapng'"]),
        (["explain", "CAPTURE", "--frame", "1", "--seed", "0"], ["leave out all other options"]),
        (["explain", "old.pcap", "--frame", "4"], ["--frame 4", "no such frame", "frames 1 to 3"]),
        (["explain", "text.pcapng", "--frame", "1"], ["neither pcapng nor pcap"]),
        (["explain", "missing.pcapng", "--frame", "1"], ["no such file", "tcpemu run SCENARIO -o"]),
        (["explain", "ignored-ack", "--frame", "1"], ["no such file", "--frame goes with a capture"]),
        (["explain", "ignored-akc"], ["did you mean 'ignored-ack'?"]),
        (["explain", "syn-flood", "--run", "x"], ["has no run 'x'", "'cookies off', 'cookies on'"]),
        (["state", "ignored-ack", "--at", "soon"], ["--at 'soon'", "must be a time such as"]),
        (["state", "ignored-ack", "--at", "1", "--set", "server.backlog"], ["write PATH=VALUE"]),
        (["state", "syn-flood", "--at", "1", "--run", "x"], ["has no run 'x'"]),
    ],
)
def test_a_mistake_is_one_message_and_status_2(arguments, words, capture, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tcpemu("run", "handshake", "-o", "plain.pcapng", "--plain")
    tcpemu("run", "handshake", "-o", "old.pcap")
    (tmp_path / "text.pcapng").write_text("no capture")
    done = tcpemu(*(str(capture) if each == "CAPTURE" else each for each in arguments))
    assert done.exit_code == 2
    assert done.stdout == ""
    assert all(line.startswith("tcpemu: ") for line in done.stderr.splitlines())
    for each in words:
        assert each in done.stderr


def test_a_host_without_tcp_is_named_in_a_line():
    shown = tcpemu("state", "syn-flood", "--at", "1.02").stdout
    assert [line for line in shown.splitlines() if line.startswith("flood")] == [
        "flood: sends bare SYNs, has no TCP, so no sockets"
    ]
    assert "has no TCP" not in tcpemu("state", "ignored-ack", "--at", "3.2s").stdout


def test_state_needs_a_moment():
    done = tcpemu("state", "ignored-ack")
    assert done.exit_code == 2
    assert "--at" in done.stderr
