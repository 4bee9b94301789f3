import pytest

from tcpemu.diagnose import fate_words, survey
from tcpemu.diagnose.flows.flow_fate import fate_of, remarks
from tcpemu.diagnose.flows.flow_life import Fate
from tests.diagnose.captured import opened, save, seg

SYN = seg("client", "S", 100)
DATA = [(20, seg("client", "PA", 101, 501, b"hello")), (21, seg("server", "A", 501, 106))]
FINS = [
    (30, seg("server", "FA", 501, 106)),
    (31, seg("client", "A", 106, 502)),
    (40, seg("client", "FA", 106, 502)),
    (41, seg("server", "A", 502, 107)),
]
CASES = {
    "unanswered": ([(0, SYN), (1000, SYN), (3000, SYN)], "unanswered: 3 SYNs in 3 s"),
    "refused": ([(0, SYN), (1, seg("server", "RA", 0, 101))], "refused: RST instead of a SYN|ACK"),
    "half-open": (
        [*opened()[:2], (1001, seg("server", "SA", 500, 101))],
        "never completed: 2 SYN|ACKs, no ACK of the client",
    ),
    "reset at once": (
        [*opened(), (12, seg("server", "R", 501))],
        "reset by the server right after the handshake",
    ),
    "reset with unread data": (
        opened() + DATA[:1] + [(30, seg("server", "RA", 501, 101))],
        "reset by the server while data of the client was not acknowledged",
    ),
    "reset in the handshake": (
        [*opened()[:2], (2, seg("client", "R", 101))],
        "reset by the client in the handshake",
    ),
    "reset after silence": (
        opened() + DATA + [(9021, seg("client", "R", 106))],
        "reset by the client after 9 s without a segment",
    ),
    "reset after its FIN": (
        [*opened(), (20, seg("server", "FA", 501, 101)), (21, seg("client", "R", 101))],
        "reset by the client after the FIN of the server",
    ),
    "closed": (opened() + DATA + FINS, "closed, the server first"),
    "closed, then a late RST": (
        opened() + DATA + FINS + [(50, seg("server", "R", 502))],
        "closed, the server first",
    ),
    "half closed": (opened() + DATA + FINS[:2], "closed by the server alone; the other end is still open"),
    "open": (opened() + DATA, "open at the end"),
}


@pytest.mark.parametrize(("timed", "words"), CASES.values(), ids=CASES)
def test_what_became_of_a_connection(tmp_path, timed, words):
    (flow,) = survey(save(tmp_path / "x.pcap", timed)).flows
    assert fate_words(flow) == words
    assert fate_words(flow).startswith(fate_of(flow).value.split()[0].replace("half", "closed by"))


def test_a_syn_ack_that_comes_again_after_the_final_ack_is_remarked(tmp_path):
    timed = [*opened(), (1001, seg("server", "SA", 500, 101)), (1011, seg("client", "A", 101, 501))]
    (flow,) = survey(save(tmp_path / "x.pcap", timed)).flows
    assert (flow.repeats_after_opened, flow.handshake) == (1, 11_000_000)
    assert remarks(flow) == ["the SYN|ACK came again 1 time after the client's ACK, first in frame 4"]


def test_the_handshake_counts_from_the_syn_that_was_answered(tmp_path):
    late = [(at + 1000, each) for at, each in opened()]
    (flow,) = survey(save(tmp_path / "x.pcap", [(0, SYN), *late])).flows
    assert (flow.handshake, remarks(flow)[0]) == (11_000_000, "the SYN came 2 times")


def test_what_the_capture_lacks_is_found_in_both_numberings(tmp_path):
    timed = [*opened(), (20, seg("server", "A", 501, 400)), (30, seg("client", "A", 101, 900))]
    (flow,) = survey(save(tmp_path / "x.pcap", timed)).flows
    assert (flow.client.unseen, flow.server.unseen) == (1, 1)
    assert flow.client.first_unseen.frame == 4


def test_data_that_comes_again_and_what_asks_for_an_ack(tmp_path):
    again = [(40, DATA[0][1]._replace(ip_id=3)), (900, seg("client", "A", 105, 501))]
    (flow,) = survey(save(tmp_path / "x.pcap", opened() + DATA + again)).flows
    assert (flow.client.repeats, flow.client.probes, flow.client.octets) == (1, 1, 10)


def test_a_port_that_is_used_anew_is_another_connection(tmp_path):
    second = [(at + 100, each._replace(seq=each.seq + 7000)) for at, each in opened()[:1]]
    flows = survey(save(tmp_path / "x.pcap", opened() + DATA + FINS + second)).flows
    assert [fate_of(flow) for flow in flows] == [Fate.CLOSED, Fate.UNANSWERED]


def test_a_connection_that_was_there_before(tmp_path):
    (flow,) = survey(save(tmp_path / "x.pcap", DATA)).flows
    assert flow.midway
    assert (str(flow.client), fate_of(flow)) == ("10.0.0.2:40000", Fate.OPEN)
    assert "began before the capture" in remarks(flow)[0]


def test_a_syn_ack_that_stands_before_its_syn_is_of_the_same_connection(tmp_path):
    syn, syn_ack, ack = opened()
    (flow,) = survey(save(tmp_path / "x.pcap", [(0, syn_ack[1]), (0.1, syn[1]), ack])).flows
    assert (flow.frames, flow.opened.frame, flow.client.syn_count) == (3, 3, 1)


def test_a_rst_after_which_its_sender_goes_on_was_not_the_end(tmp_path):
    timed = [*opened(), (15, seg("server", "R", 501)), *DATA, *FINS]
    (flow,) = survey(save(tmp_path / "x.pcap", timed)).flows
    assert fate_of(flow) is Fate.CLOSED
    assert "the RST in frame 4 did not end it" in remarks(flow)[0]


def test_one_direction_alone_is_told(tmp_path):
    (flow,) = survey(save(tmp_path / "x.pcap", [FINS[0]])).flows
    assert fate_words(flow) == "closed by the server alone; nothing of the other end is there"


def test_a_rst_of_the_client_before_any_answer(tmp_path):
    (flow,) = survey(save(tmp_path / "x.pcap", [(0, SYN), (1, seg("client", "R", 101))])).flows
    assert fate_words(flow) == "reset by the client in the handshake"
