"""How hosts stand at a moment agrees with the record; timers that wait are those that fire next."""

from collections import Counter

import pytest

from tcpemu.explain.lines.heading import Heading
from tcpemu.explain.lines.style import lines_text
from tcpemu.explain.tables.host_state import HostState, host_state_lines, last_queues, timer_lines
from tcpemu.network import Node
from tcpemu.scenario.format import load_scenario
from tcpemu.scenario.running import build
from tcpemu.stack.base.events import Sent, StateChanged, TimerFired
from tcpemu.stack.base.states import State
from tcpemu.stack.sockets.armed_timers import PendingTimer

SECOND = 10**9
LOST_TWICE = """
title = "Data that is lost, and an end of both sides"
duration = "120 s"
[server]
then = "read_to_end"
[[clients]]
name = "one"
do = ["connect", { send = "hello" }, { wait = "2 s" }, "close"]
[[link.drop]]
to = "server"
data = true
nth = 1
[[link.drop]]
to = "server"
data = true
nth = 2
"""
RUNS = {
    "ignored-ack": ("ignored-ack", 0, {}),
    "cookies off": ("syn-flood", 0, {}),
    "cookies on": ("syn-flood", 1, {}),
    "syn-dropped": ("syn-dropped", 0, {}),
    "deferred": ("ignored-ack", 0, {"server.options.defer_accept": 5}),
    "lost twice": (LOST_TWICE, 0, {}),
}
KINDS = {
    "ignored-ack": {"SYN|ACK again", "request ends"},
    "cookies off": {"SYN|ACK again", "retransmission"},
    "cookies on": {"SYN|ACK again"},
    "syn-dropped": {"retransmission"},
    "deferred": {"SYN|ACK again", "TCP_DEFER_ACCEPT waits on", "request ends"},
    "lost twice": {"loss probe", "retransmission", "TIME-WAIT ends"},
}
"""What the timers that fire in each run are for."""


def start(which):
    name, number, settings = RUNS[which]
    scenario = load_scenario.from_text(name) if "\n" in name else load_scenario.load(name, settings)
    return build.build(load_scenario.runs(scenario)[number])


def hosts_of(result):
    return [node for node in result.network.nodes.values() if isinstance(node, Node)]


def states_told(record, node):
    """The state of each flow of a host as its events leave it; closed ones are gone."""
    states = {}
    for entry in record.events(StateChanged, node=node):
        states[entry.event.flow] = entry.event.new
    return Counter(state for state in states.values() if state is not State.CLOSE)


FIVE_MOMENTS = {
    "ignored-ack": (0.05, 0.112, 3.2, 40, 71),
    "cookies off": (0.1, 0.17, 1.1, 3.2, 5.9),
    "cookies on": (0.1, 0.17, 1.012, 3.2, 5.9),
}


@pytest.mark.parametrize("which", FIVE_MOMENTS)
def test_at_five_moments_tables_queues_and_counters_agree_with_the_record(which):
    result = start(which)
    lengths = set()
    for at in FIVE_MOMENTS[which]:
        result.network.run(int(at * SECOND))
        for node in hosts_of(result):
            table = result.network.table(node)
            told = states_told(result.record, node.name)
            assert Counter(row.state for row in table) == told
            moved = {name: by for name, by in result.record.counters(node.name).items() if by}
            counters = {name: value for name, value in result.network.counters(node).items() if value}
            assert counters == moved
            for queue in last_queues(result.record, node.name):
                (listener,) = [row for row in table if row.state is State.LISTEN]
                assert (listener.recv_q, listener.send_q) == (queue.accept, queue.backlog)
                assert queue.syn == told[State.SYN_RECV]
                lengths.add((queue.accept, queue.syn))
    assert len(lengths) > 1  # the moments do differ


