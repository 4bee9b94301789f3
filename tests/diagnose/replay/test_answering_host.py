"""Our own captures: the host that made them answers in its own place as it did."""

from pathlib import Path

import pytest

from tcpemu.diagnose.reading.capture_reading import CaptureFacts, segments_of
from tcpemu.diagnose.replay.answering_host import answers_of
from tcpemu.diagnose.telling.answer_lines import answer_capture, answer_lines
from tcpemu.explain.lines.style import lines_text
from tcpemu.wire import address, read_capture, write_capture
from tests.diagnose.captured import SERVER, opened, save, seg

PCAPS = Path(__file__).parents[3] / "pcaps"


def answered(path, host, kernel="linux-6.18", **settings):
    return answers_of(segments_of(path, CaptureFacts()), address(host), kernel, settings)


@pytest.mark.parametrize("host", ["10.0.0.1", "10.0.0.2"])
@pytest.mark.parametrize("name", ["handshake", "slow-start", "nagle", "time-wait", "close-unread"])
def test_a_host_answers_in_its_own_place_as_it_did(name, host):
    for told in answered(PCAPS / f"{name}.pcapng", host).conversations:
        sent = {seen.frame for seen, outbound in told.seen if outbound}
        assert told.matched == sent
        assert told.unlike == {}
        assert all(answer.same_as for answer in told.answers)


def test_a_queue_with_room_takes_the_ack_that_was_ignored():
    late = answered(PCAPS / "ignored-ack.pcapng", "10.0.0.1").conversations[2]
    assert late.matched == {7}
    (further,) = [answer for answer in late.answers if not answer.same_as]
    assert (further.why, further.segment.ack - late.life.client.isn) == ("acknowledges what arrived", 6)


def test_a_setting_changes_what_is_answered():
    told = answered(PCAPS / "handshake.pcapng", "10.0.0.1", **{"net.ipv4.tcp_timestamps": 0}).conversations[0]
    assert told.matched == {2}
    assert told.unlike == {2: "window 64240, options mss 1460, SACK permitted, window scale 10"}


def test_both_in_one_capture(tmp_path):
    found = answered(PCAPS / "ignored-ack.pcapng", "10.0.0.1")
    write_capture(tmp_path / "y.pcapng", answer_capture(found))
    packets = read_capture(tmp_path / "y.pcapng").packets
    assert [packet.interface for packet in packets].count(0) == 21
    assert [packet.interface for packet in packets].count(1) == 4
    assert packets[-1].comments == (
        "linux-6.18, not in the capture: acknowledges what arrived [tcp_output.c: __tcp_send_ack]",
    )


def test_connections_that_were_there_before_are_not_answered(tmp_path):
    timed = [(0, seg("client", "PA", 1, 1, b"x", port=7)), *opened()]
    found = answers_of(
        segments_of(save(tmp_path / "x.pcap", timed), CaptureFacts()), SERVER, "linux-6.18", {}
    )
    assert (found.midway, len(found.conversations)) == (1, 1)
    assert "1 segment of connections that began before the capture" in lines_text(
        answer_lines(found, 0, whole=False)
    )
