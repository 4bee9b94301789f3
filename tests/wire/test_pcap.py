"""The classic pcap format."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tcpemu.wire import Capture, CaptureError, Direction, Interface, LinkType, Packet, pcap
from tests.wire.strategies import damaged

property_test = settings(deadline=None, max_examples=200)

packets = st.builds(
    Packet,
    at=st.integers(0, (1 << 32) * 1_000_000_000 - 1),
    data=st.binary(max_size=40),
    original_length=st.none() | st.integers(41, 70_000),
)
captures = st.builds(
    Capture,
    interfaces=st.builds(Interface, name=st.just(""), link_type=st.sampled_from(LinkType)).map(
        lambda one: (one,)
    ),
    packets=st.lists(packets, max_size=5).map(tuple),
)


def file_of(order, magic, link_type, *records):
    octets = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 65535, link_type)
    for seconds, rest, original, data in records:
        octets += struct.pack(order + "IIII", seconds, rest, len(data), original) + data
    return octets


@property_test
@given(captures)
def test_a_capture_comes_back(capture):
    assert pcap.load(pcap.dump(capture)) == capture


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("magic", "unit"), [(0xA1B23C4D, 1), (0xA1B2C3D4, 1000)])
def test_both_orders_and_both_resolutions_are_read(order, magic, unit):
    capture = pcap.load(file_of(order, magic, 1, (7, 999_999, 60, b"frame")))
    packet = Packet(at=7_000_000_000 + 999_999 * unit, data=b"frame", original_length=60)
    assert capture == Capture((Interface("", LinkType.ETHERNET),), (packet,))


def test_a_link_type_without_a_name_is_kept():
    assert pcap.load(file_of("<", 0xA1B23C4D, 113)).interfaces[0].link_type == 113


def test_what_the_format_has_no_place_for_is_dropped():
    rich = Capture(
        interfaces=(Interface("a", description="x"), Interface("b")),
        packets=(Packet(5, b"ip", 1, ("why",), Direction.INBOUND),),
        application="tcpemu",
        comments=("seed 1",),
    )
    assert pcap.load(pcap.dump(rich)) == Capture((Interface(""),), (Packet(5, b"ip"),))


def test_two_link_types_are_too_many():
    with pytest.raises(CaptureError, match=r"write a \.pcapng file"):
        pcap.dump(Capture((Interface("a"), Interface("b", LinkType.ETHERNET)), ()))


@pytest.mark.parametrize(
    "packet", [Packet(-1, b""), Packet(1 << 63, b""), Packet(0, b"", original_length=-1)]
)
def test_a_number_out_of_range_names_the_packet(packet):
    with pytest.raises(CaptureError, match="packet 1: "):
        pcap.dump(Capture((Interface(""),), (Packet(0, b""), packet)))


@pytest.mark.parametrize(
    ("octets", "complaint"),
    [
        (b"what", "not pcap"),
        (file_of("<", 0xA1B23C4D, 101)[:23], "cut off"),
        (
            file_of("<", 0xA1B23C4D, 101, (1, 1, 2, b"ip"))[:30],
            "ends inside a packet's header at octet 24: .*head -c 24",
        ),
        (
            file_of("<", 0xA1B23C4D, 101, (1, 1, 2, b"ip"))[:-1],
            "ends inside a packet of 2 octets at octet 24: it was cut",
        ),
        (file_of("<", 0xA1B2C3D4, 101, (1, 1_000_000, 2, b"ip")), "at octet 24: the file is damaged"),
    ],
)
def test_a_broken_file_says_where_and_what_to_do(octets, complaint):
    with pytest.raises(CaptureError, match=complaint):
        pcap.load(octets)


@property_test
@given(damaged(captures.map(pcap.dump)))
def test_a_damaged_file_is_read_or_complained_of(octets):
    complaint = ""
    try:
        pcap.load(octets)
    except CaptureError as error:
        complaint = str(error)
    assert not complaint or "capture again" in complaint or "convert it" in complaint
