"""SYN cookies: a SYN|ACK for which nothing is kept, and the ACK that brings it all back."""

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tcpemu.testing.bench import FULL, MS, MSS, SACK, SECOND, TS, listening
from tcpemu.wire.options import NOP, SACK_OK, Mss, Timestamps, WScale

LISTEN = "LISTEN 0 5 8080 *"
numbers = st.integers(0, 2**32 - 1) | st.integers(0, 100)


def cookie_sent(opts=MSS, at=0, **changes):
    """A host that sends cookies always; one went to port 41001."""
    host = listening(**{"syncookies": 2, **changes})
    host.send("S", at=at, opts=opts)
    host.sent = host.out[-1][1]
    return host.fresh()


def minute_left(host):
    """Nanoseconds to the next turn of the minute counter, which runs since the machine was started."""
    return (60_000 - host.host.tables.host.stamp_clock() % 60_000) * MS


# --- sending them ---------------------------------------------------------------------------------------


def test_nothing_is_kept_and_nothing_sent_again():
    host = listening(syncookies=2)
    assert host.send("S", opts=MSS) == "SYN_COOKIE_ALWAYS"
    host.expect("0 SA seq 0 ack 1 win 64240 <mss 1460>")
    assert host.moved() == {"SyncookiesSent": 1, "TCPReqQFullDoCookies": 1}
    assert host.table() == [LISTEN]
    assert host.host.next_timer() is None


def test_a_duplicate_syn_draws_another_and_there_is_no_limit():
    host = listening(syncookies=2)
    for _ in range(5):
        host.send("S")
    numbers = {segment.seq for _, segment in host.taken()}
    assert len(numbers) == 1, "within a minute it is the same cookie"
    assert host.moved()["SyncookiesSent"] == 5
    host.send("S", at=61 * SECOND)
    assert host.taken()[0][1].seq not in numbers


def test_without_timestamps_it_offers_nothing_but_the_mss():
    host = listening(syncookies=2)
    host.send("SEC", opts=(*SACK, NOP, WScale(7)))
    host.expect("0 SA seq 0 ack 1 <mss 1460>")


@pytest.mark.parametrize(
    ("flags", "opts", "bits"),
    [
        ("S", FULL, 7 | 16),
        ("S", TS, 15),
        ("S", (*TS, NOP, WScale(14)), 14),
        ("S", (*TS, NOP, WScale(0)), 0),
        ("S", (Mss(1460), SACK_OK, Timestamps(100, 0)), 15 | 16),
        ("SEC", (*TS, NOP, WScale(3)), 3 | 32),
    ],
)
def test_with_timestamps_their_low_bits_hold_the_options(flags, opts, bits):
    # tcp_timestamps 2 adds no offset, so that TSval can be read.
    for at in (0, 7, 63, 100):
        host = listening(syncookies=2, timestamps=2)
        host.send(flags, at=at * MS, opts=opts)
        [(_, segment)] = host.taken()
        [stamp] = [option for option in segment.options if isinstance(option, Timestamps)]
        assert stamp.val & 63 == bits
        assert 0 <= host.host.tables.host.stamp_clock() - stamp.val < 64
        assert stamp.ecr == 100
        assert bool(segment.flags & 64) is bool(bits & 32)


def test_timestamps_of_cookies_have_the_offset_of_the_flow():
    one, two = (cookie_sent(opts=FULL, timestamps=mode) for mode in (1, 2))
    assert one.flow().stamp != two.flow().stamp
    one.send("A", 1, 1, ts=(110, 0), at=10 * MS)
    one.accept().send(5)
    [(_, segment)] = one.taken()
    later = segment.options[2].val - one.flow().stamp & 0xFFFFFFFF
    # The clock itself, no longer with options in its low bits: at most 63 ms are missing.
    assert 10 <= later < 10 + 64


# --- the ACK that brings one back -----------------------------------------------------------------------


