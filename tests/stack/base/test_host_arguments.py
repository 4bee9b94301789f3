"""What a user of the library gives to a host is taken, or refused with a sentence that says what is right."""

import pytest
from scapy.layers.inet import IP, TCP

from tcpemu import Host, address, decode, encode, from_scapy, generation
from tcpemu.stack import ConfigurationError, NotEmulatedError
from tcpemu.wire import SYN, Segment

KERNEL = generation("linux-6.18")
SYN_OF_A_PEER = Segment(address("10.0.0.1"), 5000, address("192.0.2.1"), 80, 1, 0, SYN, 65535)


def test_addresses_may_be_text():
    assert Host(["192.0.2.1", address("192.0.2.2")], KERNEL).addresses == tuple(
        map(address, ("192.0.2.1", "192.0.2.2"))
    )


@pytest.mark.parametrize(
    ("addresses", "words"),
    [
        (["host"], "'host' is no IP address; write it as '192.0.2.1'"),
        ([5], "5 is no IP address"),
        ([b"\x01\x02"], "is no IP address"),
        ("192.0.2.1", r"give a list of them: \['192\.0\.2\.1'\]"),
        (address("192.0.2.1"), "give a list of them"),
        ([], "needs an address"),
    ],
)
def test_what_is_no_address_is_refused(addresses, words):
    with pytest.raises(ConfigurationError, match=words):
        Host(addresses, KERNEL)


@pytest.mark.parametrize("six", ["2001:db8::1", address("2001:db8::1")])
def test_addresses_may_be_of_ipv6(six):
    assert Host([six], KERNEL).addresses == (address("2001:db8::1"),)


@pytest.mark.parametrize("nobodys", ["::", "ff02::1", "::ffff:192.0.2.1", "0.0.0.0", "224.0.0.1"])
def test_an_address_that_no_host_has_is_refused(nobodys):
    with pytest.raises(ConfigurationError, match=f"{nobodys} can be no host's address"):
        Host(["192.0.2.1", nobodys], KERNEL)


def test_link_local_addresses_are_not_emulated():
    with pytest.raises(
        NotEmulatedError, match="fe80::1: link-local addresses, which need an interface, are not"
    ):
        Host(["fe80::1"], KERNEL)


def test_a_link_of_ipv6_carries_1280_octets():
    assert Host(["2001:db8::1"], KERNEL, mtu=1280)
    with pytest.raises(
        ConfigurationError, match="mtu is 1279; it can be 1280 to 65535; a link with less carries no"
    ):
        Host(["2001:db8::1"], KERNEL, mtu=1279)


def test_a_generation_is_a_value():
    with pytest.raises(ConfigurationError, match=r"tcpemu\.generation\('linux-6\.18'\)"):
        Host(["192.0.2.1"], "linux-6.18")


def test_a_packet_of_scapy_becomes_a_segment_first():
    host, packet = Host(["192.0.2.1"], KERNEL), IP(src="10.0.0.1", dst="192.0.2.1") / TCP(dport=80)
    with pytest.raises(ConfigurationError, match=r"an? IP is no Segment; .*tcpemu\.from_scapy\(packet\)"):
        host.receive(packet, 0)
    with pytest.raises(ConfigurationError, match=r"tcpemu\.decode\(octets\)"):
        host.receive(encode(SYN_OF_A_PEER), 0)
    host.receive(from_scapy(packet), 0)
    host.receive(decode(b"nothing"), 0)
    assert [event.reason.name for event in host.events() if hasattr(event, "outcome")] == [
        "NO_SOCKET",
        "PKT_TOO_SMALL",
    ]


def test_time_does_not_go_back():
    host = Host(["192.0.2.1"], KERNEL)
    host.advance(10)
    host.advance(10)
    with pytest.raises(ConfigurationError, match="now is 9 ns, but it is 10 ns already"):
        host.advance(9)
    with pytest.raises(ConfigurationError, match=r"now is 1\.5; a time is a whole number of nanoseconds"):
        host.advance(1.5)


def test_events_print_with_addresses_that_can_be_read():
    host = Host(["192.0.2.1"], KERNEL)
    listener = host.socket()
    listener.bind(None, 80)
    listener.listen(5, now=0)
    host.receive(SYN_OF_A_PEER, 3_000_000)
    said = [str(event) for event in host.events()]
    assert any(
        each.startswith("0.003000000 s accepted: 10.0.0.1:5000 > 192.0.2.1:80 SYN seq 1 win") for each in said
    )
    assert any("192.0.2.1:80 > 10.0.0.1:5000 SYN|ACK seq" in each for each in said)
    assert "0.003000000 s 192.0.2.1:80 - 10.0.0.1:5000: CLOSE to SYN_RECV" in " ".join(said)
    assert "0.000000000 s listener on port 80: accept queue 0, SYN queue 0, backlog 5" in said
    assert not any("\\x" in each for each in said)


@pytest.mark.parametrize(("now", "words"), [(9, "now is 9 ns, but it is 10 ns"), (10.0, "now is 10.0;")])
def test_no_verb_or_call_turns_time_back(now, words):
    host = Host(["192.0.2.1"], KERNEL)
    socket = host.socket()
    socket.bind("192.0.2.1", 80)
    host.advance(10)
    segment = Segment(
        address("198.51.100.7"), address("192.0.2.1"), 40000, 80, seq=1000, ack=0, flags=SYN, window=1000
    )
    for act in (
        lambda: host.receive(segment, now),
        lambda: socket.listen(1, now),
        lambda: host.socket().connect("198.51.100.7", 80, now),
    ):
        with pytest.raises(ConfigurationError, match=words):
            act()
    assert host.now == 10


def test_an_address_of_a_socket_may_be_text():
    host = Host(["192.0.2.1"], KERNEL)
    socket = host.socket()
    socket.bind("192.0.2.1", 80)
    assert socket.bound_address == address("192.0.2.1")
    with pytest.raises(ConfigurationError, match="'there' is no IP address"):
        host.socket().connect("there", 80, 0)
