"""An ICMP error about a segment that was sent: ignored, remembered, or the end (tcp_ipv4.c: tcp_v4_err, Linux 6.18).

It must quote a number that is under way; anybody can send one. A connection that is open goes on whatever it says
(RFC 1122 section 4.2.3.9), unless IP_RECVERR asks to be told; one that is opening ends. 'Fragmentation needed'
makes segments smaller, and sends again at once what was too large. icmp.c: icmp_unreach, icmp_err_convert.
ICMPv6 says the same with other numbers (tcp_ipv6.c: tcp_v6_err; icmpv6_err_convert).
"""

from __future__ import annotations

import errno

from tcpemu.stack.base import reasons
from tcpemu.stack.base.events import Reason
from tcpemu.stack.base.ip_families import is_ipv6
from tcpemu.stack.base.sequence_numbers import before
from tcpemu.stack.base.states import OPENING, State
from tcpemu.stack.base.units import MICROSECOND
from tcpemu.stack.connection.lifetime import closing, error_queue, timeouts
from tcpemu.stack.connection.measures import path_mtu, segment_size
from tcpemu.stack.connection.sending import retransmission
from tcpemu.stack.records.connection import Connection, WriteTimer
from tcpemu.stack.recovery import congestion_states, write_timer
from tcpemu.wire.icmp import (
    FRAGMENTATION_NEEDED,
    PARAMETER_PROBLEM,
    REDIRECT,
    SOURCE_QUENCH,
    TIME_EXCEEDED,
    UNREACHABLE,
    V6_PARAMETER_PROBLEM,
    V6_TIME_EXCEEDED,
    V6_UNREACHABLE,
    IcmpError,
)

NET, HOST = 0, 1
_UNREACHABLE = (
    *(errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENOPROTOOPT, errno.ECONNREFUSED, errno.EMSGSIZE),
    *(errno.EOPNOTSUPP, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENONET, errno.ENETUNREACH),
    *(errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EHOSTUNREACH, errno.EHOSTUNREACH),
    errno.EHOSTUNREACH,
)
"""By code (icmp.c: icmp_err_convert)."""
_V6_UNREACHABLE = (
    *(errno.ENETUNREACH, errno.EACCES, errno.EHOSTUNREACH, errno.EHOSTUNREACH, errno.ECONNREFUSED),
    *(errno.EACCES, errno.EACCES),
)
"""By code of ICMPv6 (icmp.c: tab_unreach)."""
_V6_NO_ROUTE = 0
_V6_NOT_FATAL = (_V6_NO_ROUTE, 2, 3)
"""No route, beyond the scope, no such address: others end what is opening (fatal)."""
_REASSEMBLY = 1


def says_something(error: IcmpError) -> bool:
    """Whether the kernel gives it to TCP at all (icmp.c: icmp_unreach); of ICMPv6 it gives every error."""
    if is_ipv6(error.src):
        return True
    if error.kind == TIME_EXCEEDED:
        return error.code != _REASSEMBLY
    return error.kind != UNREACHABLE or error.code < len(_UNREACHABLE)


def ends_request(error: IcmpError) -> bool:
    """Whether it ends a half-open connection (tcp_v4_err, tcp_req_err)."""
    if is_ipv6(error.src):
        if error.kind == V6_UNREACHABLE:
            return error.code not in _V6_NOT_FATAL
        return error.kind == V6_PARAMETER_PROBLEM
    if error.kind == UNREACHABLE:
        return error.code in (NET, HOST)
    return error.kind in (PARAMETER_PROBLEM, TIME_EXCEEDED)


def receive(conn: Connection, error: IcmpError) -> Reason:
    """An error about a segment of this connection."""
    # Before the final ACK of Fast Open the SYN|ACK is under way too.
    oldest = conn.snd.iss if conn.opened_early else conn.snd.una
    if before(error.seq, oldest) or before(conn.snd.nxt, error.seq):
        conn.host.count("OutOfWindowIcmps")
        return reasons.ICMP_OUT_OF_WINDOW
    if is_ipv6(error.src):
        return _from_ipv6(conn, error)
    if error.kind in (REDIRECT, SOURCE_QUENCH):
        return reasons.ICMP_IGNORED
    if error.kind == UNREACHABLE:
        if error.code == FRAGMENTATION_NEEDED:
            return _too_large(conn, error)
        number = _UNREACHABLE[error.code]
        if error.code in (NET, HOST):
            _take_back_off(conn, error.seq)
    else:
        number = errno.EPROTO if error.kind == PARAMETER_PROBLEM else errno.EHOSTUNREACH
    return _tell(conn, number, error)


