"""The active open: when SYNs are sent again and given up, and what SYN_SENT makes of what arrives."""

import pytest

from tcpemu.generations import generation
from tcpemu.stack.base import socket_constants as sockopt
from tcpemu.testing.bench import FULL, MS, MSS, SECOND, connected, crossed, established, fails, syn_sent
from tcpemu.wire.options import NOP, SACK_OK, Mss, Timestamps, WScale

SYNCNT = (sockopt.IPPROTO_TCP, sockopt.TCP_SYNCNT)
USER_TIMEOUT = (sockopt.IPPROTO_TCP, sockopt.TCP_USER_TIMEOUT)
START = 1
"""Seconds: when `syn_sent` has sent its SYN."""


def schedule(host, until=1000, flags="S"):
    """When the SYN was sent again, and when it was given up, in seconds since the first."""
    host.run(until * SECOND)
    times = [at - START for at in host.times(flags)]
    over = [event.at / SECOND - START for event in host.events if type(event).__name__ == "TimerFired"]
    return times, over


# --- the schedule ---------------------------------------------------------------------------------------


def test_four_timeouts_are_linear_then_they_double():
    host = syn_sent()
    assert schedule(host) == ([1, 2, 3, 4, 5, 7, 11, 19, 35, 67], [131])
    assert host.moved() == {
        "RetransSegs": 10,
        "TCPSynRetrans": 10,
        "TCPTimeouts": 11,
        "TcpTimeoutRehash": 10,
        "TCPLostRetransmit": 9,
        "TCPAbortOnTimeout": 1,
        "AttemptFails": 1,
    }
    assert host.conn.error == "ETIMEDOUT"
    assert host.table() == []


def test_a_kernel_before_6_5_doubled_from_the_start():
    host = syn_sent(syn_linear_timeouts=0)
    assert schedule(host) == ([1, 3, 7, 15, 31, 63], [127])


@pytest.mark.parametrize(
    ("retries", "times", "over"),
    [
        (1, [1, 2], 3),
        (2, [1, 2, 3, 4, 5], 7),
        (3, [1, 2, 3, 4, 5, 7, 11], 19),
        (4, [1, 2, 3, 4, 5, 7, 11, 19], 35),
        (6, [1, 2, 3, 4, 5, 7, 11, 19, 35, 67], 131),
        (7, [1, 2, 3, 4, 5, 7, 11, 19, 35, 67, 131], 251),
    ],
)
@pytest.mark.parametrize("how", ["sysctl", "option"])
def test_it_gives_up_by_count_or_by_the_time_that_doubling_would_have_taken(retries, times, over, how):
    settings = {"syn_retries": retries} if how == "sysctl" else {"options": [(*SYNCNT, retries)]}
    assert schedule(syn_sent(**settings)) == (times, [over])


def test_a_user_timeout_takes_the_place_of_the_time_and_shortens_the_last_wait():
    host = syn_sent(options=[(*USER_TIMEOUT, 2500)])
    assert schedule(host) == ([1, 2], [2.5])


def test_rto_max_bounds_the_wait():
    # And the time to give up after: 1 + 2 * 6 s.
    assert schedule(syn_sent(rto_max_ms=2000)) == ([1, 2, 3, 4, 5, 7, 9, 11], [13])


def test_a_syn_sent_again_is_the_same_but_for_its_timestamp_and_ip_id():
    host = syn_sent()
    host.run(3 * SECOND)
    (_, one), (_, two) = host.taken()
    assert two.ip_id == (one.ip_id + 1) % 65536
    stamp = two.options[2]
    assert stamp.val - one.options[2].val == 1000
    again = (Mss(1460), SACK_OK, one.options[2], NOP, WScale(10))
    assert two._replace(ip_id=one.ip_id, options=again) == one


def test_a_connection_that_comes_late():
    host = syn_sent()
    host.run(20 * SECOND)
    host.fresh()
    host.send("SA", 0, 1, opts=MSS, at=20_100 * MS)
    host.expect("20.1 A seq 1 ack 1 win 64240")
    assert host.conn.state == "ESTABLISHED"
    host.conn.connect()
    with fails("EISCONN"):
        host.conn.connect()
    host.run(1000 * SECOND)
    host.expect()