def test_the_right_ack_makes_the_connection():
    host = cookie_sent()
    assert host.send("A", 1, 1, at=10 * MS) == "COOKIE_GOOD"
    host.expect()
    assert host.moved() == {"SyncookiesRecv": 1, "PassiveOpens": 1}
    assert host.queues() == (1, 0, 5)
    child = host.accept()
    assert child.state == "ESTABLISHED"
    assert host.send("PA", 1, 1, data=10, at=20 * MS) == "DATA"
    assert len(child.recv()) == 10


@pytest.mark.parametrize(
    ("flags", "data", "lines", "state"),
    [
        ("PA", 100, ["0.01 A seq 1 ack 101"], "ESTABLISHED"),
        ("FA", 0, ["0.01 A seq 1 ack 2"], "CLOSE_WAIT"),
        ("FPA", 100, ["0.05 A seq 1 ack 102"], "CLOSE_WAIT"),
    ],
)
def test_data_and_fin_on_it_are_processed_at_once(flags, data, lines, state):
    host = cookie_sent()
    assert host.send(flags, 1, 1, data=data, at=10 * MS) == "COOKIE_GOOD"
    host.run(1 * SECOND)
    host.expect(*lines)
    assert host.accept().state == state


@pytest.mark.parametrize(
    ("offered", "size"),
    [
        *[(None, 536), (0, 536), (100, 536), (535, 536), (536, 536), (1299, 536), (1300, 1300), (1439, 1300)],
        *[(1440, 1440), (1459, 1440), (1460, 1460), (9000, 1460)],
    ],
)
def test_of_the_mss_it_remembers_one_of_four(offered, size):
    host = cookie_sent(opts=() if offered is None else (Mss(offered),))
    host.send("A", 1, 1, at=10 * MS)
    host.accept().send(5000)
    assert len(host.taken()[0][1].payload) == size


def test_the_options_come_back_through_the_echoed_timestamp():
    host = cookie_sent(opts=FULL)
    assert host.send("A", 1, 1, ts=(110, 0), at=10 * MS) == "COOKIE_GOOD"
    conn = host.accept().sock.connection
    assert (conn.sack_ok, conn.snd.wscale, conn.rcv.wscale, conn.ts.ok, conn.ecn_ok) == (
        True,
        7,
        10,
        True,
        False,
    )
    # The round-trip time is what the echo says, up to 63 ms too long.
    assert 10 <= conn.rtt.srtt / 8 / 1000 < 10 + 64


@pytest.mark.parametrize(("ts", "agreed"), [(None, False), ((110, None), True)])
def test_without_the_echo_they_are_lost(ts, agreed):
    host = cookie_sent(opts=FULL)
    host.send("A", 1, 1, ts=ts, at=10 * MS)
    conn = host.accept().sock.connection
    assert (conn.sack_ok, conn.ts.ok) == (False, agreed)


def test_the_window_is_worked_out_anew_without_twelve_octets_for_timestamps():
    host = listening(syncookies=2)
    host.send("S", opts=FULL)
    host.expect("0 SA seq 0 ack 1 win 65160")
    host.send("PA", 1, 1, data=10, ts=(110, 0), at=10 * MS)
    # 64240 in units of 1024; of 65160 it would be 64.
    host.expect("0.01 A seq 1 ack 11 win 63")


@pytest.mark.parametrize("name", ["sack", "window_scaling"])
def test_an_option_that_a_sysctl_has_forbidden_since_is_refused(name):
    host = cookie_sent(opts=FULL)
    host.host.set_sysctl(f"net.ipv4.tcp_{name}", 0)
    assert host.send("A", 1, 1, ts=(110, 0), at=10 * MS) == "LISTENER_ACK"
    host.expect("0.01 R seq 1 ack zero")
    assert host.moved() == {"SyncookiesRecv": 1, "OutRsts": 1}


