"""The SYN|ACK and the ACKs that a request sends (tcp_output.c: tcp_make_synack; tcp_ipv4.c: tcp_v4_reqsk_send_ack)."""

from __future__ import annotations

from tcpemu.stack.base import reasons
from tcpemu.stack.base.events import Reason
from tcpemu.stack.base.ip_families import IPV6_LENGTH
from tcpemu.stack.base.sequence_numbers import MASK, add
from tcpemu.stack.base.tcp_options import with_fast_open
from tcpemu.stack.connection.measures import ipv6_header
from tcpemu.stack.connection.sending import stateless_replies
from tcpemu.stack.records.request import Request
from tcpemu.wire.options import FastOpen, Timestamps, timestamps
from tcpemu.wire.segment import ACK, ECE, SYN, Segment, make_segment

_SYN_ACK = SYN | ACK


def send_syn_ack(
    request: Request, reason: Reason, repeat: int = 0, taken: int = 0, fast_open: FastOpen | None = None
) -> None:
    """Send the SYN|ACK (tcp_output.c: tcp_make_synack): window not scaled, a fresh TSval, an old TSecr.

    It acknowledges what was `taken` with the SYN, in octets, and gives a cookie of Fast Open where there is one.
    """
    remote, remote_port, local, local_port = request.key
    listener, terms = request.listener, request.terms
    host = listener.host
    wire = host.generation.wire
    options = terms.options
    if request.ts_recent is not None:
        tsval = host.tsval(request.ts_offset)
        if not request.ts_first:
            request.ts_first = tsval
        else:
            request.with_rare().ts_last = tsval
        stamps = timestamps(tsval, request.ts_recent if wire.syn_ack_echoes else 0)
        options = (*options, stamps, *terms.more_options)
    six = len(remote) == IPV6_LENGTH
    if fast_open is not None:
        options = with_fast_open(options, fast_open)
    segment = make_segment(
        local,
        local_port,
        remote,
        remote_port,
        request.iss,
        (request.irs + 1 + taken) & MASK,
        _SYN_ACK | ECE if terms.ecn else _SYN_ACK,
        terms.rcv_wnd if terms.rcv_wnd < 65535 else 65535,
        options,
        b"",
        0,
        ipv6_header.hop_limit(host, listener.options)
        if six
        else listener.options.ttl or host.sysctls.ip_default_ttl,
        terms.tos,
        0,
        wire.dont_fragment or six,
        0,
        b"",
        request.flow_label,
    )
    host.send(segment, reason, repeat)


def send_again(request: Request, reason: Reason, taken: int = 0) -> bool:
    """Send the SYN|ACK again, and count it, if the device takes it (tcp_output.c: tcp_rtx_synack)."""
    host = request.listener.host
    if host.takes_nothing:
        host.count("OutSegs")
        return False
    rare = request.with_rare()
    rare.repeats += 1
    host.count("RetransSegs")
    host.count("TCPSynRetrans")
    options = request.listener.options
    if request.flow_label and options.txrehash:
        request.flow_label = ipv6_header.new_flow_label(host, request.key, options)
    send_syn_ack(request, reason, rare.repeats, taken)
    return True


def send_ack(request: Request, segment: Segment, nxt: int | None = None, taken: int = 0) -> None:
    """An ACK that says what the request expects (tcp_ipv4.c: tcp_v4_reqsk_send_ack).

    Of a connection that Fast Open made, with its SND.NXT and the octets that were taken with the SYN.
    """
    host = request.listener.host
    stamps = None
    if request.ts_recent:
        stamps = Timestamps(host.tsval(request.ts_offset), request.ts_recent)
    shift = request.terms.rcv_shift if host.generation.request_window_scaled else 0
    seq = add(request.iss, 1) if nxt is None else nxt
    ack, window = add(request.irs, 1 + taken), min(request.terms.rcv_wnd, 65535) >> shift
    tos = segment.tos & 0xFC
    stateless_replies.send_bare_ack(
        host, request.key, seq, ack, window, stamps, tos, reasons.SENT_REQUEST_ACK, request.flow_label
    )
