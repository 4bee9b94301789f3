"""The tool that lays congestion windows beside a real kernel's: what ss says is read, and the two are alike."""

import sys
from pathlib import Path as File

import pytest

sys.path.insert(0, str(File(__file__).parents[2] / "tools"))

import _goodput_kernel as kernel
import windows
from _goodput_ours import Path

from tcpemu.network import MILLISECOND

PATH = Path(loss=0.0, delay=10 * MILLISECOND, rate=20_000_000, queue=40, mark=40)
OCTETS = 1_000_000
SS = (
    "ESTAB 0 88000 10.0.0.2:10000 10.0.0.1:8080 cubic wscale:7,7 rto:224 rtt:20.1/0.2 mss:1448 cwnd:{} ssthresh:20\n"
    "ESTAB 0 88000 10.0.0.2:10001 10.0.0.1:8080 reno wscale:7,7 rto:224 rtt:20.1/0.2 mss:1448 cwnd:77\n"
)


def test_what_ss_says_is_read_for_each_connection_from_its_connect_on():
    samples = kernel.Samples(0.01, {0: 100.0, 1: 100.5})
    samples.told = [
        (99.9, SS.format(9)),
        (100.1, SS.format(10)),
        (100.2, SS.format(20)),
        (103.0, SS.format(30)),
    ]
    first = windows.sampled(samples, 0, 2.0)
    assert [cwnd for _, cwnd in first] == [10, 20]
    assert [round(since, 3) for since, _ in first] == [0.1, 0.2]
    assert windows.sampled(samples, 1, 4.0) == [(2.5, 77)]


def test_likeness_is_of_the_windows_over_the_time_in_which_both_send():
    rising = windows.Windows([(0.0, 10), (0.5, 20), (1.0, 30)], 1.5)
    higher = windows.Windows([(0.0, 20), (0.5, 40), (1.0, 60)], 9.0)
    told = windows.likeness(rising, higher)
    assert told.correlation == pytest.approx(1)
    assert told.difference == pytest.approx(0.5)
    falling = windows.Windows([(0.0, 30), (0.5, 20), (1.0, 10)], 1.5)
    assert windows.likeness(falling, higher).correlation < -0.9


def test_the_emulated_window_is_followed_from_connect_on():
    reno = windows.emulated(PATH, "reno", OCTETS)
    assert reno.points[0] == (0.0, 10)
    assert max(cwnd for _, cwnd in reno.points) > 40
    assert reno.at(reno.seconds) < max(cwnd for _, cwnd in reno.points)


def test_both_are_drawn_in_one_picture_and_are_alike(tmp_path, capsys):
    if missing := kernel.why_not():
        pytest.skip(missing)
    if "reno" not in kernel.controls_here():
        pytest.skip("this kernel has no reno")
    picture = tmp_path / "windows.svg"
    asked = [
        "-o",
        str(picture),
        "--octets",
        str(OCTETS),
        "--round-trip",
        "20",
        "--queue",
        "40",
        "--control",
        "reno",
    ]
    assert windows.main([*asked, "--least", "0.5"]) == 0
    assert "reno" in capsys.readouterr().out
    assert picture.read_bytes().startswith(b"<?xml")