# --- what SYN_SENT makes of a segment -------------------------------------------------------------------


def test_a_syn_ack_connects_and_is_acknowledged():
    host = syn_sent()
    assert host.send("SA", 0, 1, at=1010 * MS, opts=MSS) == "CONNECTED"
    host.expect("1.01 A seq 1 ack 1 win 64240 <>")
    assert host.moved() == {}
    assert host.table() == ["ESTAB 0 0 8080 41001"]
    assert host.conn.sock.writable


@pytest.mark.parametrize(("flags", "data"), [("SFA", 0), ("SA", 100), ("SPUA", 9)])
def test_fin_and_data_on_it_are_ignored(flags, data):
    host = syn_sent()
    assert host.send(flags, 0, 1, data=data, opts=MSS) == "CONNECTED"
    host.expect("1 A seq 1 ack 1")
    assert host.table() == ["ESTAB 0 0 8080 41001"]


@pytest.mark.parametrize("flags", ["RA", "SRA"])
def test_a_rst_that_acknowledges_the_syn_refuses(flags):
    host = syn_sent()
    assert host.send(flags, 0, 1) == "REFUSED"
    host.expect()
    assert host.moved() == {"AttemptFails": 1}
    assert host.conn.error == "ECONNREFUSED"
    assert host.table() == []
    with fails("ECONNREFUSED"):
        host.conn.connect()


@pytest.mark.parametrize(
    ("flags", "ack", "verdict"),
    [
        ("R", None, "SYN_SENT_RST"),
        ("SR", None, "SYN_SENT_RST"),
        ("", None, "SYN_SENT_NO_SYN"),
        ("F", None, "SYN_SENT_NO_SYN"),
        ("A", 1, "SYN_SENT_NO_SYN"),
        ("FA", 1, "SYN_SENT_NO_SYN"),
        ("RA", 0, "SYN_SENT_BAD_ACK_RST"),
        ("RA", 2, "SYN_SENT_BAD_ACK_RST"),
    ],
)
def test_what_is_dropped(flags, ack, verdict):
    host = syn_sent()
    assert host.send(flags, 0, ack) == verdict
    host.expect()
    assert host.conn.state == "SYN_SENT"
    assert host.moved() == {}


@pytest.mark.parametrize("flags", ["SA", "A", "FA"])
@pytest.mark.parametrize("ack", [0, 2, 10**9])
def test_a_wrong_ack_is_reset_and_draws_one_quick_syn(flags, ack):
    host = syn_sent()
    assert host.send(flags, 0, ack, at=1100 * MS) == "SYN_SENT_BAD_ACK"
    host.expect(f"1.1 R seq {ack} ack zero win 0 <>")
    # Two jiffies later, and only if none was sent again before.
    host.run(1200 * MS)
    host.expect("1.108 S seq 0")
    host.send(flags, 0, ack, at=1200 * MS)
    host.expect(f"1.2 R seq {ack} ack zero")
    host.run(2100 * MS)
    host.expect()
    host.run(2108 * MS)
    host.expect("2.108 S seq 0")


@pytest.mark.parametrize(("kernel", "quick"), [("linux-5.4", False), ("linux-5.10", True)])
def test_a_quick_syn_is_as_young_as_linux_5_6(kernel, quick):
    host = syn_sent(generation=generation(kernel))
    host.send("SA", 0, 9, at=1100 * MS)
    host.expect("1.1 R seq 9 ack zero")
    host.run(1900 * MS)
    host.expect(*["1.108 S seq 0"] if quick else [])


