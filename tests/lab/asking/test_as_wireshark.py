"""What handouts say of Wireshark is so: frames, times, relative numbers, windows and lengths are as tshark has them."""

import shutil
import subprocess

import pytest

from tcpemu.lab import BUILT_IN_LABS, load_lab
from tcpemu.lab.asking.fact_base import FactBase
from tcpemu.lab.asking.gather_facts import FinishedRun
from tcpemu.lab.notebook_tools import capture_rows
from tcpemu.wire.capture_file import write_capture
from tests.lab.helpers import variant

FIELDS = (
    "frame.number",
    "frame.time_relative",
    "tcp.seq",
    "tcp.ack",
    "tcp.len",
    "tcp.window_size",
    "tcp.srcport",
)
QUERY = "select frame, time, seq, ack, len, window, sport, is_rst from frames"


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not there")
@pytest.mark.parametrize("name", BUILT_IN_LABS)
def test_facts_and_rows_are_what_wireshark_shows(name, tmp_path):
    one = variant(load_lab(name))
    path = tmp_path / "capture.pcapng"
    write_capture(path, one.capture())
    columns = [part for field in FIELDS for part in ("-e", field)]
    run = subprocess.run(
        ["tshark", "-r", path, "-T", "fields", *columns], capture_output=True, text=True, check=True
    )
    shown = [line.split("\t") for line in run.stdout.splitlines()]
    _, facts = FactBase.of(FinishedRun(one.result.network, one.seen_by, one.result)).rows(QUERY, {})
    assert len(shown) == len(facts) == len(capture_rows(path))
    for theirs, (frame, time, seq, ack, length, window, sport, rst), row in zip(
        shown, facts, capture_rows(path), strict=True
    ):
        assert (frame, f"{time:.9f}") == (int(theirs[0]), theirs[1])
        assert (length, window, sport) == tuple(map(int, theirs[4:7]))
        if not rst:  # a RST that answers a SYN has a made-up number, of which each makes what it likes
            assert (seq, ack or 0) == (int(theirs[2]), int(theirs[3] or 0))
        assert [row[key] for key in ("frame", "seq", "ack", "len", "window", "sport")] == [
            *(frame, seq, ack, length, window, sport)
        ]
