"""When queues became full, and when there was room again."""

import pytest

from tcpemu.explain.facts.rows import rows_of
from tcpemu.explain.story.full_queues import ACCEPT_FULL, QUEUE_FULL, SYN_FULL, full_queues
from tcpemu.scenario.format import load_scenario
from tcpemu.scenario.running import build
from tcpemu.stack.base import reasons
from tests.explain.hand_made import Script, evictions
from tests.explain.story.stories import MS, run_of, story, turn_of


@pytest.mark.parametrize(
    ("kernel", "at", "waiting", "half_open"),
    [("bsd-4.4", 5, 0, 2), ("linux-1.2", 5, 0, 1), ("linux-2.0", 5, 0, 1), ("windows-2003", 5, 0, 1)],
)
def test_a_queue_that_holds_both_is_told_when_it_is_full(kernel, at, waiting, half_open):
    result = run_of("syn-dropped", server__generation=kernel)
    full = turn_of(story(result), "QUEUE_FULL")
    assert full.title == "The queue is full"
    assert full.at == at * MS
    waits = "1 connection waits" if half_open == 1 else f"{half_open} connections wait"
    assert f"{waits} in one queue, 0 for accept() and {half_open} for the final ACK" in full.text
    (length,) = {
        (each.accept, each.syn)
        for each in result.record.queue_lengths("server", 80)
        if each.at == full.at and each.accept + each.syn == waiting + half_open
    }
    assert length == (waiting, half_open)
    assert "a backlog above 1" in full.change
    assert "There is room again at 6.5 s" in full.text


def test_a_queue_that_empties_has_room_again():
    full = turn_of(story(run_of("ignored-ack-then-accept")), "ACCEPT_FULL")
    assert "There is room again at 10 s, after 9.885 s, when accept() takes one out" in full.text


def test_room_that_accept_did_not_make_is_not_said_to_be():
    """The SYN queue empties when a handshake completes; a longer backlog makes room too."""
    assert "when accept()" not in turn_of(story(run_of("accept-rate", "backlog 0, 20 ms")), "SYN_FULL").text
    relisten = [{"at": "5 s", "backlog": 9}]
    full = turn_of(story(run_of("ignored-ack", server__relisten=relisten)), "ACCEPT_FULL")
    assert "There is room again at 5 s, after 4.885 s." in full.text


def waits(script, at, accept, syn=0, backlog=1):
    script.queue(at * MS, accept, syn, backlog)


def meets(script, at, port, reason):
    """A SYN that finds the queues as they are."""
    syn = script.client_sends(at * MS, port, "S")
    script.arrives(at * MS, "server", syn, reason)


def found(script, one_queue=()):
    return full_queues(script.record, rows_of(script.record), one_queue)


def test_a_queue_is_full_from_the_length_at_which_a_packet_found_it_so():
    script = Script()
    script.listens()
    for at, accept in (10, 1), (20, 2), (30, 1), (40, 2), (60, 3), (70, 0):
        waits(script, at, accept)
        if at == 40:
            meets(script, 50, 40001, reasons.ACCEPT_QUEUE_FULL_SYN)
    (full,) = found(script)
    assert (full.kind, full.node, full.times, full.room) == (
        ACCEPT_FULL,
        "server",
        (20 * MS, 40 * MS),
        30 * MS,
    )
    assert (full.at, full.queues.accept, full.by_accept) == (20 * MS, 2, False)


def test_room_that_lasts_no_time_is_no_room():
    script = Script()
    script.listens()
    waits(script, 20, 2)
    meets(script, 25, 40001, reasons.ACCEPT_QUEUE_FULL_SYN)
    waits(script, 30, 1)
    waits(script, 30, 2)
    (full,) = found(script)
    assert (full.times, full.room) == ((20 * MS,), None)


def test_a_queue_that_is_full_for_no_time_has_been_full():
    script = Script()
    script.listens()
    waits(script, 20, 2)
    meets(script, 20, 40001, reasons.ACCEPT_QUEUE_FULL_SYN)
    waits(script, 20, 1)
    (full,) = found(script)
    assert (full.times, full.room, full.queues.accept) == ((20 * MS,), 20 * MS, 2)


def test_each_backlog_has_a_limit_of_its_own_and_one_that_nobody_met_has_none():
    script = Script()
    script.listens()
    waits(script, 20, 2)
    meets(script, 25, 40001, reasons.ACCEPT_QUEUE_FULL_SYN)
    waits(script, 30, 9, backlog=20)
    (full,) = found(script)
    assert (full.times, full.room) == ((20 * MS,), 30 * MS)


def test_room_is_made_by_accept_only_where_it_was_called_then_and_there():
    for call, at, by_accept in (
        ("accept()", 30, True),
        ("accept()", 29, False),
        ("listen(80, backlog 1)", 30, False),
    ):
        script = Script()
        script.listens()
        waits(script, 20, 2)
        meets(script, 25, 40001, reasons.ACCEPT_QUEUE_FULL_SYN)
        script.call(at * MS, "server", call, "10.0.0.2:40000")
        waits(script, at, 2 if at < 30 else 1)
        waits(script, 30, 1)
        (full,) = found(script)
        assert (full.room, full.by_accept) == (30 * MS, by_accept)


def test_the_syn_queue_and_one_queue_for_all_are_told_apart():
    script = Script()
    script.listens()
    waits(script, 20, 1, 3)
    meets(script, 25, 40001, reasons.SYN_QUEUE_FULL)
    meets(script, 26, 40002, reasons.QUEUE_FULL_SYN)
    waits(script, 30, 1, 2)
    waits(script, 40, 0, 4)
    assert [(full.kind, full.times) for full in found(script)] == [
        (SYN_FULL, (20 * MS, 40 * MS)),
        (QUEUE_FULL, (20 * MS, 40 * MS)),
    ]


def test_a_connection_that_is_thrown_out_shows_a_full_queue():
    for one_queue, kind in ((), SYN_FULL), ({"server"}, QUEUE_FULL):
        record = evictions(40001)
        (full,) = full_queues(record, rows_of(record), one_queue)
        assert (full.kind, full.at, full.room) == (kind, 15 * MS, None)


def test_a_listener_that_ends_makes_no_room():
    text = "title = 't'\nduration = '5 s'\n[server]\nbacklog = 0\naccept.never = true\nclose_at = '2 s'\n"
    text += "[[clients]]\nname = 'c'\ncount = 2\nstart.every = '100 ms'\n"
    (run,) = load_scenario.runs(load_scenario.from_text(text))
    full = turn_of(story(build.run(run)), "ACCEPT_FULL")
    assert "stays full for 1.985 s, until its listener ends at 2 s." in full.text
    assert "room again" not in full.text
