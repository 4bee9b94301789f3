"""What a socket is: unbound, then bound, then a listener or a connection."""

from __future__ import annotations

from dataclasses import dataclass

from tcpemu.stack.base.ip_families import IPV4_LENGTH, IPV6_LENGTH
from tcpemu.stack.base.states import State
from tcpemu.stack.records.connection import Connection
from tcpemu.stack.records.host_services import HostServices, SocketHandle
from tcpemu.stack.records.listener import Listener
from tcpemu.stack.records.socket_options import SocketOptions
from tcpemu.wire.segment import Address


@dataclass(slots=True, eq=False, repr=False)
class SocketState(SocketHandle):
    """One socket of a host, without its calls."""

    host: HostServices
    options: SocketOptions
    datagram: bool = False
    """UDP, which is here for its errors alone."""
    bound: tuple[Address | None, int] | None = None
    """The local address (None for any) and port that bind() took."""
    listener: Listener | None = None
    connection: Connection | None = None
    """The connection behind the socket, to look at."""
    connecting: bool = False
    """connect() has begun, and its end was not reported yet."""
    may_connect: bool = True
    port_chosen: bool = False
    """connect() chose the port of `bound`, and bind() did not: it goes with the connection."""
    closed: bool = False

    @property
    def state(self) -> State:
        """The state as `ss` has it; CLOSE for a socket that is nothing yet."""
        if self.listener is not None:
            return self.listener.state
        return State.CLOSE if self.connection is None else self.connection.state

    @property
    def listening(self) -> bool:
        """Whether listen() is in force."""
        return self.listener is not None and self.listener.state is State.LISTEN

    @property
    def lengths(self) -> int:
        """Octets of the addresses that it is bound to: 4, 16, or both (`ip_families.py`)."""
        return self.lengths_of(self.bound_address)

    def lengths_of(self, address: Address | None) -> int:
        """The same if it were bound to this address; None for any."""
        if address is not None:
            return len(address)
        if not self.options.ipv6 or self.options.v4only:
            return IPV4_LENGTH
        return IPV6_LENGTH if self.options.v6only else IPV4_LENGTH | IPV6_LENGTH

    @property
    def bound_address(self) -> Address | None:
        """The local address that bind() took; None for any, or for none."""
        return None if self.bound is None else self.bound[0]
