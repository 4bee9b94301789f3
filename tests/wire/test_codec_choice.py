"""The compiled codec answers as the one in Python does, which is the judge; and which of them is used."""

import os
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tcpemu.wire import (
    NOP,
    SACK_OK,
    SYN,
    Mss,
    Refused,
    Sack,
    Segment,
    Timestamps,
    WScale,
    address,
    codec,
    codec_choice,
)
from tests.wire.strategies import damaged, segments, valid_packets

COMPILED = codec_choice.compiled_codec()
needs_compiled = pytest.mark.skipif(COMPILED is None, reason="the compiled codec was not built")
property_test = settings(deadline=None, max_examples=1000)
A_SEGMENT = Segment(
    address("192.0.2.1"),
    1025,
    address("192.0.2.2"),
    80,
    7,
    9,
    SYN,
    500,
    (Mss(1460), SACK_OK, Timestamps(1, 2), NOP, WScale(7)),
)
NUMBERS = ("sport", "dport", "seq", "ack", "flags", "window", "urgent", "ttl", "tos", "ip_id", "reserved")


def outcome(function, given):
    """What a function gives, or raises, with its type; and the types of what is in it."""
    try:
        found = function(given)
    except Exception as error:
        return type(error), str(error)
    return type(found), found, [type(one) for one in found] if isinstance(found, Segment) else None


def same_read(packet):
    assert outcome(COMPILED[0], packet) == outcome(codec.decode, packet)


def same_written(segment):
    assert outcome(COMPILED[1], segment) == outcome(codec.encode, segment)


@needs_compiled
@property_test
@given(
    valid_packets()
    | segments.map(codec.encode)
    | damaged(valid_packets())
    | damaged(segments.map(codec.encode))
    | st.binary(max_size=100)
)
def test_octets_are_read_alike(packet):
    same_read(packet)
    same_read(packet + b"padding")
    same_read(packet[:-1])


@needs_compiled
@property_test
@given(segments)
def test_segments_are_written_alike(segment):
    same_written(segment)


@needs_compiled
@property_test
@given(segments, st.sampled_from(NUMBERS), st.integers() | st.floats() | st.none() | st.booleans())
def test_what_does_not_fit_its_field_is_told_alike(segment, name, value):
    same_written(segment._replace(**{name: value}))


@needs_compiled
@pytest.mark.parametrize("syn", [True, False])
@pytest.mark.parametrize("number", [-1, 0, 255, 256, 65535, 65536, 2**32 - 1, 2**32, 2**64])
def test_numbers_in_common_options_are_written_alike(syn, number):
    choices = (
        (Mss(number), SACK_OK, Timestamps(1, 2), NOP, WScale(7)),
        (Mss(1), SACK_OK, Timestamps(number, 2), NOP, WScale(7)),
        (Mss(1), SACK_OK, Timestamps(1, 2), NOP, WScale(number)),
        (NOP, NOP, Timestamps(1, number)),
        (NOP, NOP, Sack(((1, number),) * 4)),
        (NOP, NOP, Sack(((1, 2),) * 5)),
    )
    for options in choices:
        same_written(A_SEGMENT._replace(options=options, flags=SYN if syn else 16))


@needs_compiled
@pytest.mark.parametrize("size", [0, 1, 2, 3, 1447, 1448, 65474, 65475, 65476, 65496])
def test_payloads_of_any_size_are_written_and_read_alike(size):
    segment = A_SEGMENT._replace(payload=bytes(range(256)) * 256)._replace(
        payload=(b"\xff\0\x80" * 22000)[:size]
    )
    same_written(segment)
    if size <= 65475:
        same_read(codec.encode(segment))


@needs_compiled
@pytest.mark.parametrize("given", [b"", bytearray(codec.encode(A_SEGMENT)), None, 5, memoryview(b"E" * 50)])
def test_what_are_no_octets_is_taken_alike(given):
    assert outcome(COMPILED[0], given)[0] is outcome(codec.decode, given)[0]


@needs_compiled
@pytest.mark.parametrize(
    "given", [None, (), tuple(A_SEGMENT), A_SEGMENT._replace(src=b"1"), A_SEGMENT._replace(options=[])]
)
def test_what_is_no_segment_is_taken_alike(given):
    same_written(given)


@needs_compiled
def test_a_wrong_checksum_is_refused_by_both():
    packet = bytearray(codec.encode(A_SEGMENT))
    packet[-1] ^= 1
    assert isinstance(COMPILED[0](bytes(packet)), Refused)


def test_the_environment_can_ask_for_python():
    script = "from tcpemu.wire import codec, decode; print(decode is codec.decode)"
    environment = {**os.environ, "TCPEMU_PLAIN_CODEC": "1"}
    ran = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
    )
    assert ran.stdout.split() == ["True"]


def test_the_compiled_codec_is_used_where_it_is_there():
    used = codec_choice.decode is not codec.decode
    assert used is (COMPILED is not None and os.environ.get("TCPEMU_PLAIN_CODEC", "") in ("", "0"))
