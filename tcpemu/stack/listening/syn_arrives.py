"""A SYN reaches a listener: the kernel's tests, in its order, and the request or cookie that comes of it.

tcp_input.c: tcp_conn_request, Linux 6.18. First the SYN queue, then the accept queue, then the reserve that
tcp_max_syn_backlog keeps when there are no cookies.
"""

from __future__ import annotations

from collections.abc import Iterator

from tcpemu.stack.base import reasons
from tcpemu.stack.base.events import Reason
from tcpemu.stack.base.generation import Overflow
from tcpemu.stack.base.ip_families import IPV6_LENGTH, is_mapped
from tcpemu.stack.base.states import State
from tcpemu.stack.base.tcp_options import SynOptions, default_mss, read_syn
from tcpemu.stack.connection.measures import initial_numbers
from tcpemu.stack.connection.sending import stateless_replies
from tcpemu.stack.listening import cookies, fast_open_syn_arrives, new_request, queues, request_timer, syn_ack
from tcpemu.stack.listening.queues import overflow
from tcpemu.stack.records.host_services import HostServices
from tcpemu.stack.records.listener import Listener
from tcpemu.stack.records.request import Request
from tcpemu.wire.segment import Segment

_EVICT = Overflow.EVICT


def arrives(listener: Listener, segment: Segment, reopened: int | None = None) -> Reason:
    """Queue the SYN, answer it with a cookie, or drop it.

    `reopened` is the initial sequence number for a SYN that takes over a flow in TIME_WAIT; such a SYN
    skips the test of the SYN queue.
    """
    host = listener.host
    if len(segment.src) == IPV6_LENGTH and is_mapped(segment.src):
        return reasons.NOT_FOR_US
    sysctls, queues = host.sysctls, host.generation.queues
    use_cookie = False
    if reopened is None and (
        sysctls.tcp_syncookies == 2 or queues.syn_full(listener, sysctls.tcp_max_syn_backlog)
    ):
        if sysctls.tcp_syncookies:
            host.count("TCPReqQFullDoCookies")
            use_cookie = True
        elif queues.when_syn_full is not _EVICT or not _evict(listener):
            host.count("TCPReqQFullDrop")
            host.count("ListenDrops")
            return _refuse(host, segment, queues.when_syn_full, reasons.SYN_QUEUE_FULL)
    evicts = queues.when_full_for_syn is _EVICT
    if queues.full_for_syn(listener) and not (evicts and _evict(listener)):
        if queues.counts_at_syn:
            overflow(listener)
        full = reasons.QUEUE_FULL_SYN if queues.one_queue else reasons.ACCEPT_QUEUE_FULL_SYN
        return _refuse(host, segment, queues.when_full_for_syn, full)
    offer = _offer(listener, segment)
    if host.routes is not None and not host.routable(segment.src):
        host.count("ListenDrops")
        return reasons.NO_ROUTE
    if use_cookie:
        if queues.counts_cookies:
            host.count("ListenDrops")
        return cookies.answer_syn(listener, segment, offer)
    reserve = queues.keeps_reserve and not sysctls.tcp_syncookies and reopened is None
    kept = reserve and _last_quarter_begins(listener)
    if kept and not host.metrics.proven(segment.src):
        host.count("ListenDrops")
        return reasons.LAST_QUARTER
    if _queue(listener, segment, offer, reopened):
        return reasons.FAST_OPENED
    return reasons.SYN_QUEUED_KNOWN if kept else reasons.SYN_QUEUED


def _offer(listener: Listener, segment: Segment) -> SynOptions:
    """What the SYN offers. A TSval of 0 is none in Linux 2.4 and until 2.6.25 (tcp_ipv4.c: tcp_v4_conn_request)."""
    host = listener.host
    offer = read_syn(segment.options, host.sysctls, listener.options.maxseg, default_mss(segment.src))
    if host.generation.wire.zero_stamp_is_none and offer.timestamps is not None and not offer.timestamps.val:
        return offer._replace(timestamps=None)
    return offer


def _refuse(host: HostServices, segment: Segment, how: Overflow, reason: Reason) -> Reason:
    """No room for a SYN: silence, or a RST."""
    if how is not Overflow.RESET:
        return reason
    stateless_replies.send_reset(host, segment)
    return reasons.SYN_REFUSED


def _evict(listener: Listener) -> bool:
    """Throw out a half-open connection, the oldest or any; whether there was one that may go."""
    host = listener.host
    rules = host.generation.queues
    old = _old_requests(listener, rules.evicts_after)
    found = next(old, None)
    if found is None:
        return False
    if rules.evicts_at_random:
        found = host.secrets.draw.choice([found, *old])
    host.timer_fired(found.key, reasons.REQUEST_EVICTED)
    request_timer.remove(found, "it had to make room for another")
    return True


def _old_requests(listener: Listener, timeouts: int) -> Iterator[Request]:
    """The requests of a listener that have had so many time-outs at least, the oldest first."""
    for flow in listener.host.flows.values():
        if isinstance(flow, Request) and flow.listener is listener and flow.timeouts >= timeouts:
            yield flow


def _queue(listener: Listener, segment: Segment, offer: SynOptions, reopened: int | None) -> bool:
    """Make a request of the SYN, queue it, and answer it (inet_csk_reqsk_queue_hash_add).

    True where Fast Open makes a connection of it at once.
    """
    host = listener.host
    most = offer.mss if host.generation.wire.mss_follows_peer else new_request.NO_LIMIT
    request = new_request.new_request(listener, segment, offer, True, most)
    iss, request.ts_offset = initial_numbers.flow_secrets(host, request.key)
    request.iss = iss if reopened is None else reopened
    if listener.options.save_syn:
        request.with_rare().saved_syn = new_request.headers_of(segment)
    answer = None
    if offer.fast_open is not None or segment.payload:
        conn, answer = fast_open_syn_arrives.take(listener, request, segment, offer)
        if conn is not None:
            fast_open_syn_arrives.queue(listener, conn, request, answer)
            return True
    host.flows[request.key] = request
    listener.syn_queue += 1
    listener.young += 1
    request_timer.arm(request)
    if host.observe:
        host.state_changed(request.key, State.CLOSE, State.SYN_RECV, "SYN arrives")
        queues.queue_changed(listener)
    if answer is None:
        syn_ack.send_syn_ack(request, reasons.SENT_SYN_ACK)
    else:
        syn_ack.send_syn_ack(request, reasons.SENT_SYN_ACK_WITH_COOKIE, fast_open=answer)
    return False


def _last_quarter_begins(listener: Listener) -> bool:
    """Without cookies the last quarter of tcp_max_syn_backlog is for peers whose round-trip time is known."""
    limit = listener.host.sysctls.tcp_max_syn_backlog
    return limit - listener.syn_queue < limit >> 2
