"""A ladder for a slide: what is in it, and where."""

import pytest

from tcpemu.explain.lines.style import Role
from tcpemu.explain.plots.ladder_plot import ladder_picture
from tcpemu.explain.plots.picture import NothingToDrawError
from tcpemu.network import Point
from tests.explain.phases.followed import followed_run


def picture_of(source, most=200.0, only=""):
    return ladder_picture("t", "n", followed_run(source, only), most)


def test_slow_start_is_seen_in_the_trains():
    picture = picture_of("slow-start")
    data = [arrow for arrow in picture.arrows if arrow.wordings[0].endswith("octets")]
    assert [arrow.wordings[0] for arrow in data[:2]] == [
        "10 segments, 14,480 octets",
        "20 segments, 28,960 octets",
    ]
    assert picture.hosts == ("client", "server")


def test_what_was_lost_or_sent_again_stands_by_itself():
    arrows = picture_of("lost-retransmission").arrows
    lost = [arrow for arrow in arrows if arrow.lost]
    assert [(arrow.role, arrow.count) for arrow in lost] == [(Role.LOST, 1)] * 2
    again = [arrow for arrow in arrows if "again" in arrow.wordings[0]]
    assert len(again) == 2
    assert all(arrow.count == 1 for arrow in again)


def test_every_packet_is_on_one_arrow():
    for name in ("fast-retransmit", "shared-bottleneck", "ignored-ack"):
        result = followed_run(name)
        sent = sum(1 for _ in result.record.packets(point=None) if _.point.name == "SENT")
        picture = ladder_picture("t", "n", result, 10**6)
        assert sum(arrow.count for arrow in picture.arrows) == sent


def test_from_a_time_on_only_what_is_sent_then_is_drawn():
    result = followed_run("fast-retransmit")
    whole = ladder_picture("t", "n", result, 10**6)
    rest = ladder_picture("t", "n", result, 10**6, 150_000_000)
    assert rest.note == "n · from 150 ms"
    assert all(float(words.split()[0]) >= 0.15 for _, words in rest.times)
    assert {words.words for words in rest.beside} < {words.words for words in whole.beside}
    assert sum(arrow.count for arrow in rest.arrows) == sum(
        1 for seen in result.record.packets(point=Point.SENT) if seen.at >= 150_000_000
    )
    with pytest.raises(NothingToDrawError, match="no packet is sent from 1 s on"):
        ladder_picture("t", "n", result, 10**6, 1_000_000_000)


def test_arrows_go_down_and_only_as_far_as_there_is_room():
    picture = picture_of("fast-retransmit", 12.0)
    assert picture.height <= 12
    assert "to 0." in picture.note
    assert all(arrow.begin[1] < arrow.end[1] for arrow in picture.arrows)
    assert max(at for at, _ in picture.times) <= 12


def test_states_calls_queues_and_phases_stand_beside_the_lines():
    words = [one.words for one in picture_of("fast-retransmit").beside]
    assert "slow start ends: 19\nrecovery: 19 to 13" in words
    assert any("SYN-RECV\naccept 0/128, syn 1/128" in each for each in words)
    assert any("ignored" in one.words and one.role is Role.LOST for one in picture_of("ignored-ack").beside)


def test_the_shorter_words_of_an_arrow_come_after_the_longer_ones():
    for arrow in picture_of("fast-retransmit").arrows:
        assert list(arrow.wordings) == sorted(arrow.wordings, key=len, reverse=True)
        assert " win " not in arrow.wordings[0]


def test_a_run_without_packets_has_no_ladder():
    with pytest.raises(NothingToDrawError, match="no packet is sent"):
        picture_of('title = "t"\nduration = "1 s"\n[server]\n')
