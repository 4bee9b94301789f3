"""A piece is marked lost, and where the highest SACK ends (tcp_input.c: tcp_mark_skb_lost)."""

from __future__ import annotations

from tcpemu.stack.base.sequence_numbers import after
from tcpemu.stack.records.connection import Connection
from tcpemu.stack.records.scoreboard import Scoreboard
from tcpemu.stack.records.sent_pieces import LOST, RETRANS, SACKED, Unacked


def highest_sack_seq(conn: Connection, board: Scoreboard) -> int:
    """Where the highest SACKED piece ends, or SND.NXT if it is the last (tcp.h: tcp_highest_sack_seq)."""
    if not board.sacked_out:
        return conn.snd.una
    return conn.snd.nxt if board.highest_sack is None else board.highest_sack.seq


def mark_lost(conn: Connection, board: Scoreboard, entry: Unacked, counts: bool = True) -> None:
    """It is lost; if it was known to be, then its repeat is lost too (tcp_input.c: tcp_mark_skb_lost)."""
    if entry.tags & SACKED:
        return
    _set_retransmit_hint(board, entry)
    if not entry.tags & LOST:
        board.lost_out += entry.pcount
        entry.tags |= LOST
    elif entry.tags & RETRANS:
        entry.tags &= ~RETRANS
        board.retrans_out -= entry.pcount
        if counts:
            conn.host.count("TCPLostRetransmit", entry.pcount)
    else:
        return
    board.lost += entry.pcount


def _set_retransmit_hint(board: Scoreboard, entry: Unacked) -> None:
    """Retransmission begins here, if this comes before the hint (tcp_input.c: tcp_verify_retransmit_hint)."""
    if board.hint is None:
        if board.retrans_out >= board.lost_out:
            board.hint = entry
    elif after(board.hint.seq, entry.seq):
        board.hint = entry
