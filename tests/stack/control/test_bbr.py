"""BBR's modes and windows, from what ACKs tell of a path: each rule of tcp_bbr.c by itself."""

from dataclasses import replace

import pytest

from tcpemu.stack.base.congestion_hooks import INFINITE, NO_RTT, UNLIMITED_RATE, Path
from tcpemu.stack.control.bbr import Bbr, Mode
from tcpemu.stack.records.loss_recovery import CaState
from tcpemu.stack.records.windowed_filter import largest_of

MS = 1000
MSS = 1448


class Line:
    """A path that delivers `rate` segments a millisecond, `rtt` microseconds long, and one ACK a millisecond."""

    def __init__(self, rate=1, rtt=40 * MS, phase=0):
        self.now, self.rate, self.rtt, self.delivered, self.lost = 0, rate, rtt, 1, 0
        self.phase, self.pace = phase, UNLIMITED_RATE
        self.bbr = Bbr().begin(10, self.path())
        self.pace = self.began.rate

    def path(self, **told):
        now = self.now
        values = {"min_rtt": self.rtt, "in_flight": 10, "state": int(CaState.OPEN), "departs_in": 0}
        values["max_rate"] = UNLIMITED_RATE
        values |= {name: told.pop(name) for name in list(told) if name in values}
        self.began = Path(
            now, now // 4000, 250, MSS, self.rtt << 3, values["min_rtt"], values["in_flight"], values["state"],
            self.delivered, self.lost, now, values["departs_in"], self.pace, values["max_rate"], False,
            lambda below: min(self.phase, below - 1),
        )  # fmt: skip
        for name, value in told.items():
            setattr(self.began, name, value)
        return self.began

    def ack(self, **told):
        """A millisecond later as many segments as it delivers are acknowledged."""
        self.now += MS
        self.delivered += self.rate
        per_rtt = self.rate * self.rtt // MS
        told = {
            "acked": self.rate, "delivered": per_rtt, "interval": self.rtt, "rtt": self.rtt,
            "prior_delivered": max(self.delivered - per_rtt, 1), "prior_in_flight": 10, **told,
        }  # fmt: skip
        path = self.path(**told)
        self.bbr = self.bbr.controlled(path)
        self.pace = path.rate
        return path

    def run(self, milliseconds, **told):
        for _ in range(milliseconds):
            self.ack(**told)

    @property
    def mode(self):
        return self.bbr.model.mode


def test_it_begins_at_a_pace_of_2_89_windows_a_round_trip():
    line = Line()
    assert line.mode is Mode.STARTUP
    assert line.pace == pytest.approx(2.89 * 10 * MSS / 0.04 * 0.99, rel=0.01)


def test_without_a_round_trip_time_the_first_pace_is_for_a_millisecond():
    path = Line().path()
    path.srtt, path.min_rtt = 0, NO_RTT
    Bbr().begin(10, path)
    assert path.rate == pytest.approx(2.89 * 10 * MSS / 0.001 * 0.99, rel=0.01)


def test_three_round_trips_without_a_quarter_more_end_startup_and_what_is_queued_drains():
    line = Line()
    while line.mode is Mode.STARTUP:
        line.ack(in_flight=200, prior_in_flight=200)
    assert 3 * 40 <= line.now // MS <= 5 * 40
    assert line.mode is Mode.DRAIN
    # A product of 40 segments, and room for three pieces of two.
    assert line.bbr.ssthresh == 46
    line.run(10, in_flight=100)
    assert line.mode is Mode.DRAIN
    line.ack(in_flight=46)
    assert line.mode is Mode.PROBE_BW


def test_then_the_window_is_twice_the_product_and_the_pace_cycles_about_the_rate():
    line = Line(phase=6)
    line.run(400, in_flight=40, prior_in_flight=40)
    assert line.mode is Mode.PROBE_BW
    rate = 1000 * MSS * 0.99
    paces = set()
    for _ in range(800):
        line.ack(in_flight=40, prior_in_flight=60)
        paces.add(round(line.pace / rate, 2))
    assert paces == {1.25, 0.75, 1.0}
    # 80, and room for three pieces; what comes bunched adds a little.
    assert 80 + 6 <= line.bbr.cwnd <= 80 + 6 + 4


def test_what_the_application_limits_does_not_lower_the_rate():
    line = Line()
    line.run(200)
    before = line.bbr.model.bandwidth.value
    line.run(2000, delivered=4, sample_limited=True)
    assert line.bbr.model.bandwidth.value == before


