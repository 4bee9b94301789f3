"""When queues became full, and when there was room again."""

import pytest

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
