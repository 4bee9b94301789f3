"""Faults by role: which packet each meets, what it does to it, and that it can be written down and read again."""

import json
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcpemu.network import (
    MILLISECOND,
    SECOND,
    Conditions,
    Fault,
    Network,
    Point,
    delay,
    duplicate,
    lose,
    reorder,
)
from tcpemu.stack.base.errors import ConfigurationError
from tcpemu.wire.segment import flag_letters


def exchange(*faults, clients=1, requests=1, until=20):
    """Clients that connect one after the other, send requests of 100 octets and read an answer to each."""
    network = Network(seed=3)
    server, client = network.host("server", "10.0.0.1"), network.host("client", "10.0.0.2")
    network.link(client, server, Conditions(delay=10 * MILLISECOND))
    network.fault(*faults)
    done = []

    async def serve(node):
        listener = node.listen(80, 10)
        while True:
            network.spawn(node, partial(answer, await listener.accept()))

    async def answer(connection, _):
        while data := await connection.recv(1000):
            await connection.send(data)
        connection.close()

    async def ask(node):
        connection = await node.connect("10.0.0.1", 80)
        for _ in range(requests):
            await connection.send(b"x" * 100)
            assert await connection.recv(1000) == b"x" * 100
        connection.close()
        done.append(round(node.now / SECOND, 3))

    network.spawn(server, serve)
    for number in range(clients):
        network.spawn(client, ask, at=number * SECOND)
    network.run(until=until * SECOND)
    return network, done


def lost(network):
    return [
        (packet.node, flag_letters(packet.segment.flags), len(packet.segment.payload))
        for packet in network.record.packets(point=Point.LOST)
    ]


def test_without_faults_nothing_is_lost():
    network, done = exchange(clients=2)
    assert done == [0.04, 1.04]
    assert lost(network) == []


@pytest.mark.parametrize(
    ("fault", "what", "when"),
    [
        (lose("syn"), [("client", "S", 0)], 1.04),
        (lose("syn", times=3), [("client", "S", 0)] * 3, 3.04),
        (lose("syn-ack"), [("server", "SA", 0)], 1.04),
        (lose("syn-ack", of="client"), [("server", "SA", 0)], 1.04),
        (lose("third-ack"), [("client", "A", 0)], 0.04),
        (lose("data 1", of="client"), [("client", "PA", 100)], None),
        (lose("data 1", by="server"), [("server", "PA", 100)], None),
        (lose("fin", of="client"), [("client", "FA", 0)], 0.04),
    ],
    ids=str,
)
def test_the_packet_of_that_role_is_lost(fault, what, when):
    network, done = exchange(fault)
    assert lost(network) == what
    assert network.unmet_faults == []
    assert len(done) == 1
    if when is not None:
        assert done == [when]


def test_the_third_ack_of_one_connection_alone():
    network, _ = exchange(lose("third-ack", of="client", connection=2), clients=3)
    assert lost(network) == [("client", "A", 0)]
    (packet,) = network.record.packets(point=Point.LOST)
    assert 1 * SECOND < packet.at < 2 * SECOND, "the second client began at 1 s"
    assert "lost by a fault: lose the third-ack of client's connection 2" in packet.why


def test_data_is_counted_by_what_is_new():
    network, done = exchange(lose("data 2", of="client", times=2), requests=3)
    assert lost(network) == [("client", "PA", 100)] * 2, "the second piece, and its first repeat"
    assert len(done) == 1


def test_a_retransmission_can_be_lost_too():
    network, _ = exchange(lose("data 1", of="client"), lose("retransmission 1", of="client"))
    assert lost(network) == [("client", "PA", 100)] * 2


def test_a_delay():
    network, done = exchange(delay("data 1", "50 ms", of="client"))
    assert done == [0.09]
    assert lost(network) == []


def test_a_duplicate_arrives_twice():
    network, done = exchange(duplicate("data 1", of="client"))
    assert done == [0.04]
    copies = [packet for packet in network.record.packets(point=Point.RECEIVED) if packet.copy_of is not None]
    assert [(packet.node, len(packet.segment.payload)) for packet in copies] == [("server", 100)]


def test_what_is_reordered_comes_after_the_next_packet():
    network, done = exchange(reorder("third-ack", of="client"))
    arrived = [
        flag_letters(packet.segment.flags)
        for packet in network.record.packets(point=Point.RECEIVED, node="server")
    ]
    assert arrived[:3] == ["S", "PA", "A"]
    assert done == [0.04]


def test_what_nothing_overtakes_goes_on_by_itself():
    _, done = exchange(reorder("syn", of="client"))
    assert done == [1.04]


def test_a_fault_that_never_met_its_packet_is_told():
    never = lose("data 7", of="client")
    network, _ = exchange(never, lose("syn", of="client"))
    assert network.unmet_faults == [never]


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: lose("third ack"), "there are syn, syn-ack, third-ack"),
        (lambda: lose("data 0"), "with a number from 1"),
        (lambda: lose("syn 2"), "is no part that a packet plays"),
        (lambda: lose("syn", times=0), "times=0: a whole number, 1 or more"),
        (lambda: lose("syn", connection=True), "connection=True"),
        (lambda: lose("syn", of=7), "7 is no host"),
        (lambda: delay("syn", 0), "a delay takes a time"),
        (lambda: delay("syn", "soon"), "is no duration"),
        (lambda: Fault("explode", "syn"), "it can be lose, delay, duplicate, reorder"),
        (lambda: Fault.from_data({"what": "lose", "roll": "syn"}), "is no fault"),
        (lambda: Network().fault(lose("syn", of="nobody")), "there is no host 'nobody'"),
    ],
)
def test_what_is_no_fault_is_refused_with_what_would_be_right(make, says):
    with pytest.raises(ConfigurationError, match=says.replace("(", r"\(")):
        make()


ROLES = st.sampled_from(["syn", "syn-ack", "third-ack", "fin", "rst"]) | st.builds(
    "{} {}".format, st.sampled_from(["data", "ack", "retransmission"]), st.integers(1, 5)
)
MORE = {
    "of": st.none() | st.just("client"),
    "connection": st.none() | st.integers(1, 3),
    "by": st.none() | st.just("server"),
    "times": st.integers(1, 3),
}
FAULTS = (
    st.builds(lose, ROLES, **MORE)
    | st.builds(duplicate, ROLES, **MORE)
    | st.builds(reorder, ROLES, **MORE)
    | st.builds(delay, ROLES, st.integers(1, 2 * SECOND), **MORE)
)


@given(FAULTS)
def test_a_fault_is_the_same_after_json(fault):
    assert Fault.from_data(json.loads(json.dumps(fault.as_data()))) == fault
    assert fault.role in str(fault)


@given(st.lists(FAULTS, max_size=3))
def test_no_octet_is_lost_for_the_applications_whatever_the_faults(faults):
    _, done = exchange(*faults, requests=2, until=400)
    assert len(done) == 1
