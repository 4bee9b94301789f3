"""Whether a segment may be processed: timestamps (PAWS), the window, RST, SYN; and challenge ACKs.

RFC 9293 section 3.10.7.4, RFC 5961, RFC 7323; tcp_input.c: tcp_validate_incoming (Linux 6.18).
"""

from __future__ import annotations

from tcpemu.stack.base import reasons
from tcpemu.stack.base.events import Reason
from tcpemu.stack.base.sequence_numbers import MASK, add, after, before, offset
from tcpemu.stack.base.states import State
from tcpemu.stack.base.units import MILLISECOND, SECOND
from tcpemu.stack.connection.arriving import ack_arrives
from tcpemu.stack.connection.lifetime import closing
from tcpemu.stack.connection.measures import blackhole, reply_limits
from tcpemu.stack.connection.measures.receive_window import receive_window
from tcpemu.stack.connection.measures.reply_limits import out_of_window_limited, too_soon
from tcpemu.stack.connection.sending import duplicate_reports, stateless_replies, transmit
from tcpemu.stack.records.connection import Connection
from tcpemu.wire.options import Timestamps
from tcpemu.wire.segment import ACK, FIN, RST, SYN, Segment

_ESTABLISHED, _SYN_RECV = State.ESTABLISHED, State.SYN_RECV

_PAWS_LIFE = 24 * 86_400 * SECOND
"""For how long timestamps can be compared: at 1000 ticks a second 2**31 of them are 24.8 days (TCP_PAWS_24DAYS)."""


def validate(conn: Connection, segment: Segment, stamps: Timestamps | None) -> Reason | None:
    """None when the segment may be processed further (tcp_validate_incoming)."""
    flags = segment.flags
    if stamps is not None and not flags & RST:
        stale = _paws(conn, segment, stamps)
        if stale is not None:
            return stale
    beyond = _outside(conn, segment)
    if beyond is not None:
        if not flags & RST:
            return _outside_answer(conn, segment, beyond)
        if not _repeats_fin(conn, segment):
            return reasons.OUT_OF_WINDOW_RST
    if flags & RST:
        return _rst(conn, segment)
    if flags & SYN and not _crossed_syn_ack(conn, segment):
        return _syn_challenge(conn) if conn.host.generation.challenges else _syn_inside(conn, segment)
    return None


def _paws(conn: Connection, segment: Segment, stamps: Timestamps) -> Reason | None:
    """PAWS: a timestamp older than TS.Recent (RFC 7323 section 5), by more than one tick, unless it was overtaken."""
    age = offset(stamps.val, conn.ts.recent)
    if age <= 1 or not conn.ts.recent or _overtaken(conn, segment, age):
        return None
    if conn.ts.recent_at is not None and conn.host.now >= conn.ts.recent_at + _PAWS_LIFE:
        return None
    host = conn.host
    rules = host.generation.arrivals
    if segment.flags & SYN and rules.challenges_old_syn:
        return _syn_challenge(conn)
    bare = segment.flags & ACK and not segment.length
    if bare and rules.drops_old_acks and before(segment.seq, conn.rcv.nxt):
        host.count("PAWSOldAck")
        return reasons.PAWS_OLD_ACK
    host.count("PAWSEstab")
    if out_of_window_limited(host, conn, segment, "TCPACKSkippedPAWS"):
        return reasons.PAWS_LIMITED
    duplicate_reports.send_duplicate_ack(conn, segment)
    return reasons.PAWS


def _overtaken(conn: Connection, segment: Segment, age: int) -> bool:
    """A pure duplicate ACK that others have overtaken is let through (tcp_disordered_ack_check)."""
    share, of = conn.host.generation.arrivals.overtaken_by
    return (
        bool(segment.flags & ACK)
        and segment.length == 0
        and segment.seq == conn.rcv.nxt
        and segment.ack == conn.snd.una
        and not ack_arrives.may_update_window(conn, segment, segment.window << conn.snd.wscale)
        and age <= conn.rtt.rto * share // of // MILLISECOND
    )


