"""A network as a whole: addresses, raw nodes, determinism, speed. The nodes are raw."""

import os
import subprocess
import sys
import time
from itertools import pairwise

import pytest

from tcpemu.network import MILLISECOND, SECOND, Conditions, Network, Point, Rule
from tcpemu.stack.base.errors import ConfigurationError
from tcpemu.wire.segment import Segment, address, flags_of


def seg(src, dst, flags="S", seq=0):
    return Segment(address(src), 1000, address(dst), 80, seq, 0, flags_of(flags), 1000)


def reply(segment):
    return segment._replace(src=segment.dst, sport=segment.dport, dst=segment.src, dport=segment.sport)


# Addresses.


def test_an_address_that_nobody_has():
    network = Network()
    a = network.raw("a", "10.0.0.1")
    a.send(seg("10.0.0.1", "10.0.0.9"))
    network.run(SECOND)
    assert [(e.at, e.node, e.point.value, e.number, e.why) for e in network.record] == [
        (0, "a", "sent", 1, ""),
        (0, "a", "lost", 1, "no host has this address"),
    ]


def test_replies_to_a_range_come_back_and_replies_to_nobody_are_lost():
    network = Network()
    flooder = network.raw("flooder", "198.51.100.0/24", "2001:db8::/64")
    target = network.raw("target", "10.0.0.1", on_receive=lambda segment, now: target.send(reply(segment)))
    flooder.send(seg("198.51.100.77", "10.0.0.1"))
    flooder.send(seg("203.0.113.1", "10.0.0.1"))
    network.run(SECOND)
    assert [(e.number, e.point.value, e.why) for e in network.record.packets() if e.number > 2] == [
        (3, "sent", ""),
        (4, "sent", ""),
        (4, "lost", "no host has this address"),
        (3, "received", ""),
    ]


def test_an_address_goes_before_a_range_and_a_small_range_before_a_large():
    network = Network()
    a = network.raw("a", "10.0.0.1")
    network.raw("large", "10.0.0.0/8")
    network.raw("small", "10.1.0.0/16")
    for last in ("10.0.0.1", "10.1.2.3", "10.2.3.4"):
        a.send(seg("10.0.0.1", last))
    network.run(SECOND)
    assert [(e.number, e.node) for e in network.record.packets(point=Point.RECEIVED)] == [
        (1, "a"),
        (2, "small"),
        (3, "large"),
    ]


def test_a_raw_node_that_answers_is_told_the_time():
    network = Network()
    seen = []
    a = network.raw("a", "10.0.0.1")
    network.raw("b", "10.0.0.2", on_receive=lambda segment, now: seen.append((segment, now)))
    network.at(SECOND, a.send, seg("10.0.0.1", "10.0.0.2"))
    network.run(2 * SECOND)
    assert seen == [(seg("10.0.0.1", "10.0.0.2"), SECOND + 500_000)]


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda n: n.raw("a", "10.0.0.9"), r"name 'a': give each node a name of its own"),
        (lambda n: n.raw("", "10.0.0.9"), r"name ''"),
        (lambda n: n.raw("b"), r"node 'b' has no address"),
        (lambda n: n.raw("b", "10.0.0.1"), r"address 10\.0\.0\.1 of 'b' is that of 'a'"),
        (lambda n: n.raw("b", "10.0.1.0/24"), r"address 10\.0\.1\.0/24 of 'b' is that of 'a'"),
        (lambda n: n.raw("b", "10.0.0"), r"'10\.0\.0' is no IP address; write it as"),
        (lambda n: n.raw("b", "10.0.0.1/24"), r"'10\.0\.0\.1/24' is no range of addresses"),
        (lambda n: n.run(-1), r"until=-1: a time is 0 ns or more"),
        (lambda n: n.run(SECOND) or n.run(0), r"until=0: it is 1 s already"),
        (lambda n: n.run(1.5), r"until=1\.5: time is a whole number"),
        (lambda n: n.at(-1, print), r"when=-1"),
    ],
)
def test_a_mistake_names_the_value_and_the_mend(make, says):
    network = Network()
    network.raw("a", "10.0.0.1", "10.0.1.0/24")
    with pytest.raises(ConfigurationError, match=says):
        make(network)


def test_a_node_that_could_not_be_made_leaves_its_name_and_addresses_free():
    network = Network()
    network.raw("a", "10.0.0.1")
    with pytest.raises(ConfigurationError):
        network.raw("b", "10.0.0.2", "10.0.0.1")
    network.raw("b", "10.0.0.3")
    network.raw("c", "10.0.0.2")


