from pathlib import Path

import pytest

from tcpemu.diagnose import survey
from tcpemu.diagnose.claims.listener_diagnosis import diagnose_server, servers_of
from tcpemu.diagnose.claims.sureness import Sure
from tcpemu.diagnose.replay.known_settings import Known
from tcpemu.wire.segment import address
from tests.diagnose.captured import opened, save, seg

PCAPS = Path(__file__).parents[3] / "pcaps"
SERVER = address("10.0.0.1")


def diagnosed(path, **more):
    return diagnose_server(survey(path), SERVER, 80, kernel="linux-6.18", **more)


def claim(diagnosis, words):
    return next(one for one in diagnosis.claims if words in one.what)


def test_a_full_accept_queue_is_told_with_its_frames_and_rule():
    told = claim(diagnosed(PCAPS / "ignored-ack.pcapng", at="server"), "the final ACK is ignored")
    assert told.frames == (9, 11, 13, 15, 17)
    assert "2 waited for accept(), backlog 1" in told.what
    assert told.rule == "tcp_minisocks.c: tcp_check_req; ListenOverflows, ListenDrops"
    # One connection alone may have met a filter.
    assert told.sure is Sure.LIKELY
    assert "ListenOverflows" in told.decides


def test_many_drops_and_a_counter_that_agrees_are_certain():
    path, known = PCAPS / "syn-flood.pcapng", Known(counters={"TCPReqQFullDrop": 51})
    told = claim(diagnosed(path, at="server", known=known), "tcp_syncookies is 0, so the SYN is dropped")
    assert (told.sure, len(told.frames)) == (Sure.CERTAIN, 50)  # what became of the last one is not seen
    without = claim(diagnosed(path, at="server"), "tcp_syncookies is 0, so the SYN is dropped")
    # The last quarter of a small tcp_max_syn_backlog drops them as well; that counter tells these two apart.
    assert without.sure is Sure.POSSIBLE
    assert claim(diagnosed(path, at="server"), "backlog is 8, or net.ipv4.tcp_max_syn_backlog is")
    guessed = claim(diagnosed(path, known=known), "tcp_syncookies is 0, so the SYN is dropped")
    assert guessed.sure is Sure.LIKELY


def test_nothing_is_certain_of_a_capture_that_lacks_something(tmp_path):
    octets = (PCAPS / "syn-flood.pcapng").read_bytes()
    (tmp_path / "x.pcapng").write_bytes(octets[:-9])
    known = Known(counters={"TCPReqQFullDrop": 51})
    diagnosis = diagnosed(tmp_path / "x.pcapng", at="server", known=known)
    assert diagnosis.doubts == ["the file was not read to its end"]
    assert not [one for one in diagnosis.claims if one.sure is Sure.CERTAIN]


def test_where_it_parts_from_the_best_explanation(tmp_path):
    timed = [*opened(), (1001, seg("server", "SA", 500, 101)), (1011, seg("client", "PA", 101, 501, b"x"))]
    timed += [(3001, seg("server", "SA", 500, 101)), (3011, seg("client", "PA", 101, 501, b"x", ip_id=9))]
    timed += [(7001, seg("server", "SA", 500, 101))]
    told = claim(diagnosed(save(tmp_path / "x.pcapng", timed), at="server"), "part:")
    assert told.frames[0] == 3
    assert "lost behind the capture" in told.what


SYN, DATA = (0, seg("client", "S", 100)), (50, seg("client", "PA", 101, 501, b"x"))
ENDS = {
    "refused": ([SYN, (0.1, seg("server", "RA", 0, 101))], "no socket listened", Sure.LIKELY),
    "gone": ([*opened(), DATA, (51, seg("server", "R", 501))], "had no connection", Sure.LIKELY),
    "unread": ([*opened(), DATA, (60, seg("server", "RA", 501, 102))], "with unread data", Sure.POSSIBLE),
    "linger": ([*opened(), (60, seg("server", "RA", 501, 101))], "SO_LINGER of 0 s", Sure.POSSIBLE),
    "no reader": ([*opened(), (60, seg("server", "A", 501, 101, window=0))], "did not read", Sure.LIKELY),
    "silence": ([SYN, (1000, seg("client", "S", 100, ip_id=2))], "nothing was said", Sure.POSSIBLE),
}


@pytest.mark.parametrize(("timed", "words", "sure"), ENDS.values(), ids=ENDS)
def test_what_an_end_says(tmp_path, timed, words, sure):
    diagnosis = diagnosed(save(tmp_path / "x.pcapng", timed), at="server")
    assert claim(diagnosis, words).sure is sure


def test_servers_that_were_asked_come_first(tmp_path):
    timed = [(0, seg("server", "A", 1, 1, port=22)), *opened()]
    assert servers_of(survey(save(tmp_path / "x.pcapng", timed)))[0] == (SERVER, 80)


def test_connections_have_the_numbers_of_the_table_also_where_there_are_other_servers(tmp_path):
    other = [
        (at, one._replace(**{end: 81}))
        for (at, one), end in zip(opened(), ("dport", "sport", "dport"), strict=True)
    ]
    timed = [*other, *((at + 50, one) for at, one in opened(40001))]
    timed += [
        (1051, seg("server", "SA", 500, 101, port=40001)),
        (1061, seg("client", "A", 101, 501, port=40001)),
    ]
    timed += [
        (3051, seg("server", "SA", 500, 101, port=40001)),
        (3061, seg("client", "A", 101, 501, port=40001)),
    ]
    timed += [(7051, seg("server", "SA", 500, 101, port=40001))]
    told = [one for one in diagnosed(save(tmp_path / "x.pcapng", timed), at="server").claims if one.flows]
    assert {one.flows for one in told} == {(2,)}
