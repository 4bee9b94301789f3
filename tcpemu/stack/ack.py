"""The acknowledgment field: what it covers, the send window, round-trip times (tcp_input.c: tcp_ack)."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from tcpemu.stack import output, retransmit, rtt
from tcpemu.stack.seq import MASK, after, before, distance, offset
from tcpemu.stack.units import MICROSECOND
from tcpemu.wire.options import Timestamps
from tcpemu.wire.segment import SYN, Segment

if TYPE_CHECKING:
    from tcpemu.stack.connection import Connection


class Verdict(Enum):
    """What an acknowledgment number is worth."""

    GOOD = "good"
    OLD = "old"
    """Acknowledged before; whatever else the segment carries counts."""
    TOO_OLD = "too old"
    """Further back than anything the peer can mean (RFC 5961 section 5.2)."""
    UNSENT = "unsent"


def process(conn: Connection, segment: Segment, stamps: Timestamps | None) -> Verdict:
    """Take in the acknowledgment."""
    number, una = segment.ack, conn.snd_una
    if before(number, una):
        _note_timestamp(conn, segment, stamps)
        if before(number, una - min(conn.max_window, conn.bytes_acked) & MASK):
            return Verdict.TOO_OLD
        return Verdict.OLD
    if after(number, conn.snd_nxt):
        return Verdict.UNSENT
    if number != una:
        conn.retransmits = 0
    _note_timestamp(conn, segment, stamps)
    _update_window(conn, segment)
    conn.bytes_acked += distance(una, number)
    conn.snd_una = number
    conn.probes_out = 0
    conn.heard_at = conn.host.now
    if conn.rtx_queue:
        _clean_rtx_queue(conn)
    else:
        retransmit.window_may_have_opened(conn)
    _end_loss_probe(conn)
    if number != una:
        conn.wake()
    return Verdict.GOOD


def _note_timestamp(conn: Connection, segment: Segment, stamps: Timestamps | None) -> None:
    """The timestamp to echo: of the last segment that began at or before what was acknowledged.

    RFC 7323 section 4.3; tcp_replace_ts_recent.
    """
    if stamps is None or after(segment.seq, conn.rcv_wup):
        return
    if offset(stamps.val, conn.ts_recent) <= 0 or not conn.ts_recent:
        conn.ts_recent = stamps.val
        conn.ts_recent_at = conn.host.now


def may_update_window(conn: Connection, segment: Segment, window: int) -> bool:
    """Whether this segment's window is newer than the one known (RFC 9293; tcp_may_update_window)."""
    if after(segment.ack, conn.snd_una) or after(segment.seq, conn.snd_wl1):
        return True
    return segment.seq == conn.snd_wl1 and (window > conn.snd_wnd or not window)


def _update_window(conn: Connection, segment: Segment) -> None:
    window = segment.window if segment.flags & SYN else segment.window << conn.snd_shift
    if not may_update_window(conn, segment, window):
        return
    conn.snd_wl1 = segment.seq
    conn.snd_wnd = window
    if window > conn.max_window:
        conn.max_window = window
        output.sync_mss(conn)


def _clean_rtx_queue(conn: Connection) -> None:
    """Drop what is acknowledged and time it; segments sent twice tell no time (Karn; tcp_clean_rtx_queue)."""
    queue = conn.rtx_queue
    assert queue is not None
    una = conn.snd_una
    limited = len(queue) >= conn.congestion.window
    acked, sent_at, repeated = 0, None, False
    while queue and not after(queue[0].end, una):
        entry = queue.popleft()
        acked += 1
        if entry.repeats:
            repeated = True
        elif sent_at is None:
            sent_at = entry.sent_at
        if entry.flags & SYN:
            conn.retrans_stamp = None
    if not acked:
        output.trim(conn)
        return
    if sent_at is not None and not repeated:
        rtt.sample(conn, (conn.host.now - sent_at) // MICROSECOND)
    elif conn.tsecr:
        rtt.sample_by_timestamp(conn)
    output.trim(conn)
    retransmit.end_loss(conn)
    conn.congestion = conn.congestion.acknowledged(acked, limited)
    retransmit.after_progress(conn)


def _end_loss_probe(conn: Connection) -> None:
    """The tail loss probe has been answered (tcp_process_tlp_ack)."""
    high = conn.tlp_high_seq
    if high is None or before(conn.snd_una, high):
        return
    if after(conn.snd_una, high):
        conn.host.count("TCPLossProbeRecovery")
    conn.tlp_high_seq = None
