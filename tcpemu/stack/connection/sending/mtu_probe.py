"""Whether the next new data goes out in a larger packet than others, to see whether the path carries it.

tcp_output.c: tcp_mtu_probe, tcp_can_coalesce_send_queue_head (Linux 6.18).
"""

from __future__ import annotations

from tcpemu.stack.base.sequence_numbers import add, after, distance
from tcpemu.stack.connection.measures import mtu_search, segment_size
from tcpemu.stack.records.connection import Connection, MtuSearch
from tcpemu.stack.records.loss_recovery import CaState
from tcpemu.stack.records.scoreboard import Scoreboard

NONE, WAIT = -1, 0
"""No probe is due; one is, once less is under way: nothing is sent until then."""
_LEAST_WINDOW = 11
"""Segments in the congestion window of a sender that may lose one for this."""


def wanted(conn: Connection, search: MtuSearch) -> int:
    """Octets of payload of the probe that is due now, or NONE or WAIT."""
    board, sysctls = conn.scoreboard, conn.host.sysctls
    if search.probing or not _is_steady(conn, board):
        return NONE
    size = segment_size.payload_in(conn, (search.high + search.low) >> 1)
    close = search.high - search.low < sysctls.tcp_probe_threshold
    if close or size > segment_size.payload_in(conn, search.high):
        mtu_search.rest_or_begin_again(conn, search)
        return NONE
    reordering = sysctls.tcp_reordering if board is None else board.recovery.reordering
    # Behind the probe there must be enough for its loss to be found by duplicate ACKs.
    needed = size + (reordering + 1) * conn.snd.mss_cache
    if distance(conn.snd.nxt, conn.snd.write_seq) < needed or conn.snd.wnd < needed:
        return NONE
    if after(add(conn.snd.nxt, needed), conn.snd.window_end):
        return WAIT
    under_way = 0 if board is None else board.in_flight
    if under_way + 2 > conn.congestion.cwnd:
        return WAIT if under_way else NONE
    return size if _joins(conn, size) else NONE


def _is_steady(conn: Connection, board: Scoreboard | None) -> bool:
    """Nothing is lost or SACKed on either side, and the window can spare a segment."""
    open_ = board is None or board.recovery.state is CaState.OPEN
    return open_ and conn.congestion.cwnd >= _LEAST_WINDOW and not conn.rcv.sacks and conn.rcv.dsack is None


def _joins(conn: Connection, size: int) -> bool:
    """Whether the buffers in which so much waits may go out as one (MSG_EOR keeps them apart)."""
    for buffer in conn.snd.queue or ():
        if size <= len(buffer.payload):
            return True
        if buffer.eor:
            return False
        size -= len(buffer.payload)
    return True


def sent(search: MtuSearch, conn: Connection, start: int, payload: int) -> None:
    """The probe is on its way."""
    search.probing = mtu_search.packet_of(conn, payload, conn.ts.ok)
    search.start, search.end = start, add(start, payload)
