"""The heap of deadlines, and the kernel's timer wheel, which is late but never early."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcpemu.generations import GENERATIONS
from tcpemu.stack import ConfigurationError, Host
from tcpemu.stack.base.timer_queue import TimerQueue, slack_expiry, tick_expiry, wheel_expiry
from tcpemu.stack.base.units import MILLISECOND as MS
from tcpemu.stack.base.units import SECOND
from tcpemu.testing.bench import Bench, listening


class Clock:
    """Something to arm: it remembers its name."""

    def __init__(self, name):
        self.name = name
        self.armed = 0

    def fire(self):
        raise AssertionError("the queue fires nothing by itself")


def due(queue, now):
    """All that fires by `now`, as (deadline, name)."""
    fired = []
    while (one := queue.pop_due(now)) is not None:
        fired.append((one[0], one[1].name))
    return fired


def queue_of(*deadlines):
    queue = TimerQueue()
    clocks = [Clock(index) for index in range(len(deadlines))]
    for clock, deadline in zip(clocks, deadlines, strict=True):
        queue.arm(clock, deadline, 0)
    return queue, clocks


def test_they_fire_in_the_order_of_their_deadlines_and_equal_ones_as_they_were_armed():
    queue, _ = queue_of(30, 10, 20, 10)
    assert queue.next() == 10
    assert due(queue, 25) == [(10, 1), (10, 3), (20, 2)]
    assert queue.next() == 30
    assert due(queue, 29) == []
    assert due(queue, 30) == [(30, 0)]
    assert queue.next() is None


def test_what_is_cancelled_does_not_fire():
    queue, clocks = queue_of(10, 20)
    queue.cancel(clocks[0])
    queue.cancel(clocks[0])
    assert clocks[0].armed == 0
    assert queue.next() == 20
    assert due(queue, 100) == [(20, 1)]


def test_what_is_armed_again_fires_once_and_at_its_last_deadline():
    queue, clocks = queue_of(10, 20)
    queue.arm(clocks[0], 30, 0)
    queue.arm(clocks[1], 5, 0)
    assert due(queue, 100) == [(5, 1), (30, 0)]


def test_what_has_fired_is_no_longer_armed_and_can_be_armed_again():
    queue, clocks = queue_of(10)
    due(queue, 10)
    assert clocks[0].armed == 0
    queue.arm(clocks[0], 20, 10)
    assert due(queue, 20) == [(20, 0)]


def test_dead_entries_are_swept_out():
    queue, clocks = queue_of(*range(1000, 1010))
    for turn in range(100_000):
        queue.arm(clocks[turn % 10], 2000 + turn, 0)
    assert len(queue._entries) < 200
    for clock in clocks[1:]:
        queue.cancel(clock)
    assert due(queue, 10**9) == [(2000 + 99_990, 0)]


operations = st.lists(
    st.tuples(st.just("arm"), st.integers(0, 9), st.integers(0, 50))
    | st.tuples(st.just("cancel"), st.integers(0, 9), st.just(0))
    | st.tuples(st.just("due"), st.just(0), st.integers(0, 50)),
    max_size=300,
)


@given(operations)
def test_it_does_what_a_plain_list_would(steps):
    queue, plain, order = TimerQueue(), {}, 0
    clocks = [Clock(name) for name in range(10)]
    for what, which, time in steps:
        if what == "arm":
            order += 1
            queue.arm(clocks[which], time, 0)
            plain[which] = (time, order)
        elif what == "cancel":
            queue.cancel(clocks[which])
            plain.pop(which, None)
        else:
            wanted = sorted((at, turn, name) for name, (at, turn) in plain.items() if at <= time)
            assert due(queue, time) == [(at, name) for at, _, name in wanted]
            for _, _, name in wanted:
                del plain[name]
        assert queue.next() == min((at for at, _ in plain.values()), default=None)
        assert {clock.name for clock in clocks if clock.armed} == plain.keys()


# --- the wheel ------------------------------------------------------------------------------------------


def lateness(delay, hz, phases=4096):
    """How late a timer may be, least and most, over when it is armed; in nanoseconds."""
    jiffy = SECOND // hz
    late = []
    for phase in range(phases):
        now = 1000 * SECOND + phase * 4099 * jiffy
        late.append(wheel_expiry(now, now + delay, hz) - now - delay)
    return min(late), max(late)


@pytest.mark.parametrize(
    ("hz", "delay_ms", "at_most_ms"),
    [
        *[(250, 200, 4), (250, 40, 4), (250, 1000, 32), (250, 2000, 32), (250, 4000, 256), (250, 8000, 256)],
        *[(250, 16_000, 256), (250, 32_000, 2048), (250, 60_000, 2048), (250, 120_000, 2048)],
        *[(1000, 1000, 64), (1000, 2000, 64), (1000, 4000, 64), (1000, 8000, 512), (1000, 16_000, 512)],
        *[(1000, 32_000, 512), (1000, 64_000, 4096), (1000, 200, 8), (1000, 62, 1), (1000, 63, 8)],
        *[(100, 200, 10), (100, 1000, 80), (100, 2000, 80), (100, 4000, 80), (100, 8000, 640)],
    ],
)
def test_timers_are_late_by_one_jiffy_to_one_grain_of_their_level(hz, delay_ms, at_most_ms):
    # A delay of 0..62 jiffies is kept to the jiffy, 63..503 to 8, 504..4031 to 64, 4032..32255 to 512.
    least, most = lateness(delay_ms * MS, hz)
    assert most == at_most_ms * MS
    assert least == SECOND // hz


@given(
    st.integers(0, 10**13),
    st.integers(0, 10**12) | st.integers(0, 10**9),
    st.sampled_from([100, 250, 1000]),
)
def test_the_wheel_is_never_early_and_late_by_one_grain_at_most(now, delay, hz):
    jiffy = SECOND // hz
    fires = wheel_expiry(now, now + delay, hz)
    grain = 1
    while -(-delay // jiffy) >= 63 * grain:
        grain *= 8
    assert fires % (grain * jiffy) == 0
    # Both ends are rounded to whole jiffies before the wheel sees them, so one more may come on top.
    assert 0 < fires - now - delay < (grain + 1) * jiffy


def test_syn_acks_are_late_each_after_the_one_before():
    # A kernel with HZ=250 was seen to send them at 1.010 3.026 7.250 15.442 31.571, and to give up by 66.
    host = listening(hz=250)
    host.send("S", at=0)
    host.run(100 * SECOND)
    times = host.times("SA")[1:]
    for at, on_time in zip(times, (1, 3, 7, 15, 31), strict=True):
        assert on_time < at < 1.001 * on_time + 0.032 * 2 + 0.256 * 3
    gaps = [b - a for a, b in pairwise(times)]
    for gap, period, most in zip(gaps, (2, 4, 8, 16), (0.032, 0.256, 0.256, 0.256), strict=True):
        assert period < gap <= period + most
    over = [event.at for event in host.events if type(event).__name__ == "TimerFired"]
    assert len(over) == 1
    assert 32 < over[0] / SECOND - times[-1] <= 32 + 2.048


def test_without_a_wheel_they_are_exact():
    queue = TimerQueue()
    assert queue.arm(Clock("one"), 123_456_789, 5) == 123_456_789
    late = TimerQueue(250)
    assert late.arm(Clock("one"), 123_456_789, 5) == late.next() == wheel_expiry(5, 123_456_789, 250)


@pytest.mark.parametrize("hz", [0, 300, -250, 99])
def test_an_odd_hz_is_refused(hz):
    with pytest.raises(ConfigurationError, match=rf"hz is {hz}; it can be None .* .100, 250, 1000"):
        Bench(hz=hz)


@pytest.mark.parametrize(
    ("kernel", "fires"),
    [
        # 1001 ticks of 4 ms after the tick of 1.000 s, of which 2 ms have passed
        ("linux-6.18", 5_120 * MS),  # so far away it is told apart by 64 ticks
        ("linux-4.10", 5_120 * MS),
        ("linux-4.4", 5_008 * MS),  # 1251 to 1254, of which 1252 is the roundest
        ("linux-3.0", 5_008 * MS),
        ("linux-2.6.32", 5_004 * MS),
        ("linux-2.0", 5_004 * MS),
    ],
)
def test_how_late_timers_are_is_the_kernels(kernel, fires):
    queue = TimerQueue(250, GENERATIONS[kernel].late_timers)
    assert queue.arm(Clock("one"), 5_006 * MS, 1_002 * MS) == fires


def test_short_waits_have_no_slack():
    assert slack_expiry(1_002 * MS, 1_202 * MS, 250) == tick_expiry(1_002 * MS, 1_202 * MS, 250) == 1_200 * MS


@pytest.mark.parametrize("kernel", ["bsd-4.4", "freebsd-14", "macos-15", "solaris", "windows-2003"])
def test_kernels_that_are_not_linux_have_no_ticks(kernel):
    with pytest.raises(
        ConfigurationError, match=rf"hz is 250: how late the timers of {kernel} are is not emulated"
    ):
        Host(["192.0.2.1"], GENERATIONS[kernel], hz=250)
