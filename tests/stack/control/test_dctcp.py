"""DCTCP's average of marks and what it does to the window: tcp_dctcp.c, rule by rule."""

import pytest

from tcpemu.stack.control.dctcp import MAX_ALPHA, Dctcp


def after_round(control, delivered, marked):
    return control.marks_echoed(control.round_end, control.round_end + 1, delivered, marked)


def test_alpha_begins_at_the_whole_so_the_first_mark_halves():
    assert Dctcp(cwnd=20).alpha == MAX_ALPHA
    assert Dctcp(cwnd=20).reduced().ssthresh == 10


@pytest.mark.parametrize(("alpha", "ssthresh"), [(0, 20), (512, 15), (100, 20), (103, 19), (1024, 10)])
def test_marks_bring_the_window_down_by_half_of_alpha(alpha, ssthresh):
    down = Dctcp(cwnd=20, alpha=alpha, counted=5).reduced()
    assert (down.ssthresh, down.loss_cwnd, down.counted) == (ssthresh, 20, 0)


def test_alpha_moves_once_a_round_trip_by_a_sixteenth_of_the_share():
    control = Dctcp(alpha=512).round_begins(1000, 1, 0)
    assert control.marks_echoed(999, 5000, 11, 10) is control
    moved = control.marks_echoed(1000, 5000, 11, 5)
    # 512 - 512 / 16 + 1024 / 16 * 5 / 10
    assert (moved.alpha, moved.round_end, moved.delivered, moved.delivered_ce) == (512, 5000, 11, 5)
    assert control.marks_echoed(1000, 5000, 11, 10).alpha == 480 + 64
    assert control.marks_echoed(1000, 5000, 11, 0).alpha == 480


def test_alpha_falls_to_nothing_and_stays_within_the_whole():
    assert after_round(Dctcp(alpha=15), 10, 0).alpha == 0
    assert after_round(Dctcp(alpha=0), 10, 0).alpha == 0
    assert after_round(Dctcp(alpha=1024), 10, 10).alpha == 1024


def test_a_loss_halves_whatever_the_marks_say():
    assert Dctcp(cwnd=20, alpha=0).recovery_began().ssthresh == 10
    lost = Dctcp(cwnd=20, alpha=0, counted=3).timed_out(1, reduces=True)
    assert (lost.cwnd, lost.ssthresh, lost.loss_cwnd, lost.counted) == (1, 10, 20, 0)
    assert Dctcp(cwnd=20, ssthresh=7).timed_out(1, reduces=False).ssthresh == 7


def test_undo_goes_back_to_the_window_before_the_last_reduction():
    assert Dctcp(cwnd=20).reduced().timed_out(1, reduces=False).restored(99, 15).cwnd == 20


def test_without_ecn_it_is_reno_by_another_name():
    control = Dctcp(cwnd=8, ssthresh=30).without_ecn()
    assert (control.name, control.needs_ecn, control.cwnd) == ("dctcp-reno", False, 8)
    assert control.reduced().ssthresh == 4
