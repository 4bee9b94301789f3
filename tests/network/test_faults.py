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
    crash,
    cut,
    delay,
    duplicate,
    lose,
    reorder,
    reset,
)
from tcpemu.network.record import MIDDLEBOX
from tcpemu.stack.base.errors import ConfigurationError, SocketError
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


def raw_network():
    network = Network()
    network.raw("raw", "10.0.0.9")
    return network


def past_network():
    network = Network()
    network.run(until=2 * SECOND)
    return network


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
        (
            lambda: Fault("explode", "syn"),
            "it can be lose, delay, duplicate, reorder, reject, reset, cut, crash",
        ),
        (lambda: Fault("lose"), "a lose takes a role, as lose('third-ack'"),
        (lambda: Fault("reset"), "a reset takes at, a time"),
        (lambda: Fault("crash", at=1), "a crash takes a host"),
        (lambda: Fault("cut", "syn", at=1), "a cut has no role"),
        (lambda: Fault("crash", of="a", at=1, connection=1, by="b"), "a crash has no by and no connection"),
        (lambda: cut(at="3 s", until="3 s"), "until 3 s: give a time after 3 s"),
        (lambda: reset(at=-1), "at=-1: a time is 0 ns or more"),
        (lambda: Network().fault(crash("nobody", at=1)), "there is no host 'nobody'"),
        (lambda: raw_network().fault(crash("raw", at=1)), "raw has no TCP of this network"),
        (lambda: past_network().fault(reset(at="1 s")), "it is 2 s already; give a later time"),
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
WHOSE = {name: MORE[name] for name in ("of", "connection", "by")}
AT = st.integers(0, SECOND)
UNTIL = st.none() | st.integers(SECOND + 1, 2 * SECOND)
TIMED = (
    st.builds(reset, at=AT, **WHOSE)
    | st.builds(cut, at=AT, until=UNTIL, **WHOSE)
    | st.builds(crash, st.just("client"), at=AT, until=UNTIL)
)


@given(FAULTS | TIMED)
def test_a_fault_is_the_same_after_json(fault):
    assert Fault.from_data(json.loads(json.dumps(fault.as_data()))) == fault
    assert fault.role in str(fault)


@given(st.lists(FAULTS, max_size=3))
def test_no_octet_is_lost_for_the_applications_whatever_the_faults(faults):
    _, done = exchange(*faults, requests=2, until=400)
    assert len(done) == 1


# At a time.


def talk(*faults, seed=1, until=30, times=10):
    """A client that sends an octet each second, and reads its echo; how both fared, by time."""
    network = Network(seed)
    server, client = network.host("server", "10.0.0.1"), network.host("client", "10.0.0.2")
    network.link(client, server, Conditions(delay=10 * MILLISECOND))
    network.fault(*faults)
    told = []

    def tell(who, what):
        told.append((who, what, round(network.now / SECOND, 2)))

    async def serve(node):
        listener = node.listen(80, 10)
        while True:
            network.spawn(node, partial(answer, await listener.accept()))

    async def answer(connection, _):
        try:
            while data := await connection.recv(1000):
                await connection.send(data)
        except SocketError as error:
            tell("server", error.name)
        connection.close()

    async def ask(node):
        try:
            connection = await node.connect("10.0.0.1", 80)
            for number in range(times):
                await connection.send(bytes([number]))
                await connection.recv(1000)
                await node.sleep(SECOND)
            connection.close()
            tell("client", "done")
        except SocketError as error:
            tell("client", error.name)

    network.spawn(server, serve)
    network.when_switched(
        lambda node: None if node.off else network.spawn(node, serve if node is server else ask)
    )
    network.spawn(client, ask)
    network.run(until=until * SECOND)
    return network, told


def test_a_reset_ends_the_connection_at_both_ends():
    network, told = talk(reset(at="2.5 s"))
    assert told == [("server", "ECONNRESET", 2.51), ("client", "ECONNRESET", 3.08)]
    assert network.unmet_faults == []
    assert lost(network) == []
    sent = network.record.packets(node=MIDDLEBOX)
    assert [(flag_letters(packet.segment.flags), packet.point) for packet in sent] == [("RA", Point.SENT)] * 2


@pytest.mark.parametrize(("by", "first"), [("client", "server"), ("server", "client")])
def test_a_reset_in_the_name_of_one_end_reaches_the_other(by, first):
    network, told = talk(reset(at="2.5 s", by=by))
    (packet,) = network.record.packets(node=MIDDLEBOX)
    assert network.nodes[by].host.addresses == (packet.segment.src,)
    assert told[0][0] == first
    assert told[0][1] == "ECONNRESET"


