"""Socket calls and their errnos. What is expected here was asked of Linux 6.18 by the same calls."""

import errno
import struct
from contextlib import suppress
from itertools import pairwise

import pytest

from tcpemu.stack import ConfigurationError, Host, Sent, SocketError, StateChanged
from tcpemu.stack.base import socket_constants as so
from tcpemu.stack.base.ip_families import mapped
from tcpemu.stack.sockets.message_flags import MSG_DONTWAIT, MSG_EOR, MSG_ERRQUEUE, MSG_MORE, MSG_PEEK
from tcpemu.testing.bench import (
    FULL,
    MS,
    SECOND,
    Bench,
    close_wait,
    connected,
    crossed,
    established,
    fails,
    fin_wait1,
    fin_wait2,
    listening,
    pattern,
    syn_sent,
    unaccepted,
)
from tcpemu.testing.bench.bench_values import PORT
from tcpemu.wire import decode
from tcpemu.wire.segment import PSH, SYN, Segment, address, flag_letters


def stopped():
    """A listener that was shut down."""
    host = listening()
    host.listener.shutdown(2)
    return host


def unconnected():
    host = Bench()
    host.conn = host.socket()
    return host


def aborted():
    """A connection that the peer has reset; nobody was told yet."""
    host = established()
    host.send("R", 1)
    return host


def refused():
    host = syn_sent()
    host.send("RA", 0, 1)
    return host


def timed_out():
    host = syn_sent(syn_retries=1)
    host.run(100 * SECOND)
    return host


def reset_after_fin():
    host = close_wait()
    host.send("R", 2)
    return host


def gone():
    host = established()
    host.conn.close()
    return host


CALLS = {
    "send": lambda app: app.send(b"x"),
    "recv": lambda app: app.recv(10),
    "accept": lambda app: app.accept(),
    "listen": lambda app: app.listen(1),
    "bind": lambda app: app.bind(9),
    "connect": lambda app: app.connect(9),
    "shutdown": lambda app: app.shutdown(2),
    "close": lambda app: app.close(),
    "getsockopt": lambda app: app.getsockopt(so.SOL_SOCKET, so.SO_ERROR),
    "setsockopt": lambda app: app.setsockopt(so.SOL_SOCKET, so.SO_RCVBUF, 9),
}


@pytest.mark.parametrize(
    ("make", "call", "error"),
    [
        *[
            (unconnected, "send", "EPIPE"),
            (unconnected, "recv", "ENOTCONN"),
            (unconnected, "accept", "EINVAL"),
        ],
        *[(unconnected, "shutdown", "ENOTCONN"), (unconnected, "connect", "EINPROGRESS")],
        *[(syn_sent, "send", "EAGAIN"), (syn_sent, "recv", "EAGAIN"), (syn_sent, "connect", "EALREADY")],
        *[(syn_sent, "listen", "EINVAL"), (syn_sent, "accept", "EINVAL"), (syn_sent, "bind", "EINVAL")],
        *[(crossed, "send", "EAGAIN"), (crossed, "recv", "EAGAIN"), (crossed, "connect", "EALREADY")],
        *[
            (established, "recv", "EAGAIN"),
            (established, "connect", "EISCONN"),
            (established, "listen", "EINVAL"),
        ],
        *[(established, "accept", "EINVAL"), (established, "bind", "EINVAL")],
        *[(connected, "recv", "EAGAIN"), (connected, "listen", "EINVAL")],
        *[(fin_wait1, "send", "EPIPE"), (fin_wait2, "send", "EPIPE"), (fin_wait2, "recv", "EAGAIN")],
        *[
            (aborted, "send", "ECONNRESET"),
            (aborted, "recv", "ECONNRESET"),
            (aborted, "shutdown", "ENOTCONN"),
        ],
        *[(refused, "send", "ECONNREFUSED"), (refused, "recv", "ECONNREFUSED")],
        *[
            (refused, "connect", "ECONNREFUSED"),
            (timed_out, "connect", "ETIMEDOUT"),
            (timed_out, "recv", "ETIMEDOUT"),
        ],
        *[(timed_out, "send", "ETIMEDOUT"), (reset_after_fin, "send", "EPIPE")],
        *[(gone, call, "EBADF") for call in CALLS],
    ],
)
def test_a_call_that_cannot_be(make, call, error):
    host = make()
    with fails(error):
        CALLS[call](host.conn)


