"""Facts agree with the capture that a student gets, and queries give one answer or say why not."""

from decimal import Decimal

import pytest

from tcpemu.explain.capture.annotated_capture import capture_of
from tcpemu.explain.capture.seen_by import SeenBy
from tcpemu.lab.asking.fact_base import FactBase, NoOneAnswerError, QueryError
from tcpemu.lab.asking.gather_facts import FinishedRun
from tcpemu.scenario import load, run, runs
from tcpemu.wire.codec import decode
from tcpemu.wire.segment import Segment


def facts_of(name, seen_by=SeenBy.SERVER, **settings):
    result = run(runs(load(name, settings))[0])
    return result, FactBase.of(FinishedRun(result.network, seen_by, result))


@pytest.mark.parametrize("seen_by", [SeenBy.SERVER, SeenBy.CLIENT])
@pytest.mark.parametrize("name", ["ignored-ack", "syn-flood", "fast-retransmit", "path-mtu", "close-unread"])
def test_a_frame_is_the_packet_of_that_number_in_the_capture(name, seen_by):
    result, facts = facts_of(name, seen_by)
    packets = capture_of(result.record, seen_by, comments=False).packets
    _, rows = facts.rows("select frame, time, kind, raw_seq, raw_ack, sport, len from frames", {})
    assert [row[0] for row in rows] == list(range(1, len(packets) + 1))
    for packet, (_, time, kind, *numbers) in zip(packets, rows, strict=True):
        assert round(time * 1e9) == packet.at - packets[0].at
        segment = decode(packet.data)
        assert (kind == "tcp") == isinstance(segment, Segment)
        if isinstance(segment, Segment):
            assert numbers == [segment.seq, segment.ack, segment.sport, len(segment.payload)]


def test_what_happened_can_be_asked():
    _, facts = facts_of("ignored-ack")
    late = {"port": facts.one("select port from clients where name = 'late'", {})}
    assert facts.one("select error from clients where port = :port", late) == "ECONNRESET"
    assert facts.one("select count(*) from frames where fate_because = 'ACCEPT_QUEUE_FULL'", {}) == 6
    assert facts.number("select at from timers where remote_port = :port", late) == Decimal("63.106")
    assert facts.one("select value from counters where host = 'server' and name = 'ListenOverflows'", {}) == 6
    assert facts.one("select max(accept) from queues", {}) == 2
    assert facts.one("select count(*) from sockets where state = 'ESTAB' and host = 'server'", {}) == 2
    assert facts.one("select count(*) from states where new = 'ESTAB' and local_port = :port", late) == 1
    assert facts.one("select count(distinct application) from calls where text like 'connect(%'", {}) == 3
    assert facts.one("select count(*) from hosts", {}) == 4


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("select at from packets", "gives 21 rows"),
        ("select at, number from packets limit 1", "2 columns"),
        ("select null", "gives null"),
        ("select at from packets where number < 0", "gives 0 rows"),
    ],
)
def test_a_query_with_another_number_of_answers_says_so(query, says):
    _, facts = facts_of("ignored-ack")
    with pytest.raises(QueryError, match=says):
        facts.one(query, {})


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("pick 1", "syntax error"),
        ("select nobody from packets", "no such column"),
        ("delete from packets", "only reads"),
        ("attach 'x.db' as x", "only reads"),
        ("pragma user_version", "only reads"),
        ("select :unknown", "is not understood: :unknown is no draw and no value"),
        ("", "asks for nothing"),
    ],
)
def test_what_is_no_question_is_a_mistake(query, says):
    _, facts = facts_of("ignored-ack")
    with pytest.raises(QueryError, match=says) as caught:
        facts.one(query, {})
    assert not isinstance(caught.value, NoOneAnswerError)


def test_a_query_that_never_ends_is_ended(monkeypatch):
    monkeypatch.setattr("tcpemu.lab.asking.fact_base.LONGEST_QUERY", 0.05)
    _, facts = facts_of("ignored-ack")
    endless = "with recursive n(i) as (select 1 union all select i + 1 from n) select max(i) from n"
    with pytest.raises(QueryError, match="longer than"):
        facts.one(endless, {})


def test_a_word_where_a_number_is_wanted_is_a_mistake():
    _, facts = facts_of("ignored-ack")
    with pytest.raises(QueryError, match="'late', where a number"):
        facts.number("select name from clients where name = 'late'", {})
