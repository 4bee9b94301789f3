"""A listener's child by Fast Open needs its request no longer: its final ACK has come, or it is over.

request_sock.c: reqsk_fastopen_remove.
"""

from __future__ import annotations

from tcpemu.stack.base.units import SECOND
from tcpemu.stack.records.connection import Connection
from tcpemu.stack.records.loss_recovery import CaState
from tcpemu.stack.recovery import congestion_states, undo, write_timer

_REMEMBERED = 60 * SECOND


def remove(conn: Connection, reset: bool = False) -> None:
    """It is no longer one of those that wait for their final ACK.

    One that was accepted and that a RST ended counts on for a minute, so that whoever sends SYNs in others' names
    cannot have a server work for nothing.
    """
    fast_open = conn.fast_open
    if fast_open is None or fast_open.request is None:
        return
    queue, fast_open.request = fast_open.queue, None
    assert queue is not None
    if reset and fast_open.accepted and not queue.closed:
        queue.resets.append(conn.host.now + _REMEMBERED)
    else:
        queue.pending -= 1


def answered(conn: Connection) -> None:
    """The final ACK has come: from now on the timer is for data (tcp_input.c: tcp_rcv_synrecv_state_fastopen)."""
    board = conn.scoreboard
    if board is not None and board.recovery.state is CaState.LOSS and not board.packets_out:
        undo.try_undo_recovery(conn, board)
    congestion_states.end_rto_time(conn)
    conn.rtx.retransmits = 0
    if board is None or not undo.repeats_out(board):
        conn.rtx.retrans_stamp = None
    remove(conn)
    write_timer.rearm(conn)
