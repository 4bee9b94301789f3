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
from tcpemu.stack.connection.arriving import data_arrives, segment_arrives, urgent_data
from tcpemu.stack.connection.lifetime import establishing, keepalive
from tcpemu.stack.connection.measures.first_window import LARGEST_WINDOW
from tcpemu.stack.connection.sending import data_out, delayed_acks
from tcpemu.stack.listening import queues
from tcpemu.stack.records.connection import Connection
from tcpemu.stack.records.listener import Listener
from tcpemu.stack.records.request import Request
from tcpemu.wire.options import Timestamps
from tcpemu.wire.segment import FIN, SYN, URG, Segment

_SYN_RECV = State.SYN_RECV


def establish(listener: Listener, request: Request, segment: Segment, stamps: Timestamps | None) -> Reason:
    """Make the connection, queue it for accept(), and let it process the segment itself."""
    host = listener.host
    host.count("PassiveOpens")
    conn = from_request(request, segment, stamps)
    host.flows[request.key] = conn
    listener.accept_queue.append(conn)
    if host.observe:
        queues.queue_changed(listener)
    first_segment(conn, segment, stamps)
    host.wake(listener.socket)
    return reasons.HANDSHAKE_DONE


def from_request(request: Request, segment: Segment, stamps: Timestamps | None) -> Connection:
    """The child of a listener (tcp_minisocks.c: tcp_create_openreq_child)."""
    listener = request.listener
    host = listener.host
    options = listener.options
    if len(request.key[0]) == IPV6_LENGTH:
        if request.tos != options.tclass:
            options = replace(options, tclass=request.tos)
    elif request.tos != options.tos:
        options = replace(options, tos=request.tos)
    conn = establishing.new_connection(host, request.key, options, _SYN_RECV)
    conn.parent = listener
    conn.flow_label = request.flow_label
    conn.saved_syn = request.saved_syn
    snd, rcv = conn.snd, conn.rcv
    snd.iss, rcv.irs = request.iss, request.irs
    rcv.wup = rcv.nxt = rcv.copied_seq = request.irs + 1 & MASK
    snd.una = snd.nxt = snd.write_seq = snd.sml = request.iss + 1 & MASK
    conn.sack_ok, conn.ecn_ok = request.sack, request.ecn
    snd.mss_clamp = request.mss
    rcv.window_clamp = request.window_clamp
    rcv.wnd = rcv.ssthresh = request.rcv_wnd
    rcv.advmss = request.own_mss
    if request.snd_shift is not None:
        snd.wscale, rcv.wscale = request.snd_shift, request.rcv_shift
    else:
        rcv.window_clamp = min(request.window_clamp, LARGEST_WINDOW)
    snd.wnd = snd.max_window = segment.window << snd.wscale
    conn.ts.offset = request.ts_offset
    if request.ts_recent is not None:
        _agree_on_timestamps(conn, request.ts_recent, segment, stamps)
    conn.rtx.total_retrans = request.repeats
    if not request.repeats:
        conn.rtt.handshake_began = request.started
    if request.timeouts:
        conn.rtx.syn_timed_out = True
        conn.rtx.retrans_stamp = request.started
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


def first_segment(conn: Connection, segment: Segment, stamps: Timestamps | None) -> None:
    """The segment that made this connection reaches it (tcp_minisocks.c: tcp_child_process)."""
    flags = segment.flags
    if flags & SYN:
        segment_arrives.receive(conn, segment)
        return
    conn.ts.ecr = stamps.ecr if stamps is not None and conn.ts.ok else 0
    establishing.establish(conn, segment, stamps)
    if flags & URG:
        urgent_data.note(conn, segment)
    if segment.payload or flags & FIN:
        data_arrives.take(conn, segment)
        data_out.push_pending(conn)
        delayed_acks.check(conn)
