"""For tests of other people's programs: a network to put them on, to spoil, and to look at.

world.py        hosts by name, links, programs and coroutines on hosts, time, and what happened
host_task.py    a coroutine that was started on a host: its value, or what ended it
time_values.py  times as a test writes them: '20 ms', or seconds

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
"""

from tcpemu.network import Conditions, Fault, delay, duplicate, lose, reorder
from tcpemu.programs import Program, StuckError
from tcpemu.testing.host_task import HostTask
from tcpemu.testing.world import World

__all__ = [
    "Conditions",
    "Fault",
    "HostTask",
    "Program",
    "StuckError",
    "World",
    "delay",
    "duplicate",
    "lose",
    "reorder",
]
