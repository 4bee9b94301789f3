"""What is drawn for Hypothesis: it is taken where it is meant for, prints readably, and shrinks to the plainest."""

from itertools import pairwise
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, find, given, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample
from hypothesis.stateful import rule, run_state_machine_as_test
from scapy.layers.inet import IP, TCP

from tcpemu.network import Conditions
from tcpemu.network.faults import KINDS
from tcpemu.stack import ConfigurationError
from tcpemu.testing import World, strategies
from tcpemu.testing.bench import FULL, established, last_ack, listening, syn_recv, time_wait

ONCE = settings(
    max_examples=60, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)


def plainest(strategy, holds=lambda _: True):
    return find(strategy, holds, settings=settings(derandomize=True, database=None, max_examples=2000))


def drawn(strategy, examples=200):
    found = []

    @settings(max_examples=examples, derandomize=True, database=None)
    @given(strategy)
    def draw(value):
        found.append(value)

    draw()
    return found


# Faults.


@ONCE
@given(plan=strategies.faults(["server", "client"]))
def test_every_fault_is_one_of_the_network(plan):
    with World() as world:
        world.host("server"), world.host("client")
        world.fault(*plan)
        assert world.faults == plan
        assert len(set(plan)) == len(plan) <= 3


def test_every_kind_comes_and_only_what_is_asked_for():
    of_all = {fault.what for fault in drawn(strategies.one_fault(["server"]), 500)}
    assert of_all == set(KINDS)
    some = strategies.one_fault(
        ["a"], kinds=["lose", "delay"], roles=["syn", "data 2"], connections=1, times=1
    )
    found = drawn(some)
    assert {fault.what for fault in found} == {"lose", "delay"}
    assert {fault.role for fault in found} == {"syn", "data 2"}
    assert {fault.connection for fault in found} == {None, 1}
    assert {fault.times for fault in found} == {1}
    assert {fault.of for fault in found} == {None, "a"}
    assert {fault.of for fault in drawn(strategies.one_fault())} == {None}


def test_faults_shrink_to_the_fewest_and_plainest():
    plans = strategies.faults(["server", "client"])
    assert plainest(plans) == []
    assert [str(fault) for fault in plainest(plans, bool)] == ["lose the syn"]
    [fault] = plainest(plans, lambda plan: any(one.role == "third-ack" and one.times >= 2 for one in plan))
    assert str(fault) == "lose the third-ack 2 times"
    [fault] = plainest(plans, lambda plan: any(one.what == "delay" and one.of == "client" for one in plan))
    assert str(fault) == "delay the syn of client by 0.1 s"


def test_hosts_may_be_those_of_a_world():
    with World() as world:
        server = world.host("server")
        assert {fault.of for fault in drawn(strategies.one_fault([server]))} == {None, "server"}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"kinds": ["loose"]}, "kinds=['loose']: several of lose, delay"),
        ({"kinds": "lose"}, "kinds='lose': several of lose, delay"),
        ({"roles": "syn"}, "roles='syn': several roles, as ['syn', 'data 1']"),
        ({"roles": ["sin"]}, "'sin' is no part that a packet plays"),
        ({"hosts": [3]}, "hosts: 3 is no host; give hosts, or their names as text"),
        ({"within": "soon"}, "'soon' is no duration"),
    ],
)
def test_a_mistake_is_told_before_anything_is_drawn(arguments, sentence):
    with pytest.raises(ConfigurationError) as caught:
        strategies.faults(**arguments)
    assert sentence in str(caught.value)


# Links, kernels, sysctls, arrivals.


@ONCE
@given(there=strategies.links(), back=strategies.links(max_loss=0.05, max_delay="20 ms", slow=False))
def test_conditions_are_those_of_a_link(there, back):
    with World() as world:
        world.link(world.host("a"), world.host("b"), there)
        world.link("a", "b", there=there, back=back)
    assert back.loss <= 0.05
    assert back.delay <= 20_000_000
    assert back.rate is None


def test_links_shrink_to_the_usual_one_and_print_what_is_not_usual():
    assert plainest(strategies.links()) == Conditions()
    lossy = plainest(strategies.links(), lambda link: link.loss > 0.05)
    assert repr(lossy) == "Conditions(loss=0.1)"


def test_kernels():
    assert plainest(strategies.generations()) == "linux-6.18"
    assert plainest(strategies.generations("linux-3.10", "linux-6.18")) == "linux-3.10"
    assert all(name.startswith("linux") for name in drawn(strategies.generations(linux=True)))
    assert {"freebsd-14", "linux-2.4"} <= set(drawn(strategies.generations(), 400))
    with pytest.raises(ConfigurationError, match="there is no generation 'linux-9'"):
        strategies.generations("linux-9")


@ONCE
@given(kernel=st.sampled_from(["linux-6.18", "linux-2.4", "freebsd-14"]), data=st.data())
def test_sysctls_are_taken_by_the_kernel_they_are_for(kernel, data):
    changed = data.draw(strategies.sysctls(generation=kernel))
    with World(generation=kernel, sysctls=changed) as world:
        host = world.host("a").host
        assert {name: host.sysctls.get(name) for name in changed} == changed
    assert len(changed) <= 3


