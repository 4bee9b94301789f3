"""The story of a run: each turning point at its moment, and repeats summed up."""

import pytest

from tcpemu.explain.lines.heading import Heading
from tcpemu.explain.lines.style import lines_text
from tcpemu.explain.lines.time_words import MOMENTS_LISTED
from tcpemu.explain.story.story_lines import story_lines
from tcpemu.explain.story.turning_points import turning_points
from tcpemu.scenario.format import load_scenario
from tcpemu.scenario.running import build
from tcpemu.stack.base import reasons
from tcpemu.stack.base.events import TimerFired
from tests.explain.hand_made import Script
from tests.explain.story.stories import FEW, MS, run_of, story, told, turn_of


def test_the_story_of_the_ignored_ack_has_each_turning_point_at_its_moment():
    assert told(story(run_of("ignored-ack"))) == [
        ("ACCEPT_FULL", 115, 1),
        ("ACCEPT_QUEUE_FULL", 116, 6),
        ("SYN_ACK_AGAIN", 1106, 5),
        ("CHALLENGE_SYN", 1111, 5),
        ("REQUEST_EXPIRED", 63106, 1),
        ("LISTENER_ACK", 70005, 1),
        ("RESET", 70010, 1),
        ("ECONNRESET", 70010, 1),
    ]


def test_repeats_are_summed_up_with_their_times():
    turns = story(run_of("ignored-ack"))
    assert "Again at 1.116, 3.116, 7.116, 15.116 and 31.116 s." in turn_of(turns, "ACCEPT_QUEUE_FULL").text
    assert "1, 3, 7, 15 and 31 s after the first one" in turn_of(turns, "SYN_ACK_AGAIN").text
    assert "late says ESTABLISHED, server says SYN-RECV" in turn_of(turns, "ACCEPT_QUEUE_FULL").text
    assert "stays full to the end" in turn_of(turns, "ACCEPT_FULL").text


def test_the_times_of_the_story_are_those_of_the_record():
    result = run_of("ignored-ack")
    drops = [
        entry.at for entry in result.record.events() if getattr(entry.event, "name", "") == "ListenOverflows"
    ]
    full = turn_of(story(result), "ACCEPT_QUEUE_FULL")
    assert (full.at, full.times) == (drops[0], len(drops))
    first_full = next(each.at for each in result.record.queue_lengths("server", 80) if each.accept == 2)
    assert turn_of(story(result), "ACCEPT_FULL").at == first_full


@pytest.mark.parametrize(
    ("only", "expected"),
    [
        (
            "cookies off",
            [
                ("NOBODY", 5, 27),
                ("SYN_FULL", 165, 1),
                ("SYN_QUEUE_FULL", 185, 296),
                ("SYN_ACK_AGAIN", 1005, 18),
                ("SYN_AGAIN", 2000, 5),
            ],
        ),
        (
            "cookies on",
            [
                ("NOBODY", 5, 318),
                ("SYN_FULL", 165, 1),
                ("SYN_COOKIE", 185, 292),
                ("SYN_ACK_AGAIN", 1005, 18),
                ("COOKIE_GOOD", 1015, 1),
            ],
        ),
    ],
)
def test_the_story_of_a_flood_is_short(only, expected):
    result = run_of("syn-flood", only)
    turns = story(result)
    assert told(turns) == expected
    counted = result.record.counters("server")
    syns = next(turn for turn in turns if turn.reason in ("SYN_QUEUE_FULL", "SYN_COOKIE"))
    assert syns.times == counted["ListenDrops" if only == "cookies off" else "SyncookiesSent"]
    assert "290 times with flood, until 5.985 s; honest at 1.005" in syns.text
    assert len(lines_text(story_lines(Heading("t"), turns, []))) < 3000


MAKES_ROOM = """
title = "A flood at a kernel that makes room"
duration = "2 s"
[server]
backlog = 3
generation = "KERNEL"
[[clients]]
name = "flood"
start = { rate = RATE, until = "2 s" }
do = ["syn"]
spoof = "198.18.0.0/16"
"""


@pytest.mark.parametrize(
    ("kernel", "rate", "queue", "full_at", "which"),
    [
        ("macos-15", 50, "QUEUE_FULL", 45, "the oldest half-open connection, 60 ms old,"),
        ("solaris", 1000, "SYN_FULL", 1031, "the oldest half-open connection, 1.125 s old,"),
    ],
)
def test_a_connection_that_is_thrown_out_is_a_turning_point(kernel, rate, queue, full_at, which):
    document = MAKES_ROOM.replace("KERNEL", kernel).replace("RATE", str(rate))
    result = build.run(load_scenario.runs(load_scenario.from_text(document))[0])
    turns = story(result)
    evicted = turn_of(turns, "REQUEST_EVICTED")
    fired = [
        entry.at for entry in result.record.events(TimerFired) if entry.event.reason.name == "REQUEST_EVICTED"
    ]
    assert (evicted.at, evicted.times) == (fired[0], len(fired))
    assert f"the queue is full, so it throws out {which}" in evicted.text
    assert "a backlog above 3" in evicted.change
    full = turn_of(turns, queue)
    assert (full.at, full.times) == (full_at * MS, 1)
    assert "stays full to the end" in full.text  # one goes and one comes at the same moment


