"""BBR's modes and windows, from what ACKs tell of a path: each rule of tcp_bbr.c by itself."""

import pytest

from tcpemu.stack.base.congestion_hooks import INFINITE, NO_RTT, UNLIMITED_RATE, Path
from tcpemu.stack.control.bbr import Bbr, Mode
from tcpemu.stack.records.loss_recovery import CaState

MS = 1000
MSS = 1448


class Line:
    """A path that delivers `rate` segments a millisecond, `rtt` microseconds long, and one ACK a millisecond."""

    def __init__(self, rate=1, rtt=40 * MS, phase=0):
        self.now, self.rate, self.rtt, self.delivered, self.lost = 0, rate, rtt, 1, 0
        self.phase, self.pace = phase, UNLIMITED_RATE
        self.bbr = Bbr().begin(10, None, self.path())
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
    Bbr().begin(10, None, path)
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
