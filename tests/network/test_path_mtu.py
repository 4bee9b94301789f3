"""A router on the path has no room for a packet: what it says, to whom, when, and what comes of it."""

import pytest
from scapy.layers.inet import ICMP, IP, TCPerror
from scapy.layers.inet6 import ICMPv6PacketTooBig, IPv6

from tcpemu import Conditions, Network
from tcpemu.network import MILLISECOND, SECOND, Fault, Point, reject
from tcpemu.network.links import ROUTER, ROUTER6, too_large
from tcpemu.stack.base.errors import ConfigurationError, SocketError
from tcpemu.stack.base.events import IcmpArrived
from tcpemu.wire.bridge import icmp_from_scapy, to_scapy
from tcpemu.wire.icmp import decode_icmp, encode_icmp
from tcpemu.wire.segment import Segment, address

DELAY = 10 * MILLISECOND
ENDS = {4: ("10.0.0.1", "10.0.0.2"), 6: ("2001:db8::1", "2001:db8::2")}


def transferred(octets=3000, family=4, sysctls=None, **conditions):
    """A client sends so many octets over a link with these conditions; the network, and what the server got."""
    network = Network(seed=1)
    server, client = (
        network.host(name, ends, sysctls=sysctls)
        for name, ends in zip(("server", "client"), ENDS[family], strict=True)
    )
    network.link(client, server, Conditions(delay=DELAY, **conditions), Conditions(delay=DELAY))
    got = bytearray()

    async def serve(node):
        connection = await node.listen(80, 5).accept()
        while data := await connection.recv(65536):
            got.extend(data)

    async def send(node):
        connection = await node.connect(ENDS[family][0], 80)
        await connection.send(bytes(octets))
        connection.shutdown()

    network.spawn(server, serve)
    network.spawn(client, send)
    network.run(3 * SECOND)
    return network, len(got)


def arrived(network, node="client"):
    return [(entry.at, entry.event) for entry in network.record.events(IcmpArrived, node=node)]


def lost(network):
    return list(network.record.packets(point=Point.LOST))


@pytest.mark.parametrize("family", [4, 6])
def test_what_is_too_large_is_lost_and_said_to_be_and_sent_again_in_smaller_segments(family):
    network, got = transferred(family=family, mtu=1400)
    assert got == 3000
    assert {seen.why for seen in lost(network)} == {"larger than the path's MTU of 1400 octets"}
    first = lost(network)[0]
    (at, told), *_ = arrived(network)
    assert at == first.at + DELAY
    assert (told.error.mtu, told.error.src) == (1400, ROUTER if family == 4 else ROUTER6)
    assert told.reason.name == "ICMP_TOO_LARGE"
    later = [seen.segment for seen in network.record.packets("client", Point.SENT) if seen.at >= at]
    assert max(len(segment.payload) for segment in later) == (1400 - 52 if family == 4 else 1400 - 72)


def test_a_silent_router_is_a_black_hole():
    network, got = transferred(mtu=1400, icmp=False)
    assert got == 0
    assert not arrived(network)
    assert {seen.why for seen in lost(network)} == {
        "larger than the path's MTU of 1400 octets, and no router says so"
    }


def test_what_may_be_cut_goes_on():
    network, got = transferred(mtu=1400, sysctls={"net.ipv4.ip_no_pmtu_disc": 1})
    assert got == 3000
    assert not lost(network)


def test_what_fits_goes_on():
    network, got = transferred(mtu=1500)
    assert (got, lost(network), arrived(network)) == (3000, [], [])


def test_it_is_about_one_direction():
    network, _ = transferred(mtu=1400)
    assert not arrived(network, "server")


@pytest.mark.parametrize("family", [4, 6])
def test_what_it_says_is_read_the_same_from_octets_and_by_scapy(family):
    target, source = map(address, ENDS[family])
    segment = Segment(source, 1000, target, 80, 7, 8, 0x18, 1000, payload=bytes(2000), df=True)
    error = too_large(segment, 1300)
    assert decode_icmp(encode_icmp(error)) == error
    packet = to_scapy(error)
    assert icmp_from_scapy(packet) == error
    if family == 4:
        assert (packet[ICMP].type, packet[ICMP].code, packet[ICMP].nexthopmtu) == (3, 4, 1300)
        assert (len(packet), packet[TCPerror].sport, packet[IP].src) == (56, 1000, "192.0.0.8")
    else:
        assert (packet[ICMPv6PacketTooBig].mtu, len(packet), packet[IPv6].src) == (1300, 1280, "100:0:0:1::8")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"mtu": 60}, "a link has 68 to 65535"),
        ({"mtu": True}, "mtu=True"),
        ({"icmp": False}, "only a link with an mtu"),
    ],
)
def test_nonsense_is_refused(given, words):
    with pytest.raises(ConfigurationError, match=words):
        Conditions(**given)


# What a fault has a router say.


def opened(says, family=4, role="syn", **settings):
    """What becomes of connect() of a client whose packet of that role is rejected, and when; and the network."""
    network = Network(seed=1)
    server, client = (
        network.host(name, ends) for name, ends in zip(("server", "client"), ENDS[family], strict=True)
    )
    network.link(client, server, Conditions(delay=DELAY))
    network.fault(reject(role, says, of="client", **settings))
    server.listen(80, 5)
    found = []

    async def ask(node):
        try:
            connection = await node.connect(ENDS[family][0], 80)
            await connection.send(b"x")
            found.append((node.now, "connected"))
        except SocketError as error:
            found.append((node.now, error.name))

    network.spawn(client, ask)
    network.run(3 * SECOND)
    return found[0], network


@pytest.mark.parametrize(
    ("says", "four", "six"),
    [
        ("net unreachable", "ENETUNREACH", "ENETUNREACH"),
        ("host unreachable", "EHOSTUNREACH", "EHOSTUNREACH"),
        ("port unreachable", "ECONNREFUSED", "ECONNREFUSED"),
        ("prohibited", "EHOSTUNREACH", "EACCES"),
        ("time exceeded", "EHOSTUNREACH", "EHOSTUNREACH"),
    ],
)
def test_a_rejected_syn_ends_connect_with_the_errno_of_what_the_router_says(says, four, six):
    for family, name in ((4, four), (6, six)):
        (at, outcome), network = opened(says, family)
        assert (at, outcome) == (DELAY, name)
        assert [seen.why for seen in lost(network)] == [
            f"lost by a fault: reject the syn of client with {says}"
        ]


def test_rejected_data_is_sent_again():
    (_, outcome), network = opened("host unreachable", role="data 1")
    assert outcome == "connected"
    assert [told.reason.name for _, told in arrived(network)] == ["ICMP_SOFT"]
    sent = [seen for seen in network.record.packets("client", Point.SENT) if seen.segment.payload]
    assert len(sent) == 2


def test_a_reject_says_something_that_a_router_says():
    with pytest.raises(ConfigurationError, match="says='gone': it can be net unreachable"):
        reject("syn", "gone")
    fault = reject("syn", "time exceeded", of="client")
    assert Fault.from_data(fault.as_data()) == fault
    assert repr(fault) == "reject('syn', 'time exceeded', of='client')"
