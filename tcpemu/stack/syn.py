"""A SYN reaches a listener: the kernel's tests, in its order, and the request or cookie that comes of it.

tcp_input.c: tcp_conn_request, Linux 6.18. First the SYN queue, then the accept queue, then the reserve that
tcp_max_syn_backlog keeps when there are no cookies.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tcpemu.stack import cookies, reasons
from tcpemu.stack.events import Reason
from tcpemu.stack.options import DEFAULT_MSS, TIMESTAMPS_LENGTH, SynOptions, read_syn
from tcpemu.stack.request import Request
from tcpemu.stack.states import State
from tcpemu.stack.window import INITIAL_RATIO, from_space, initial_window
from tcpemu.wire.options import FastOpen, Unknown
from tcpemu.wire.segment import CWR, ECE, Segment

if TYPE_CHECKING:
    from tcpemu.stack.listener import Listener

_FAST_OPEN, _EXPERIMENTAL_FAST_OPEN = FastOpen(b""), Unknown(254, b"\xf9\x89")
"""A SYN that asks for a Fast Open cookie is counted; it gets none."""


def arrives(listener: Listener, segment: Segment, reopened: int | None = None) -> Reason:
    """Queue the SYN, answer it with a cookie, or drop it.

    `reopened` is the initial sequence number for a SYN that takes over a flow in TIME_WAIT; such a SYN
    skips the test of the SYN queue.
    """
    host = listener.host
    use_cookie = False
    if reopened is None and (host.sysctls.tcp_syncookies == 2 or listener.syn_queue_full()):
        if not host.sysctls.tcp_syncookies:
            host.count("TCPReqQFullDrop")
            host.count("ListenDrops")
            return reasons.SYN_QUEUE_FULL
        host.count("TCPReqQFullDoCookies")
        use_cookie = True
    if listener.accept_queue_full():
        listener.overflow()
        return reasons.ACCEPT_QUEUE_FULL_SYN
    offer = read_syn(segment.options, host.sysctls, listener.options.maxseg)
    if not host.routable(segment.src):
        host.count("ListenDrops")
        return reasons.NO_ROUTE
    if use_cookie:
        return cookies.answer_syn(listener, segment, offer)
    if reopened is None and _kept_for_known_peers(listener, segment):
        host.count("ListenDrops")
        return reasons.LAST_QUARTER
    _queue(listener, segment, offer, reopened)
    return reasons.SYN_QUEUED


def make_request(listener: Listener, segment: Segment, offer: SynOptions) -> Request:
    """A request with all that the SYN says; sequence number and window are still to come."""
    request = Request(listener, segment[:4])
    request.irs = segment.seq
    request.mss = offer.mss
    request.snd_shift = offer.shift
    request.sack = offer.sack
    request.ts_recent = None if offer.timestamps is None else offer.timestamps.val
    request.own_mss = listener.host.advertised_mss(listener.options.maxseg)
    request.ecn = _wants_ecn(listener, segment)
    request.tos = _syn_ack_tos(listener, segment)
    return request


def offer_window(listener: Listener, request: Request, mss: int) -> None:
    """The window to offer, and its scale (tcp_minisocks.c: tcp_openreq_init_rwin)."""
    options = listener.options
    full = from_space(INITIAL_RATIO, options.rcvbuf)
    clamp = options.window_clamp
    if options.rcvbuf_locked and (clamp > full or not clamp):
        clamp = full
    sysctls = listener.host.sysctls
    request.rcv_wnd, request.window_clamp, request.rcv_shift = initial_window(
        full,
        mss,
        clamp,
        request.snd_shift is not None,
        max(sysctls.tcp_rmem[2], sysctls.rmem_max),
        bool(sysctls.tcp_workaround_signed_windows),
    )


def _queue(listener: Listener, segment: Segment, offer: SynOptions, reopened: int | None) -> None:
    host = listener.host
    request = make_request(listener, segment, offer)
    iss, request.ts_offset = host.flow_secrets(request.key)
    request.iss = iss if reopened is None else reopened
    timestamps = request.ts_recent is not None
    offer_window(listener, request, request.own_mss - (TIMESTAMPS_LENGTH if timestamps else 0))
    request.started = host.now
    if segment.options and (_FAST_OPEN in segment.options or _EXPERIMENTAL_FAST_OPEN in segment.options):
        host.count("TCPFastOpenCookieReqd")
    host.flows[request.key] = request
    listener.syn_queue += 1
    listener.young += 1
    request.arm()
    if host.observe:
        host.state_changed(request.key, State.CLOSE, State.SYN_RECV, "SYN arrives")
        listener.queue_changed()
    request.send_syn_ack(reasons.SENT_SYN_ACK)


def _kept_for_known_peers(listener: Listener, segment: Segment) -> bool:
    """Without cookies the last quarter of tcp_max_syn_backlog is for peers whose round-trip time is known."""
    host = listener.host
    if host.sysctls.tcp_syncookies:
        return False
    limit = host.sysctls.tcp_max_syn_backlog
    return limit - listener.syn_queue < limit >> 2 and not host.metrics.proven(segment.src)


def _wants_ecn(listener: Listener, segment: Segment) -> bool:
    """tcp_input.c: tcp_ecn_create_request."""
    if segment.flags & (ECE | CWR) != ECE | CWR or not listener.host.sysctls.tcp_ecn:
        return False
    return not segment.tos & 3 or bool(segment.reserved)


def _syn_ack_tos(listener: Listener, segment: Segment) -> int:
    tos = listener.options.tos
    if listener.host.sysctls.tcp_reflect_tos:
        return segment.tos & 0xFC | tos & 3
    return tos


def without_options(offer: SynOptions) -> SynOptions:
    """What a cookie without timestamps can remember: the MSS alone."""
    return SynOptions(offer.mss or DEFAULT_MSS, None, False, None)
