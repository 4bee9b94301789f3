"""Turning points of transfers."""

import pytest

from tcpemu.explain.story.turning_points import turning_points
from tests.explain.phases.followed import followed_run
from tests.explain.phases.test_transfer_phases import LATE, PAUSE, TAIL
from tests.explain.story.stories import turn_of


def told_of(source, only="", **settings):
    result = followed_run(source, only, **settings)
    return turning_points(result.record, "server", result.hosts, transfers=result.network.transfers)


def test_duplicate_acks_and_repeats_are_told_with_the_recovery_they_belong_to():
    assert [turn.reason for turn in told_of("fast-retransmit")] == [
        "LOSS",
        "SLOW_START_LOSS",
        "RECOVERY",
        "CLOSES_FIRST",
    ]


def test_without_figures_they_have_paragraphs_of_their_own():
    result = followed_run("fast-retransmit")
    reasons = [turn.reason for turn in turning_points(result.record, "server", result.hosts)]
    assert "DUP_ACK" in reasons
    assert "FAST_RETRANSMIT" in reasons
    assert "RECOVERY" not in reasons


@pytest.mark.parametrize(
    ("source", "only", "reason", "change"),
    [
        ("slow-start", "", "SLOW_START_HYSTART", "TCP_CONGESTION = reno at client (now cubic)"),
        ("reno-cubic", "reno", "SLOW_START_LOSS", "a longer queue at the bottleneck"),
        ("fast-retransmit", "", "RECOVERY", "TCP_CONGESTION of client (now cubic)"),
        ("loss-burst", "no SACK", "RECOVERY_WITHOUT_SACK", "net.ipv4.tcp_sack = 1 at the peer"),
        ("time-out", "", "TIME_OUTS", "net.ipv4.tcp_retries2 (now 15) or TCP_USER_TIMEOUT"),
        (TAIL, "", "TAIL_LOSS_PROBE", "net.ipv4.tcp_early_retrans = 0 at client (now 3)"),
        (LATE, "", "UNDO", "a path that keeps packets in order"),
        (PAUSE, "", "RESTART", "net.ipv4.tcp_slow_start_after_idle = 0 at client (now 1)"),
    ],
)
def test_each_says_what_would_change_it(source, only, reason, change):
    assert change in turn_of(told_of(source, only), reason).change


def test_what_happens_again_is_summed_up_with_its_windows():
    near = next(turn for turn in told_of("shared-bottleneck") if turn.reason == "RECOVERY")
    assert near.times == 3
    assert "Again at 1.64912 s (window 48, threshold 33, 1 repeat) and at 3.326544 s" in near.text


def test_a_turning_point_knows_its_packet():
    recovery = turn_of(told_of("fast-retransmit"), "RECOVERY")
    result = followed_run("fast-retransmit")
    seen = [one for one in result.record.packets() if one.number == recovery.packet]
    assert [(one.node, one.point.name) for one in seen] == [("server", "SENT"), ("client", "RECEIVED")]
    assert recovery.at == 120_000_000


def test_a_run_whose_slow_start_ends_without_a_loss_is_one_without_trouble():
    reasons = [turn.reason for turn in told_of("slow-start")]
    assert reasons == ["HANDSHAKE", "SLOW_START_HYSTART", "CLOSES_FIRST"]


def test_bbr_has_no_slow_start_to_tell_of():
    found = told_of("slow-start", clients__client__options__congestion="bbr")
    assert not [turn for turn in found if turn.reason.startswith("SLOW_START")]


def test_a_black_hole_says_that_the_data_never_arrives_and_what_helps():
    hole = turn_of(told_of("path-mtu", link__icmp=False), "BLACK_HOLE")
    assert "To the end none of it is acknowledged" in hole.text
    assert "net.ipv4.tcp_mtu_probing = 1 at server (now 0)" in hole.change
    assert "Once more at the same time, and again at 0.112, 0.352, 0.832 and 1.792 s." in hole.text


def test_probing_finds_a_way_through_a_black_hole():
    settings = {"link__icmp": False, "net__ipv4__tcp_mtu_probing": 1, "duration": "20 s"}
    hole = turn_of(told_of("path-mtu", **settings), "BLACK_HOLE")
    assert "In the end the data came through in segments of 1,024 octets" in hole.text
    assert "tcp_mtu_probing" not in hole.change


def test_moments_that_are_the_same_are_counted_and_not_listed_twice():
    lost = turn_of(told_of("path-mtu"), "LOSS")
    assert "Once more at the same time." in lost.text
    assert "0.06 and 0.06" not in lost.text


def test_a_second_icmp_error_that_makes_nothing_smaller_is_not_told():
    told = turn_of(told_of("path-mtu"), "ICMP_TOO_LARGE")
    assert told.times == 1
    assert "more at the same time" not in told.text


def test_what_a_timer_repeats_is_no_part_of_the_recovery_that_it_cuts_short():
    told = told_of("path-mtu", link__icmp=False)
    recovery, time_out = turn_of(told, "RECOVERY").text, turn_of(told, "TIME_OUTS").text
    assert "1 segment is sent again; a time-out cuts it short at 0.352 s" in recovery
    assert (
        "The window was 10 segments; the threshold is 7 now, and since less than that is under way"
        in recovery
    )
    assert "the window is 1 segment at once" in recovery
    assert "The window is 1 segment already, the threshold is 7" in time_out
