"""Times in words."""

import pytest

from tcpemu.explain.lines.time_words import decimals_for, moment, seconds, span_words


@pytest.mark.parametrize(
    ("nanoseconds", "words"),
    [
        (0, "0 s"),
        (63 * 10**9, "63 s"),
        (500_000, "500 us"),
        (5_000_000, "5 ms"),
        (1_500_000_000, "1.5 s"),
        (7, "7 ns"),
        (-2_000_000, "-2 ms"),
        (238_812_345, "238.8 ms"),
    ],
)
def test_durations(nanoseconds, words):
    assert span_words(nanoseconds) == words


@pytest.mark.parametrize(
    ("nanoseconds", "words"),
    [(0, "0 s"), (111_000_000, "0.111 s"), (10 * 10**9, "10 s"), (1_499, "0.000001 s")],
)
def test_moments(nanoseconds, words):
    assert moment(nanoseconds) == words


def test_as_many_decimals_as_the_times_need():
    assert decimals_for([0, 10**9, 5_000_000]) == 3
    assert decimals_for([500_000]) == 4
    assert decimals_for([500_000, 1_000]) == 6
    assert decimals_for([1]) == 6
    assert decimals_for([]) == 3


def test_seconds_are_rounded_and_keep_their_noughts():
    assert seconds(63_106_000_000, 3) == "63.106"
    assert seconds(5_000_000, 3) == "0.005"
    assert seconds(999_999_600, 6) == "1.000000"
    assert seconds(0, 4) == "0.0000"
