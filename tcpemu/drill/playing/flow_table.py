"""Which connection a packet of the script belongs to.

A packet with ports names it. One without belongs to the connection under test: that of the last socket() or, once a
listener has got a SYN, of the last such SYN.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from tcpemu.drill.language.drill_script import TcpPacket
from tcpemu.drill.playing.drill_failure import DrillFailure
from tcpemu.drill.playing.drill_flow import DrillFlow, Numbering, Ports
from tcpemu.wire.segment import SYN, Address

_FIRST_PORT = 40_001


class FlowTable(ABC):
    """The connections of a script."""

    __slots__ = ("_by_ports", "_next_port", "bind_port", "current", "local", "remote")

    def __init__(self, local: Address, remote: Address, bind_port: int) -> None:
        self.local, self.remote = local, remote
        self.bind_port = bind_port
        self.current: DrillFlow | None = None
        """The connection under test."""
        self._by_ports: dict[Ports, DrillFlow] = {}
        self._next_port = _FIRST_PORT

    # --- packets ----------------------------------------------------------------------------------

    def of_inbound(self, packet: TcpPacket) -> DrillFlow:
        """The connection that a packet arrives on; a new one for a SYN to a listener."""
        if packet.ports is not None:
            return self._named((packet.ports[0], packet.ports[1]), packet)
        current = self.current
        if current is None or current.listening:
            current = self.current = self.begun((self._free_port(), self.bind_port), packet.seq)
        if current.ports is None:
            raise DrillFailure(packet.place, "no connection is there that this packet could arrive on")
        return current

    def of_outbound(self, packet: TcpPacket) -> DrillFlow:
        """The connection that the host is to send a packet on."""
        if packet.ports is not None:
            return self._named((packet.ports[1], packet.ports[0]), packet)
        if self.current is None or self.current.ports is None:
            raise DrillFailure(packet.place, "no connection is there that the host could send this packet on")
        return self.current

    def _named(self, ports: Ports, packet: TcpPacket) -> DrillFlow:
        flow = self._by_ports.get(ports)
        if flow is None or (packet.inbound and packet.flags & SYN and self.is_over(ports)):
            flow = self.begun(ports, packet.seq if packet.inbound else 0)
            flow.named = True
        return flow

    def begun(self, ports: Ports, number: int) -> DrillFlow:
        """A connection begins; the peer's initial number in the script."""
        flow = DrillFlow(ports, remote=Numbering(number, number))
        self._by_ports[ports] = flow
        return flow

    @abstractmethod
    def is_over(self, ports: Ports) -> bool:
        """Whether the host has no such connection, or one in TIME_WAIT, so that a SYN begins another."""

    def _free_port(self) -> int:
        while (self._next_port, self.bind_port) in self._by_ports:
            self._next_port += 1
        return self._next_port

    # --- sockets ----------------------------------------------------------------------------------

    def given(self, ports: Ports) -> DrillFlow:
        """The connection that accept() has given."""
        flow = self._by_ports.get(ports) or self.begun(ports, 0)
        if flow.named:
            self.current = flow
        return flow

    def opens(self, flow: DrillFlow, ports: Ports) -> None:
        """A socket has begun a connection of its own: it counts from its own beginning."""
        flow.ports = ports
        flow.local, flow.remote = Numbering(), Numbering()
        flow.number_known = False
        flow.first_timestamp = None
        flow.timestamps.clear()
        self._by_ports[ports] = flow
