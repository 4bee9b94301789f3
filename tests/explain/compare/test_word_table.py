"""A table whose cells hold words."""

import pytest

from tcpemu.explain.compare.word_table import COMFORTABLE, word_table
from tcpemu.explain.lines.style import plain


def shown(*lines):
    return [plain(line) for line in lines]


def test_narrow_columns_stand_in_one_table():
    assert shown(*word_table(["a", "long name"], [("one", ["1", "2"]), ("three", ["3", "four"])], 40)) == [
        "         a  long name",
        "  one    1  2",
        "  three  3  four",
    ]


def test_cells_are_broken_but_no_time():
    cell = "to data of late 70.005 s, of later 71 s"
    assert shown(*word_table(["a"], [("x", [cell])], 25)) == [
        "     a",
        "  x  to data of late",
        "     70.005 s, of later",
        "     71 s",
    ]


@pytest.mark.parametrize("width", [80, 100])
def test_many_columns_go_into_several_tables_of_that_width(width):
    names = [f"column-{number}" for number in range(12)]
    rows = [("a label", ["words that take more room than there is"] * 12), ("b", ["1"] * 12)]
    lines = shown(*word_table(names, rows, width))
    assert max(map(len, lines)) <= width
    heads = [line.split() for line in lines if "column-" in line]
    assert [name for head in heads for name in head] == names
    assert len(heads) == lines.count("") + 1
    assert len(set(map(len, heads))) == 1
    assert len(heads) == -(-12 // ((width - 2 - len("a label")) // (COMFORTABLE + 2)))