@pytest.mark.parametrize(
    ("echo", "good"), [(-1, False), (0, True), (1000, True), (1500, True), (1501, False), (None, True)]
)
def test_a_timestamp_that_no_syn_has_carried(echo, good):
    host = syn_sent()
    stamp = host.flow().stamp
    host.run(2500 * MS)
    host.fresh()
    opts = (Mss(1460), NOP, NOP, Timestamps(700, 0 if echo is None else stamp + echo))
    verdict = host.send("SA", 0, 1, opts=opts)
    assert verdict == ("CONNECTED" if good else "SYN_SENT_TSECR")
    if good:
        host.expect("2.5 A seq 1 ack 1 <nop, nop, TS 1500 700>")
    else:
        host.expect("2.5 R seq 1 ack zero")
        assert host.moved() == {"PAWSActive": 1, "OutRsts": 1}
        host.fresh()
        assert host.send("RA", 0, 1, opts=opts) == "SYN_SENT_TSECR_RST"
        host.expect()
        assert host.conn.state == "SYN_SENT"


@pytest.mark.parametrize(
    ("opts", "answer"),
    [
        (MSS, ""),
        ((Mss(1460), NOP, NOP, SACK_OK), ""),
        ((Mss(1460), NOP, NOP, Timestamps(100, 0)), "nop, nop, TS 0 100"),
    ],
)
def test_what_the_peer_does_not_offer_is_not_used(opts, answer):
    host = syn_sent()
    host.send("SA", 0, 1, opts=opts)
    host.expect(f"1 A seq 1 ack 1 win 64240 <{answer}>")


def test_with_a_scale_the_ack_is_scaled():
    host = syn_sent()
    host.send("SA", 0, 1, opts=(Mss(1460), NOP, WScale(2)))
    host.expect("1 A seq 1 ack 1 win 63 <>")
    assert host.conn.sock.connection.snd.wnd == 65535, "the window of a SYN is never scaled"
    host.send("A", 1, 1, win=1000)
    assert host.conn.sock.connection.snd.wnd == 4000


# --- ECN ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("answer", "agreed"), [("SAE", True), ("SA", False), ("SAEC", False)])
def test_ecn_is_asked_for_and_agreed(answer, agreed):
    host = syn_sent(ecn=1)
    [event] = [event for event in host.events if type(event).__name__ == "Sent"]
    assert event.segment.flags == 0xC2
    host.send(answer, 0, 1, opts=MSS)
    host.fresh()
    host.conn.send(100)
    [(_, segment)] = host.taken()
    assert segment.tos == (2 if agreed else 0)


def test_a_syn_sent_again_no_longer_asks_for_ecn():
    host = syn_sent(ecn=1)
    host.run(2 * SECOND)
    host.expect("2 S seq 0")
    other = syn_sent(ecn=1, ecn_fallback=0)
    other.run(2 * SECOND)
    other.expect("2 SEC seq 0")


# --- simultaneous open ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("flags", "data"), [("S", 0), ("SF", 0), ("S", 50)])
def test_a_syn_that_crosses_ours_is_answered_with_a_syn_ack(flags, data):
    host = syn_sent()
    assert host.send(flags, 0, data=data, opts=MSS, at=1010 * MS) == "CROSSED_SYN"
    host.expect("1.01 SA seq 0 ack 1 win 64240 <mss 1460, sackOK, TS 10 0, nop, ws 10>")
    assert host.table() == ["SYN-RECV 0 1 8080 41001"]


def test_its_syn_acks_double_from_one_second_and_tcp_syn_retries_bounds_them():
    # The timer goes on from the SYN that was sent at 1 s; there is no linear phase any more.
    host = crossed(syn_retries=3)
    times, over = schedule(host, flags="SA")
    assert times == [1, 3, 7]
    assert over == [15]
    assert host.conn.error == "ETIMEDOUT"


def test_an_ack_completes_it():
    host = crossed()
    assert host.send("A", 1, 1, at=1020 * MS) == "ACKED"
    host.expect()
    assert host.conn.state == "ESTABLISHED"
    host.run(300 * SECOND)
    host.expect()


