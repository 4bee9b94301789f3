"""One connection of a script: its ports, and how the script's numbers become those on the wire.

Sequence numbers of a script are relative, but on a SYN, which may give the initial number: it is the one on the wire
for the peer's, and stands for whatever the host has chosen for the host's. Timestamps of the host are compared by how
far they are from its first one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from tcpemu.stack import Socket

_MASK = 2**32 - 1
Ports: TypeAlias = tuple[int, int]
"""The peer's port, and the host's."""


@dataclass(slots=True, eq=False)
class Numbering:
    """One side's numbers: initial sequence numbers in the script and on the wire."""

    scripted: int = 0
    live: int = 0

    def to_wire(self, number: int, syn: bool) -> int:
        return (number + self.live - (self.scripted if syn else 0)) & _MASK

    def to_script(self, number: int, syn: bool) -> int:
        return (number - self.live + (self.scripted if syn else 0)) & _MASK


@dataclass(slots=True, eq=False)
class DrillFlow:
    """A connection, or a socket that may become one."""

    ports: Ports | None = None
    listening: bool = False
    named: bool = False
    """The script gives its ports."""
    local: Numbering = field(default_factory=Numbering)
    remote: Numbering = field(default_factory=Numbering)
    socket: Socket | None = None
    """The emulated socket whose TCP_INFO code sees."""
    descriptor: int | None = None
    """The same on the kernel: its descriptor."""
    number_known: bool = False
    """The host's initial number has been seen."""
    connection: object | None = None
    """The connection of the socket that these numbers are of."""
    first_timestamp: tuple[int, int] | None = None
    """The host's first one: in the script, and on the wire."""
    timestamps: dict[int, int] = field(default_factory=dict)
    """Timestamps of the host: in the script, and on the wire."""

    def saw_timestamp(self, scripted: int, live: int) -> int:
        """Note a timestamp of the host; what it is in the script's numbers."""
        self.timestamps[scripted] = live
        if self.first_timestamp is None:
            self.first_timestamp = (scripted, live)
        first_scripted, first_live = self.first_timestamp
        return (first_scripted + live - first_live) & _MASK

    def echo_on_wire(self, scripted: int, scaled: bool) -> int | None:
        """What the peer echoes; None for a timestamp that the host never sent."""
        if scripted in self.timestamps:
            return self.timestamps[scripted]
        if scaled and self.first_timestamp is not None:
            first_scripted, first_live = self.first_timestamp
            return (scripted - first_scripted + first_live) & _MASK
        return None
