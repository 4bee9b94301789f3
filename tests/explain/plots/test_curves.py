"""What plots show, before anything is drawn: series and marks agree with the record."""

from itertools import pairwise

import pytest

from tcpemu.explain.plots.picture import (
    Meaning,
    NothingToDrawError,
    crowded_at_first,
    thinned,
    thinned_moments,
)
from tcpemu.explain.plots.queues_plot import queues_picture
from tcpemu.explain.plots.rate_plot import rate_picture
from tcpemu.explain.plots.sequence_plot import directions, flows_of, sequence_picture
from tcpemu.network import MILLISECOND, SECOND
from tcpemu.scenario import build, load


def runs_of(name, settings=None, until=None):
    return build.run_all(load.load(name, settings), until)


@pytest.fixture(scope="module")
def ignored_ack():
    return runs_of("ignored-ack")


def value_at(curve, at):
    """The value of a stepped curve at that time."""
    return [value for moment, value in curve.points if moment <= at][-1]


def curve_of(block, meaning):
    return next(curve for panel in block.panels for curve in panel.curves if curve.meaning is meaning)


def marks_of(block):
    return {
        (place, marks.meaning): marks.at for place, panel in enumerate(block.panels) for marks in panel.marks
    }


def ms(*times):
    return tuple(time * MILLISECOND for time in times)


# Queues.


def test_the_queues_agree_with_the_record_at_any_moment(ignored_ack):
    [block] = queues_picture("", "", ignored_ack).blocks
    accept, syn = curve_of(block, Meaning.ACCEPT_QUEUE), curve_of(block, Meaning.SYN_QUEUE)
    for at, waiting, half_open in [
        (0, 0, 0),
        (10, 0, 1),
        (20, 1, 0),
        (105, 1, 1),
        (110, 1, 2),
        (120, 2, 1),
        (63_105, 2, 1),
        (63_107, 2, 0),
        (72_000, 2, 0),
    ]:
        assert (value_at(accept, at * MILLISECOND), value_at(syn, at * MILLISECOND)) == (waiting, half_open)
    for length in ignored_ack[0].record.queue_lengths("server", 80):
        assert (length.at, length.accept) in accept.points
        assert (length.at, length.syn) in syn.points


def test_curves_go_on_to_the_end_of_the_run(ignored_ack):
    [block] = queues_picture("", "", ignored_ack).blocks
    ends = {curve.points[-1][0] for panel in block.panels for curve in panel.curves}
    assert ends == {72 * SECOND} == {block.span[1]}


def test_marks_stand_where_it_happened(ignored_ack):
    [block] = queues_picture("", "", ignored_ack).blocks
    assert marks_of(block) == {
        (0, Meaning.ACK_IGNORED): ms(116, 1_116, 3_116, 7_116, 15_116, 31_116),
        (0, Meaning.RST): ms(70_005),
        (1, Meaning.SYN_ACK_AGAIN): ms(1_106, 3_106, 7_106, 15_106, 31_106),
    }
    assert [marks.label for panel in block.panels for marks in panel.marks] == [
        "final ACK ignored: 6",
        "RST sent: 1",
        "SYN|ACK sent again: 5",
    ]


def test_cookies_stand_at_the_syn_queue_and_are_counted():
    off, on = runs_of("syn-flood", until=SECOND)
    for result in (off, on):
        [block] = queues_picture("", "", [result]).blocks
        sent = [
            marks for panel in block.panels for marks in panel.marks if marks.meaning is Meaning.COOKIE_SENT
        ]
        number = result.network.counters(result.network.nodes["server"]).get("SyncookiesSent", 0)
        assert [marks.label for marks in sent] == ([f"SYN cookie sent: {number}"] if number else [])
    assert number > 0