@pytest.mark.parametrize(
    ("call", "error"),
    [
        ("accept", "EAGAIN"),
        ("send", "EPIPE"),
        ("recv", "ENOTCONN"),
        ("connect", "EISCONN"),
        ("bind", "EINVAL"),
    ],
)
def test_a_call_that_is_none_for_a_listener(call, error):
    host = listening()
    with fails(error):
        CALLS[call](host.listener)


@pytest.mark.parametrize(
    ("call", "error"),
    [
        ("accept", "EINVAL"),
        ("shutdown", "ENOTCONN"),
        ("send", "EPIPE"),
        ("connect", "EINPROGRESS"),
    ],
)
def test_a_call_that_is_none_for_a_listener_that_was_shut_down(call, error):
    with fails(error):
        CALLS[call](stopped().listener)


def test_an_error_is_told_once():
    host = aborted()
    assert host.conn.error == "ECONNRESET"
    assert host.conn.sock.readable
    assert host.conn.sock.writable
    assert host.conn.getsockopt(so.SOL_SOCKET, so.SO_ERROR) == errno.ECONNRESET
    assert host.conn.getsockopt(so.SOL_SOCKET, so.SO_ERROR) == 0
    assert host.conn.recv() == b""
    with fails("EPIPE"):
        host.conn.send(b"x")


def test_every_error_is_an_oserror_with_its_number_and_name():
    error = SocketError(errno.EAGAIN)
    assert isinstance(error, OSError)
    assert (error.errno, error.name) == (errno.EAGAIN, "EAGAIN")
    assert str(error)
    assert "port 9" in str(SocketError(errno.EADDRINUSE, "port 9 is taken"))


# --- bind -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("port", "ip", "error"),
    [(-1, None, "EINVAL"), (65536, None, "EINVAL"), (80, "203.0.113.1", "EADDRNOTAVAIL")],
)
def test_what_cannot_be_bound(port, ip, error):
    with fails(error):
        Bench().socket().bind(port, ip)


def test_the_last_port_can_be_bound():
    sock = Bench().socket()
    sock.bind(65535)
    assert sock.sock.local[1] == 65535


@pytest.mark.parametrize(
    ("one", "two", "conflict"),
    [
        ((), (), True),
        ((so.SO_REUSEADDR,), (), True),
        ((so.SO_REUSEADDR,), (so.SO_REUSEADDR,), False),
        ((so.SO_REUSEPORT,), (so.SO_REUSEADDR,), True),
        ((so.SO_REUSEPORT,), (so.SO_REUSEPORT,), False),
    ],
)
def test_a_port_is_shared_when_both_agree(one, two, conflict):
    host = Bench()
    first, second = host.socket(), host.socket()
    for sock, options in ((first, one), (second, two)):
        for option in options:
            sock.setsockopt(so.SOL_SOCKET, option, 1)
    first.bind(PORT)
    if conflict:
        with fails("EADDRINUSE"):
            second.bind(PORT)
    else:
        second.bind(PORT)
        assert second.sock.local == (b"", PORT)


def test_of_two_that_share_a_port_by_reuseaddr_only_one_may_listen():
    host = Bench()
    socks = [host.socket() for _ in range(3)]
    for sock in socks:
        sock.setsockopt(so.SOL_SOCKET, so.SO_REUSEADDR, 1)
    socks[0].bind(PORT)
    socks[1].bind(PORT)
    socks[0].listen(1)
    with fails("EADDRINUSE"):
        socks[1].listen(1)
    with fails("EADDRINUSE"):
        socks[2].bind(PORT)


def test_two_addresses_are_two_ports():
    host = Bench()
    host.host.tables.host.addresses = (*host.host.addresses, address("10.0.0.5"))
    one, two, three = (host.socket() for _ in range(3))
    one.bind(PORT, "10.0.0.1")
    two.bind(PORT, "10.0.0.5")
    with fails("EADDRINUSE"):
        three.bind(PORT)
    one.listen(1)
    two.listen(2)
    assert host.table() == ["LISTEN 0 1 8080 *", "LISTEN 0 2 8080 *"]


