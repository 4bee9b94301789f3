"""tcpemu: a user-space TCP that answers as a given Linux kernel would, in virtual time, and says why.

One host, and a segment for it; nothing runs by itself, time is what you say it is:

>>> from tcpemu import Host, Segment, address, generation
>>> from tcpemu.wire import flag_letters, flags_of
>>> host = Host([address("192.0.2.1")], generation("linux-6.18"))
>>> syn = Segment(address("198.51.100.7"), 40000, address("192.0.2.1"), 80, 1, 0, flags_of("S"), 65535)
>>> host.receive(syn, now=0)
>>> [flag_letters(segment.flags) for segment in host.transmit()]  # nobody listens
['RA']

Two hosts and a link, with applications as coroutines:

>>> from tcpemu import Network
>>> network = Network(seed=1)
>>> server, client = network.host("server", "10.0.0.1"), network.host("client", "10.0.0.2")
>>> async def serve(node):
...     connection = await node.listen(80, backlog=5).accept()
...     await connection.send(b"hello")
>>> async def ask(node):
...     connection = await node.connect("10.0.0.1", 80)
...     print(await connection.recv(100), node.now)
>>> tasks = network.spawn(server, serve), network.spawn(client, ask)
>>> network.run(until=1_000_000_000)
b'hello' 2000000

A scenario, by its name or from a .toml file, and what came of it; `ladder()` shows every packet and why, `save()`
writes a capture:

>>> from tcpemu import run_scenario
>>> run = run_scenario("ignored-ack")
>>> [(client.name, client.error) for client in run.clients]
[('first', ''), ('second', ''), ('late', 'ECONNRESET')]

The names below are what most programs need; each is loaded when it is first asked for, so that the stack
alone loads neither Scapy nor anything else outside the standard library. The rooms they live in have more;
each imports only from those below it:

    cli/            the commands; __main__.py: `python -m tcpemu`
    playground/     a page in which the emulator runs in a browser
    notebook/       values that show themselves in Jupyter, rows for pandas
    lab/            labs for a class: a capture and a key for each student, and their marking
    testing/        a network for tests of other programs
    diagnose/       captures of real systems: what is in them, what happened and why
    sweep/          many runs, measured
    explain/        records to words, tables, ladders, plots, pages and captures
    scenario/       scenario files, step traces, claims
    drill/          packetdrill scripts, in virtual time
    kernel/         step traces on the real kernel of this machine
    programs/       real Python programs on emulated hosts
    network/        virtual time, links with faults, applications, the record
    generations/    what differs between kernels
    stack/          one host's TCP and its sockets
    wire/           segments, options, octets, capture files

and version.py is below all of them.
"""

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

from tcpemu.version import __version__

if TYPE_CHECKING:
    from tcpemu.explain.capture.annotated_capture import capture_of
    from tcpemu.explain.ladder.ladder_lines import ladder_text
    from tcpemu.explain.scenario_run import ScenarioRun, run_scenario
    from tcpemu.generations import GENERATIONS, generation
    from tcpemu.network import Conditions, Network, Rule
    from tcpemu.stack import ConfigurationError, Host, NotEmulatedError, Socket, SocketError, State
    from tcpemu.wire import Segment, address, decode, encode
    from tcpemu.wire.bridge import from_scapy, to_scapy
    from tcpemu.wire.capture_file import write_capture

_HOMES = {
    "GENERATIONS": "tcpemu.generations",
    "generation": "tcpemu.generations",
    "Conditions": "tcpemu.network",
    "Network": "tcpemu.network",
    "Rule": "tcpemu.network",
    "ConfigurationError": "tcpemu.stack",
    "Host": "tcpemu.stack",
    "NotEmulatedError": "tcpemu.stack",
    "Socket": "tcpemu.stack",
    "SocketError": "tcpemu.stack",
    "State": "tcpemu.stack",
    "Segment": "tcpemu.wire",
    "address": "tcpemu.wire",
    "decode": "tcpemu.wire",
    "encode": "tcpemu.wire",
    "from_scapy": "tcpemu.wire.bridge",
    "to_scapy": "tcpemu.wire.bridge",
    "write_capture": "tcpemu.wire.capture_file",
    "capture_of": "tcpemu.explain.capture.annotated_capture",
    "ladder_text": "tcpemu.explain.ladder.ladder_lines",
    "ScenarioRun": "tcpemu.explain.scenario_run",
    "run_scenario": "tcpemu.explain.scenario_run",
}

__all__ = [
    "GENERATIONS",
    "Conditions",
    "ConfigurationError",
    "Host",
    "Network",
    "NotEmulatedError",
    "Rule",
    "ScenarioRun",
    "Segment",
    "Socket",
    "SocketError",
    "State",
    "__version__",
    "address",
    "capture_of",
    "decode",
    "encode",
    "from_scapy",
    "generation",
    "ladder_text",
    "run_scenario",
    "to_scapy",
    "write_capture",
]


if "IPython" in sys.modules:  # in a notebook hosts, networks and runs show themselves
    import_module("tcpemu.notebook.formatters").register()


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'tcpemu' has no attribute {name!r}")
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    """What help() and completion show, before any of it is loaded."""
    return sorted({*globals(), *__all__})
