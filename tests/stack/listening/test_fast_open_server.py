"""A server by Fast Open: cookies, connections made of a SYN alone, and the limits of both."""

import errno

import pytest

from tcpemu.stack.base import socket_constants as so
from tcpemu.stack.base.errors import SocketError
from tcpemu.stack.base.units import SECOND
from tcpemu.stack.listening.fast_open_cookie import cookie, keys_in, siphash
from tcpemu.testing.bench import MS, MSS, fails, listening
from tcpemu.testing.bench.bench_values import CLIENT, HOST, PEER
from tcpemu.wire.options import NOP, FastOpen
from tcpemu.wire.segment import address

KEY = "00010203-04050607-08090a0b-0c0d0e0f"
OTHER_KEY = "deadbeef-01234567-89abcdef-00112233"
TCP = so.IPPROTO_TCP


def good(key=KEY):
    return cookie(keys_in(key)[0], address(PEER), address(HOST))


def shows(octets, experimental=False):
    """The options of a SYN with this cookie."""
    padding = () if experimental else (NOP, NOP)
    return (*MSS, FastOpen(octets, experimental), *padding)


def server(backlog=5, limit=5, bits=2, options=(), **settings):
    keys = {"fastopen": bits, "fastopen_key": KEY, **settings}
    return listening(backlog, [(TCP, so.TCP_FASTOPEN, limit), *options], **keys)


def opened(data=10, **settings):
    """A connection that a SYN with so many octets has opened at 1 s."""
    host = server(**settings)
    assert host.send("S", data=data, opts=shows(good()), at=SECOND) == "FAST_OPENED"
    return host.fresh()


# --- cookies --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("length", "hashed"),
    [(0, 0x726FDB47DD0E0E31), (7, 0xAB0200F58B01D137), (8, 0x93F5F5799A932462), (15, 0xA129CA6149BE45E5)],
)
def test_the_hash_is_the_one_of_its_authors(length, hashed):
    assert siphash(bytes(range(length)), bytes(range(16))) == hashed


def test_a_cookie_is_what_linux_gives_for_these_addresses():
    assert cookie(keys_in(KEY)[0], address("192.0.2.1"), address("192.168.0.1")).hex() == "743a69802a396757"


def test_whoever_asks_is_given_a_cookie_and_an_ordinary_handshake():
    host = server()
    assert host.send("S", data=10, opts=shows(b"")) == "SYN_QUEUED"
    host.expect(f"0 SA seq 0 ack 1 <mss 1460, fo {good().hex()}, nop, nop>")
    assert host.queues() == (0, 1, 5)
    assert host.moved() == {"TCPFastOpenCookieReqd": 1}


def test_the_option_of_experiments_is_answered_by_itself():
    host = server()
    host.send("S", opts=shows(b"", experimental=True))
    [(_, answer)] = host.taken()
    assert answer.options == (*MSS, FastOpen(good(), experimental=True))


def test_data_with_a_wrong_cookie_is_not_taken_and_the_right_one_is_told():
    host = server()
    assert host.send("S", data=10, opts=shows(bytes(8))) == "SYN_QUEUED"
    host.expect(f"0 SA seq 0 ack 1 <mss 1460, fo {good().hex()}, nop, nop>")
    assert host.moved() == {"TCPFastOpenPassiveFail": 1}


def test_a_cookie_of_the_second_key_is_good_and_renewed():
    host = server()
    host.host.set_sysctl("net.ipv4.tcp_fastopen_key", f"{OTHER_KEY},{KEY}")
    assert host.send("S", data=10, opts=shows(good())) == "FAST_OPENED"
    host.expect(f"0 SA seq 0 ack 11 <mss 1460, fo {good(OTHER_KEY).hex()}, nop, nop>")
    assert host.moved() == {"PassiveOpens": 1, "TCPFastOpenPassive": 1, "TCPFastOpenPassiveAltKey": 1}


def test_a_listener_may_have_a_key_of_its_own():
    key = bytes(range(16))
    host = server(options=[(TCP, so.TCP_FASTOPEN_KEY, key)])
    host.send("S", opts=shows(b""))
    host.expect(
        f"0 SA seq 0 ack 1 <mss 1460, fo {cookie(key, address(PEER), address(HOST)).hex()}, nop, nop>"
    )
    assert host.listener.sock.getsockopt_octets(TCP, so.TCP_FASTOPEN_KEY, 100) == key


def test_without_a_key_one_is_drawn_and_its_cookies_are_good():
    host = listening(5, [(TCP, so.TCP_FASTOPEN, 5)], fastopen=2)
    host.send("S", opts=shows(b""))
    [(_, answer)] = host.taken()
    assert host.send("S", port=CLIENT + 1, data=5, opts=answer.options) == "FAST_OPENED"


