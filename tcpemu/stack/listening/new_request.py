"""A request is made as its SYN says it, with the window that its SYN|ACK will offer (tcp_input.c: tcp_conn_request)."""

from __future__ import annotations

from tcpemu.stack.base.ip_families import IPV6_LENGTH
from tcpemu.stack.base.tcp_options import TIMESTAMPS_LENGTH, SynOptions, syn_options
from tcpemu.stack.connection.measures import ipv6_header, segment_size
from tcpemu.stack.connection.measures.first_window import first_window
from tcpemu.stack.records.listener import Listener, Terms, TermsKey
from tcpemu.stack.records.request import Request
from tcpemu.wire.codec import encode
from tcpemu.wire.options import Option, Timestamps
from tcpemu.wire.segment import CWR, ECE, Segment

_ECN_SETUP = ECE | CWR
NO_LIMIT = 65535
_MOST_TERMS = 4096
_PLACE = Timestamps(0, 0)
"""Stands where the timestamps go among the options of a SYN|ACK."""


def new_request(
    listener: Listener,
    segment: Segment,
    offer: SynOptions,
    may_ecn: bool = True,
    most: int = NO_LIMIT,
    window_mss: int = 0,
) -> Request:
    """A request as its SYN says it; `iss` and `ts_offset` are the maker's to set.

    It announces an MSS of `most` at most; the window is that for segments of `window_mss`, where this is given.
    """
    host, options = listener.host, listener.options
    peer_mss, shift, sack, stamps, _ = offer
    src, sport, dst, _ = segment[:4]
    own = listener.address or host.addresses[0]
    # The host's own address and port are there already: a million flows need not keep those of their SYNs.
    key = (src, sport, own if own == dst else dst, listener.port)
    six = len(src) == IPV6_LENGTH
    tos = options.tclass if six else options.tos
    if host.sysctls.tcp_reflect_tos:
        tos = segment.tos & 0xFC | tos & 3
    own_mss = _own_mss(listener, segment) if six or host.path_mtus or host.routes_to else listener.own_mss
    if own_mss > most:
        own_mss = most
    ecn = segment.flags & _ECN_SETUP == _ECN_SETUP and may_ecn and _may_use_ecn(listener, segment)
    size = window_mss or (own_mss if stamps is None else own_mss - TIMESTAMPS_LENGTH)
    known = (peer_mss, shift, sack, own_mss, ecn, tos, size, stamps is not None, len(src))
    terms = listener.terms.get(known)
    if terms is None:
        terms = _new_terms(listener, known)
    request = Request(
        key, None, listener, terms, segment.seq, None if stamps is None else stamps.val, host.now
    )
    if six:
        request.flow_label = ipv6_header.new_flow_label(host, key, options)
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


def _new_terms(listener: Listener, known: TermsKey) -> Terms:
    """Terms that no request has had yet: with the window of the SYN|ACK and its scale, which `first_window` works out.

    tcp_minisocks.c: tcp_openreq_init_rwin. So many are remembered and no more, for what a SYN says may be anything.
    """
    peer_mss, shift, sack, own_mss, ecn, tos, window_mss, stamped, _ = known
    host = listener.host
    wnd, clamp, own_shift = first_window(host, listener.options, window_mss, shift is not None)
    order = host.generation.wire.syn_ack_order or host.generation.wire.order
    offered = None if shift is None else own_shift
    before = options = syn_options(own_mss, offered, sack, _PLACE if stamped else None, order)
    after: tuple[Option, ...] = ()
    if stamped:
        place = options.index(_PLACE)
        before, after = options[:place], options[place + 1 :]
    terms = Terms(peer_mss, shift, sack, own_mss, ecn, tos, wnd, clamp, own_shift, before, after)
    if len(listener.terms) >= _MOST_TERMS:
        listener.terms.clear()
    listener.terms[known] = terms
    return terms
