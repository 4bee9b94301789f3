"""A ladder drawn: words along arrows, none upon another, and a size that decides how much is shown."""

import re

import pytest

from tcpemu.explain.plots.draw_ladder import drawn_ladder, rows_that_fit
from tcpemu.explain.plots.ladder_plot import ladder_picture
from tcpemu.explain.plots.picture import Style
from tests.explain.phases.followed import followed_run
from tests.explain.plots.test_in_grey import colours_of

pytest.importorskip("matplotlib", reason="plots need matplotlib")


@pytest.fixture(scope="module")
def picture():
    return ladder_picture("A loss", "note", followed_run("fast-retransmit"), rows_that_fit((10.0, 7.0)))


def test_words_and_hosts_are_text_in_an_svg(picture):
    text = drawn_ladder(picture, "svg", (10.0, 7.0)).decode()
    for words in ("client", "server", "9 segments, 13,032 octets", "ESTAB", "A loss"):
        assert words in text
    assert re.search(r"PSH\|ACK( len 1448)?", text)


@pytest.mark.parametrize(("kind", "begins"), [("png", b"\x89PNG"), ("pdf", b"%PDF"), ("svg", b"<?xml")])
def test_it_is_a_file_of_each_kind_and_the_same_each_time(picture, kind, begins):
    first = drawn_ladder(picture, kind)
    assert first.startswith(begins)
    assert first == drawn_ladder(picture, kind)


def test_print_has_no_colour(picture):
    assert colours_of(drawn_ladder(picture, "svg"))
    assert not colours_of(drawn_ladder(picture, "svg", style=Style.PRINT))


def test_a_larger_picture_has_room_for_more_rows():
    assert rows_that_fit((10.0, 5.6)) < rows_that_fit((10.0, 11.0)) < rows_that_fit(None, 100)
    assert rows_that_fit((10.0, 2.0)) >= 4