@pytest.mark.parametrize(
    "text", ["1-2-3", "1-2-3-x", "1-2-3-4,", "1-2-3-123456789", "1-2-3-4,5-6-7-8,9-a-b-c"]
)
def test_what_is_no_key_is_told(text):
    with pytest.raises(ValueError, match=r"tcp_fastopen_key is .*; it is such as '00010203"):
        server().host.set_sysctl("net.ipv4.tcp_fastopen_key", text)


# --- a connection at once -------------------------------------------------------------------------


def test_a_good_cookie_opens_the_connection_and_its_data_is_read_before_the_final_ack():
    host = server()
    assert host.send("S", data=10, opts=shows(good())) == "FAST_OPENED"
    host.expect("0 SA seq 0 ack 11 <mss 1460>")
    assert host.table() == ["LISTEN 1 5 8080 *", f"SYN-RECV 10 0 8080 {CLIENT}"]
    child = host.accept()
    assert len(child.recv()) == 10
    assert host.moved() == {"PassiveOpens": 1, "TCPFastOpenPassive": 1}
    assert child.sock.poll() & 4
    child.send(20)
    host.expect("0 PA seq 1 ack 11 len 20")
    assert host.send("A", 11, 21, at=10 * MS) == "ACKED"
    assert child.sock.state.name == "ESTABLISHED"
    assert child.sock.tcp_info().options & 32, "TCPI_OPT_SYN_DATA"


@pytest.mark.parametrize("bits", [0, 1])
def test_a_server_without_the_bit_takes_no_data_and_gives_no_cookie(bits):
    host = server(bits=bits)
    assert host.send("S", data=10, opts=shows(good())) == "SYN_QUEUED"
    host.expect("0 SA seq 0 ack 1 <mss 1460>")
    assert host.moved() == {}


@pytest.mark.parametrize(("bits", "options"), [(0x202, []), (2, [(TCP, so.TCP_FASTOPEN_NO_COOKIE, 1)])])
def test_where_no_cookie_is_needed_data_alone_opens(bits, options):
    host = server(bits=bits, options=options)
    assert host.send("S", data=10) == "FAST_OPENED"
    assert host.send("S", port=CLIENT + 1) == "SYN_QUEUED"
    assert host.moved() == {"PassiveOpens": 1, "TCPFastOpenPassive": 1}


def test_every_listener_takes_it_where_the_sysctl_says_so():
    host = server(limit=0, bits=0x402, backlog=3)
    assert host.listener.sock.getsockopt(TCP, so.TCP_FASTOPEN) == 3
    assert host.send("S", data=10, opts=shows(good())) == "FAST_OPENED"


def test_more_than_the_limit_is_an_ordinary_handshake_until_a_final_ack_comes():
    host = opened(limit=1)
    host.accept()
    assert host.send("S", port=CLIENT + 1, data=10, opts=shows(good())) == "SYN_QUEUED"
    assert host.moved() == {"TCPFastOpenListenOverflow": 1}
    host.send("A", 11, 1)
    assert host.send("S", port=CLIENT + 2, data=10, opts=shows(good())) == "FAST_OPENED"


@pytest.mark.parametrize(("accepted", "at_once"), [(False, "FAST_OPENED"), (True, "SYN_QUEUED")])
def test_one_that_was_accepted_and_reset_counts_on_for_a_minute(accepted, at_once):
    host = opened(limit=1)
    if accepted:
        host.accept()
    assert host.send("R", 11) == "RESET"
    assert host.moved() == {"AttemptFails": 2}
    assert host.send("S", port=CLIENT + 1, data=10, opts=shows(good())) == at_once
    if accepted:
        late = {"data": 10, "opts": shows(good())}
        assert host.send("S", port=CLIENT + 2, at=60 * SECOND, **late) == "SYN_QUEUED"
        assert host.send("S", port=CLIENT + 3, at=61 * SECOND, **late) == "FAST_OPENED"


def test_a_full_accept_queue_drops_the_syn():
    host = opened(backlog=0)
    assert host.send("S", port=CLIENT + 1, data=10, opts=shows(good())) == "ACCEPT_QUEUE_FULL_SYN"
    host.expect()


# --- until the final ACK --------------------------------------------------------------------------


def test_the_syn_again_is_answered_again_and_its_data_is_not_taken_twice():
    host = opened()
    assert host.send("S", data=10, opts=shows(good()), at=1600 * MS) == "DUPLICATE_SYN"
    host.expect("1.6 SA seq 0 ack 11 <mss 1460>")
    assert len(host.accept().recv()) == 10


