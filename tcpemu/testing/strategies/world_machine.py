"""A world in which a machine of rules spoils the network and lets time pass, for a test to extend.

class Orders(WorldMachine):
    names = ("server", "client")

    def begin(self):
        self.world.run("server", "server.py")

    @rule(text=st.binary())
    def order(self, text):
        self.asked.append(self.world.start("client", submit(text)))

    @invariant()
    def nothing_is_delivered_twice(self): ...

TestOrders = Orders.TestCase
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tcpemu.generations import DEFAULT
from tcpemu.network import Fault
from tcpemu.testing.strategies.fault_strategies import one_fault
from tcpemu.testing.strategies.kernel_settings import generations
from tcpemu.testing.strategies.link_strategies import links
from tcpemu.testing.world import World


class WorldMachine(RuleBasedStateMachine):
    """Hypothesis calls its rules in any order: faults come, links get worse, time passes; and yours.

    `begin` puts onto the hosts what is there from the start, `settle` is called at the end. After each rule nothing may
    have failed that nobody has asked for; add what must hold as `@invariant()`. Whatever it finds shrinks to the
    fewest rules.
    """

    names: ClassVar[Sequence[str]] = ("server", "client")
    """Its hosts, in order."""
    kernels: ClassVar[Sequence[str]] = (DEFAULT,)
    """Kernels that the hosts may have, the plainest first; all have the same."""
    sysctls: ClassVar[dict[str, Any]] = {}
    """Sysctls of every host."""
    max_faults: ClassVar[int] = 3
    kinds: ClassVar[Sequence[str] | None] = None
    """Kinds of faults; None for all that the network has."""
    max_loss: ClassVar[float] = 0.0
    """The highest probability that a link loses a packet."""
    world: World
    """The world of this run: `world.run`, `world.start`, `world.until`, `world.counters` and so on."""

    # What a test may say.

    def begin(self) -> None:
        """What is there from the start: servers, links."""

    def settle(self) -> None:
        """What is done and held at the end, when no rule comes any more: `self.world.until()`, and asserts."""

    # The rules.

    @initialize(data=st.data())
    def make_world(self, data: st.DataObject) -> None:
        """The world, its hosts, and what `begin` adds."""
        kernel = data.draw(generations(*self.kernels), "kernel") if len(self.kernels) > 1 else self.kernels[0]
        self.world = World(generation=kernel, sysctls=self.sysctls)
        self.world.__enter__()
        for name in self.names:
            self.world.host(name)
        self.begin()

    @precondition(lambda self: len(self.world.faults) < self.max_faults)
    @rule(data=st.data())
    def a_fault_comes(self, data: st.DataObject) -> None:
        """Rule: one more fault, until there are `max_faults`."""
        fault: Fault = data.draw(one_fault(self.names, kinds=self.kinds), "fault")
        self.world.fault(_from_now_on(fault, self.world.network.now))

    @precondition(lambda self: len(self.names) > 1)
    @rule(data=st.data())
    def a_link_changes(self, data: st.DataObject) -> None:
        """Rule: two hosts have another link from now on."""
        one, other = data.draw(st.sampled_from(list(combinations(self.names, 2))), "between")
        self.world.link(one, other, data.draw(links(max_loss=self.max_loss), "conditions"))

    @rule(time=st.sampled_from(["0.1 s", "1 ms", "1 s", "10 s", "70 s"]))
    def time_passes(self, time: str) -> None:
        """Rule: what is due by then happens."""
        self.world.wait(time)

    # What always holds.

    @invariant()
    def nothing_has_failed_unseen(self) -> None:
        """Invariant: no program and no coroutine has failed whose result nobody has asked for."""
        if (error := self.world.untold_failure) is not None:
            raise error

    def teardown(self) -> None:
        """`settle`, and the end of the world."""
        world = getattr(self, "world", None)
        if world is None:
            return
        try:
            self.settle()
        finally:
            world.close()


def _from_now_on(fault: Fault, now: int) -> Fault:
    """A fault that happens at a time does so that long after it came."""
    data = fault.as_data()
    return Fault.from_data({**data, **{name: data[name] + now for name in ("at", "until") if name in data}})