# --- those that are refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("flags", "seq", "ack"),
    [("A", 1, 1000), ("A", 5, 1), ("A", 0, 1), ("A", 1, 2), ("PA", 11, 1), ("A", 1, 1 + (1 << 24))],
)
def test_a_wrong_number_is_counted_and_draws_a_rst(flags, seq, ack):
    host = cookie_sent()
    assert host.send(flags, seq, ack) == "LISTENER_ACK"
    host.expect(f"0 R seq {ack} ack zero")
    assert host.moved() == {"SyncookiesFailed": 1, "OutRsts": 1}
    assert host.table() == [LISTEN]


@pytest.mark.parametrize(
    ("seq", "ack", "size"), [(2, 1, 1440), (1, 0, 1440), (3, 1, 1300), (4, 1, 536), (2, 2, 1460)]
)
def test_the_next_three_numbers_are_cookies_for_a_smaller_mss(seq, ack, size):
    # What an ACK tells is the difference of its two numbers, and the MSS is at the low end of it.
    host = cookie_sent()
    assert host.send("A", seq, ack) == "COOKIE_GOOD"
    assert host.accept().sock.connection.snd.mss_cache == size


@given(numbers, st.integers(-(10**6), 10**6))
@settings(max_examples=200)
def test_forged_numbers_are_refused(ack, seq):
    assume((seq - ack) % 2**32 > 3)
    host = cookie_sent()
    assert host.send("A", seq, ack) == "LISTENER_ACK"
    assert host.table() == [LISTEN]


@pytest.mark.parametrize("change", [{"port": 41002}, {"ip": "10.0.0.3"}])
def test_a_cookie_is_good_for_its_flow_only(change):
    host = cookie_sent()
    host.flow(**change).isn = host.flow().isn
    host.flow(**change).peer_isn = host.flow().peer_isn
    assert host.send("A", 1, 1, **change) == "LISTENER_ACK"
    assert host.moved()["SyncookiesFailed"] == 1


@pytest.mark.parametrize(("flags", "verdict"), [("SA", "LISTENER_ACK"), ("RA", "LISTENER_ACK_RST")])
def test_syn_ack_and_rst_bring_no_cookie_back(flags, verdict):
    host = cookie_sent()
    assert host.send(flags, 1, 1) == verdict
    assert host.table() == [LISTEN]
    assert "SyncookiesFailed" not in host.moved()


@pytest.mark.parametrize(
    ("phase", "good", "bad"),
    [(1, 119_998, 119_999), (59_999, 60_000, 60_001), (30_000, 89_999, 90_000)],
)
def test_it_is_good_for_two_turns_of_the_minute_counter(phase, good, bad):
    # 60 to 120 s, by where in its minute it was sent.
    for wait, verdict in ((good, "COOKIE_GOOD"), (bad, "LISTENER_ACK")):
        start = minute_left(listening()) + phase * MS
        host = cookie_sent(at=start)
        assert host.send("A", 1, 1, at=start + wait * MS) == verdict
        assert host.moved().get("SyncookiesFailed", 0) == (verdict != "COOKIE_GOOD")


def test_acks_are_tried_as_cookies_for_120_s_after_the_last_was_sent():
    host = cookie_sent()
    host.send("A", 1, 999, at=120 * SECOND)
    assert host.moved() == {"SyncookiesFailed": 1, "OutRsts": 1}
    host.send("A", 1, 999, at=122 * SECOND)
    assert host.moved() == {"OutRsts": 1}


def test_each_cookie_begins_that_time_anew():
    host = cookie_sent()
    host.send("S", port=1, at=100 * SECOND)
    host.fresh()
    host.send("A", 1, 999, at=219 * SECOND)
    assert host.moved() == {"SyncookiesFailed": 1, "OutRsts": 1}


def test_a_listener_that_has_sent_none_tries_none():
    host = listening(syncookies=1)
    host.send("A", 1, 999)
    assert host.moved() == {"OutRsts": 1}
    other = listening(syncookies=0)
    other.send("A", 1, 999)
    assert other.moved() == {"OutRsts": 1}


def test_switched_off_they_are_no_longer_taken():
    host = cookie_sent()
    host.host.set_sysctl("net.ipv4.tcp_syncookies", 0)
    assert host.send("A", 1, 1) == "LISTENER_ACK"


