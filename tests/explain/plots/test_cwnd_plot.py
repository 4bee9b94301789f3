"""The congestion window is drawn as the sender had it, with what brought it down."""

import pytest

from tcpemu.explain.plots.cwnd_plot import cwnd_picture
from tcpemu.explain.plots.picture import Meaning, NothingToDrawError
from tcpemu.network import Point
from tcpemu.scenario.format import load_scenario
from tests.explain.plots.drawn_runs import curve_of, marks_of, runs_of
from tests.explain.plots.transfers import UPLOAD, watched

LOST_TAIL = '[[link.drop]]\nto = "server"\ndata = true\nfrom = "90 ms"\nuntil = "700 ms"\n'


def block_of(results, client=None):
    [block] = cwnd_picture("", "", results, client).blocks
    return block


def bands_of(block):
    return {bands.meaning: bands.spans for bands in block.panels[0].bands}


@pytest.fixture(scope="module")
def overflowing():
    return watched()


def test_curves_are_the_sender_s_figures(overflowing):
    [result] = overflowing
    block = block_of(overflowing)
    (changes,) = [changes for host, _, changes in result.network.transfers if host == "client"]
    for meaning, name in ((Meaning.CWND, "cwnd"), (Meaning.IN_FLIGHT, "in_flight")):
        points = curve_of(block, meaning).points[:-1]
        assert len(points) > 100
        assert set(points) <= {(change.at, getattr(change.figures, name)) for change in changes}
    assert block.heading == "client: client to server"


def test_the_threshold_is_drawn_from_its_first_value_on(overflowing):
    points = curve_of(block_of(overflowing), Meaning.SSTHRESH).points
    assert points[0][0] > 50_000_000
    assert max(value for _, value in points) < 2**20


def test_recovery_is_a_band_that_begins_with_the_fast_retransmit(overflowing):
    block = block_of(overflowing)
    [(begin, end)] = bands_of(block)[Meaning.RECOVERY]
    marks = marks_of(block)
    assert begin == marks[0, Meaning.FAST_AGAIN][0]
    assert all(begin <= at <= end for at in marks[0, Meaning.FAST_AGAIN])
    assert len(marks[0, Meaning.LOST]) == len(overflowing[0].record.packets(point=Point.LOST))


def test_a_time_out_is_a_band_of_its_own_and_its_repeats_have_their_cause():
    block = block_of(watched(UPLOAD + LOST_TAIL))
    marks = marks_of(block)
    [(begin, _), *_] = bands_of(block)[Meaning.LOSS]
    assert begin == marks[0, Meaning.TIMED_OUT][0]
    assert begin < marks[0, Meaning.AFTER_TIME_OUT][0]


def test_a_loss_by_a_smaller_path_is_no_time_out():
    [block] = cwnd_picture("", "", watched(load_scenario.text_of("path-mtu")), None).blocks
    assert [bands.label for bands in block.panels[0].bands] == ["Loss: segments were too large for the path"]
    [begin, *_] = marks_of(block)[0, Meaning.SMALLER_AGAIN]
    assert bands_of(block)[Meaning.LOSS][0][0] == begin


def test_the_peer_s_window_is_drawn_where_it_is_the_limit(overflowing):
    small = block_of(watched(settings={"server.options.rcvbuf": 20_000}))
    window = curve_of(small, Meaning.PEER_WINDOW)
    assert window.label == "peer's window"
    flight = max(value for _, value in curve_of(small, Meaning.IN_FLIGHT).points)
    assert flight <= max(value for _, value in window.points) < curve_of(small, Meaning.CWND).points[-1][1]
    meanings = [curve.meaning for curve in block_of(overflowing).panels[0].curves]
    assert Meaning.PEER_WINDOW not in meanings


def test_each_run_has_a_block():
    variants = '[[variants]]\nname = "reno"\nset = { "clients.client.options.congestion" = "reno" }\n'
    blocks = cwnd_picture("", "", watched(UPLOAD + variants), None).blocks
    assert [block.heading.partition(" — ")[0] for block in blocks] == ["as it stands", "reno"]


@pytest.mark.parametrize(
    ("results", "client", "words"),
    [
        (lambda: watched(until=30_000_000), None, "sends no data"),
        (watched, "nobody", "there is no such client"),
        (lambda: runs_of("time-server"), None, "windows of server were not followed"),
    ],
)
def test_what_cannot_be_drawn_says_why(results, client, words):
    with pytest.raises(NothingToDrawError, match=words):
        cwnd_picture("", "", results(), client)
