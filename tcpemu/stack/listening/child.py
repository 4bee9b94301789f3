"""A connection is made of a request, queued for accept(), and given the segment that made it.

tcp_minisocks.c: tcp_create_openreq_child, tcp_child_process.
"""

from __future__ import annotations

from dataclasses import replace

from tcpemu.stack.base import reasons
from tcpemu.stack.base.events import Reason
from tcpemu.stack.base.ip_families import IPV6_LENGTH
from tcpemu.stack.base.sequence_numbers import MASK, after
from tcpemu.stack.base.states import State
from tcpemu.stack.base.units import MILLISECOND
from tcpemu.stack.connection.arriving import data_arrives, segment_arrives, urgent_data
from tcpemu.stack.connection.lifetime import establishing, keepalive
from tcpemu.stack.connection.measures.first_window import LARGEST_WINDOW
from tcpemu.stack.connection.sending import data_out, delayed_acks
from tcpemu.stack.listening import queues
from tcpemu.stack.records.connection import Connection, FirstSizes
from tcpemu.stack.records.listener import Listener, Terms
from tcpemu.stack.records.request import Request
from tcpemu.wire.options import Timestamps
from tcpemu.wire.segment import FIN, SYN, URG, Segment

_SYN_RECV = State.SYN_RECV
_MOST_SIZES = 4096


def establish(listener: Listener, request: Request, segment: Segment, stamps: Timestamps | None) -> Reason:
    """Make the connection, queue it for accept(), and let it process the segment itself."""
    host = listener.host
    host.count("PassiveOpens")
    conn = from_request(request, segment, stamps)
    host.flows[request.key] = conn
    queues.let_wait(listener, conn)
    first_segment(conn, segment, stamps, _first_sizes(conn, listener, request.terms, segment.window))
    host.wake(listener.socket)
    return reasons.HANDSHAKE_DONE


def from_request(request: Request, segment: Segment, stamps: Timestamps | None) -> Connection:
    """The child of a listener (tcp_minisocks.c: tcp_create_openreq_child)."""
    listener, terms = request.listener, request.terms
    host = listener.host
    options = listener.options
    if len(request.key[0]) == IPV6_LENGTH:
        if terms.tos != options.tclass:
            options = replace(options, tclass=terms.tos)
    elif terms.tos != options.tos:
        options = replace(options, tos=terms.tos)
    conn = establishing.new_connection(host, request.key, options, _SYN_RECV)
    conn.parent = listener
    conn.flow_label = request.flow_label
    snd, rcv = conn.snd, conn.rcv
    snd.iss, rcv.irs = request.iss, request.irs
    rcv.wup = rcv.nxt = rcv.copied_seq = request.irs + 1 & MASK
    rcv.segs_in = 1
    snd.una = snd.nxt = snd.write_seq = snd.sml = request.iss + 1 & MASK
    conn.sack_ok, conn.ecn_ok = terms.sack, terms.ecn
    snd.mss_clamp = terms.mss
    rcv.window_clamp = terms.window_clamp
    rcv.wnd = rcv.ssthresh = terms.rcv_wnd
    rcv.advmss = terms.own_mss
    snd.agreed = True
    if terms.snd_shift is not None:
        snd.scaled = True
        snd.wscale, rcv.wscale = terms.snd_shift, terms.rcv_shift
    else:
        rcv.window_clamp = min(terms.window_clamp, LARGEST_WINDOW)
    snd.wnd = snd.max_window = segment.window << snd.wscale
    conn.ts.offset = request.ts_offset
    if request.ts_recent is not None:
        _agree_on_timestamps(conn, request.ts_recent, segment, stamps)
    if request.rare is not None:
        conn.saved_syn = request.rare.saved_syn
        conn.rtx.total_retrans = request.rare.repeats
    if not conn.rtx.total_retrans:
        conn.rtt.handshake_began = request.started
    if request.timeouts:
        rtx = conn.rtx
        rtx.syn_timed_out = True
        rtx.retrans_stamp = request.started
        rtx.total_rto, rtx.rto_recoveries = request.timeouts, 1
        rtx.rto_time = (host.now - (request.started or 0)) // MILLISECOND
    if options.keepalive:
        keepalive.begin(conn)
    return conn


def _agree_on_timestamps(conn: Connection, recent: int, segment: Segment, stamps: Timestamps | None) -> None:
    """TS.Recent, the timestamp to echo, is that of the final ACK, unless it is out of order."""
    ts = conn.ts
    ts.ok = True
    ts.recent = recent
    if stamps is not None and not after(segment.seq, conn.rcv.nxt):
        ts.recent = stamps.val
    ts.recent_at = conn.host.now


def _first_sizes(conn: Connection, listener: Listener, terms: Terms, window: int) -> FirstSizes | None:
    """The sizes of all children with these terms and that window in their final ACK; None where its own may differ."""
    host, congestion, rtx = listener.host, conn.congestion, conn.rtx
    if (
        conn.options is not listener.options
        or congestion is not host.first_congestion
        or congestion.begins
        or rtx.total_retrans
        or rtx.syn_timed_out
        or host.path_mtus
        or host.routes_to
        or host.sysctls.tcp_mtu_probing
    ):
        return None
    sizes = listener.first_sizes.get((terms, window))
    if sizes is None:
        if len(listener.first_sizes) >= _MOST_SIZES:
            listener.first_sizes.clear()
        sizes = listener.first_sizes[terms, window] = FirstSizes()
    return sizes


def first_segment(
    conn: Connection, segment: Segment, stamps: Timestamps | None, sizes: FirstSizes | None
) -> None:
    """The segment that made this connection reaches it (tcp_minisocks.c: tcp_child_process)."""
    flags = segment.flags
    segment_arrives.count(conn, segment)
    if flags & SYN:
        segment_arrives.receive(conn, segment)
        return
    conn.ts.ecr = stamps.ecr if stamps is not None and conn.ts.ok else 0
    establishing.establish(conn, segment, stamps, sizes)
    if flags & URG:
        urgent_data.note(conn, segment)
    if segment.payload or flags & FIN:
        data_arrives.take(conn, segment)
        data_out.push_pending(conn)
        delayed_acks.check(conn)