@pytest.mark.parametrize(("one", "two"), [(None, "10.0.0.1"), ("10.0.0.1", None), ("10.0.0.1", "10.0.0.1")])
def test_two_that_listen_on_one_port_for_one_address_are_one_too_many(one, two):
    host = Bench()
    socks = [host.socket(), host.socket()]
    for sock, own in zip(socks, (one, two), strict=True):
        sock.setsockopt(so.SOL_SOCKET, so.SO_REUSEADDR, 1)
        sock.bind(PORT, own)
    socks[0].listen(1)
    with fails("EADDRINUSE"):
        socks[1].listen(1)


def test_two_that_share_a_port_by_reuseaddr_listen_for_their_own_addresses():
    host = Bench()
    host.host.tables.host.addresses = (*host.host.addresses, address("10.0.0.5"))
    for own in ("10.0.0.1", "10.0.0.5"):
        sock = host.socket()
        sock.setsockopt(so.SOL_SOCKET, so.SO_REUSEADDR, 1)
        sock.bind(PORT, own)
        sock.listen(1)
    assert host.table() == ["LISTEN 0 1 8080 *"] * 2


def test_a_closed_socket_gives_its_port_back():
    host = listening()
    host.listener.close()
    host.listen(3)
    assert host.queues() == (0, 0, 3)


def busy_child():
    host = established()
    host.listener.close()
    return host


def busy_time_wait():
    host = fin_wait2()
    host.send("FA", 1, 2)
    host.conn.close()
    host.listener.close()
    return host


@pytest.mark.parametrize("make", [busy_child, busy_time_wait])
def test_connections_hold_their_port_when_the_listener_is_gone(make):
    host = make()
    with fails("EADDRINUSE"):
        host.socket().bind(PORT)


def test_free_ports_come_from_the_range_and_end():
    host = Bench(ip_local_port_range="40000 40003")
    socks = [host.socket() for _ in range(5)]
    for sock in socks[:4]:
        sock.bind()
    assert {sock.sock.local[1] for sock in socks[:4]} == {40000, 40001, 40002, 40003}
    with fails("EADDRINUSE"):
        socks[4].bind()


def test_connect_takes_a_port_by_itself_even_ones_first_and_says_when_there_is_none():
    host = Bench(ip_local_port_range="40000 40003")
    ports = []
    for _ in range(4):
        sock = host.socket()
        with fails("EINPROGRESS"):
            sock.connect(80)
        ports.append(sock.sock.local[1])
    assert sorted(ports[:2]) == [40000, 40002]
    assert sorted(ports[2:]) == [40001, 40003]
    with fails("EADDRNOTAVAIL"):
        host.socket().connect(80)


def test_a_flow_that_exists_cannot_be_opened_again():
    host = Bench()
    one, two = host.socket(), host.socket()
    for sock in (one, two):
        sock.setsockopt(so.SOL_SOCKET, so.SO_REUSEADDR, 1)
        sock.bind(PORT)
    with fails("EINPROGRESS"):
        one.connect(80)
    with fails("EADDRNOTAVAIL"):
        two.connect(80)
    with fails("EINPROGRESS"):
        two.connect(81)


# --- connect --------------------------------------------------------------------------------------------


def test_connect_says_in_progress_then_already_then_nothing_once_then_connected():
    host = syn_sent()
    with fails("EALREADY"):
        host.conn.connect()
    assert not host.conn.sock.writable
    host.send("SA", 0, 1)
    assert host.conn.sock.writable
    host.conn.connect()
    with fails("EISCONN"):
        host.conn.connect()


def test_a_socket_whose_connect_failed_may_try_again():
    host = refused()
    with fails("ECONNREFUSED"):
        host.conn.connect()
    with fails("EINPROGRESS"):
        host.conn.connect()


def test_a_failure_that_so_error_has_taken_is_an_abort():
    host = refused()
    assert host.conn.getsockopt(so.SOL_SOCKET, so.SO_ERROR) == errno.ECONNREFUSED
    with fails("ECONNABORTED"):
        host.conn.connect()


