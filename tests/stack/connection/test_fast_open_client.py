"""A client by Fast Open: what a SYN says and carries, what its answer means, and when it is not tried."""

import contextlib

import pytest

from tcpemu.stack.base import socket_constants as so
from tcpemu.stack.base.units import SECOND
from tcpemu.stack.sockets.message_flags import MSG_FASTOPEN
from tcpemu.testing.bench import FULL, MS, MSS, Bench, fails
from tcpemu.testing.bench.bench_values import PORT
from tcpemu.wire.options import NOP, FastOpen, Mss

TCP = so.IPPROTO_TCP
CONNECT = (TCP, so.TCP_FASTOPEN_CONNECT, 1)
COOKIE = bytes.fromhex("1122334455667788")
GIVES = (*MSS, FastOpen(COOKIE), NOP, NOP)
"""The options of a SYN|ACK with a cookie."""


def client(options=(), **settings):
    """A host with a socket that is to connect, bound to port 8080: `host.conn`."""
    host = Bench(**{"timestamps": 0, "sack": 0, "window_scaling": 0, **settings})
    return again(host, options)


def again(host, options=()):
    """The same host with a new socket."""
    host.conn = host.socket()
    host.conn.bind(PORT)
    for option in options:
        host.conn.setsockopt(*option)
    return host.fresh()


def visited(options=(), answer=GIVES, **settings):
    """A client that was given a cookie at an earlier visit."""
    host = client(**settings)
    with fails("EINPROGRESS"):
        host.conn.sendto(10, MSG_FASTOPEN)
    host.send("SA", 0, 1, opts=answer)
    host.conn.sock.linger(True, 0)
    host.conn.close()
    return again(host, options)


def carried(data=100, answer=101, **settings):
    """A connection whose SYN carried data; the SYN|ACK acknowledges so much."""
    host = visited(**settings)
    assert host.conn.sendto(data, MSG_FASTOPEN) == data
    host.fresh()
    host.send("SA", 0, answer)
    return host


# --- what the SYN says ----------------------------------------------------------------------------


def test_the_first_visit_asks_for_a_cookie_and_the_data_follows_the_handshake():
    host = client()
    with fails("EINPROGRESS"):
        host.conn.sendto(100, MSG_FASTOPEN)
    host.expect("0 S seq 0 len 0 <mss 1460, fo, nop, nop>")
    host.send("SA", 0, 1, opts=GIVES)
    host.expect("0 A seq 1 ack 1")
    assert host.conn.sock.tcp_info().fastopen_client_fail == 1
    host.conn.send(100)
    host.expect("0 PA seq 1 ack 1 len 100")
    assert host.moved() == {"ActiveOpens": 1}


def test_the_next_visit_carries_data():
    host = carried()
    host.expect("0 A seq 101 ack 1")
    assert host.moved() == {"TCPFastOpenActive": 1}
    info = host.conn.sock.tcp_info()
    assert (info.options & 32, info.fastopen_client_fail) == (32, 0)
    host.conn.send(50)
    host.expect("0 PA seq 101 ack 1 len 50")


def test_the_syn_carries_what_fits_beside_all_options():
    host = visited()
    assert host.conn.sendto(5000, MSG_FASTOPEN) == 1420
    host.expect(f"0 S seq 0 len 1420 <mss 1460, fo {COOKIE.hex()}, nop, nop>")


@pytest.mark.parametrize(("options", "most"), [((), 960), (((TCP, so.TCP_MAXSEG, 600),), 560)])
def test_the_mss_of_the_last_visit_counts_and_the_users(options, most):
    host = visited(options, answer=(Mss(1000), FastOpen(COOKIE)))
    assert host.conn.sendto(5000, MSG_FASTOPEN) == most


def test_a_server_that_gives_none_is_asked_by_the_option_of_experiments_once():
    host = visited(answer=MSS)
    for said in ("experimental fo", "fo, nop, nop"):
        with fails("EINPROGRESS"):
            host.conn.sendto(10, MSG_FASTOPEN)
        host.expect(f"0 S seq 0 <mss 1460, {said}>")
        host.send("SA", 0, 1)
        host.conn.sock.linger(True, 0)
        host.conn.close()
        again(host)


@pytest.mark.parametrize(("bits", "options"), [(5, ()), (1, ((TCP, so.TCP_FASTOPEN_NO_COOKIE, 1),))])
def test_where_no_cookie_is_needed_data_goes_without_the_option(bits, options):
    host = client(options, fastopen=bits)
    assert host.conn.sendto(100, MSG_FASTOPEN) == 100
    host.expect("0 S seq 0 len 100 <mss 1460>")


def test_the_longest_cookie_just_fits_beside_all_other_options():
    long = FastOpen(bytes(range(16)))
    host = visited(answer=(*FULL, long), timestamps=1, sack=1, window_scaling=1)
    assert host.conn.sendto(10, MSG_FASTOPEN) == 10
    [(_, syn)] = host.taken()
    assert len(syn.payload) == 10
    assert syn.options[-3:] == (long, NOP, NOP)


# --- TCP_FASTOPEN_CONNECT -------------------------------------------------------------------------


def test_connect_waits_for_data_where_there_is_a_cookie():
    host = visited([CONNECT])
    host.conn.connect()
    host.expect()
    assert host.conn.sock.poll() & 4
    with fails("EISCONN"):
        host.conn.connect()
    assert host.conn.send(100) == 100
    host.expect(f"0 S seq 0 len 100 <mss 1460, fo {COOKIE.hex()}, nop, nop>")
    with fails("EAGAIN"):
        host.conn.send(10)


