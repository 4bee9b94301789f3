"""Windows in the comments of a capture."""

from tcpemu.explain.capture.annotated_capture import capture_of
from tcpemu.explain.capture.figure_words import figures_after
from tcpemu.explain.capture.seen_by import SeenBy
from tests.explain.phases.followed import followed_run


def comments_of(seen_by=SeenBy.SERVER, *, follow=True):
    result = followed_run("fast-retransmit")
    transfers = result.network.transfers if follow else None
    capture = capture_of(result.record, seen_by, transfers=transfers)
    return [comment for packet in capture.packets for comment in packet.comments]


def test_a_packet_says_how_the_sender_stood_after_it():
    result = followed_run("fast-retransmit")
    found = figures_after(result.record, result.network.transfers)
    recovery = [words for _, words in found.values() if "Recovery" in words]
    assert recovery[0].startswith("client: cwnd ")
    assert "ssthresh 13" in recovery[0]
    assert {node for node, _ in found.values()} == {"client"}
    sent = [seen for seen in result.record.packets() if seen.number in found]
    assert all(seen.segment for seen in sent)


def test_it_stands_in_the_comment_where_transfers_are_followed():
    assert sum("cwnd" in comment for comment in comments_of()) > 20
    assert not any("cwnd" in comment for comment in comments_of(follow=False))


def test_where_every_packet_is_there_twice_it_is_told_once():
    told = [comment for comment in comments_of(SeenBy.ALL) if "cwnd" in comment]
    result = followed_run("fast-retransmit")
    assert len(told) == len(figures_after(result.record, result.network.transfers))
