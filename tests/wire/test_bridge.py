"""Scapy packets and segments: nothing is lost either way, and no packet raises."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scapy.layers.inet import ICMP, IP, TCP, UDP, IPOption_NOP, IPOption_Router_Alert
from scapy.layers.inet6 import IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, PadN
from scapy.layers.l2 import ARP, Dot1Q, Ether
from scapy.packet import NoPayload, Padding, Raw

from tcpemu.wire import SYN, Mss, Refused, RefusedReason, Segment, address, encode
from tcpemu.wire.bridge import from_scapy, to_scapy
from tests.wire.strategies import segments, u8, u16, u32, valid_packets, valid_packets6

property_test = settings(deadline=None, max_examples=100)

addresses = st.ip_addresses(v=4).map(str)
addresses6 = st.ip_addresses(v=6).map(str)
ipv6_layers = st.builds(
    lambda ip, options: ip / IPv6ExtHdrDestOpt(options=[PadN(optdata=bytes(4))]) if options else ip,
    st.builds(IPv6, src=addresses6, dst=addresses6, hlim=u8, tc=u8, fl=st.integers(0, (1 << 20) - 1)),
    st.booleans(),
)
ip_layers = st.builds(
    IP,
    src=addresses,
    dst=addresses,
    ttl=u8,
    tos=u8,
    id=u16,
    flags=st.sampled_from(["", "DF"]),
    options=st.sampled_from([[], [IPOption_NOP()], [IPOption_Router_Alert()]]),
)
tcp_options = st.lists(
    st.one_of(
        st.builds(lambda value: ("MSS", value), u16),
        st.builds(lambda value: ("WScale", value), u8),
        st.builds(lambda *values: ("Timestamp", values), u32, u32),
        st.builds(lambda *values: ("SAck", values), u32, u32),
        st.just(("SAckOK", b"")),
        st.just(("NOP", None)),
        st.just(("EOL", None)),
    ),
    max_size=4,
)
tcp_layers = st.builds(
    TCP,
    sport=u16,
    dport=u16,
    seq=u32,
    ack=u32,
    flags=st.integers(0, 0x1FF),
    window=u16,
    urgptr=u16,
    reserved=st.integers(0, 7),
    options=tcp_options,
)
scapy_packets = st.builds(
    lambda ip, tcp, data: ip / tcp / Raw(data), ip_layers | ipv6_layers, tcp_layers, st.binary(max_size=50)
)


@property_test
@given(segments)
def test_a_segment_comes_back_from_scapy(segment):
    assert from_scapy(to_scapy(segment)) == segment


@property_test
@given(scapy_packets)
def test_a_scapy_packet_comes_back_from_its_segment(packet):
    segment = from_scapy(packet)
    assert isinstance(segment, Segment)
    assert bytes(to_scapy(segment)) == bytes(packet)


@property_test
@given(valid_packets() | valid_packets6())
def test_a_packet_that_scapy_read_comes_back(octets):
    read = IP(octets) if octets[0] >> 4 == 4 else IPv6(octets)
    assert bytes(to_scapy(from_scapy(read))) == octets


def test_every_field_of_the_scapy_packet_is_set():
    segment = Segment(
        address("10.0.0.1"), 1025, address("10.0.0.2"), 80, 7, 9, SYN, 500, (Mss(1460),), b"hi", ttl=3
    )
    packet = to_scapy(segment)
    assert [layer.__name__ for layer in packet.layers()] == ["IP", "TCP", "Raw"]
    assert (packet.src, packet.dst, packet.ttl, packet.flags, packet.len) == (
        "10.0.0.1",
        "10.0.0.2",
        3,
        "DF",
        46,
    )
    tcp = packet[TCP]
    assert (tcp.sport, tcp.dport, tcp.seq, tcp.ack, tcp.flags) == (1025, 80, 7, 9, "S")
    assert (tcp.window, tcp.dataofs, tcp.options, tcp[Raw].load) == (500, 6, [("MSS", 1460)], b"hi")
    assert "MSS" in packet.show(dump=True)


def test_a_change_counts_once_the_checksum_is_deleted():
    packet = to_scapy(Segment(address("10.0.0.1"), 1025, address("10.0.0.2"), 80, 7, 9, SYN, 500))
    packet[TCP].seq = 8
    assert from_scapy(packet).reason is RefusedReason.BAD_TCP_CHECKSUM
    del packet[TCP].chksum
    assert from_scapy(packet).seq == 8


@pytest.mark.parametrize("below", [Ether(), Ether() / Dot1Q(vlan=5), Ether() / Dot1Q(vlan=5) / Dot1Q(vlan=6)])
def test_the_ip_layer_is_found(below):
    packet = IP(src="10.0.0.1", dst="10.0.0.2") / TCP(sport=5)
    assert from_scapy(below / packet) == from_scapy(packet)
    assert from_scapy(Ether(bytes(below / packet) + bytes(6))) == from_scapy(packet)
    assert from_scapy(below / packet / Padding(bytes(6))) == from_scapy(packet)


def test_octets_inside_scapy_layers_are_read():
    segment = Segment(address("10.0.0.1"), 1025, address("10.0.0.2"), 80, 7, 9, SYN, 500)
    octets = encode(segment)
    assert from_scapy(Raw(octets)) == segment
    assert (
        from_scapy(IP(src="10.0.0.1", dst="10.0.0.2", proto=6, flags="DF", id=0) / Raw(octets[20:]))
        == segment
    )


@pytest.mark.parametrize(
    ("packet", "reason"),
    [
        (IP(src="10.0.0.1", dst="10.0.0.2") / ICMP(), RefusedReason.NOT_TCP),
        (IP(src="10.0.0.1", dst="10.0.0.2") / UDP(), RefusedReason.NOT_TCP),
        (
            IP(src="10.0.0.1", dst="10.0.0.2") / ICMP(type=3) / IP(src="10.0.0.2", dst="10.0.0.1") / TCP(),
            RefusedReason.NOT_TCP,
        ),
        (IP(src="10.0.0.1", dst="10.0.0.2") / TCP(chksum=1), RefusedReason.BAD_TCP_CHECKSUM),
        (IP(src="10.0.0.1", dst="10.0.0.2", flags="MF") / TCP(), RefusedReason.FRAGMENT),
        (IP(src="10.0.0.1", dst="10.0.0.2", len=20) / TCP(), RefusedReason.TRUNCATED),
        (IP(src="10.0.0.1", dst="10.0.0.2") / TCP(dataofs=4), RefusedReason.BAD_TCP_HEADER),
        (IP(src="10.0.0.1", dst="10.0.0.2") / TCP(sport=70_000), RefusedReason.BAD_TCP_HEADER),
        (IP(src="10.0.0.1", dst="10.0.0.2") / TCP(options=[("WScale", 300)]), RefusedReason.BAD_TCP_HEADER),
        (IP(src="10.0.0.1", dst="10.0.0.2", ttl=300) / TCP(), RefusedReason.BAD_IP_HEADER),
        (IPv6(src="::1", dst="::2") / UDP(), RefusedReason.NOT_TCP),
        (IPv6(src="::1", dst="::2") / IPv6ExtHdrFragment() / TCP(), RefusedReason.FRAGMENT),
        (IPv6(src="::1", dst="::2") / TCP(chksum=1), RefusedReason.BAD_TCP_CHECKSUM),
        (IPv6(src="::1", dst="::2") / IP(dst="10.0.0.1") / TCP(), RefusedReason.NOT_TCP),
        (Ether() / ARP(psrc="10.0.0.1", hwsrc="00:00:00:00:00:01"), RefusedReason.NOT_IP),
        (TCP(), RefusedReason.NOT_IP),
        (Raw(b""), RefusedReason.TRUNCATED),
        (NoPayload(), RefusedReason.NOT_IP),
    ],
)
def test_a_packet_that_is_no_segment_is_refused(packet, reason):
    refused = from_scapy(packet)
    assert isinstance(refused, Refused), refused
    assert refused.reason is reason


anything = st.one_of(
    st.none(), st.integers(-1, 1 << 33), st.text(max_size=3), st.binary(max_size=3), st.floats()
)


@property_test
@given(
    st.dictionaries(
        st.sampled_from(["version", "ihl", "tos", "len", "id", "frag", "ttl", "proto", "chksum"]), anything
    ),
    st.dictionaries(
        st.sampled_from(["sport", "seq", "dataofs", "reserved", "window", "chksum", "urgptr"]), anything
    ),
    st.lists(
        st.tuples(st.sampled_from(["MSS", "WScale", "SAck", "Timestamp", "odd", 77]), anything), max_size=2
    ),
)
def test_whatever_is_in_its_fields_no_scapy_packet_raises(ip, tcp, options):
    packet = IP(src="10.0.0.1", dst="10.0.0.2") / TCP(options=options)
    try:
        for name, value in ip.items():
            setattr(packet, name, value)
        for name, value in tcp.items():
            setattr(packet[TCP], name, value)
    except Exception:  # Scapy itself would not take the value
        return
    assert isinstance(from_scapy(packet), Segment | Refused)
