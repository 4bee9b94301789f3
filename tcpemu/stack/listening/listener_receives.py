"""A segment that belongs to no connection and no request reaches a listener.

tcp_input.c: tcp_rcv_state_process, LISTEN (Linux 6.18).
"""

from __future__ import annotations

from tcpemu.stack.base import reasons
from tcpemu.stack.base.events import Reason
from tcpemu.stack.connection.sending import stateless_replies
from tcpemu.stack.listening import cookies, syn_arrives
from tcpemu.stack.records.listener import Listener
from tcpemu.wire.segment import ACK, FIN, RST, SYN, Segment


def receive(listener: Listener, segment: Segment) -> Reason:
    """Only a SYN, or the ACK of a cookie, is of use here; any other ACK draws a RST."""
    flags = segment.flags
    if flags & (SYN | ACK | RST | FIN) == SYN:
        return syn_arrives.arrives(listener, segment)
    if not flags & SYN and flags & ACK and not flags & RST:
        reason = cookies.try_ack(listener, segment)
        if reason is not None:
            return reason
    if flags & ACK:
        if flags & RST:
            return reasons.LISTENER_ACK_RST
        stateless_replies.send_reset(listener.host, segment)
        return reasons.LISTENER_ACK
    if flags & RST:
        return reasons.LISTENER_RST
    if flags & SYN and not listener.host.generation.fin_spoils_syn:
        return syn_arrives.arrives(listener, segment)
    return reasons.LISTENER_SYN_FIN if flags & SYN else reasons.LISTENER_NO_SYN
