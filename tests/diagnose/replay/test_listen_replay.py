from tcpemu.diagnose.flows.flow_collection import FlowCollection
from tcpemu.diagnose.reading.capture_reading import CaptureFacts, segments_of
from tcpemu.diagnose.replay.listen_path import listen_path
from tcpemu.diagnose.replay.listen_replay import LOST_BEHIND, Shown, replay
from tcpemu.diagnose.replay.supposed_settings import Supposed
from tcpemu.wire import timestamps
from tests.diagnose.captured import SERVER, opened, save, seg


def path_of(tmp_path, timed, *, at_server=True):
    return listen_path(
        segments_of(save(tmp_path / "x.pcapng", timed), CaptureFacts()), SERVER, 80, at_server=at_server
    )


def judged(found):
    return [(one.reason.name, one.shown) for one in found.judged]


def unseen(found):
    return [one.what for one in found.unseen]


IGNORED = [*opened(), (1001, seg("server", "SA", 500, 101)), (1011, seg("client", "A", 101, 501))]


def test_a_handshake_as_it_should_be_takes_nothing_unseen(tmp_path):
    found = replay(path_of(tmp_path, [*opened(), (20, seg("server", "PA", 501, 101, b"hi"))]), Supposed())
    assert judged(found) == [("SYN_QUEUED", Shown.TAKEN), ("HANDSHAKE_DONE", Shown.TAKEN)]
    assert found.cost == 0


def test_an_ack_that_is_ignored_was_lost_where_the_queue_has_room(tmp_path):
    found = replay(path_of(tmp_path, IGNORED), Supposed())
    assert unseen(found) == [LOST_BEHIND]


def test_a_bare_ack_is_ignored_where_data_is_waited_for(tmp_path):
    found = replay(path_of(tmp_path, IGNORED), Supposed(defer=1))
    assert judged(found)[1] == ("DEFER_ACCEPT", Shown.IGNORED)
    assert found.cost == 0


def test_numbers_timestamps_and_cookies_are_translated(tmp_path):
    stamps = (timestamps(7, 0),)
    timed = [
        (0, seg("client", "S", 100, options=stamps)),
        (1, seg("server", "SA", 0xFFFFFFFF, 101, options=(timestamps(999, 7),))),
        (11, seg("client", "A", 101, 0, options=(timestamps(17, 999),))),
    ]
    for cookies in (0, 1, 2):
        found = replay(path_of(tmp_path, timed), Supposed(cookies=cookies))
        assert judged(found)[1][0] in ("HANDSHAKE_DONE", "COOKIE_GOOD")


def test_a_syn_ack_that_should_have_come_again_is_missed(tmp_path):
    later = [(9000, seg("client", "S", 7, port=41000)), (9001, seg("server", "SA", 9, 8, port=41000))]
    found = replay(path_of(tmp_path, opened()[:2] + later), Supposed())
    assert "a SYN|ACK that it would send is not in the capture" in unseen(found)
    assert found.cost == 1  # once for the connection, however many are missing


def test_times_are_moved_to_the_server(tmp_path):
    path = path_of(
        tmp_path, [(0, opened()[0][1]), (40, opened()[1][1]), (41, opened()[2][1])], at_server=False
    )
    assert path.away == 40_000_000
    assert [(step.at - path.steps[0].at) // 1_000_000 for step in path.steps] == [0, 0, 41]


def test_ports_that_are_used_anew(tmp_path):
    again = [(at + 500, each._replace(seq=each.seq + 5000)) for at, each in opened()[:1]]
    again += [(501, seg("server", "SA", 9500, 5101)), (511, seg("client", "A", 5101, 9501))]
    closed = [
        (100, seg("server", "FA", 501, 101)),
        (101, seg("client", "FA", 101, 502)),
        (102, seg("server", "A", 502, 102)),
    ]
    found = replay(path_of(tmp_path, [*opened(), *closed, *again]), Supposed())
    assert [name for name, _ in judged(found)].count("HANDSHAKE_DONE") == 2
    assert found.cost == 0


def test_more_handshakes_than_are_replayed_are_told(tmp_path, monkeypatch):
    monkeypatch.setattr("tcpemu.diagnose.replay.listen_path.MOST_STEPS", 4)
    path = path_of(tmp_path, [*opened(), *[(at + 50, each) for at, each in opened(41000)]])
    assert (path.cut, len(path.steps)) == (True, 4)
    assert FlowCollection().flows == []
