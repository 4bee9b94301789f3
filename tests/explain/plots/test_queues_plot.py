"""The queues against time."""

import pytest

from tcpemu.explain.plots.picture import (
    Meaning,
    NothingToDrawError,
)
from tcpemu.explain.plots.queues_plot import queues_picture
from tcpemu.network import MILLISECOND, SECOND
from tests.explain.plots.drawn_runs import curve_of, marks_of, ms, runs_of, value_at


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
        ("linux-5.10.218", "full at 6 (backlog 5)", "full at 5 (backlog 5)"),
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


def test_queues_that_are_all_but_empty_say_so_and_span_what_happens():
    [result] = runs_of("handshake")
    [block] = queues_picture("", "", [result]).blocks
    assert block.heading == "at most 1 connection waits at a time"
    last = max(each.at for each in result.record.queue_lengths("server", 80))
    assert last < block.span[1] <= max(last * 5 // 4, 1)


def test_a_queue_that_was_of_account_says_nothing(ignored_ack):
    block = queues_picture("", "", ignored_ack).blocks[0]
    assert "at most" not in block.heading
    assert block.span == (0, ignored_ack[0].ended)
