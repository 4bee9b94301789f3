"""Segments sent again: what is lost, as the window allows, and one by one for timers.

tcp_output.c: __tcp_retransmit_skb, tcp_xmit_retransmit_queue, tcp_retrans_try_collapse.
"""

from __future__ import annotations

from tcpemu.stack.base import reasons
from tcpemu.stack.base.events import Reason
from tcpemu.stack.base.sequence_numbers import after, offset
from tcpemu.stack.connection.measures import segment_size
from tcpemu.stack.connection.sending import pacing, transmit
from tcpemu.stack.control import pacing_rate
from tcpemu.stack.records.connection import Connection, WriteTimer
from tcpemu.stack.records.loss_recovery import CaState
from tcpemu.stack.records.scoreboard import Scoreboard
from tcpemu.stack.records.sent_pieces import EVER, LOST, RETRANS, SACKED, SENT_AGAIN, Unacked
from tcpemu.stack.recovery import write_timer
from tcpemu.wire.segment import ACK, CWR, ECE, SYN

_LOSS, _REORDERING, _RETRANS = CaState.LOSS, WriteTimer.REORDERING, WriteTimer.RETRANS


def send_lost(conn: Connection, board: Scoreboard, reason: Reason) -> None:
    """Send again what is lost, in order, while the window allows (tcp_xmit_retransmit_queue)."""
    if not board.queue:
        return
    recovery, queue = board.recovery, board.queue
    head, hole, head_sent = queue[0], False, False
    most = pacing_rate.burst(conn, segment_size.current_mss(conn))
    place = board.index(board.hint) if board.hint is not None else 0
    while place < len(queue) and not (conn.snd.paced and pacing.must_wait(conn)):
        entry = queue[place]
        place += 1
        if not hole:
            board.hint = entry
        room = conn.congestion.cwnd - board.in_flight
        if room <= 0 or board.retrans_out >= board.lost_out:
            break
        if not entry.tags & LOST:
            hole = hole or not entry.tags & (RETRANS | SACKED)
            continue
        if entry.tags & (RETRANS | SACKED):
            continue
        if not send_again(conn, board, entry, min(room, most), reason):
            break
        slow = recovery.state is _LOSS
        conn.host.count("TCPSlowStartRetrans" if slow else "TCPFastRetrans", entry.pcount)
        if recovery.reduces:
            recovery.prr_out += entry.pcount
        head_sent = head_sent or entry is head
    if head_sent and conn.rtx.timer_is_for is not _REORDERING:
        write_timer.set_timer(conn, _RETRANS, conn.rtt.rto)


def send_again(conn: Connection, board: Scoreboard, entry: Unacked, segments: int, reason: Reason) -> bool:
    """Send a piece again and count that it is under way; whether it went out (tcp_retransmit_skb)."""
    gone = send_again_uncounted(conn, board, entry, segments, reason)
    if gone:
        entry.tags |= SENT_AGAIN
        board.retrans_out += entry.pcount
    if conn.rtx.retrans_stamp is None:
        conn.rtx.retrans_stamp = entry.sent_at
    board.recovery.undo_retrans = max(board.recovery.undo_retrans, 0) + entry.pcount
    return gone


def send_again_uncounted(
    conn: Connection, board: Scoreboard, entry: Unacked, segments: int, reason: Reason
) -> bool:
    """Send up to `segments` segments of a piece again, and let the scoreboard be; False where the window forbids it,
    or the device takes none.

    A tail loss probe is only this: it says nothing about what is lost (__tcp_retransmit_skb).
    """
    entry.began = entry.seq
    if conn.snd.mtu_search is not None:
        # What is lost now may hide what becomes of the probe.
        conn.snd.mtu_search.probing = 0
    mss = segment_size.current_mss(conn)
    length = _allowed(conn, entry, segments, mss)
    if length is None:
        return False
    if len(entry.payload) > length:
        board.split(board.index(entry), length, mss)
    else:
        segments_before = entry.pcount
        entry.cut_for(mss)
        board.recount(entry, segments_before - entry.pcount)
        _collapse(conn, board, entry, min(length, mss))
    _send(conn, board, entry, reason)
    return not conn.host.takes_nothing


def _allowed(conn: Connection, entry: Unacked, segments: int, mss: int) -> int | None:
    """Octets that the peer's window lets through; a closed one is probed by the first segment."""
    window = offset(entry.seq, conn.snd.window_end)
    if window <= 0:
        if entry.seq != conn.snd.una:
            return None
        window = mss
    length = mss * segments
    return length if length <= window else window // mss * mss or window


def _send(conn: Connection, board: Scoreboard, entry: Unacked, reason: Reason) -> None:
    """Count a repeat, note when it is sent, and give it to the network."""
    host = conn.host
    entry.repeats += 1
    conn.rtx.total_retrans += entry.pcount
    conn.rtx.bytes_retrans += len(entry.payload)
    host.count("RetransSegs", entry.pcount)
    if entry.flags & SYN:
        host.count("TCPSynRetrans")
        # A SYN that asks for ECN may be what some middlebox drops.
        if host.sysctls.tcp_ecn_fallback and not entry.flags & ACK:
            entry.flags &= ~(ECE | CWR)
        if not entry.flags & ACK:
            soon = host.now - entry.sent_at < host.generation.initial_rto  # see syn_sent.py
            reason = reasons.SENT_SYN_AT_ONCE if soon else reasons.SENT_SYN_AGAIN
    entry.tags |= EVER
    entry.sent_at = max(host.now, conn.snd.departed_at)
    if entry.payload:
        board.recovery.wrote_at = host.now
    entry.turn = host.turn
    transmit.transmit_piece(conn, entry, reason)
    if host.takes_nothing:
        host.count("TCPRetransFail", entry.pcount)
    else:
        board.note_sent(entry)


def _collapse(conn: Connection, board: Scoreboard, entry: Unacked, space: int) -> None:
    """Join the small segments after it to one that is sent again (tcp_retrans_try_collapse)."""
    if entry.flags & SYN or not conn.host.sysctls.tcp_retrans_collapse or len(entry.payload) >= space:
        return
    if entry.pcount > 1 or entry.tags & SACKED:
        return
    edge = conn.snd.window_end
    place = board.index(entry) + 1
    while place < len(board.queue):
        following = board.queue[place]
        fits = len(entry.payload) + len(following.payload) <= space
        if entry.eor or following.pcount > 1 or following.tags & SACKED or not fits:
            return
        if after(following.end, edge):
            return
        _join(board, entry, place)


def _join(board: Scoreboard, entry: Unacked, place: int) -> None:
    """Take the next piece into this one (tcp_collapse_retrans)."""
    following = board.queue[place]
    entry.payload += following.payload
    entry.end = following.end
    entry.flags |= following.flags
    entry.eor = following.eor
    entry.tags |= following.tags & EVER
    board.recount(following, following.pcount)
    board.remove(place, entry)