@pytest.mark.parametrize("end", ["close", "shutdown", "abort"])
def test_an_open_that_is_given_up_says_nothing(end):
    host = syn_sent()
    host.conn.shutdown(2) if end == "shutdown" else getattr(host.conn, end)()
    host.run(300 * SECOND)
    host.expect()
    assert host.table() == []
    assert host.send("SA", 0, 1) == "NO_SOCKET"
    host.expect("300 R seq 1 ack zero")


def test_names():
    host = established()
    assert host.conn.sock.local == (address("10.0.0.1"), PORT)
    assert host.conn.sock.remote == (address("10.0.0.2"), 41001)
    assert host.listener.sock.remote is None
    assert Bench().socket().sock.local == (b"", 0)


# --- send and recv --------------------------------------------------------------------------------------


def test_recv_takes_what_there_is_and_keeps_the_rest():
    host = established()
    host.send("A", 1, 1, data=pattern(1000))
    host.send("PA", 1001, 1, data=pattern(10))
    assert host.table()[0] == "ESTAB 1010 0 8080 41001"
    assert host.conn.sock.readable
    assert host.conn.recv(3) == pattern(1000)[:3]
    assert host.conn.recv(0) == b""
    assert host.conn.recv(998) == pattern(1000)[3:] + pattern(10)[:1]
    assert host.conn.recv(5000) == pattern(10)[1:]
    assert not host.conn.sock.readable
    with fails("EAGAIN"):
        host.conn.recv(1)
    assert host.conn.recv(0) == b""


def test_at_the_end_recv_gives_nothing_for_ever():
    host = close_wait()
    assert host.conn.sock.readable
    assert host.table()[0] == "CLOSE-WAIT 1 0 8080 41001", "the FIN counts as an octet until it is read"
    assert [host.conn.recv() for _ in range(3)] == [b""] * 3
    assert host.table()[0] == "CLOSE-WAIT 0 0 8080 41001"
    assert host.conn.send(b"x") == 1


def test_after_shutdown_for_reading_recv_gives_nothing():
    host = established()
    host.conn.shutdown(0)
    assert host.conn.recv() == b""
    assert host.conn.send(b"x") == 1


def test_send_takes_what_the_buffer_holds_and_then_no_more():
    host = established()
    host.conn.setsockopt(so.SOL_SOCKET, so.SO_SNDBUF, 10_000)
    assert host.conn.getsockopt(so.SOL_SOCKET, so.SO_SNDBUF) == 20_000
    taken = host.conn.send(100_000)
    assert 20_000 <= taken < 90_000
    assert not host.conn.sock.writable
    with fails("EAGAIN"):
        host.conn.send(b"x")
    assert host.conn.send(b"") == 0
    sent = sum(len(segment.payload) for _, segment in host.taken())
    host.host.woken()
    host.send("A", 1, 1 + sent, at=1100 * MS)
    assert host.host.woken() == [], "less than a third of the buffer is free (sk_stream_write_space)"
    sent += sum(len(segment.payload) for _, segment in host.taken())
    host.send("A", 1, 1 + sent, at=1200 * MS)
    assert host.host.woken() == [host.conn.sock]


@pytest.mark.parametrize("data", [b"x", b""])
def test_after_shutdown_for_writing_send_breaks_the_pipe(data):
    host = established()
    host.conn.shutdown(1)
    host.conn.shutdown(1)
    with fails("EPIPE"):
        host.conn.send(data)
    host.expect("1.01 FA seq 1 ack 1")


@pytest.mark.parametrize("how", [-1, 3])
def test_shutdown_of_what_there_is_not(how):
    for app in (established().conn, listening().listener, Bench().socket()):
        with fails("EINVAL"):
            app.shutdown(how)


@pytest.mark.parametrize("made", [established, syn_sent, aborted], ids=lambda made: made.__name__)
def test_shutdown_wakes_who_waits_for_the_socket(made):
    """inet_shutdown: a thread that sleeps in recv() finds the end, whether shutdown() itself fails or not."""
    host = made()
    host.host.woken()
    with suppress(SocketError):
        host.conn.shutdown(0)
    assert host.host.woken() == [host.conn.sock]


def test_a_listener_that_was_shut_down_reads_its_end():
    assert stopped().listener.recv() == b""


