"""Scripts on the emulator and on this machine's kernel, and how their packets are laid side by side."""

from pathlib import Path

import pytest

from tcpemu.drill import DrillSettings, run_file, run_text, run_text_on_both
from tcpemu.drill.compared_packets import differences_of_packets
from tcpemu.drill.setup.drill_flags import DrillFlags
from tcpemu.kernel import whats_missing

MISSING = whats_missing()
on_a_kernel = pytest.mark.skipif(MISSING is not None, reason=MISSING or "")
SCRIPTS = sorted((Path(__file__).parent / "scripts").glob("*.pkt"))
BUSY = (("tolerance_usecs", "40000"),)
"""Other tests run beside these, and the machine's time is short."""
FLAGS = DrillFlags(tolerance_usecs=4000)
ECHO = """
 0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 bind(3, ..., ...) = 0
+0 listen(3, 1) = 0
+0 < S 0:0(0) win 65535 <mss 1000>
+0 > S. 0:0(0) ack 1 <mss 1460>
+0 < . 1:1(0) ack 1 win 65535
+0 accept(3, ..., ...) = 4
+.1 write(4, ..., 2500) = 2500
+0 > P. 1:2501(2500) ack 1
+.1 < . 1:1(0) ack 2501 win 65535
"""


@on_a_kernel
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_our_own_scripts_are_the_same_on_both(script):
    outcome = run_file(script, DrillSettings(flags=BUSY), run_text_on_both)
    assert outcome.passed, outcome.message


@on_a_kernel
def test_other_windows_are_told_packet_by_packet():
    outcome = run_text_on_both(ECHO, settings=DrillSettings("linux-3.10", flags=BUSY))
    assert not outcome.passed
    assert outcome.reason == "emulator and kernel send other packets"
    assert "passed on the emulator and passed on the kernel; their packets differ" in outcome.message
    assert "emulator    0.000000  > S. 0:0(0) ack 1 win 14600 <mss 1460>" in outcome.message
    assert "> S. 0:0(0) ack 1 win 64240 <mss 1460>" in outcome.message
    assert outcome.interfaces == ("emulator", "kernel")
    assert {packet.interface for packet in outcome.packets} == {0, 1}


@on_a_kernel
def test_a_script_that_fails_on_both_fails():
    outcome = run_text_on_both(ECHO.replace("mss 1460", "mss 1400"), settings=DrillSettings(flags=BUSY))
    assert not outcome.passed
    assert "failed on the emulator and failed on the kernel; they send the same packets" in outcome.message


# ---------------------------------------------------------------------------------- packets side by side


def packets(text, **settings):
    outcome = run_text(text, settings=DrillSettings(**settings))
    assert outcome.packets
    return outcome.packets


def test_the_same_packets_do_not_differ_whatever_was_drawn():
    stamped = ECHO.replace("<mss 1000>", "<mss 1000,sackOK,TS val 5 ecr 0>").replace(
        "1460>", "1460,sackOK,TS val 1 ecr 5>"
    )
    for text in (ECHO, stamped):
        assert not differences_of_packets(packets(text), packets(text, seed=1), FLAGS)


def test_one_more_packet_and_one_less():
    ours = packets(ECHO)
    extra = packets(ECHO + "+0 close(4) = 0\n+0 > F. 2501:2501(0) ack 1\n")
    assert differences_of_packets(ours, extra, FLAGS) == [
        "kernel      0.200000  > F. 2501:2501(0) ack 1 win 64240"
    ]
    assert differences_of_packets(extra, ours, FLAGS) == [
        "emulator    0.200000  > F. 2501:2501(0) ack 1 win 64240"
    ]


def test_what_is_late_is_late_once():
    late = packets(ECHO.replace("+.1 write", "+.2 write") + "+0 close(4) = 0\n+0 > F. 2501:2501(0) ack 1\n")
    ours = packets(ECHO + "+0 close(4) = 0\n+0 > F. 2501:2501(0) ack 1\n")
    assert differences_of_packets(ours, late, FLAGS) == [
        "emulator    0.100000  > . 1:1001(1000) ack 1 win 64240; the kernel 100.000 ms later"
    ]
    assert not differences_of_packets(ours, late, DrillFlags(tolerance_usecs=100_000))


def test_each_connection_by_itself():
    text = (
        ECHO.replace("< ", "< 40001 > 8080 ")
        .replace("> S.", "> 8080 > 40001 S.")
        .replace("> P.", "> 8080 > 40001 P.")
    )
    more = (
        text + "+0 < 40002 > 8080 S 0:0(0) win 100 <mss 1000>\n+0 > 8080 > 40002 S. 0:0(0) ack 1 <mss 1460>\n"
    )
    lines = differences_of_packets(packets(text), packets(more), FLAGS)
    assert lines == ["connection 2:", "kernel      0.200000  > S. 0:0(0) ack 1 win 64240 <mss 1460>"]
