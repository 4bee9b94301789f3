"""Numbers of several runs side by side."""

from tcpemu.explain.compare.number_table import number_table
from tcpemu.explain.lines.style import lines_text


def test_runs_side_by_side():
    rows = [("clients", ["8", "8"]), ("SYNs dropped", ["15", "4"])]
    assert lines_text(number_table(["listen(1)", "listen(5)"], rows)) == (
        "                listen(1)  listen(5)\n"
        "  clients               8          8\n"
        "  SYNs dropped         15          4\n"
    )


def test_runs_with_long_names_are_numbered():
    names = ["a very long name of a run", "another very long name"]
    assert lines_text(number_table(names, [("clients", ["8", "10"])], width=40)) == (
        "  1  a very long name of a run\n  2  another very long name\n\n           1   2\n  clients  8  10\n"
    )


def test_long_labels_give_way_to_the_values():
    rows = [("what a server can do in a second", ["8", "10"])]
    assert lines_text(number_table(["one", "two"], rows, width=40)) == (
        "                                one  two\n"
        "  what a server can do in a\n"
        "  second                          8   10\n"
    )
