"""A record as a capture: which packets are in it, where and when they were seen, and what is said of them."""

import re
import shutil
import subprocess

import pytest

from tcpemu import __version__
from tcpemu.explain.capture.annotated_capture import MOST_NAMES, capture_of
from tcpemu.explain.capture.seen_by import SeenBy
from tcpemu.explain.lines.time_words import duration
from tcpemu.network.addresses import endpoint_text
from tcpemu.network.record import PacketSeen, Point
from tcpemu.scenario import build, load
from tcpemu.stack import reasons
from tcpemu.stack.events import StateChanged, TimerFired
from tcpemu.stack.states import State
from tcpemu.wire.capture import CaptureError, Direction, read_capture, write_capture
from tcpemu.wire.codec import decode, encode
from tcpemu.wire.segment import SYN, Segment, address, address_text
from tests.explain.hand_made import CLIENT, MS, SERVER, SYN_OPTIONS, Script, ignored_ack


def flags_and_times(capture):
    """Interface, milliseconds and flags of each packet."""
    return [
        (capture.interfaces[packet.interface].name, packet.at / MS, decode(packet.data).flags)
        for packet in capture.packets
    ]


def handshake_with_losses():
    """The first SYN and the first SYN|ACK are lost."""
    script = Script()
    syn = script.client_sends(0, 40001, "S", options=SYN_OPTIONS, reason=reasons.SENT_SYN)
    script.lost(1 * MS, "client", syn, "lost by chance (10 %)")
    again = script.client_sends(1000 * MS, 40001, "S", reason=reasons.SENT_SYN_AGAIN, repeat=1)
    script.arrives(1005 * MS, "server", again, reasons.SYN_QUEUED)
    script.queue(1005 * MS, 0, 1, 5, packet=again)
    answer = script.server_sends(1005 * MS, 40001, "SA", 0, 1, reason=reasons.SENT_SYN_ACK)
    script.lost(1006 * MS, "server", answer, "lost by chance (10 %)")
    return script


def test_the_server_sees_each_packet_once():
    capture = capture_of(handshake_with_losses().record)
    assert flags_and_times(capture) == [("lost", 1, 2), ("server", 1005, 2), ("server", 1005, 18)]
    assert [packet.direction for packet in capture.packets] == [
        Direction.UNKNOWN,
        Direction.INBOUND,
        Direction.OUTBOUND,
    ]


def test_the_client_sees_the_other_end():
    capture = capture_of(handshake_with_losses().record, SeenBy.CLIENT)
    assert flags_and_times(capture) == [("client", 0, 2), ("client", 1000, 2), ("lost", 1006, 18)]


def test_all_sights_have_an_interface_each():
    capture = capture_of(handshake_with_losses().record, SeenBy.ALL)
    assert [interface.name for interface in capture.interfaces] == ["client", "server", "lost"]
    assert flags_and_times(capture) == [
        ("client", 0, 2),
        ("lost", 1, 2),
        ("client", 1000, 2),
        ("server", 1005, 2),
        ("server", 1005, 18),
        ("lost", 1006, 18),
    ]


def test_a_packet_still_on_its_way_has_not_been_seen():
    script = handshake_with_losses()
    script.client_sends(1010 * MS, 40001, "A", 1, 1)
    assert len(capture_of(script.record).packets) == 3
    assert len(capture_of(script.record, SeenBy.CLIENT).packets) == 4


def test_a_copy_for_the_client_is_nothing_the_server_saw():
    script = Script()
    script.handshake(0, 40001)
    answer = next(seen for seen in script.record.packets() if seen.segment.flags == 18)
    number = script.record.number()
    script.record.add(
        PacketSeen(50 * MS, "client", Point.RECEIVED, number, answer.segment, copy_of=answer.number)
    )
    assert len(capture_of(script.record).packets) == 3
    assert len(capture_of(script.record, SeenBy.CLIENT).packets) == 4


