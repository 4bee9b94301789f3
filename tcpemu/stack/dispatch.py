"""Which rule a segment meets, and which a timer: by what stands in the table of flows, and who listens.

tcp_ipv4.c: tcp_v4_rcv; inet_hashtables.c: __inet_lookup_listener (Linux 6.18).
"""

from __future__ import annotations

from tcpemu.stack.base import reasons
from tcpemu.stack.base.events import Reason
from tcpemu.stack.base.timer_queue import Armable, Timer, TimerKind
from tcpemu.stack.connection.arriving import segment_arrives
from tcpemu.stack.connection.lifetime import closing, time_wait_bucket, timeouts
from tcpemu.stack.connection.sending import delayed_acks, stateless_replies
from tcpemu.stack.listening import final_ack, listener_receives, request_timer, syn_arrives
from tcpemu.stack.records.connection import Connection
from tcpemu.stack.records.listener import Listener, SharedTimer
from tcpemu.stack.records.request import Request
from tcpemu.stack.records.time_wait import TimeWait
from tcpemu.stack.sockets.tables import SocketTables
from tcpemu.wire.codec import Refused, RefusedReason
from tcpemu.wire.segment import RST, Segment


def arrived(tables: SocketTables, segment: Segment | Refused) -> Reason:
    """A segment has arrived, or octets that are none: count it, and give it to whom it is for."""
    if type(segment) is not Segment:
        return _refused(tables, segment)  # type: ignore[arg-type]
    host = tables.host
    if segment.dst not in host.addresses:
        return reasons.NOT_FOR_US
    host.count("InSegs")
    # To the flow it belongs to, else to a listener, else nowhere.
    flow = host.flows.get(segment[:4])
    if flow is None:
        return _no_flow(tables, segment)
    if type(flow) is Connection:
        return segment_arrives.receive(flow, segment)
    if type(flow) is Request:
        reason = final_ack.receive(flow, segment)
        return _no_flow(tables, segment) if reason is None else reason
    assert type(flow) is TimeWait
    return _to_time_wait(tables, flow, segment)


def _to_time_wait(tables: SocketTables, bucket: TimeWait, segment: Segment) -> Reason:
    """A new SYN takes over the flow, where somebody listens; the bucket answers all else."""
    iss = time_wait_bucket.number_for_new_connection(bucket, segment)
    listener = None if iss is None else find_listener(tables, segment)
    if listener is None:
        return time_wait_bucket.receive(bucket, segment)
    time_wait_bucket.remove(bucket, "a new SYN takes over the flow")
    reason = syn_arrives.arrives(listener, segment, iss)
    return time_wait_bucket.why_taken_over(bucket, segment) if reason is reasons.SYN_QUEUED else reason


def _no_flow(tables: SocketTables, segment: Segment) -> Reason:
    listener = find_listener(tables, segment)
    if listener is not None:
        return listener_receives.receive(listener, segment)
    if segment.flags & RST:
        return reasons.NO_SOCKET_RST
    stateless_replies.send_reset(tables.host, segment)
    return reasons.NO_SOCKET


def find_listener(tables: SocketTables, segment: Segment) -> Listener | None:
    """The listener for a segment: one bound to its address before one bound to any.

    Among several with SO_REUSEPORT a hash of the flow decides, whatever their queues hold.
    inet_hashtables.c: __inet_lookup_listener; sock_reuseport.c: reuseport_select_sock.
    """
    listeners = tables.listeners.get(segment.dport)
    if listeners is None:
        return None
    if len(listeners) == 1:
        only = listeners[0]
        return only if only.address is None or only.address == segment.dst else None
    found = [one for one in listeners if one.address == segment.dst]
    found = found or [one for one in listeners if one.address is None]
    return found[tables.host.secrets.flow(segment[:4], 0)[0] * len(found) >> 32] if found else None


def _refused(tables: SocketTables, refused: Refused) -> Reason:
    count = tables.host.count
    if refused.reason is RefusedReason.BAD_TCP_CHECKSUM:
        count("InSegs")
        count("InCsumErrors")
        count("InErrs")
        return reasons.BAD_CHECKSUM
    if refused.reason is RefusedReason.BAD_TCP_HEADER:
        count("InSegs")
        count("InErrs")
    return reasons.BAD_HEADER


def timer_fired(what: Armable) -> None:
    """What was armed is due."""
    if type(what) is Request:
        request_timer.fire(what)
    elif type(what) is Timer:
        _connection_timer(what)
    elif type(what) is TimeWait:
        time_wait_bucket.fire(what)
    elif type(what) is SharedTimer:
        request_timer.slice_fired(what)


def _connection_timer(timer: Timer) -> None:
    conn = timer.owner
    assert isinstance(conn, Connection)
    if timer.kind is TimerKind.WRITE:
        timeouts.write_timer_fired(conn)
    elif timer.kind is TimerKind.DELAYED_ACK:
        delayed_acks.timer_fired(conn)
    else:
        closing.fin_wait2_timer_fired(conn)
