"""An ICMP error in every view of a record: ladder, story, JSON, capture."""

import json

import pytest

from tcpemu.explain.as_json import row_data
from tcpemu.explain.capture.annotated_capture import capture_of
from tcpemu.explain.capture.seen_by import SeenBy
from tcpemu.explain.facts.rows import IcmpRow, rows_of
from tcpemu.explain.ladder.ladder_lines import ladder_text
from tcpemu.scenario.format.load_scenario import from_document, load
from tcpemu.scenario.running.build import run_all
from tcpemu.wire.icmp import IcmpError, decode_icmp
from tests.explain.story.stories import story, turn_of

SAYS = "destination unreachable (fragmentation needed, MTU 1400)"


@pytest.fixture(scope="module")
def result():
    (one,) = run_all(load("path-mtu"))
    return one


def test_the_ladder_says_who_says_what_and_what_comes_of_it(result):
    text = " ".join(ladder_text(result.record).split())
    assert f"ICMP about :46532: {SAYS}" in text
    assert "server: a link of the path holds less: segments become smaller" in text


def test_the_story_has_a_paragraph_of_it(result):
    turn = turn_of(story(result), "ICMP_TOO_LARGE")
    assert turn.title == "A router has no room for packets of this size"
    assert f"An ICMP error arrives at server: 192.0.0.8 says: {SAYS}" in turn.text


def test_json_has_its_fields(result):
    row = next(row for row in rows_of(result.record) if isinstance(row, IcmpRow))
    data = json.loads(json.dumps(row_data(row)))
    assert (data["kind"], data["host"], data["reason"]["name"]) == ("icmp", "server", "ICMP_TOO_LARGE")
    told = data["icmp"]
    assert (told["from"], told["to"]) == ("192.0.0.8", "10.0.0.1")
    assert (told["type"], told["code"], told["mtu"], told["says"]) == (3, 4, 1400, SAYS)
    assert data["remote_port"] == 46532


@pytest.mark.parametrize(
    ("seen_by", "there"), [(SeenBy.SERVER, True), (SeenBy.CLIENT, False), (SeenBy.ALL, True)]
)
def test_a_capture_has_it_where_it_arrives_with_a_comment(result, seen_by, there):
    packets = capture_of(result.record, seen_by).packets
    assert [packet.at for packet in packets] == sorted(packet.at for packet in packets)
    found = [packet for packet in packets if isinstance(decode_icmp(packet.data), IcmpError)]
    assert bool(found) == there
    for packet in found:
        assert SAYS in packet.comments[0]
        assert "tcp_v4_mtu_reduced" in packet.comments[0]


def test_without_comments_it_has_none(result):
    packets = capture_of(result.record, comments=False).packets
    assert not any(packet.comments for packet in packets)


def test_a_connect_that_icmp_ends_is_told_with_who_said_so():
    fault = {"what": "reject", "role": "syn", "says": "prohibited"}
    document = {"title": "t", "clients": [{"name": "c"}], "faults": [fault]}
    (one,) = run_all(from_document(document))
    turns = story(one)
    assert turn_of(turns, "ICMP_REFUSED").title == "An ICMP error ends connect()"
    text = turn_of(turns, "EHOSTUNREACH").text
    assert "192.0.0.8 says so by ICMP: destination unreachable (administratively prohibited)" in text
