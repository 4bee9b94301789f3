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


def test_what_passes_by_tolerance_alone_is_listed(tmp_path):
    (tmp_path / "a.pkt").write_text(
        GOOD + "+0 bind(3, ..., ...) = 0\n+0 listen(3, 1) = 0\n"
        "+0 < S 0:0(0) win 9 <mss 1000>\n+.003 > S. 0:0(0) ack 1 <...>\n"
    )
    lines = run(tmp_path).stdout.splitlines()
    at = lines.index("with no tolerance 0 pass; by tolerance alone:")
    assert lines[at + 1].startswith("a.pkt: line 5: the packet is 3.000 ms too early")
    assert lines[-1] == "1 passed, 0 failed"
    assert "with no tolerance" not in run(tmp_path, "-O", "mtu=1400").stdout


def test_a_script_that_asks_for_accurate_ecn_is_said_to(tmp_path):
    (tmp_path / "a.pkt").write_text("`sysctl -q net.ipv4.tcp_ecn=3`\n" + GOOD + "+0 listen(4, 1) = 0\n")
    assert "(it asks for Accurate ECN, which is not emulated)" in run(tmp_path).stdout


def test_sockets_of_ipv6_and_late_timers(tmp_path):
    (tmp_path / "a.pkt").write_text(
        "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 getsockopt(3, SOL_SOCKET, SO_DOMAIN, [10], [4]) = 0\n"
    )
    assert run(tmp_path).returncode == 1
    assert run(tmp_path, "--mapped", "--hz", "1000").returncode == 0


def test_mistakes_on_the_command_line_are_told(tmp_path):
    for arguments, words in (
        (("--generation", "linux-6.6"), "there is no generation 'linux-6.6'"),
        (("--hz", "300"), "invalid choice: 300"),
        (("-D", "KIND"), "'KIND' has no value; write NAME=VALUE"),
    ):
        done = run(tmp_path, *arguments)
        assert done.returncode == 2
        assert words in done.stderr
