from pathlib import Path

import pytest

from tcpemu.diagnose.reproducing.cannot_make import CannotMakeError
from tcpemu.diagnose.reproducing.explained_script import explained_script
from tcpemu.drill.drill_run import run_text
from tests.diagnose.captured import explained, opened, save, seg

PCAPS = Path(__file__).parents[3] / "pcaps"


def test_it_listens_as_was_found_and_passes():
    run = explained(PCAPS / "ignored-ack.pcapng")[2]
    text = explained_script(run, "x.pcap")
    assert "listen(3, 1) = 0" in text
    assert "linux-6.18, backlog 1" in text.splitlines()[0]
    assert run_text(text).passed


def test_what_no_guess_explains_is_refused_in_a_sentence(tmp_path):
    timed = [
        *opened(),
        (20, seg("server", "PA", 501, 101, b"hello", window=17)),
        (30, seg("client", "A", 101, 506)),
    ]
    run = explained(save(tmp_path / "x.pcapng", timed))[2]
    with pytest.raises(CannotMakeError, match="no guess of the server's calls passes"):
        explained_script(run, "x.pcap")