def _outside(conn: Connection, segment: Segment) -> bool | None:
    """None inside the window; True beyond its end, False before its start (tcp_input.c: tcp_sequence)."""
    end = add(segment.seq, segment.length)
    if before(end, conn.rcv.wup):
        return False
    edge = add(conn.rcv.nxt, receive_window(conn))
    if not after(end, edge):
        return None
    if not conn.host.generation.beyond_window:
        return True if after(segment.seq, edge) else None
    if not after(add(end, -(segment.flags & FIN)), edge):
        return None
    if after(segment.seq, edge) or conn.rcv.queue:
        return True
    return None


def _outside_answer(conn: Connection, segment: Segment, beyond: bool) -> Reason:
    """Outside the window: an ACK says what is expected, not too often."""
    if segment.flags & SYN and conn.host.generation.challenges:
        return _syn_challenge(conn)
    if beyond and conn.host.generation.beyond_window:
        conn.host.count("BeyondWindow")
    if out_of_window_limited(conn.host, conn, segment, "TCPACKSkippedSeq"):
        return reasons.OUT_OF_WINDOW_LIMITED
    duplicate_reports.send_duplicate_ack(conn, segment)
    return reasons.OUT_OF_WINDOW


def _repeats_fin(conn: Connection, segment: Segment) -> bool:
    """A RST where the peer's FIN stood (tcp_reset_check)."""
    return segment.seq == conn.rcv.nxt - 1 & MASK and conn.state in (
        State.CLOSE_WAIT,
        State.LAST_ACK,
        State.CLOSING,
    )


def _rst(conn: Connection, segment: Segment) -> Reason:
    """RFC 5961 section 3.2: only the expected number resets; any other in the window is asked about."""
    # Also where the data that was SACKED ends: a RST follows what its sender sent last (tcp_validate_incoming).
    edges = [conn.rcv.nxt]
    if conn.rcv.sacks:
        highest = conn.rcv.sacks[0][1]
        for _, right in conn.rcv.sacks[1:]:
            highest = right if after(right, highest) else highest
        edges.append(highest)
    if segment.seq in edges or _repeats_fin(conn, segment) or not conn.host.generation.challenges:
        closing.reset_by_peer(conn)
        return reasons.RESET
    blackhole.out_of_order(conn)
    return reasons.CHALLENGE_RST if challenge(conn) else reasons.CHALLENGE_LIMITED


def _crossed_syn_ack(conn: Connection, segment: Segment) -> bool:
    """The SYN|ACK of a simultaneous open repeats the SYN that we have, and acknowledges ours."""
    return (
        conn.state is _SYN_RECV
        and conn.socket is not None
        and bool(segment.flags & ACK)
        and segment.length == 1
        and segment.seq + 1 & MASK == conn.rcv.nxt
        and segment.ack == conn.snd.nxt
        and conn.host.generation.arrivals.takes_crossed
    )


def _syn_inside(conn: Connection, segment: Segment) -> Reason:
    """Before RFC 5961 a SYN inside the window ended the connection; that of the handshake only came again."""
    if before(segment.seq, conn.rcv.nxt):
        conn.host.count("DelayedACKLost")
        duplicate_reports.send_duplicate_ack(conn, segment)
        return reasons.DATA_OLD
    conn.host.count("TCPAbortOnSyn")
    closing.reset_by_peer(conn, "SYN arrives")
    stateless_replies.send_reset(conn.host, segment, conn.flow_label)
    return reasons.SYN_RESETS


def _syn_challenge(conn: Connection) -> Reason:
    """A SYN on a connection draws a challenge ACK, wherever it lies (RFC 5961 section 4.2)."""
    if conn.state is _ESTABLISHED:
        conn.host.count("InErrs")
    conn.host.count("TCPSYNChallenge")
    return reasons.CHALLENGE_SYN if challenge(conn) else reasons.CHALLENGE_LIMITED


def challenge(conn: Connection) -> bool:
    """Send a challenge ACK, unless the limits forbid it (tcp_send_challenge_ack)."""
    host = conn.host
    if too_soon(host, conn, "TCPACKSkippedChallenge") or not reply_limits.challenge_allowed(host):
        return False
    host.count("TCPChallengeACK")
    transmit.send_ack(conn, reasons.SENT_CHALLENGE_ACK)
    return True
