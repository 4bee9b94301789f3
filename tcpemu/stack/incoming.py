"""A segment arrives on a connection: acceptability, RST, SYN, then ACK, text and FIN.

The cuts are those of RFC 9293 section 3.10.7.4 and of the kernel: tcp_input.c: tcp_rcv_state_process,
tcp_rcv_established, tcp_validate_incoming (Linux 6.18).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tcpemu.stack import ack, acks, active, output, reasons, text
from tcpemu.stack.events import Reason
from tcpemu.stack.limits import out_of_window_limited, too_soon
from tcpemu.stack.options import find_timestamps
from tcpemu.stack.seq import MASK, add, after, before, offset
from tcpemu.stack.states import State
from tcpemu.stack.timers import Timer
from tcpemu.stack.units import MILLISECOND, SECOND
from tcpemu.stack.window import receive_window
from tcpemu.wire.options import Timestamps
from tcpemu.wire.segment import ACK, FIN, RST, SYN, Segment

if TYPE_CHECKING:
    from tcpemu.stack.connection import Connection

_PAWS_LIFE = 24 * 86_400 * SECOND
_SYNCHRONIZED = RST | SYN | ACK


def receive(conn: Connection, segment: Segment) -> Reason:
    """Process one segment and say what became of it."""
    if conn.state is State.SYN_SENT:
        return active.receive(conn, segment)
    if not segment.flags & _SYNCHRONIZED:
        return reasons.NO_FLAGS
    stamps = find_timestamps(segment.options) if conn.ts_ok and segment.options else None
    conn.tsecr = stamps.ecr if stamps is not None else 0
    refused = _validate(conn, segment, stamps)
    if refused is not None:
        return refused
    if conn.state is State.ESTABLISHED:
        return _established(conn, segment, stamps)
    return _other_states(conn, segment, stamps)


# --- acceptability, RST, SYN ----------------------------------------------------------------------


def _validate(conn: Connection, segment: Segment, stamps: Timestamps | None) -> Reason | None:
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
    """A timestamp older than the last one by more than one (RFC 7323 section 5), unless it may be overtaken."""
    age = offset(stamps.val, conn.ts_recent)
    if age <= 1 or not conn.ts_recent or _overtaken(conn, segment, age):
        return None
    if conn.ts_recent_at is not None and conn.host.now >= conn.ts_recent_at + _PAWS_LIFE:
        return None
    if segment.flags & SYN:
        return _syn_challenge(conn)
    host = conn.host
    bare = segment.flags & ACK and not segment.length
    if bare and before(segment.seq, conn.rcv_nxt):
        host.count("PAWSOldAck")
        return reasons.PAWS_OLD_ACK
    host.count("PAWSEstab")
    if out_of_window_limited(host, conn, segment, "TCPACKSkippedPAWS"):
        return reasons.PAWS_LIMITED
    acks.duplicate(conn, segment)
    return reasons.PAWS


def _overtaken(conn: Connection, segment: Segment, age: int) -> bool:
    """A pure duplicate ACK that others have overtaken is let through (tcp_disordered_ack_check)."""
    return (
        bool(segment.flags & ACK)
        and segment.length == 0
        and segment.seq == conn.rcv_nxt
        and segment.ack == conn.snd_una
        and not ack.may_update_window(conn, segment, segment.window << conn.snd_shift)
        and age <= conn.rto * 12 // 10 // MILLISECOND
    )


def _outside(conn: Connection, segment: Segment) -> bool | None:
    """None inside the window; True beyond its end, False before its start (tcp_input.c: tcp_sequence)."""
    end = add(segment.seq, segment.length)
    if before(end, conn.rcv_wup):
        return False
    edge = add(conn.rcv_nxt, receive_window(conn))
    if not after(end, edge):
        return None
    if not conn.host.generation.beyond_window:
        return True if after(segment.seq, edge) else None
    if not after(add(end, -(segment.flags & FIN)), edge):
        return None
    if after(segment.seq, edge) or conn.rcv_queue:
        return True
    return None


def _outside_answer(conn: Connection, segment: Segment, beyond: bool) -> Reason:
    if segment.flags & SYN and conn.host.generation.challenges:
        return _syn_challenge(conn)
    if beyond and conn.host.generation.beyond_window:
        conn.host.count("BeyondWindow")
    if out_of_window_limited(conn.host, conn, segment, "TCPACKSkippedSeq"):
        return reasons.OUT_OF_WINDOW_LIMITED
    acks.duplicate(conn, segment)
    return reasons.OUT_OF_WINDOW


def _repeats_fin(conn: Connection, segment: Segment) -> bool:
    """A RST where the peer's FIN stood (tcp_reset_check)."""
    return segment.seq == conn.rcv_nxt - 1 & MASK and conn.state in (
        State.CLOSE_WAIT,
        State.LAST_ACK,
        State.CLOSING,
    )


