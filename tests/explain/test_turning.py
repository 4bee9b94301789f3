"""The story of a run: each turning point at its moment, repeats summed up, and the settings behind it."""

import pytest

from tcpemu.explain.lines.heading import Heading
from tcpemu.explain.lines.style import lines_text
from tcpemu.explain.lines.time_words import moment
from tcpemu.explain.story.story_lines import story_lines
from tcpemu.explain.story.turning_points import turning_points
from tcpemu.explain.story.turning_titles import TITLES
from tcpemu.network import Node
from tcpemu.scenario import build, load
from tcpemu.stack.events import StateChanged, TimerFired
from tcpemu.stack.reasons import REASONS

MS = 10**6
FEW = "title = 't'\nduration = '10 s'\n"


def run_of(name, only="", **settings):
    scenario = load.load(name, {key.replace("__", "."): value for key, value in settings.items()})
    return build.run(next(run for run in load.runs(scenario) if run.name == only))


def story(result):
    nodes = result.network.nodes.values()
    hosts = {node.name: node.host for node in nodes if isinstance(node, Node)}
    return turning_points(result.record, "server", hosts)


def told(turns):
    """Reason, milliseconds, times."""
    return [(turn.reason, turn.at / MS, turn.times) for turn in turns]


def turn_of(turns, reason):
    (found,) = [turn for turn in turns if turn.reason == reason]
    return found


