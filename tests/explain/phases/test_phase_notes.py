"""Phases as notes on packets."""

from tcpemu.explain.ladder.ladder_lines import ladder_lines
from tcpemu.explain.lines.style import lines_text
from tcpemu.explain.phases.phase_notes import phase_notes
from tests.explain.phases.followed import followed_run, transfers_of


def ladder_of(source, only="", width=100):
    result = followed_run(source, only)
    return lines_text(ladder_lines(result.record, width=width, transfers=result.network.transfers))


def test_notes_stand_at_the_packets_that_begin_and_end_a_phase():
    notes = phase_notes(transfers_of("fast-retransmit"))
    assert [[note.text for note in some] for some in notes.values()] == [
        [
            "client: slow start ends with a loss; the window is 19 segments",
            "client: recovery begins: the window of 19 segments comes down to 13",
        ],
        ["client: recovery is over after 40 ms; the window is 13 segments"],
    ]


def test_a_ladder_says_so_and_never_folds_those_rows():
    text = ladder_of("loss-burst", "SACK")
    assert "recovery begins: the window of 54 segments comes down to 37" in text
    assert "recovery is over after 75.74 ms" in text
    assert "slow start ends with a loss" in text


def test_a_time_out_is_told_at_its_repeat():
    lines = ladder_of("time-out").splitlines()
    here = next(n for n, each in enumerate(lines) if "the window of 10 segments is 1" in each)
    assert any("sent again after 322 ms" in each for each in lines[here - 4 : here])


def test_a_fold_says_how_much_data_it_hides_and_all_losses_and_repeats_are_shown():
    text = ladder_of("reno-cubic", "reno")
    assert "data (" in text
    assert text.count("the link's queue is full") == 81
    assert text.count("sent again after") == 81
    assert " lost" not in "".join(each for each in text.splitlines() if "more like these" in each)
