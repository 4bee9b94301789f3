"""Round-trip times and the retransmission time-out, in the kernel's fixed-point arithmetic.

`srtt` is eight times the smoothed round-trip time, in microseconds; `mdev` and `rttvar` are four times the
mean deviation, so RTO = srtt / 8 + rttvar. RFC 6298; tcp_input.c: tcp_rtt_estimator, tcp_set_rto.
"""

from __future__ import annotations

from tcpemu.stack.base.sequence_numbers import MASK, after
from tcpemu.stack.base.units import MICROSECOND
from tcpemu.stack.records.connection import Connection

_LONGEST_ECHO = 2**31 // 1000
"""Ticks of a millisecond of which the microseconds still fit into a signed int."""


def sample(conn: Connection, microseconds: int) -> None:
    """Take in one measurement and set the RTO by it."""
    rtt = conn.rtt
    least = conn.options.rto_min_us
    if not rtt.srtt:
        # The first: the deviation is half of it (RFC 6298 section 2.2), so four times that is twice it.
        rtt.srtt = microseconds << 3 or 1
        rtt.mdev = deviation = microseconds << 1
        if deviation < least:
            deviation = least
        rtt.rttvar = rtt.mdev_max = deviation
        rtt.seq = conn.snd.nxt
    else:
        _update(conn, microseconds, least)
    rtt.rto = measured_rto(conn)
    rtt.backoff = 0


def measured_rto(conn: Connection) -> int:
    """The RTO that the round-trip times ask for, in nanoseconds, without any doubling (tcp.h: __tcp_set_rto)."""
    rto, longest = ((conn.rtt.srtt >> 3) + conn.rtt.rttvar) * MICROSECOND, conn.options.rto_max
    return rto if rto < longest else longest


def _update(conn: Connection, microseconds: int, least: int) -> None:
    """RFC 6298 section 2.3 in whole numbers, with Linux's own rules for the deviation (tcp_rtt_estimator).

    `rttvar` follows the largest deviation of each round trip: it rises at once, and falls by a quarter of the way when
    the round trip is over. It is never below `least`, so RTO is at least the round-trip time and 200 ms.
    """
    error = microseconds - (conn.rtt.srtt >> 3)
    # srtt is eight times the mean: adding the error once moves the mean by an eighth of it.
    conn.rtt.srtt = conn.rtt.srtt + error or 1
    if error < 0:
        # A shorter time is no bad news: where it would raise the deviation, it does so by an eighth only.
        change = -error - (conn.rtt.mdev >> 2)
        if change > 0:
            change >>= 3
    else:
        change = error - (conn.rtt.mdev >> 2)
    conn.rtt.mdev += change
    if conn.rtt.mdev > conn.rtt.mdev_max:
        conn.rtt.mdev_max = conn.rtt.mdev
        conn.rtt.rttvar = max(conn.rtt.rttvar, conn.rtt.mdev_max)
    if after(conn.snd.una, conn.rtt.seq):
        if conn.rtt.mdev_max < conn.rtt.rttvar:
            conn.rtt.rttvar -= (conn.rtt.rttvar - conn.rtt.mdev_max) >> 2
        conn.rtt.seq = conn.snd.nxt
        conn.rtt.mdev_max = least


def by_timestamp(conn: Connection, least: int = 1) -> int | None:
    """The age of the segment that TSecr echoes, in microseconds, to the tick; an absurd echo tells nothing.

    Less than a tick counts as `least` of them. tcp_rtt_tsopt_us
    """
    elapsed = conn.host.stamp_clock() - (conn.ts.ecr - conn.ts.offset) & MASK
    return (
        max(elapsed, least) * (conn.host.generation.wire.stamp_tick // MICROSECOND)
        if elapsed < _LONGEST_ECHO
        else None
    )


def sample_by_timestamp(conn: Connection) -> None:
    """Measure by the segment that TSecr echoes."""
    measured = by_timestamp(conn)
    if measured is not None:
        sample(conn, measured)


def init_metrics(conn: Connection) -> None:
    """The RTO for the first data (tcp_metrics.c: tcp_init_metrics)."""
    known = conn.host.metrics.srtt.get(conn.key[0], 0)
    generation = conn.host.generation
    if known > conn.rtt.srtt:
        # What is remembered from another connection is trusted less: three times it.
        cached = (known >> 3) * MICROSECOND
        conn.rtt.rto = cached + max(2 * cached, conn.options.rto_min_us * MICROSECOND)
    elif not conn.rtt.srtt:
        fallback = generation.fallback_rto // MICROSECOND
        conn.rtt.rttvar = conn.rtt.mdev = conn.rtt.mdev_max = fallback
        conn.rtt.rto = generation.fallback_rto
