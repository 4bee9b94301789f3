"""The comment on a packet: what both ends did, states, queues and counters."""

import re
from dataclasses import fields, replace

from hypothesis import given
from hypothesis import strategies as st

from tcpemu.explain.capture import packet_comments
from tcpemu.explain.capture.annotated_capture import capture_of
from tcpemu.explain.capture.packet_comments import MOST_KNOWN, _worded, comment_on
from tcpemu.explain.capture.seen_by import SeenBy
from tcpemu.explain.facts.rows import PacketRow, rows_of
from tcpemu.explain.lines.time_words import span_words
from tcpemu.network.record import Point
from tcpemu.scenario.format import load_scenario
from tcpemu.scenario.running import build
from tcpemu.stack.base import reasons
from tcpemu.stack.base.events import Reason, StateChanged, TimerFired
from tcpemu.stack.base.states import State
from tcpemu.wire.codec import encode
from tcpemu.wire.segment import endpoint_text
from tests.explain.capture.flood_scenario import FLOOD
from tests.explain.hand_made import (
    MS,
    Script,
    handshake_with_losses,
    ignored_ack,
)


def test_comments_say_what_both_ends_did():
    comments = [packet.comments for packet in capture_of(ignored_ack()).packets]
    assert comments[0] == (
        "client: connect() (closed → SYN-SENT). server: the SYN enters the SYN queue and is answered with "
        "SYN|ACK (LISTEN → SYN-RECV). Queues of port 80: accept 0/0, SYN 1/0.",
    )
    assert comments[1] == (
        "server: answers the SYN (SYN-RECV). client: the SYN|ACK is good: the connection is established "
        "(SYN-SENT → ESTAB).",
    )
    assert comments[5] == (
        "server: the accept queue is full (1 wait, backlog 0), so the final ACK is ignored; the request "
        "stays and its SYN|ACK will be sent again (SYN-RECV) [tcp_minisocks.c: tcp_check_req]. The two ends "
        "disagree: client says ESTABLISHED, server says SYN-RECV. Queues of port 80: accept 1/0, SYN 1/0. "
        "Counters of server: ListenOverflows +1, ListenDrops +1.",
    )
    assert comments[6] == (
        "Sent again after 1 s (1st repeat): no final ACK has completed the handshake in time (SYN-RECV) "
        "[inet_connection_sock.c: reqsk_timer_handler]. client: a repeated SYN|ACK reaches an open "
        "connection: challenge ACK "
        "(ESTAB) [tcp_input.c: tcp_validate_incoming]. Queues of port 80: accept 1/0, SYN 1/0.",
    )
    assert comments[7] == (
        "client: a challenge ACK, for the SYN|ACK that came: it names the sequence number expected "
        "(RFC 5961) (ESTAB). server: the "
        "accept queue is full (1 wait, backlog 0), so the final ACK is ignored; the request stays and its SYN|ACK "
        "will be sent again (SYN-RECV) [tcp_minisocks.c: tcp_check_req]. The two ends disagree: client says "
        "ESTABLISHED, server says SYN-RECV. Queues of port 80: accept 1/0, SYN 1/0. Counters of server: "
        "ListenOverflows +1, ListenDrops +1.",
    )
    assert comments[8] == (
        "server: an ACK for a connection that the listener does not know is answered with a RST; the "
        "half-open connection that was there is gone since 3.105 s (LISTEN) [tcp_input.c: "
        "tcp_rcv_state_process]. Queues of port 80: accept 1/0, SYN 0/0.",
    )


def test_with_all_sights_each_end_speaks_for_itself():
    capture = capture_of(ignored_ack(), SeenBy.ALL)
    first, second = [packet.comments for packet in capture.packets[:2]]
    assert first == ("client: connect() (closed → SYN-SENT).",)
    assert second == (
        "server: the SYN enters the SYN queue and is answered with SYN|ACK (LISTEN → SYN-RECV). Queues of "
        "port 80: accept 0/0, SYN 1/0.",
    )
    ignored = [packet.comments[0] for packet in capture.packets if packet.at in (110 * MS, 115 * MS)]
    assert ignored[1] == "client: acknowledges what arrived (ESTAB)."
    assert ignored[2].startswith("server: the accept queue is full")


def test_a_sentence_begins_with_its_host_s_name_or_address_or_a_capital_letter(results):
    for name, result in results:
        hosts = {node.name for node in result.network.nodes.values()}
        for packet in capture_of(result.record).packets:
            for sentence in packet.comments[0].removesuffix(".").split(". "):
                first = re.match(r"[\w.-]+", sentence)[0]
                router = re.fullmatch(r"\d+(\.\d+){3}", first)
                assert first.rstrip(".") in hosts or first[0].isupper() or router, (name, sentence)


def comments_of(script, seen_by=SeenBy.SERVER):
    return [
        " ".join(packet.comments) for packet in capture_of(script.record, seen_by, with_lost=True).packets
    ]


def test_a_packet_that_changed_nothing_says_what_it_was_and_the_states():
    script = Script()
    script.listens()
    script.handshake(0, 40001)
    data = script.client_sends(100 * MS, 40001, "PA", 1, 1, payload=b"hi", reason=reasons.SENT_DATA)
    script.arrives(105 * MS, "server", data, reasons.DATA)
    ack = script.server_sends(105 * MS, 40001, "A", 1, 3, reason=reasons.SENT_ACK)
    script.counts(110 * MS, "client", ack, "TCPPureAcks")
    script.arrives(110 * MS, "client", ack, reasons.ACKED)
    assert comments_of(script)[3:] == [
        "client: data that the application wrote, 2 octets (ESTAB). server: the data is accepted, 2 octets (ESTAB).",
        "server: acknowledges what arrived (ESTAB). client: the ACK is accepted (ESTAB).",
    ]


