"""Round-trip times, the time-out that follows from them, and the congestion window."""

import pytest

from tcpemu.stack.base import socket_constants as sockopt
from tcpemu.stack.base.sequence_numbers import add
from tcpemu.stack.connection.measures import remembered_peers
from tcpemu.stack.connection.measures import round_trip_time as rtt
from tcpemu.stack.control.reno import Reno
from tcpemu.testing.bench import MS, SECOND, TS, established, listening
from tcpemu.testing.bench.bench_values import PEER
from tcpemu.wire.segment import address


def fresh_connection():
    conn = established().conn.sock.connection
    conn.rtt.srtt = conn.rtt.mdev = conn.rtt.mdev_max = conn.rtt.rttvar = 0
    return conn


@pytest.mark.parametrize(
    ("samples", "smoothed", "rto"),
    [
        # RTO = srtt + rttvar, and rttvar is twice the first sample, at least 200 ms.
        ([100_000], 100_000, 300_000),
        ([10_000], 10_000, 210_000),
        ([300_000], 300_000, 900_000),
        # An eighth of the difference goes into srtt.
        ([100_000, 100_000], 100_000, 300_000),
        ([100_000, 180_000], 110_000, 340_000),
        # A longer one raises the deviation at once: 200 + (200 - 50) = 350 ms.
        ([100_000, 300_000], 125_000, 475_000),
        # A shorter one hardly: 200 + (80 - 50) / 8 = 203.75 ms, and not at all below a quarter of it.
        ([100_000, 20_000], 90_000, 293_750),
        ([100_000, 60_000], 95_000, 295_000),
        ([0], 0, 200_000),
    ],
)
def test_samples_and_the_rto_that_follows(samples, smoothed, rto):
    conn = fresh_connection()
    for sample in samples:
        rtt.sample(conn, sample)
    assert conn.rtt.srtt >> 3 == smoothed
    assert conn.rtt.rto == rto * 1000