def test_the_peers_own_syn_ack_completes_it_and_is_acknowledged():
    host = crossed(opts=FULL)
    host.send(
        "SA",
        0,
        1,
        opts=(Mss(1460), SACK_OK, Timestamps(120, host.flow().stamp), NOP, WScale(7)),
        at=1020 * MS,
    )
    assert host.conn.state == "ESTABLISHED"
    # With SACK agreed it says that the SYN has come twice.
    host.expect("1.02 A seq 1 ack 1 <nop, nop, TS 20 120, nop, nop, sack 0-1>")


def test_its_end_wakes_the_program_that_waits_for_connect():
    host = crossed()
    host.host.woken()
    host.send("A", 1, 1, at=1020 * MS)
    assert host.conn.state == "ESTABLISHED"
    assert host.conn.sock in host.host.woken()


def test_a_wrong_ack_in_a_simultaneous_open_is_reset():
    host = crossed()
    assert host.send("A", 1, 77) == "ACK_UNSENT_RST"
    host.expect("1.01 R seq 77 ack zero")
    assert host.conn.state == "SYN_RECV"


# --- the client whose final ACK was dropped -------------------------------------------------------------


def test_a_repeated_syn_ack_is_challenged_at_most_twice_a_second():
    host = connected()
    for at in (1100, 1200, 1599, 1600, 1700):
        host.send("SA", 0, 1, at=at * MS, opts=MSS)
    host.expect("1.1 A seq 1 ack 1", "1.6 A seq 1 ack 1")
    assert host.moved() == {
        "TCPSYNChallenge": 5,
        "TCPChallengeACK": 2,
        "TCPACKSkippedChallenge": 3,
        "InErrs": 5,
    }


def test_its_answer_is_numbered_after_its_own_data():
    host = connected(opts=FULL)
    host.conn.send(100)
    host.fresh()
    host.send("SA", 0, 1, at=1050 * MS, opts=(Mss(1460), SACK_OK, Timestamps(900, host.flow().stamp)))
    # TSecr is that of the first SYN|ACK still.
    host.expect("1.05 A seq 101 ack 1 <nop, nop, TS 50 100>")


# --- what repeats of the SYN do to the connection -------------------------------------------------------


@pytest.mark.parametrize(("seconds", "window"), [(0, 10), (1, 10), (2, 1), (3, 1)])
def test_after_two_repeats_it_begins_with_one_segment_and_an_rto_of_3_seconds(seconds, window):
    host = syn_sent()
    host.run((1 + seconds) * SECOND + 10 * MS)
    host.fresh()
    host.send("SA", 0, 1, opts=MSS)
    host.fresh()
    host.conn.send(20_000)
    assert len(host.taken()) == window
    assert host.conn.sock.connection.rtt.rto == (3 * SECOND if seconds else 210 * MS)


@pytest.mark.parametrize(("echo", "window"), [(0, 10), (1000, 1), (2000, 1)])
def test_unless_the_echo_is_of_the_first_syn_which_was_only_slow(echo, window):
    host = syn_sent()
    stamp = host.flow().stamp
    host.run(3010 * MS)
    host.send("SA", 0, 1, opts=(Mss(1460), NOP, NOP, Timestamps(100, stamp + echo)))
    host.fresh()
    host.conn.send(20_000)
    assert len(host.taken()) == window


@pytest.mark.parametrize("make", [connected, established])
def test_without_a_scale_the_window_can_never_be_larger_than_its_field(make):
    rmem = "4096 1000000 33554432"
    assert make(opts=MSS, rmem=rmem).conn.sock.connection.rcv.window_clamp == 65535
    assert make(opts=FULL, rmem=rmem).conn.sock.connection.rcv.window_clamp > 65535


def agreed(conn):
    sizes = conn.snd.mss_cache, conn.rcv.advmss, conn.rcv.window_clamp
    return conn.snd.wscale, conn.rcv.wscale, *sizes, conn.ts.ok, conn.sack_ok, conn.rtt.rto


def test_both_ends_of_a_connection_agree():
    # The active and the passive open come to the same numbers.
    client, server = connected(opts=FULL), established(opts=FULL)
    one, two = (agreed(host.conn.sock.connection) for host in (client, server))
    assert one == two
