"""A connection that nobody holds any more is ended early where there are too many of its kind.

tcp_timer.c: tcp_out_of_resources; tcp.c: __tcp_close (Linux 6.18). How many there may be `orphan_limit.py` says.
"""

from __future__ import annotations

from tcpemu.stack.base import reasons
from tcpemu.stack.base.units import SECOND
from tcpemu.stack.connection.lifetime import closing
from tcpemu.stack.connection.measures import orphan_limit
from tcpemu.stack.connection.sending import transmit
from tcpemu.stack.records.connection import Connection

_SENT_LATELY = 60 * SECOND
"""tcp.h: TCP_TIMEWAIT_LEN."""


def ended_early(conn: Connection, tell_peer: bool) -> bool:
    """A timer of an orphan fires: whether there are too many orphans, so that it ends (tcp_out_of_resources).

    One that sent nothing for long, or that must not `tell_peer`, counts for two, and for twice
    as many where ICMP doubts its path. A RST goes out where the peer may
    still be there: something was sent within a minute, or its window is closed.
    """
    board = conn.scoreboard
    silent = conn.host.now - (board.recovery.wrote_at if board is not None else 0)
    penalty = int(silent > 2 * conn.options.rto_max or not tell_peer) + bool(conn.rtx.soft_error)
    if not orphan_limit.too_many(conn.host, penalty):
        return False
    conn.host.timer_fired(conn.key, reasons.TOO_MANY_ORPHANS)
    if tell_peer or silent <= _SENT_LATELY or not (conn.snd.wnd or board):
        transmit.send_active_reset(conn, reasons.SENT_TOO_MANY_ORPHANS_RST)
    closing.done(conn, "too many orphans (net.ipv4.tcp_max_orphans)")
    conn.host.count("TCPAbortOnMemory")
    return True
