from pathlib import Path

import pytest

from tcpemu.diagnose.replay.program_conduct import Called
from tcpemu.wire.capture_values import CaptureError
from tests.diagnose.captured import MS, explained, opened, save, seg

PCAPS = Path(__file__).parents[3] / "pcaps"


def answers(run):
    """What the emulated server said, each with the frame that is the same."""
    return [(answer.segment.flags, answer.same_as) for told in run.conversations for answer in told.answers]


def test_the_best_explanation_says_all_that_the_capture_has():
    _, _, run = explained(PCAPS / "ignored-ack.pcapng")
    assert [frame for _, frame in answers(run) if not frame] == []
    late = run.conversations[2]
    assert late.matched == {7, 10, 12, 14, 16, 18, 21}
    assert (run.supposed.backlog, run.host.counters["ListenOverflows"]) == (1, 6)


def test_its_programs_accept_when_the_search_found_that_they_had(tmp_path):
    timed = [*opened(), (500, seg("client", "PA", 101, 501, b"hello")), (500.1, seg("server", "A", 501, 106))]
    timed += [(900, seg("server", "PA", 501, 106, b"world")), (910, seg("client", "A", 106, 506))]
    _, _, run = explained(save(tmp_path / "x.pcapng", timed))
    calls = [(entry.verb, entry.number) for entry in run.entries if isinstance(entry, Called)]
    assert calls == [("accept", 0), ("recv", 5), ("send", 5)]
    assert run.conversations[0].matched == {2, 5, 6}


def test_a_super_segment_is_the_same_as_those_that_it_is_cut_into(tmp_path):
    timed = [*opened(), (20, seg("server", "PA", 501, 101, b"x" * 2920)), (31, seg("client", "A", 101, 3421))]
    _, _, run = explained(save(tmp_path / "x.pcapng", timed))
    assert [frame for _, frame in answers(run)] == [2, 4, 4]


def test_a_program_that_does_not_read_closes_the_window(tmp_path):
    octets = b"x" * 1460
    timed = list(opened())
    timed += [(20 + number, seg("client", "A", 101 + 1460 * number, 501, octets)) for number in range(60)]
    timed.append((100, seg("server", "A", 501, 101 + 1460 * 44, window=0)))
    _, _, run = explained(save(tmp_path / "x.pcapng", timed))
    assert not [entry for entry in run.entries if isinstance(entry, Called) and entry.verb == "recv"]


def test_where_there_is_no_handshake_there_is_nothing_to_explain(tmp_path):
    timed = [(0, seg("client", "A", 101, 501)), (1, seg("server", "PA", 501, 101, b"hello"))]
    with pytest.raises(CaptureError, match="no SYN to it is in the capture"):
        explained(save(tmp_path / "x.pcapng", timed))


def test_away_from_the_server_it_hears_each_segment_half_a_round_trip_later(tmp_path):
    timed = [
        (0, seg("client", "S", 100)),
        (20, seg("server", "SA", 500, 101)),
        (20.1, seg("client", "A", 101, 501)),
    ]
    _, diagnosis, run = explained(save(tmp_path / "x.pcapng", timed), at="client")
    assert (run.away, diagnosis.path.away) == (10 * MS, 20 * MS)
    (syn_ack,) = run.conversations[0].answers
    assert syn_ack.same_as == 2


def test_a_program_whose_host_resets_what_comes_after_its_fin_has_called_close(tmp_path):
    timed = [*opened(), (20, seg("server", "FA", 501, 101)), (31, seg("client", "A", 101, 502))]
    timed += [(500, seg("client", "PA", 101, 502, b"late")), (500.1, seg("server", "R", 502))]
    _, _, run = explained(save(tmp_path / "x.pcapng", timed))
    calls = [entry.verb for entry in run.entries if isinstance(entry, Called)]
    assert calls == ["accept", "close"]
    assert run.conversations[0].matched == {2, 4, 7}