def test_once_a_round_trip_the_deviation_comes_down_by_a_quarter():
    conn = fresh_connection()
    rtos = []
    for _ in range(3):
        rtt.sample(conn, 300_000)
        rtos.append(conn.rtt.rto // 1000)
        conn.snd.nxt = add(conn.snd.nxt, 1000)
        conn.snd.una = conn.snd.nxt
    # mdev: 600, 450, 337.5 ms; in the third round rttvar falls by (600 - 337.5) / 4.
    assert rtos == [900_000, 900_000, 834_375]


def test_a_sample_ends_the_doubling_and_is_bounded_by_rto_max():
    conn = fresh_connection()
    conn.rtt.backoff = 5
    rtt.sample(conn, 100 * 10**6)
    assert (conn.rtt.rto, conn.rtt.backoff) == (120 * SECOND, 0)


def test_of_two_segments_acknowledged_at_once_the_first_tells_the_time():
    host = established(options=[(sockopt.IPPROTO_TCP, sockopt.TCP_NODELAY, 1)])
    conn = host.conn.sock.connection
    conn.rtt.srtt = 0
    host.conn.send(10)
    host.run(1050 * MS)
    host.conn.send(10)
    host.send("A", 1, 21, at=1060 * MS)
    assert conn.rtt.srtt >> 3 == 50_000


def test_what_was_sent_twice_tells_no_time_without_timestamps():
    host = established()
    host.conn.send(10)
    host.run(1300 * MS)
    before = host.conn.sock.connection.rtt.srtt
    host.send("A", 1, 11)
    assert host.conn.sock.connection.rtt.srtt == before


def test_what_is_known_of_a_peer_sets_the_first_rto_of_the_next_connection():
    # tcp_metrics.c: a cached time above the one just measured gives three of it, or it and 200 ms.
    host = listening()
    for port, wait in ((1, 300), (2, 10)):
        host.send("S", port=port)
        host.send("A", 1, 1, port=port, at=host.now + wait * MS)
        child = host.accept()
        if port == 1:
            host.send("FA", 1, 1, port=port)
            child.close()
            host.send("A", 2, 2, port=port, at=host.now + 300 * MS)
    assert child.sock.connection.rtt.rto == 900 * MS
    forgetful = listening(no_metrics_save=1)
    forgetful.send("S")
    forgetful.send("A", 1, 1, at=300 * MS)
    forgetful.send("FA", 1, 1)
    forgetful.accept().close()
    forgetful.send("A", 2, 2, at=600 * MS)
    assert host.host.tables.host.metrics.srtt.get(address(PEER), 0) == 300_000 * 8
    assert forgetful.host.tables.host.metrics.srtt.get(address(PEER), 0) == 0


@pytest.mark.parametrize(
    ("first", "second", "kept"), [(300, 100, 275), (100, 300, 300), (100, 100, 100), (0, 70, 70)]
)
def test_what_is_known_of_a_peer_rises_at_once_and_falls_by_an_eighth(first, second, kept):
    host = established()
    for milliseconds in (first, second):
        host.conn.sock.connection.rtt.srtt = milliseconds * 8000
        remembered_peers.remember(host.host.tables.host.metrics, host.conn.sock.connection)
    assert host.host.tables.host.metrics.srtt.get(address(PEER), 0) == kept * 8000


# --- the congestion window --------------------------------------------------------------------------------


def test_slow_start_grows_by_what_is_acknowledged():
    start = Reno()
    assert start.cwnd == 10
    assert start.acknowledged(3, limited=True).cwnd == 13
    assert start.acknowledged(3, limited=False) == start
    assert start.acknowledged(0, limited=True) == start


def test_above_the_threshold_it_grows_by_one_for_each_window():
    one = Reno(cwnd=4, ssthresh=4)
    assert one.acknowledged(3, limited=True) == Reno(4, 4, counted=3)
    assert one.acknowledged(3, limited=True).acknowledged(2, limited=True) == Reno(5, 4, counted=1)


def test_slow_start_stops_at_the_threshold():
    assert Reno(cwnd=4, ssthresh=6).acknowledged(5, limited=True).cwnd == 6


@pytest.mark.parametrize(("window", "threshold"), [(10, 5), (3, 2), (1, 2)])
def test_a_time_out_begins_again_with_one_and_half_as_the_threshold(window, threshold):
    assert Reno(cwnd=window, counted=3).timed_out(1, reduces=True) == Reno(1, threshold, 0)


def test_another_time_out_leaves_the_threshold():
    assert Reno(cwnd=10, ssthresh=7).timed_out(1, reduces=False) == Reno(1, 7)


def test_after_a_time_out_segments_go_out_as_they_are_acknowledged():
    host = established(tcp_congestion_control="reno")
    host.conn.send(14_600)
    host.fresh()
    # The first time-out halves ten to five; each ACK then lets two of the lost out, until five are under way.
    host.run(1300 * MS)
    host.expect("1.22 A seq 1 len 1460")
    host.send("A", 1, 1 + 1460, at=1310 * MS)
    assert len(host.taken()) == 2
    host.send("A", 1, 1 + 3 * 1460, at=1320 * MS)
    assert len(host.taken()) == 4
    host.send("A", 1, 1 + 7 * 1460, at=1330 * MS)
    assert len(host.taken()) == 3
    assert host.conn.sock.connection.congestion.ssthresh == 5
    assert host.conn.sock.connection.congestion.cwnd == 5


@pytest.mark.parametrize(("echo", "window", "undone"), [(10, 12, 1), (220, 3, 0)])
def test_a_time_out_that_an_echo_proves_wrong_is_undone(echo, window, undone):
    # The segments left at 1.01 s, which is 10 on the host's clock, and the first again at 1.22 s.
    host = established(opts=TS)
    host.conn.send(14_480)
    host.run(1230 * MS)
    host.fresh()
    host.send("A", 1, 1 + 2 * 1448, ts=(330, echo))
    assert host.moved().get("TCPLossUndo", 0) == undone
    assert host.conn.sock.connection.congestion.cwnd == window
    # What was taken for lost is under way again, or is sent again.
    assert len(host.taken()) == (0 if undone else 3)
