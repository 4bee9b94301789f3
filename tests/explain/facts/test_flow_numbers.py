"""Relative sequence numbers and scaled windows."""

from tcpemu.explain.facts.flow_numbers import InitialNumbers, Relative
from tcpemu.wire.options import wscale
from tcpemu.wire.segment import Segment, flags_of

A, B = b"\x0a\0\0\2", b"\x0a\0\0\1"


def sent(flags, seq, ack=0, *, back=False, window=0, options=()):
    ends = (B, 80, A, 4000) if back else (A, 4000, B, 80)
    return Segment(*ends, seq, ack, flags_of(flags), window, options)


def test_a_handshake_counts_from_nought_across_the_wrap():
    numbers = InitialNumbers()
    assert numbers.relative(sent("S", 0xFFFFFFFF)) == Relative(0, None, 0)
    assert numbers.relative(sent("SA", 7000, 0, back=True)) == Relative(0, 1, 0)
    assert numbers.relative(sent("A", 0, 7001)) == Relative(1, 1, 0)
    assert numbers.relative(sent("PA", 99, 7101)) == Relative(100, 101, 0)


def test_a_number_before_the_start_is_negative():
    numbers = InitialNumbers()
    numbers.relative(sent("S", 1000))
    assert numbers.relative(sent("S", 900), refused=True).seq == -100


def test_a_new_syn_begins_the_flow_anew_unless_it_was_refused():
    numbers = InitialNumbers()
    numbers.relative(sent("S", 1000))
    assert numbers.relative(sent("S", 5000), refused=True).seq == 4000
    assert numbers.relative(sent("S", 5000)).seq == 0
    assert numbers.relative(sent("A", 5001, 1)).seq == 1


def test_a_flow_seen_from_the_middle_begins_at_one():
    numbers = InitialNumbers()
    assert numbers.relative(sent("A", 123, 456)) == Relative(1, 1, 0)
    assert numbers.relative(sent("A", 456, 133, back=True)) == Relative(1, 11, 0)


def test_a_reset_out_of_nowhere_keeps_its_number():
    assert InitialNumbers().relative(sent("RA", 0, 1001, back=True)) == Relative(0, 1, 0)


def test_windows_are_scaled_only_if_both_syns_agree():
    numbers = InitialNumbers()
    numbers.relative(sent("S", 0, options=(wscale(10),)))
    first = numbers.relative(sent("SA", 0, 1, back=True, window=65160, options=(wscale(7),)))
    assert first.window == 65160
    assert numbers.relative(sent("A", 1, 1, window=63)).window == 63 << 10
    assert numbers.relative(sent("A", 1, 1, back=True, window=63)).window == 63 << 7


def test_a_lone_window_scale_means_nothing():
    numbers = InitialNumbers()
    numbers.relative(sent("S", 0, options=(wscale(10),)))
    numbers.relative(sent("SA", 0, 1, back=True))
    assert numbers.relative(sent("A", 1, 1, window=63)).window == 63


def test_a_scale_beyond_fourteen_counts_as_fourteen():
    numbers = InitialNumbers()
    numbers.relative(sent("S", 0, options=(wscale(200),)))
    numbers.relative(sent("SA", 0, 1, back=True, options=(wscale(0),)))
    assert numbers.relative(sent("A", 1, 1, window=2)).window == 2 << 14
