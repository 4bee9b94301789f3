"""Which listener a segment meets that belongs to no flow: by port and address, and by SO_REUSEPORT among equals.

inet_hashtables.c: __inet_lookup_listener; sock_reuseport.c: reuseport_select_sock (Linux 6.18).
"""

from __future__ import annotations

from tcpemu.stack.records.listener import Listener
from tcpemu.stack.sockets.tables import SocketTables
from tcpemu.wire.segment import Segment


def find_listener(tables: SocketTables, segment: Segment) -> Listener | None:
    """The listener for a segment: one bound to its address before one bound to any, of its own IP or of both.

    Among several with SO_REUSEPORT a hash of the flow decides, whatever their queues hold.
    """
    listeners = tables.listeners.get(segment.dport)
    if listeners is None:
        return None
    length = len(segment.dst)
    if len(listeners) == 1:
        only = listeners[0]
        if only.address is None:
            return only if only.lengths & length else None
        return only if only.address == segment.dst else None
    found = [one for one in listeners if one.address == segment.dst]
    found = found or [one for one in listeners if one.address is None and one.lengths & length]
    # One of the same IP goes before one that takes both (compute_score).
    found = [one for one in found if one.lengths == length] or found
    # Where a flow's sequence numbers begin is a hash of it; 32 bits scaled to 0 .. N - 1 (reciprocal_scale).
    return found[tables.host.secrets.flow(segment[:4], 0)[0] * len(found) >> 32] if found else None