def test_who_is_woken():
    host = unaccepted()
    assert host.host.woken() == [host.listener.sock]
    conn = host.accept()
    assert host.host.woken() == []
    host.send("PA", 1, 1, data=1)
    assert host.host.woken() == [conn.sock]
    conn.recv()
    conn.send(b"x")
    host.host.woken()
    host.send("A", 2, 2)
    assert host.host.woken() == [], "nobody waits for room (SOCK_NOSPACE)"
    host.send("RA", 2, 2)
    assert host.host.woken() == [conn.sock]


def test_readiness():
    host = listening()
    assert not host.listener.sock.readable
    assert not host.listener.sock.writable
    assert not Bench().socket().sock.readable
    host.send("S")
    host.send("A", 1, 1)
    assert host.listener.sock.readable
    conn = host.accept()
    assert not host.listener.sock.readable
    assert (conn.sock.readable, conn.sock.writable) == (False, True)


# --- options --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("level", "name", "value", "read"),
    [
        *[
            (so.SOL_SOCKET, so.SO_RCVBUF, value, read)
            for value, read in ((0, 2304), (1, 2304), (5000, 10_000))
        ],
        *[(so.SOL_SOCKET, so.SO_RCVBUF, 10**8, 2 * 4194304), (so.SOL_SOCKET, so.SO_SNDBUF, 1, 4608)],
        *[(so.IPPROTO_TCP, so.TCP_MAXSEG, 88, 88), (so.IPPROTO_TCP, so.TCP_MAXSEG, 32767, 32767)],
        *[(so.IPPROTO_TCP, so.TCP_SYNCNT, value, value) for value in (1, 127)],
        *[
            (so.IPPROTO_TCP, so.TCP_LINGER2, value, read)
            for value, read in ((-7, -1), (5, 5), (120, 120), (121, 120))
        ],
        *[
            (so.IPPROTO_TCP, so.TCP_WINDOW_CLAMP, value, read)
            for value, read in ((0, 0), (1, 1152), (9999, 9999))
        ],
        *[(so.IPPROTO_TCP, so.TCP_USER_TIMEOUT, 5, 5), (so.IPPROTO_TCP, so.TCP_NODELAY, 2, 1)],
        *[(so.IPPROTO_TCP, so.TCP_CORK, 9, 1), (so.SOL_SOCKET, so.SO_KEEPALIVE, 3, 1)],
        *[(so.IPPROTO_IP, so.IP_TTL, 255, 255), (so.IPPROTO_IP, so.IP_TOS, 0xFC, 0xFC)],
        (so.IPPROTO_IP, so.IP_TOS, 255, 252),
        (so.IPPROTO_IP, so.IP_TOS, 256, 0),
        (so.IPPROTO_IP, so.IP_TOS, -1, 252),
        (so.IPPROTO_IP, so.IP_TTL, -1, 64),
        (so.SOL_SOCKET, so.SO_RCVBUF, -1, 2 * 4194304),
        (so.SOL_SOCKET, so.SO_SNDBUF, -1, 2 * 4194304),
        (so.IPPROTO_TCP, so.TCP_LINGER2, 0, 60),
        (so.IPPROTO_TCP, so.TCP_MAXSEG, 0, 536),
    ],
)
def test_an_option_and_what_is_read_back(level, name, value, read):
    sock = Bench().socket()
    sock.setsockopt(level, name, value)
    assert sock.getsockopt(level, name) == read


@pytest.mark.parametrize(
    ("level", "name", "value", "error"),
    [
        *[(so.IPPROTO_TCP, so.TCP_MAXSEG, value, "EINVAL") for value in (1, 87, 32768, -1)],
        *[(so.IPPROTO_TCP, so.TCP_SYNCNT, value, "EINVAL") for value in (0, 128, -1)],
        *[(so.IPPROTO_IP, so.IP_TTL, value, "EINVAL") for value in (0, 256)],
        (so.IPPROTO_TCP, so.TCP_USER_TIMEOUT, -1, "EINVAL"),
        (so.IPPROTO_TCP, 999, 1, "ENOPROTOOPT"),
        (so.SOL_SOCKET, 999, 1, "ENOPROTOOPT"),
        (so.SOL_SOCKET, so.SO_ACCEPTCONN, 1, "ENOPROTOOPT"),
        (99, 1, 1, "ENOPROTOOPT"),
    ],
)
def test_an_option_that_is_refused_changes_nothing(level, name, value, error):
    sock = Bench().socket()
    before = sock.sock.options
    with fails(error):
        sock.setsockopt(level, name, value)
    assert sock.sock.options == before