def test_run_within_run_is_refused():
    network = Network()
    network.at(0, network.run, SECOND)
    with pytest.raises(RuntimeError, match=r"run\(\) within run\(\)"):
        network.run(SECOND)


# Links that change.


def test_a_second_link_takes_the_place_of_the_first():
    network = Network()
    a, b = network.raw("a", "10.0.0.1"), network.raw("b", "10.0.0.2")
    network.link(a, b, Conditions(delay=10 * MILLISECOND))
    a.send(seg("10.0.0.1", "10.0.0.2"))
    network.run(MILLISECOND)
    network.link(a, b, Conditions(drop=(Rule(),)))
    a.send(seg("10.0.0.1", "10.0.0.2"))
    network.run(SECOND)
    assert [(e.number, e.point.value) for e in network.record.packets() if e.point is not Point.SENT] == [
        (2, "lost"),
        (1, "received"),
    ]


def test_a_link_that_is_laid_again_does_not_draw_as_the_first_did():
    network = Network(7)
    a, b = network.raw("a", "10.0.0.1"), network.raw("b", "10.0.0.2")
    lost = []
    for _ in range(3):
        network.link(a, b, Conditions(loss=0.5))
        before = len(network.record.packets("a", Point.LOST))
        for index in range(50):
            a.send(seg("10.0.0.1", "10.0.0.2", seq=index))
        lost.append([e.segment.seq for e in network.record.packets("a", Point.LOST)[before:]])
    first, second, third = lost
    assert first != second != third != first


# Determinism.

ROUGH = Conditions(10 * MILLISECOND, 5 * MILLISECOND, loss=0.2, duplicate=0.2, reorder=0.2)


def rough(seed, *, beside=False, loss=0.2):
    """What a and b say to each other over a rough link, with or without others around them."""
    network = Network(seed)
    if beside:
        c, d = network.raw("c", "10.0.0.3"), network.raw("d", "10.0.0.4")
        network.link(c, d, ROUGH)
    a, b = network.raw("a", "10.0.0.1"), network.raw("b", "10.0.0.2")
    network.link(a, b, Conditions(10 * MILLISECOND, 5 * MILLISECOND, loss=loss, duplicate=0.2, reorder=0.2))
    for index in range(100):
        if beside:
            network.at(index * MILLISECOND, c.send, seg("10.0.0.3", "10.0.0.4", seq=index))
        network.at(index * MILLISECOND, a.send, seg("10.0.0.1", "10.0.0.2", seq=index))
        network.at(index * MILLISECOND, b.send, seg("10.0.0.2", "10.0.0.1", seq=index))
    network.run(SECOND)
    return network.record


def fates(record, *nodes):
    """Everything but the packets' numbers."""
    return [(e.at, e.node, e.point, e.segment, e.why) for e in record.packets() if e.node in nodes]


def test_the_same_seed_gives_the_same_record():
    assert rough(7).entries == rough(7).entries
    assert rough(7).entries != rough(8).entries


def test_others_beside_them_change_nothing():
    assert fates(rough(7), "a", "b") == fates(rough(7, beside=True), "a", "b")


def test_two_links_do_not_draw_alike():
    def lost(node):
        return [e.segment.seq for e in rough(7, beside=True).packets(node, Point.LOST)]

    assert lost("a") != lost("b")
    assert lost("a") != lost("c")


