"""One answer: right within its tolerance, a usual mistake, wrong, or none at all."""

from decimal import Decimal

import pytest

from tcpemu.lab.drawing.key_file import AnswerKey, OptionKey, SlipKey
from tcpemu.lab.format.lab_file import Question
from tcpemu.lab.marking.mark_answer import mark_answer, number_of

NUMBER = Question(
    name="n", kind="number", text="?", answer="select 1", unit="s", tolerance="0.02", points=2, because="so"
)
KEY = AnswerKey(
    name="n",
    text="?",
    right="3.5",
    because="so",
    slips=(SlipKey(answer="7", say="twice", share="0.5"), SlipKey(answer="7.01", say="late", share=0)),
)
FRAME = Question(name="f", kind="frame", text="?", answer="select 1")
CHOICE = Question(
    name="c",
    kind="choice",
    text="?",
    answer="select 1",
    options=[{"name": "x", "text": "X"}, {"name": "y", "text": "Y"}],
)
LETTERS = AnswerKey(
    name="c",
    text="?",
    right="b",
    because="so",
    options=(
        OptionKey(letter="a", text="X", right=False, say="no X"),
        OptionKey(letter="b", text="Y", right=True, say=""),
    ),
)


@pytest.mark.parametrize(
    ("given", "points", "says"),
    [
        (Decimal("3.5"), 2, ""),
        (Decimal("3.52"), 2, ""),
        (Decimal("3.521"), 0, "not so"),
        ("3.49 s", 2, ""),
        ("3,5", 2, ""),
        (" 3.5S ", 2, ""),
        (7, 1, "twice"),
        (Decimal("7.03"), 0, "late"),
        ("", 0, "not answered"),
        ("“”", 0, "not answered"),
        ("“3.5 s”", 2, ""),
        ("frame", 0, "'frame' is no number"),
        ("3 or 4", 0, "'3 or 4' is no number"),
        (None, 0, "not answered"),
        ("three", 0, "'three' is no number"),
        (True, 0, "'True' is no number"),
        ([3.5], 0, "is no number"),
        ({"x": 1}, 0, "is no number"),
        ("1e999999999", 0, "is no number"),
        ("nan", 0, "is no number"),
        ("9" * 3000, 0, "is no number"),
    ],
)
def test_a_number(given, points, says):
    mark = mark_answer(NUMBER, KEY, given)
    assert mark.points == points
    assert says in mark.said
    assert mark.right is (points == 2)
    assert len(mark.said) < 300


@pytest.mark.parametrize(
    ("given", "right"),
    [
        (12, True),
        ("12", True),
        ("frame 12", True),
        ("Frame: 12", True),
        ("#12", True),
        ("„frame no. 12“", True),
        ("packet 12", True),
        (13, False),
    ],
)
def test_a_frame(given, right):
    key = AnswerKey(name="f", text="?", right="12", because="so")
    assert mark_answer(FRAME, key, given).right is right


@pytest.mark.parametrize(
    ("given", "right", "says"),
    [
        ("b", True, ""),
        (" B) ", True, ""),
        ("“b”", True, ""),
        ("’b’", True, ""),
        ("a", False, "no X"),
        ("z", False, "none of the letters a, b"),
        (2, False, "none"),
    ],
)
def test_a_choice(given, right, says):
    mark = mark_answer(CHOICE, LETTERS, given)
    assert mark.right is right
    assert says in mark.said


def test_numbers_as_people_write_them():
    assert number_of("1_000") == 1000
    assert number_of(3) == 3
    assert number_of("12 segments", "segments") == 12
    assert number_of("0x10") is None
