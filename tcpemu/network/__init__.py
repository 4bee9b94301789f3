"""Virtual time, links with faults, several hosts, applications; and the record of what happened.

Where things are:

    put together    network.py: hosts, links and applications of one run, and its seed
    time            clock.py: nanoseconds and their text · loop.py: what is due next · seeds.py: every random stream
    between nodes   conditions.py: what a link does, as values · links.py: does it, packet by packet ·
                    faults.py: faults by role, as values · packet_roles.py: which part a packet plays ·
                    fault_layer.py: does to packets what faults say ·
                    addresses.py: who has which address
    a node          node.py: drives one host step by step; raw nodes · endpoint.py: what a host must offer to be driven
    applications    task.py: coroutines in virtual time · socket_calls.py: calls that wait and are tried again ·
                    application_sockets.py: listening and connected sockets, to be awaited
    what remains    record.py: packets, events and calls in order · recorded/: hosts as they stood

Rules drop chosen packets, `loss` drops by chance; the same seed gives the same packets:

>>> from tcpemu.network import MILLISECOND, SECOND, Conditions, Network, Point, Rule
>>> network = Network(seed=7)
>>> server, client = network.host("server", "10.0.0.1"), network.host("client", "10.0.0.2")
>>> first_syn_lost = Conditions(delay=20 * MILLISECOND, drop=(Rule(flags="S", nth=1),))
>>> network.link(client, server, first_syn_lost, back=Conditions(delay=20 * MILLISECOND))
>>> async def serve(node):
...     node.listen(80, backlog=5)
>>> async def ask(node):
...     await node.connect("10.0.0.1", 80)
...     print(node.now / SECOND)
>>> tasks = network.spawn(server, serve), network.spawn(client, ask)
>>> network.run(until=5 * SECOND)
1.04
>>> [packet.why for packet in network.record.packets(point=Point.LOST)]
['dropped by rule: the 1st SYN']
>>> network.counters(client)["TCPSynRetrans"]
1
"""

from tcpemu.network.application_sockets import ConnectedSocket, ListeningSocket, OptionValues
from tcpemu.network.clock import MICROSECOND, MILLISECOND, SECOND, duration, seconds_text
from tcpemu.network.conditions import LOOPBACK, Conditions, Red, Rule
from tcpemu.network.endpoint import Endpoint, EndpointSocket
from tcpemu.network.faults import Fault, crash, cut, delay, duplicate, lose, reject, reorder, reset
from tcpemu.network.network import Network
from tcpemu.network.node import Attached, Node, RawNode
from tcpemu.network.record import (
    WAITS,
    Call,
    Entry,
    HostEvent,
    PacketSeen,
    Point,
    QueueLength,
    Record,
)
from tcpemu.network.task import Task

__all__ = [
    "LOOPBACK",
    "MICROSECOND",
    "MILLISECOND",
    "SECOND",
    "WAITS",
    "Attached",
    "Call",
    "Conditions",
    "ConnectedSocket",
    "Endpoint",
    "EndpointSocket",
    "Entry",
    "Fault",
    "HostEvent",
    "ListeningSocket",
    "Network",
    "Node",
    "OptionValues",
    "PacketSeen",
    "Point",
    "QueueLength",
    "RawNode",
    "Record",
    "Red",
    "Rule",
    "Task",
    "crash",
    "cut",
    "delay",
    "duplicate",
    "duration",
    "lose",
    "reject",
    "reorder",
    "reset",
    "seconds_text",
]
