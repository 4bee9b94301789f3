"""Which rule a segment meets, and which a timer: by what stands in the table of flows, and who listens.

tcp_ipv4.c: tcp_v4_rcv (Linux 6.18).
"""

from __future__ import annotations

from tcpemu.stack.base import reasons
from tcpemu.stack.base.events import Reason
from tcpemu.stack.base.host_arguments import check_arrival
from tcpemu.stack.base.ip_families import is_ipv6, is_loopback
from tcpemu.stack.base.states import State
from tcpemu.stack.base.timer_queue import Armable, Timer, TimerKind
from tcpemu.stack.connection.arriving import icmp_arrives, segment_arrives
from tcpemu.stack.connection.lifetime import keepalive, time_wait_bucket, timeouts
from tcpemu.stack.connection.sending import compressed_acks, delayed_acks, stateless_replies
from tcpemu.stack.listening import fast_open_child, final_ack, listener_receives, request_timer, syn_arrives
from tcpemu.stack.records.connection import Connection
from tcpemu.stack.records.host_services import Flow, HostServices
from tcpemu.stack.records.listener import SharedTimer
from tcpemu.stack.records.request import Request
from tcpemu.stack.records.socket_options import SocketOptions
from tcpemu.stack.records.time_wait import TimeWait
from tcpemu.stack.sockets import shutdown_and_close
from tcpemu.stack.sockets.listener_lookup import find_listener
from tcpemu.stack.sockets.tables import SocketTables
from tcpemu.wire.icmp import IcmpError
from tcpemu.wire.options import Garbage
from tcpemu.wire.refused import Refused, RefusedReason
from tcpemu.wire.segment import RST, Address, Segment

_LEAST_SIGNATURE = 5
"""Octets of the shortest option of TCP-AO."""


def arrived(tables: SocketTables, segment: Segment | Refused) -> Reason:
    """A segment has arrived, or octets that are none: count it, and give it to whom it is for."""
    if type(segment) is not Segment:
        check_arrival(segment)
        return _refused(tables, segment)  # type: ignore[arg-type]
    host = tables.host
    if segment.dst not in host.addresses and not (is_loopback(segment.dst) and is_loopback(segment.src)):
        # What has a loopback address on one side alone came from outside: a martian.
        return reasons.NOT_FOR_US
    host.count("InSegs")
    # To the flow it belongs to, else to a listener, else nowhere.
    flow = host.flows.get(segment[:4])
    if host.asks_for_ttl and _comes_from_afar(tables, flow, segment):
        return reasons.MIN_TTL
    options = segment.options
    if (
        options
        and type(options[-1]) is Garbage
        and host.generation.drops_garbage
        and _cannot_be_signed(tables, flow, segment, options[-1])
    ):
        return reasons.BAD_OPTIONS
    if flow is None:
        return _no_flow(tables, segment)
    if type(flow) is Connection:
        segment_arrives.count(flow, segment)
        if flow.fast_open is not None:
            return _fast_opened(flow, segment)
        return segment_arrives.receive(flow, segment)
    if type(flow) is Request:
        reason = final_ack.receive(flow, segment)
        return _from_request(tables, segment) if reason is None else reason
    assert type(flow) is TimeWait
    return _to_time_wait(tables, flow, segment)


def _comes_from_afar(tables: SocketTables, flow: Flow | None, segment: Segment) -> bool:
    """It has lost more of its TTL than its connection or listener lets it (IP_MINTTL, IPV6_MINHOPCOUNT).

    What stands in the SYN queue or in TIME_WAIT does not ask.
    """
    owner = flow if type(flow) is Connection else find_listener(tables, segment) if flow is None else None
    return owner is not None and _has_too_little(tables.host, owner.options, segment.src, segment.ttl)


def _has_too_little(host: HostServices, options: SocketOptions, source: Address, ttl: int) -> bool:
    """A TTL, or hop limit, below the least that a socket takes: counted."""
    if ttl >= (options.min_hops if is_ipv6(source) else options.min_ttl):
        return False
    host.count("TCPMinTTLDrop")
    return True


def _from_request(tables: SocketTables, segment: Segment) -> Reason:
    """What stood in the SYN queue has gone just now: the segment is looked up again."""
    if tables.host.asks_for_ttl and _comes_from_afar(tables, None, segment):
        return reasons.MIN_TTL
    return _no_flow(tables, segment)


