"""`tools/packetdrill_suite.py`: what passes by folder, what fails and why, and the sum in the last line."""

import subprocess
import sys
from pathlib import Path

TOOL = Path(__file__).parents[2] / "tools" / "packetdrill_suite.py"
GOOD = "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n"


def run(*arguments):
    command = [sys.executable, TOOL, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_a_suite_is_told_by_folder_with_its_sum_in_the_last_line(tmp_path):
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "good.pkt").write_text(GOOD)
    (tmp_path / "two" / "bad.pkt").write_text(GOOD + "+0 listen(3, 1) = -1 EINVAL (wrong)\n")
    (tmp_path / "two" / "wrong.pkt").write_text("0 nonsense() = 0\n")
    (tmp_path / "two" / "basic-v6.pkt").write_text(GOOD)
    done = run(tmp_path)
    lines = done.stdout.splitlines()
    assert lines[0] == "two/bad.pkt: line 2: listen() gives 0; expected -1 EINVAL"
    assert lines[1] == "two/wrong.pkt: line 1: 'nonsense' is no system call that there is"
    assert "   1 of   1  one" in lines
    assert "   1 of   3  two" in lines
    assert lines[-1] == "2 passed, 2 failed"
    assert done.returncode == 1


def test_over_ipv6_other_scripts_are_run(tmp_path):
    (tmp_path / "basic-v6.pkt").write_text(GOOD)
    (tmp_path / "basic-v4.pkt").write_text(GOOD)
    done = run(tmp_path, "--ipv6")
    assert done.stdout.splitlines()[-1] == "1 passed, 0 failed"
    assert done.returncode == 0


def test_definitions_and_options_reach_the_scripts(tmp_path):
    (tmp_path / "a.pkt").write_text("0 socket(..., KIND, IPPROTO_TCP) = 3\n+.0005 close(3) = 0\n")
    assert run(tmp_path).stdout.splitlines()[-1] == "0 passed, 1 failed"
    assert run(tmp_path, "-D", "KIND=SOCK_STREAM", "-O", "mtu=1400").returncode == 0
