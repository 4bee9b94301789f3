"""For tests of other people's programs: a network to put them on, to spoil, and to look at.

world.py        hosts by name, links, programs and coroutines on hosts, time, and what happened
host_task.py    a coroutine that was started on a host: its value, or what ended it
time_values.py  times as a test writes them: '20 ms', or seconds
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
