"""How far segments overtake one another on the path: `Recovery.reordering`, in segments.

With SACK it is measured: something arrives that was sent once and lies below what was SACKED before; the gap is how
far it was overtaken. Without SACK there are only duplicate ACKs, each of which stands for one segment that has arrived
beyond a hole: `sacked_out` counts them as though they were SACKs, and more of them than can be under way mean
reordering. tcp_input.c: tcp_check_sack_reordering, tcp_add_reno_sack.
"""

from __future__ import annotations

from tcpemu.stack.base.sequence_numbers import before, distance
from tcpemu.stack.records.connection import Connection
from tcpemu.stack.records.scoreboard import Scoreboard
from tcpemu.stack.recovery import loss_marks


def seen_by_sack(conn: Connection, board: Scoreboard, lowest: int, counter: str) -> None:
    """Something arrived that was sent once, before something higher that came first (tcp_check_sack_reordering)."""
    highest = loss_marks.highest_sack_seq(conn, board)
    if not before(lowest, highest):
        return
    recovery, mss = board.recovery, conn.snd.mss_cache
    gap = distance(lowest, highest)
    if gap > recovery.reordering * mss:
        recovery.reordering = min(-(-gap // mss), conn.host.sysctls.tcp_max_reordering)
    recovery.reordering_seen += 1
    conn.host.count(counter)


def limit_duplicates(board: Scoreboard) -> bool:
    """No more can have arrived than is under way less what is missing; whether it had to be cut to that.

    tcp_input.c: tcp_limit_reno_sacked.
    """
    holes = min(max(board.lost_out, 1), board.packets_out)
    if board.sacked_out + holes <= board.packets_out:
        return False
    board.sacked_out = board.packets_out - holes
    return True


def _check_duplicates(conn: Connection, board: Scoreboard, more: int) -> None:
    """More duplicate ACKs than segments mean reordering (tcp_check_reno_reordering)."""
    if limit_duplicates(board):
        recovery = board.recovery
        recovery.reordering = min(board.packets_out + more, conn.host.sysctls.tcp_max_reordering)
        recovery.reordering_seen += 1
        conn.host.count("TCPRenoReorder")


def add_duplicates(conn: Connection, board: Scoreboard, count: int) -> None:
    """A duplicate ACK came (tcp_add_reno_sack)."""
    if count:
        prior = board.sacked_out
        board.sacked_out += count
        _check_duplicates(conn, board, 0)
        board.delivered += max(board.sacked_out - prior, 0)


def remove_duplicates(conn: Connection, board: Scoreboard, acked: int) -> None:
    """An ACK fills the hole, and takes with it what duplicate ACKs stood for (tcp_remove_reno_sacks)."""
    if acked > 0:
        board.delivered += max(acked - board.sacked_out, 1)
        board.sacked_out = 0 if acked - 1 >= board.sacked_out else board.sacked_out - acked + 1
    _check_duplicates(conn, board, acked)
