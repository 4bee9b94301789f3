"""What is said of a run agrees with its record: a capture's comments, the story and `ss`, at one moment after another.

Each view is read as a reader would, from its words: the queues and the states that the comments name, the numbers
and times in the paragraphs of the story, the rows and counters of the tables. What they say is compared with the
entries of the record, and with each other where they speak of the same.
"""

import re
from collections import Counter
from functools import cache
from typing import NamedTuple

import pytest

from tcpemu.explain.capture.annotated_capture import capture_of
from tcpemu.explain.capture.seen_by import SeenBy
from tcpemu.explain.story.turning_points import turning_points
from tcpemu.explain.tables.host_state import last_queues
from tcpemu.network import Node
from tcpemu.network.record import WAITS, Call, Point
from tcpemu.scenario.format import load_scenario
from tcpemu.scenario.running import build
from tcpemu.stack.base.events import QueueChanged, Sent, StateChanged, Verdict
from tcpemu.stack.base.states import State

SECOND = 10**9
MOMENTS = {
    # The queue fills; the first ignored ACK; the third repeat; the request is gone; the RST has arrived.
    ("ignored-ack", 0): (0.1157, 0.1165, 7.2, 63.5, 71),
    # The queue is not full yet; it just is; the honest SYN was dropped; repeats have begun; long after.
    ("syn-flood", 0): (0.09, 0.1655, 1.006, 1.5, 5.9),
    # The same, and at the third moment the honest client's cookie has just come back.
    ("syn-flood", 1): (0.09, 0.1655, 1.0155, 1.5, 5.9),
}
CASES = [(*run, at) for run, times in MOMENTS.items() for at in times]
QUEUES = re.compile(r"Queues of port 80: accept (\d+)/(\d+), SYN (\d+)/(\d+)")
FULL = re.compile(r"queue is full \((\d+) (wait|half-open), backlog (\d+)\)")
STATE = re.compile(r" \((?:(\S+) → )?([A-Z0-9-]+|closed)\)(?: \[[^]]*\])?$")
COUNTERS = re.compile(r"^Counters of (\S+): (.*)$")
WAITING = re.compile(r"(\d+) connections? waits? for (accept\(\)|the final ACK).*backlog of (\d+)")


class Stage(NamedTuple):
    """A run at one moment."""

    at: int
    network: object
    record: object
    capture: object
    turns: list

    def hosts(self):
        return [node for node in self.network.nodes.values() if isinstance(node, Node)]


@cache
def stage(name, number, at):
    result = build.build(load_scenario.runs(load_scenario.load(name))[number])
    result.network.run(round(at * SECOND))
    hosts = {node.name: node.host for node in result.network.nodes.values() if isinstance(node, Node)}
    record = result.record
    return Stage(
        result.network.now,
        result.network,
        record,
        capture_of(record, SeenBy.ALL),
        turning_points(record, "server", hosts),
    )


@pytest.fixture(params=CASES, ids=lambda case: f"{case[0]}-{case[1]} at {case[2]} s")
def now(request):
    return stage(*request.param)


# What the comments say.


def sights(now):
    """Each packet that a host sent or received, as the record has it, with its comment."""
    met = (sight for sight in now.record.packets() if sight.point is not Point.LOST)
    seen = sorted(met, key=lambda sight: sight.at)
    assert [sight.at for sight in seen] == [packet.at for packet in now.capture.packets]
    return [(sight, packet.comments[0]) for sight, packet in zip(seen, now.capture.packets, strict=True)]


def sentences(comment):
    return comment.removesuffix(".").split(". ")


def flow_at(sight):
    """The flow as the host where it was seen calls it: remote end first."""
    segment = sight.segment
    if sight.point is Point.RECEIVED:
        return segment[:4]
    return segment.dst, segment.dport, segment.src, segment.sport


def states_told(now):
    """For each sight whose comment says one: the sight, and the state before (or None) and after."""
    for sight, comment in sights(now):
        for sentence in sentences(comment):
            found = STATE.search(sentence)
            if found:
                yield sight, found[1], found[2]


def queues_told(now):
    """For each sight of the server whose comment says them: the sight, accept, SYN, backlog."""
    for sight, comment in sights(now):
        found = QUEUES.search(comment)
        if found:
            accept, backlog, syn, same = map(int, found.groups())
            assert backlog == same
            yield sight, accept, syn, backlog


# What the record says.


def after(record, sight):
    """The entries up to the end of what the packet did there, or up to its departure."""
    if sight.point is Point.SENT:
        end = next(i for i, entry in enumerate(record.entries) if entry is sight)
        return record.entries[: end + 1]
    last = max(i for i, entry in enumerate(record.entries) if belongs(entry, sight))
    return record.entries[: last + 1]


def belongs(entry, sight):
    return entry is sight or (
        getattr(entry, "packet", None) == sight.number
        and entry.node == sight.node
        and not isinstance(entry.event, Sent)
    )


