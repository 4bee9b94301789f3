"""ICMP errors: octets both ways, Scapy both ways, and octets that are none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import ICMP, IP, TCP, IPerror, TCPerror

from tcpemu.wire import IcmpError, Segment, address, decode_icmp, encode, encode_icmp, flags_of
from tcpemu.wire.bridge import icmp_from_scapy, to_scapy
from tcpemu.wire.codec import Refused
from tcpemu.wire.icmp import quote

OURS, PEER, ROUTER = address("192.168.0.1"), address("192.0.2.1"), address("192.0.2.254")
SENT = Segment(OURS, 8080, PEER, 42001, 7, 9, flags_of("PA"), 100, (), b"hello")
ERROR = IcmpError(ROUTER, OURS, 3, 4, quote(SENT, encode(SENT)), 1400)


def test_octets_and_back():
    octets = encode_icmp(ERROR)
    assert len(octets) == 20 + 8 + 28
    assert decode_icmp(octets) == ERROR
    assert (ERROR.flow, ERROR.seq, ERROR.mtu) == ((PEER, 42001, OURS, 8080), 7, 1400)
    said = "192.0.2.254 says: destination unreachable (fragmentation needed) of 192.168.0.1:8080 > 192.0.2.1:42001"
    assert str(ERROR) == said


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


@pytest.mark.parametrize(
    ("octets", "says"),
    [
        (b"", "no header of IPv4"),
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
