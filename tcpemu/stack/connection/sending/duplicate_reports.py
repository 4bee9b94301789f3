"""What came twice is reported by D-SACK, and a segment that is not acceptable is answered (RFC 2883).

tcp_input.c: tcp_dsack_set, tcp_dsack_extend, tcp_send_dupack.
"""

from __future__ import annotations

from tcpemu.stack.base import reasons
from tcpemu.stack.base.ip_families import IPV6_LENGTH
from tcpemu.stack.base.sequence_numbers import MASK, after, before
from tcpemu.stack.connection.measures import ipv6_header
from tcpemu.stack.connection.sending import delayed_acks, transmit
from tcpemu.stack.records.connection import Connection
from tcpemu.stack.records.loss_recovery import CaState
from tcpemu.wire.segment import Segment


def send_duplicate_ack(conn: Connection, segment: Segment) -> None:
    """Answer a segment that is not acceptable (tcp_send_dupack)."""
    if segment.length and before(segment.seq, conn.rcv.nxt):
        conn.host.count("DelayedACKLost")
        delayed_acks.enter_quick(conn)
        end = segment.seq + segment.length & MASK
        if conn.sack_ok and conn.host.sysctls.tcp_dsack:
            note_other_path(conn, segment)
        report_duplicate(conn, segment.seq, conn.rcv.nxt if after(end, conn.rcv.nxt) else end)
    transmit.send_ack(conn, reasons.SENT_DUP_ACK)


def note_other_path(conn: Connection, segment: Segment) -> None:
    """Old data with another flow label: a time-out made the peer try another path, and so do we for our ACKs.

    tcp_rcv_spurious_retrans; over IPv4 there is no label. Before Linux 6.8 the same data a second time said so.
    """
    if conn.host.generation.arrivals.rehashes_repeats:
        if segment.seq == conn.rcv.reported_seq and conn.options.txrehash:
            conn.host.count("TcpDuplicateDataRehash")
            if len(segment.src) == IPV6_LENGTH:
                conn.flow_label = ipv6_header.new_flow_label(conn.host, conn.key, conn.options)
        return
    if len(segment.src) != IPV6_LENGTH:
        return
    board = conn.scoreboard
    in_loss = board is not None and board.recovery.state is CaState.LOSS
    if not in_loss and conn.ack.flow_label != segment.flow_label and conn.options.txrehash:
        conn.host.count("TcpDuplicateDataRehash")
        conn.flow_label = ipv6_header.new_flow_label(conn.host, conn.key, conn.options)
    conn.ack.flow_label = segment.flow_label


def report_duplicate(conn: Connection, seq: int, end: int) -> None:
    """Have the next ACK report a duplicate (RFC 2883; tcp_dsack_set)."""
    if conn.sack_ok and conn.host.sysctls.tcp_dsack:
        conn.host.count("TCPDSACKOldSent" if before(seq, conn.rcv.nxt) else "TCPDSACKOfoSent")
        conn.rcv.dsack = (seq, end)
        conn.rcv.reported_seq = seq


def extend_duplicate(conn: Connection, seq: int, end: int) -> None:
    """The same where a report is due already: it grows, if both touch (tcp_dsack_extend)."""
    if conn.rcv.dsack is None:
        report_duplicate(conn, seq, end)
        return
    left, right = conn.rcv.dsack
    if not after(seq, right) and not after(left, end):
        conn.rcv.reported_seq = seq if before(seq, left) else left
        conn.rcv.dsack = (conn.rcv.reported_seq, end if after(end, right) else right)
