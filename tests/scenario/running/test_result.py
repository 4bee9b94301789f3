"""A result is a value: it can be compared, copied, pickled, and run in another process."""

import copy
import pickle
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from tcpemu.network import Network, Node
from tcpemu.scenario.format.load_scenario import load, load_runs
from tcpemu.scenario.running.build import run, run_all
from tcpemu.scenario.running.result import Result


def pickled(result: Result) -> Result:
    return pickle.loads(pickle.dumps(result))


def host_states(network: Network) -> dict[str, object]:
    """All that there is to see of each host."""
    nodes = [node for node in network.nodes.values() if isinstance(node, Node)]
    return {
        node.name: (network.table(node), network.pending(node), network.counters(node), node.addresses)
        for node in nodes
    }


@pytest.mark.parametrize("again", [pickled, copy.deepcopy, copy.copy])
@pytest.mark.parametrize("name", ["handshake", "listen-1-vs-5", "abort-on-overflow", "syn-dropped"])
def test_a_copy_of_a_result_is_equal_to_it(name, again):
    for result in run_all(load(name)):
        other = again(result)
        assert other is not result
        assert other == result
        assert list(other.record) == list(result.record)
        assert host_states(other.network) == host_states(result.network)
        assert list(other.network.nodes) == list(result.network.nodes)
        assert other.network.idle_rules() == result.network.idle_rules()


def test_results_of_other_runs_are_not_equal():
    ignored, reset = run_all(load("ignored-ack"))[0], run_all(load("abort-on-overflow"))[0]
    assert ignored != reset
    assert ignored != "ignored-ack"


def test_the_same_run_twice_gives_equal_results():
    (one,) = load_runs("ignored-ack")
    assert run(one) == run(one)
    assert run(one) != run(one, until=10**9)


def test_a_worker_gives_back_the_result_of_its_run():
    (one,) = load_runs("ignored-ack")
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as workers:
        assert workers.submit(run, one).result(timeout=120) == run(one)
