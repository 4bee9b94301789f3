import gzip
import json

import pytest
from typer.testing import CliRunner

from tcpemu.cli.app import app
from tcpemu.wire import Capture, Interface, read_capture, write_capture
from tests.diagnose.captured import opened, packets, save, seg


def tcpemu(*arguments):
    return CliRunner().invoke(app, arguments)


@pytest.fixture
def ignored(tmp_path):
    timed = [*opened(), (1001, seg("server", "SA", 500, 101)), (1011, seg("client", "A", 101, 501))]
    return save(tmp_path / "x.pcapng", timed)


def test_the_table_of_connections(ignored):
    out = tcpemu("diagnose", str(ignored)).stdout
    assert "5 frames in 1.011 s, 5 TCP segments" in out
    assert "Nothing that it shows itself." in out
    assert "10.0.0.2:40000  10.0.0.1:80  0.000   11 ms      0/0     open at the end" in out
    assert "the SYN|ACK came again 1 time after the client's ACK, first in frame 4" in out


def test_the_same_for_programs(ignored):
    told = json.loads(tcpemu("diagnose", str(ignored), "--json").stdout)
    (flow,) = told["flows"]
    assert (told["segments"], flow["handshake"], flow["syn_acks_after_opened"]) == (5, 11_000_000, 1)
    assert flow["client"] == {"address": "10.0.0.2", "port": 40000}


def test_mistakes_are_told_with_their_mend(tmp_path):
    (tmp_path / "x.txt").write_text("hello")
    for name, message in (
        ("none.pcap", "there is no such file"),
        (".", "directory"),
        ("x.txt", "neither pcapng nor"),
    ):
        result = tcpemu("diagnose", str(tmp_path / name))
        assert result.exit_code == 2
        assert message in result.stderr
        assert "Traceback" not in result.stderr


def test_a_server_is_diagnosed(ignored):
    out = " ".join(
        tcpemu("diagnose", str(ignored), "--at", "server", "--generation", "linux-6.18").stdout.split()
    )
    assert "Server 10.0.0.1:80 The capture was taken at the server (as --at says)." in out
    assert "possible frame 3: TCP_DEFER_ACCEPT waits for data" in out or "lost behind the capture" in out


def test_what_is_asked_for_has_to_be_there(ignored, tmp_path):
    for arguments, message in (
        (("--server", "10.0.0.9:80"), "the capture has no connection to it; it has 10.0.0.1:80"),
        (("--server", "10.0.0.9"), "write an address and a port"),
        (("--at", "home"), "it must be server, client or middle"),
        (("--generation", "linux-9"), "linux-9"),
        (("--nstat", str(tmp_path / "none")), "No such file"),
    ):
        result = tcpemu("diagnose", str(ignored), *arguments)
        assert (result.exit_code, message in result.stderr) == (2, True), result.stderr


def test_the_capture_with_our_comments(ignored, tmp_path):
    out = tmp_path / "y.pcapng"
    done = tcpemu("diagnose", str(ignored), "--at", "server", "--generation", "linux-6.18", "-o", str(out))
    assert "Written:" in done.stdout
    before, after = read_capture(ignored), read_capture(out)
    assert [packet.data for packet in after.packets] == [packet.data for packet in before.packets]
    assert after.packets[0].comments[0].startswith("In the best explanation: the SYN enters the SYN queue")
    assert any("TCP_DEFER_ACCEPT" in text or "lost behind" in text for text in after.packets[2].comments)
    refused = tcpemu("diagnose", str(ignored), "-o", str(ignored))
    assert (refused.exit_code, "is the file that is read" in refused.stderr) == (2, True)


def test_a_page_is_written_also_by_report(ignored, tmp_path):
    page = tmp_path / "x.html"
    made = tcpemu("report", str(ignored), "-o", str(page))
    assert (made.exit_code, made.stdout) == (0, f"Written: {page}\n")
    assert "10.0.0.1:80" in page.read_text()
    refused = tcpemu("report", str(ignored), "-o", str(page), "--set", "server.backlog=1")
    assert refused.exit_code == 2
    assert "is a capture, which no setting changes" in refused.stderr


def test_what_cannot_be_made_is_told_and_the_rest_is_written(tmp_path):
    path = save(tmp_path / "x.pcapng", [(0, seg("client", "A", 101, 501)), (1, seg("server", "A", 501, 101))])
    page, commented = tmp_path / "x.html", tmp_path / "y.pcapng"
    made = tcpemu("diagnose", str(path), "-o", str(page), "-o", str(commented))
    assert made.exit_code == 1
    assert "x.html is not written: 10.0.0.1:80: no SYN to it is in the capture" in made.stderr
    assert commented.exists()
    assert not page.exists()


def test_a_capture_where_a_scenario_is_asked_for(ignored, tmp_path):
    """What means something is done; what does not names the command that serves."""
    pytest.importorskip("matplotlib")
    drawn = tcpemu("plot", str(ignored), "-o", str(tmp_path / "x.svg"))
    assert drawn.exit_code == 0
    for arguments, words in (
        (
            ("plot", str(ignored), "-o", str(tmp_path / "x.svg"), "--kind", "queues"),
            f"tcpemu report {ignored}",
        ),
        (("plot", str(ignored), "-o", str(tmp_path / "x.svg"), "--kind", "cwnd"), "is in no capture"),
        (("run", str(ignored)), f"tcpemu diagnose {ignored}"),
        (("explain", str(ignored)), f"tcpemu diagnose {ignored}"),
        (("state", str(ignored), "--at", "1"), f"tcpemu diagnose {ignored}"),
    ):
        refused = tcpemu(*arguments)
        assert refused.exit_code == 2
        assert words in refused.stderr.replace("\n", "")


def test_a_packed_capture_is_named_too(ignored, tmp_path):
    packed = tmp_path / "x.pcapng.gz"
    packed.write_bytes(gzip.compress(ignored.read_bytes()))
    assert "if it is a capture, to read it: tcpemu diagnose" in tcpemu("run", str(packed)).stderr


def test_a_strangers_interface_called_lost_is_one_like_others(tmp_path):
    stranger = Capture((Interface("lost", 101),), tuple(packets(opened())), "dumpcap")
    write_capture(tmp_path / "x.pcapng", stranger)
    assert "3 TCP segments" in tcpemu("diagnose", str(tmp_path / "x.pcapng")).stdout
    write_capture(tmp_path / "y.pcapng", Capture(stranger.interfaces, stranger.packets, "tcpemu 1"))
    assert "0 TCP segments" in tcpemu("diagnose", str(tmp_path / "y.pcapng")).stdout