def test_comments_say_what_both_ends_did():
    comments = [packet.comments for packet in capture_of(ignored_ack()).packets]
    assert comments[0] == (
        "client: connect() (closed → SYN-SENT). server: the SYN is taken into the SYN queue and answered with "
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
        "Sent again after 1 s (1st repeat): the handshake was not completed in time (SYN-RECV) "
        "[inet_connection_sock.c: reqsk_timer_handler]. client: a SYN on an open connection: a challenge ACK "
        "(ESTAB) [tcp_input.c: tcp_validate_incoming]. Queues of port 80: accept 1/0, SYN 1/0.",
    )
    assert comments[7] == (
        "client: a challenge ACK, for the SYN|ACK that came: says what is expected (RFC 5961) (ESTAB). server: the "
        "accept queue is full (1 wait, backlog 0), so the final ACK is ignored; the request stays and its SYN|ACK "
        "will be sent again (SYN-RECV) [tcp_minisocks.c: tcp_check_req]. The two ends disagree: client says "
        "ESTABLISHED, server says SYN-RECV. Queues of port 80: accept 1/0, SYN 1/0. Counters of server: "
        "ListenOverflows +1, ListenDrops +1.",
    )
    assert comments[8] == (
        "server: an ACK for a connection that the listener does not know is answered with a RST (LISTEN) "
        "[tcp_input.c: tcp_rcv_state_process]. Queues of port 80: accept 1/0, SYN 0/0.",
    )


def test_with_all_sights_each_end_speaks_for_itself():
    capture = capture_of(ignored_ack(), SeenBy.ALL)
    first, second = [packet.comments for packet in capture.packets[:2]]
    assert first == ("client: connect() (closed → SYN-SENT).",)
    assert second == (
        "server: the SYN is taken into the SYN queue and answered with SYN|ACK (LISTEN → SYN-RECV). Queues of "
        "port 80: accept 0/0, SYN 1/0.",
    )
    ignored = [packet.comments[0] for packet in capture.packets if packet.at in (110 * MS, 115 * MS)]
    assert ignored[1] == "client: acknowledges what arrived (ESTAB)."
    assert ignored[2].startswith("server: the accept queue is full")


def test_a_sentence_begins_with_the_name_of_its_host_or_a_capital_letter(results):
    for name, result in results:
        hosts = {node.name for node in result.network.nodes.values()}
        for packet in capture_of(result.record).packets:
            for sentence in packet.comments[0].removesuffix(".").split(". "):
                first = re.match(r"[\w-]+", sentence)[0]
                assert first in hosts or first[0].isupper(), (name, sentence)


def comments_of(script, seen_by=SeenBy.SERVER):
    return [" ".join(packet.comments) for packet in capture_of(script.record, seen_by).packets]


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
        "client: data of the application, 2 octets (ESTAB). server: the data is taken, 2 octets (ESTAB).",
        "server: acknowledges what arrived (ESTAB). client: the acknowledgment is taken (ESTAB).",
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
    record = build.run(load.runs(load.from_text(document))[0]).record
    *_, last = capture_of(record).packets
    assert last.comments == (
        "server: the handshake is given up (SYN-RECV → closed) [XNU, tcp_subr.c: tcp_drop]. Queues of port "
        "80: accept 0/3, SYN 0/3. Counters of server: OutRsts +1.",
    )


FLOOD = """
title = "A flood at a kernel that makes room"
duration = "3 s"
[server]
backlog = 3
generation = "macos-15"
[[clients]]
name = "flood"
start = { rate = 50, until = "1 s" }
do = ["syn"]
spoof = "198.18.0.0/24"
[[clients]]
name = "two"
count = 2
start = "1 s"
do = ["connect", { send = "hello" }]
"""


@pytest.fixture(scope="module")
def flood():
    return build.run(load.runs(load.from_text(FLOOD))[0]).record


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
    return duration(at - began)


def test_names_are_those_of_the_hosts_in_the_file(flood):
    names = dict(capture_of(flood).names)
    assert names[address("10.0.0.1")] == "server"
    spoofed = {sight.segment.src for sight in flood.packets("flood", Point.SENT)}
    assert len(spoofed) > 10
    assert {names[each] for each in spoofed} == {f"flood-{address_text(each)}" for each in spoofed}
    assert {names[sight.segment.src] for sight in flood.packets("two", Point.SENT)} == {"two"}
    assert len(names) == len(spoofed) + 2


def test_of_very_many_addresses_of_a_host_the_first_have_names():
    script = Script()
    for number in range(MOST_NAMES + 10):
        source = bytes([198, 18, number >> 8, number & 255])
        segment = Segment(source, 1, SERVER, 80, 0, 0, SYN, 0)
        seen = PacketSeen(number, "flood", Point.SENT, script.record.number(), segment)
        script.record.add(seen)
        script.record.add(seen._replace(node="server", point=Point.RECEIVED))
    names = [name for _, name in capture_of(script.record).names]
    assert len(names) == MOST_NAMES + 1
    assert names[:2] == ["flood-198.18.0.0", "flood-198.18.0.1"]
    assert names[-1] == "server"


