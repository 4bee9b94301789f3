"""HyStart ends CUBIC's slow start: by a train of ACKs, by a longer delay, and not before a window of 16."""

import pytest

from tcpemu.stack.base.congestion_hooks import Moment
from tcpemu.stack.control.cubic import Cubic
from tcpemu.stack.control.hystart import LOW_WINDOW, round_begins

MS = 1000


def moment(now, una=0, nxt=1000, paced=False):
    return Moment(now, now // 4000, 250, una, nxt, 10**9, paced)


def slow(cwnd):
    return Cubic(cwnd, train=round_begins(moment(0)))


def test_a_train_of_acks_longer_than_half_the_round_trip_ends_slow_start():
    now, told = slow(20), None
    for at in range(40 * MS, 70 * MS, MS):
        told = moment(at)
        now = now.timed(40 * MS, told)
        if now.ssthresh == 20:
            break
    # The round began at 0, so ACKs that follow one another from 40 ms on are no train at first.
    assert now.ssthresh != 20
    train = now.train
    train.round_start = train.last_ack = 40 * MS
    for at in range(41 * MS, 80 * MS, MS):
        told = moment(at)
        now = now.timed(40 * MS, told)
        if train.found:
            break
    assert 40 * MS // 2 < at - 40 * MS <= 40 * MS // 2 + 2 * MS
    assert now.ssthresh == 20
    assert told.counters == {"TCPHystartTrainDetect": 1, "TCPHystartTrainCwnd": 20}


def test_where_segments_are_paced_the_train_is_as_long_as_the_round_trip():
    now = slow(20)
    for at in range(MS, 80 * MS, MS):
        now = now.timed(40 * MS, moment(at, paced=True))
        if now.ssthresh == 20:
            break
    assert 40 * MS < at <= 42 * MS


def test_a_pause_between_two_acks_is_the_end_of_the_train():
    now = slow(20)
    for at in range(3 * MS, 90 * MS, 3 * MS):
        now = now.timed(40 * MS, moment(at))
    assert now.ssthresh > 1000


def test_the_ninth_round_trip_time_of_a_round_tells_of_a_delay():
    now = slow(20).timed(40 * MS, moment(10 * MS))
    fresh = moment(200 * MS, una=2000, nxt=5000)
    for number in range(9):
        told = moment(200 * MS + number * 5 * MS, una=2000, nxt=5000)
        now = now.timed(45 * MS + 1, told)
        assert (now.ssthresh == 20) == (number == 8), number
    assert told.counters == {"TCPHystartDelayDetect": 1, "TCPHystartDelayCwnd": 20}
    assert fresh.counters is None


def test_a_delay_within_an_eighth_is_none():
    now = slow(20).timed(40 * MS, moment(10 * MS))
    for number in range(20):
        now = now.timed(45 * MS, moment(200 * MS + number * 5 * MS, una=2000, nxt=5000))
    assert now.ssthresh > 1000


@pytest.mark.parametrize(
    ("shortest", "allowed"), [(10 * MS, 4 * MS), (80 * MS, 10 * MS), (200 * MS, 16 * MS)]
)
@pytest.mark.parametrize("beyond", [0, 1])
def test_a_delay_is_an_eighth_but_at_least_4_ms_and_at_most_16(shortest, allowed, beyond):
    now = slow(20).timed(shortest, moment(10 * MS))
    for number in range(9):
        told = moment(900 * MS + number * 5 * MS, una=2000, nxt=5000)
        now = now.timed(shortest + allowed + beyond, told)
    assert (now.ssthresh == 20) is (beyond == 1)


def test_a_small_window_grows_on_whatever_acks_tell():
    now = slow(LOW_WINDOW - 1)
    for at in range(MS, 200 * MS, MS):
        now = now.timed(40 * MS, moment(at))
    assert now.ssthresh > 1000


def test_a_time_out_forgets_all():
    now = slow(20).timed(40 * MS, moment(MS)).timed_out(1, True, moment(500 * MS, nxt=7))
    assert (now.train.shortest, now.train.found, now.train.end) == (0, False, 7)
