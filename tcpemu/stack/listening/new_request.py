"""A request is made as its SYN says it, with the window that its SYN|ACK will offer (tcp_input.c: tcp_conn_request)."""

from __future__ import annotations

from tcpemu.stack.base.ip_families import IPV6_LENGTH
from tcpemu.stack.base.tcp_options import SynOptions
from tcpemu.stack.connection.measures import ipv6_header, segment_size
from tcpemu.stack.connection.measures.first_window import first_window
from tcpemu.stack.records.listener import Listener
from tcpemu.stack.records.request import Request
from tcpemu.wire.codec import encode
from tcpemu.wire.segment import CWR, ECE, Segment

_ECN_SETUP = ECE | CWR


def new_request(listener: Listener, segment: Segment, offer: SynOptions) -> Request:
    """A request as its SYN says it; `iss`, `ts_offset` and the window are the maker's to set."""
    host = listener.host
    peer_mss, snd_shift, sack, stamps, _ = offer
    six = len(segment.src) == IPV6_LENGTH
    tos = listener.options.tclass if six else listener.options.tos
    if host.sysctls.tcp_reflect_tos:
        tos = segment.tos & 0xFC | tos & 3
    request = Request(
        segment[:4],
        None,
        listener,
        segment.seq,
        peer_mss,
        snd_shift,
        sack,
        None if stamps is None else stamps.val,
        _own_mss(listener, segment) if six or host.path_mtus or host.routes_to else listener.own_mss,
        segment.flags & _ECN_SETUP == _ECN_SETUP and _may_use_ecn(listener, segment),
        tos,
        host.now,
    )
    if six:
        request.flow_label = ipv6_header.new_flow_label(host, request.key, listener.options)
    return request


def _own_mss(listener: Listener, segment: Segment) -> int:
    """What the SYN|ACK announces: less where ICMP has told of a narrow path to this peer, what its route says."""
    return segment_size.advertised_mss(listener.host, listener.options.maxseg, segment.src)


def _may_use_ecn(listener: Listener, segment: Segment) -> bool:
    """Whether to agree to ECN (tcp_input.c: tcp_ecn_create_request)."""
    if listener.options.tos & 3:
        return True  # the listener's congestion control needs it
    return bool(listener.host.sysctls.tcp_ecn) and (not segment.tos & 3 or bool(segment.reserved))


def headers_of(segment: Segment) -> bytes:
    """The headers of a SYN, from that of IP on, as TCP_SAVED_SYN gives them (tcp_input.c: tcp_reqsk_record_syn).

    Differs: with TCP_SAVE_SYN 2 a header of the link would come first; there is none here, as on a TUN device.
    """
    packet = encode(segment)
    return packet[: len(packet) - len(segment.payload)]


def offer_window(listener: Listener, request: Request, mss: int) -> None:
    """The window of the SYN|ACK and its scale: `first_window`, kept by MSS (tcp_minisocks.c: tcp_openreq_init_rwin)."""
    scaling = request.snd_shift is not None
    found = listener.windows.get((mss, scaling))
    if found is None:
        found = first_window(listener.host, listener.options, mss, scaling)
        listener.windows[mss, scaling] = found
    request.rcv_wnd, request.window_clamp, request.rcv_shift = found