def test_after_ten_seconds_it_goes_down_to_four_segments_for_200_ms():
    line = Line()
    line.run(300, in_flight=40, prior_in_flight=40)
    window = line.bbr.cwnd
    while line.mode is not Mode.PROBE_RTT:
        line.ack(in_flight=40, prior_in_flight=40, rtt=line.rtt + 1)
    assert 10_000 <= line.now // MS <= 10_300
    assert line.bbr.cwnd == 4
    path = line.ack(in_flight=40)
    assert path.marks_limited
    began = line.now
    while line.mode is Mode.PROBE_RTT:
        line.ack(in_flight=4)
    assert 200 <= (line.now - began) // MS <= 250
    assert line.bbr.cwnd >= window


def test_a_recovery_sends_as_much_as_arrives_and_gives_the_window_back():
    line = Line()
    line.run(300, in_flight=40, prior_in_flight=40)
    window = line.bbr.cwnd
    line.bbr = line.bbr.reduced()
    line.ack(state=int(CaState.RECOVERY), in_flight=30, losses=2)
    assert line.bbr.cwnd == 31
    line.ack(state=int(CaState.OPEN), in_flight=30)
    # But for the two segments by which the phase that asks for more is larger.
    assert line.bbr.cwnd >= window - 2


def test_a_loss_does_not_lower_the_threshold():
    assert Line().bbr.reduced().ssthresh == INFINITE


def test_so_max_pacing_rate_holds_the_pace():
    line = Line()
    line.run(300, max_rate=100_000)
    assert line.pace <= 100_000


def test_two_intervals_of_heavy_loss_at_one_rate_are_a_policer():
    line = Line()
    line.run(300, in_flight=40, prior_in_flight=40)
    for _ in range(12):
        line.run(39, in_flight=40, prior_in_flight=40)
        line.lost += 20
        line.ack(losses=20, in_flight=40, prior_in_flight=40)
    model = line.bbr.model
    assert model.lt_used
    assert model.pacing_gain == 256
    line.run(49 * 41, in_flight=40, prior_in_flight=40)
    assert not model.lt_used


# --- to the unit ----------------------------------------------------------------------------------------


def filled(rate=1, **named):
    """A path that startup has filled; the phase is one that sends as fast as the path delivers."""
    line = Line(rate, **named)
    line.run(300, in_flight=40 * rate, prior_in_flight=40 * rate)
    assert line.mode is Mode.PROBE_BW
    return line


def test_the_first_pace_in_whole_numbers():
    # 10 segments in 40 ms are 4194 units; 4194 * 1448 * 739 / 256, times 990000, of 2**24.
    assert Line().pace == (4194 * 1448 * 739 >> 8) * 990_000 >> 24 == 1_034_467


@pytest.mark.parametrize(("rate", "piece"), [(1, 2), (10, 27), (20, 45)])
def test_a_piece_is_what_the_pace_sends_in_a_1024th_of_a_second_up_to_64_kib(rate, piece):
    """bbr_tso_segs_goal: 2.89 times 14.3 MB/s is 41.4 MB/s, of which a 1024th has 27 segments."""
    line = Line(rate)
    while line.mode is Mode.STARTUP:
        line.ack(in_flight=900, prior_in_flight=900)
    assert line.bbr.ssthresh == (40 * rate + 3 * piece + 1) // 2 * 2


def test_an_ack_that_acknowledges_nothing_leaves_the_window():
    line = filled()
    window = line.bbr.cwnd
    line.ack(acked=0, losses=2, state=int(CaState.RECOVERY), in_flight=30)
    assert line.bbr.cwnd == window


def test_what_is_lost_comes_off_the_window_and_what_arrives_goes_on_it():
    line = filled()
    window = line.bbr.cwnd
    line.ack(losses=20, state=int(CaState.DISORDER), in_flight=40, prior_in_flight=40)
    assert line.bbr.cwnd == window - 20 + 1
    line.ack(losses=500, state=int(CaState.DISORDER), in_flight=40, prior_in_flight=40)
    assert line.bbr.cwnd == 4


def test_after_a_recovery_as_much_as_arrives_is_no_longer_the_rule():
    line = filled()
    line.bbr = line.bbr.reduced()
    line.ack(state=int(CaState.RECOVERY), in_flight=30)
    assert line.bbr.model.conserves
    line.ack(state=int(CaState.OPEN), in_flight=30)
    window = line.bbr.cwnd
    line.ack(state=int(CaState.OPEN), in_flight=200, losses=10)
    assert line.bbr.cwnd == window - 10 + 1


def test_a_recovery_in_probe_rtt_keeps_the_window_from_before():
    line = filled()
    window = line.bbr.cwnd
    while line.mode is not Mode.PROBE_RTT:
        line.ack(in_flight=40, prior_in_flight=40, rtt=line.rtt + 1)
    line.bbr = line.bbr.reduced()
    while line.mode is Mode.PROBE_RTT:
        line.ack(in_flight=4)
    assert line.bbr.cwnd >= window - 2


