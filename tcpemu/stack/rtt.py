"""Round-trip times and the retransmission time-out, in the kernel's fixed-point arithmetic.

`srtt` is eight times the smoothed round-trip time, in microseconds; `mdev` and `rttvar` are four times the
mean deviation, so RTO = srtt / 8 + rttvar. RFC 6298; tcp_input.c: tcp_rtt_estimator, tcp_set_rto.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tcpemu.stack.seq import MASK, after
from tcpemu.stack.units import MICROSECOND

if TYPE_CHECKING:
    from tcpemu.stack.connection import Connection

_LONGEST_ECHO = 2**31 // 1000


def sample(conn: Connection, microseconds: int) -> None:
    """Take in one measurement and set the RTO by it."""
    host = conn.host
    least = host.rto_min_us
    if not conn.srtt:
        conn.srtt = microseconds << 3 or 1
        conn.mdev = deviation = microseconds << 1
        if deviation < least:
            deviation = least
        conn.rttvar = conn.mdev_max = deviation
        conn.rtt_seq = conn.snd_nxt
    else:
        _update(conn, microseconds, least)
    rto = ((conn.srtt >> 3) + conn.rttvar) * MICROSECOND
    conn.rto = rto if rto < host.rto_max else host.rto_max
    conn.backoff = 0


def _update(conn: Connection, microseconds: int, least: int) -> None:
    error = microseconds - (conn.srtt >> 3)
    conn.srtt = conn.srtt + error or 1
    if error < 0:
        # A shorter time moves the deviation down slowly, and hardly up.
        change = -error - (conn.mdev >> 2)
        if change > 0:
            change >>= 3
    else:
        change = error - (conn.mdev >> 2)
    conn.mdev += change
    if conn.mdev > conn.mdev_max:
        conn.mdev_max = conn.mdev
        conn.rttvar = max(conn.rttvar, conn.mdev_max)
    if after(conn.snd_una, conn.rtt_seq):
        if conn.mdev_max < conn.rttvar:
            conn.rttvar -= (conn.rttvar - conn.mdev_max) >> 2
        conn.rtt_seq = conn.snd_nxt
        conn.mdev_max = least


def by_timestamp(conn: Connection) -> int | None:
    """The age of the segment that TSecr echoes, in microseconds, to the tick; an absurd echo tells nothing.

    tcp_rtt_tsopt_us
    """
    elapsed = conn.host.stamp_clock() - (conn.tsecr - conn.ts_offset) & MASK
    return max(elapsed, 1) * (conn.host.stamp_tick // MICROSECOND) if elapsed < _LONGEST_ECHO else None


def sample_by_timestamp(conn: Connection) -> None:
    """Measure by the segment that TSecr echoes."""
    measured = by_timestamp(conn)
    if measured is not None:
        sample(conn, measured)


def init_metrics(conn: Connection) -> None:
    """The RTO for the first data (tcp_metrics.c: tcp_init_metrics)."""
    known = conn.host.metrics.rtt(conn.remote)
    generation = conn.host.generation
    if known > conn.srtt:
        cached = (known >> 3) * MICROSECOND
        conn.rto = cached + max(2 * cached, generation.rto_min)
    elif not conn.srtt:
        fallback = generation.fallback_rto // MICROSECOND
        conn.rttvar = conn.mdev = conn.mdev_max = fallback
        conn.rto = generation.fallback_rto