def state_in(entries, node, flow):
    """As ss names it; None for a flow that is not there."""
    changes = [
        entry.event
        for entry in entries
        if isinstance(getattr(entry, "event", None), StateChanged)
        and entry.node == node
        and entry.event.flow == flow
    ]
    gone = not changes or changes[-1].new is State.CLOSE
    return None if gone else changes[-1].new.ss_name


def queues_in(entries):
    """Accept, SYN, backlog."""
    events = [entry.event for entry in entries if isinstance(getattr(entry, "event", None), QueueChanged)]
    return events[-1].accept, events[-1].syn, events[-1].backlog


# Comments and record.


def test_every_packet_has_a_comment(now):
    assert all(comment.endswith(".") for _, comment in sights(now))


def test_the_states_in_the_comments_are_those_of_the_record(now):
    told = list(states_told(now))
    assert told
    for sight, _, new in told:
        expected = state_in(after(now.record, sight), sight.node, flow_at(sight))
        if new == "LISTEN":  # the listener had to do with it, for there is no connection
            assert expected is None
        else:
            assert new == (expected or "closed")


def test_a_change_of_state_in_the_comments_is_one_of_the_record(now):
    """Each change that a packet or a connect() made once, from the state before to the state after."""
    told = Counter(
        (sight.node, flow_at(sight), old, new) for sight, old, new in states_told(now) if old is not None
    )
    recorded = Counter()
    for (_, node, flow), changes in changes_at_packets(now.record).items():
        recorded[node, flow, named(changes[0].old), named(changes[-1].new)] += 1
    assert told == recorded
    assert recorded.total() >= 5


def named(state):
    return "closed" if state is State.CLOSE else state.ss_name


def changes_at_packets(record):
    """A cookie's connection has two changes at one packet. What a timer or another call changes is left out."""
    found = {}
    for entry in record.events(StateChanged):
        change = entry.event
        if change.flow[0] and (entry.packet is not None or change.new is State.SYN_SENT):
            found.setdefault((entry.packet, entry.node, change.flow), []).append(change)
    return found


def test_the_queues_in_the_comments_are_those_of_the_record(now):
    told = list(queues_told(now))
    for sight, *lengths in told:
        assert sight.node == "server"
        assert tuple(lengths) == queues_in(after(now.record, sight))
    assert len(told) >= len(now.record.events(Verdict, node="server")) / 2


def test_a_full_queue_in_a_comment_is_as_long_as_it_says(now):
    for _, comment in sights(now):
        full, queues = FULL.search(comment), QUEUES.search(comment)
        if full:
            assert int(full[1]) == int(queues[1] if full[2] == "wait" else queues[3])
            assert int(full[3]) == int(queues[2])
            assert int(full[1]) > int(full[3])


def test_the_counters_in_the_comments_add_up_to_those_of_nstat(now):
    """But for what more than one packet of a step moved, or a timer that sent nothing."""
    sums = Counter()
    for _, comment in sights(now):
        for sentence in sentences(comment):
            found = COUNTERS.match(sentence)
            for each in found[2].split(", ") if found else ():
                name, by = each.split(" ")
                sums[found[1], name] += int(by)
    for node in now.hosts():
        stands = now.network.counters(node)
        for name in ("ListenOverflows", "ListenDrops", "SyncookiesSent", "SyncookiesRecv", "PassiveOpens"):
            assert sums[node.name, name] == stands.get(name, 0)
        assert sums[node.name, "TCPSynRetrans"] == stands.get("TCPSynRetrans", 0)


# Comments and ss.


def test_the_last_queues_in_a_comment_are_those_of_ss(now):
    (server, *_) = now.hosts()
    table = now.network.table(server)
    (listener,) = [row for row in table if row.state is State.LISTEN]
    half_open = sum(row.state is State.SYN_RECV for row in table)
    *_, (sight, accept, syn, backlog) = queues_told(now)
    (stands,) = last_queues(now.record, "server")
    assert (listener.recv_q, listener.send_q, half_open) == (stands.accept, stands.backlog, stands.syn)
    later = now.record.entries[len(after(now.record, sight)) :]
    changes = [entry for entry in later if isinstance(getattr(entry, "event", None), QueueChanged)]
    assert all(entry.packet is None for entry in changes)  # a packet would have told it
    expired = sum(turn.reason == "REQUEST_EXPIRED" and turn.at > sight.at for turn in now.turns)
    accepted = sum(entry.text == "accept()" and entry.result != WAITS for entry in later if is_call(entry))
    assert len(changes) == expired + accepted
    assert (accept - accepted, syn - expired, backlog) == (listener.recv_q, half_open, listener.send_q)


def is_call(entry):
    return isinstance(entry, Call)