def congestion_of(app):
    return app.sock.getsockopt_octets(so.IPPROTO_TCP, so.TCP_CONGESTION, 16)


def test_a_child_has_the_congestion_control_that_its_listener_chose():
    host = established(options=[(so.IPPROTO_TCP, so.TCP_CONGESTION, b"cubic")])
    assert congestion_of(host.conn) == congestion_of(host.listener) == b"cubic".ljust(16, b"\0")
    host.conn.setsockopt(so.IPPROTO_TCP, so.TCP_CONGESTION, b"bbr\0ignored")
    assert congestion_of(host.conn).rstrip(b"\0") == b"bbr"
    assert congestion_of(host.listener).rstrip(b"\0") == b"cubic"


def test_who_chose_no_congestion_control_has_the_hosts():
    host = established(tcp_congestion_control="reno")
    assert congestion_of(host.conn).rstrip(b"\0") == b"reno"
    assert host.socket().getsockopt(so.IPPROTO_TCP, so.TCP_CONGESTION) == int.from_bytes(b"reno", "little")


@pytest.mark.parametrize(("name", "error"), [(b"cubi", "ENOENT"), (b"", "EINVAL"), (b"x" * 20, "ENOENT")])
def test_no_congestion_control_of_that_name(name, error):
    host = established()
    with fails(error):
        host.conn.setsockopt(so.IPPROTO_TCP, so.TCP_CONGESTION, name)
    assert congestion_of(host.conn).rstrip(b"\0") == b"cubic"


def test_a_congestion_control_that_linux_has_as_a_module_is_not_emulated():
    with pytest.raises(NotImplementedError, match="vegas is known to Linux, but not emulated"):
        established().conn.setsockopt(so.IPPROTO_TCP, so.TCP_CONGESTION, b"vegas")


@pytest.mark.parametrize(
    ("value", "four", "eight"),
    [
        (125_000, 125_000, 125_000),
        (-1, -1, 2**64 - 1),
        ((5_000_000_000).to_bytes(8, "little"), -1, 5_000_000_000),
        ((2**64 - 1).to_bytes(8, "little"), -1, 2**64 - 1),
    ],
)
def test_the_highest_pace_has_four_octets_or_eight(value, four, eight):
    sock = Bench().socket()
    sock.setsockopt(so.SOL_SOCKET, so.SO_MAX_PACING_RATE, value)
    assert sock.getsockopt(so.SOL_SOCKET, so.SO_MAX_PACING_RATE) == four
    octets = sock.sock.getsockopt_octets(so.SOL_SOCKET, so.SO_MAX_PACING_RATE, 8)
    assert int.from_bytes(octets, "little") == eight


