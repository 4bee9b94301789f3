"""ICMP errors about segments that were sent: what they end, what they say later, and the MTU of the path.

The kernel's answers are the traces icmp_*.json of Linux 6.18.
"""

import errno

import pytest

from tcpemu.stack.base import socket_constants as so
from tcpemu.stack.connection.arriving import icmp_arrives
from tcpemu.testing.bench import MS, MSS, SECOND, established, fails, syn_recv, syn_sent, time_wait
from tcpemu.testing.bench.bench_values import PEER
from tcpemu.wire import IcmpError, Segment, address, encode
from tcpemu.wire.icmp import quote

IP_MTU_DISCOVER, IP_RECVERR, IP_MTU = 10, 11, 14


def icmp(host, kind, code, seq=0, mtu=0, port=41001):
    """An ICMP error arrives about the host's segment with this number of the flow; the name of its reason."""
    own, peer = host.host.addresses[0], address(PEER)
    start = host.flow(port).isn or 0
    sent = Segment(own, 8080, peer, port, (start + seq) % 2**32, 0, 16, 0)
    error = IcmpError(address("192.0.2.254"), own, kind, code, quote(sent, encode(sent)), mtu)
    host.host.receive_icmp(error, host.now)
    host.drain()
    return next(event.reason.name for event in reversed(host.events) if type(event).__name__ == "IcmpArrived")


@pytest.mark.parametrize(
    ("kind", "code", "error"),
    [
        *[(3, 0, "ENETUNREACH"), (3, 1, "EHOSTUNREACH"), (3, 3, "ECONNREFUSED"), (3, 13, "EHOSTUNREACH")],
        *[(11, 0, "EHOSTUNREACH"), (12, 0, "EPROTO")],
    ],
)
def test_connect_fails_at_once(kind, code, error):
    host = syn_sent()
    assert icmp(host, kind, code) == "ICMP_REFUSED"
    assert host.conn.state == "CLOSE"
    with fails(error):
        host.conn.connect()


@pytest.mark.parametrize(("kind", "code"), [(4, 0), (5, 1), (11, 1), (3, 16)])
def test_what_is_not_heeded(kind, code):
    host = syn_sent()
    assert icmp(host, kind, code) == "ICMP_IGNORED"
    assert host.conn.state == "SYN_SENT"


def test_a_number_that_is_not_under_way_is_not_believed():
    host = established()
    host.conn.send(100)
    assert icmp(host, 3, 3, seq=102) == "ICMP_OUT_OF_WINDOW"
    assert host.moved()["OutOfWindowIcmps"] == 1


def test_of_no_flow_nothing_comes():
    assert icmp(established(), 3, 3, port=5) == "ICMP_NO_FLOW"
    assert icmp(time_wait(), 3, 3, seq=1) == "ICMP_NO_FLOW"


def test_an_open_connection_goes_on_and_tells_when_it_is_given_up():
    host = established(options=[(so.IPPROTO_TCP, so.TCP_USER_TIMEOUT, 1000)])
    host.conn.send(100)
    assert icmp(host, 3, 1, seq=1) == "ICMP_SOFT"
    assert host.conn.state == "ESTABLISHED"
    host.run(10 * SECOND)
    assert host.conn.getsockopt(so.SOL_SOCKET, so.SO_ERROR) == errno.EHOSTUNREACH


def test_an_ack_makes_it_forgotten():
    host = established()
    host.conn.send(100)
    icmp(host, 3, 1, seq=1)
    host.send("A", 1, 101)
    assert host.conn.getsockopt(so.SOL_SOCKET, so.SO_ERROR) == 0


def test_with_ip_recverr_the_next_call_fails():
    host = established(options=[(so.IPPROTO_IP, IP_RECVERR, 1)])
    host.conn.send(100)
    assert icmp(host, 3, 3, seq=1) == "ICMP_TOLD"
    with fails("ECONNREFUSED"):
        host.conn.send(1)
    assert host.conn.state == "ESTABLISHED"


