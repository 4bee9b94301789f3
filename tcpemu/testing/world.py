"""A network for a test: hosts by name, links, programs and coroutines on hosts, time, and what happened."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Coroutine, Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from tcpemu.explain.capture.annotated_capture import capture_of
from tcpemu.explain.capture.seen_by import SeenBy
from tcpemu.explain.ladder.ladder_lines import ladder_lines
from tcpemu.explain.lines.style import lines_text
from tcpemu.explain.tables.socket_table import socket_lines
from tcpemu.generations import DEFAULT
from tcpemu.network import SECOND, Conditions, Fault, Network, Node, Record, seconds_text
from tcpemu.programs import Driver, Program
from tcpemu.programs.launching.program_kinds import Runnable
from tcpemu.stack import Generation
from tcpemu.stack.base.errors import ConfigurationError
from tcpemu.testing import arguments, failures_seen
from tcpemu.testing.counters_moved import CountersMoved
from tcpemu.testing.host_task import HostTask
from tcpemu.testing.time_values import Time, nanoseconds_of
from tcpemu.wire.capture_file import write_capture

__tracebackhide__ = True  # in a failing test the program's own lines are shown, and none of these

T = TypeVar("T")
OF_THE_TEST = "test"
"""The host of what runs in the world's event loop without having been started on one."""
_CLOSED = "nothing runs outside of the world: `with World() as world:`"


