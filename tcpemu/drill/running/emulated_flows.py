"""The connections of a script on the emulated host: which socket is whose."""

from __future__ import annotations

from tcpemu.drill.playing.drill_flow import DrillFlow, Ports
from tcpemu.drill.playing.flow_table import FlowTable
from tcpemu.drill.running.descriptor_table import SocketFile
from tcpemu.stack import Host, Socket, State
from tcpemu.wire.segment import Address


class EmulatedFlows(FlowTable):
    """Connections, and the sockets of the emulated host that they belong to."""

    __slots__ = ("host",)

    def __init__(self, host: Host, local: Address, remote: Address, bind_port: int) -> None:
        super().__init__(local, remote, bind_port)
        self.host = host

    def is_over(self, ports: Ports) -> bool:
        """Whether the host has no such connection, or one in TIME_WAIT, so that a SYN begins another."""
        rows = self.host.sockets([(self.remote, ports[0], self.local, ports[1])])
        return all(row.state in (State.LISTEN, State.TIME_WAIT) for row in rows)

    def accepted(self, child: Socket) -> DrillFlow:
        """The connection that accept() has given."""
        key = child.flow
        assert key is not None
        flow = self.given((key[1], key[3]))
        flow.socket, flow.connection = child, child.connection
        return flow

    def connects(self, file: SocketFile) -> None:
        """The socket may have begun a connection of its own."""
        socket, flow = file.socket, file.flow
        key, connection = socket.flow, socket.connection
        if key is None or connection is flow.connection or flow.socket is not socket:
            return
        flow.connection = connection
        self.opens(flow, (key[1], key[3]))
