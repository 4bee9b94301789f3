"""tcpemu: a user-space TCP that answers as a given Linux kernel would, in virtual time, and says why.

    import tcpemu

    result = tcpemu.run_scenario("ignored-ack")         # or a .toml file
    print(result.ladder())                              # every packet, and why
    result.save("x.pcapng")                             # for Wireshark

    network = tcpemu.Network()                          # or a network of one's own, in nanoseconds
    client, server = network.host("client", "10.0.0.2"), network.host("server", "10.0.0.1")
    listener = server.listen(80, backlog=1)

    async def talk(node):
        connection = await node.connect("10.0.0.1", 80)
        await connection.send(b"hello")

    network.spawn(client, talk)
    network.run(until=10**9)
    print(tcpemu.ladder_text(network.record))

The names below are what most programs need; each is loaded when it is first asked for, so that the stack
alone loads neither Scapy nor anything else outside the standard library. The rooms they live in have more;
each imports only from those below it:

    cli/            the commands; __main__.py: `python -m tcpemu`
    explain/        records to words, tables, ladders, plots, pages and captures
    scenario/       scenario files, step traces, claims
    kernel/         step traces on the real kernel of this machine
    network/        virtual time, links with faults, applications, the record
    generations/    what differs between kernels
    stack/          one host's TCP and its sockets
    wire/           segments, options, octets, capture files

and version.py is below all of them.
"""

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


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'tcpemu' has no attribute {name!r}")
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    """Everything that there is, for `help()` too."""
    return sorted({*globals(), *__all__})
