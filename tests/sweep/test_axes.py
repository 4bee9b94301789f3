"""What `--vary` may say."""

from decimal import Decimal

import pytest

from tcpemu.scenario.format.setting_paths import SettingError
from tcpemu.sweep.axes import Axis, grid_of, parse_axis


@pytest.mark.parametrize(
    ("text", "labels", "values"),
    [
        ("server.backlog=1,2,5", ("1", "2", "5"), (1, 2, 5)),
        ("server.backlog=0..8:3", ("0", "4", "8"), (0, 4, 8)),
        ("clients.start.rate=100..2000:3", ("100", "1050", "2000"), (100, 1050, 2000)),
        ("server.backlog=1..100:3 log", ("1", "10", "100"), (1, 10, 100)),
        ("link.loss=0.1..0.3:3", ("0.1", "0.2", "0.3"), tuple(map(Decimal, ("0.1", "0.2", "0.3")))),
        ("link.delay=5 ms..20 ms:2", ("5 ms", "20 ms"), ("5 ms", "20 ms")),
        ("link.delay=5..20 ms:2", ("5 ms", "20 ms"), ("5 ms", "20 ms")),
        ("server.backlog=1..2:5", ("1", "2"), (1, 2)),
        (
            "server.generation=linux-6.18,linux-3.10",
            ("linux-6.18", "linux-3.10"),
            ("linux-6.18", "linux-3.10"),
        ),
    ],
)
def test_an_axis(text, labels, values):
    axis = parse_axis(text)
    assert (axis.labels, axis.values) == (labels, values)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("server.backlog", "PATH=VALUE"),
        ("server.backlog=1..5", "FROM..TO:COUNT"),
        ("server.backlog=1..5:1", "2 to"),
        ("link.delay=1 ms..2 s:3", "same unit"),
        ("server.backlog=0..100:5 log", "above 0"),
        ("server.backlog=1..9:99999999", "2 to"),
    ],
)
def test_a_mistake_on_an_axis_says_what_would_be_right(text, words):
    with pytest.raises(SettingError, match=words):
        parse_axis(text)


def test_the_last_axis_moves_first():
    grid = grid_of([Axis("a.x", ("1", "2"), (1, 2)), Axis("b.y", ("u", "v", "w"), ("u", "v", "w"))])
    assert [point.labels for point in grid][:4] == [("1", "u"), ("1", "v"), ("1", "w"), ("2", "u")]
    assert [grid.point(point.number) for point in grid] == list(grid)
    assert (len(grid), grid.words(("2", "v"))) == (6, "x=2 y=v")


def test_axes_whose_last_parts_are_the_same_are_called_by_their_whole_paths():
    grid = grid_of([Axis("clients.a.count", ("1",), (1,)), Axis("clients.b.count", ("1",), (1,))])
    assert grid.shown == ("clients.a.count", "clients.b.count")


def test_one_setting_is_varied_once():
    with pytest.raises(SettingError, match="twice"):
        grid_of([parse_axis("server.backlog=1"), parse_axis("server.backlog=2")])


@pytest.mark.parametrize(
    ("text", "numbers"),
    [("a=1,2.5", (1.0, 2.5)), ("a=5 ms,20 ms", (5.0, 20.0)), ("a=5 ms,1 s", None), ("a=x,y", None)],
)
def test_values_as_numbers_for_a_picture(text, numbers):
    assert parse_axis(text).numbers == numbers
