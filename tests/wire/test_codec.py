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
from tests.wire.strategies import (
    checksum,
    damaged,
    segments,
    valid_packets,
    valid_packets6,
    with_right_sums,
    with_right_sums_of_ipv6,
)

property_test = settings(deadline=None, max_examples=200)

SYN_OF_LINUX = bytes.fromhex(
    "4500003c1c4640004006cf56c0a80101c0a80202"
    "d4310050499602d200000000a002faf0"
    "9e320000"
    "020405b40402080a0102030400000000"
    "01030307"
)
ACK_PACKET = encode(Segment(address("10.0.0.1"), 1025, address("10.0.0.2"), 80, 7, 9, ACK, 500))

PACKET6 = encode(Segment(address("2001:db8::1"), 1025, address("2001:db8::2"), 80, 7, 9, ACK, 500))


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
@given(valid_packets() | valid_packets6())
def test_a_packet_comes_back_from_its_segment(packet):
    segment = decode(packet)
    assert isinstance(segment, Segment)
    assert encode(segment) == packet


@property_test
@given(valid_packets() | valid_packets6(), st.binary(min_size=1, max_size=30))
def test_padding_of_the_link_is_ignored(packet, padding):
    assert decode(packet + padding) == decode(packet)


@property_test
@given(st.binary(max_size=80) | damaged(valid_packets() | valid_packets6()) | damaged(segments.map(encode)))
def test_whatever_comes_in_is_a_segment_or_refused(packet):
    read = decode(packet)
    if isinstance(read, Segment):
        assert packet.startswith(encode(read))
    else:
        assert isinstance(read, Refused)


@property_test
@given(valid_packets() | valid_packets6() | segments.map(encode) | damaged(segments.map(encode)))
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


def of_ipv6(extensions, tcp, kind):
    """A packet of IPv6 with these extension headers, the first of this kind."""
    return with_right_sums_of_ipv6(PACKET6[:6] + bytes((kind,)) + PACKET6[7:40] + extensions, tcp)


@pytest.mark.parametrize(
    ("packet", "reason", "says"),
    [
        (PACKET6[:39], RefusedReason.TRUNCATED, "39 octets of an IPv6 header of 40"),
        (PACKET6[:-1], RefusedReason.TRUNCATED, "59 octets of an IPv6 packet of 60"),
        (of_ipv6(b"", PACKET6[40:59], 6), RefusedReason.TRUNCATED, "19 octets of a TCP header"),
        (PACKET6[:56] + b"\1\2" + PACKET6[58:], RefusedReason.BAD_TCP_CHECKSUM, "0x0102 is wrong"),
        (PACKET6[:20] + b"\1" + PACKET6[21:], RefusedReason.BAD_TCP_CHECKSUM, "is wrong"),
        (of_ipv6(b"", PACKET6[40:], 17), RefusedReason.NOT_TCP, "the next header is 17, not 6"),
        (of_ipv6(bytes((6, 0)) + bytes(6), PACKET6[40:], 44), RefusedReason.FRAGMENT, "put it together"),
        (of_ipv6(bytes((6, 0)) + bytes(6), PACKET6[40:], 43), RefusedReason.EXTENSION_HEADER, "routing"),
        (
            of_ipv6(bytes((6, 0, 5, 2, 0, 0, 1, 0)), PACKET6[40:], 0),
            RefusedReason.EXTENSION_HEADER,
            "hop-by-hop options with an option of kind 5; only padding is read",
        ),
        (
            of_ipv6(bytes((6, 0, 1, 4, 0, 9, 0, 0)), PACKET6[40:], 60),
            RefusedReason.EXTENSION_HEADER,
            "destination options with padding that is not zeros",
        ),
        (of_ipv6(bytes((6, 1)) + bytes(14), PACKET6[40:], 60), RefusedReason.EXTENSION_HEADER, "more than 7"),
        (
            of_ipv6(bytes((6, 0, 1, 9)) + bytes(4), PACKET6[40:], 60),
            RefusedReason.EXTENSION_HEADER,
            "cut off",
        ),
        (
            of_ipv6(bytes((6, 9)) + bytes(6), b"", 60),
            RefusedReason.TRUNCATED,
            "destination options is cut off",
        ),
        (
            of_ipv6(bytes((0, 0)) + bytes(6) + bytes((6, 0)) + bytes(6), PACKET6[40:], 0),
            RefusedReason.BAD_IP_HEADER,
            "not the first",
        ),
    ],
)
def test_each_refusal_of_ipv6_has_its_reason(packet, reason, says):
    refused = decode(packet)
    assert isinstance(refused, Refused), refused
    assert refused.reason is reason
    assert says in refused.detail


def test_extension_headers_of_padding_are_gone_past_and_kept():
    extensions = bytes((60, 0)) + bytes(6) + bytes((6, 0, 1, 4)) + bytes(4)
    segment = decode(of_ipv6(extensions, PACKET6[40:], 0))
    assert segment == decode(PACKET6)._replace(ip_options=b"\0" + extensions)
    assert encode(segment) == of_ipv6(extensions, PACKET6[40:], 0)


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("ip_id", 7, "ip_id is 7; IPv6 has no such field"),
        ("df", False, "df is False; IPv6 has no such field"),
        ("dst", bytes(4), "dst has 4 octets and the other address 16"),
        ("src", bytes(4), "dst has 16 octets and the other address 4"),
        ("flow_label", 1 << 20, "flow_label is 1048576; it must be between 0 and 1048575"),
        ("ttl", 256, "ttl is 256"),
        ("flags", 512, "flags is 512"),
        (
            "ip_options",
            b"\x2b" + bytes(8),
            "ip_options holds no extension headers of IPv6: a header of routing",
        ),
        ("ip_options", b"\x3c" + bytes((6, 0)) + bytes(7), "they end elsewhere"),
        ("options", (NOP,) * 41, "options take"),
        ("payload", bytes(65516), "the packet has 65576 octets; IPv6 allows 65575"),
    ],
)
def test_a_field_that_ipv6_has_no_place_for_is_named(field, value, says):
    with pytest.raises(ValueError, match=says):
        encode(decode(PACKET6)._replace(**{field: value}))


def test_ipv4_has_no_flow_label():
    with pytest.raises(ValueError, match="flow_label is 5; IPv4 has none"):
        encode(decode(ACK_PACKET)._replace(flow_label=5))


def test_the_largest_packet_of_ipv6_is_written_and_read():
    segment = decode(PACKET6)._replace(payload=bytes(range(256)) * 255 + bytes(235))
    packet = encode(segment)
    assert len(packet) == 65575
    assert packet == with_right_sums_of_ipv6(packet[:40], packet[40:])
    assert decode(packet) == segment


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
        ("src", bytes(5)),
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
