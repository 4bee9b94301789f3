"""Flags and options in words."""

import pytest

from tcpemu.explain.lines.segment_words import flag_words, option_words
from tcpemu.wire.options import Garbage, Nop, Sack, SackOk, Timestamps, Unknown, mss, wscale
from tcpemu.wire.segment import Segment, flags_of


@pytest.mark.parametrize(
    ("letters", "words"),
    [("S", "SYN"), ("SA", "SYN|ACK"), ("PA", "PSH|ACK"), ("RA", "RST|ACK"), ("FA", "FIN|ACK")],
)
def test_flags_by_name(letters, words):
    assert flag_words(flags_of(letters)) == words


def test_no_flags_at_all():
    assert flag_words(0) == "no flags"
    assert flag_words(0x1FF) == "SYN|FIN|RST|PSH|URG|ACK|ECE|CWR|AE"


def test_options_without_their_padding():
    options = (mss(1460), SackOk(), Timestamps(1, 2), Nop(), wscale(7), Sack(((1, 2),)))
    segment = Segment(b"\0" * 4, 1, b"\0" * 4, 2, 0, 0, 2, 0, options)
    assert option_words(segment) == "mss 1460, SACK permitted, timestamps, window scale 7, SACK of 1 block"
    odd = segment._replace(options=(Unknown(99, b""), Garbage(b"\x01")))
    assert option_words(odd) == "option 99, octets that are no option"