def test_the_last_state_in_a_comment_is_that_of_ss(now):
    """But for what a timer or a call has changed since, which no packet tells."""
    last = {}
    for sight, _, new in states_told(now):
        last[sight.node, flow_at(sight)] = sight.at, new
    compared = 0
    for node in now.hosts():
        rows = [row for row in now.network.table(node) if row.remote]
        table = {(*row.remote, *row.local): row.state.ss_name for row in rows}
        quiet = {
            entry.event.flow: entry.at
            for entry in now.record.events(StateChanged, node=node.name)
            if entry.packet is None
        }
        for (name, flow), (at, told) in last.items():
            if name == node.name and quiet.get(flow, -1) <= at:
                compared += 1
                assert table.get(flow) == (None if told in ("closed", "LISTEN") else told)
        for flow in table:
            assert flow in quiet or (node.name, flow) in last
    assert compared >= 4


# The story, the record and the rest.


def turn_of(now, reason):
    return next((turn for turn in now.turns if turn.reason == reason), None)


FOUND_FULL = {"ACCEPT_FULL": {"ACCEPT_QUEUE_FULL"}, "SYN_FULL": {"SYN_QUEUE_FULL", "SYN_COOKIE"}}


@pytest.mark.parametrize(("reason", "length"), [("ACCEPT_FULL", 0), ("SYN_FULL", 1)])
def test_the_story_of_a_full_queue_has_the_lengths_of_the_record(now, reason, length):
    turn = turn_of(now, reason)
    met = {entry.event.reason.name for entry in now.record.events(Verdict, node="server")}
    assert bool(turn) == bool(met & FOUND_FULL[reason])
    if turn is None:
        return
    waiting, what_for, backlog = WAITING.search(turn.text).groups()
    assert what_for == ("accept()", "the final ACK")[length]
    entries = [entry for entry in now.record.entries if entry.at <= turn.at]
    assert (int(waiting), int(backlog)) == (queues_in(entries)[length], queues_in(entries)[2])
    assert all(
        (each.accept, each.syn)[length] < int(waiting)
        for each in now.record.queue_lengths("server", 80)
        if each.at < turn.at
    )


DROPS = {
    "ACCEPT_QUEUE_FULL": ("ListenOverflows", "so the final ACK is ignored"),
    "SYN_QUEUE_FULL": ("TCPReqQFullDrop", "and tcp_syncookies is 0, so the SYN is dropped"),
    "SYN_COOKIE": ("SyncookiesSent", "so a SYN cookie is sent"),
    "COOKIE_GOOD": ("SyncookiesRecv", "carries a good SYN cookie"),
}


@pytest.mark.parametrize("reason", DROPS)
def test_the_story_tells_each_drop_as_often_as_record_comments_and_counters(now, reason):
    counter, words = DROPS[reason]
    turn = turn_of(now, reason)
    times = [
        entry.at for entry in now.record.events(Verdict, node="server") if entry.event.reason.name == reason
    ]
    commented = [sight.at for sight, comment in sights(now) if words in comment]
    assert commented == times
    assert (turn.at, turn.times) == (times[0], len(times)) if turn else not times
    (server, *_) = now.hosts()
    assert now.network.counters(server).get(counter, 0) == len(times)


def test_the_story_tells_each_repeat_as_often_as_record_and_comments(now):
    turn = turn_of(now, "SYN_ACK_AGAIN")
    times = [entry.at for entry in now.record.events(Sent) if entry.event.reason.name == "SYN_ACK_AGAIN"]
    commented = [
        sight.at
        for sight, comment in sights(now)
        if "no final ACK has completed the handshake in time" in comment
    ]
    assert commented == times
    assert (turn.at, turn.times) == (times[0], len(times)) if turn else not times


def test_the_lengths_in_the_story_of_a_drop_are_those_of_the_comment(now):
    """A paragraph and the comment of the packet that it begins with name the same numbers."""
    first = {}
    for sight, comment in sights(now):
        if FULL.search(comment):
            first.setdefault(sight.at, FULL.search(comment).groups())
    told = [turn for turn in now.turns if FULL.search(turn.text)]
    for turn in told:
        assert FULL.search(turn.text).groups() == first[turn.at]
    assert bool(told) == bool(first)


def test_what_the_story_says_of_states_is_what_ss_says(now):
    """As long as the two ends disagree, each of them says its own."""
    turn = turn_of(now, "ACCEPT_QUEUE_FULL")
    if turn is None or turn_of(now, "REQUEST_EXPIRED"):
        return
    client, theirs, ours = re.search(r"disagree: (\S+) says (\S+), server says ([A-Z-]+)", turn.text).groups()
    tables = {node.name: [row.state for row in now.network.table(node)] for node in now.hosts()}
    assert [state.name for state in tables[client]] == [theirs]
    assert [state.ss_name for state in tables["server"]].count(ours) == 1


def test_the_moments_are_telling():
    """Between them every kind of turning point comes up, and the queues differ."""
    for (name, number), times in MOMENTS.items():
        stages = [stage(name, number, at) for at in times]
        assert len({tuple(turn.times for turn in each.turns) for each in stages}) >= 4
        assert len({queues_in(each.record.entries) for each in stages}) >= 2