def test_the_story_of_the_ignored_ack_has_each_turning_point_at_its_moment():
    assert told(story(run_of("ignored-ack"))) == [
        ("ACCEPT_FULL", 115, 1),
        ("ACCEPT_QUEUE_FULL", 116, 6),
        ("SYN_ACK_AGAIN", 1106, 5),
        ("CHALLENGE_SYN", 1111, 5),
        ("REQUEST_EXPIRED", 63106, 1),
        ("LISTENER_ACK", 70005, 1),
        ("RESET", 70010, 1),
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
                ("SYN_FULL", 165, 1),
                ("SYN_QUEUE_FULL", 185, 296),
                ("SYN_ACK_AGAIN", 1005, 18),
                ("SYN_AGAIN", 2000, 5),
            ],
        ),
        (
            "cookies on",
            [
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


def test_the_settings_that_would_have_changed_it_say_what_they_are_now():
    turns = story(run_of("ignored-ack", net__ipv4__tcp_synack_retries=4))
    full = turn_of(turns, "ACCEPT_QUEUE_FULL").change
    assert "a backlog above 1 (net.core.somaxconn, now 4096, caps it)" in full
    assert "net.ipv4.tcp_abort_on_overflow = 1 (now 0)" in full
    assert "net.ipv4.tcp_synack_retries (now 4)" in turn_of(turns, "REQUEST_EXPIRED").change
    assert turn_of(turns, "RESET").change == ""


def test_a_setting_that_is_named_does_change_it():
    assert not any(
        turn.reason == "ACCEPT_QUEUE_FULL" for turn in story(run_of("ignored-ack", server__backlog=2))
    )
    aborted = story(run_of("ignored-ack", net__ipv4__tcp_abort_on_overflow=1))
    assert "net.ipv4.tcp_abort_on_overflow = 0 (now 1)" in turn_of(aborted, "ABORT_ON_OVERFLOW").change
    with_cookies = story(run_of("syn-flood", "cookies on"))
    assert "net.ipv4.tcp_syncookies = 0 (now 1)" in turn_of(with_cookies, "SYN_COOKIE").change
    without = story(run_of("syn-flood", "cookies off"))
    assert "net.ipv4.tcp_syncookies = 1 (now 0)" in turn_of(without, "SYN_QUEUE_FULL").change


def test_a_backlog_at_its_cap_asks_for_a_higher_cap():
    turns = story(run_of("ignored-ack", server__backlog=9, net__core__somaxconn=1))
    assert turn_of(turns, "ACCEPT_FULL").change.startswith(
        "net.core.somaxconn above 1, which caps every backlog"
    )


def test_what_limits_the_syn_queue_goes_by_the_kernel():
    """Linux 2.2 asks tcp_max_syn_backlog alone, 6.18 the backlog alone."""
    settings = {"net.ipv4.tcp_max_syn_backlog": 8, "server.generation": "linux-2.2", "server.backlog": 100}
    scenario = load.load("syn-flood", settings)
    old = turn_of(story(build.run(load.runs(scenario)[0])), "SYN_QUEUE_FULL").change
    assert "net.ipv4.tcp_max_syn_backlog above 8" in old
    assert "a backlog above" not in old
    new = turn_of(story(run_of("syn-flood", "cookies off")), "SYN_QUEUE_FULL").change
    assert "tcp_max_syn_backlog" not in new


def test_a_setting_that_the_kernel_does_not_have_is_not_named():
    full = turn_of(story(run_of("ignored-ack", server__generation="linux-2.2")), "ACCEPT_QUEUE_FULL").change
    assert full == "a backlog above 1; a program that calls accept() sooner"


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
    result = build.run(load.runs(load.from_text(document))[0])
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


def test_a_queue_that_empties_has_room_again():
    full = turn_of(story(run_of("ignored-ack-then-accept")), "ACCEPT_FULL")
    assert "There is room again at 10 s, after 9.885 s, when accept() takes one out" in full.text


def test_room_that_accept_did_not_make_is_not_said_to_be():
    """The SYN queue empties when a handshake completes; a longer backlog makes room too."""
    assert "when accept()" not in turn_of(story(run_of("accept-rate", "backlog 0, 20 ms")), "SYN_FULL").text
    relisten = [{"at": "5 s", "backlog": 9}]
    full = turn_of(story(run_of("ignored-ack", server__relisten=relisten)), "ACCEPT_FULL")
    assert "There is room again at 5 s, after 4.885 s." in full.text


def test_a_lost_packet_is_a_turning_point():
    document = (
        FEW + "[server]\n[[clients]]\nname = 'one'\n[[link.drop]]\nflags = 'S'\nto = 'server'\nnth = 1\n"
    )
    result = build.run(load.runs(load.from_text(document))[0])
    turns = story(result)
    assert told(turns) == [("LOSS", 0, 1), ("SYN_AGAIN", 1000, 1), ("PUT_OFF_DONE", 1015, 1)]
    assert turns[0].text.startswith("one to server: SYN lost")
    assert "1.015 s after the first SYN; before: SYN lost once" in turns[2].text


def test_without_trouble_the_story_is_how_the_connection_opened():
    result = run_of("handshake")
    turns = story(result)
    assert told(turns) == [("HANDSHAKE", 0, 1)]
    assert turns[0].text == (
        "client to server: SYN: server answers with SYN|ACK at 0.005 s; it arrives at 0.01 s, one round trip of "
        "10 ms after the SYN left, and client says ESTABLISHED; the ACK to it arrives at 0.015 s: server says "
        "ESTABLISHED too, and the connection is in the accept queue; accept() takes it out at 0.1 s."
    )
    seen = [(entry.at / MS, entry.event.new.name) for entry in result.record.events(StateChanged)]
    assert [at for at, state in seen if state == "ESTABLISHED"] == [10, 15]
    assert "Nothing was dropped" in lines_text(story_lines(Heading("t"), turns, []))
    short = build.run(load.runs(load.load("handshake"))[0], 50 * MS)
    assert "nobody takes it out before the end" in story(short)[0].text


def test_connections_without_trouble_are_summed_up():
    turns = story(run_of("time-server"))
    assert told(turns) == [("HANDSHAKE", 0, 2), ("CLOSES_FIRST", 15, 2)]
    assert turns[0].text.endswith("Then client-2 at 0.2 s.")
    assert "Nothing was dropped" in lines_text(story_lines(Heading("t"), turns, []))


def test_a_put_off_handshake_completes_when_an_ack_finds_room():
    result = run_of("ignored-ack-then-accept")
    done = turn_of(story(result), "PUT_OFF_DONE")
    assert (done.title, done.at, done.times) == ("A put-off handshake completes", 15_116 * MS, 1)
    assert "15.02 s after the first SYN; before: ACK ignored 4 times" in done.text
    assert "late says ESTABLISHED since 0.111 s, server from now on: both ends agree" in done.text
    changes = [entry for entry in result.record.events(StateChanged) if entry.event.new.name == "ESTABLISHED"]
    assert [entry.at / MS for entry in changes if entry.event.flow[0][-1] == 4] == [15_116]
    assert result.record.counters("server")["ListenOverflows"] == 4


def test_data_may_complete_what_a_bare_ack_did_not():
    document = FEW + "[server]\noptions.defer_accept = 5\n[[clients]]\nname = 'one'\n"
    document += "do = ['connect', { wait = '1 s' }, { send = 'hello' }]\n"
    turns = story(build.run(load.runs(load.from_text(document))[0]))
    done = turn_of(turns, "PUT_OFF_DONE")
    assert done.text.startswith("Data of one arrives at server")
    assert "before: ACK ignored once" in done.text
    assert "Nothing was dropped" not in lines_text(story_lines(Heading("t"), turns, []))


def test_who_closes_first_keeps_time_wait():
    result = run_of("ignored-ack-then-accept")
    closes = turn_of(story(result), "CLOSES_FIRST")
    assert (closes.title, closes.at, closes.times) == ("server closes first", 10_000 * MS, 3)
    assert "TIME-WAIT stays with server, from 10.01 s for 60 s, until 70.01 s." in closes.text
    assert "2 more times: second at 16 s; late at 17 s." in closes.text
    waits = [row.remote[0][-1] for row in result.network.table(result.network.nodes["server"]) if row.remote]
    assert waits == [2, 3, 4]


def test_a_client_that_closes_first_keeps_time_wait_until_its_timer():
    document = FEW.replace("10 s", "90 s") + "[server]\nthen = 'read_to_end'\n[[clients]]\nname = 'one'\n"
    result = build.run(load.runs(load.from_text(document + "do = ['connect', 'close']\n"))[0])
    closes = turn_of(story(result), "CLOSES_FIRST")
    over = [entry.at for entry in result.record.events(StateChanged) if entry.event.old.name == "TIME_WAIT"]
    assert closes.title == "one closes first"
    assert f"until {moment(over[0])}." in closes.text


@pytest.mark.parametrize("name", load.BUILT_IN)
def test_every_built_in_scenario_has_a_story_that_fits(name):
    for run in load.runs(load.load(name)):
        turns = story(build.run(run, 3 * 10**9))
        assert len(turns) < 15
        assert turns == sorted(turns, key=lambda turn: turn.at)
        for width in (80, 100):
            lines = lines_text(story_lines(Heading("t"), turns, [], width)).splitlines()
            assert max(map(len, lines)) <= width


def test_every_title_is_of_a_reason_that_there_is():
    assert set(TITLES) - {"LOSS"} <= set(REASONS)