def test_sysctls_shrink_to_none_and_may_be_named():
    assert plainest(strategies.sysctls()) == {}
    found = drawn(strategies.sysctls("net.ipv4.tcp_syncookies"))
    assert {value for one in found for value in one.values()} == {0, 2}
    with pytest.raises(ConfigurationError, match="did you mean"):
        strategies.sysctls("net.ipv4.tcp_syncookie")


def test_arrivals_are_in_order_and_of_every_pattern():
    found = [[int(at.removesuffix(" ms")) for at in times] for times in drawn(strategies.arrivals(6), 400)]
    assert all(times == sorted(times) and times[0] == 0 and len(times) <= 6 for times in found)
    gaps = [[b - a for a, b in pairwise(times)] for times in found if len(times) >= 4]
    assert any(set(each) == {0} for each in gaps), "all at once"
    assert any(set(each) == {20} for each in gaps), "evenly"
    assert any(0 in each and 100 in each for each in gaps), "in bursts"
    assert any(len(set(each)) >= 3 for each in gaps), "at random"
    assert plainest(strategies.arrivals()) == ["0 ms"]
    with pytest.raises(ConfigurationError, match="3 to 2 clients"):
        strategies.arrivals(2, min_clients=3)


# Segments.

STATES = [listening, syn_recv, established, last_ack, time_wait]


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
@ONCE
@given(data=st.data())
def test_a_host_takes_any_of_them(state, data):
    host = state(opts=FULL) if state is not listening else state()
    for _ in range(3):
        assert host.give(data.draw(strategies.segments(host), "segment"))


@pytest.mark.parametrize(
    ("state", "verdict"),
    [
        (syn_recv, "HANDSHAKE_DONE"),
        (last_ack, "LAST_ACK_DONE"),
        (established, None),
    ],
)
def test_the_plainest_is_the_ack_that_the_host_expects(state, verdict):
    host = state()
    segment = plainest(strategies.segments(host))
    plain = host.segment("A", 1 if state is not last_ack else 2, 1 if state is not last_ack else 2)
    assert (segment.flags, segment.seq, segment.ack, segment.payload) == (
        plain.flags,
        plain.seq,
        plain.ack,
        b"",
    )
    name = host.give(segment)
    assert name == verdict or verdict is None


def test_numbers_are_often_right():
    host = established()
    expected = host.segment("A", 1, 1)
    found = drawn(strategies.segments(host), 300)
    assert sum(segment.seq == expected.seq for segment in found) > 90
    assert {segment.flags for segment in found} >= {2, 4, 16, 17}
    assert repr(plainest(strategies.segments(host))).startswith(
        "<Segment 10.0.0.2:41001 > 10.0.0.1:8080 ACK seq "
    )


@ONCE
@given(packet=strategies.packets(syn_recv()))
def test_packets_are_scapys(packet):
    assert packet[IP].dst == "10.0.0.1"
    assert packet[TCP].dport == 8080
    assert syn_recv().give(packet)


def test_segments_are_near_a_host_of_the_bench():
    with World() as world, pytest.raises(ConfigurationError, match=r"a host of tcpemu\.testing\.bench"):
        strategies.segments(world.host("a"))
    assert plainest(strategies.segments()).dport == 8080


# The machine.


def machine_with(broken):
    class Machine(strategies.WorldMachine):
        kinds = ("lose", "duplicate")
        settled: ClassVar = []

        def begin(self):
            self.world.link("server", "client", "10 ms")
            self.calls = 0

        @rule()
        def call(self):
            self.calls += 1
            self.world.run("client", fails if broken and self.calls == 2 else works)

        def settle(self):
            self.settled.append(len(self.world.faults))

    def works():
        pass

    def fails():
        raise LookupError("the planted mistake")

    return Machine


MACHINE = settings(
    max_examples=30, stateful_step_count=12, deadline=None, derandomize=True, database=None,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip


def test_a_machine_without_a_mistake_runs_and_has_faults():
    machine = machine_with(broken=False)
    run_state_machine_as_test(machine, settings=MACHINE)
    assert max(machine.settled) == 3


def test_a_machine_finds_what_fails_unseen_in_the_fewest_rules():
    with pytest.raises(LookupError, match="the planted mistake") as caught:
        run_state_machine_as_test(machine_with(broken=True), settings=MACHINE)
    notes = "\n".join(caught.value.__notes__)
    steps = [line for line in notes.splitlines() if line.startswith("state.")]
    assert steps.count("state.call()") == 2
    assert not any("fault" in step or "link" in step for step in steps)


def test_a_property_that_holds_has_no_counterexample():
    with pytest.raises(NoSuchExample):
        plainest(strategies.faults(max_faults=1), lambda plan: len(plan) > 1)