def test_the_shortest_round_trip_time_is_ten_seconds_old_one_tick_later():
    line = Line()
    while line.mode is not Mode.PROBE_RTT:
        line.ack(in_flight=40, prior_in_flight=40, rtt=line.rtt + 1)
    assert line.now == 10_004 * MS


@pytest.mark.parametrize("told", [{"delivered": -1, "interval": -1}, {"interval": 0}, {"interval": -1}])
def test_an_ack_that_measured_nothing_tells_nothing(told):
    line = filled()
    model = line.bbr.model
    before = model.bandwidth.value, model.rounds, list(model.extra), model.ack_epoch_acked
    line.ack(in_flight=40, prior_in_flight=40, prior_delivered=line.delivered, **told)
    assert (model.bandwidth.value, model.rounds, list(model.extra), model.ack_epoch_acked) == before


def test_a_rate_is_remembered_for_ten_round_trips():
    line = filled(2)
    rounds, rate = line.bbr.model.rounds, line.bbr.model.bandwidth.value
    line.rate = 1
    while line.bbr.model.bandwidth.value == rate:
        line.ack(in_flight=40, prior_in_flight=40)
    # The last full rate is that of the ACK before; it is older than ten round trips in the eleventh.
    assert line.bbr.model.rounds - rounds == 11
    assert line.bbr.model.bandwidth.value == (1 << 24) * 40 // 40_000


def test_acks_that_come_bunched_add_to_the_window_what_came_beyond_the_rate():
    """bbr_update_ack_aggregation: eleven segments in the time of one are ten more than the rate had."""
    line = filled()
    model = line.bbr.model
    steady = max(model.extra)
    assert steady == 2
    line.delivered += 10
    line.ack(acked=11, in_flight=40, prior_in_flight=40)
    assert max(model.extra) == steady + 10
    line.run(30, in_flight=40, prior_in_flight=40)
    # Twice the product, what came bunched, three pieces of two; two more in the phase that asks for more.
    assert line.bbr.cwnd in (80 + 12 + 6, 80 + 12 + 6 + 2)
    # They are counted from a time; after a pause in which the rate had as much, from a new one.
    line.now += 20 * MS
    line.run(11 * 40, in_flight=40, prior_in_flight=40)
    assert max(model.extra) == steady


def test_in_startup_nothing_is_added_for_acks_that_come_bunched():
    line = Line()
    line.run(30, sample_limited=True, in_flight=40)
    line.ack(acked=60, sample_limited=True, in_flight=40)
    assert max(line.bbr.model.extra) == 40, "no more than the window was"
    for _ in range(400):
        line.ack(sample_limited=True, in_flight=40)
    # 2.89 products of 40 segments, and three pieces.
    assert line.mode is Mode.STARTUP
    assert line.bbr.cwnd == 122


def test_what_comes_bunched_counts_for_a_tenth_of_a_second_at_most():
    line = filled()
    model = line.bbr.model
    model.extra[0], model.bandwidth = 300_000, largest_of(0, 2 << 24)
    line.bbr = replace(line.bbr, cwnd=10**7)
    line.ack(in_flight=40, prior_in_flight=40)
    # Two segments a microsecond: twice 80000, 200000, three pieces of 64 KiB, to an even number,
    # and two in the phase that asks for more.
    assert model.phase == 0
    assert line.bbr.cwnd == 160_000 + 200_000 + 136 + 2


@pytest.mark.parametrize(("acked", "counted"), [(5, 5), (4, (1 << 20) - 1)])
def test_bunched_acks_are_counted_anew_after_a_million_segments(acked, counted):
    line = filled()
    model = line.bbr.model
    model.ack_epoch_acked = (1 << 20) - 5
    line.ack(acked=acked, in_flight=40, prior_in_flight=40)
    assert model.ack_epoch_acked == counted


def policed(start=0):
    line = Line()
    line.now = start
    line.bbr = Bbr().begin(10, line.path())
    line.run(300, in_flight=40, prior_in_flight=40)
    for _ in range(12):
        line.run(39, in_flight=40, prior_in_flight=40)
        line.lost += 20
        line.ack(losses=20, in_flight=40, prior_in_flight=40)
    assert line.bbr.model.lt_used
    return line


@pytest.mark.parametrize("start", [0, 1_000_000 * MS])
def test_a_policers_rate_is_what_was_delivered_between_two_losses(start):
    # One segment a millisecond.
    assert policed(start).bbr.model.lt_bw == (1 << 24) // 1000


def test_where_nothing_was_lost_after_all_no_policer_is_at_work_and_startup_looks_anew():
    line = policed()
    model = line.bbr.model
    line.bbr.undone(line.path())
    assert (model.lt_used, model.lt_sampling, model.lt_bw) == (False, False, 0)
    assert (model.full_bw, model.full_rounds) == (0, 0)
    assert (model.lt_at, model.lt_delivered, model.lt_lost) == (line.now // MS, line.delivered, line.lost)
