"""Which congestion control a connection has: the host's, or what its socket or its listener's chose; and its pace.

tcp_cong.c: tcp_set_congestion_control, tcp_reinit_congestion_control, tcp_ca_openreq_child (Linux 6.18).
"""

from __future__ import annotations

from dataclasses import replace

from tcpemu.stack.base.congestion_hooks import UNLIMITED_RATE
from tcpemu.stack.base.states import State
from tcpemu.stack.control import delivery_rate
from tcpemu.stack.control.registry import CONTROLS
from tcpemu.stack.records.connection import Connection
from tcpemu.stack.records.socket_options import SocketOptions

_ECT0 = 2


def take_choice(conn: Connection) -> None:
    """What was chosen before there was a connection, or by its listener (sock.c: sk_clone_lock copies the pace)."""
    options = conn.options
    if options.congestion:
        conn.congestion = CONTROLS[options.congestion](conn.host.generation.initial_cwnd)
    conn.snd.paced = options.paced


def begin_after_handshake(conn: Connection) -> None:
    """The congestion control begins, with one segment where SYNs were lost (tcp_input.c: tcp_init_transfer).

    What neither controls nor had that trouble stands where it begins already (`HostServices.first_congestion`).
    """
    troubled = conn.rtx.total_retrans > 1 and conn.rtx.syn_timed_out
    begin(conn, 1 if troubled else conn.host.initial_cwnd(conn.key[0]))


def begin(conn: Connection, cwnd: int) -> None:
    """The congestion control begins with this window (tcp_cong.c: tcp_init_congestion_control)."""
    congestion = conn.congestion
    if not congestion.controls:
        conn.congestion = congestion.begin(cwnd, None)
        if congestion.needs_ecn:
            _begin_with_marks(conn)
        set_ecn_capable(conn)
        return
    path = delivery_rate.path_of(conn, conn.scoreboard)
    conn.congestion = congestion.begin(cwnd, path)
    delivery_rate.take_over(conn, conn.scoreboard, path)
    conn.snd.paced = True


def _begin_with_marks(conn: Connection) -> None:
    """One that needs ECN takes its first measure, or makes place where that was not agreed (dctcp_init)."""
    if not conn.ecn_ok:
        conn.congestion = conn.congestion.without_ecn()
        return
    conn.ack.prior_nxt, conn.ack.ce_state = conn.rcv.nxt, False
    board = conn.scoreboard
    delivered, marked = (1, 0) if board is None else (board.delivered, board.delivered_ce)
    conn.congestion = conn.congestion.round_begins(conn.snd.nxt, delivered, marked)


def set_ecn_capable(conn: Connection) -> None:
    """All packets of one that needs ECN are ECN-capable, and of others no more (INET_ECN_xmit, INET_ECN_dontxmit)."""
    conn.options = with_ecn_bits(conn.options, conn.congestion.needs_ecn)


def with_ecn_bits(options: SocketOptions, capable: bool) -> SocketOptions:
    """The same, with all packets ECN-capable, or those alone that RFC 3168 has so."""
    bits = _ECT0 if capable else 0
    if options.tos & 3 == options.tclass & 3 == bits:
        return options
    return replace(options, tos=options.tos & 0xFC | bits, tclass=options.tclass & 0xFC | bits)


def switch(conn: Connection, name: str) -> None:
    """Another congestion control takes over, at the window and threshold that there are.

    A reduction that runs cannot be taken back any more, and a connection that was paced stays so.
    """
    before = conn.congestion
    if name == before.name:
        return
    conn.congestion = CONTROLS[name](before.cwnd)
    set_ecn_capable(conn)
    if conn.state is not State.CLOSE:
        if conn.scoreboard is not None:
            conn.scoreboard.recovery.prior_ssthresh = 0
        begin(conn, before.cwnd)
    if not conn.congestion.controls:
        conn.congestion = replace(conn.congestion, ssthresh=before.ssthresh)  # type: ignore[type-var]


def limit_pace(conn: Connection) -> None:
    """SO_MAX_PACING_RATE was set (net/core/sock.c: sk_setsockopt)."""
    options, snd = conn.options, conn.snd
    snd.paced = snd.paced or options.paced
    if snd.pacing_rate != UNLIMITED_RATE:
        # Before the first data none is set: then the limit counts (`pacing_rate.begin`).
        snd.pacing_rate = min(snd.pacing_rate, options.max_pacing_rate)
