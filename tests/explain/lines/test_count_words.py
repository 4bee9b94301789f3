"""Counts and ordinals in words."""

from tcpemu.explain.lines.count_words import count, ordinal


def test_ordinals():
    words = [ordinal(number) for number in (1, 2, 3, 4, 11, 12, 13, 21, 102, 111)]
    assert words == ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "102nd", "111th"]


def test_counts():
    assert [count(1, "packet"), count(1000, "packet"), count(2, "copy", "copies")] == [
        "1 packet",
        "1,000 packets",
        "2 copies",
    ]
