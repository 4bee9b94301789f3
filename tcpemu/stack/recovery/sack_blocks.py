"""SACK blocks come in: which of them mean something, and what a D-SACK tells.

tcp_input.c: tcp_sacktag_write_queue, tcp_is_sackblock_valid, tcp_check_dsack.
`sack_tagging.py` tags what the good ones cover.
"""

from __future__ import annotations

from tcpemu.stack.base.sequence_numbers import MASK, after, before, distance
from tcpemu.stack.records.ack_result import AckResult
from tcpemu.stack.records.connection import Connection
from tcpemu.stack.records.loss_recovery import CaState
from tcpemu.stack.records.scoreboard import MOST_BLOCKS, Block, Scoreboard
from tcpemu.stack.recovery import reordering
from tcpemu.stack.recovery.sack_tagging import TagWalk
from tcpemu.wire.options import Option, Sack


def blocks_of(options: tuple[Option, ...]) -> tuple[Block, ...]:
    """The SACK blocks of a segment."""
    found: tuple[Block, ...] = ()
    for option in options:
        if type(option) is Sack and option.blocks:
            found = option.blocks[:MOST_BLOCKS]
    return found


def take(conn: Connection, board: Scoreboard, blocks: tuple[Block, ...], ack: int, result: AckResult) -> None:
    """Tag what the blocks cover (tcp_sacktag_write_queue)."""
    result.lowest = conn.snd.nxt
    if not board.sacked_out:
        board.highest_sack = board.queue[0] if board.queue else None
    duplicate = _reports_duplicate(conn, board, blocks, ack, result)
    if before(ack, result.prior_una - conn.snd.max_window & MASK):
        result.forget_sacks()
        return
    if not board.packets_out:
        return
    wanted, first = _usable(conn, board, blocks, duplicate, ack, result.prior_una)
    TagWalk(conn, board, result, wanted, first if duplicate else None).all_blocks()
    recovery = board.recovery
    if recovery.state is not CaState.LOSS or recovery.undo_marker is not None:
        reordering.seen_by_sack(conn, board, result.lowest, "TCPSACKReorder")


def _reports_duplicate(
    conn: Connection, board: Scoreboard, blocks: tuple[Block, ...], ack: int, result: AckResult
) -> bool:
    """The first block lies below the ACK or inside the second: a D-SACK (RFC 2883; tcp_check_dsack)."""
    host = conn.host
    start, end = blocks[0]
    if before(start, ack):
        host.count("TCPDSACKRecv")
    elif len(blocks) > 1:
        if after(end, blocks[1][1]) or before(start, blocks[1][0]):
            return False
        host.count("TCPDSACKOfoRecv")
    else:
        return False
    count = _duplicate_segments(conn, board, start, end, result)
    if not count:
        host.count("TCPDSACKIgnoredDubious")
        return False
    host.count("TCPDSACKRecvSegs", count)
    recovery = board.recovery
    marker = recovery.undo_marker
    forgotten = not after(end, result.prior_una)
    if marker is not None and recovery.undo_retrans > 0 and forgotten and after(end, marker):
        recovery.undo_retrans = max(0, recovery.undo_retrans - count)
    return True


def _duplicate_segments(conn: Connection, board: Scoreboard, start: int, end: int, result: AckResult) -> int:
    """How many of our repeats a D-SACK tells of; 0 if it cannot be about these (tcp_dsack_seen)."""
    if not before(start, end):
        return 0
    length, count, recovery = distance(start, end), 1, board.recovery
    if length > conn.snd.max_window:
        return 0
    if length > conn.snd.mss_cache:
        count = -(-length // conn.snd.mss_cache)
    elif recovery.probe_high == end:
        result.dsack_probe = True
    recovery.dsack_dups += count
    if recovery.dsack_dups > conn.rtx.total_retrans:
        return 0
    if recovery.reordering_seen and not result.dsack_probe:
        recovery.dsack_seen = True
    result.dsack = True
    board.delivered += count
    return count


def _usable(
    conn: Connection, board: Scoreboard, blocks: tuple[Block, ...], duplicate: bool, ack: int, prior_una: int
) -> tuple[list[Block], int | None]:
    """The blocks that mean something, by their numbers, and where among them the first one is."""
    kept: list[tuple[Block, bool]] = []
    for number, block in enumerate(blocks):
        is_duplicate = duplicate and not number
        if not _valid(conn, board, is_duplicate, *block):
            _count_invalid(conn, board, is_duplicate, block[1], ack)
        elif after(block[1], prior_una):
            kept.append((block, not number))
    # By their distance from SND.UNA, since the numbers themselves wrap.
    kept.sort(key=lambda one: distance(prior_una, one[0][0]))
    firsts = [place for place, (_, is_first) in enumerate(kept) if is_first]
    return [block for block, _ in kept], firsts[0] if firsts else None


def _valid(conn: Connection, board: Scoreboard, duplicate: bool, start: int, end: int) -> bool:
    """Whether a block lies in what is under way, or for a D-SACK not too far below (tcp_is_sackblock_valid)."""
    if after(end, conn.snd.nxt) or not before(start, end) or not before(start, conn.snd.nxt):
        return False
    if after(start, conn.snd.una):
        return True
    marker = board.recovery.undo_marker
    if not duplicate or marker is None or after(end, conn.snd.una):
        return False
    if not before(start, marker):
        return True
    return after(end, marker) and not before(start, end - conn.snd.max_window & MASK)


def _count_invalid(conn: Connection, board: Scoreboard, duplicate: bool, end: int, ack: int) -> None:
    if duplicate:
        old = board.recovery.undo_marker is not None
        conn.host.count("TCPDSACKIgnoredOld" if old else "TCPDSACKIgnoredNoUndo")
    elif ack == conn.snd.una or after(end, conn.snd.una):
        conn.host.count("TCPSACKDiscard")
