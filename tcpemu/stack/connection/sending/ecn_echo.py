"""What a receiver tells of the marks that routers set on packets in place of dropping them (ECN).

RFC 3168: after one mark (CE) every ACK has ECE, until the sender says by CWR that it has slowed down. DCTCP (RFC 8257)
wants to know how many packets were marked: ECE says whether the last one was, and where that changes an ACK goes out
at once; one that was delayed goes first, with the number and the ECE of the packets before the change.

tcp_input.c: tcp_data_ecn_check; tcp_dctcp.h: dctcp_ece_ack_update (Linux 6.18).
"""

from __future__ import annotations

from tcpemu.stack.base import reasons
from tcpemu.stack.connection.sending import transmit
from tcpemu.stack.records.connection import Connection
from tcpemu.stack.records.delayed_ack_bits import NOW, TIMER

_NOT_ECN_CAPABLE, _MARKED = 0, 3


def note_mark(conn: Connection, field: int) -> bool:
    """Data came in a packet with these two bits of its TOS; whether the next ACKs should not be delayed."""
    ack = conn.ack
    if field == _NOT_ECN_CAPABLE:
        # Others were capable, so this one was probably sent again: RFC 3168 has repeats go without it.
        return ack.ecn_seen
    ack.ecn_seen = True
    if conn.congestion.needs_ecn:
        _echo_each_change(conn, field == _MARKED)
    if field != _MARKED or ack.demand_cwr:
        return False
    ack.demand_cwr = True
    return True


def _echo_each_change(conn: Connection, marked: bool) -> None:
    ack = conn.ack
    if ack.ce_state != marked:
        if ack.pending & TIMER:
            ack.demand_cwr = ack.ce_state
            transmit.send_ack(conn, reasons.SENT_ACK, ack.prior_nxt)
        ack.pending |= NOW
    ack.prior_nxt = conn.rcv.nxt
    ack.ce_state = ack.demand_cwr = marked
