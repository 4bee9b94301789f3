"""What an ACK acknowledges leaves the scoreboard, and is timed (Karn's rule: only what was sent once, or by timestamp).

tcp_input.c: tcp_clean_rtx_queue, tcp_ack_update_rtt (Linux 6.18).
"""

from __future__ import annotations

from tcpemu.stack.base.sequence_numbers import after, before, distance
from tcpemu.stack.base.units import MICROSECOND, SECOND
from tcpemu.stack.connection.lifetime import error_queue
from tcpemu.stack.connection.measures import mtu_search, round_trip_time
from tcpemu.stack.control import busy_times
from tcpemu.stack.records.ack_result import AckResult
from tcpemu.stack.records.connection import Connection
from tcpemu.stack.records.scoreboard import Scoreboard
from tcpemu.stack.records.sent_pieces import LOST, RETRANS, SACKED, SENT_AGAIN, Unacked
from tcpemu.stack.records.windowed_filter import least_of
from tcpemu.stack.recovery import rack, reordering, undo
from tcpemu.wire.segment import SYN


def clean_rtx_queue(conn: Connection, board: Scoreboard, result: AckResult, highest: int) -> None:
    """Drop what is acknowledged, and time it (tcp_clean_rtx_queue).

    `highest` is where the highest SACK ended before this ACK.
    """
    queue, una, sacked = board.queue, conn.snd.una, board.sacked_out
    dropped, acked, first_at, last_at, lowest = 0, 0, None, 0, conn.snd.nxt
    for entry in queue:
        count, start, whole = entry.pcount, entry.began, not after(entry.end, una)
        if not whole:
            count = _begun(entry, una)
            if not count:
                break
        if entry.tags & SENT_AGAIN:
            result.repeat_acked = True
        elif not entry.tags & SACKED:
            last_at = entry.sent_at
            first_at = last_at if first_at is None else first_at
            lowest = start if before(start, lowest) else lowest
            if not after(entry.end, board.recovery.high_seq):
                result.original = True
        _count_acked(conn, board, entry, count)
        result.deliver(board, entry)
        acked += count
        if entry.flags & SYN:
            result.syn = True
            conn.rtx.retrans_stamp = None
        else:
            result.acked = True
        if not whole:
            break
        dropped += 1
    _drop(conn, board, dropped)
    if conn.error_queue is not None:
        error_queue.acknowledged(conn, conn.error_queue)
    if board.sack and not board.packets_out:
        # What an undo left counted as under way again is forgotten with the last of it.
        board.lost_out = board.sacked_out = board.retrans_out = 0
    if queue and queue[0].tags & SACKED:
        result.reneging = True
    # A lone segment, short, with nothing out of order: the receiver may well have delayed its ACK.
    clean = (
        acked == 1 and dropped == 1 and not sacked and distance(result.prior_una, una) < conn.snd.mss_cache
    )
    result.delayed = clean and not result.ca_alert and not result.syn
    timed = _time(conn, board, result, None if result.repeat_acked else first_at, last_at)
    _account(conn, board, result, acked, lowest if before(lowest, highest) else None, timed)


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
        if not tags or not undo.is_spurious_repeat(conn, entry):
            rack.advance(conn, board, tags, entry.end, entry.sent)


def _drop(conn: Connection, board: Scoreboard, count: int) -> None:
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
    if not queue:
        busy_times.stop(conn, busy_times.BUSY)


def _time(
    conn: Connection, board: Scoreboard, result: AckResult, first_at: int | None, last_at: int
) -> int | None:
    """Measure the round-trip time; returns what SACK told of it, in microseconds (tcp_ack_update_rtt).

    In this order: by what is acknowledged and was sent once, by what is newly SACKED, by the timestamp.
    """
    now = conn.host.now
    by_sack = None if result.first_sacked_at is None else (now - result.first_sacked_at) // MICROSECOND
    if first_at is not None:
        measured, shortest = (now - first_at) // MICROSECOND, (now - last_at) // MICROSECOND
    elif by_sack is not None:
        measured = by_sack
    elif conn.ts.ecr and (result.acked or result.syn):
        stamped = round_trip_time.by_timestamp(conn)
        if stamped is None:
            return None
        measured = shortest = stamped
    else:
        return None
    if by_sack is not None:
        shortest = (now - result.last_sacked_at) // MICROSECOND
    result.rtt = shortest
    _shortest(conn, board, shortest, result.delayed)
    round_trip_time.sample(conn, measured)
    return by_sack


def _shortest(conn: Connection, board: Scoreboard, microseconds: int, delayed: bool) -> None:
    """Keep the shortest recent round-trip time (tcp_update_rtt_min)."""
    host = conn.host
    known = board.min_rtt
    if delayed and known is not None and microseconds > known:
        return
    # 0 counts as a jiffy, for the kernel cannot have measured less than its clock's tick (jiffies_to_usecs(1)).
    microseconds = microseconds or host.jiffy // MICROSECOND
    now = host.now // host.jiffy
    if board.rtt_filter is None:
        board.rtt_filter = least_of(now, microseconds if known is None else known)
    window = host.sysctls.tcp_min_rtt_wlen * SECOND // host.jiffy
    board.min_rtt = board.rtt_filter.take(window, now, microseconds)


def _account(
    conn: Connection,
    board: Scoreboard,
    result: AckResult,
    acked: int,
    lowest: int | None,
    by_sack: int | None,
) -> None:
    """What follows for reordering, duplicate ACKs and the timer: the end of tcp_clean_rtx_queue."""
    if result.acked or result.syn:
        result.set_timer = True
        search = conn.snd.mtu_search
        if search is not None and search.probing and result.acked and not after(search.end, conn.snd.una):
            mtu_search.probe_arrived(conn, board)
        if not board.sack:
            reordering.remove_duplicates(conn, board, acked)
            if result.repeat_acked:
                result.original = False
        elif lowest is not None:
            reordering.seen_by_sack(conn, board, lowest, "TCPSACKReorder")
    elif board.queue and by_sack is not None:
        # Not by what was sent after the first piece: that would put the time-out off for as long as SACKs come.
        result.set_timer = by_sack > (conn.host.now - board.queue[0].sent_at) // MICROSECOND
