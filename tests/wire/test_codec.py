"""Octets and segments: nothing is lost, and nothing that comes in raises."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tcpemu.wire import (
    ACK,
    AE,
    NOP,
    PSH,
    SACK_OK,
    SYN,
    Mss,
    Refused,
    RefusedReason,
    Segment,
    Timestamps,
    WScale,
    address,
    codec,
    decode,
    encode,
)
from tests.wire.strategies import checksum, damaged, segments, valid_packets, with_right_sums

property_test = settings(deadline=None, max_examples=200)

SYN_OF_LINUX = bytes.fromhex(
    "4500003c1c4640004006cf56c0a80101c0a80202"
    "d4310050499602d200000000a002faf0"
    "9e320000"
    "020405b40402080a0102030400000000"
    "01030307"
)
ACK_PACKET = encode(Segment(address("10.0.0.1"), 1025, address("10.0.0.2"), 80, 7, 9, ACK, 500))


def refusal(packet):
    refused = decode(packet)
    assert isinstance(refused, Refused), refused
    return refused.reason


def changed(at, octets, packet=ACK_PACKET):
    """The packet with other octets at one place, and right checksums."""
    packet = packet[:at] + octets + packet[at + len(octets) :]
    ip_size = (packet[0] & 15) * 4
    return with_right_sums(packet[:ip_size], packet[ip_size:])


def test_a_syn_of_linux_is_read():
    packet = with_right_sums(SYN_OF_LINUX[:20], SYN_OF_LINUX[20:])
    assert decode(packet) == Segment(
        src=address("192.168.1.1"),
        sport=54321,
        dst=address("192.168.2.2"),
        dport=80,
        seq=1234567890,
        ack=0,
        flags=SYN,
        window=64240,
        options=(Mss(1460), SACK_OK, Timestamps(0x01020304, 0), NOP, WScale(7)),
        ip_id=0x1C46,
    )


def test_header_bits_are_told_apart():
    segment = decode(ACK_PACKET)._replace(flags=AE | PSH, reserved=0b101, df=False, urgent=3, tos=0xB9)
    packet = encode(segment)
    assert packet[32:34] == bytes([0x5B, PSH])
    assert packet[6:8] == b"\0\0"
    assert packet[38:40] == b"\0\3"
    assert packet[1] == 0xB9
    assert decode(packet) == segment


@property_test
@given(segments)
def test_a_segment_comes_back_from_its_octets(segment):
    assert decode(encode(segment)) == segment


@property_test
@given(valid_packets())
def test_a_packet_comes_back_from_its_segment(packet):
    segment = decode(packet)
    assert isinstance(segment, Segment)
    assert encode(segment) == packet


@property_test
@given(valid_packets(), st.binary(min_size=1, max_size=30))
def test_padding_of_the_link_is_ignored(packet, padding):
    assert decode(packet + padding) == decode(packet)


@property_test
@given(st.binary(max_size=80) | damaged(valid_packets()) | damaged(segments.map(encode)))
def test_whatever_comes_in_is_a_segment_or_refused(packet):
    read = decode(packet)
    if isinstance(read, Segment):
        assert packet.startswith(encode(read))
    else:
        assert isinstance(read, Refused)


@property_test
@given(valid_packets() | segments.map(encode) | damaged(segments.map(encode)))
def test_the_short_way_and_the_careful_way_agree(packet):
    assert decode(packet) == codec._decode_with_care(packet)


def test_an_odd_length_goes_the_short_way_too(monkeypatch):
    segment = decode(ACK_PACKET)._replace(payload=b"odd")
    monkeypatch.setattr(codec, "_decode_with_care", None)
    assert decode(encode(segment)) == segment


@property_test
@given(valid_packets(), st.data())
def test_every_wrong_bit_below_the_total_length_is_noticed(packet, data):
    bit = data.draw(st.integers(0, len(packet) * 8 - 1))
    wrong = bytearray(packet)
    wrong[bit // 8] ^= 1 << bit % 8
    assert isinstance(decode(bytes(wrong)), Refused)


@pytest.mark.parametrize(
    ("packet", "reason"),
    [
        (b"", RefusedReason.TRUNCATED),
        (ACK_PACKET[:19], RefusedReason.TRUNCATED),
        (ACK_PACKET[:39], RefusedReason.TRUNCATED),
        (b"\x60" + bytes(59), RefusedReason.UNSUPPORTED_IP_VERSION),
        (b"\x50" + bytes(59), RefusedReason.NOT_IP),
        (b"\x44" + bytes(59), RefusedReason.BAD_IP_HEADER),
        (ACK_PACKET[:10] + b"\1\2" + ACK_PACKET[12:], RefusedReason.BAD_IP_CHECKSUM),
        (changed(6, b"\x20\0"), RefusedReason.FRAGMENT),
        (changed(6, b"\0\1"), RefusedReason.FRAGMENT),
        (changed(6, b"\xc0\0"), RefusedReason.BAD_IP_HEADER),
        (changed(9, b"\x11"), RefusedReason.NOT_TCP),
        (changed(32, b"\x40"), RefusedReason.BAD_TCP_HEADER),
        (changed(32, b"\x60"), RefusedReason.TRUNCATED),
        (ACK_PACKET[:36] + b"\1\2" + ACK_PACKET[38:], RefusedReason.BAD_TCP_CHECKSUM),
    ],
)
def test_each_refusal_has_its_reason(packet, reason):
    assert refusal(packet) is reason


def test_a_total_length_below_the_header_is_a_bad_header():
    short = bytearray(ACK_PACKET)
    short[2:4], short[10:12] = b"\0\x13", b"\0\0"
    short[10:12] = checksum(bytes(short[:20]))
    assert refusal(bytes(short)) is RefusedReason.BAD_IP_HEADER


def test_both_ways_to_write_a_checksum_of_zero_are_not_kept_apart_but_refused():
    segment = decode(ACK_PACKET)
    rest = int.from_bytes(ACK_PACKET[36:38], "big")
    zero = encode(segment._replace(urgent=rest))
    assert zero[36:38] == b"\0\0"
    assert decode(zero) == segment._replace(urgent=rest)
    assert refusal(zero[:36] + b"\xff\xff" + zero[38:]) is RefusedReason.BAD_TCP_CHECKSUM
    zero = encode(segment._replace(ip_id=int.from_bytes(ACK_PACKET[10:12], "big")))
    assert zero[10:12] == b"\0\0"
    assert isinstance(decode(zero), Segment)
    assert refusal(zero[:10] + b"\xff\xff" + zero[12:]) is RefusedReason.BAD_IP_CHECKSUM


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("sport", 65536),
        ("dport", -1),
        ("seq", 1 << 32),
        ("ack", -1),
        ("flags", 512),
        ("flags", -1),
        ("window", 65536),
        ("urgent", 65536),
        ("ttl", 256),
        ("tos", 256),
        ("ip_id", 65536),
        ("reserved", 8),
        ("src", bytes(16)),
        ("dst", bytes(3)),
        ("ip_options", bytes(3)),
        ("ip_options", bytes(44)),
        ("options", (NOP,) * 41),
        ("options", (Mss(65536),)),
        ("payload", bytes(65496)),
    ],
)
def test_a_field_out_of_range_is_named(field, value):
    segment = decode(ACK_PACKET)._replace(**{field: value})
    with pytest.raises(
        ValueError, match="Mss" if value == (Mss(65536),) else "packet" if field == "payload" else field
    ):
        encode(segment)


def test_the_largest_packet_is_written_and_read():
    segment = decode(ACK_PACKET)._replace(payload=bytes(range(256)) * 255 + bytes(215))
    packet = encode(segment)
    assert len(packet) == 65535
    assert packet == with_right_sums(packet[:20], packet[20:])
    assert decode(packet) == segment