def test_connect_without_a_cookie_asks_for_one():
    host = client([CONNECT])
    with fails("EINPROGRESS"):
        host.conn.connect()
    host.expect("0 S seq 0 len 0 <mss 1460, fo, nop, nop>")


def test_close_before_any_data_sends_nothing():
    host = visited([CONNECT])
    host.conn.connect()
    host.conn.close()
    host.expect()
    assert host.table() == []


# --- calls ----------------------------------------------------------------------------------------


def test_the_flag_needs_the_bit_of_clients_and_an_address():
    host = client(fastopen=2)
    with fails("EOPNOTSUPP"):
        host.conn.sendto(10, MSG_FASTOPEN)
    host = client()
    with fails("EINVAL"):
        host.conn.send(10, MSG_FASTOPEN)


def test_the_flag_comes_too_late_on_a_socket_that_connects_or_is_open():
    host = client()
    with fails("EINPROGRESS"):
        host.conn.connect()
    with fails("EALREADY"):
        host.conn.send(10, MSG_FASTOPEN)
    host.send("SA", 0, 1)
    assert host.conn.send(10, MSG_FASTOPEN) == 10
    with fails("EISCONN"):
        host.conn.send(10, MSG_FASTOPEN)


def test_sendto_without_the_flag_is_send():
    host = client()
    with fails("EPIPE"):
        host.conn.sendto(10, 0)


# --- what the answer means ------------------------------------------------------------------------


def test_data_that_is_not_acknowledged_goes_again_at_once():
    host = carried(answer=1)
    host.expect("0 PA seq 1 ack 1 len 100")
    assert host.moved() == {"TCPFastOpenActiveFail": 1, "TCPSlowStartRetrans": 1, "RetransSegs": 1}
    assert host.conn.sock.tcp_info().fastopen_client_fail == 2


def test_the_syn_is_sent_again_without_data_or_cookie():
    host = visited()
    host.conn.sendto(100, MSG_FASTOPEN)
    host.fresh()
    host.run(1500 * MS)
    host.expect("1 S seq 0 len 0 <mss 1460>")
    host.send("SA", 0, 1)
    host.expect("1.5 PA seq 1 ack 1 len 100")
    assert host.conn.sock.tcp_info().fastopen_client_fail == 3


def test_data_in_the_syn_ack_is_taken():
    host = visited()
    host.conn.sendto(100, MSG_FASTOPEN)
    host.fresh()
    host.send("SA", 0, 101, data=30)
    host.expect("0 A seq 101 ack 31")
    assert len(host.conn.recv()) == 30


def test_without_fast_open_it_is_not():
    host = client()
    with fails("EINPROGRESS"):
        host.conn.connect()
    host.fresh()
    host.send("SA", 0, 1, data=30)
    host.expect("0 A seq 1 ack 1")


# --- what swallows it -----------------------------------------------------------------------------


def asks(host):
    """What the next SYN says of Fast Open; None for nothing."""
    again(host)
    with contextlib.suppress(OSError):
        host.conn.sendto(10, MSG_FASTOPEN)
    [(_, syn)] = host.taken()
    host.send("R", port=1)
    host.conn.close()
    return next((option.cookie for option in syn.options if isinstance(option, FastOpen)), None)


def test_three_timeouts_in_a_row_switch_it_off_for_a_while_and_twice_as_long_the_next_time():
    host = visited(fastopen_blackhole_timeout_sec=100)
    for wait in (100, 200):
        assert host.conn.sendto(10, MSG_FASTOPEN) == 10
        host.run(host.now + 3500 * MS)
        assert host.moved()["TCPFastOpenBlackhole"] == 1
        host.conn.close()
        assert asks(host) is None
        host.run(host.now + (wait - 2) * SECOND)
        assert asks(host) is None
        host.run(host.now + 3 * SECOND)
        again(host)


def test_without_a_time_it_goes_on():
    host = visited()
    host.conn.sendto(10, MSG_FASTOPEN)
    host.run(3500 * MS)
    assert "TCPFastOpenBlackhole" not in (moved := host.moved())
    assert moved["TCPFastOpenActiveFail"] == 1
    host.conn.close()
    assert asks(host) == COOKIE


@pytest.mark.parametrize("flags", ["R", "FA"])
def test_a_rst_or_fin_out_of_order_before_any_data_is_suspicious(flags):
    host = carried(fastopen_blackhole_timeout_sec=100)
    host.send(flags, 500, 101)
    host.conn.sock.linger(True, 0)
    host.conn.close()
    assert host.moved()["TCPFastOpenBlackhole"] == 1
    assert asks(host) is None


def test_a_success_with_data_after_a_while_clears_the_suspicion():
    host = visited(fastopen_blackhole_timeout_sec=10)
    host.conn.sendto(10, MSG_FASTOPEN)
    host.run(3500 * MS)
    host.conn.close()
    host.run(host.now + 20 * SECOND)
    again(host)
    host.conn.sendto(10, MSG_FASTOPEN)
    host.send("SA", 0, 11)
    host.send("PA", 1, 11, data=5)
    host.conn.recv()
    client = host.host.tables.host.fast_open
    assert client.disabled_times == 1
    host.conn.sock.linger(True, 0)
    host.conn.close()
    assert client.disabled_times == 0