def test_a_reset_finds_a_connection_whose_syn_was_not_answered():
    network, told = talk(reset(at="0.5 s"), lose("syn", times=3))
    assert told == [("client", "ECONNREFUSED", 0.51)]
    assert len(network.unmet_faults) == 0


def test_a_reset_of_what_is_over_meets_nothing():
    faults = (
        reset(at="20 s"),
        reset(at="2 s", of="client", connection=2),
        reset(at="2 s", of="server", connection=1),
    )
    network, told = talk(*faults)
    assert told == [("client", "done", 10.22)]
    assert network.unmet_faults == list(faults)
    assert faults[0].unmet_words == "no connection was there to be reset: reset at 20 s"


@pytest.mark.parametrize(
    ("fault", "senders"),
    [
        (cut(at="1.5 s", until="4 s"), {"client"}),
        (cut(at="1.5 s", until="4 s", by="client"), {"client"}),
        (cut(at="1.5 s", until="4 s", by="server"), {"server"}),
        (cut(at="1.5 s", until="4 s", of="server"), {"client"}),
        (cut(at="1.5 s", until="4 s", of="client", connection=1), {"client"}),
    ],
    ids=str,
)
def test_a_cut_loses_all_of_a_direction_for_its_time(fault, senders):
    network, told = talk(fault)
    packets = network.record.packets(point=Point.LOST)
    assert {packet.node for packet in packets} == senders
    assert all(1.5 * SECOND <= packet.at < 4 * SECOND for packet in packets)
    assert [who for who, *_ in told] == ["client"]
    assert told[0][2] > 11
    assert network.unmet_faults == []
    assert f"lost by a fault: {fault}" in packets[0].why


def test_a_cut_for_good():
    _, told = talk(cut(at="1.5 s"), until=2000)
    assert told == [("client", "ETIMEDOUT", told[0][2])]
    assert told[0][2] > 900
    assert talk(cut(at="1.5 s", of="client", connection=2))[0].unmet_faults != []


def test_a_host_that_crashes_forgets_all_and_says_nothing():
    network, told = talk(crash("server", at="2.5 s"), until=2000)
    assert told == [("client", "ETIMEDOUT", told[0][2])]
    server = network.nodes["server"]
    assert server.off
    assert network.table(server) == []
    assert network.counters(server) == network.record.counters("server") == {}
    assert network.record.counters("server", at=2 * SECOND)["PassiveOpens"] == 1
    assert network.record.packets(node="server")[-1].at < 2.5 * SECOND
    assert {packet.why for packet in network.record.packets(point=Point.LOST)} == {"the host is off"}


def test_a_host_that_starts_again_answers_old_segments_with_rsts():
    network, told = talk(crash("server", at="2.5 s", until="5 s"))
    assert told[0][:2] == ("client", "ECONNRESET")
    answers = [p for p in network.record.packets(node="server", point=Point.SENT) if p.at > 5 * SECOND]
    assert [flag_letters(packet.segment.flags) for packet in answers] == ["R"]
    assert network.record.counters("server") == network.counters(network.nodes["server"])
    assert network.counters(network.nodes["server"])["OutRsts"] == 1


def test_what_ran_on_a_host_that_crashes_has_no_word_on_its_way_out():
    network, told = talk(crash("client", at="2.5 s", until="6 s"))
    assert told == [("client", "done", 16.22)]
    between = [p for p in network.record.packets(node="client", point=Point.SENT) if 2.5 < p.at / SECOND < 6]
    assert between == []
    assert [call.text for call in network.record.calls("client") if 2.5 <= call.at / SECOND < 6] == [
        "the host crashes"
    ]


def test_the_secrets_of_a_host_that_starts_again_are_new_and_of_the_seed():
    def numbers(seed):
        network, _ = talk(crash("client", at="2.5 s", until="6 s"), seed=seed)
        sent = network.record.packets(node="client", point=Point.SENT)
        return [packet.segment.seq for packet in sent if flag_letters(packet.segment.flags) == "S"]

    first, second = numbers(3)
    assert abs(second - first) % 2**32 > 10**6
    assert numbers(3) == [first, second]
    assert numbers(4) != [first, second]


def test_of_and_by_name_the_end_and_the_sender():
    network, _ = exchange(lose("data 1", of="client", by="server"))
    assert lost(network) == [("server", "PA", 100)]
    network, _ = exchange(lose("data 1", of="server", by="server", connection=1))
    assert lost(network) == [("server", "PA", 100)]
