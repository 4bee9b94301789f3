"""Rates: what is drawn under a curve is what was delivered."""

import pytest

from tcpemu.explain.plots.picture import NothingToDrawError
from tcpemu.explain.plots.throughput_plot import _take_in, throughput_picture
from tcpemu.scenario.format.load_scenario import load_runs
from tcpemu.scenario.running import build
from tests.explain.plots.transfers import UPLOAD, watched

SECOND_CLIENT = '[[clients]]\nname = "other"\ndo = ["connect", { send = 100000 }, "close"]\n'


def octets_under(curve, unit):
    return sum(
        rate * unit * (end - begin) / 8e9
        for (begin, rate), (end, _) in zip(curve.points, curve.points[1:], strict=False)
    )


def panel_of(results, client=None):
    [block] = throughput_picture("", "", results, client).blocks
    return block.panels[0]


def test_under_the_curve_of_one_connection_is_its_data():
    panel = panel_of(watched())
    sent, goodput = panel.curves
    assert panel.upwards.startswith("Mbit/s\n")
    assert octets_under(goodput, 1e6) == pytest.approx(300_001, abs=1)  # the FIN too
    assert octets_under(sent, 1e6) > 300_001  # repeats
    assert goodput.label.startswith("client: goodput, ")
    assert max(rate for _, rate in sent.points) > 9


def test_of_several_each_has_a_curve_and_all_have_one_together():
    panel = panel_of(watched(UPLOAD + SECOND_CLIENT))
    one, two, both = panel.curves
    assert (one.label.partition(":")[0], two.label.partition(":")[0], both.label) == (
        "client",
        "other",
        "all together",
    )
    assert octets_under(two, 1e6) == pytest.approx(100_001, abs=1)
    assert octets_under(both, 1e6) == pytest.approx(400_002, abs=2)
    assert len(panel_of(watched(UPLOAD + SECOND_CLIENT), "other").curves) == 2


def test_slow_ones_are_told_in_kilobits():
    panel = panel_of(watched(settings={"link.rate": "100 kbit/s", "duration": "60 s"}))
    assert panel.upwards.startswith("kbit/s\n")
    assert octets_under(panel.curves[1], 1e3) == pytest.approx(300_001, abs=1)


@pytest.mark.parametrize(
    ("client", "until", "words"),
    [
        (None, 30_000_000, "no data is sent"),
        ("nobody", None, "no connection in this run; those that have: client"),
    ],
)
def test_what_cannot_be_drawn_says_why(client, until, words):
    with pytest.raises(NothingToDrawError, match=words):
        throughput_picture("", "", watched(until=until), client)


def test_very_many_connections_are_too_many():
    crowd = UPLOAD.replace('name = "client"', 'name = "client"\ncount = 13').replace("300000", "10")
    with pytest.raises(NothingToDrawError, match="13 connections are too many"):
        throughput_picture("", "", watched(crowd), None)


def test_no_part_of_the_time_carries_more_than_the_link_where_a_hole_is_filled():
    panel = panel_of(followed_burst())
    _, goodput = panel.curves
    assert max(rate for _, rate in goodput.points) <= 20.5  # Mbit/s of the link, and a segment at the edge
    assert octets_under(goodput, 1e6) == pytest.approx(300_001, abs=1)


def test_octets_are_counted_once_whatever_their_order():
    had = []
    pieces = [(1, 10), (20, 30), (5, 25), (1, 30), (40, 41), (30, 40)]
    assert [_take_in(had, *piece) for piece in pieces] == [9, 10, 10, 0, 1, 10]
    assert had == [(1, 41)]


def followed_burst():
    return [build.run(next(run for run in load_runs("loss-burst") if run.name == "no SACK"))]
