"""CUBIC's curve in whole numbers: each rule of tcp_cubic.c by itself."""

from dataclasses import replace

import pytest

from tcpemu.stack.base.congestion_hooks import Moment
from tcpemu.stack.control.cubic import Cubic
from tcpemu.stack.control.hystart import HyStart, round_begins

HZ = 250


def moment(jiffies, hz=HZ):
    return Moment(jiffies * 1_000_000 // hz, jiffies, hz, 0, 1000, 10**9, False)


def along(curve, jiffies, segments=1):
    return curve.acknowledged(segments, True, moment(jiffies))


def avoiding(cwnd, last_max=0, shortest=100_000):
    """A window in congestion avoidance, with a round trip of 100 ms."""
    return Cubic(cwnd, ssthresh=cwnd, last_max=last_max, train=HyStart(0, 0, 0, shortest=shortest))


@pytest.mark.parametrize("hook", ["reduced", "timed_out"])
def test_a_loss_leaves_717_of_1024(hook):
    curve = Cubic(cwnd=1024)
    after = curve.reduced() if hook == "reduced" else curve.timed_out(1, reduces=True, moment=moment(0))
    assert after.ssthresh == 717


def test_a_time_out_that_reduces_nothing_keeps_the_threshold():
    assert Cubic(cwnd=1000, ssthresh=600).timed_out(1, reduces=False).ssthresh == 600


def test_a_second_loss_below_the_first_leaves_1741_of_2048():
    assert Cubic(cwnd=2048, last_max=3000).reduced().last_max == 1741


def test_the_window_grows_only_where_it_was_the_limit():
    curve = avoiding(100)
    assert curve.acknowledged(10, False, moment(5)) == curve
    assert curve.acknowledged(0, True, moment(5)) == curve


def test_before_any_loss_the_window_grows_by_one_for_twenty_segments():
    """tcp_cubic.c: bictcp_update."""
    curve = along(avoiding(100), 5)
    assert curve.pace == 20
    for number in range(2, 20):
        curve = along(curve, 5)
        assert (curve.cwnd, curve.counted) == (100, number)
    curve = along(curve, 5)
    assert (curve.cwnd, curve.counted) == (101, 0)


def test_after_a_loss_the_curve_is_nearly_flat_where_the_loss_was():
    # The window is at the loss already: the curve rises from here, and is no segment higher in 100 ms.
    assert along(avoiding(100, last_max=100), 5).pace == 100 * 100


def test_the_curve_where_it_rises_and_where_it_is_steep_again():
    """70 segments of 100: the flat part is the cube root of 30 / 0.4 away, 4.216 s.

    A round trip from now counts: after 0 s at 0.1 s the curve is 0.4 * (4.216 - 0.1)**3 = 27.9 below 100, after 8 s
    0.4 * (8.1 - 4.216)**3 = 23.4 above it; whole segments count.
    """
    curve = along(avoiding(70, last_max=100), 5)
    assert curve.inflection == pytest.approx(4.2158 * 1024, abs=1)
    assert curve.origin == 100
    assert curve.pace == 70 // 3
    steep = replace(curve, cwnd=110, counted=0)
    assert along(steep, 5 + 8 * HZ).pace == 110 // 13


def test_the_curve_is_looked_at_32_times_a_second_while_the_window_stays():
    for hz, ticks in ((250, 7), (1000, 31)):
        curve = avoiding(100, last_max=200).acknowledged(1, True, moment(hz, hz))
        waits = curve.acknowledged(1, True, moment(hz + ticks, hz))
        assert waits.looked_at == hz
        assert waits.acknowledged(1, True, moment(hz + ticks + 1, hz)).looked_at == hz + ticks + 1


def test_the_curve_is_as_fast_as_reno_with_a_window_of_seven_tenths():
    """For 1.875 windows that arrive Reno's window is one larger (beta_scale is 15 eighths)."""
    curve = avoiding(100, last_max=100)
    curve = curve.acknowledged(187, True, moment(5))
    assert (curve.arrived, curve.reno_window) == (187, 100)
    curve = replace(curve, cwnd=100, counted=0).acknowledged(1, True, moment(20))
    assert (curve.arrived, curve.reno_window) == (1, 101)
    assert curve.pace == 100
    # Two windows behind, twice as fast.
    behind = replace(curve, cwnd=99, ssthresh=50, counted=0).acknowledged(1, True, moment(40))
    assert behind.pace == 99 // 2


def test_the_window_grows_by_one_for_two_segments_at_most():
    assert along(replace(avoiding(100), epoch=5, origin=100_000), 5 + HZ).pace == 2


@pytest.mark.parametrize(
    ("now", "last", "epoch"),
    [(300, 200, 200), (300, 300, 100), (300, 50, 300)],
    ids=["a pause", "none", "a pause that began before the curve"],
)
def test_a_pause_is_no_part_of_the_curve(now, last, epoch):
    """tcp_cubic.c: cubictcp_cwnd_event; the curve never begins in the future."""
    assert Cubic(10, epoch=100).sending_starts(now, last).epoch == epoch


@pytest.mark.parametrize(("after", "ends"), [(HZ - 1, False), (HZ, True)])
def test_for_a_second_of_a_curve_no_round_trip_ends_slow_start(after, ends):
    """tcp_cubic.c: cubictcp_acked; what was repaired is acknowledged late."""
    train = round_begins(moment(100))
    assert train is not None
    train.shortest, train.shortest_of_round, train.samples = 10_000, 80_000, 8
    curve = Cubic(50, ssthresh=100, epoch=100, train=train)
    timed = curve.timed(80_000, moment(100 + after))
    assert (timed.ssthresh == 50) is ends
