"""A record as a capture: which packets are in it, where and when they were seen, names, and what tshark says."""

import shutil
import subprocess

import pytest

from tcpemu import __version__
from tcpemu.explain.capture.annotated_capture import MOST_NAMES, capture_of
from tcpemu.explain.capture.seen_by import SeenBy
from tcpemu.network.record import PacketSeen, Point
from tcpemu.scenario.format import load_scenario
from tcpemu.scenario.running import build
from tcpemu.wire.capture_file import CaptureError, Direction, read_capture, write_capture
from tcpemu.wire.codec import decode
from tcpemu.wire.segment import SYN, Segment, address, address_text
from tests.explain.hand_made import CLIENT, MS, SERVER, Script, handshake_with_losses, ignored_ack
from tests.explain.lossy_upload import LOSSY


def flags_and_times(capture):
    """Interface, milliseconds and flags of each packet."""
    return [
        (capture.interfaces[packet.interface].name, packet.at / MS, decode(packet.data).flags)
        for packet in capture.packets
    ]


def test_the_server_sees_each_packet_once():
    capture = capture_of(handshake_with_losses().record, with_lost=True)
    assert flags_and_times(capture) == [("lost", 1, 2), ("server", 1005, 2), ("server", 1005, 18)]
    assert [packet.direction for packet in capture.packets] == [
        Direction.UNKNOWN,
        Direction.INBOUND,
        Direction.OUTBOUND,
    ]


def test_the_client_sees_the_other_end():
    capture = capture_of(handshake_with_losses().record, SeenBy.CLIENT, with_lost=True)
    assert flags_and_times(capture) == [("client", 0, 2), ("client", 1000, 2), ("lost", 1006, 18)]


def test_all_sights_have_an_interface_each():
    capture = capture_of(handshake_with_losses().record, SeenBy.ALL, with_lost=True)
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
    assert len(capture_of(script.record, with_lost=True).packets) == 3
    assert len(capture_of(script.record, SeenBy.CLIENT, with_lost=True).packets) == 4


@pytest.mark.parametrize(
    ("seen_by", "seen", "said"),
    [
        (SeenBy.SERVER, [("server", 1005, 2), ("server", 1005, 18)], " to the server"),
        (SeenBy.CLIENT, [("client", 0, 2), ("client", 1000, 2)], " to the client"),
    ],
)
def test_what_the_viewer_never_saw_is_counted_and_not_in_the_file(seen_by, seen, said):
    capture = capture_of(handshake_with_losses().record, seen_by)
    assert flags_and_times(capture) == seen
    assert capture.comments[0] == (
        f"Lost on the way{said}, and not in this file: 1 packet (--with-lost adds them)."
    )


def test_no_sight_of_a_loss_is_in_the_file_of_all_sights():
    capture = capture_of(handshake_with_losses().record, SeenBy.ALL)
    assert [name for name, *_ in flags_and_times(capture)] == ["client", "client", "server", "server"]


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
    times = [
        packet.at for packet in capture_of(handshake_with_losses().record, SeenBy.ALL, with_lost=True).packets
    ]
    assert times == sorted(times)


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


@pytest.mark.parametrize("with_lost", [False, True])
def test_tshark_finds_out_of_order_only_what_was_never_seen(with_lost, tmp_path):
    (result,) = build.run_all(load_scenario.from_text(LOSSY))
    capture = capture_of(result.record, with_lost=with_lost)
    lines = in_tshark(capture, tmp_path / "x.pcapng", "tcp.analysis.out_of_order")
    assert (sum(bool(found) for (found,) in lines) > 0) is with_lost


@pytest.mark.parametrize("seen_by", [SeenBy.CLIENT, SeenBy.ALL])
def test_the_other_views_are_whole_in_tshark(seen_by, tmp_path):
    capture = capture_of(ignored_ack(), seen_by)
    lines = in_tshark(capture, tmp_path / "x.pcapng")
    assert [bool(comment) for comment, *_ in lines] == [bool(packet.comments) for packet in capture.packets]
    assert not any(malformed for _, malformed, *_ in lines)


def in_tshark(capture, path, *wanted):
    """Of each packet the fields, else FIELDS, as tshark reads the file."""
    if shutil.which("tshark") is None:
        pytest.skip("tshark is not installed")
    write_capture(path, capture)
    fields = [part for field in wanted or FIELDS for part in ("-e", field)]
    done = subprocess.run(
        ["tshark", "-r", path, "-T", "fields", *fields], capture_output=True, text=True, check=True
    )
    return [line.split("\t") for line in done.stdout.splitlines()]


@pytest.mark.parametrize("seen_by", [SeenBy.SERVER, SeenBy.ALL])
def test_an_icmp_error_stands_before_what_it_makes_a_host_send_at_once(seen_by):
    (run,) = load_scenario.runs(load_scenario.load("path-mtu"))
    comments = ["".join(one.comments) for one in capture_of(build.run(run).record, seen_by).packets]
    errors = [place for place, text in enumerate(comments) if "tcp_v4_mtu_reduced" in text]
    again = [place for place, text in enumerate(comments) if "since ICMP says" in text]
    assert len(errors) == 2
    assert again
    assert errors[0] < min(again)
    assert errors[1] > min(again)
