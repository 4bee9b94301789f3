"""The SYN of Fast Open: it carries data and the server's cookie, or asks for one (RFC 7413 section 4.1.3).

On the scoreboard the SYN and its data are two pieces: what is sent again after a time-out is the SYN alone, without
any word of Fast Open, since that may be what was lost. tcp_output.c: tcp_send_syn_data; tcp_fastopen.c:
tcp_fastopen_cookie_check, tcp_fastopen_defer_connect (Linux 6.18).
"""

from __future__ import annotations

from tcpemu.stack.base import reasons
from tcpemu.stack.base.sequence_numbers import add
from tcpemu.stack.connection.measures import blackhole, known_servers, segment_size
from tcpemu.stack.connection.sending import data_out, transmit
from tcpemu.stack.records.connection import Connection
from tcpemu.stack.records.fast_open import CLIENT_NO_COOKIE, COOKIE_UNAVAILABLE, FastOpenState
from tcpemu.stack.records.sent_pieces import new_piece
from tcpemu.wire.segment import ACK, PSH

_ROOM_FOR_OPTIONS = 40
"""Octets that are left to options, ours and those that routers may add (MAX_TCP_OPTION_SPACE)."""


def state_of(conn: Connection) -> FastOpenState:
    """How it goes on this connection, which begins to try it."""
    if conn.fast_open is None:
        conn.fast_open = FastOpenState()
    return conn.fast_open


def _may_carry_data(conn: Connection) -> bool:
    """Whether data may go with the SYN, and what the SYN says: a cookie, a request for one, or nothing.

    tcp_fastopen.c: tcp_fastopen_cookie_check.
    """
    fast_open = state_of(conn)
    fast_open.option = None
    server = known_servers.known(conn)
    if server is not None and server.mss:
        conn.snd.mss_clamp = server.mss
    if blackhole.disabled(conn):
        return False
    if conn.host.sysctls.tcp_fastopen & CLIENT_NO_COOKIE or conn.options.fastopen_no_cookie:
        return True
    fast_open.option = known_servers.cookie_of(server)
    if fast_open.option.cookie:
        return True
    fast_open.client_fail = COOKIE_UNAVAILABLE
    return False


def defers(conn: Connection) -> bool:
    """Whether connect() waits for the first data, with TCP_FASTOPEN_CONNECT: where the SYN may carry it."""
    clamp = conn.snd.mss_clamp
    may = _may_carry_data(conn)
    conn.snd.mss_clamp = clamp
    state_of(conn).deferred = may
    state_of(conn).trying = not may
    return may


def send(conn: Connection, flags: int, data: bytes) -> int:
    """Send the first SYN with as much of the data as it may carry; how many octets that is."""
    host, snd, fast_open = conn.host, conn.snd, state_of(conn)
    snd.mss_clamp = conn.rcv.advmss
    payload, reason = b"", reasons.SENT_SYN_FAST_OPEN_REQUEST
    if _may_carry_data(conn):
        if conn.options.maxseg:
            snd.mss_clamp = min(snd.mss_clamp, conn.options.maxseg)
        segment_size.sync_mss(conn, before_syn=True)
        room = segment_size.payload_in(conn, snd.path_mtu) - _ROOM_FOR_OPTIONS
        payload, reason = data[: max(room, 0)], reasons.SENT_SYN_WITH_DATA
    elif fast_open.option is None:
        reason = reasons.SENT_SYN
    iss, sent = snd.iss, (host.now, host.turn)
    transmit.transmit(conn, flags, iss, payload, reason)
    fast_open.option = None
    data_out.queue_unacked(conn, new_piece(iss, b"", flags, sent))
    if payload:
        fast_open.syn_data = True
        data_out.queue_unacked(conn, new_piece(add(iss, 1), payload, ACK | PSH, sent))
        snd.nxt = snd.write_seq = snd.pushed_seq = add(snd.nxt, len(payload))
        if conn.scoreboard is not None:
            conn.scoreboard.delivered = 0  # that the SYN arrives is still to be counted
    return len(payload)
