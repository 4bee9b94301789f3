"""What all sockets of a host share: who listens where, and which ports are taken."""

from __future__ import annotations

from dataclasses import dataclass, field

from tcpemu.stack.records.host_services import HostServices
from tcpemu.stack.records.listener import Listener
from tcpemu.stack.sockets.ports import Ports


@dataclass(slots=True, eq=False, repr=False)
class SocketTables:
    """The tables of one host, beside that of its flows."""

    host: HostServices
    ports: Ports
    listeners: dict[int, list[Listener]] = field(default_factory=dict)
    """By port; several on one port differ in their address, or share it by SO_REUSEPORT."""