def test_a_dropped_syn_stands_at_the_queue_that_had_no_room():
    flood = queues_picture("", "", runs_of("syn-flood", until=SECOND)).blocks[0]
    assert [place for place, meaning in marks_of(flood) if meaning is Meaning.SYN_DROPPED] == [1]
    waiting = queues_picture("", "", runs_of("listen-1-vs-5")).blocks[0]
    assert marks_of(waiting)[0, Meaning.SYN_DROPPED][:3] == ms(205, 305, 405)
    assert (1, Meaning.SYN_DROPPED) not in marks_of(waiting)


@pytest.mark.parametrize(
    ("kernel", "accept", "syn"),
    [
        ("linux-6.18", "full at 6 (backlog 5)", "full at 6 (backlog 5)"),
        ("linux-5.10", "full at 6 (backlog 5)", "full at 5 (backlog 5)"),
        ("freebsd-14", "full at 8 (backlog 5)", None),
    ],
)
def test_the_limit_is_that_of_the_kernel(kernel, accept, syn):
    settings = {"server.generation": kernel, "server.backlog": 5}
    [block] = queues_picture("", "", runs_of("handshake", settings)).blocks
    limits = [
        next((curve.label for curve in panel.curves if curve.meaning is Meaning.LIMIT), None)
        for panel in block.panels
    ]
    assert limits == [accept, syn]


@pytest.mark.parametrize(
    ("kernel", "limit"), [("linux-2.0", "full at 5 (backlog 5)"), ("bsd-4.4", "full at 8 (backlog 5)")]
)
def test_a_kernel_with_one_queue_has_one_panel_with_one_limit(kernel, limit):
    settings = {"server.generation": kernel, "server.backlog": 5}
    [block] = queues_picture("", "", runs_of("handshake", settings)).blocks
    [panel] = block.panels
    assert [curve.label for curve in panel.curves if curve.meaning is Meaning.LIMIT] == [limit]


def test_in_one_queue_half_open_connections_stand_upon_the_others():
    [result] = runs_of("syn-dropped", {"server.generation": "bsd-4.4"})
    [block] = queues_picture("", "", [result]).blocks
    both, waiting, limit = block.panels[0].curves
    lengths = {each.at: each for each in result.record.queue_lengths("server", 80)}
    for at, last in lengths.items():
        assert value_at(waiting, at) == last.accept
        assert value_at(both, at) == last.accept + last.syn <= value_at(limit, at) == 2
    assert max(last.syn for last in lengths.values()) == 2
    assert both.filled
    assert waiting.filled
    assert {meaning for _, meaning in marks_of(block)} == {Meaning.SYN_DROPPED}


def test_every_run_has_a_block_of_its_own():
    blocks = queues_picture("", "", runs_of("listen-1-vs-5")).blocks
    assert [block.heading for block in blocks] == ["listen(1)", "listen(5)"]
    assert [value_at(curve_of(block, Meaning.ACCEPT_QUEUE), 2 * SECOND) for block in blocks] == [2, 6]


def test_time_is_stretched_only_where_the_beginning_is_crowded(ignored_ack):
    assert queues_picture("", "", ignored_ack).blocks[0].stretched
    assert not queues_picture("", "", runs_of("listen-1-vs-5")).blocks[0].stretched


def test_too_many_runs_are_refused(ignored_ack):
    with pytest.raises(NothingToDrawError, match=r"13 runs .* --run"):
        queues_picture("", "", ignored_ack * 13)


# Thinning.


def test_thinning_keeps_every_peak():
    points = [(at, 100 if at == 7_777 else at % 3) for at in range(50_000)]
    kept = thinned(points, 50)
    assert len(kept) <= 4 * 51
    assert (7_777, 100) in kept
    assert {value for _, value in kept} == {0, 1, 2, 100}
    assert kept[0] == points[0]
    assert kept[-1] == points[-1]
    assert list(kept) == sorted(kept, key=lambda point: point[0])


def test_few_points_stay_as_they_are():
    points = [(at, at % 2) for at in range(40)]
    assert thinned(points, 10) == tuple(points)
    assert thinned_moments([3, 5, 5], 3) == (3, 5, 5)


