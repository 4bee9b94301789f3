"""Whole hosts on a network, as a user sets them up."""

import errno

import pytest

from tcpemu.network import (
    LOOPBACK,
    MILLISECOND,
    SECOND,
    WAITS,
    Conditions,
    HostEvent,
    Network,
    Point,
    Rule,
)
from tcpemu.stack import SocketError, State
from tcpemu.stack.base.events import Counted, Verdict
from tcpemu.wire.segment import SYN, Segment, address, flag_letters


def pair(there=None, back=None, seed=1, **client):
    """A client at 10.0.0.1 and a server at 10.0.0.2, 10 ms apart unless the conditions say otherwise."""
    network = Network(seed)
    c = network.host("client", "10.0.0.1", **client)
    s = network.host("server", "10.0.0.2")
    there = there or Conditions(delay=10 * MILLISECOND)
    network.link(c, s, there, back)
    return network, c, s


def sent(network, node=None):
    """(ms, node, flags, payload octets) of every packet sent."""
    return [
        (e.at // MILLISECOND, e.node, flag_letters(e.segment.flags), len(e.segment.payload))
        for e in network.record.packets(node, Point.SENT)
    ]


def calls(network, application):
    return [(c.at // MILLISECOND, c.text, c.result) for c in network.record.calls(application=application)]


async def echo(node):
    """Accept one connection and send back what comes until the end."""
    listener = node.listen(80, 5)
    connection = await listener.accept()
    while data := await connection.recv(1000):
        await connection.send(data)
    connection.close()


def test_a_handshake_and_accept_wakes_up():
    network, client, server = pair()

    async def connects(node):
        await node.connect("10.0.0.2", 80, local=(None, 40000))

    async def accepts(node):
        listener = node.listen(80, 5)
        connection = await listener.accept()
        return connection.remote

    task = network.spawn(server, accepts)
    network.spawn(client, connects)
    network.run(SECOND)
    assert sent(network) == [(0, "client", "S", 0), (10, "server", "SA", 0), (20, "client", "A", 0)]
    assert calls(network, "connects")[1:] == [
        (0, "connect(10.0.0.2:80)", WAITS),
        (20, "connect(10.0.0.2:80)", "connected"),
        (20, "ends", ""),
    ]
    assert calls(network, "accepts") == [
        (0, "listen(80, backlog 5)", ""),
        (0, "accept()", WAITS),
        (30, "accept()", "10.0.0.1:40000"),
        (30, "ends", ""),
    ]
    assert task.result == (address("10.0.0.1"), 40000)
    queues = [(q.at // MILLISECOND, q.accept, q.syn) for q in network.record.queue_lengths("server", 80)]
    assert queues[:2] == [(0, 0, 0), (10, 0, 1)]
    assert queues[-2:] == [(30, 1, 0), (30, 0, 0)]
    assert [(row.state, row.remote) for row in network.table(client)] == [
        (State.ESTABLISHED, (address("10.0.0.2"), 80))
    ]


def test_echo_both_ways_and_the_end():
    network, client, server = pair()
    got = []

    async def talks(node):
        connection = await node.connect("10.0.0.2", 80)
        await connection.send(b"hello")
        got.append(await connection.recv(100))
        connection.shutdown()
        got.append(await connection.recv(100))
        connection.close()

    network.spawn(server, echo)
    network.spawn(client, talks)
    network.run(SECOND)
    assert got == [b"hello", b""]
    assert (network.record.calls("server")[-1].text, network.record.calls("client")[-1].text) == (
        "ends",
        "ends",
    )
    assert [row.state for row in network.table(client)] == [State.TIME_WAIT]
    network.run(62 * SECOND)
    assert network.table(client) == []


def test_much_data_arrives_whole():
    network, client, server = pair(Conditions(delay=MILLISECOND, rate=100_000_000))
    data = bytes(range(256)) * 2000
    got = []

    async def reads(node):
        connection = await node.listen(80, 5).accept()
        while piece := await connection.recv(65536):
            got.append(piece)
            await node.sleep(MILLISECOND)

    async def writes(node):
        connection = await node.connect("10.0.0.2", 80)
        await connection.send(data)
        connection.close()

    network.spawn(server, reads)
    network.spawn(client, writes)
    network.run(60 * SECOND)
    assert b"".join(got) == data


def test_connect_refused():
    network, client, _ = pair()

    async def connects(node):
        await node.connect("10.0.0.2", 80)

    task = network.spawn(client, connects)
    network.run(SECOND)
    assert sent(network) == [(0, "client", "S", 0), (10, "server", "RA", 0)]
    assert task.error.name == "ECONNREFUSED"
    assert calls(network, "connects") == [
        (0, "connect(10.0.0.2:80)", WAITS),
        (20, "connect(10.0.0.2:80)", "ECONNREFUSED"),
        (20, "ends", "ECONNREFUSED"),
    ]


def test_a_call_that_fails_gives_its_port_back():
    network, client, _ = pair()
    failed = []

    async def tries(node):
        for _ in range(2):
            try:
                await node.connect("10.0.0.2", 80, local=(None, 40000))
            except SocketError as error:
                failed.append(error.name)
        client.listen(40000, 5)
        try:
            client.listen(40000, 5)
        except SocketError as error:
            failed.append(error.name)

    task = network.spawn(client, tries)
    network.run(SECOND)
    assert (failed, task.error) == (["ECONNREFUSED", "ECONNREFUSED", "EADDRINUSE"], None)


def test_a_syn_that_a_rule_drops_comes_again_after_a_second():
    network, client, server = pair(
        Conditions(delay=10 * MILLISECOND, drop=(Rule("S", without="A", nth=1),)),
        Conditions(delay=10 * MILLISECOND),
    )
    server.listen(80, 5)

    async def connects(node):
        await node.connect("10.0.0.2", 80)
        return node.now

    task = network.spawn(client, connects)
    network.run(5 * SECOND)
    assert [(e.at, e.number, e.why) for e in network.record.packets(point=Point.LOST)] == [
        (0, 1, "dropped by rule: the 1st SYN without ACK")
    ]
    assert sent(network)[:2] == [(0, "client", "S", 0), (1000, "client", "S", 0)]
    assert network.record.reasons_sent()[2].repeat == 1
    assert task.result == SECOND + 20 * MILLISECOND


def test_connect_to_nobody_gives_up_with_etimedout():
    network = Network()
    client = network.host("client", "10.0.0.1")
    caught = []

    async def connects(node):
        try:
            await node.connect("10.0.0.9", 80)
        except SocketError as error:
            caught.append(error.errno)

    network.spawn(client, connects)
    network.run(300 * SECOND)
    assert caught == [errno.ETIMEDOUT]
    lost = network.record.packets(point=Point.LOST)
    assert {e.why for e in lost} == {"no host has this address"}
    assert len(lost) == len(network.record.packets(point=Point.SENT)) >= 7


def test_abort_resets_the_peer():
    network, client, server = pair()

    async def reads(node):
        connection = await node.listen(80, 5).accept()
        await connection.recv(1)

    async def aborts(node):
        connection = await node.connect("10.0.0.2", 80)
        await node.sleep(100 * MILLISECOND)
        connection.abort()

    task = network.spawn(server, reads)
    network.spawn(client, aborts)
    network.run(SECOND)
    assert task.error.name == "ECONNRESET"
    assert sent(network)[-1][1:3] == ("client", "RA")
    assert network.table(client) == []
    assert [row.state for row in network.table(server)] == [State.LISTEN]


def test_a_host_speaks_to_itself():
    network = Network()
    host = network.host("host", "10.0.0.1")

    async def talks(node):
        connection = await node.connect("10.0.0.1", 80)
        await connection.send(b"to myself")
        return await connection.recv(100)

    network.spawn(host, echo)
    task = network.spawn(host, talks)
    network.run(SECOND)
    assert task.result == b"to myself"
    assert network.record.packets(point=Point.RECEIVED)[0].at == LOOPBACK.delay


async def sends_an_x(node):
    connection = await node.connect("10.0.0.2", 80)
    await connection.send(b"x")
    connection.close()


def test_counters_add_up_to_those_of_the_host():
    network, client, server = pair()
    network.spawn(server, echo)
    network.spawn(client, sends_an_x)
    network.run(SECOND)
    for node in (client, server):
        assert network.record.counters(node.name) == network.counters(node) != {}
    assert any(isinstance(e.event, Counted) for e in network.record.events(node="server"))
    assert network.record.counters("server", at=0) == {}


def test_every_packet_that_arrives_at_a_host_gets_one_verdict():
    network, client, server = pair(Conditions(10 * MILLISECOND, 5 * MILLISECOND, loss=0.1, duplicate=0.2))
    network.spawn(server, echo)
    network.spawn(client, sends_an_x)
    network.run(100 * SECOND)
    arrived = [e.number for e in network.record.packets(point=Point.RECEIVED)]
    assert [e.packet for e in network.record.events(Verdict)] == arrived
    assert sorted(network.record.reasons_sent()) == sorted(
        e.number for e in network.record.packets(point=Point.SENT)
    )


@pytest.mark.parametrize("hz", [None, 250])
def test_the_same_seed_gives_the_same_record(hz):
    def record(seed, beside=False):
        network, client, server = pair(
            Conditions(10 * MILLISECOND, 5 * MILLISECOND, loss=0.2, duplicate=0.1), seed=seed, hz=hz
        )
        if beside:
            other = network.host("other", "10.0.0.3")
            network.spawn(other, lambda node: node.connect("10.0.0.2", 81), "other")

        async def talks(node):
            connection = await node.connect("10.0.0.2", 80)
            await connection.send(b"x" * 5000)
            connection.close()

        network.spawn(server, echo)
        network.spawn(client, talks)
        network.run(20 * SECOND)
        return network.record

    assert record(1).entries == record(1).entries
    assert record(1).entries != record(2).entries

    def packets(of):
        return [(e.at, e.point, e.segment) for e in of.packets("client")]

    assert packets(record(1)) == packets(record(1, beside=True))


def test_a_raw_syn_that_is_abandoned_lets_the_request_expire():
    network = Network()
    raw = network.raw("raw", "198.51.100.0/24")
    server = network.host("server", "10.0.0.2")
    server.listen(80, 5)
    raw.send(Segment(address("198.51.100.7"), 1234, address("10.0.0.2"), 80, 1, 0, SYN, 1000))
    network.run(100 * SECOND)
    assert [at // 1000 for at, *_ in sent(network, "server")] == [0, 1, 3, 7, 15, 31]
    assert [(q.accept, q.syn) for q in network.record.queue_lengths("server", 80)] == [(0, 0), (0, 1), (0, 0)]
    assert network.record.queue_lengths("server", 80)[-1].at // SECOND == 63


def test_a_flood_of_ten_thousand_runs():
    network = Network()
    raw = network.raw("raw", "198.18.0.0/15")
    server = network.host("server", "10.0.0.2")
    server.listen(80, 128)
    target = address("10.0.0.2")
    for index in range(10_000):
        source = bytes([198, 18, index >> 8, index & 255])
        network.at(index * 100_000, raw.send, Segment(source, 1234, target, 80, index, 0, SYN, 1000))
    network.run(2 * SECOND)
    verdicts = network.record.events(Verdict)
    assert len(verdicts) == 10_000
    assert all(isinstance(entry, HostEvent) for entry in verdicts)


def test_every_host_has_localhost_to_itself():
    network = Network(seed=1)
    one, other = network.host("one", "10.0.0.1"), network.host("other", "10.0.0.2")
    answers = []

    async def serve(node):
        connection = await node.listen(80, 5, address="127.0.0.1").accept()
        await connection.send(node.name.encode())
        connection.close()

    async def ask(node):
        connection = await node.connect("127.0.0.1", 80)
        answers.append((node.name, await connection.recv(10), connection.local[0], connection.remote[0]))

    for node in (one, other):
        network.spawn(node, serve)
        network.spawn(node, ask)
    network.run(until=SECOND)
    here = address("127.0.0.1")
    assert answers == [("one", b"one", here, here), ("other", b"other", here, here)]


def test_a_host_that_connects_to_its_own_address_has_it_on_both_sides():
    network = Network(seed=1)
    host = network.host("host", "10.0.0.1", "10.0.0.2")
    seen = []

    async def serve(node):
        connection = await node.listen(80, 5).accept()
        seen.append(connection.remote[0])

    async def ask(node):
        await node.connect("10.0.0.2", 80)

    network.spawn(host, serve)
    network.spawn(host, ask)
    network.run(until=SECOND)
    assert seen == [address("10.0.0.2")]
