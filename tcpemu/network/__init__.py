"""Virtual time, links with faults, several hosts, applications; and the record of what happened.

network.py puts it together. loop.py is time, links.py and conditions.py are what happens to packets between
nodes, node.py drives a host, application.py holds the calls that applications await, task.py runs them,
record.py is what remains.
"""

from tcpemu.network.application_sockets import Connection, Listener, Options
from tcpemu.network.clock import MICROSECOND, MILLISECOND, SECOND, duration, seconds_text
from tcpemu.network.conditions import LOOPBACK, Conditions, Rule
from tcpemu.network.endpoint import Endpoint, EndpointSocket
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
    "Connection",
    "Endpoint",
    "EndpointSocket",
    "Entry",
    "HostEvent",
    "Listener",
    "Network",
    "Node",
    "Options",
    "PacketSeen",
    "Point",
    "QueueLength",
    "RawNode",
    "Record",
    "Rule",
    "Task",
    "duration",
    "seconds_text",
]
