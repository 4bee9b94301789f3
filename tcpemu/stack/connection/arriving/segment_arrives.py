"""A segment arrives on a connection: acceptability, RST, SYN, then ACK, text and FIN.

The cuts are those of RFC 9293 section 3.10.7.4 and of the kernel: tcp_input.c: tcp_rcv_state_process,
tcp_rcv_established, tcp_validate_incoming (Linux 6.18).
"""

from __future__ import annotations

from tcpemu.stack.base import reasons
from tcpemu.stack.base.events import Reason
from tcpemu.stack.base.sequence_numbers import add, after, before
from tcpemu.stack.base.states import State
from tcpemu.stack.base.tcp_options import find_timestamps
from tcpemu.stack.connection.arriving import acceptability, ack_arrives, data_arrives, syn_sent, urgent_data
from tcpemu.stack.connection.arriving.ack_arrives import AckValue
from tcpemu.stack.connection.lifetime import closing, establishing, fast_open_end, state_changes
from tcpemu.stack.connection.measures import (
    blackhole,
    buffer_tuning,
    header_prediction,
    receive_window,
    remembered_peers,
    send_buffer_space,
)
from tcpemu.stack.connection.sending import data_out, delayed_acks, stateless_replies
from tcpemu.stack.records.connection import RCV_SHUTDOWN, SEND_SHUTDOWN, Connection
from tcpemu.stack.records.delayed_ack_bits import SCHEDULED
from tcpemu.wire.options import Timestamps
from tcpemu.wire.segment import ACK, FIN, RST, SYN, URG, Segment

_SYN_SENT, _ESTABLISHED, _CLOSE = State.SYN_SENT, State.ESTABLISHED, State.CLOSE
_GOOD, _TOO_OLD, _UNSENT = AckValue.GOOD, AckValue.TOO_OLD, AckValue.UNSENT

_SYNCHRONIZED = RST | SYN | ACK


def count(conn: Connection, segment: Segment) -> None:
    """One more came in for this connection, whatever becomes of it (tcp.h: tcp_segs_in)."""
    rcv = conn.rcv
    if not segment.payload:
        rcv.segs_in += 1
        return
    segments = receive_window.segments_of(conn, segment) if conn.host.gro_size else 1
    rcv.segs_in += segments
    rcv.data_segs_in += segments


def receive(conn: Connection, segment: Segment) -> Reason:
    """Process one segment and say what became of it."""
    if conn.state is _SYN_SENT:
        return syn_sent.receive(conn, segment)
    if not segment.flags & _SYNCHRONIZED:
        return reasons.NO_FLAGS
    stamps = find_timestamps(segment.options) if conn.ts.ok and segment.options else None
    conn.ts.ecr = stamps.ecr if stamps is not None else 0
    if conn.state is _ESTABLISHED and header_prediction.matches(conn, segment, stamps):
        return _predicted(conn, segment, stamps)
    refused = acceptability.validate(conn, segment, stamps)
    if refused is not None:
        return refused
    if conn.state is _ESTABLISHED:
        return _established(conn, segment, stamps)
    return _other_states(conn, segment, stamps)


def _predicted(conn: Connection, segment: Segment, stamps: Timestamps | None) -> Reason:
    """What header prediction has recognized: a pure ACK, or data in order (tcp_rcv_established)."""
    if not segment.payload:
        _note_stamp(conn, stamps)
        verdict = ack_arrives.process(conn, segment, stamps, predicted=True)
        data_out.push_pending(conn)
        send_buffer_space.space_may_have_come(conn)
        conn.rcv.last_ecr = conn.ts.ecr
        return _ack_too_old(conn) if verdict is _TOO_OLD else reasons.ACKED
    if conn.host.generation.beyond_window and len(segment.payload) > receive_window.receive_window(conn):
        refused = acceptability.validate(conn, segment, stamps)
        return _established(conn, segment, stamps) if refused is None else refused
    memory, room = receive_window.memory_of(conn, segment)
    if not header_prediction.memory_is_there(conn, memory):
        return _established(conn, segment, stamps)
    _note_stamp(conn, stamps)
    if stamps is not None:
        buffer_tuning.measure_by_timestamp(conn, segment)
    data_arrives.take_predicted(conn, segment, memory, room)
    if segment.ack == conn.snd.una:
        conn.snd.wl1 = segment.seq
    else:
        if ack_arrives.process(conn, segment, stamps, predicted=True) is _TOO_OLD:
            acceptability.challenge(conn)
        data_out.push_pending(conn)
        send_buffer_space.space_may_have_come(conn)
    if conn.ack.pending & SCHEDULED:
        delayed_acks.check(conn)
    conn.host.wake(conn.socket)
    return reasons.DATA


def _note_stamp(conn: Connection, stamps: Timestamps | None) -> None:
    """The timestamp to echo is that of what was predicted, where nothing waits for our ACK (tcp_store_ts_recent)."""
    if stamps is not None and conn.rcv.nxt == conn.rcv.wup:
        conn.ts.recent = stamps.val
        conn.ts.recent_at = conn.host.now


def _ack_too_old(conn: Connection) -> Reason:
    return reasons.ACK_TOO_OLD if acceptability.challenge(conn) else reasons.CHALLENGE_LIMITED


