"""ICMP errors: octets both ways, Scapy both ways, and octets that are none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import ICMP, IP, TCP, IPerror, TCPerror
from scapy.layers.inet6 import ICMPv6DestUnreach, ICMPv6PacketTooBig, IPerror6, IPv6, IPv6ExtHdrDestOpt

from tcpemu.wire import IcmpError, Segment, address, decode_icmp, encode, encode_icmp, flags_of
from tcpemu.wire.bridge import icmp_from_scapy, to_scapy
from tcpemu.wire.icmp import quote
from tcpemu.wire.refused import Refused

OURS, PEER, ROUTER = address("192.168.0.1"), address("192.0.2.1"), address("192.0.2.254")
SENT = Segment(OURS, 8080, PEER, 42001, 7, 9, flags_of("PA"), 100, (), b"hello")
ERROR = IcmpError(ROUTER, OURS, 3, 4, quote(SENT, encode(SENT)), 1400)


def test_octets_and_back():
    octets = encode_icmp(ERROR)
    assert len(octets) == 20 + 8 + 28
    assert decode_icmp(octets) == ERROR
    assert (ERROR.flow, ERROR.seq, ERROR.mtu) == ((PEER, 42001, OURS, 8080), 7, 1400)
    said = "destination unreachable (fragmentation needed, MTU 1400) of 192.168.0.1:8080 > 192.0.2.1:42001"
    assert str(ERROR) == f"192.0.2.254 says: {said}"


def test_scapy_reads_what_we_write():
    packet = to_scapy(ERROR)
    assert (packet[ICMP].type, packet[ICMP].code, packet[ICMP].nexthopmtu) == (3, 4, 1400)
    assert (packet[IPerror].dst, packet[TCPerror].sport, packet[TCPerror].seq) == ("192.0.2.1", 8080, 7)
    assert icmp_from_scapy(packet) == ERROR


def test_we_read_what_scapy_writes():
    quoted = IP(src="192.168.0.1", dst="192.0.2.1") / TCP(sport=8080, dport=42001, seq=7)
    error = icmp_from_scapy(IP(src="192.0.2.254", dst="192.168.0.1") / ICMP(type=11, code=0) / quoted)
    assert isinstance(error, IcmpError)
    assert (error.kind, error.code, error.flow, error.seq) == (11, 0, (PEER, 42001, OURS, 8080), 7)


OURS6, PEER6, ROUTER6 = address("2001:db8::1"), address("2001:db8:1::1"), address("2001:db8:1::fe")
SENT6 = Segment(OURS6, 8080, PEER6, 42001, 7, 9, flags_of("PA"), 100, (), bytes(1300), flow_label=5)
ERROR6 = IcmpError(ROUTER6, OURS6, 2, 0, quote(SENT6, encode(SENT6)), 1280)


def test_octets_of_icmpv6_and_back():
    octets = encode_icmp(ERROR6)
    assert len(octets) == 1280  # as much of the packet as fits the least MTU
    assert decode_icmp(octets) == ERROR6
    assert (ERROR6.flow, ERROR6.seq, ERROR6.mtu, ERROR6.too_large) == (
        (PEER6, 42001, OURS6, 8080),
        7,
        1280,
        True,
    )
    said = "2001:db8:1::fe says: packet too big (MTU 1280) of [2001:db8::1]:8080 > [2001:db8:1::1]:42001"
    assert str(ERROR6) == said
    unreachable = ERROR6._replace(kind=1, code=4)
    assert "destination unreachable (port) of" in str(unreachable)
    assert not unreachable.too_large


def test_scapy_reads_the_icmpv6_that_we_write():
    packet = to_scapy(ERROR6)
    assert (packet[ICMPv6PacketTooBig].mtu, packet[ICMPv6PacketTooBig].code) == (1280, 0)
    assert (packet[IPerror6].dst, packet[IPerror6].fl) == ("2001:db8:1::1", 5)
    again = IPv6(bytes(packet))
    del again[ICMPv6PacketTooBig].cksum
    assert bytes(again) == encode_icmp(ERROR6)
    assert icmp_from_scapy(packet) == ERROR6


def test_we_read_the_icmpv6_that_scapy_writes():
    quoted = IPv6(src="2001:db8::1", dst="2001:db8:1::1") / TCP(sport=8080, dport=42001, seq=7)
    says = IPv6(src="2001:db8:1::fe", dst="2001:db8::1")
    error = icmp_from_scapy(says / ICMPv6DestUnreach(code=0) / quoted)
    assert isinstance(error, IcmpError)
    assert (error.kind, error.code, error.flow, error.seq) == (1, 0, (PEER6, 42001, OURS6, 8080), 7)
    behind = IPv6(src="2001:db8::1", dst="2001:db8:1::1") / IPv6ExtHdrDestOpt() / TCP(sport=8080, seq=9)
    error = icmp_from_scapy(says / ICMPv6DestUnreach(code=0) / behind)
    assert (error.flow[3], error.seq) == (8080, 9)


@pytest.mark.parametrize(
    ("octets", "says"),
    [
        (encode(SENT6), "the next header is 6, not ICMPv6"),
        (encode_icmp(ERROR6)[:-1], "1279 octets of an IPv6 packet of 1280"),
        (encode_icmp(ERROR6)[:47], "47 octets of an IPv6 header and one of ICMPv6"),
        (encode_icmp(ERROR6)[:-1] + b"\xff", "the checksum of ICMPv6 is wrong"),
        (encode_icmp(ERROR6._replace(kind=128)), "ICMPv6 of type 128 that quotes no segment of TCP"),
        (encode_icmp(ERROR6._replace(quoted=ERROR6.quoted[:47])), "quotes no segment"),
        (encode_icmp(ERROR6._replace(quoted=ERROR.quoted + bytes(40))), "quotes no segment"),
    ],
)
def test_what_is_no_icmpv6_says_why(octets, says):
    refused = decode_icmp(octets)
    assert isinstance(refused, Refused)
    assert says in refused.detail


@pytest.mark.parametrize("wrong", [{"kind": 256}, {"dst": OURS}, {"tos": 256}, {"rest": 1 << 32}])
def test_a_field_of_icmpv6_that_does_not_fit_is_named(wrong):
    with pytest.raises(ValueError, match="does not fit"):
        encode_icmp(ERROR6._replace(**wrong))


@given(st.binary(max_size=80))
def test_octets_of_icmpv6_never_raise(octets):
    decode_icmp(b"\x60" + octets)
    decode_icmp(encode_icmp(ERROR6._replace(quoted=octets)))


@pytest.mark.parametrize(
    ("octets", "says"),
    [
        (b"", "no header of IPv4 or IPv6"),
        (encode(SENT), "the IP protocol is 6, not ICMP"),
        (encode_icmp(ERROR)[:-1], "55 octets of an IP packet of 56"),
        (encode_icmp(ERROR)[:-1] + b"\xff", "the checksum of ICMP is wrong"),
        (b"\x46" + encode_icmp(ERROR)[1:], "the IP checksum is wrong"),
        (encode_icmp(ERROR._replace(kind=8)), "ICMP of type 8 that quotes no segment of TCP"),
        (encode_icmp(ERROR._replace(quoted=ERROR.quoted[:27])), "quotes no segment"),
        (encode_icmp(ERROR._replace(quoted=b"\x45" + bytes(27))), "quotes no segment"),
    ],
)
def test_what_is_none_says_why(octets, says):
    refused = decode_icmp(octets)
    assert isinstance(refused, Refused)
    assert says in refused.detail


def test_a_field_that_does_not_fit_is_named():
    with pytest.raises(ValueError, match="does not fit"):
        encode_icmp(ERROR._replace(kind=256))


@given(st.binary(max_size=80))
def test_octets_never_raise(octets):
    decode_icmp(octets)
    decode_icmp(encode_icmp(ERROR)[:28] + octets)