def test_thinned_moments_leave_no_gap():
    kept = thinned_moments(range(10_000), 100)
    assert 100 <= len(kept) <= 101
    assert max(later - earlier for earlier, later in pairwise(kept)) <= 101


def test_crowded():
    assert crowded_at_first([1, 2, 500, 900], (0, 1_000))
    assert not crowded_at_first([100, 300, 500, 900], (0, 1_000))
    assert not crowded_at_first([], (0, 1_000))


# Sequence numbers.


def test_a_connection_segment_by_segment():
    [result] = runs_of("time-server")
    record = result.record
    client, server = directions(record, flows_of(record)["client-1"])
    assert (client.sender, client.receiver, server.sender) == ("client", "server", "server")
    # SYN|ACK, 29 octets of time, FIN: sent 5 and 15 ms after the client began.
    assert [(at // MILLISECOND, first, end) for at, first, end in server.sent] == [
        (5, 0, 1),
        (15, 1, 30),
        (15, 30, 31),
    ]
    assert [(at // MILLISECOND, acked) for at, acked in server.acked] == [(15, 1), (25, 30), (25, 31)]
    assert server.window[0] == (15 * MILLISECOND, 1 + 64_512)
    assert server.again == server.lost == server.resets == []
    assert (server.octets, client.octets) == (29, 0)


def test_the_client_chosen_is_the_client_drawn():
    [result] = runs_of("time-server")
    first, second = (sequence_picture("", "", result, name).blocks[0] for name in ("client-1", "client-2"))
    assert "client-1" in first.heading
    assert [each.panels[-1].bars[0].spans[0][0] for each in (first, second)] == list(ms(5, 205))


def test_what_is_sent_again_and_what_is_lost_is_marked():
    scenario = """
title = "Data is lost"
duration = "3 s"
[link]
drop = [{ to = "server", flags = "P", nth = 1 }]
[[clients]]
name = "one"
do = ["connect", { send = 100 }]
"""
    [result] = build.run_all(load.from_text(scenario))
    client, _ = directions(result.record, flows_of(result.record)["one"])
    assert client.lost == [(10 * MILLISECOND, 101)]
    assert [(first, end) for _, first, end in client.again] == [(1, 101)]
    assert (10 * MILLISECOND, 1, 101) in client.sent
    [block] = sequence_picture("", "", result, "one").blocks
    assert [bars.label for bars in block.panels[-1].bars] == ["sent: 2", "sent again: 1"]


def test_unknown_and_unfit_clients_are_told():
    flood = runs_of("syn-flood", until=SECOND // 2)[0]
    with pytest.raises(
        NothingToDrawError, match="'flood' throws bare SYNs and has no connection; known: honest"
    ):
        sequence_picture("", "", flood, "flood")
    with pytest.raises(NothingToDrawError, match=r"no such client; did you mean 'honest'\?"):
        sequence_picture("", "", flood, "honset")
    with pytest.raises(NothingToDrawError, match="has not connected when the run ends"):
        sequence_picture("", "", flood, "honest")
    with pytest.raises(NothingToDrawError, match="no client connects"):
        sequence_picture("", "", flood, None)


# Rates.


def test_each_run_is_a_point_beside_the_line():
    [block] = rate_picture("", "", runs_of("accept-rate")).blocks
    [panel] = block.panels
    points = [spots.points[0] for spots in panel.spots]
    assert [across for across, _ in points] == [50, 250, 500, 50, 100, 500]
    assert all(0.9 * across < rate <= across for across, rate in points[:5])
    assert points[5][1] == pytest.approx(50)
    assert panel.curves[0].points == ((0, 0), (500, 500))


def test_no_rate_without_several_runs_at_a_rate(ignored_ack):
    with pytest.raises(NothingToDrawError, match="two runs or more"):
        rate_picture("", "", ignored_ack)
