"""The acknowledgment field: what it covers, the send window, round-trip times (tcp_input.c: tcp_ack)."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from tcpemu.stack import output, rack, reasons, recovery, reordering, resend, retransmit, rtt, sacktag, usage
from tcpemu.stack.congestion import Moment
from tcpemu.stack.news import News
from tcpemu.stack.recovery_state import REORDERING, CaState
from tcpemu.stack.scoreboard import Scoreboard, Unacked
from tcpemu.stack.seq import MASK, after, before, distance, offset
from tcpemu.stack.states import State
from tcpemu.stack.tags import LOST, RETRANS, SACKED, SENT_AGAIN
from tcpemu.stack.units import MICROSECOND, SECOND
from tcpemu.wire.options import Timestamps
from tcpemu.wire.segment import ACK, ECE, PSH, SYN, Segment

if TYPE_CHECKING:
    from tcpemu.stack.connection import Connection

_MIN_RTT_LIFE = 300 * SECOND


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
        if before(number, una - min(conn.max_window, conn.bytes_acked) & MASK):
            return Verdict.TOO_OLD
        if _predicted(conn, segment):
            _note_timestamp(conn, segment, stamps)
        _old(conn, segment)
        return Verdict.OLD
    if after(number, conn.snd_nxt):
        return Verdict.UNSENT
    news = News(una)
    if number != una:
        news.advanced = True
        conn.retransmits = 0
    board = conn.rtx_queue
    highest = board.highest_sack_seq(conn) if board is not None and board.sack else una
    _note_timestamp(conn, segment, stamps)
    news.data = segment.length > 0
    news.window = _update_window(conn, segment)
    conn.bytes_acked += distance(una, number)
    conn.snd_una = number
    conn.probes_out = 0
    conn.heard_at = conn.host.now
    if board is None:
        retransmit.window_may_have_opened(conn)
    else:
        _sender(conn, board, segment, news, highest)
    if news.advanced:
        conn.wake()
    return Verdict.GOOD


def _sender(conn: Connection, board: Scoreboard, segment: Segment, news: News, highest: int) -> None:
    """What the acknowledgment means for what is under way: the second half of tcp_ack."""
    delivered, lost, waited = board.delivered, board.lost, bool(board.queue)
    blocks = sacktag.blocks_of(segment.options) if board.sack and segment.options else ()
    if blocks:
        sacktag.take(conn, board, blocks, segment.ack, news)
    news.ece = conn.ecn and segment.flags & (ECE | SYN) == ECE
    if not waited:
        _nothing_under_way(conn, board, segment.ack, news)
        return
    _clean_rtx_queue(conn, board, news, highest)
    rack.update_window(board, news.prior_delivered)
    recovery.probe_answered(conn, board, segment.ack, news)
    what = recovery.Resend.NOTHING
    if not news.not_duplicate or news.alert or board.recovery.state is not CaState.OPEN:
        duplicate = not (news.advanced or news.not_duplicate or news.dsack)
        what = recovery.alert(conn, board, int(duplicate), news)
    if news.set_timer:
        retransmit.after_progress(conn)
    arrived = board.delivered - delivered
    if news.ece and arrived:
        conn.host.count("TCPDeliveredCE", arrived)
    _move_window(conn, board, news, arrived, board.lost - lost)
    _send_again(conn, board, what)


def _nothing_under_way(conn: Connection, board: Scoreboard, number: int, news: News) -> None:
    """A late D-SACK may still show that nothing had been lost."""
    if news.dsack:
        recovery.alert(conn, board, 0, news)
    retransmit.window_may_have_opened(conn)
    recovery.probe_answered(conn, board, number, news)


def _old(conn: Connection, segment: Segment) -> None:
    """An ACK that others have overtaken: its SACK blocks count, where they are not too old."""
    board = conn.rtx_queue
    blocks = sacktag.blocks_of(segment.options) if board is not None and board.sack else ()
    if board is None or not blocks:
        return
    news = News(conn.snd_una)
    sacktag.take(conn, board, blocks, segment.ack, news)
    _send_again(conn, board, recovery.alert(conn, board, 0, news))


def _move_window(conn: Connection, board: Scoreboard, news: News, delivered: int, lost: int) -> None:
    """The congestion window goes where the state says (tcp_cong_control)."""
    if board.recovery.reduces:
        recovery.reduce(conn, board, delivered, lost, news.advanced)
        return
    grows = news.acked
    if board.recovery.reordering > REORDERING:
        grows = news.acked or news.syn or news.sacked
    if grows:
        limited = usage.is_limit(conn, board)
        congestion = conn.congestion
        moment = _moment(conn, board) if congestion.needs_moment else None
        conn.congestion = congestion.acknowledged(delivered, limited, moment)
        board.recovery.cwnd_at = conn.host.now


def _moment(conn: Connection, board: Scoreboard) -> Moment:
    jiffy = conn.host.jiffy
    return Moment(conn.host.now // jiffy, SECOND // jiffy, board.min_rtt or 0)


def _send_again(conn: Connection, board: Scoreboard, what: recovery.Resend) -> None:
    """New data to try a time-out, or what is lost (tcp_xmit_recovery)."""
    if what is recovery.Resend.NOTHING or conn.state is State.SYN_SENT:
        return
    if what is recovery.Resend.NEW:
        output.push(conn, nagle=False)
        if after(conn.snd_nxt, board.recovery.high_seq):
            return
        board.recovery.frto = False
    slow = board.recovery.state is CaState.LOSS
    resend.what_is_lost(conn, board, reasons.SENT_SLOW_START if slow else reasons.SENT_FAST)


def _predicted(conn: Connection, segment: Segment) -> bool:
    """Nothing about the segment is new but its number: the kernel's fast path takes it.

    There alone the timestamp of an ACK that was overtaken counts (tcp_rcv_established, Linux 6.18).
    """
    return (
        conn.state is State.ESTABLISHED
        and segment.seq == conn.rcv_nxt == conn.rcv_wup
        and segment.flags & ~PSH == ACK
        and segment.window << conn.snd_shift == conn.snd_wnd
        and not conn.out_of_order
        and not sacktag.blocks_of(segment.options)
    )


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


def _update_window(conn: Connection, segment: Segment) -> bool:
    """Whether the segment's window counts (tcp_ack_update_window)."""
    window = segment.window if segment.flags & SYN else segment.window << conn.snd_shift
    if not may_update_window(conn, segment, window):
        return False
    conn.snd_wl1 = segment.seq
    conn.snd_wnd = window
    if window > conn.max_window:
        conn.max_window = window
        output.sync_mss(conn)
    return True


