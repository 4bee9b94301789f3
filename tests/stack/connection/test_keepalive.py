"""Keepalive: a silent peer is probed, and given up when no probe is answered; and what switches it.

tcp_timer.c: tcp_keepalive_timer, tcp_set_keepalive; tcp.c: tcp_sock_set_keepidle_locked.
"""

import errno

import pytest

from tcpemu.stack.base import socket_constants as so
from tcpemu.stack.base.errors import SocketError
from tcpemu.testing.bench import SECOND, established, fin_wait2

TCP, SOCKET = so.IPPROTO_TCP, so.SOL_SOCKET


def keeping(idle=10, interval=2, count=2):
    """A connection with SO_KEEPALIVE since a whole second."""
    host = established()
    host.run(2 * SECOND)
    for name, value in ((so.TCP_KEEPIDLE, idle), (so.TCP_KEEPINTVL, interval), (so.TCP_KEEPCNT, count)):
        host.conn.setsockopt(TCP, name, value)
    host.conn.setsockopt(SOCKET, so.SO_KEEPALIVE, 1)
    return host.fresh()


def waiting(host):
    return [timer.what for timer in host.host.pending()]


def test_a_silent_peer_is_probed_and_given_up():
    host = keeping()
    host.run(15 * SECOND)
    host.expect("12 A seq 0 ack 1 len 0", "14 A seq 0 ack 1 len 0")
    host.run(16 * SECOND)
    host.expect("16 RA seq 1 ack 1")
    assert host.conn.error == "ETIMEDOUT"
    with pytest.raises(SocketError) as caught:
        host.conn.recv()
    assert caught.value.errno == errno.ETIMEDOUT
    assert host.moved() == {"TCPKeepAlive": 2, "TCPAbortOnTimeout": 1, "OutRsts": 1, "EstabResets": 1}


def test_an_answer_begins_the_silence_anew():
    host = keeping()
    host.run(12 * SECOND)
    host.expect("12 A seq 0 ack 1")
    host.send("A", 1, 1, at=13 * SECOND)
    host.run(26 * SECOND)
    host.expect("23 A seq 0 ack 1", "25 A seq 0 ack 1")


def test_data_under_way_is_asked_about_by_its_own_timer():
    host = keeping(idle=3)
    host.conn.send(10)
    host.run(2 * SECOND + SECOND // 10)
    host.expect("2 PA seq 1 ack 1 len 10")
    assert "keepalive" in waiting(host)
    host.run(6 * SECOND)
    assert "TCPKeepAlive" not in host.moved()


def test_it_is_switched_off_and_on():
    host = keeping()
    host.conn.setsockopt(SOCKET, so.SO_KEEPALIVE, 0)
    assert waiting(host) == []
    host.conn.setsockopt(SOCKET, so.SO_KEEPALIVE, 1)
    assert waiting(host) == ["keepalive"]


def test_a_shorter_idle_time_counts_what_has_passed():
    host = keeping(idle=100)
    host.run(7 * SECOND)
    host.conn.setsockopt(TCP, so.TCP_KEEPIDLE, 6)
    host.run(8 * SECOND)
    host.expect("7.12 A seq 0 ack 1", tolerance=SECOND)


def test_tcp_user_timeout_stands_in_for_the_number_of_probes():
    host = keeping(count=9)
    host.conn.setsockopt(TCP, so.TCP_USER_TIMEOUT, 11_000)
    host.run(20 * SECOND)
    host.expect("12 A seq 0 ack 1", "14 RA seq 1 ack 1")


def test_what_is_not_set_is_what_the_sysctls_say():
    host = established(keepalive_time=20)
    values = [host.conn.getsockopt(TCP, name) for name in (so.TCP_KEEPIDLE, so.TCP_KEEPINTVL, so.TCP_KEEPCNT)]
    assert values == [20, 75, 9]


@pytest.mark.parametrize(
    ("name", "value"),
    [(so.TCP_KEEPIDLE, 0), (so.TCP_KEEPIDLE, 32768), (so.TCP_KEEPINTVL, 0), (so.TCP_KEEPCNT, 128)],
)
def test_what_is_out_of_range_is_refused(name, value):
    with pytest.raises(SocketError) as caught:
        established().conn.setsockopt(TCP, name, value)
    assert caught.value.errno == errno.EINVAL


def test_the_same_timer_ends_an_orphan_that_waits_longer_than_a_minute():
    host = fin_wait2(orphan=False)
    host.conn.setsockopt(TCP, so.TCP_LINGER2, 100)
    host.conn.close()
    assert waiting(host) == ["FIN-WAIT-2 ends"]
    # 40 s as a connection, then the 40 s that are left as a bucket.
    closed = host.now
    host.run(closed + 79 * SECOND)
    assert [row.split()[0] for row in host.table()] == ["FIN-WAIT-2", "LISTEN"]
    host.run(closed + 81 * SECOND)
    assert [row.split()[0] for row in host.table()] == ["LISTEN"]