def test_a_lost_packet_is_a_turning_point():
    document = (
        FEW + "[server]\n[[clients]]\nname = 'one'\n[[link.drop]]\nflags = 'S'\nto = 'server'\nnth = 1\n"
    )
    result = build.run(load_scenario.runs(load_scenario.from_text(document))[0])
    turns = story(result)
    assert told(turns) == [("LOSS", 0, 1), ("SYN_AGAIN", 1000, 1), ("PUT_OFF_DONE", 1015, 1)]
    assert turns[0].text.startswith("one to server: SYN lost")
    assert "1.015 s after the first SYN; before: SYN lost once" in turns[2].text


def dropped(*ports):
    """A SYN from each of these ports, one a second, that finds the SYN queue full."""
    script = Script()
    for number, port in enumerate(ports):
        syn = script.client_sends(number * 1000 * MS, port, "S", reason=reasons.SENT_SYN)
        script.arrives(number * 1000 * MS, "server", syn, reasons.SYN_QUEUE_FULL)
        script.queue(number * 1000 * MS, 0, 2, packet=syn)
    return turn_of(turning_points(script.record, "server", {}), "SYN_QUEUE_FULL").text


def test_the_times_of_one_client_are_listed_up_to_a_number():
    assert "Again at 1 s." in dropped(40001, 40001)
    most = dropped(*[40001] * (MOMENTS_LISTED + 1))
    assert f"Again at {', '.join(map(str, range(1, MOMENTS_LISTED)))} and {MOMENTS_LISTED} s." in most
    more = dropped(*[40001] * (MOMENTS_LISTED + 2))
    assert f"Then {MOMENTS_LISTED + 1} times with client, until {MOMENTS_LISTED + 1} s." in more


def test_the_times_of_several_clients_of_one_host_are_counted():
    assert "Then client:40002 at 1 s." in dropped(40001, 40002)
    assert "Then 2 times with client, until 2 s." in dropped(40001, 40002, 40003)
    assert "Then client:40002 at 1 and 2 s." in dropped(40001, 40002, 40002)


def test_a_queue_that_is_full_again_lists_its_times_up_to_a_number():
    def text(times):
        script = Script()
        script.listens()
        for number in range(times):
            script.queue(number * 1000 * MS, 2, 0)
            syn = script.client_sends(number * 1000 * MS, 40001, "S", reason=reasons.SENT_SYN)
            script.arrives(number * 1000 * MS, "server", syn, reasons.ACCEPT_QUEUE_FULL_SYN)
            script.queue((number * 1000 + 500) * MS, 1, 0)
        return turn_of(turning_points(script.record, "server", {}), "ACCEPT_FULL").text

    assert text(1).endswith("2 connections wait for accept(), one more than the backlog of 1. "
                            "There is room again at 0.5 s, after 500 ms.")  # fmt: skip
    assert text(2).endswith("; it is full again at 1 s.")
    assert text(MOMENTS_LISTED + 1).endswith(f" and {MOMENTS_LISTED} s.")
    assert text(MOMENTS_LISTED + 2).endswith(
        f"; it is full {MOMENTS_LISTED + 1} times more, the last time at {MOMENTS_LISTED + 1} s."
    )


@pytest.mark.parametrize(("answered", "words"), [(False, ": 1 and 3 s after the first one."), (True, ".")])
def test_repeats_count_from_the_first_syn_ack_unless_a_second_syn_was_answered_too(answered, words):
    script = Script()
    script.syn(0, 40001)
    for at, repeat in (1005, 1), (2005, 0), (3005, 2):
        if repeat:
            script.server_sends(at * MS, 40001, "SA", 0, 1, reason=reasons.SENT_SYN_ACK_AGAIN, repeat=repeat)
        elif answered:
            script.server_sends(at * MS, 40001, "SA", 0, 1, reason=reasons.SENT_SYN_ACK)
    again = turn_of(turning_points(script.record, "server", {}), "SYN_ACK_AGAIN").text
    assert f"Again at 3.005 s{words} " in f"{again} "


def test_a_full_syn_queue_says_what_waits_there_and_the_backlog():
    script = Script()
    script.listens()
    script.queue(0, 0, 3)
    syn = script.client_sends(0, 40001, "S", reason=reasons.SENT_SYN)
    script.arrives(0, "server", syn, reasons.SYN_QUEUE_FULL)
    full = turn_of(turning_points(script.record, "server", {}), "SYN_FULL")
    assert full.text == (
        "Port 80 of server: 3 connections wait for the final ACK, with a backlog of 1. "
        "The SYN queue stays full to the end."
    )