# --- what is acknowledged -------------------------------------------------------------------------


def _clean_rtx_queue(conn: Connection, board: Scoreboard, news: News, highest: int) -> None:
    """Drop what is acknowledged, and time it (tcp_clean_rtx_queue).

    `highest` is where what was SACKED before ended.
    """
    queue, una, sacked = board.queue, conn.snd_una, board.sacked_out
    dropped, acked, first_at, last_at, lowest = 0, 0, None, 0, conn.snd_nxt
    for entry in queue:
        count, start, whole = entry.pcount, entry.began, not after(entry.end, una)
        if not whole:
            count = _begun(entry, una)
            if not count:
                break
        if entry.tags & SENT_AGAIN:
            news.repeat_acked = True
        elif not entry.tags & SACKED:
            last_at = entry.sent_at
            first_at = last_at if first_at is None else first_at
            lowest = start if before(start, lowest) else lowest
            if not after(entry.end, board.recovery.high_seq):
                news.original = True
        _count_acked(conn, board, entry, count)
        news.deliver(entry)
        acked += count
        if entry.flags & SYN:
            news.syn = True
            conn.retrans_stamp = None
        else:
            news.acked = True
        if not whole:
            break
        dropped += 1
    _drop(board, dropped)
    if board.sack and not board.packets_out:
        # What an undo left counted as under way again is forgotten with the last of it.
        board.lost_out = board.sacked_out = board.retrans_out = 0
    if queue and queue[0].tags & SACKED:
        news.reneging = True
    clean = acked == 1 and dropped == 1 and not sacked and distance(news.prior_una, una) < conn.mss_cache
    news.delayed = clean and not news.alert and not news.syn
    timed = _time(conn, board, news, None if news.repeat_acked else first_at, last_at)
    _account(conn, board, news, acked, lowest if before(lowest, highest) else None, timed)