def _cannot_be_signed(tables: SocketTables, flow: Flow | None, segment: Segment, last: Garbage) -> bool:
    """Options in which a signature cannot be looked for, in a segment that is for somebody (tcp_inbound_hash).

    What is too short for one is not looked at (tcp_do_parse_auth_options).
    """
    if len(last.data) < _LEAST_SIGNATURE or type(flow) is TimeWait:
        return False
    return flow is not None or find_listener(tables, segment) is not None


def _fast_opened(conn: Connection, segment: Segment) -> Reason:
    """A segment of a connection on which Fast Open is used, or tried."""
    assert conn.fast_open is not None
    if segment.payload:
        conn.fast_open.data_came = True
    receive = fast_open_child.receive if conn.opened_early else segment_arrives.receive
    return receive(conn, segment)


def _to_time_wait(tables: SocketTables, bucket: TimeWait, segment: Segment) -> Reason:
    """A new SYN takes over the flow, where somebody listens; the bucket answers all else."""
    iss = time_wait_bucket.number_for_new_connection(bucket, segment)
    listener = None if iss is None else find_listener(tables, segment)
    if listener is None:
        return time_wait_bucket.receive(bucket, segment)
    time_wait_bucket.remove(bucket, "a new SYN takes over the flow")
    if tables.host.asks_for_ttl and _comes_from_afar(tables, None, segment):
        return reasons.MIN_TTL
    reason = syn_arrives.arrives(listener, segment, iss)
    return time_wait_bucket.why_taken_over(bucket, segment) if reason is reasons.SYN_QUEUED else reason


def _no_flow(tables: SocketTables, segment: Segment) -> Reason:
    """No flow has the segment: it is for a listener, or answered with a RST."""
    listener = find_listener(tables, segment)
    if listener is not None:
        return listener_receives.receive(listener, segment)
    if segment.flags & RST:
        return reasons.NO_SOCKET_RST
    stateless_replies.send_reset(tables.host, segment)
    return reasons.NO_SOCKET


def icmp_arrived(tables: SocketTables, error: IcmpError) -> Reason:
    """An ICMP error has arrived: give it to the flow of the segment that it quotes (tcp_v4_err)."""
    host = tables.host
    if error.dst not in host.addresses or not icmp_arrives.says_something(error):
        return reasons.ICMP_IGNORED
    if error.too_large and not is_ipv6(error.src) and host.sysctls.ip_no_pmtu_disc >= 2:
        return reasons.ICMP_IGNORED
    flow = host.flows.get(error.flow)
    if type(flow) is Connection:
        # Of IPv4 it is the quoted packet that is asked for its TTL, of IPv6 the one that quotes it.
        ttl = error.ttl if is_ipv6(error.src) else error.quoted[8]
        open_yet = flow.state is not State.CLOSE
        if host.asks_for_ttl and open_yet and _has_too_little(host, flow.options, error.src, ttl):
            return reasons.MIN_TTL
        return icmp_arrives.receive(flow, error)
    if type(flow) is Request:
        return _icmp_for_request(flow, error)
    return reasons.ICMP_NO_FLOW


def _icmp_for_request(request: Request, error: IcmpError) -> Reason:
    """A half-open connection is given up, in silence: accept() has no place for such an error (tcp_req_err)."""
    host = request.listener.host
    if error.seq != request.iss:
        host.count("OutOfWindowIcmps")
        return reasons.ICMP_OUT_OF_WINDOW
    if not icmp_arrives.ends_request(error):
        return reasons.ICMP_IGNORED
    request_timer.remove(request, f"ICMP: {error}")
    host.count("ListenDrops")
    return reasons.ICMP_REQUEST_GONE


def _refused(tables: SocketTables, refused: Refused) -> Reason:
    """Octets that are no segment: only counted."""
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
    if timer.kind is TimerKind.WRITE and conn.fast_open is not None and conn.opened_early:
        fast_open_child.timer_fired(conn)
    elif timer.kind is TimerKind.WRITE:
        timeouts.write_timer_fired(conn)
    elif timer.kind is TimerKind.DELAYED_ACK:
        delayed_acks.timer_fired(conn)
    elif timer.kind is TimerKind.COMPRESSED_ACK:
        compressed_acks.flush(conn)
    elif timer.kind is TimerKind.PACING:
        timeouts.pacing_timer_fired(conn)
    elif timer.kind is TimerKind.LINGER:
        shutdown_and_close.linger_timer_fired(conn)
    else:
        keepalive.timer_fired(conn)