def _from_ipv6(conn: Connection, error: IcmpError) -> Reason:
    """The same for ICMPv6 (tcp_v6_err)."""
    if error.too_large:
        return _too_large_for_ipv6(conn, error)
    number = errno.EPROTO
    if error.kind == V6_UNREACHABLE and error.code < len(_V6_UNREACHABLE):
        number = _V6_UNREACHABLE[error.code]
    elif error.kind == V6_TIME_EXCEEDED:
        number = errno.EHOSTUNREACH
    if error.kind == V6_UNREACHABLE and error.code == _V6_NO_ROUTE and conn.state not in OPENING:
        _take_back_off(conn, error.seq)
    return _tell(conn, number, error)


def _too_large_for_ipv6(conn: Connection, error: IcmpError) -> Reason:
    """Learn the path's MTU where that makes segments smaller, and send again at once (tcp_v6_mtu_reduced)."""
    host, peer = conn.host, conn.key[0]
    if not path_mtu.heeds(conn) or segment_size.payload_in(conn, error.mtu) >= conn.snd.mss_cache:
        return reasons.ICMP_IGNORED
    path_mtu.learn(host, peer, error.mtu)
    if conn.snd.path_mtu > path_mtu.path_mtu(host, peer):
        segment_size.sync_mss(conn)
        _send_smaller(conn)
        return reasons.ICMP_TOO_LARGE
    return reasons.ICMP_IGNORED


def _tell(conn: Connection, number: int, error: IcmpError) -> Reason:
    """The end of what is opening; else what is told at once with IP_RECVERR, or when the connection is given up."""
    if conn.state is State.CLOSE:
        return reasons.ICMP_SOFT
    taken = conn.fast_open is not None and conn.fast_open.accepted and conn.opened_early
    if conn.state in OPENING and not taken:
        error_queue.add_icmp(conn, number, error)
        closing.fail(conn, number, f"ICMP: {error}")
        return reasons.ICMP_REFUSED
    if conn.options.recverr6 if is_ipv6(conn.key[0]) else conn.options.recverr:
        conn.error = number
        conn.host.wake(conn.socket)
        return reasons.ICMP_TOLD
    conn.rtx.soft_error = number
    return reasons.ICMP_SOFT


def _take_back_off(conn: Connection, seq: int) -> None:
    """The path broke, so the time-outs say nothing of congestion: one doubling is taken back (RFC 6069).

    tcp_ipv4.c: tcp_ld_RTO_revert.
    """
    board = conn.scoreboard
    if seq != conn.snd.una or not conn.rtx.retransmits or not conn.rtt.backoff or not board:
        return
    host = conn.host
    conn.rtt.backoff -= 1
    base = host.generation.initial_rto
    if conn.rtt.srtt:
        base = ((conn.rtt.srtt >> 3) + conn.rtt.rttvar) * MICROSECOND
    conn.rtt.rto = min(base << conn.rtt.backoff, conn.options.rto_max)
    left = conn.rtt.rto - (host.now - board[0].sent_at)
    if left > 0:
        write_timer.set_timer(conn, WriteTimer.RETRANS, left)
    else:
        timeouts.retransmission_timer(conn)


def _too_large(conn: Connection, error: IcmpError) -> Reason:
    """Fragmentation is needed: learn the path's MTU, and send again at once what was larger (tcp_v4_mtu_reduced).

    A router that tells no MTU has it taken for the least, net.ipv4.route.min_pmtu.
    """
    host, peer = conn.host, conn.key[0]
    # Where ICMP is not heeded (net.ipv4.ip_no_pmtu_disc 1) the MTU in it is not looked at, and counts as 0.
    told = 0 if host.sysctls.ip_no_pmtu_disc == 1 else error.mtu
    path_mtu.learn(host, peer, told)
    mtu = path_mtu.path_mtu(host, peer)
    conn.snd.df = path_mtu.dont_fragment(conn)
    if told < mtu and conn.snd.df:
        conn.rtx.soft_error = errno.EMSGSIZE
    if path_mtu.heeds(conn) and conn.snd.path_mtu > mtu:
        segment_size.sync_mss(conn)
        _send_smaller(conn)
    return reasons.ICMP_TOO_LARGE


def _send_smaller(conn: Connection) -> None:
    """What is larger than a segment may be now is lost for certain (tcp_input.c: tcp_simple_retransmit)."""
    board = conn.scoreboard
    if board:
        # ICMP does not look at the clock: timestamps are of when the connection last did.
        conn.ts.clock_at = max(board.recovery.wrote_at, conn.rtx.heard_at, conn.ack.last_data_at)
    # A SYN with data was too large, though both of its pieces are small.
    whole_syn = conn.fast_open is not None and conn.fast_open.syn_data and conn.state is State.SYN_SENT
    mss = -1 if whole_syn else segment_size.current_mss(conn)
    if board and congestion_states.too_large_lost(conn, board, mss):
        retransmission.send_lost(conn, board, reasons.SENT_SMALLER)
    conn.ts.clock_at = None
