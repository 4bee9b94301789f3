import json

import pytest
from typer.testing import CliRunner

from tcpemu.cli.app import app
from tests.diagnose.captured import opened, save, seg


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
        ("x.txt", "neither pcap nor"),
    ):
        result = tcpemu("diagnose", str(tmp_path / name))
        assert result.exit_code == 2
        assert message in result.stderr
        assert "Traceback" not in result.stderr