def _rst(conn: Connection, segment: Segment) -> Reason:
    """RFC 5961 section 3.2: only the expected number resets; any other in the window is asked about."""
    edges = [conn.rcv_nxt]
    if conn.sacks:
        highest = conn.sacks[0][1]
        for _, right in conn.sacks[1:]:
            highest = right if after(right, highest) else highest
        edges.append(highest)
    if segment.seq in edges or _repeats_fin(conn, segment) or not conn.host.generation.challenges:
        conn.reset_by_peer()
        return reasons.RESET
    return reasons.CHALLENGE_RST if challenge(conn) else reasons.CHALLENGE_LIMITED


def _crossed_syn_ack(conn: Connection, segment: Segment) -> bool:
    """The SYN|ACK of a simultaneous open repeats the SYN that we have, and acknowledges ours."""
    return (
        conn.state is State.SYN_RECV
        and conn.socket is not None
        and bool(segment.flags & ACK)
        and segment.length == 1
        and segment.seq + 1 & MASK == conn.rcv_nxt
        and segment.ack == conn.snd_nxt
    )


def _syn_inside(conn: Connection, segment: Segment) -> Reason:
    """Before RFC 5961 a SYN inside the window ended the connection; that of the handshake only came again."""
    if before(segment.seq, conn.rcv_nxt):
        conn.host.count("DelayedACKLost")
        acks.duplicate(conn, segment)
        return reasons.DATA_OLD
    conn.host.count("TCPAbortOnSyn")
    conn.reset_by_peer()
    conn.host.send_reset(segment)
    return reasons.SYN_RESETS


def _syn_challenge(conn: Connection) -> Reason:
    """RFC 5961 section 4.2."""
    if conn.state is State.ESTABLISHED:
        conn.host.count("InErrs")
    conn.host.count("TCPSYNChallenge")
    return reasons.CHALLENGE_SYN if challenge(conn) else reasons.CHALLENGE_LIMITED


def challenge(conn: Connection) -> bool:
    """Send a challenge ACK, unless one was sent too lately (tcp_send_challenge_ack)."""
    host = conn.host
    if too_soon(host, conn, "TCPACKSkippedChallenge") or not host.challenge_allowed():
        return False
    host.count("TCPChallengeACK")
    output.send_ack(conn, reasons.SENT_CHALLENGE_ACK)
    return True


# --- ACK, text, FIN -------------------------------------------------------------------------------


def _established(conn: Connection, segment: Segment, stamps: Timestamps | None) -> Reason:
    """ESTABLISHED (tcp_rcv_established, its slow path: the fast one does the same sooner)."""
    verdict = ack.process(conn, segment, stamps)
    if verdict is ack.Verdict.TOO_OLD:
        return reasons.ACK_TOO_OLD if challenge(conn) else reasons.CHALLENGE_LIMITED
    if verdict is ack.Verdict.UNSENT:
        return reasons.ACK_UNSENT if challenge(conn) else reasons.CHALLENGE_LIMITED
    reason = text.take(conn, segment)
    _finish(conn)
    return reason


