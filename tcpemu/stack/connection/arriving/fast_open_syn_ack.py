"""The SYN|ACK for a SYN of Fast Open: the cookie is remembered, and data that was not taken is sent again at once.

tcp_input.c: tcp_rcv_fastopen_synack (Linux 6.18).
"""

from __future__ import annotations

from tcpemu.stack.base import reasons
from tcpemu.stack.base.tcp_options import SynOptions
from tcpemu.stack.connection.arriving import handshake_data
from tcpemu.stack.connection.measures import known_servers
from tcpemu.stack.connection.sending import retransmission
from tcpemu.stack.records.connection import Connection
from tcpemu.stack.records.fast_open import DATA_NOT_ACKED, SYN_RETRANSMITTED
from tcpemu.stack.records.scoreboard import Scoreboard
from tcpemu.stack.recovery import congestion_states, write_timer
from tcpemu.wire.options import Mss
from tcpemu.wire.segment import Segment


def take(conn: Connection, segment: Segment, offer: SynOptions) -> bool:
    """Whether the data of the SYN was taken, or there was none; else it has been sent again."""
    fast_open, board = conn.fast_open, conn.scoreboard
    assert fast_open is not None
    refused = fast_open.syn_data and bool(board)
    cookie = offer.fast_open if fast_open.asked else None
    lost, ask_experimentally = False, 0
    if fast_open.asked and conn.rtx.total_retrans:
        # The server seems to have seen only the SYN that was sent again, without data.
        lost = offer.fast_open is None and refused
    elif fast_open.asked and cookie is None and not fast_open.syn_data:
        ask_experimentally = 2 if fast_open.asked_experimentally else 1
    known_servers.learn(conn, _mss(conn, segment), cookie, lost, ask_experimentally)
    if refused:
        assert board is not None
        fast_open.client_fail = SYN_RETRANSMITTED if conn.rtx.total_retrans else DATA_NOT_ACKED
        _send_again(conn, board)
        conn.host.count("TCPFastOpenActiveFail")
        return False
    fast_open.data_acked = fast_open.syn_data
    if fast_open.syn_data:
        conn.host.count("TCPFastOpenActive")
        if board is not None and board.delivered > 1:
            board.delivered -= 1
    handshake_data.take(conn, segment)
    return True


def _send_again(conn: Connection, board: Scoreboard) -> None:
    """Send the data of the SYN again, as lost since Linux 5.12; before, nothing but sent (__tcp_retransmit_skb)."""
    if conn.host.generation.sending.syn_data_is_lost:
        congestion_states.too_large_lost(conn, board, -1)
        retransmission.send_lost(conn, board, reasons.SENT_SYN_DATA_AGAIN)
        return
    place = 0
    while place < len(board.queue) and retransmission.send_again_uncounted(
        conn, board, board.queue[place], 1, reasons.SENT_SYN_DATA_AGAIN
    ):
        place += 1
    write_timer.rearm(conn)


def _mss(conn: Connection, segment: Segment) -> int:
    """The server's MSS, be TCP_MAXSEG less; 0 where it says none and that is all there is."""
    if conn.snd.mss_clamp != conn.options.maxseg:
        return conn.snd.mss_clamp
    told = 0
    for option in segment.options:
        if isinstance(option, Mss):
            told = option.value
    return told
