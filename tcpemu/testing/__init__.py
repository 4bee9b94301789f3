"""For tests of other people's programs: a network to put them on, to spoil, and to look at.

world.py             hosts by name, links, programs and coroutines on hosts, time, and what happened
host_task.py         a coroutine that was started on a host: its value, or what ended it
bench/               one host whose tests read like traces: `host.send(...)`, `host.expect(...)`
strategies/          for Hypothesis: faults, links, kernels, sysctls, arrivals, segments, a machine of rules
arguments.py         what a test gives to a world: each mistake in one sentence
counters_moved.py    counters by their names; one that no kernel has is a mistake
time_values.py       times as a test writes them: '20 ms', or seconds
pytest_plugin.py     the fixture `world`, its options, and what becomes of tests that use it; loaded by every pytest
drill_items.py       packetdrill scripts as tests
world_of_test.py     the world of one test: made as its options say, run, ended
failures_seen.py     the last world that a test has made by itself and that ended with an error
failure_account.py   what a failing test prints: seed, line that repeats it, packets, sockets, counters, capture

>>> import socket
>>> from tcpemu.testing import World, lose
>>> def serve():
...     with socket.create_server(("", 80), backlog=5) as listener:
...         connection, _ = listener.accept()
...         connection.sendall(b"hello")
...         connection.close()
>>> def ask():
...     with socket.create_connection(("server", 80)) as connection:
...         return connection.recv(100)
>>> with World(seed=7) as world:
...     server, client = world.host("server"), world.host("client")
...     world.link(client, server, "20 ms")
...     world.fault(lose("syn", of=client))
...     _ = world.run(server, serve)
...     print(world.until(world.run(client, ask)), world.now)
b'hello' 1.08

Each name is loaded when it is first asked for: pytest loads this package in every project that it is installed in.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tcpemu.network import Conditions, Fault, crash, cut, delay, duplicate, lose, reject, reorder, reset
    from tcpemu.programs import Program, StuckError
    from tcpemu.testing.host_task import HostTask
    from tcpemu.testing.world import World

_HOMES = {
    "Conditions": "tcpemu.network",
    "Fault": "tcpemu.network",
    "crash": "tcpemu.network",
    "cut": "tcpemu.network",
    "delay": "tcpemu.network",
    "duplicate": "tcpemu.network",
    "lose": "tcpemu.network",
    "reject": "tcpemu.network",
    "reorder": "tcpemu.network",
    "reset": "tcpemu.network",
    "Program": "tcpemu.programs",
    "StuckError": "tcpemu.programs",
    "HostTask": "tcpemu.testing.host_task",
    "World": "tcpemu.testing.world",
}

__all__ = [
    "Conditions",
    "Fault",
    "HostTask",
    "Program",
    "StuckError",
    "World",
    "crash",
    "cut",
    "delay",
    "duplicate",
    "lose",
    "reject",
    "reorder",
    "reset",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'tcpemu.testing' has no attribute {name!r}")
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    """What help() and completion show, before any of it is loaded."""
    return sorted({*globals(), *__all__})
