from pathlib import Path

from tcpemu.diagnose.telling.beside_rows import beside_rows, counted, first_parting
from tests.diagnose.captured import explained, opened, save, seg

PCAPS = Path(__file__).parents[3] / "pcaps"


def rows_of(path, **more):
    found, _, run = explained(path, **more)
    return beside_rows(run, found.facts.ends)


def test_each_frame_is_a_row_with_what_the_emulated_server_sent_as_well():
    rows = rows_of(PCAPS / "ignored-ack.pcapng")
    assert [row.frame for row in rows if row.frame] == list(range(1, 22))
    assert all(len(row.answers) == row.outbound for row in rows)
    assert first_parting(rows) is None
    (given_up,) = [row for row in rows if not row.frame]
    assert 62 < (given_up.at - rows[0].at) / 1e9 < 64
    assert counted(rows[8]) == {"InSegs": 1, "ListenDrops": 1, "ListenOverflows": 1}


def test_what_only_one_of_both_sends_is_where_they_part(tmp_path):
    timed = [*opened(), (500, seg("server", "FA", 501, 101)), (2000, seg("client", "A", 101, 501))]
    # Linux would send the FIN again, since nobody acknowledged it; this server did not.
    rows = rows_of(save(tmp_path / "x.pcapng", timed))
    parting = first_parting(rows)
    assert (parting.frame, parting.answers[0].repeat) == (0, 1)


def test_an_ack_of_data_that_comes_at_another_time_is_no_parting(tmp_path):
    timed = [*opened(), (500, seg("client", "PA", 101, 501, b"hello")), (5000, seg("server", "A", 501, 106))]
    assert first_parting(rows_of(save(tmp_path / "x.pcapng", timed))) is None


def test_a_packet_that_has_to_be_lost_is_where_they_part(tmp_path):
    timed = [*opened(), (1001, seg("server", "SA", 500, 101)), (1011, seg("client", "PA", 101, 501, b"x"))]
    timed += [(3001, seg("server", "SA", 500, 101)), (3011, seg("client", "PA", 101, 501, b"x", ip_id=9))]
    timed += [(7001, seg("server", "SA", 500, 101))]
    parting = first_parting(rows_of(save(tmp_path / "x.pcapng", timed)))
    assert (parting.frame, parting.lost) == (3, True)
