"""A connection that Fast Open has made, until its final ACK: which segments reach it, and its SYN|ACK sent again.

What makes up its request is still there, and a segment has to pass that one's tests before the connection's own:
tcp_minisocks.c: tcp_check_req with `fastopen`; tcp_timer.c: tcp_fastopen_synack_timer (Linux 6.18).
"""

from __future__ import annotations

from tcpemu.stack.base import reasons
from tcpemu.stack.base.events import GivenUp, Reason
from tcpemu.stack.base.sequence_numbers import add, in_window
from tcpemu.stack.base.tcp_options import find_timestamps
from tcpemu.stack.connection.arriving import segment_arrives
from tcpemu.stack.connection.lifetime import closing, fast_open_end, timeouts
from tcpemu.stack.connection.measures.reply_limits import out_of_window_limited, too_soon
from tcpemu.stack.connection.sending import stateless_replies
from tcpemu.stack.listening import final_ack, syn_ack
from tcpemu.stack.records.connection import Connection, WriteTimer
from tcpemu.stack.records.request import Request
from tcpemu.stack.recovery import congestion_states, write_timer
from tcpemu.wire.segment import ACK, RST, SYN, Segment


def request_of(conn: Connection) -> Request:
    """The request whose final ACK the connection waits for."""
    assert conn.fast_open is not None
    request = conn.fast_open.request
    assert isinstance(request, Request)
    return request


def receive(conn: Connection, segment: Segment) -> Reason:
    """A segment for the connection, whose final ACK has not come yet."""
    refused = _check(conn, request_of(conn), segment)
    return segment_arrives.receive(conn, segment) if refused is None else refused


def _check(conn: Connection, request: Request, segment: Segment) -> Reason | None:
    """The tests in the kernel's order; None where the connection itself is to look at the segment."""
    flags = segment.flags & (RST | SYN | ACK)
    stamps = find_timestamps(segment.options)
    old = stamps is not None and final_ack.paws_rejects(request, stamps)
    if flags == SYN and segment.seq == request.irs and not old:
        return _duplicate_syn(conn, request, segment)
    expected = add(request.irs, 1 + _taken(conn))
    if old or not _in_window(request, segment, expected):
        return _not_acceptable(conn, request, segment, old)
    if segment.seq == request.irs:
        flags &= ~SYN
    if flags & RST and segment.seq != expected:
        return _inexact_rst(conn, request, segment)
    if flags & (RST | SYN):
        return _reset(conn, segment)
    return None if flags & ACK else reasons.REQUEST_NO_ACK


def _taken(conn: Connection) -> int:
    """Octets that came with the SYN."""
    assert conn.fast_open is not None
    return conn.fast_open.taken


def _in_window(request: Request, segment: Segment, low: int) -> bool:
    """Whether some of it lies in the window of the SYN|ACK, which begins behind the data."""
    high = add(low, min(request.terms.rcv_wnd, 65535))
    return in_window(segment.seq, add(segment.seq, segment.length), low, high)


def _duplicate_syn(conn: Connection, request: Request, segment: Segment) -> Reason:
    """The SYN|ACK is sent again; its data is not looked at any more, and the timer goes on."""
    if out_of_window_limited(conn.host, request, segment, final_ack.SKIPPED):
        return reasons.DUPLICATE_SYN_LIMITED
    _send_again(conn, request, reasons.SENT_SYN_ACK_DUPLICATE)
    return reasons.DUPLICATE_SYN


def _send_again(conn: Connection, request: Request, reason: Reason) -> None:
    syn_ack.send_again(request, reason, _taken(conn))
    conn.rtx.total_retrans += 1
    conn.rtt.handshake_began = None  # it is not known which of them the final ACK answers


def _not_acceptable(conn: Connection, request: Request, segment: Segment, old: bool) -> Reason:
    """Too old or out of window: an ACK says what is expected, not too often."""
    if old:
        conn.host.count("PAWSEstab")
    if segment.flags & RST or out_of_window_limited(conn.host, request, segment, final_ack.SKIPPED):
        return reasons.REQUEST_REFUSED_QUIETLY
    syn_ack.send_ack(request, segment, conn.snd.nxt, _taken(conn))
    return reasons.REQUEST_PAWS if old else reasons.REQUEST_OUT_OF_WINDOW


def _inexact_rst(conn: Connection, request: Request, segment: Segment) -> Reason:
    """RFC 5961 section 3: a RST inside the window must hit its edge."""
    if too_soon(conn.host, request, "TCPACKSkippedChallenge"):
        return reasons.REQUEST_RST_LIMITED
    conn.host.count("TCPChallengeACK")
    syn_ack.send_ack(request, segment, conn.snd.nxt, _taken(conn))
    return reasons.REQUEST_RST_INEXACT


def _reset(conn: Connection, segment: Segment) -> Reason:
    """A RST ends the connection; a SYN inside the window is answered with one, and ends nothing."""
    conn.host.count("AttemptFails")
    if not segment.flags & RST:
        stateless_replies.send_reset(conn.host, segment, conn.flow_label)
        return reasons.FAST_OPEN_SYN
    fast_open_end.remove(conn, reset=True)
    closing.reset_by_peer(conn)
    return reasons.RESET


def timer_fired(conn: Connection) -> None:
    """No final ACK in time: the SYN|ACK again, and neither data nor a FIN (tcp_fastopen_synack_timer)."""
    host, request = conn.host, request_of(conn)
    conn.rtx.timer_is_for = WriteTimer.NOTHING
    host.count("TCPTimeouts")
    limit = conn.options.syncnt or host.sysctls.tcp_synack_retries + 1
    if request.timeouts >= limit:
        _give_up(conn, limit)
        return
    if conn.rtx.retransmits == 1:
        congestion_states.enter_loss(conn, conn.scoreboard or congestion_states.new_scoreboard(conn))
    _send_again(conn, request, reasons.SENT_SYN_ACK_FAST_OPEN_AGAIN)
    request.timeouts += 1
    timeouts.count_timeout(conn)
    if conn.rtx.retrans_stamp is None:
        conn.rtx.retrans_stamp = host.now
    write_timer.set_timer(conn, WriteTimer.RETRANS, host.generation.initial_rto << request.timeouts)


def _give_up(conn: Connection, limit: int) -> None:
    """ETIMEDOUT, whether accepted or not (tcp_write_err)."""
    host = conn.host
    setting = "TCP_SYNCNT" if conn.options.syncnt else "net.ipv4.tcp_synack_retries"
    waited = host.now - (request_of(conn).started or 0)
    host.timer_fired(conn.key, reasons.FAST_OPEN_TIMED_OUT, GivenUp(setting, limit, waited))
    closing.give_up(conn, f"no final ACK in time{closing.setting_words(host, setting)}")
    host.count("TCPAbortOnTimeout")