def test_the_syn_ack_is_sent_again_once_more_than_others_and_nothing_else_is():
    host = opened(synack_retries=1)
    child = host.accept()
    child.send(20)
    host.fresh()
    host.run(3 * SECOND - 1)
    host.expect("2 SA seq 0 ack 11 <mss 1460>")
    host.run(20 * SECOND)
    host.expect("4 SA seq 0 ack 11 <mss 1460>")
    with fails("ETIMEDOUT"):
        child.send(1)
    assert host.moved() == {
        "TCPTimeouts": 3, "TCPSynRetrans": 2, "RetransSegs": 2, "TCPAbortOnTimeout": 1, "AttemptFails": 1,
    }  # fmt: skip


def test_a_rst_beside_the_edge_is_asked_about():
    host = opened()
    assert host.send("R", 20) == "REQUEST_RST_INEXACT"
    host.expect("1 A seq 1 ack 11")


def test_another_syn_in_the_window_is_answered_with_a_rst_and_ends_nothing():
    host = opened()
    assert host.send("S", 20) == "FAST_OPEN_SYN"
    assert host.send("A", 11, 1) == "ACKED"


def test_a_segment_without_ack_is_dropped():
    host = opened()
    assert host.send("P", 11, data=5) == "REQUEST_NO_ACK"
    host.expect()


def test_close_before_the_final_ack_sends_a_fin_that_waits_for_it_before_it_is_repeated():
    host = opened(data=0)
    host.accept().close()
    host.expect("1 FA seq 1 ack 1")
    host.run(2500 * MS)
    host.expect("2 SA seq 0 ack 1 <mss 1460>")
    assert host.send("A", 1, 2, at=2600 * MS) == "ACKED"
    assert host.table() == [f"FIN-WAIT-2 0 0 8080 {CLIENT}", "LISTEN 0 5 8080 *"]


def test_close_with_data_unread_resets_and_frees_its_place():
    host = opened(limit=1)
    host.accept().close()
    host.expect("1 RA seq 1 ack 11")
    assert host.send("S", port=CLIENT + 1, data=10, opts=shows(good())) == "FAST_OPENED"


def test_the_end_of_the_listener_resets_what_nobody_has_accepted():
    host = opened()
    host.listener.close()
    host.expect("1 RA seq 1 ack 11")
    assert host.table() == []


# --- options --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [so.TCP_FASTOPEN, so.TCP_FASTOPEN_CONNECT, so.TCP_FASTOPEN_NO_COOKIE])
def test_an_open_connection_takes_none_of_its_options(name):
    host = opened()
    child = host.accept()
    host.send("A", 11, 1)
    host.host.set_sysctl("net.ipv4.tcp_fastopen", 3)
    with pytest.raises(SocketError) as failed:
        child.sock.setsockopt(TCP, name, 1)
    assert failed.value.errno == errno.EINVAL


def test_the_limit_is_somaxconn_at_most():
    host = server(limit=100_000)
    assert host.listener.sock.getsockopt(TCP, so.TCP_FASTOPEN) == 4096


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (so.TCP_FASTOPEN, -1),
        (so.TCP_FASTOPEN_NO_COOKIE, 2),
        (so.TCP_FASTOPEN_KEY, bytes(15)),
        (so.TCP_FASTOPEN_KEY, 1),
    ],
)
def test_a_value_out_of_range_is_einval(name, value):
    with pytest.raises(SocketError) as failed:
        server().listener.sock.setsockopt(TCP, name, value)
    assert failed.value.errno == errno.EINVAL


@pytest.mark.parametrize(
    ("kernel", "there"), [("linux-2.6.32", []), ("linux-4.10", [23]), ("linux-4.19", [23, 30, 33, 34])]
)
def test_an_older_kernel_does_not_know_its_options(kernel, there):
    socket = listening(generation=kernel).host.socket()
    for name in (so.TCP_FASTOPEN, so.TCP_FASTOPEN_CONNECT, so.TCP_FASTOPEN_KEY, so.TCP_FASTOPEN_NO_COOKIE):
        value = bytes(16) if name == so.TCP_FASTOPEN_KEY else 1
        if name in there:
            socket.setsockopt(TCP, name, value)
        else:
            with fails("ENOPROTOOPT"):
                socket.setsockopt(TCP, name, value)


def test_a_client_option_needs_the_bit_of_clients():
    with pytest.raises(SocketError) as failed:
        server().host.socket().setsockopt(TCP, so.TCP_FASTOPEN_CONNECT, 1)
    assert failed.value.errno == errno.EOPNOTSUPP
