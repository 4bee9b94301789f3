"""A record as a capture: which packets are in it, where and when they were seen, and what is said of them."""

import shutil
import subprocess

import pytest

from tcpemu import __version__
from tcpemu.explain.capture import capture_of
from tcpemu.explain.seen_by import SeenBy
from tcpemu.network.record import PacketSeen, Point
from tcpemu.scenario import build, load
from tcpemu.stack import reasons
from tcpemu.wire.capture import CaptureError, Direction, read_capture, write_capture
from tcpemu.wire.codec import decode
from tests.explain.hand_made import MS, SYN_OPTIONS, Script, ignored_ack


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
        "client: closed → SYN-SENT. server: LISTEN → SYN-RECV. queues of port 80: accept 0/0, SYN 1/0.",
    )
    assert comments[5] == (
        "server: the accept queue is full (1 wait, backlog 0), so the final ACK is ignored; the request "
        "stays and its SYN|ACK will be sent again [tcp_minisocks.c: tcp_check_req]. the two ends disagree: "
        "client says ESTABLISHED, server says SYN-RECV. queues of port 80: accept 1/0, SYN 1/0. counters of "
        "server: ListenOverflows +1, ListenDrops +1.",
    )
    assert comments[6][0].startswith("sent again after 1 s (1st repeat): the handshake was not completed")


def test_with_all_sights_each_end_speaks_for_itself():
    capture = capture_of(ignored_ack(), SeenBy.ALL)
    first, second = [packet.comments for packet in capture.packets[:2]]
    assert first == ("client: closed → SYN-SENT.",)
    assert second == ("server: LISTEN → SYN-RECV. queues of port 80: accept 0/0, SYN 1/0.",)


def test_a_packet_that_changed_nothing_has_no_comment():
    script = Script()
    script.handshake(0, 40001)
    data = script.client_sends(100 * MS, 40001, "PA", 1, 1, payload=b"hi", reason=reasons.SENT_DATA)
    script.arrives(105 * MS, "server", data, reasons.DATA)
    assert [len(packet.comments) for packet in capture_of(script.record).packets] == [1, 1, 1, 0]


def test_the_file_says_what_it_is():
    capture = capture_of(ignored_ack(), facts=("scenario ignored-ack", "seed 1"))
    assert capture.application == f"tcpemu {__version__}"
    assert capture.comments == ("scenario ignored-ack", "seed 1")


def test_without_comments_only_packets_are_left():
    capture = capture_of(ignored_ack(), facts=("seed 1",), comments=False)
    assert capture.comments == ()
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
            assert bool(comment) == bool(packet.comments), name
            assert not malformed, name
            assert str(ERROR) not in severities.split(","), name
            assert not retransmission or "sent again" in comment, (name, comment)
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