def _begun(entry: Unacked, una: int) -> int:
    """Segments acknowledged of a piece that is not acknowledged whole (tcp_tso_acked)."""
    if not after(una, entry.seq):
        return 0
    count = entry.pcount
    entry.trim(una)
    return count - entry.pcount


def _count_acked(conn: Connection, board: Scoreboard, entry: Unacked, count: int) -> None:
    """So many segments of a piece are acknowledged."""
    tags = entry.tags
    if tags:
        board.retrans_out -= count if tags & RETRANS else 0
        board.sacked_out -= count if tags & SACKED else 0
        board.lost_out -= count if tags & LOST else 0
    board.packets_out -= count
    if board.sack and not tags & SACKED:
        board.delivered += count
        if not tags or not recovery.idle_repeat(conn, entry):
            rack.advance(conn, board, tags, entry.end, entry.sent)


def _drop(board: Scoreboard, count: int) -> None:
    """Forget the first pieces of the queue."""
    if not count:
        return
    queue = board.queue
    following = queue[count] if count < len(queue) else None
    for entry in queue[:count]:
        board.sent_order.remove(entry)
        if board.highest_sack is entry:
            board.highest_sack = following
        if board.hint is entry:
            board.hint = None
    del queue[:count]


def _time(conn: Connection, board: Scoreboard, news: News, first_at: int | None, last_at: int) -> int | None:
    """Take in the round-trip time; what SACK told of it, in microseconds (tcp_ack_update_rtt).

    What was sent twice tells no time, but for a timestamp (Karn).
    """
    now = conn.host.now
    by_sack = None if news.first_sacked_at is None else (now - news.first_sacked_at) // MICROSECOND
    if first_at is not None:
        measured, shortest = (now - first_at) // MICROSECOND, (now - last_at) // MICROSECOND
    elif by_sack is not None:
        measured = by_sack
    elif conn.tsecr and (news.acked or news.syn):
        stamped = rtt.by_timestamp(conn)
        if stamped is None:
            return None
        measured = shortest = stamped
    else:
        return None
    if by_sack is not None:
        shortest = (now - news.last_sacked_at) // MICROSECOND
    _shortest(conn, board, shortest, news.delayed)
    rtt.sample(conn, measured)
    return by_sack


def _shortest(conn: Connection, board: Scoreboard, microseconds: int, delayed: bool) -> None:
    """Keep the shortest round-trip time of late (tcp_update_rtt_min).

    Differs: when it is too old the kernel falls back on the shortest since, and here on the next one.
    """
    now = conn.host.now
    known = board.min_rtt
    if delayed and known is not None and microseconds > known:
        return
    microseconds = microseconds or conn.host.jiffy // MICROSECOND
    if known is None or microseconds <= known or now - board.min_rtt_at > _MIN_RTT_LIFE:
        board.min_rtt, board.min_rtt_at = microseconds, now


def _account(
    conn: Connection, board: Scoreboard, news: News, acked: int, lowest: int | None, by_sack: int | None
) -> None:
    """What follows for reordering, duplicate ACKs and the timer: the end of tcp_clean_rtx_queue."""
    if news.acked or news.syn:
        news.set_timer = True
        if not board.sack:
            reordering.remove_duplicates(conn, board, acked)
            if news.repeat_acked:
                news.original = False
        elif lowest is not None:
            reordering.seen_by_sack(conn, board, lowest, "TCPSACKReorder")
    elif board.queue and by_sack is not None:
        # Measured by what was sent after the first piece, which is not to be put off again and again.
        news.set_timer = by_sack > (conn.host.now - board.queue[0].sent_at) // MICROSECOND