def what_fires(entry):
    """Flow of the host and what its timer was for, of an entry that a timer made; None of any other."""
    event = entry.event
    if entry.packet is None and isinstance(event, TimerFired):
        what = {
            "REQUEST_EXPIRED": "request ends",
            "REQUEST_SILENT": "TCP_DEFER_ACCEPT waits on",
            "TIME_WAIT_OVER": "TIME-WAIT ends",
            "SYN_TIMED_OUT": "retransmission",
        }[event.reason.name]
        return event.flow, what
    if isinstance(event, Sent):
        what = {
            "SYN_ACK_AGAIN": "SYN|ACK again",
            "SYN_AGAIN": "retransmission",
            "RETRANSMIT": "retransmission",
            "LOSS_PROBE": "loss probe",
        }.get(event.reason.name)
        segment = event.segment
        return (segment.dst, segment.dport, segment.src, segment.sport), what
    return None


@pytest.mark.parametrize("which", RUNS)
def test_what_a_timer_did_was_pending_and_nothing_before_it(which):
    whole = start(which)
    whole.network.run(whole.scenario.duration)
    fired = [(entry, what_fires(entry)) for entry in whole.record.events()]
    fired = [(entry, *found) for entry, found in fired if found and found[1]]
    assert {what for _, _, what in fired} == KINDS[which]
    again = start(which)
    for entry, flow, what in fired:
        if again.network.now < entry.at - 1:
            again.network.run(entry.at - 1)
        if again.network.now != entry.at - 1:
            continue  # another one within the same nanosecond
        node = again.network.nodes[entry.node]
        waiting = again.network.pending(node)
        assert PendingTimer(flow, what, entry.at) in waiting
        assert min(timer.due for timer in waiting) == entry.at
        assert waiting == sorted(waiting, key=lambda timer: timer.due)


def test_to_look_at_the_timers_changes_nothing():
    looked, left_alone = start("cookies off"), start("cookies off")
    for at in range(0, 6 * SECOND, SECOND // 10):
        looked.network.run(at)
        for node in hosts_of(looked):
            looked.network.pending(node)
    left_alone.network.run(looked.network.now)
    assert looked.record.entries == left_alone.record.entries


def test_a_timer_that_was_cancelled_does_not_wait():
    result = start("ignored-ack")
    result.network.run(SECOND * 64)
    assert [result.network.pending(node) for node in hosts_of(result)] == [[], [], [], []]


def test_kernels_with_one_timer_for_all_requests_show_that_one():
    result = build.build(
        load_scenario.runs(load_scenario.load("ignored-ack", {"server.generation": "linux-3.10"}))[0]
    )
    result.network.run(2 * SECOND)
    server = hosts_of(result)[0]
    (timer,) = result.network.pending(server)
    assert timer.what == "half-open connections, a slice of the table"
    assert timer.flow == (b"", 0, b"", 80)
    assert timer.due == server.host.next_timer()
    assert "the listener on port 80" in lines_text(timer_lines([timer], 0))


def test_a_moment_shows_all_its_parts():
    result = start("ignored-ack")
    result.network.run(int(3.2 * SECOND))
    (server, *_) = hosts_of(result)
    network = result.network
    standing = HostState(
        "server",
        network.table(server),
        network.counters(server),
        last_queues(result.record, "server"),
        network.pending(server),
    )
    shown = lines_text(host_state_lines(Heading("A title"), network.now, [standing]))
    for words in (
        "at 3.2 s",
        "server: listeners (ss -tln)\n",
        "  Port  Backlog  Accept queue  SYN queue\n  80    1        2             1\n",
        "  SYN-RECV  0       0            10.0.0.1:80        10.0.0.4:",
        "  TcpExt  ListenOverflows  3  ",
        "  7.106 s  in 3.906 s  10.0.0.1:80 with 10.0.0.4:",
        "SYN|ACK again",
    ):
        assert words in shown


def test_of_very_many_timers_the_first_are_shown_and_the_others_counted():
    flow = (b"\x0a\x00\x00\x02", 9, b"\x0a\x00\x00\x01", 80)
    timers = [PendingTimer(flow, "SYN|ACK again", at * SECOND) for at in range(1, 21)]
    lines = lines_text(timer_lines(timers, 0)).splitlines()
    assert len(lines) == 1 + 5 + 1
    assert lines[-1] == "  … and 15 more until 20 s: 15 SYN|ACK again"
