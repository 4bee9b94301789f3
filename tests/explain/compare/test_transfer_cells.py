"""What became of the data, in a cell for each run."""

from tcpemu.explain.compare.transfer_cells import transfer_rows
from tcpemu.explain.facts.run_digest import digest_of
from tests.explain.phases.followed import followed_run


def rows_of(*runs):
    return dict(transfer_rows([digest_of(followed_run(*run).record, "server") for run in runs]))


def test_each_run_has_its_time_its_losses_and_its_repeats():
    rows = rows_of(("loss-burst", "SACK"), ("loss-burst", "no SACK"))
    assert rows["data of client"] == ["300,000 octets"] * 2
    first, second = rows["  acknowledged after"]
    assert first == "327 ms (7.33 Mbit/s)"
    assert second.endswith(" ms (2.88 Mbit/s)")
    assert rows["  segments lost"] == rows["  segments sent again"]


def test_time_outs_are_told_where_there_are_some_and_what_is_not_over_says_how_far_it_is():
    rows = rows_of(("fast-retransmit",), ("time-out",))
    assert rows["  of these by time-outs"][0] == "0"
    assert int(rows["  of these by time-outs"][1]) > 3
    assert rows["data of client"] == ["100,000 octets", "50,000 octets"]


def test_data_of_a_server_says_to_whom_and_a_few_octets_are_not_worth_a_row():
    assert rows_of(("path-mtu",)) == {
        "data of server to client": ["4,000 octets"],
        "  acknowledged after": ["60 ms (533 kbit/s)"],
        "  segments lost": ["2"],
        "  segments sent again": ["3"],
    }
    assert rows_of(("close-unread",)) == {}