class World:
    """Use it as a context manager: what runs at its end is ended, and what failed unseen is raised.

    Every host knows every other by its name. Hosts that no link joins reach each other in half a millisecond.
    Times are text ('20 ms') or seconds.
    """

    def __init__(
        self,
        seed: int = 0,
        *,
        generation: str | Generation = DEFAULT,
        sysctls: Mapping[str, object] | None = None,
        echo: bool = False,
    ) -> None:
        """`generation` and `sysctls` are those of every host that has none of its own.

        With `echo` what programs print is printed, each line under the program's name.
        """
        arguments.check_seed(seed)
        arguments.check_settings(generation, sysctls)
        self.network = Network(seed)
        self._driver = Driver(self.network, echo)
        self._generation, self._sysctls = generation, dict(sysctls or {})
        self._hosts: dict[str, Node] = {}
        self._tasks: list[HostTask[Any]] = []
        self._open = False
        self.faults: list[Fault] = []
        """Those that were given to `fault`, in order."""

    def __enter__(self) -> Self:
        self._driver.open()
        self._open = True
        return self

    def close(self) -> None:
        """End all that still runs."""
        self._open = False
        self._driver.close()

    @property
    def untold_failure(self) -> BaseException | None:
        """What first ended a program or a coroutine whose result nobody has asked for."""
        failed = [each.failure_untold for each in self._driver.programs]
        failed += [each.failure_untold for each in self._tasks]
        return next((each for each in failed if each is not None), None)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        untold = self.untold_failure
        self.close()
        if error is not None:
            failures_seen.note(self)
        elif untold is not None:
            failures_seen.note(self)
            raise untold

    # What it is made of.

    @property
    def hosts(self) -> dict[str, Node]:
        """Its hosts by their names, in order."""
        return dict(self._hosts)

    def host(
        self,
        name: str,
        *addresses: str | bytes | IPv4Address | IPv6Address | None,
        generation: str | Generation | None = None,
        sysctls: Mapping[str, object] | None = None,
        mtu: int = 1500,
        routes: Sequence[str] | None = None,
    ) -> Node:
        """A host. Its address is the next of 10.0.0.1, 10.0.0.2 ..., unless some are given, of IPv4 or IPv6.

        With `routes`, as ['10.0.0.0/24'], it reaches these networks only: elsewhere is ENETUNREACH, and who is not
        there EHOSTUNREACH after 3 s. Raises ConfigurationError for what is no name, address, kernel, sysctl or
        network.
        """
        if not isinstance(name, str):
            raise ConfigurationError(f"name={name!r}: the name of a host is text, as 'server'")
        arguments.check_settings(generation, sysctls)
        arguments.check_routes(routes)
        own = [arguments.address_text_of(one) for one in addresses if one is not None]
        node = self.network.host(
            name,
            *(own or (self._free_address(),)),
            generation=generation or self._generation,
            sysctls=self._sysctls | dict(sysctls or {}),
            mtu=mtu,
            routes=routes,
        )
        self._hosts[name] = node
        self._driver.add_host(name, node)
        return node

    def _free_address(self) -> str:
        number = len(self._hosts) + 1
        taken = {address for node in self._hosts.values() for address in node.addresses}
        while (text := f"10.0.{number >> 8}.{number & 255}") in taken or number & 255 in (0, 255):
            number += 1
        return text

    def link(
        self,
        one: Node | str,
        other: Node | str,
        delay: Time | Conditions = "0.5 ms",
        *,
        jitter: Time = 0,
        there: Time | Conditions | None = None,
        back: Time | Conditions | None = None,
        **conditions: Any,
    ) -> None:
        """Join two hosts: with a delay one way, and what else `Conditions` has (`loss=0.01`, `rate=10**7`).

        Instead of the delay whole Conditions may be given.
        `there` and `back` are conditions of one direction each, for what differs between them.
        """
        both = arguments.conditions(delay, jitter, conditions)
        ways = [both if way is None else arguments.conditions(way, 0, {}) for way in (there, back)]
        self.network.link(self._node(one), self._node(other), *ways)

    def every_link(self, conditions: Time | Conditions) -> None:
        """From now on hosts that no link joins reach each other in these conditions, or with this delay."""
        self.network.unsaid = arguments.conditions(conditions, 0, {})

    def fault(self, *faults: Fault) -> None:
        """From now on let faults meet their packets: `world.fault(lose("third-ack", of="client"))`."""
        arguments.check_faults(faults)
        self.network.fault(*faults)
        self.faults += faults

    @property
    def unmet_faults(self) -> list[Fault]:
        """The faults that no packet has met so far."""
        return self.network.unmet_faults

    def _node(self, host: Node | str) -> Node:
        if isinstance(host, Node):
            return host
        found = self._hosts.get(host)
        if found is None:
            names = ", ".join(self._hosts) or "none"
            raise ConfigurationError(f"there is no host {host!r}; there is {names}")
        return found

    # What runs.

    def run(self, host: Node | str, program: Runnable, *, at: Time | None = None, name: str = "") -> Program:
        """Have a program begin on a host: now, or at a time.

        `"server.py 8000"`, a Path, `["-m", "http.server"]`, a function, or `[function, argument]`.
        """
        arguments.check_program(program)
        node = self._running(host)
        begins = self.network.now if at is None else nanoseconds_of("at", at)
        return self._driver.run(node, program, name or self._free_name(node.name), begins)

    def _free_name(self, host: str) -> str:
        taken = {program.name for program in self._driver.programs}
        number = 1
        while (name := host if number == 1 else f"{host}-{number}") in taken:
            number += 1
        return name

    def start(self, host: Node | str, coroutine: Coroutine[Any, Any, T], *, name: str = "") -> HostTask[T]:
        """Have a coroutine run on a host, from now on."""
        arguments.check_coroutine(coroutine)
        node = self._running(host)
        title = name or f"{node.name}: {getattr(coroutine, '__name__', 'coroutine')}"
        task = HostTask(self._driver.start(node, coroutine, title), self._driver.until_done)
        self._tasks.append(task)
        return task

    async def on(self, host: Node | str, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on a host to its end, and give its value."""
        return await self.start(host, coroutine)

    @property
    def event_loop(self) -> asyncio.AbstractEventLoop:
        """The event loop of all its coroutines, for whoever wants to run one: `loop.run_until_complete(test(world))`.

        What runs in it and was not started on a host is on one of its own, `test`, once it asks for a socket.
        """
        if not self._open:
            raise RuntimeError(_CLOSED)
        if self._driver.loop.guest is None:
            self._driver.take_in(OF_THE_TEST, lambda: self._hosts.get(OF_THE_TEST) or self.host(OF_THE_TEST))
        return self._driver.loop

    def _running(self, host: Node | str) -> Node:
        if not self._open:
            raise RuntimeError(_CLOSED)
        return self._node(host)

    # Time.

    @property
    def now(self) -> float:
        """Seconds of virtual time; `network.now` has whole nanoseconds."""
        return self.network.now / SECOND

    @property
    def programs(self) -> list[Program]:
        """Every program that was started, in order."""
        return self._driver.programs

    def until(self, what: Time | Program | HostTask[Any] | None = None) -> Any:
        """Let time go on: to a time, or less if all has ended before; until a program or a coroutine has ended.

        Of a program or coroutine it gives the value, or raises what ended it. Without any of these, until all have
        ended but servers. Raises StuckError where what is waited for can never come, ConfigurationError for a time
        that is past.
        """
        if what is None:
            self._driver.until_all_ended()
            return None
        if isinstance(what, Program | HostTask):
            self._driver.until_done(lambda: what.done, what.name)
            return what.result()
        self._driver.check_may_drive()
        end = nanoseconds_of("until", what)
        if end < self.network.now:
            raise ConfigurationError(
                f"until={what!r}: it is {seconds_text(self.network.now)} already; give a later time, or wait(...)"
            )
        self._driver.until(end)
        return None

    def wait(self, time: Time) -> None:
        """Let so much time pass, whether anything runs or not: '3 s', or seconds."""
        self._driver.wait(self.network.now + nanoseconds_of("time", time))

    # What happened.

    @property
    def record(self) -> Record:
        """Packets, events and calls, in order."""
        return self.network.record

    def counters(self, host: Node | str) -> Counter[str]:
        """The counters of a host by their MIB names; what never moved is 0, and what no kernel has is a mistake."""
        return CountersMoved(self.network.counters(self._node(host)))

    def ss(self, host: Node | str) -> str:
        """The sockets of a host, as `ss -tan` shows them."""
        return lines_text(socket_lines(self.network.table(self._node(host))))

    def ladder(self, width: int = 100) -> str:
        """What happened, as `tcpemu run` draws it."""
        return lines_text(ladder_lines(self.record, width=width))

    def save(self, path: str | Path, *, with_lost: bool = False) -> Path:
        """Write the packets, each once, with comments that say why: .pcapng, or .pcap without comments.

        As a capture at the servers has them; `with_lost` adds those that never got there.
        """
        written = Path(path)
        capture = capture_of(self.record, SeenBy.SERVER, [f"seed {self.network.seed}"], with_lost=with_lost)
        write_capture(written, capture)
        return written
