"""Small words."""

import pytest

from tcpemu.explain.lines.count_words import count, ordinal
from tcpemu.explain.lines.segment_words import flag_words, option_words
from tcpemu.explain.lines.time_words import decimals_for, duration, moment, seconds
from tcpemu.explain.lines.wrapping import JOINED, joined
from tcpemu.wire.options import Garbage, Nop, Sack, SackOk, Timestamps, Unknown, mss, wscale
from tcpemu.wire.segment import Segment, flags_of


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
    assert duration(nanoseconds) == words


@pytest.mark.parametrize(
    ("nanoseconds", "words"),
    [(0, "0 s"), (111_000_000, "0.111 s"), (10 * 10**9, "10 s"), (1_499, "0.000001 s")],
)
def test_moments(nanoseconds, words):
    assert moment(nanoseconds) == words


def test_a_time_stays_in_one_piece():
    assert joined("after 5 ms, 2 SYNs and 1 s") == f"after 5{JOINED}ms, 2 SYNs and 1{JOINED}s"


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


@pytest.mark.parametrize(
    ("letters", "words"),
    [("S", "SYN"), ("SA", "SYN|ACK"), ("PA", "PSH|ACK"), ("RA", "RST|ACK"), ("FA", "FIN|ACK")],
)
def test_flags_by_name(letters, words):
    assert flag_words(flags_of(letters)) == words


def test_no_flags_at_all():
    assert flag_words(0) == "no flags"
    assert flag_words(0x1FF) == "SYN|FIN|RST|PSH|URG|ACK|ECE|CWR|AE"


def test_ordinals():
    words = [ordinal(number) for number in (1, 2, 3, 4, 11, 12, 13, 21, 102, 111)]
    assert words == ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "102nd", "111th"]


def test_counts():
    assert [count(1, "packet"), count(1000, "packet"), count(2, "copy", "copies")] == [
        "1 packet",
        "1,000 packets",
        "2 copies",
    ]


def test_options_without_their_padding():
    options = (mss(1460), SackOk(), Timestamps(1, 2), Nop(), wscale(7), Sack(((1, 2),)))
    segment = Segment(b"\0" * 4, 1, b"\0" * 4, 2, 0, 0, 2, 0, options)
    assert option_words(segment) == "mss 1460, SACK permitted, timestamps, window scale 7, SACK of 1 block"
    odd = segment._replace(options=(Unknown(99, b""), Garbage(b"\x01")))
    assert option_words(odd) == "option 99, octets that are no option"