def test_an_address_is_of_who_receives_for_it_whoever_else_pretends_to_have_it():
    script = Script()
    script.handshake(0, 40001)
    liar = script.record.number()
    segment = Segment(CLIENT, 9, SERVER, 80, 0, 0, SYN, 0)
    script.record.add(PacketSeen(50 * MS, "liar", Point.SENT, liar, segment))
    script.record.add(PacketSeen(55 * MS, "server", Point.RECEIVED, liar, segment))
    assert dict(capture_of(script.record).names) == {CLIENT: "client", SERVER: "server"}


def test_an_interface_says_where_its_host_listens():
    described = [interface.description for interface in capture_of(ignored_ack(), SeenBy.ALL).interfaces]
    assert described[:2] == ["host client", "host server, listens on port 80"]


def test_the_file_says_what_it_is():
    capture = capture_of(ignored_ack(), facts=("scenario ignored-ack", "seed 1"))
    assert capture.application == f"tcpemu {__version__}"
    assert capture.comments[:2] == ("scenario ignored-ack", "seed 1")
    queues, seconds = capture.comments[2:]
    assert "'accept 2/1' says that 2 connections wait for accept(), with a backlog of 1" in queues
    assert "frame.time_epoch" in seconds


def test_without_comments_only_packets_are_left():
    capture = capture_of(ignored_ack(), facts=("seed 1",), comments=False)
    assert capture.comments == ()
    assert capture.names == ()
    assert {packet.comments for packet in capture.packets} == {()}
    assert len(capture.packets) == len(capture_of(ignored_ack()).packets)


def test_a_packet_that_no_file_can_hold_is_told():
    script = Script()
    number = script.client_sends(0, 40001, "S", window=70_000)
    script.arrives(5 * MS, "server", number)
    with pytest.raises(CaptureError, match=r"packet 1 cannot be written to a capture: .*70000"):
        capture_of(script.record)


def test_packets_stand_in_order_of_time():
    times = [packet.at for packet in capture_of(handshake_with_losses().record, SeenBy.ALL).packets]
    assert times == sorted(times)


@pytest.fixture(scope="module")
def results():
    """Every built-in scenario, the one with thousands of packets cut short."""
    return [
        (name, result)
        for name in load.BUILT_IN
        for result in build.run_all(load.load(name), 300 * MS if name == "accept-rate" else None)
    ]


def test_a_pcap_holds_the_same_packets(results, tmp_path):
    _, result = results[0]
    capture = capture_of(result.record)
    write_capture(tmp_path / "x.pcap", capture)
    assert [(packet.at, packet.data) for packet in read_capture(tmp_path / "x.pcap").packets] == [
        (packet.at, packet.data) for packet in capture.packets
    ]


FIELDS = ("frame.comment", "_ws.malformed", "_ws.expert.severity", "tcp.analysis.retransmission")
ERROR = 8 << 20
"""The severity that tshark gives to what cannot be right."""


def test_every_built_in_scenario_is_clean_in_tshark(results, tmp_path):
    """Nothing malformed, every comment there, and no retransmission but those that the emulator made."""
    for number, (name, result) in enumerate(results):
        capture = capture_of(result.record)
        lines = in_tshark(capture, tmp_path / f"{name}-{number}.pcapng")
        assert len(lines) == len(capture.packets), name
        for packet, (comment, malformed, severities, retransmission) in zip(
            capture.packets, lines, strict=True
        ):
            assert comment == ",".join(packet.comments) != "", name
            assert not malformed, name
            assert str(ERROR) not in severities.split(","), name
            assert not retransmission or "Sent again" in comment, (name, comment)
        if name == "ignored-ack":  # that Wireshark does look for them
            assert sum(bool(retransmission) for *_, retransmission in lines) == 5


@pytest.mark.parametrize("seen_by", [SeenBy.CLIENT, SeenBy.ALL])
def test_the_other_views_are_whole_in_tshark(seen_by, tmp_path):
    capture = capture_of(ignored_ack(), seen_by)
    lines = in_tshark(capture, tmp_path / "x.pcapng")
    assert [bool(comment) for comment, *_ in lines] == [bool(packet.comments) for packet in capture.packets]
    assert not any(malformed for _, malformed, *_ in lines)


def in_tshark(capture, path):
    """FIELDS of each packet, as tshark reads the file."""
    if shutil.which("tshark") is None:
        pytest.skip("tshark is not installed")
    write_capture(path, capture)
    fields = [part for field in FIELDS for part in ("-e", field)]
    done = subprocess.run(
        ["tshark", "-r", path, "-T", "fields", *fields], capture_output=True, text=True, check=True
    )
    return [line.split("\t") for line in done.stdout.splitlines()]