def test_a_lost_packet_says_why_it_was_sent_and_how_it_was_lost():
    first, *_ = comments_of(handshake_with_losses())
    assert first == "client: connect(). Lost by chance (10 %)."


def test_packets_between_ends_that_say_nothing_have_a_comment_too():
    script = Script()
    number = script.client_sends(0, 40001, "S")
    script.arrives(5 * MS, "server", number)
    script.client_sends(10 * MS, 40001, "A", 1, 1)
    assert comments_of(script, SeenBy.CLIENT) == ["client sends it to server."] * 2


def test_what_a_timer_counted_is_told_of_the_packet_that_it_sent():
    script = Script()
    script.listens()
    script.syn(0, 40001)
    script.counts(1005 * MS, "server", None, "TCPTimeouts", "OutSegs")
    script.server_sends(1005 * MS, 40001, "SA", 0, 1, reason=reasons.SENT_SYN_ACK_AGAIN, repeat=1)
    last = comments_of(script)[-1]
    assert last.endswith("Queues of port 80: accept 0/1, SYN 1/1. Counters of server: TCPTimeouts +1.")


def test_what_one_step_counted_for_two_packets_is_told_of_neither():
    script = Script()
    script.counts(0, "server", None, "TCPTimeouts", "TCPTimeouts")
    script.server_sends(0, 40001, "SA", 0, 1, reason=reasons.SENT_SYN_ACK_AGAIN, repeat=1)
    script.server_sends(0, 40002, "SA", 0, 1, reason=reasons.SENT_SYN_ACK_AGAIN, repeat=1)
    assert not any("Counters" in comment for comment in comments_of(script, SeenBy.ALL))


def test_a_rst_at_the_end_of_a_handshake_has_the_states_and_the_queues():
    document = FLOOD.replace("3 s", "80 s").replace('rate = 50, until = "1 s"', 'at = ["0 s"]')
    record = build.run(load_scenario.runs(load_scenario.from_text(document))[0]).record
    *_, last = capture_of(record).packets
    assert last.comments == (
        "server: no final ACK came to the last SYN|ACK: the handshake is given up (SYN-RECV → "
        "closed) [XNU, tcp_subr.c: tcp_drop]. Reaches nobody: no host has this address. Queues of port "
        "80: accept 0/3, SYN 0/3. Counters of server: OutRsts +1.",
    )


def test_a_connection_that_is_thrown_out_is_told_with_the_syn_that_did_it(flood):
    evictions = {
        entry.packet: entry.event.flow
        for entry in flood.events(TimerFired)
        if entry.event.reason == reasons.REQUEST_EVICTED
    }
    seen = {(packet.at, packet.data): packet.comments[0] for packet in capture_of(flood).packets}
    arrived = flood.packets("server", Point.RECEIVED)
    assert len(evictions) > 10
    for sight in arrived:
        comment = seen[sight.at, encode(sight.segment)]
        assert ("throws out" in comment) == (sight.number in evictions)
        if sight.number in evictions:
            gone = evictions[sight.number]
            of = f"flood ({endpoint_text(gone[:2])})" if gone[0][0] == 198 else f"two:{gone[1]}"
            assert f"connection, {waited(flood, gone, sight.at)} old, of {of} [" in comment


def waited(record, flow, at):
    """How long the flow was half-open at that time."""
    changes = [
        entry.event for entry in record.events(StateChanged, node="server") if entry.event.flow == flow
    ]
    (began,) = [change.at for change in changes if change.new is State.SYN_RECV]
    return span_words(at - began)


def _packets_of(text: str) -> list[PacketRow]:
    records = [build.run(run).record for run in load_scenario.runs(load_scenario.from_text(text))]
    return [row for record in records for row in rows_of(record) if isinstance(row, PacketRow)]


CONVERSATION = """
title = "Packets of many kinds"
duration = "4 s"
seed = 3
link = { loss = 0.1, duplicate = 0.1, delay = "10 ms", jitter = "5 ms" }
server = { backlog = 1, answer = "echo", then = "close", accept = { every = "50 ms" } }
[[clients]]
name = "many"
count = 12
start = { every = "5 ms" }
do = ["connect", { send = 3000 }, { recv = 3000 }, "half_close", "read_to_end", "close"]
"""
MANY_ROWS = [*_packets_of(CONVERSATION), *_packets_of(FLOOD)]


@given(st.data())
def test_a_comment_that_was_worded_before_is_that_of_each_packet_with_the_same_facts(data):
    """Whatever the facts are: each comes from a packet of its own, so that any of them may make the difference."""
    rows = st.sampled_from(MANY_ROWS)
    facts = {field.name: getattr(data.draw(rows), field.name) for field in fields(PacketRow)}
    row = PacketRow(**facts)
    for departure, arrival in ((True, True), (True, False), (False, True)):
        words = _worded(row, departure=departure, arrival=arrival)
        assert comment_on(row, departure=departure, arrival=arrival) == words


def test_of_two_reasons_with_one_name_each_has_its_own_words():
    row = next(row for row in MANY_ROWS if row.sent and row.verdict and "SYN" in comment_on(row))
    other = replace(row.sent, reason=Reason(row.sent.reason.name, "in other words", "elsewhere"))
    assert "in other words" not in comment_on(row)
    assert "in other words" in comment_on(replace(row, sent=other))


def test_comments_are_not_remembered_without_end():
    row = MANY_ROWS[0]
    for number in range(MOST_KNOWN + 10):
        comment_on(replace(row, sender=f"host{number}"))
    assert len(packet_comments._KNOWN) <= MOST_KNOWN
