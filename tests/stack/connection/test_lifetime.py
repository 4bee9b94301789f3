"""From the first ACK to the end: probes of what is lost or shut out, and the limits by which a connection ends."""

import pytest

from tcpemu.stack.base import socket_constants as sockopt
from tcpemu.stack.base.states import State
from tcpemu.stack.base.units import MILLISECOND
from tcpemu.stack.connection.lifetime import closing, orphans, probes, time_wait_bucket, timeouts
from tcpemu.stack.records.time_wait import TimeWait
from tcpemu.testing.bench import FULL, MSS, SACK, SECOND, TS, connected, established, syn_recv

USER_TIMEOUT = (sockopt.IPPROTO_TCP, sockopt.TCP_USER_TIMEOUT)


def connection(host):
    return host.conn.sock.connection


# --- Probes ---------------------------------------------------------------------------------------------


def test_a_piece_that_was_cut_for_a_smaller_path_is_not_cut_behind_its_end():
    """Three segments of 974 octets are two of 1460, and nothing lies behind those."""
    host = established(opts=SACK)
    host.conn.send(14_600)
    conn = connection(host)
    last = conn.scoreboard[-1]
    assert (last.pcount, len(last.payload)) == (2, 2920)
    conn.scoreboard.recount(last, -1)
    last.pcount = 3
    probes.send_loss_probe(conn)
    assert all(piece.payload for piece in conn.scoreboard.queue)


def test_a_window_probe_is_a_segment_at_most():
    """The path has become smaller since the window had too little room for a segment."""
    host = established()
    host.conn.send(100)
    host.send("A", 1, 101, win=1000)
    host.conn.send(2000)
    host.fresh()
    conn = connection(host)
    conn.scoreboard = None
    conn.snd.una = conn.snd.nxt
    conn.host.path_mtus.clear()
    conn.snd.wnd, conn.snd.mss_cache = 1000, 500
    probes.wake_up(conn, "TCPWinProbe", probes.reasons.SENT_WINDOW_PROBE)
    host.drain()
    assert [len(segment.payload) for _, segment in host.taken()] == [500]


# --- The limits -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("silent", "ends"), [(239, False), (241, True)])
def test_an_orphan_that_was_silent_for_twice_the_longest_time_out_counts_for_two(silent, ends):
    host = established(max_orphans=3)
    host.conn.send(100)
    conn = connection(host)
    conn.host.now = 1000 * SECOND
    conn.host.orphans = 2
    conn.scoreboard.recovery.wrote_at = conn.host.now - silent * SECOND
    assert orphans.ended_early(conn, True) is ends


@pytest.mark.parametrize(
    ("own", "setting", "value", "limit"),
    [
        (0, "net.ipv4.tcp_rto_max_ms", 120_000, 240),
        (200_000, "TCP_USER_TIMEOUT", 200_000, 200),
        (300_000, "net.ipv4.tcp_rto_max_ms", 120_000, 240),
    ],
)
def test_a_window_that_never_came_back_is_waited_for_twice_the_longest_time_out(own, setting, value, limit):
    host = established(options=[(*USER_TIMEOUT, own)])
    host.conn.send(100)
    conn = connection(host)
    conn.rtx.retrans_stamp = conn.host.now
    told = timeouts._shut_window_limit(conn)
    assert (told.setting, told.value, told.allowed) == (setting, value, limit * SECOND)


@pytest.mark.parametrize(
    ("reuse", "peer", "taken"),
    [
        (0, b"\x7f\0\0\1", False),
        (1, b"\x7f\0\0\1", True),
        (2, b"\x7f\0\0\1", True),
        (1, b"\x0a\0\0\2", True),
        (2, b"\x0a\0\0\2", False),
    ],
)
def test_tcp_tw_reuse_2_is_for_loopback(reuse, peer, taken):
    services = connection(established(tcp_tw_reuse=reuse)).host
    services.now = 1000 * MILLISECOND + 1
    key = (peer, 1, peer, 2)
    numbers, stamps = (0, 5, 0, 0), (True, 0, 0, 0)
    bucket = TimeWait(key, None, services, State.TIME_WAIT, *numbers, 0, False, *stamps, 0)
    assert time_wait_bucket.number_for_connect(bucket, False) == (5 + 65537 if taken else None)


# --- The beginning and the end --------------------------------------------------------------------------


@pytest.mark.parametrize("repeated", [False, True])
def test_a_time_out_of_the_syn_ack_is_spurious_if_the_first_one_is_echoed(repeated):
    host = syn_recv(opts=TS)
    if repeated:
        host.run(2500 * MILLISECOND)
    host.send("A", 1, 1, ts=(110, 0))
    host.conn = host.accept()
    conn = connection(host)
    assert conn.rtx.retrans_stamp is None
    assert not conn.rtx.syn_timed_out


@pytest.mark.parametrize(("opts", "predicted"), [(MSS, True), (FULL, False)])
def test_a_client_predicts_headers_at_once_where_the_window_has_no_scale(opts, predicted):
    assert (connection(connected(opts=opts)).rcv.predicted == 65535) is predicted


def test_what_was_under_way_does_not_refer_to_itself_when_it_is_forgotten():
    host = established()
    host.conn.send(3000)
    conn = connection(host)
    order = conn.scoreboard.sent_order
    assert order._ring.older is not None
    closing.purge(conn)
    assert not conn.scoreboard
    assert order._ring.older is None