def test_segments_wait_for_the_highest_pace():
    """146,000 octets a second: two segments of 1,448 octets take 19.8 ms. The first ten go without waiting."""
    host = established(options=[(so.SOL_SOCKET, so.SO_MAX_PACING_RATE, 146_000)], opts=FULL)
    host.conn.send(40 * 1448)
    host.run(host.now + 5 * MS)
    host.send("A", 1, 1 + 10 * 1448, win=65535)
    host.run(host.now + 150 * MS)
    times = sorted({at for at, segment in host.out if segment.payload})
    pauses = [later - earlier for earlier, later in pairwise(times[1:])]
    assert len(pauses) >= 4
    assert set(pauses) == {2 * 1448 * SECOND // 146_000}
    host.drain()


def test_a_listener_says_so():
    host = listening()
    assert host.listener.getsockopt(so.SOL_SOCKET, so.SO_ACCEPTCONN) == 1
    assert host.socket().getsockopt(so.SOL_SOCKET, so.SO_ACCEPTCONN) == 0
    with fails("ENOPROTOOPT"):
        host.listener.getsockopt(so.SOL_SOCKET, 999)


def test_a_child_has_its_listeners_options_and_its_own_from_then_on():
    host = established(options=[(so.IPPROTO_TCP, so.TCP_NODELAY, 1)], opts=FULL)
    assert host.conn.getsockopt(so.IPPROTO_TCP, so.TCP_NODELAY) == 1
    host.conn.setsockopt(so.IPPROTO_TCP, so.TCP_NODELAY, 0)
    assert host.listener.getsockopt(so.IPPROTO_TCP, so.TCP_NODELAY) == 1


def test_a_syn_is_saved_as_it_came_and_given_once():
    host = established(options=[(so.IPPROTO_TCP, 27, 1)], opts=FULL)
    sock = host.conn.sock
    room = 100
    with fails("EINVAL"):
        sock.getsockopt_octets(so.IPPROTO_TCP, 28, 59)
    saved = decode(sock.getsockopt_octets(so.IPPROTO_TCP, 28, room))
    assert isinstance(saved, Segment)
    assert (saved[:4], saved.flags, saved.payload) == (sock.connection.key, SYN, b"")
    assert len(saved.options) == len(FULL)
    assert sock.getsockopt_octets(so.IPPROTO_TCP, 28, room) == b""


# --- flags -----------------------------------------------------------------------------------------


def test_peeked_data_stays():
    host = established()
    host.send("PA", 1, 1, data=pattern(10))
    sock = host.conn.sock
    assert sock.recv(4, host.now, MSG_PEEK) == pattern(10)[:4]
    assert sock.recv(100, host.now, MSG_PEEK) == pattern(10)
    assert sock.unread == 10
    assert sock.recv(100, host.now, MSG_DONTWAIT) == pattern(10)
    assert sock.unread == 0
    with pytest.raises(SocketError) as caught:
        sock.recv(1, host.now, MSG_PEEK)
    assert caught.value.errno == errno.EAGAIN


def test_a_peeked_end_is_still_the_end():
    host = established()
    host.send("FA", 1, 1)
    assert [host.conn.sock.recv(1, host.now, MSG_PEEK) for _ in range(2)] == [b"", b""]
    assert host.conn.recv() == b""


@pytest.mark.parametrize("flags", [MSG_ERRQUEUE, MSG_PEEK | MSG_ERRQUEUE])
def test_no_error_is_queued(flags):
    sock = established().conn.sock
    with fails("EAGAIN"):
        sock.recv(1, sock.host.now, flags)


def test_more_to_come_holds_back_what_fills_no_segment():
    host = established()
    host.conn.send(100, MSG_MORE)
    host.conn.send(1500, MSG_MORE)
    assert [(len(one.payload), one.flags & PSH) for _, one in host.taken()] == [(1460, 0)]
    host.conn.send(10)
    host.send("A", 1, 1461)
    assert [(len(one.payload), one.flags & PSH) for _, one in host.taken()] == [(150, PSH)]


def test_a_record_ends_with_its_segment():
    host = established()
    host.conn.setsockopt(so.IPPROTO_TCP, so.TCP_CORK, 1)
    for flags in (MSG_EOR, MSG_EOR, 0, 0):
        host.conn.send(100, flags)
    host.conn.setsockopt(so.IPPROTO_TCP, so.TCP_CORK, 0)
    assert [len(one.payload) for _, one in host.taken()] == [100, 100]
    host.send("A", 1, 201)
    assert [len(one.payload) for _, one in host.taken()] == [200]


def test_what_every_stream_says_of_itself():
    sock = established().conn.sock
    assert [sock.getsockopt(so.SOL_SOCKET, name) for name in (so.SO_TYPE, so.SO_PROTOCOL, so.SO_DOMAIN)] == [
        1,
        6,
        2,
    ]


def test_a_linger_that_is_off_keeps_its_seconds():
    """sock.c: sk_setsockopt with SO_LINGER: only one that is on sets them."""
    sock = established().conn.sock

    def told():
        return sock.getsockopt_octets(so.SOL_SOCKET, so.SO_LINGER, 8)

    sock.linger(True, 5)
    assert told() == struct.pack("<ii", 1, 5)
    sock.linger(False, 9)
    assert told() == struct.pack("<ii", 0, 5)


@pytest.mark.parametrize(("lowat", "writable"), [(9_001, True), (9_000, False)])
def test_a_socket_is_writable_while_half_of_tcp_notsent_lowat_is_unsent(lowat, writable):
    """sock.h: __sk_stream_is_writeable; the window is full, so all 4500 octets wait."""
    host = established(win=1000)
    host.conn.send(1000)
    host.conn.setsockopt(so.IPPROTO_TCP, so.TCP_NOTSENT_LOWAT, lowat)
    host.conn.send(4500)
    assert host.conn.sock.connection.snd.unsent == 4500
    assert host.conn.sock.writable is writable


def test_nodelay_that_is_switched_off_sends_nothing_that_waits():
    host = established()
    for octets in (100, 50):
        host.conn.send(octets)
    host.conn.setsockopt(so.IPPROTO_TCP, so.TCP_NODELAY, 0)
    assert [len(segment.payload) for _, segment in host.taken()] == [100]
    host.conn.setsockopt(so.IPPROTO_TCP, so.TCP_NODELAY, 1)
    assert [len(segment.payload) for _, segment in host.taken()] == [50]


@pytest.mark.parametrize(("name", "good"), [(8, True), (12, True), (34, False), (49, False)])
def test_options_of_ip_that_may_be_set_to_no_octets(name, good):
    """IP_PKTINFO and IP_RECVTTL; IP_MULTICAST_LOOP and IP_MULTICAST_ALL take one at least."""
    host = established()
    if good:
        host.conn.setsockopt(so.IPPROTO_IP, name, b"")
    else:
        with fails("EINVAL"):
            host.conn.setsockopt(so.IPPROTO_IP, name, b"")


def test_the_type_of_a_socket_is_sock_stream():
    assert established().conn.getsockopt(so.SOL_SOCKET, 3) == 1


def test_any_address_of_ipv4_in_ipv6_form_is_any_of_ipv4_alone():
    """Asked of a Linux 6.18."""
    host = Host(["10.0.0.1", "2001:db8::9"], Bench().host.generation)
    sock = host.socket(ipv6=True)
    sock.bind("::ffff:0.0.0.0", 80)
    assert sock.local == (mapped(bytes(4)), 80)
    sock.listen(5, 0)
    with fails("EADDRINUSE"):
        host.socket().bind("0.0.0.0", 80)
    with fails("EADDRINUSE"):
        host.socket(ipv6=True).bind("::", 80)
    other = host.socket(ipv6=True)
    other.bind("::1", 80)
    only = host.socket(ipv6=True)
    only.setsockopt(so.IPPROTO_IPV6, so.IPV6_V6ONLY, 1)
    with fails("EINVAL"):
        only.bind("::ffff:0.0.0.0", 81)


def test_a_socket_bound_to_any_of_ipv4_connects_to_no_ipv6():
    host = Host(["10.0.0.1", "2001:db8::9"], Bench().host.generation)
    sock = host.socket(ipv6=True)
    sock.bind("::ffff:0.0.0.0", 0)
    with fails("EAFNOSUPPORT"):
        sock.connect("2001:db8::1", 80, 0)
    with fails("EINPROGRESS"):
        sock.connect("::ffff:0.0.0.0", 80, 0)
    assert sock.remote == (mapped(bytes((127, 0, 0, 1))), 80)


@pytest.mark.parametrize("backlog", ["5", 5.0, None, True])
def test_a_backlog_is_a_whole_number(backlog):
    sock = Bench().host.socket()
    with pytest.raises(ConfigurationError, match="a backlog is a whole number, such as 128"):
        sock.listen(backlog, 0)


def test_an_abort_with_octets_unread_is_told_as_an_abort():
    host = established()
    host.send("PA", 1, 1, data=b"12345")
    host.fresh()
    host.conn.abort()
    [(_, rst)] = host.taken()
    assert flag_letters(rst.flags) == "RA"
    assert host.moved()["TCPAbortOnClose"] == 1
    assert [event.reason.name for event in host.events if isinstance(event, Sent)][-1] == "ACTIVE_RST"
    causes = [event.cause for event in host.events if isinstance(event, StateChanged)]
    assert causes[-1:] == ["close() with 5 octets unread, and SO_LINGER on and 0 s"]
