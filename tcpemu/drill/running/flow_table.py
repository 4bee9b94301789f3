"""Which connection a packet of the script belongs to.

A packet with ports names it. One without belongs to the connection under test: that of the last socket() or, once a
listener has got a SYN, of the last such SYN.
"""

from __future__ import annotations

from tcpemu.drill.language.drill_script import TcpPacket
from tcpemu.drill.running.descriptor_table import SocketFile
from tcpemu.drill.running.drill_failure import DrillFailure
from tcpemu.drill.running.drill_flow import DrillFlow, Numbering, Ports
from tcpemu.stack import Host, Socket, State
from tcpemu.wire.segment import SYN, Address

_FIRST_PORT = 40_001


class FlowTable:
    """The connections of a script."""

    __slots__ = ("_by_ports", "_next_port", "bind_port", "current", "host", "local", "remote")

    def __init__(self, host: Host, local: Address, remote: Address, bind_port: int) -> None:
        self.host = host
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
            current = self.current = self._begun((self._free_port(), self.bind_port), packet.seq)
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
        if flow is None or (packet.inbound and packet.flags & SYN and self._is_over(ports)):
            flow = self._begun(ports, packet.seq if packet.inbound else 0)
            flow.named = True
        return flow

    def _begun(self, ports: Ports, number: int) -> DrillFlow:
        flow = DrillFlow(ports, remote=Numbering(number, number))
        self._by_ports[ports] = flow
        return flow

    def _is_over(self, ports: Ports) -> bool:
        """Whether the host has no such connection, or one in TIME_WAIT, so that a SYN begins another."""
        rows = self.host.sockets([(self.remote, ports[0], self.local, ports[1])])
        return all(row.state in (State.LISTEN, State.TIME_WAIT) for row in rows)

    def _free_port(self) -> int:
        while (self._next_port, self.bind_port) in self._by_ports:
            self._next_port += 1
        return self._next_port

    # --- sockets ----------------------------------------------------------------------------------

    def accepted(self, child: Socket) -> DrillFlow:
        """The connection that accept() has given."""
        key = child.flow
        assert key is not None
        flow = self._by_ports.get((key[1], key[3])) or self._begun((key[1], key[3]), 0)
        flow.socket = child
        if flow.named:
            self.current = flow
        return flow

    def connects(self, file: SocketFile) -> None:
        """The socket may have begun a connection of its own."""
        socket, flow = file.socket, file.flow
        key, connection = socket.flow, socket.connection
        if key is None or connection is flow.connection or flow.socket is not socket:
            return
        if flow.connection is None and flow.ports is not None:
            flow.connection = connection  # one that accept() has given
            return
        flow.connection = connection
        flow.ports = (key[1], key[3])
        flow.local, flow.remote = Numbering(), Numbering()
        flow.number_known = False
        flow.first_timestamp = None
        flow.timestamps.clear()
        self._by_ports[flow.ports] = flow
