"""Duplicate ACKs are put together: one tells of several segments beyond a hole (RFC 9293 section 3.8.6.3 allows it).

With SACK the first three for a hole go out at once, so that the sender repairs it; from then on they wait for a
twentieth of a round trip, and no longer than tcp_comp_sack_delay_ns. Any ACK that goes out meanwhile tells it all.
tcp_input.c: __tcp_ack_snd_check, tcp_sack_compress_send_ack; tcp_timer.c: tcp_compressed_ack_kick.
"""

from __future__ import annotations

from tcpemu.stack.base import reasons
from tcpemu.stack.base.timer_queue import Timer, TimerKind
from tcpemu.stack.connection.sending import transmit
from tcpemu.stack.records.connection import Connection

_AT_ONCE = 3
"""TCP_FASTRETRANS_THRESH."""


def duplicate(conn: Connection) -> None:
    """A duplicate ACK is due: send it, or have it wait for others."""
    ack, sysctls = conn.ack, conn.host.sysctls
    if not conn.sack_ok or ack.compressed >= sysctls.tcp_comp_sack_nr:
        transmit.send_ack(conn, reasons.SENT_DUP_ACK)
        return
    if ack.compressed_nxt != conn.rcv.nxt:
        ack.compressed_nxt, ack.duplicates = conn.rcv.nxt, 0
    if ack.duplicates < _AT_ONCE:
        ack.duplicates += 1
        transmit.send_ack(conn, reasons.SENT_DUP_ACK)
        return
    ack.compressed += 1
    if conn.compression_timer is None:
        conn.compression_timer = Timer(TimerKind.COMPRESSED_ACK, conn)
    if not conn.compression_timer.armed:
        due = conn.host.now + _delay(conn) + sysctls.tcp_comp_sack_slack_ns
        conn.host.timers.arm_exactly(conn.compression_timer, due)


def _delay(conn: Connection) -> int:
    """A twentieth of the round trip: `rcv.rtt` and `rtt.srtt` are eight times one, in microseconds."""
    round_trip = conn.rcv.rtt
    if 0 < conn.rtt.srtt < round_trip:
        round_trip = conn.rtt.srtt
    return min(conn.host.sysctls.tcp_comp_sack_delay_ns, round_trip * 125 // 20)


def flush(conn: Connection) -> bool:
    """Send what waits now, or has waited long enough; whether anything did.

    tcp_input.c: tcp_sack_compress_send_ack; tcp_timer.c: tcp_compressed_ack_kick.
    """
    if not conn.ack.compressed:
        return False
    # One of them is this one.
    conn.ack.compressed -= 1
    transmit.send_ack(conn, reasons.SENT_COMPRESSED_ACK)
    return True
