"""The moment that a control goes by: the clock, the numbers of the round trip, the pace."""

from __future__ import annotations

from tcpemu.stack.base.congestion_hooks import Moment
from tcpemu.stack.base.units import MICROSECOND, SECOND
from tcpemu.stack.records.connection import Connection


def moment_of(conn: Connection) -> Moment | None:
    """For a control that needs one."""
    if not conn.congestion.needs_moment:
        return None
    host, snd = conn.host, conn.snd
    now, jiffy = host.now, host.jiffy
    return Moment(
        now // MICROSECOND, now // jiffy, SECOND // jiffy, snd.una, snd.nxt, snd.pacing_rate, snd.paced
    )


def take_counters(conn: Connection, moment: Moment) -> None:
    """Count what the control has found."""
    if moment.counters is not None:
        for name, by in moment.counters.items():
            conn.host.count(name, by)