def test_the_same_record_in_another_process():
    """Nothing depends on hash(), which differs from one process to the next."""
    code = (
        "from tcpemu.network.seeds import stream;"
        "print([stream(5, 'link', 'a', 'b', n).random() for n in range(3)])"
    )
    path = {"PYTHONPATH": os.pathsep.join(sys.path)}
    runs = [
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env=path | {"PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    ]
    assert runs[0] == runs[1] != ""


# Speed.


def test_a_flood_of_ten_thousand_takes_moments():
    network = Network()
    flooder = network.raw("flooder", "198.18.0.0/15")
    target = network.raw("target", "10.0.0.1", on_receive=lambda segment, now: target.send(reply(segment)))
    for index in range(10_000):
        source = bytes([198, 18, index >> 8, index & 255])
        segment = Segment(source, 1000, address("10.0.0.1"), 80, index, 0, 2, 1000)
        network.at(index * MILLISECOND, flooder.send, segment)
    began = time.process_time()
    network.run(60 * SECOND)
    assert time.process_time() - began < 2
    assert len(network.record.packets("flooder", Point.RECEIVED)) == 10_000


def test_the_record_is_in_order_of_time():
    times = [entry.at for entry in rough(1)]
    assert all(earlier <= later for earlier, later in pairwise(times))


# Looking on.


def test_somebody_may_look_at_a_host_after_each_step():
    network = Network()
    server, client = network.host("server", "10.0.0.1"), network.host("client", "10.0.0.2")
    seen = []

    def look(node, flow):
        states = [row.state.ss_name for row in network.table(node)]
        seen.append((network.now, node.name, flow and flow[1], states))

    async def serve(node):
        connection = await node.listen(80, 5).accept()
        connection.close()

    async def ask(node):
        await node.connect("10.0.0.1", 80, local=(None, 1000))

    network.after_each_step(look)
    network.spawn(server, serve)
    network.spawn(client, ask)
    network.run(3 * MILLISECOND)
    half = MILLISECOND // 2
    assert seen == [
        (0, "server", None, ["LISTEN"]),
        (0, "server", None, ["LISTEN"]),  # accept() waits
        (0, "client", None, []),  # bind()
        (0, "client", 80, ["SYN-SENT"]),
        (half, "server", None, ["LISTEN", "SYN-RECV"]),
        (2 * half, "client", None, ["ESTAB"]),
        (2 * half, "client", 80, ["ESTAB"]),  # connect() ends
        (3 * half, "server", None, ["LISTEN", "ESTAB"]),
        (3 * half, "server", 1000, ["LISTEN", "ESTAB"]),  # accept() gives it
        (3 * half, "server", 1000, ["LISTEN", "FIN-WAIT-1"]),
        (4 * half, "client", None, ["CLOSE-WAIT"]),
        (4 * half, "client", None, ["CLOSE-WAIT"]),  # its timers
        (5 * half, "server", None, ["LISTEN", "FIN-WAIT-2"]),
    ]


def test_a_call_says_on_which_connection_it_was_made_or_which_it_gave():
    network = Network()
    server, client = network.host("server", "10.0.0.1"), network.host("client", "10.0.0.2")

    async def serve(node):
        connection = await node.listen(80, 5).accept()
        await connection.recv(10)

    async def ask(node):
        connection = await node.connect("10.0.0.1", 80, local=(None, 1000))
        await connection.send(b"x")

    network.spawn(server, serve)
    network.spawn(client, ask)
    network.run(SECOND)
    there = (address("10.0.0.2"), 1000, address("10.0.0.1"), 80)
    here = (address("10.0.0.1"), 80, address("10.0.0.2"), 1000)
    flows = {(call.text.split("(")[0], call.result): call.flow for call in network.record.calls()}
    assert flows == {
        ("listen", ""): None,
        ("accept", "waits"): None,
        ("bind", ""): None,
        ("connect", "waits"): here,
        ("connect", "connected"): here,
        ("accept", "10.0.0.2:1000"): there,
        ("send", ""): here,
        ("recv", "1 octet"): there,
        ("ends", ""): None,
    }


def test_the_table_of_some_flows_has_listeners_and_those_that_are_there():
    network = Network()
    server, client = network.host("server", "10.0.0.1"), network.host("client", "10.0.0.2")
    server.listen(80, 5)

    async def ask(node):
        await node.connect("10.0.0.1", 80, local=(None, node.now + 1000))

    for port in range(3):
        network.spawn(client, ask, at=port)
    network.run(SECOND)
    local, remote = address("10.0.0.1"), address("10.0.0.2")
    wanted = [(remote, 1002, local, 80), (remote, 7, local, 80)]
    rows = network.table(server, wanted)
    assert [(row.state.ss_name, row.remote) for row in rows] == [("LISTEN", None), ("ESTAB", (remote, 1002))]
    assert len(network.table(server)) == 4


# Losses.


def test_what_is_sent_at_one_instant_is_not_taken_for_sent_later():
    """In virtual time many segments leave at the same nanosecond; a repeat among them must not look lost for that."""
    network = Network(seed=3)
    server, client = network.host("server", "10.0.0.1"), network.host("client", "10.0.0.2")
    there = Conditions(delay=20 * MILLISECOND, drop=(Rule(payload=True, nth=7),))
    network.link(client, server, there, Conditions(delay=20 * MILLISECOND))

    async def serve(node):
        connection = await node.listen(80, 5).accept()
        while await connection.recv(1 << 20):
            pass

    async def send(node):
        connection = await node.connect("10.0.0.1", 80)
        await connection.send(bytes(120_000))
        connection.close()

    network.spawn(server, serve)
    network.spawn(client, send)
    network.run(10 * SECOND)
    lost = network.record.packets("client", Point.LOST)
    repeated = network.counters(client).get("RetransSegs", 0)
    assert (len(lost), repeated) == (1, 1)
    assert "TCPDSACKOldSent" not in network.counters(server)
