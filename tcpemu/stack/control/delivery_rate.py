"""How fast the path delivers: one measurement for each ACK (tcp_rate.c, Linux 6.18).

Each piece notes when it is sent how much had been delivered by then, and when. Once it arrives, what was delivered
since, divided by the time that took, is a rate of the path. The time is the longer of two: in which those segments
were sent, and in which they were acknowledged, for ACKs may come bunched together. Where the application had nothing
to send, the rate says nothing about the path: `limited_until` marks what was sent then.
"""

from __future__ import annotations

from tcpemu.stack.base.congestion_hooks import NO_RTT, Path
from tcpemu.stack.base.units import MICROSECOND, SECOND
from tcpemu.stack.records.ack_result import AckResult
from tcpemu.stack.records.connection import Connection
from tcpemu.stack.records.scoreboard import Scoreboard


def check_application_limited(conn: Connection) -> None:
    """send() finds the sender idle: what it sends from now on says nothing of the path's rate.

    tcp_rate.c: tcp_rate_check_app_limited
    """
    board = conn.scoreboard
    if board is None or conn.snd.unsent >= conn.snd.mss_cache:
        return
    in_flight = board.in_flight
    if in_flight < conn.congestion.cwnd and board.lost_out <= board.retrans_out:
        board.limited_until = board.delivered + in_flight or 1


def note_delivered(
    conn: Connection, board: Scoreboard, result: AckResult, delivered: int, reneged: bool
) -> None:
    """An ACK was processed, by which so many segments arrived: the rate that TCP_INFO tells (tcp_rate_gen).

    That is the last one that the application did not limit, or a higher one that it did.
    """
    if board.limited_until and board.delivered > board.limited_until:
        board.limited_until = 0
    if delivered:
        board.delivered_at = conn.host.now
    if not result.prior_delivered or reneged:
        return
    interval = _interval(conn, result)
    shortest = board.min_rtt
    if shortest is None or interval < shortest:
        return
    arrived = board.delivered - result.prior_delivered
    if not result.limited or arrived * board.rate_interval >= board.rate_delivered * interval:
        board.rate_delivered, board.rate_interval, board.rate_limited = arrived, interval, result.limited


def _interval(conn: Connection, result: AckResult) -> int:
    """Microseconds in which what arrived was sent, or acknowledged, whichever took longer."""
    ack_phase = (conn.host.now - result.prior_delivered_at) // MICROSECOND
    send_phase = result.send_phase // MICROSECOND
    return send_phase if send_phase > ack_phase else ack_phase


def rate_told(conn: Connection) -> int:
    """Octets per second, of the rate that was measured last; 0 before that (tcp_compute_delivery_rate)."""
    board = conn.scoreboard
    if board is None or not board.rate_interval:
        return 0
    return board.rate_delivered * conn.snd.mss_cache * 1_000_000 // board.rate_interval


def path_of(conn: Connection, board: Scoreboard | None) -> Path:
    """How the sender stands, without a measurement."""
    host, snd = conn.host, conn.snd
    shortest = board.min_rtt if board is not None else conn.rtt.srtt >> 3 or None
    return Path(
        host.now // MICROSECOND,
        host.now // host.jiffy,
        SECOND // host.jiffy,
        snd.mss_cache,
        conn.rtt.srtt,
        NO_RTT if shortest is None else shortest,
        0 if board is None else board.in_flight,
        0 if board is None else int(board.recovery.state),
        1 if board is None else board.delivered,
        0 if board is None else board.lost,
        0 if board is None else max(board.delivered_at, 0) // MICROSECOND,
        max(snd.departed_at - host.now, 0) // MICROSECOND,
        snd.pacing_rate,
        conn.options.max_pacing_rate,
        board is not None and board.limited_until > 0,
        host.secrets.draw.randrange,
    )


def measured(
    conn: Connection, board: Scoreboard, result: AckResult, delivered: int, lost: int, reneged: bool
) -> Path:
    """What an ACK told of the path (tcp_rate_gen)."""
    path = path_of(conn, board)
    path.acked, path.losses, path.rtt = delivered, lost, result.rtt
    path.prior_in_flight, path.ack_delayed = result.prior_in_flight, result.delayed
    path.prior_delivered, path.sample_limited = result.prior_delivered, result.limited
    if not result.prior_delivered or reneged:
        return path
    path.delivered = board.delivered - result.prior_delivered
    interval = _interval(conn, result)
    # A time below any round-trip time comes of a repeat whose original arrived.
    path.interval = interval if interval >= path.min_rtt else -1
    return path


def take_over(conn: Connection, board: Scoreboard | None, path: Path) -> None:
    """What the congestion control has decided about it."""
    conn.snd.pacing_rate = path.rate
    if path.marks_limited and board is not None:
        board.limited_until = board.delivered + board.in_flight or 1
