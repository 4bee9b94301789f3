"""Phases found in the figures of runs: when each begins and ends, and by what."""

import pytest

from tcpemu.explain.phases.transfer_phases import LossProbe, Recovery, Restart, SlowStart, TimeOuts, Undo
from tests.explain.phases.followed import HEAD, in_short, phases, transfers_of

LATE = (
    HEAD
    + """
do = ["connect", { send = 100000 }, "close"]
[[faults]]
what = "delay"
role = "data 5"
of = "client"
time = "70 ms"
"""
)
TAIL = (
    HEAD
    + """
do = ["connect", { send = 2000 }, { wait = "500 ms" }, { send = 1000 }, "close"]
[[faults]]
what = "lose"
role = "data 2"
of = "client"
"""
)
PAUSE = HEAD + 'do = ["connect", { send = 100000 }, { wait = "2 s" }, { send = 1000 }, "close"]\n'
SILENT = (
    HEAD
    + """
do = ["connect", { wait = "1 s" }, { send = 5000 }, "close"]
[[link.drop]]
to = "server"
data = true
"""
)


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("slow-start", [("SlowStart", "TRAIN", "LAST", 40.0, 184.1)]),
        (
            "fast-retransmit",
            [
                ("SlowStart", "SACK", "LAST", 40.0, 120.0),
                ("Recovery", "SACK", "ACKNOWLEDGED", 120.0, 160.0),
            ],
        ),
        (
            "time-out",
            [
                ("SlowStart", "TIME_OUT", "LAST", 1040.0, 1362.0),
                ("LossProbe", "TIME_OUT", "TIME_OUT", 1122.0, 1362.0),
                ("TimeOuts", "TIME_OUT", "ACKNOWLEDGED", 1362.0, 16442.0),
            ],
        ),
        (
            LATE,
            [
                ("SlowStart", "SACK", "LAST", 40.0, 80.0),
                ("Recovery", "SACK", "ACKNOWLEDGED", 80.0, 120.0),
                ("Undo", "UNDONE", "LAST", 150.0, 150.0),
            ],
        ),
        (
            TAIL,
            [
                ("SlowStart", "PROBE", "LAST", 40.0, 580.0),
                ("LossProbe", "TIME_OUT", "ACKNOWLEDGED", 320.0, 580.0),
            ],
        ),
        (PAUSE, [("SlowStart", "LAST", "LAST", 40.0, 2120.0), ("Restart", "LAST", "LAST", 160.0, 2120.0)]),
    ],
    ids=["slow-start", "fast-retransmit", "time-out", "late", "tail", "pause"],
)
def test_each_phase_begins_and_ends_by_its_cause(source, found):
    assert in_short(source) == found


def test_without_sack_duplicate_acks_begin_recovery_and_each_hole_takes_a_round_trip():
    with_sack, without = in_short("loss-burst", "SACK"), in_short("loss-burst", "no SACK")
    assert [one[:3] for one in without] == [
        ("SlowStart", "DUPLICATES", "LAST"),
        ("Recovery", "DUPLICATES", "ACKNOWLEDGED"),
    ]
    assert with_sack[1][3:] == (172.1, 247.9)
    assert without[1][3:] == (172.1, 748.6)


def test_windows_before_and_after_are_those_of_the_figures():
    start, recovery = phases("fast-retransmit")
    assert isinstance(start, SlowStart)
    assert isinstance(recovery, Recovery)
    assert (start.before.cwnd, start.after.cwnd) == (10, 19)
    assert (recovery.before.cwnd, recovery.after.cwnd, recovery.after.ssthresh) == (19, 13, 13)
    assert [repeat.reason for repeat in recovery.repeats] == ["FAST_RETRANSMIT"]


def test_time_outs_hold_every_repeat_until_all_is_acknowledged():
    timed = phases("time-out")[-1]
    assert isinstance(timed, TimeOuts)
    assert [repeat.reason for repeat in timed.repeats].count("RETRANSMIT") == 6
    assert (timed.before.cwnd, timed.after.ssthresh) == (10, 7)
    assert timed.answered == 16_282_000_000


def test_time_outs_without_an_answer_last_to_the_end():
    timed = phases(SILENT)[-1]
    assert isinstance(timed, TimeOuts)
    assert timed.answered is None
    assert timed.end.name == "LAST"


def test_a_probe_knows_whether_it_mends_a_loss_and_whether_it_is_new_data():
    mending = phases(TAIL)[1]
    assert isinstance(mending, LossProbe)
    assert (mending.mends, mending.new_data, mending.answered) == (True, False, 360_000_000)
    fresh = phases("time-out")[1]
    assert isinstance(fresh, LossProbe)
    assert (fresh.mends, fresh.new_data, fresh.answered) == (False, True, None)


def test_what_is_taken_back_restores_the_window():
    undo = phases(LATE)[-1]
    assert isinstance(undo, Undo)
    assert undo.after.cwnd > undo.before.cwnd
    assert undo.mark is not None
    assert undo.mark.counted["TCPDSACKUndo"] == 1


def test_a_pause_longer_than_a_time_out_brings_the_window_down_and_a_setting_keeps_it():
    restart = phases(PAUSE)[-1]
    assert isinstance(restart, Restart)
    assert restart.after.cwnd < restart.before.cwnd
    kept = transfers_of(PAUSE + 'sysctls = { "net.ipv4.tcp_slow_start_after_idle" = 0 }\n')
    assert not any(isinstance(phase, Restart) for phase in kept[0].phases)


def test_a_window_of_the_peer_that_holds_data_back_is_measured():
    (start, *_) = phases("zero-window")
    assert isinstance(start, SlowStart)
    assert 7e9 < start.held < 8.2e9


def test_a_recovery_right_behind_another_is_told_by_itself():
    """RED drops one packet after the other: the ACK that ends a recovery begins the next one."""
    first, second, third = (one for one in phases("red-ecn", "RED") if isinstance(one, Recovery))
    assert first.until == second.at
    assert [one.before.cwnd for one in (first, second, third)] == [62, 43, 46]
    assert [one.after.ssthresh for one in (first, second, third)] == [43, 30, 32]
