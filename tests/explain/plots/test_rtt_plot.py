"""Round-trip times: of each segment that was sent once, the sender's mean, and the time-out."""

import pytest

from tcpemu.explain.plots.picture import Meaning, NothingToDrawError
from tcpemu.explain.plots.rtt_plot import rtt_picture, rtt_samples
from tcpemu.explain.plots.sequence_plot import directions, flows_of
from tests.explain.plots.drawn_runs import curve_of
from tests.explain.plots.transfers import UPLOAD, watched

MS = 1_000_000


@pytest.fixture(scope="module")
def overflowing():
    return watched()


def test_a_sample_is_the_time_to_the_first_acknowledgment(overflowing):
    [result] = overflowing
    way, _ = directions(result.record, flows_of(result.record)["client"])
    samples = list(rtt_samples(way))
    assert samples[0] == (
        40_096_000,
        40_096_000,
    )  # the SYN: 60 octets each way at 10 Mbit/s, and 20 ms
    assert all(rtt >= 40 * MS for _, rtt in samples)
    longest = max(rtt for _, rtt in samples)
    assert (
        40 * MS + 19 * 1.2 * MS < longest < 40 * MS + 26 * 1.2 * MS
    )  # a full queue, and ACKs that wait for a second
    assert len(samples) == len(way.sent) - len({first for _, first, _ in way.again})


def test_what_was_sent_twice_gives_none():
    [result] = watched(UPLOAD + '[[link.drop]]\nto = "server"\ndata = true\nnth = 4\n')
    way, _ = directions(result.record, flows_of(result.record)["client"])
    assert len(list(rtt_samples(way))) == len(way.sent) - len({first for _, first, _ in way.again})


def test_the_time_out_stands_apart_where_it_is_far_away(overflowing):
    [block] = rtt_picture("", "", overflowing, None).blocks
    assert [panel.upwards for panel in block.panels] == ["time-out\n(ms)", "round-trip time\n(ms)"]
    [near] = rtt_picture("", "", watched(settings={"link.delay": "300 ms"}), None).blocks
    assert len(near.panels) == 1
    assert {curve.meaning for curve in near.panels[0].curves} == {Meaning.SRTT, Meaning.RTO}


def test_the_curves_are_milliseconds(overflowing):
    [block] = rtt_picture("", "", overflowing, None).blocks
    assert curve_of(block, Meaning.SRTT).points[0] == (40.096 * MS, pytest.approx(40.096))
    assert curve_of(block, Meaning.RTO).points[0][1] == pytest.approx(240.096)


def test_a_connection_without_data_has_nothing():
    with pytest.raises(NothingToDrawError, match="sends no data"):
        rtt_picture("", "", watched(until=30 * MS), None)