def test_a_half_open_connection_is_removed_in_silence():
    host = syn_recv()
    assert icmp(host, 3, 3) == "ICMP_IGNORED"
    assert icmp(host, 3, 1, seq=1) == "ICMP_OUT_OF_WINDOW"
    assert icmp(host, 3, 1) == "ICMP_REQUEST_GONE"
    host.expect()
    assert host.moved() == {"OutOfWindowIcmps": 1, "ListenDrops": 1}
    assert host.table() == ["LISTEN 0 5 8080 *"]


def test_fragmentation_needed_sends_again_in_smaller_segments():
    host = established(opts=MSS)
    host.conn.send(1460)
    host.fresh()
    assert icmp(host, 3, 4, seq=1, mtu=1000) == "ICMP_TOO_LARGE"
    assert [len(segment.payload) for _, segment in host.taken()] == [960, 500]
    assert host.conn.getsockopt(so.IPPROTO_IP, IP_MTU) == 1000


def test_the_mtu_of_a_path_is_forgotten_in_time():
    host = established(mtu_expires=5)
    host.conn.send(100)
    icmp(host, 3, 4, seq=1, mtu=1000)
    host.send("A", 1, 101)
    host.run(4 * SECOND)
    assert host.conn.getsockopt(so.IPPROTO_IP, IP_MTU) == 1000
    host.run(8 * SECOND)
    host.fresh()
    host.conn.send(1460)
    assert [len(segment.payload) for _, segment in host.taken()] == [1460]
    assert host.conn.getsockopt(so.IPPROTO_IP, IP_MTU) == 1500


def test_below_the_least_mtu_packets_go_without_df():
    host = established()
    host.conn.send(1460)
    host.fresh()
    icmp(host, 3, 4, seq=1, mtu=68)
    assert {(len(segment.payload), segment.df) for _, segment in host.taken()} == {(512, False), (436, False)}


@pytest.mark.parametrize(
    ("value", "df"), [(0, False), (1, True), (2, True), (3, False), (4, False), (5, False)]
)
def test_ip_mtu_discover_says_whether_packets_may_be_cut(value, df):
    host = established(options=[(so.IPPROTO_IP, IP_MTU_DISCOVER, value)])
    host.conn.send(5)
    assert [segment.df for _, segment in host.taken()] == [df]


@pytest.mark.parametrize(("told", "error"), [(1000, 0), (300, errno.EMSGSIZE)])
def test_a_path_too_narrow_for_packets_that_may_not_be_cut_is_an_error(told, error):
    """tcp_v4_mtu_reduced: below net.ipv4.route.min_pmtu nothing would arrive."""
    host = established(options=[(so.IPPROTO_IP, IP_MTU_DISCOVER, 2)])
    host.conn.send(1460)
    icmp(host, 3, 4, seq=1, mtu=told)
    assert host.conn.sock.connection.rtx.soft_error == error


def test_ip_mtu_of_no_connection():
    host = established()
    with fails("ENOTCONN"):
        host.listener.getsockopt(so.IPPROTO_IP, IP_MTU)


def test_a_doubling_is_taken_back_when_the_path_breaks():
    """RFC 6069: what ICMP says of the segment that timed out shows that no congestion was the cause."""
    host = established()
    host.conn.send(5)
    host.run(2 * SECOND)
    host.fresh()
    icmp(host, 3, 0, seq=1)
    [timer] = [one for one in host.host.pending() if one.flow[1] == 41001]
    assert timer.due - host.now < 1600 * MS


@pytest.mark.parametrize(("left", "repeats"), [(1, 0), (0, 1)])
def test_a_time_out_that_is_over_when_its_doubling_is_taken_back_fires_at_once(left, repeats):
    host = established()
    host.conn.send(100)
    host.run(1300 * MS)
    conn = host.conn.sock.connection
    assert conn.rtt.backoff == 1
    host.fresh()
    rto = conn.rtt.rto >> 1
    conn.scoreboard[0].sent_at = conn.host.now + left - rto
    icmp_arrives._take_back_off(conn, conn.snd.una)
    assert conn.rtx.total_retrans == 1 + repeats
