"""TCP options: every octet comes back, and each option is read as the kernel reads it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tcpemu.wire import (
    NOP,
    SACK_OK,
    Eol,
    FastOpen,
    Garbage,
    Mss,
    Nop,
    Sack,
    Timestamps,
    Unknown,
    WScale,
    decode_options,
    encode_options,
    timestamps,
)
from tests.wire.strategies import option_lists, single_options

property_test = settings(deadline=None, max_examples=300)

likely_octets = st.lists(
    st.sampled_from([*range(11), 18, 20, 34, 254]) | st.integers(0, 255), max_size=40
).map(bytes)


def whole_words(octets):
    return octets[: len(octets) // 4 * 4]


@property_test
@given(st.binary(max_size=40).map(whole_words) | likely_octets.map(whole_words))
def test_octets_come_back(octets):
    assert encode_options(decode_options(octets)) == octets


@property_test
@given(option_lists())
def test_options_come_back(options):
    assert decode_options(encode_options(options)) == options


@property_test
@given(st.lists(single_options, max_size=4).map(tuple))
def test_what_is_written_is_whole_words_with_zeros_behind(options):
    octets = encode_options(options)
    assert len(octets) % 4 == 0
    read = decode_options(octets)
    assert read[: len(options)] == options
    assert read[len(options) :] in [(), *((Eol(bytes(size)),) for size in range(3))]


@pytest.mark.parametrize(
    ("octets", "options"),
    [
        ("", ()),
        ("020405b4", (Mss(1460),)),
        ("020405b4 01030307 0101 0402", (Mss(1460), NOP, WScale(7), NOP, NOP, SACK_OK)),
        (
            "020405b4 0402 080a 00000001 00000002 01 030307",
            (Mss(1460), SACK_OK, Timestamps(1, 2), NOP, WScale(7)),
        ),
        ("0101 080a 00000001 00000002", (NOP, NOP, Timestamps(1, 2))),
        ("080a 00000001 00000002 0101", (Timestamps(1, 2), NOP, NOP)),
        ("0101 050a 00000001 00000002", (NOP, NOP, Sack(((1, 2),)))),
        ("0101 0512 00000001 00000002 ffffffff 00000000", (NOP, NOP, Sack(((1, 2), (0xFFFFFFFF, 0))))),
        ("2202 0101", (FastOpen(b""), NOP, NOP)),
        ("220a 1122334455667788 0101", (FastOpen(bytes.fromhex("1122334455667788")), NOP, NOP)),
        ("fe04f989", (FastOpen(b"", experimental=True),)),
        ("fe08f98911223344", (FastOpen(bytes.fromhex("11223344"), experimental=True),)),
        ("fe05f98911 010101", (Unknown(254, bytes.fromhex("f98911")), NOP, NOP, NOP)),
        ("fe04f988", (Unknown(254, b"\xf9\x88"),)),
        ("00ffffff", (Eol(b"\xff\xff\xff"),)),
    ],
)
def test_an_option_is_read_and_written(octets, options):
    octets = bytes.fromhex(octets)
    assert decode_options(octets) == options
    assert encode_options(options) == octets


@pytest.mark.parametrize(
    ("octets", "option"),
    [
        ("0205 0102 03", Unknown(2, b"\1\2\3")),
        ("0302", Unknown(3, b"")),
        ("0404 0102", Unknown(4, b"\1\2")),
        ("0502", Unknown(5, b"")),
        ("0509 0102030405 0607", Unknown(5, b"\1\2\3\4\5\6\7")),
        ("050e 000000010000000200000003", Unknown(5, b"\0\0\0\1\0\0\0\2\0\0\0\3")),
        ("0803 01", Unknown(8, b"\1")),
        ("2203 01", Unknown(34, b"\1")),
    ],
)
def test_a_known_kind_of_another_length_is_unknown(octets, option):
    assert decode_options(bytes.fromhex(octets)) == (option,)


@pytest.mark.parametrize("octets", ["02", "0200", "0201 05b4", "0205 05b4", "fe29 0102"])
def test_an_impossible_length_ends_the_list(octets):
    octets = bytes.fromhex(octets)
    assert decode_options(b"\1" + octets) == (NOP, Garbage(octets))


@pytest.mark.parametrize(
    "option",
    [
        Mss(65536),
        Mss(-1),
        WScale(256),
        Timestamps(1 << 32, 0),
        Timestamps(0, -1),
        Sack(((0, 1 << 32),)),
        Unknown(256, b""),
        Unknown(254, bytes(254)),
        FastOpen(bytes(300)),
    ],
)
def test_a_number_out_of_range_is_named(option):
    for options in [(option,), (NOP, NOP, option), (Mss(1), SACK_OK, Timestamps(1, 1), NOP, option)]:
        with pytest.raises(ValueError, match=type(option).__name__):
            encode_options(options)


def test_the_layout_of_a_syn_out_of_range_is_named():
    with pytest.raises(ValueError, match="Mss"):
        encode_options((Mss(65536), SACK_OK, Timestamps(0, 0), NOP, WScale(0)))
    with pytest.raises(ValueError, match="WScale"):
        encode_options((Mss(1460), SACK_OK, Timestamps(0, 0), NOP, WScale(256)))


def test_nops_of_ones_own_are_as_good():
    assert encode_options((Nop(), Nop(), Timestamps(1, 2))) == encode_options((NOP, NOP, Timestamps(1, 2)))


def test_timestamps_made_the_short_way_are_the_same():
    assert timestamps(1, 2) == Timestamps(1, 2)
    assert hash(timestamps(1, 2)) == hash(Timestamps(1, 2))
