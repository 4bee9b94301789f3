"""What a control is told of the path, the pace, and the window that an application does not use."""

import pytest

from tcpemu.stack.base.units import MILLISECOND, SECOND
from tcpemu.stack.control import cwnd_validation, delivery_rate, pacing_rate
from tcpemu.stack.control.cwnd_changes import with_cwnd
from tcpemu.stack.control.reno import Reno
from tcpemu.stack.records.loss_recovery import CaState
from tcpemu.testing.bench import SACK, established


@pytest.fixture
def conn():
    host = established(opts=SACK)
    host.conn.send(2920)
    return host.conn.sock.connection


def test_the_wait_for_the_next_departure_is_told_in_microseconds(conn):
    conn.snd.departed_at = conn.host.now + 5 * MILLISECOND
    assert delivery_rate.path_of(conn, conn.scoreboard).departs_in == 5000
    conn.snd.departed_at = conn.host.now - 5 * MILLISECOND
    assert delivery_rate.path_of(conn, conn.scoreboard).departs_in == 0


@pytest.mark.parametrize(("delivered", "until"), [(40, 42), (-2, 1)])
def test_a_control_may_say_that_the_application_limits_the_rate(conn, delivered, until):
    """Until all that is under way has arrived; 0 would say no."""
    board = conn.scoreboard
    board.delivered, board.limited_until = delivered, 0
    path = delivery_rate.path_of(conn, board)
    delivery_rate.take_over(conn, board, path)
    assert board.limited_until == 0
    path.marks_limited = True
    delivery_rate.take_over(conn, board, path)
    assert board.limited_until == until


@pytest.mark.parametrize(
    ("state", "cwnd"), [(CaState.OPEN, 25), (CaState.DISORDER, 40), (CaState.CWR, 40), (CaState.RECOVERY, 40)]
)
def test_an_unused_window_comes_down_only_while_all_is_well(conn, state, cwnd):
    board = conn.scoreboard
    conn.congestion = with_cwnd(conn.congestion, 40)
    board.recovery.state, board.recovery.cwnd_used = state, 7
    board.recovery.cwnd_at = conn.host.now - SECOND
    cwnd_validation._application_limited(conn, board)
    assert conn.congestion.cwnd == cwnd
    assert board.recovery.cwnd_used == (0 if state is CaState.OPEN else 7)
    assert board.recovery.cwnd_at == conn.host.now


@pytest.mark.parametrize(("cwnd", "percent"), [(4, 200), (7, 200), (8, 120), (16, 120)])
def test_the_pace_is_that_of_slow_start_below_half_of_ssthresh(conn, cwnd, percent):
    conn.congestion = Reno(cwnd, 16, 0)
    conn.rtt.srtt = 100_000 << 3
    pacing_rate.update(conn)
    assert conn.snd.pacing_rate == 1460 * cwnd * 10 * percent // 100