# --- the accept queue is full ---------------------------------------------------------------------------


def full(abort=0):
    host = listening(0, syncookies=2, abort_on_overflow=abort)
    host.send("S")
    host.send("S", port=1)
    host.send("A", 1, 1, port=1)
    return host.fresh()


@pytest.mark.parametrize("abort", [0, 1])
def test_the_ack_is_ignored_and_nothing_is_left_to_remind_the_client(abort):
    host = full(abort)
    assert host.send("A", 1, 1) == "COOKIE_ACCEPT_QUEUE_FULL"
    host.expect()
    assert host.moved() == {"ListenDrops": 1, "ListenOverflows": 1, "SyncookiesRecv": 1}
    host.run(59 * SECOND)
    host.expect()


def test_its_first_data_may_still_complete_it_but_no_later_one():
    host = full()
    host.send("A", 1, 1)
    host.accept()
    assert host.send("PA", 101, 1, data=100, at=1 * SECOND) == "LISTENER_ACK"
    host.expect("1 R seq 1 ack zero")
    assert host.send("PA", 1, 1, data=100, at=2 * SECOND) == "COOKIE_GOOD"
    host.expect("2 A seq 1 ack 101")


def test_a_full_accept_queue_lets_no_cookie_out():
    host = full()
    assert host.send("S", port=2) == "ACCEPT_QUEUE_FULL_SYN"
    host.expect()
    assert host.moved() == {"TCPReqQFullDoCookies": 1, "ListenDrops": 1, "ListenOverflows": 1}


def test_requests_and_cookies_live_side_by_side():
    host = listening(0)
    host.send("S", port=1)
    assert host.send("S", port=2) == "SYN_COOKIE"
    assert host.send("A", 1, 1, port=2) == "COOKIE_GOOD"
    assert host.queues() == (1, 1, 0)
    # A wrong ACK for a request is tried as a cookie before it draws a RST.
    assert host.send("A", 1, 9, port=1) == "REQUEST_BAD_ACK"
    assert host.moved()["SyncookiesFailed"] == 1


def test_where_the_queue_is_full_that_is_why_even_with_tcp_syncookies_2():
    host = listening(0)
    host.send("S", port=1)
    host.host.set_sysctl("net.ipv4.tcp_syncookies", 2)
    assert host.send("S", port=2) == "SYN_COOKIE"
    host.send("R", 1, port=1)
    assert host.send("S", port=3) == "SYN_COOKIE_ALWAYS"


def test_a_cookie_of_a_flow_that_has_a_request_by_now_is_dropped():
    host = listening(0)
    host.send("S", port=1)
    assert host.send("S") == "SYN_COOKIE"
    cookie = host.flow().isn
    host.send("R", 1, port=1)
    assert host.send("S", at=1 * SECOND) == "SYN_QUEUED"
    request, host.flow().isn = host.flow().isn, cookie
    host.fresh()
    assert host.send("A", 1, 1) == "COOKIE_FLOW_TAKEN"
    host.expect()
    # The kernel counts the child that it makes and throws away.
    assert host.moved() == {"SyncookiesRecv": 1, "PassiveOpens": 1}
    host.flow().isn = request
    assert host.send("A", 1, 1) == "HANDSHAKE_DONE"


@pytest.mark.parametrize(("kernel", "agreed"), [("linux-2.4", False), ("linux-2.6.32", True)])
def test_a_kernel_without_options_in_its_cookies_looks_for_none(kernel, agreed):
    host = listening(backlog=1, syncookies=1, max_syn_backlog=4, generation=kernel)
    ports = iter(range(50_000, 50_100))
    port = next(port for port in ports if "COOKIE" in host.send("S", opts=TS, port=port))
    assert host.send("A", 1, 1, ts=(110, 0), at=100 * MS, port=port) == "COOKIE_GOOD"
    assert host.accept().sock.connection.ts.ok is agreed