def _established(conn: Connection, segment: Segment, stamps: Timestamps | None) -> Reason:
    """ESTABLISHED (tcp_rcv_established, its slow path)."""
    verdict = ack_arrives.process(conn, segment, stamps)
    if verdict is _TOO_OLD:
        return _ack_too_old(conn)
    if verdict is _UNSENT:
        if not conn.host.generation.arrivals.challenges_unsent:
            return reasons.ACK_UNSENT_SILENT
        return reasons.ACK_UNSENT if acceptability.challenge(conn) else reasons.CHALLENGE_LIMITED
    if stamps is not None:
        buffer_tuning.measure_by_timestamp(conn, segment)
    if segment.flags & URG or conn.rcv.urgent is not None:
        urgent_data.note(conn, segment)
    reason = data_arrives.take(conn, segment)
    _finish(conn)
    return reason


def _other_states(conn: Connection, segment: Segment, stamps: Timestamps | None) -> Reason:
    """The states before and after ESTABLISHED (tcp_rcv_state_process)."""
    verdict = ack_arrives.process(conn, segment, stamps)
    if verdict is not _GOOD:
        if conn.state is State.SYN_RECV:
            stateless_replies.send_reset(conn.host, segment, conn.flow_label)
            return reasons.ACK_UNSENT_RST
        if verdict is not AckValue.OLD or not conn.host.generation.arrivals.takes_old_acks:
            return reasons.ACK_CLOSING if acceptability.challenge(conn) else reasons.CHALLENGE_LIMITED
    gone = _acked_in_state(conn, segment, stamps)
    if gone is not None:
        return gone
    if segment.flags & URG or conn.rcv.urgent is not None:
        urgent_data.note(conn, segment)
    return _text_in_state(conn, segment)


def _acked_in_state(conn: Connection, segment: Segment, stamps: Timestamps | None) -> Reason | None:
    """What the acknowledgment does to the state; a reason when nothing more is to be done."""
    state = conn.state
    if state is State.SYN_RECV:
        establishing.establish(conn, segment, stamps)
        return None
    if conn.opened_early:  # in FIN_WAIT1: close() came before the final ACK
        fast_open_end.answered(conn)
    if conn.snd.una != conn.snd.write_seq:
        return None
    if state is State.FIN_WAIT1:
        return _fin_acked(conn, segment)
    if state is State.CLOSING:
        closing.time_wait(conn, State.TIME_WAIT)
        return reasons.ACKED
    if state is State.LAST_ACK:
        remembered_peers.remember(conn.host.metrics, conn)
        closing.done(conn, "our FIN is acknowledged")
        return reasons.LAST_ACK_DONE
    return None


def _fin_acked(conn: Connection, segment: Segment) -> Reason | None:
    """FIN_WAIT1 to FIN_WAIT2; an orphan waits there as a small TIME_WAIT bucket."""
    state_changes.set_state(conn, State.FIN_WAIT2, "our FIN is acknowledged")
    conn.shutdown |= SEND_SHUTDOWN
    if not conn.orphan:
        conn.host.wake(conn.socket)
        return None
    if conn.options.linger2 < 0 or _new_data(conn, segment):
        if (
            segment.flags & FIN
            and conn.fast_open is not None
            and conn.fast_open.asked
            and conn.options.linger2 >= 0
        ):
            blackhole.disable(conn.host)
        closing.done(
            conn, "data for a socket that is closed" if _new_data(conn, segment) else "TCP_LINGER2 is below 0"
        )
        conn.host.count("TCPAbortOnData")
        stateless_replies.send_reset(conn.host, segment, conn.flow_label)
        return reasons.ABORT_ON_DATA
    return reasons.ACKED if closing.wait_in_fin_wait2(conn, bool(segment.flags & FIN)) else None


def _new_data(conn: Connection, segment: Segment) -> bool:
    end = add(segment.seq, len(segment.payload))
    return bool(segment.length) and after(end, conn.rcv.nxt)


def _text_in_state(conn: Connection, segment: Segment) -> Reason:
    """The seventh step, text: data is for ESTABLISHED and the FIN_WAITs; after the peer's FIN there is none."""
    state = conn.state
    reason = reasons.ACKED
    if state in (State.CLOSE_WAIT, State.CLOSING, State.LAST_ACK) and not before(segment.seq, conn.rcv.nxt):
        _finish(conn)
        return reason
    if state is not _ESTABLISHED and conn.shutdown & RCV_SHUTDOWN and _new_data(conn, segment):
        conn.host.count("TCPAbortOnData")
        closing.reset_by_peer(conn, "data for a socket that is closed")
        stateless_replies.send_reset(conn.host, segment, conn.flow_label)
        return reasons.ABORT_ON_DATA
    reason = data_arrives.take(conn, segment)
    _finish(conn)
    return reason


def _finish(conn: Connection) -> None:
    """Send what may be sent now, then the ACK that is owed."""
    if conn.state is not _CLOSE:
        data_out.push_pending(conn)
        send_buffer_space.space_may_have_come(conn)
        if conn.ack.pending & SCHEDULED:
            delayed_acks.check(conn)
