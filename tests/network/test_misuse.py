"""What a user of the library does not mean is told: by an error with what is right, a warning, or a list to ask for."""

import asyncio
import errno
import logging

import pytest

from tcpemu import Conditions, Network, Rule, SocketError
from tcpemu.network import MILLISECOND, SECOND
from tcpemu.stack import ConfigurationError


def pair(conditions=None):
    network = Network()
    client, server = network.host("client", "10.0.0.2"), network.host("server", "10.0.0.1")
    network.link(client, server, conditions)
    return network, client, server


async def connect(node):
    connection = await node.connect("10.0.0.1", 80)
    await connection.recv(100)


def test_one_rule_needs_no_tuple():
    rule = Rule(flags="S", nth=1)
    assert Conditions(drop=rule).rules == Conditions(drop=(rule,)).rules == (rule,)


@pytest.mark.parametrize("drop", ["S", 5, ["S"], {"flags": "S"}])
def test_what_is_no_rule_is_refused(drop):
    with pytest.raises(ConfigurationError, match=r"give a Rule, or several as \(Rule\(\.\.\.\), Rule"):
        Conditions(drop=drop)


def test_a_rule_that_dropped_nothing_is_told_and_one_that_did_is_not():
    rules = (Rule(flags="S", nth=1), Rule(flags="F"), Rule(payload=False, nth=[50, 60]))
    network, client, _ = pair(Conditions(drop=rules))
    network.spawn(client, connect, errors_are_noted=True)
    assert len(network.idle_rules()) == 6, "there and back"
    network.run(SECOND + 500 * MILLISECOND)
    assert network.idle_rules() == [
        "client to server: every FIN: no packet matched, so nothing was dropped",
        "client to server: the 50th and 60th packet without data: 2 packets matched, and none was dropped",
        "server to client: every FIN: no packet matched, so nothing was dropped",
        "server to client: the 50th and 60th packet without data: 1 packet matched, and none was dropped",
    ]


def test_a_rule_holds_and_counts_from_a_time_up_to_another():
    network, client, _ = pair(Conditions(drop=Rule(flags="S", nth=1, begin=SECOND // 2, until=2 * SECOND)))
    network.spawn(client, connect, errors_are_noted=True)
    network.spawn(client, connect, errors_are_noted=True, at=SECOND)
    network.run(5 * SECOND)
    lost = [seen for seen in network.record.packets() if seen.why]
    assert [(seen.at, seen.why) for seen in lost] == [
        (SECOND, "dropped by rule: the 1st SYN from 0.5 s to 2 s")
    ]
    with pytest.raises(ConfigurationError, match="until=5: not after begin=5"):
        Rule(begin=5, until=5)


def test_spawn_takes_the_function_and_not_the_coroutine():
    network, client, _ = pair()
    with pytest.raises(ConfigurationError, match=r"write connect, not connect\(node\)"):
        network.spawn(client, connect(client))
    with pytest.raises(ConfigurationError, match="5 cannot be called"):
        network.spawn(client, 5)


@pytest.mark.parametrize("wait", [lambda: asyncio.sleep(1), lambda: asyncio.sleep(0)])
def test_asyncios_calls_are_told_from_ours(wait):
    async def sleeper(node):
        await wait()

    network, client, _ = pair()
    network.spawn(client, sleeper)
    with pytest.raises((RuntimeError, TypeError)) as caught:
        network.run(SECOND)
    said = " ".join([str(caught.value), *caught.value.__notes__])
    assert (
        "await calls of nodes, listeners and connections only, such as node.sleep(10 * MILLISECOND)" in said
    )


def test_an_error_that_ends_an_application_does_not_vanish(caplog):
    network, client, _ = pair()
    task = network.spawn(client, connect, "browser")
    with caplog.at_level(logging.WARNING, "tcpemu"):
        network.run(SECOND)
    assert network.failed == [task]
    assert isinstance(task.error, ConnectionRefusedError)
    assert [record.getMessage() for record in caplog.records] == [
        "application 'browser' on node 'client' was ended by ECONNREFUSED at 0.001 s of virtual time: "
        "Connection refused"
    ]


def test_an_error_that_the_application_notes_is_not_warned_of(caplog):
    network, client, _ = pair()
    task = network.spawn(client, connect, errors_are_noted=True)
    network.run(SECOND)
    assert (network.failed, caplog.records) == ([task], [])


def test_programs_catch_the_kinds_of_error_that_they_catch_elsewhere():
    caught = []

    async def client_of_nobody(node):
        try:
            await node.connect("10.0.0.1", 80)
        except ConnectionRefusedError as error:
            caught.append(error)

    network, client, _ = pair(Conditions(delay=5 * MILLISECOND))
    network.spawn(client, client_of_nobody)
    network.run(SECOND)
    assert [(type(error).__mro__[1], error.errno) for error in caught] == [(SocketError, errno.ECONNREFUSED)]
