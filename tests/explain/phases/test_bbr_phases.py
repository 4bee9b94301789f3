"""Startup, drain and probe_rtt of BBR."""

from functools import cache

from tcpemu.explain.phases.bbr_phases import RoundTripProbe, Startup, path_holds
from tcpemu.explain.phases.transfer_phases import Recovery, Restart, SlowStart, Why
from tcpemu.stack.control.bbr import Mode
from tests.explain.phases.followed import HEAD, transfers_of
from tests.explain.story.stories import turn_of
from tests.explain.story.test_transfer_points import told_of

LONG = HEAD.replace('delay = "20 ms"', 'delay = "20 ms"\nrate = "1 Mbit/s"\nqueue = 10').replace(
    "8 s", "12 s"
)
LONG += 'options.congestion = "bbr"\ndo = ["connect", { send = 2000000 }]\n'
BBR = {"clients__client__options__congestion": "bbr"}


@cache
def long_transfer():
    (transfer,) = transfers_of(LONG)
    return transfer.phases


def test_startup_ends_where_three_round_trips_bring_no_more_and_is_drained():
    startup = next(one for one in long_transfer() if isinstance(one, Startup))
    assert startup.why is Why.FULL
    assert startup.drained > startup.until
    assert 900_000 < startup.after.bbr_rate * 8 < 1_000_000
    assert startup.after.bbr_min_rtt == 40_960
    assert path_holds(startup.after) == 3


def test_after_ten_seconds_it_looks_for_a_shorter_round_trip():
    probe = next(one for one in long_transfer() if isinstance(one, RoundTripProbe))
    assert 10_000_000_000 < probe.at < 10_200_000_000
    assert (probe.before.cwnd, probe.end) == (4, Why.ACKNOWLEDGED)
    assert probe.until - probe.at > 200_000_000
    assert probe.after.bbr_mode == Mode.PROBE_BW
    assert probe.after.cwnd > 4


def test_it_has_no_slow_start_and_its_losses_leave_the_threshold_alone():
    assert not [one for one in long_transfer() if isinstance(one, SlowStart | Restart)]
    recoveries = [one for one in long_transfer() if isinstance(one, Recovery)]
    assert recoveries
    assert all(one.by_model for one in recoveries)
    told = turn_of(told_of(LONG), "RECOVERY").text
    assert "BBR does not take that for a full path" in told
    assert "threshold" not in told


def test_the_story_tells_of_startup_and_drain():
    told = turn_of(told_of("slow-start", clients__client__options__congestion="bbr"), "BBR_STARTUP")
    assert "with a window of 10 segments, and sends 2.89 times as fast" in told.text
    assert "All is sent before it ends: the window has grown to" in told.text
    told = turn_of(told_of(LONG), "BBR_STARTUP")
    assert told.title == "BBR has found the rate of the path: startup ends"
    assert "three round trips have brought no quarter more: the path is full, and delivers 9" in told.text
    assert "no more is under way than the 3 segments that the path holds in 41 ms (drain)" in told.text
    assert told.change.startswith("TCP_CONGESTION = cubic at client (now bbr)")


def test_other_controls_have_no_mode():
    (transfer,) = transfers_of("slow-start")
    assert {phase.after.bbr_mode for phase in transfer.phases} == {-1}
    assert not any(phase.by_model for phase in transfer.phases)
