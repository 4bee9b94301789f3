"""The socket table, as `ss -tan` prints it."""

from typing import NamedTuple

from tcpemu.stack.states import State
from tcpemu.wire.segment import Address


class SocketRow(NamedTuple):
    """One socket, request or TIME_WAIT bucket."""

    state: State
    recv_q: int
    """A listener's accept queue; else octets received and not read."""
    send_q: int
    """A listener's backlog; else octets sent and not acknowledged, or not sent."""
    local: tuple[Address, int]
    remote: tuple[Address, int] | None
    """None for a listener."""
