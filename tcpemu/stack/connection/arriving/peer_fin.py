"""The peer's FIN has been reached (tcp_input.c: tcp_fin)."""

from __future__ import annotations

from tcpemu.stack.base import reasons
from tcpemu.stack.base.states import State
from tcpemu.stack.connection.lifetime import closing, state_changes
from tcpemu.stack.connection.measures import header_prediction
from tcpemu.stack.connection.sending import transmit
from tcpemu.stack.records.connection import RCV_SHUTDOWN, Connection
from tcpemu.stack.records.delayed_ack_bits import SCHEDULED


def fin(conn: Connection) -> None:
    """No more data will come: owe an ACK, and change the state."""
    conn.ack.pending |= SCHEDULED
    conn.shutdown |= RCV_SHUTDOWN
    conn.peer_done = True
    state = conn.state
    if state in (State.SYN_RECV, State.ESTABLISHED):
        state_changes.set_state(conn, State.CLOSE_WAIT, "FIN arrives")
        conn.ack.pingpong = conn.host.sysctls.tcp_pingpong_thresh
    elif state is State.FIN_WAIT1:
        transmit.send_ack(conn, reasons.SENT_ACK)
        state_changes.set_state(conn, State.CLOSING, "FIN arrives")
    elif state is State.FIN_WAIT2:
        transmit.send_ack(conn, reasons.SENT_ACK)
        closing.time_wait(conn, State.TIME_WAIT)
    _forget_reports(conn)
    conn.host.wake(conn.socket)


def _forget_reports(conn: Connection) -> None:
    """Nothing can lie beyond the peer's FIN: drop what was kept, and tell of nothing by SACK (tcp_sack_reset)."""
    for fragment in conn.rcv.out_of_order or ():
        header_prediction.give_memory_back(conn, fragment.memory)
    conn.rcv.out_of_order = conn.rcv.search_tree = None
    conn.rcv.sacks = ()
    if conn.sack_ok:
        conn.rcv.dsack = None
