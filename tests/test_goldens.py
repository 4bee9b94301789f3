"""The golden captures: made by one command, the same to the byte each time, and clean in Wireshark's eyes."""

import importlib.util
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
GOLDENS = sorted((ROOT / "pcaps").glob("*.pcapng"))


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("goldens", ROOT / "tools" / "goldens.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def made(tool, tmp_path_factory):
    directory = tmp_path_factory.mktemp("goldens")
    tool.make(directory)
    return directory


def test_every_golden_is_made_again_to_the_byte(tool, made):
    assert tool.differences(made) == []


def test_a_changed_byte_is_told(tool, made, tmp_path):
    for path in made.glob("*.pcapng"):
        shutil.copy(path, tmp_path)
    victim = tmp_path / "handshake.pcapng"
    octets = bytearray(victim.read_bytes())
    octets[-20] ^= 1
    victim.write_bytes(octets)
    (tmp_path / "syn-dropped.pcapng").unlink()
    assert tool.differences(tmp_path) == [
        "handshake.pcapng: differs",
        "syn-dropped.pcapng: no scenario makes it any more",
    ]


def _tshark(path, *arguments):
    if shutil.which("tshark") is None:
        pytest.skip("tshark is not installed")
    done = subprocess.run(
        ["tshark", "-r", str(path), *arguments], capture_output=True, text=True, check=True, timeout=120
    )
    return done.stdout.splitlines()


@pytest.mark.parametrize("path", GOLDENS, ids=lambda path: path.stem)
def test_tshark_finds_nothing_malformed(path):
    wrong = (
        "_ws.malformed || _ws.expert.severity == error || tcp.checksum.status == 0 || ip.checksum.status == 0"
    )
    sums = ["-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE"]
    assert _tshark(path, *sums, "-Y", wrong) == []


def test_tshark_shows_why_the_ack_is_ignored():
    comments = _tshark(ROOT / "pcaps" / "ignored-ack.pcapng", "-T", "fields", "-e", "frame.comment")
    ignored = [comment for comment in comments if "the accept queue is full" in comment]
    assert len(ignored) == 6
    assert all("tcp_check_req" in comment for comment in ignored)