def _other_states(conn: Connection, segment: Segment, stamps: Timestamps | None) -> Reason:
    """The states before and after ESTABLISHED (tcp_rcv_state_process)."""
    verdict = ack.process(conn, segment, stamps)
    if verdict is not ack.Verdict.GOOD:
        if conn.state is State.SYN_RECV:
            conn.host.send_reset(segment)
            return reasons.ACK_UNSENT_RST
        if verdict is not ack.Verdict.OLD:
            return reasons.ACK_CLOSING if challenge(conn) else reasons.CHALLENGE_LIMITED
    gone = _acked_in_state(conn, segment, stamps)
    if gone is not None:
        return gone
    return _text_in_state(conn, segment)


def _acked_in_state(conn: Connection, segment: Segment, stamps: Timestamps | None) -> Reason | None:
    """What the acknowledgment does to the state; a reason when nothing more is to be done."""
    state = conn.state
    if state is State.SYN_RECV:
        conn.establish(segment, stamps)
        return None
    if conn.snd_una != conn.write_seq:
        return None
    if state is State.FIN_WAIT1:
        return _fin_acked(conn, segment)
    if state is State.CLOSING:
        conn.host.time_wait(conn, State.TIME_WAIT, conn.host.generation.time_wait)
        return reasons.ACKED
    if state is State.LAST_ACK:
        conn.host.metrics.update(conn)
        conn.done("our FIN is acknowledged")
        return reasons.LAST_ACK_DONE
    return None


def _fin_acked(conn: Connection, segment: Segment) -> Reason | None:
    """FIN_WAIT1 to FIN_WAIT2; an orphan waits there as a small TIME_WAIT bucket."""
    conn.set_state(State.FIN_WAIT2, "our FIN is acknowledged")
    conn.shutdown |= 2
    if not conn.orphan:
        conn.wake()
        return None
    if conn.options.linger2 < 0 or _new_data(conn, segment):
        conn.done("orphaned")
        conn.host.count("TCPAbortOnData")
        conn.host.send_reset(segment)
        return reasons.ABORT_ON_DATA
    if segment.flags & FIN:
        # The FIN is yet to be looked at, so the connection stays whole, with a timer.
        conn.linger_timer = Timer(conn, _never_closed)
        conn.host.timers.arm(conn.linger_timer, conn.host.now + fin_time(conn), conn.host.now)
        return None
    conn.host.time_wait(conn, State.FIN_WAIT2, fin_time(conn))
    return reasons.ACKED


def _never_closed(conn: Connection) -> None:
    """The peer has not closed in time (tcp_timer.c: tcp_keepalive_timer)."""
    if conn.state is State.FIN_WAIT2 and conn.orphan:
        conn.host.timer_fired(conn.key, reasons.FIN_WAIT2_OVER)
        output.send_active_reset(conn)
        conn.done("the peer never closed")


def fin_time(conn: Connection) -> int:
    """How long an orphan waits in FIN_WAIT2 (tcp.h: tcp_fin_time)."""
    wanted = conn.options.linger2 or conn.host.sysctls.tcp_fin_timeout
    return max(wanted * SECOND, conn.rto * 7 // 2)


def _new_data(conn: Connection, segment: Segment) -> bool:
    end = add(segment.seq, len(segment.payload))
    return bool(segment.length) and after(end, conn.rcv_nxt)


def _text_in_state(conn: Connection, segment: Segment) -> Reason:
    """Step seven: data is for ESTABLISHED and the FIN_WAITs; after the peer's FIN there is none."""
    state = conn.state
    reason = reasons.ACKED
    if state in (State.CLOSE_WAIT, State.CLOSING, State.LAST_ACK) and not before(segment.seq, conn.rcv_nxt):
        _finish(conn)
        return reason
    if state is not State.ESTABLISHED and conn.shutdown & 1 and _new_data(conn, segment):
        conn.host.count("TCPAbortOnData")
        conn.reset_by_peer()
        conn.host.send_reset(segment)
        return reasons.ABORT_ON_DATA
    reason = text.take(conn, segment)
    _finish(conn)
    return reason


def _finish(conn: Connection) -> None:
    """Send what may be sent now, then the ACK that is owed."""
    if conn.state is not State.CLOSE:
        output.push_pending(conn)
        if conn.ack_pending & acks.SCHEDULED:
            acks.check(conn)
