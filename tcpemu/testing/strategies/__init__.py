"""Hypothesis strategies for what a network does to a program, and a machine of rules that a test extends.

fault_strategies.py     faults by role, from all the kinds that the network has
link_strategies.py      conditions of links
kernel_settings.py      kernels, and values of sysctls
arrival_patterns.py     when many clients come: at once, evenly, in bursts, at random
packet_strategies.py    segments, and packets of Scapy, near what a host in a given state expects
world_machine.py        a world in which a machine of rules spoils the network and lets time pass

They need Hypothesis: `pip install 'tcpemu[testing]'`. Whatever fails shrinks to the fewest and plainest: to no fault,
the plainest kind of one, the newest kernel, sysctls as they are, a link without loss. A property makes a world of its
own, for Hypothesis runs a test many times within one fixture:

>>> import socket
>>> from hypothesis import given, settings
>>> from tcpemu.testing import World, strategies
>>> def serve():
...     with socket.create_server(("", 80)) as listener:
...         connection, _ = listener.accept()
...         connection.sendall(b"hello")
...         connection.close()
>>> def ask():
...     with socket.create_connection(("server", 80)) as connection:
...         return connection.recv(100)
>>> @settings(max_examples=20, deadline=None, derandomize=True)
... @given(plan=strategies.faults(kinds=["lose", "duplicate"], hosts=["client"]), kernel=strategies.generations())
... def test_tcp_repairs_it(plan, kernel):
...     with World(generation=kernel) as world:
...         server, client = world.host("server"), world.host("client")
...         world.fault(*plan)
...         _ = world.run(server, serve)
...         assert world.until(world.run(client, ask)) == b"hello"
>>> test_tcp_repairs_it()
"""

from tcpemu.testing.strategies.arrival_patterns import arrivals
from tcpemu.testing.strategies.fault_strategies import faults, one_fault
from tcpemu.testing.strategies.kernel_settings import generations, sysctls
from tcpemu.testing.strategies.link_strategies import links
from tcpemu.testing.strategies.packet_strategies import packets, segments
from tcpemu.testing.strategies.world_machine import WorldMachine

__all__ = [
    "WorldMachine",
    "arrivals",
    "faults",
    "generations",
    "links",
    "one_fault",
    "packets",
    "segments",
    "sysctls",
]
