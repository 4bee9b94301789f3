"""Networks, records and tasks as values: what a copy has, and what it refuses."""

import copy
import pickle

import pytest

from tcpemu.network import SECOND, Call, Network, Point, Record, lose


def pickled(thing):
    return pickle.loads(pickle.dumps(thing))


async def refused(node):
    await node.connect("10.0.0.1", 80)


async def waits(node):
    await node.sleep(10 * SECOND)


def network() -> Network:
    """One call that failed, a fault that nothing met, and an application that still waits."""
    made = Network(seed=3)
    made.host("server", "10.0.0.1")
    client = made.host("client", "10.0.0.2")
    made.raw("flood", "198.51.100.0/24")
    made.fault(lose("fin", of=client))
    made.spawn(client, refused)
    made.spawn(client, waits)
    made.run(SECOND)
    return made


WAYS = pytest.mark.parametrize("again", [pickled, copy.copy, copy.deepcopy])


@WAYS
def test_a_copy_of_a_network_can_be_looked_at(again):
    first = network()
    other = again(first)
    assert other.record == first.record
    assert (other.now, other.seed) == (SECOND, 3)
    assert {name: node.addresses for name, node in other.nodes.items()} == {
        name: node.addresses for name, node in first.nodes.items()
    }
    assert other.counters(other.nodes["client"]) == first.counters(first.nodes["client"])
    assert other.unmet_faults == first.unmet_faults != []
    (task,) = other.failed
    assert (task.node, task.name, task.done, task.error.name) == ("client", "refused", True, "ECONNREFUSED")
    assert pickled(other).record == first.record, "and a copy can be copied"


@WAYS
def test_a_copy_of_a_network_does_not_go_on(again):
    other = again(network())
    assert other.next_due() is None
    for go_on in (
        lambda: other.run(2 * SECOND),
        lambda: other.spawn(other.nodes["client"], waits),
        lambda: other.at(2 * SECOND, print),
        other.step,
    ):
        with pytest.raises(RuntimeError):
            go_on()


@WAYS
def test_a_copy_of_a_record_is_one_of_its_own(again):
    record = network().record
    other = again(record)
    assert isinstance(other, Record)
    assert other == record
    assert (list(other), len(other)) == (list(record), len(record))
    assert other.packets(point=Point.SENT) == record.packets(point=Point.SENT)
    assert other.number() == record.number()
    other.add(Call(SECOND, "client", "", "recv(1)", ""))
    assert other != record
    assert len(other) == len(record) + 1


def test_each_entry_and_its_event_can_be_copied():
    for entry in network().record:
        assert pickled(entry) == copy.copy(entry) == copy.deepcopy(entry) == entry
        assert type(pickled(entry)) is type(entry)
