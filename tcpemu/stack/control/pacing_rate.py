"""The pace of a connection, and how many segments go out in one piece at that pace.

Reno's and CUBIC's pace is twice the window a round trip in slow start, and 1.2 times it afterwards, so that it never
holds the window back. A connection that is not paced does not wait for it; then it only says how large a piece is.

tcp_input.c: tcp_update_pacing_rate; tcp_output.c: tcp_tso_autosize (Linux 6.18).
"""

from __future__ import annotations

from tcpemu.stack.base.congestion_hooks import UNLIMITED_RATE
from tcpemu.stack.records.connection import Connection

GSO_MAX_SIZE = 65536 - (192 + 1)
"""Octets of data in one piece that leave room for headers, 192 octets of them in the kernel of our truths.

net/core/sock.c: sk_setup_caps; a kernel with tunnels or wireless networks built in leaves more (MAX_TCP_HEADER).
"""
SLOW = 150_000
"""Octets per second below which BBR sends segment by segment (bbr_min_tso_rate)."""


def begin(conn: Connection) -> None:
    """The pace of the first data, where the handshake has set none.

    The kernel sets that of an accepted connection when its final ACK comes (tcp_rcv_state_process); most that are
    only opened never ask for it.
    """
    if conn.snd.pacing_rate == UNLIMITED_RATE:
        update(conn)


def update(conn: Connection) -> None:
    """Set the pace by the window, unless the congestion control does (tcp_update_pacing_rate)."""
    if not conn.congestion.controls:
        conn.snd.pacing_rate = by_window(conn)


def told(conn: Connection) -> int:
    """The pace as TCP_INFO tells it."""
    return by_window(conn) if _not_begun(conn) else conn.snd.pacing_rate


def _not_begun(conn: Connection) -> bool:
    """It is open, and nothing has asked for its pace yet."""
    return (
        not conn.opening
        and conn.snd.agreed
        and conn.snd.pacing_rate == UNLIMITED_RATE
        and not conn.congestion.controls
    )


def by_window(conn: Connection) -> int:
    """Octets per second that the window asks for, and no more than SO_MAX_PACING_RATE."""
    sysctls, snd = conn.host.sysctls, conn.snd
    congestion = conn.congestion
    cwnd = congestion.cwnd
    slow_start = cwnd < congestion.ssthresh >> 1
    percent = sysctls.tcp_pacing_ss_ratio if slow_start else sysctls.tcp_pacing_ca_ratio
    board = conn.scoreboard
    out = board.packets_out if board is not None else 0
    # `srtt` is eight times microseconds: 80_000 is 8 * 1_000_000 / 100.
    rate = snd.mss_cache * 80_000 * percent * (cwnd if cwnd > out else out)
    if conn.rtt.srtt:
        rate //= conn.rtt.srtt
    most = conn.options.max_pacing_rate
    return rate if rate < most else most


def burst(conn: Connection, mss: int) -> int:
    """Segments that go out in one piece: what a millisecond takes at the pace, and more where the peer is near.

    tcp_output.c: tcp_tso_autosize, tcp_tso_segs
    """
    rate = conn.snd.pacing_rate
    octets = GSO_MAX_SIZE
    if rate < UNLIMITED_RATE:
        octets = rate >> 10
        sysctls = conn.host.sysctls
        board = conn.scoreboard
        shortest = board.min_rtt if board is not None else conn.rtt.srtt >> 3 or None
        if shortest is not None and (halvings := shortest >> sysctls.tcp_tso_rtt_log) < 32:
            octets += GSO_MAX_SIZE >> halvings
        octets = min(octets, GSO_MAX_SIZE)
    return max(octets // mss, least_piece(conn))


def least_piece(conn: Connection) -> int:
    """Segments that a piece has at least, where windows let them out (tcp_min_tso_segs)."""
    if conn.congestion.controls:
        return 1 if conn.snd.pacing_rate < SLOW else 2
    return conn.host.sysctls.tcp_min_tso_segs
