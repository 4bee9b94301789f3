"""Data both ways: when it is acknowledged, sent again, held back and put in order.

`established` has a round-trip time of 10 ms at 1.01 s, so its RTO is 210 ms.
"""

import dataclasses
import errno

import pytest

from tcpemu.stack import SocketError
from tcpemu.stack.base import socket_constants as sockopt
from tcpemu.testing.bench import (
    FULL,
    MS,
    MSS,
    SACK,
    SECOND,
    TS,
    Bench,
    closed_window,
    connected,
    established,
    fails,
    pattern,
    syn_recv,
    syn_sent,
)
from tcpemu.testing.bench.bench_values import GENERATION
from tcpemu.wire.codec import encode
from tcpemu.wire.options import Sack

NODELAY = (sockopt.IPPROTO_TCP, sockopt.TCP_NODELAY)
CORK = (sockopt.IPPROTO_TCP, sockopt.TCP_CORK)
QUICKACK = (sockopt.IPPROTO_TCP, sockopt.TCP_QUICKACK)
TCP_RTO_MAX_MS, TCP_RTO_MIN_US, TCP_DELACK_MAX_US = 44, 45, 46
W = 64240


def slow(**settings):
    """A connection that no longer acknowledges at once: its sixteen quick ACKs are used up at 2.3 s."""
    host = established(**settings)
    for turn in range(16):
        host.send("PA", 1 + 10 * turn, 1, data=10, at=2 * SECOND + 20 * turn * MS)
    assert [at // MS for at, _ in host.taken()] == [2000 + 20 * turn for turn in range(16)]
    host.conn.recv()
    return host.fresh()


# --- acknowledging --------------------------------------------------------------------------------------


def test_the_first_sixteen_segments_are_acknowledged_at_once_then_the_ack_waits_40_ms():
    host = slow()
    host.send("PA", 161, 1, data=10, at=2320 * MS)
    host.run(2359 * MS)
    host.expect()
    host.run(3 * SECOND)
    host.expect("2.36 A seq 1 ack 171")
    assert host.moved() == {"DelayedACKs": 1}


def test_the_second_full_segment_is_acknowledged_at_once():
    host = established()
    host.conn.setsockopt(*QUICKACK, 0)
    host.send("A", 1, 1, data=1460, at=2 * SECOND)
    host.expect()
    host.send("A", 1461, 1, data=1460, at=2010 * MS)
    host.expect("2.01 A seq 1 ack 2921")
    host.send("A", 2921, 1, data=1460, at=2020 * MS)
    host.run(3 * SECOND)
    host.expect("2.06 A seq 1 ack 4381")


def owing(rtt=200):
    """The seventeenth segment, at 2.32 s, is not acknowledged at once: its ACK is due at 2.36 s."""
    host = syn_recv()
    host.send("A", 1, 1, at=(1000 + rtt) * MS)
    for turn in range(17):
        host.send("PA", 1 + 10 * turn, 1, data=10, at=2 * SECOND + 20 * turn * MS)
    return host.fresh()


@pytest.mark.parametrize(("at", "acked"), [(2324, "2.36"), (2340, "2.36"), (2352, "2.352")])
def test_the_next_segment_does_not_put_it_off_and_takes_it_along_when_it_is_nearly_due(at, acked):
    # Nearly: within a quarter of ato.
    host = owing()
    host.send("PA", 171, 1, data=10, at=at * MS)
    host.run(3 * SECOND)
    host.expect(f"{acked} A seq 1 ack 181")


@pytest.mark.parametrize(
    ("rtt", "at", "acked"),
    [
        # The timer has doubled ato to 80 ms; 64 ms after the last segment it becomes 80 / 2 + 64.
        (200, 2384, "2.488"),
        (200, 2396, "2.512"),
        # After longer than that ato stays as it is; no wait is longer than the round-trip time.
        (200, 2412, "2.492"),
        (60, 2384, "2.444"),
    ],
)
def test_an_ack_that_came_due_makes_the_next_wait_longer(rtt, at, acked):
    host = owing(rtt)
    host.run(2360 * MS)
    host.expect("2.36 A seq 1 ack 171")
    host.send("PA", 171, 1, data=10, at=at * MS)
    host.run(3 * SECOND)
    host.expect(f"{acked} A seq 1 ack 181")


def test_an_ack_that_was_due_ends_the_conversation():
    host = established()
    for turn in range(5):
        host.send("PA", 1 + 100 * turn, 1 + 50 * turn, data=100, at=(2000 + 100 * turn) * MS)
        host.conn.send(50)
    host.send("PA", 501, 251, data=100, at=2500 * MS)
    host.fresh()
    host.run(2590 * MS)
    host.expect("2.54 A seq 251 ack 601")
    host.send("PA", 601, 251, data=100, at=2600 * MS)
    host.expect("2.6 A seq 251 ack 701")


def test_data_that_goes_back_carries_the_ack():
    host = established()
    for turn in range(5):
        host.send("PA", 1 + 100 * turn, 1 + 50 * turn, data=100, at=(2000 + 100 * turn) * MS)
        host.conn.send(50)
    # Only the first is acknowledged before the answer is there: from then on it is a conversation.
    host.expect(
        "2 A seq 1 ack 101",
        "2 PA seq 1 ack 101 len 50",
        "2.1 PA seq 51 ack 201 len 50",
        "2.2 PA seq 101 ack 301 len 50",
        "2.3 PA seq 151 ack 401 len 50",
        "2.4 PA seq 201 ack 501 len 50",
    )


def test_reading_all_there_is_gives_the_ack_that_is_owed():
    host = slow()
    host.send("PA", 161, 1, data=10, at=2310 * MS)
    host.expect()
    host.conn.recv(9)
    host.expect()
    host.conn.recv(1)
    host.expect("2.31 A seq 1 ack 171")


def test_in_a_conversation_it_does_not_but_tcp_quickack_ends_that():
    host = slow()
    host.conn.setsockopt(*QUICKACK, 0)
    host.send("PA", 161, 1, data=10, at=2310 * MS)
    host.conn.recv()
    host.expect()
    host.conn.setsockopt(*QUICKACK, 1)
    host.expect("2.31 A seq 1 ack 171")


def test_an_ack_is_owed_once():
    host = slow()
    host.send("PA", 161, 1, data=10, at=2320 * MS)
    host.conn.send(5)
    host.expect("2.32 PA seq 1 ack 171 len 5")
    host.send("A", 171, 6, at=2330 * MS)
    host.run(4 * SECOND)
    host.expect()


def test_a_bare_ack_is_never_acknowledged():
    host = established()
    for at in range(5):
        host.send("A", 1, 1, at=(2000 + at) * MS, win=60_000 + at)
    host.run(10 * SECOND)
    host.expect()


# --- order ----------------------------------------------------------------------------------------------


def test_data_beyond_a_hole_is_kept_and_each_piece_acknowledged_at_once():
    host = established()
    whole = pattern(400)
    assert host.send("A", 101, 1, data=whole[100:200]) == "DATA_AHEAD"
    assert host.send("A", 301, 1, data=whole[300:]) == "DATA_AHEAD"
    host.expect("1.01 A seq 1 ack 1", "1.01 A seq 1 ack 1")
    with fails("EAGAIN"):
        host.conn.recv()
    assert host.send("A", 1, 1, data=whole[:150]) == "DATA"
    host.expect("1.01 A seq 1 ack 201")
    assert host.send("A", 151, 1, data=whole[150:350]) == "DATA"
    host.expect("1.01 A seq 1 ack 401")
    assert host.conn.recv() == whole
    assert host.moved() == {"TCPOFOQueue": 2}
    assert host.conn.sock.connection.rcv.rmem == 0, "no memory is lost on the way"


@pytest.mark.parametrize(("seq", "size", "merged"), [(101, 200, 1), (151, 50, 1), (51, 400, 1), (51, 100, 0)])
def test_what_is_held_twice_is_dropped_and_told(seq, size, merged):
    host = established(opts=SACK)
    whole = pattern(600)
    host.send("A", 101, 1, data=whole[100:300])
    host.fresh()
    host.send("A", seq, 1, data=whole[seq - 1 :][:size])
    assert host.moved().get("TCPOFOMerge", 0) == merged
    [(_, segment)] = host.taken()
    first = segment.options[-1].blocks[0]
    assert [edge - host.flow().peer_isn for edge in first] == [max(seq, 101), min(seq + size, 301)]
    host.send("A", 1, 1, data=whole)
    assert host.conn.recv() == whole
    assert host.conn.sock.connection.rcv.rmem == 0


def test_a_hole_is_told_by_sack_the_newest_block_first():
    host = established(opts=SACK, comp_sack_nr=0)
    for seq in (101, 301, 501, 151):
        host.send("A", seq, 1, data=50)
    host.expect(
        "1.01 A ack 1 <nop, nop, sack 101-151>",
        "1.01 A ack 1 <nop, nop, sack 301-351 101-151>",
        "1.01 A ack 1 <nop, nop, sack 501-551 301-351 101-151>",
        "1.01 A ack 1 <nop, nop, sack 101-201 501-551 301-351>",
    )
    host.send("A", 1, 1, data=100)
    host.expect("1.01 A ack 201 <nop, nop, sack 501-551 301-351>")


def test_with_timestamps_there_is_room_for_three_blocks():
    host = established(opts=FULL, comp_sack_nr=0)
    for seq in (101, 301, 501, 701):
        host.send("A", seq, 1, data=50, ts=(120, 0))
    last = host.taken()[-1]
    assert host.shown(*last)["<>"] == [
        "nop",
        "nop",
        "TS 10 110",
        "nop",
        "nop",
        "sack 701-751 501-551 301-351",
    ]


@pytest.mark.parametrize(("seq", "data"), [(1, 50), (51, 50), (21, 30), (-9, 20)])
def test_what_came_before_is_told_by_a_duplicate_sack(seq, data):
    host = established(opts=SACK)
    host.send("PA", 1, 1, data=100)
    host.fresh()
    assert host.send("PA", seq, 1, data=data) in ("OLD_DATA", "OUT_OF_WINDOW")
    [(_, segment)] = host.taken()
    [sack] = [option for option in segment.options if isinstance(option, Sack)]
    assert [edge - host.flow().peer_isn for edge in sack.blocks[0]] == [seq, seq + data]
    assert host.moved() == {"DelayedACKLost": 1, "TCPDSACKOldSent": 1}
    # Said once.
    host.send("PA", 101, 1, data=1)
    assert host.taken()[0][1].options == ()


@pytest.mark.parametrize(("second", "told"), [(301, "201-401"), (401, "201-301")])
def test_a_duplicate_sack_grows_over_what_touches_it_and_no_further(second, told):
    """tcp_input.c: tcp_dsack_extend."""
    host = established(opts=SACK)
    host.send("A", second, 1, data=100)
    host.send("A", 201, 1, data=100)
    host.fresh()
    host.send("A", 151, 1, data=450)
    host.expect(f"1.01 A ack 1 <nop, nop, sack {told} 151-601>")


def many_quick(host, at):
    """So many segments of 10 octets that the host acknowledges at leisure from now on; the peer's next number."""
    for number in range(40):
        host.send("A", 1 + 10 * number, 1, data=10, at=at + number * MS)
        host.conn.recv()
    host.run(host.now + 50 * MS)
    host.fresh()
    return 401


def test_a_duplicate_that_no_ack_has_told_of_is_forgotten_when_more_comes():
    """tcp_data_queue forgets it, though the ACK still waits; it runs as the other window is not the predicted one."""
    for more in (True, False):
        host = established(opts=SACK)
        seq = many_quick(host, 1100 * MS)
        host.send("A", seq - 5, 1, data=10, at=1200 * MS)
        if more:
            host.send("A", seq + 5, 1, data=10, win=65000, at=1205 * MS)
        host.run(2 * SECOND)
        host.expect("1.24 A ack 416 <>" if more else "1.24 A ack 406 <nop, nop, sack 396-401>")


def test_nothing_lies_behind_a_fin_so_what_was_kept_is_told_no_more():
    host = established(opts=SACK)
    assert host.send("A", 101, 1, data=100, at=2 * SECOND) == "DATA_AHEAD"
    host.expect("2 A ack 1 <nop, nop, sack 101-201>")
    assert host.send("FA", 1, 1) == "FIN"
    host.run(2500 * MS)
    host.expect("2 A ack 2 <>")


def test_an_overlap_gives_each_octet_once():
    host = established()
    whole = pattern(300)
    host.send("PA", 1, 1, data=whole[:100])
    host.send("PA", 51, 1, data=whole[50:200])
    host.send("PA", 151, 1, data=whole[150:])
    assert host.conn.recv() == whole


@pytest.mark.parametrize("data", [1, 10, 500])
def test_data_into_a_closed_window_is_refused(data):
    host, seq = closed_window()
    row = host.table()[0]
    assert host.send("PA", seq, 1, data=data) == "OUT_OF_WINDOW"
    [(_, segment)] = host.taken()
    assert (segment.ack - host.flow().peer_isn, segment.window) == (seq, 0)
    assert host.table()[0] == row
    assert host.moved()["BeyondWindow"] == 1


def test_a_kernel_that_lets_it_pass_drops_it_all_the_same():
    host, seq = closed_window(generation=dataclasses.replace(GENERATION, beyond_window=False))
    assert host.send("PA", seq, 1, data=10) == "ZEROWINDOW"
    [(_, segment)] = host.taken()
    assert (segment.ack - host.flow().peer_isn, segment.window) == (seq, 0)
    assert host.moved()["TCPZeroWindowDrop"] == 1


def test_reading_opens_the_window_and_says_so():
    host, seq = closed_window()
    assert len(host.conn.recv()) == seq - 1
    [(_, segment)] = host.taken()
    # Two of the segments that the peer is taken to send, of 536 octets.
    assert (segment.ack - host.flow().peer_isn, segment.window) == (seq, 2 * 536)


# --- sending --------------------------------------------------------------------------------------------


def test_data_goes_out_in_segments_of_the_mss_and_the_last_is_pushed():
    host = established()
    host.conn.send(3000)
    host.expect(
        "1.01 A seq 1 ack 1 len 1460 win 64240",
        "1.01 PA seq 1461 len 1460",
        "1.01 PA seq 2921 len 80",
    )
    assert host.table()[0] == "ESTAB 0 3000 8080 41001"


def test_what_was_sent_is_what_was_given():
    host = established()
    whole, sent = pattern(30_000), b""
    host.conn.send(whole)
    for _ in range(100):
        segments = [segment for _, segment in host.taken()]
        sent += b"".join(segment.payload for segment in segments)
        if not segments:
            break
        host.send("A", 1, 1 + len(sent), at=host.now + 10 * MS)
    assert sent == whole
    assert host.table()[0] == "ESTAB 0 0 8080 41001"


@pytest.mark.parametrize("window", [0, 100, 1460, 5000])
def test_no_more_goes_out_than_the_peers_window_allows(window):
    host = established(win=window)
    host.conn.send(20_000)
    sent = sum(len(segment.payload) for _, segment in host.taken())
    assert window // 1460 * 1460 <= sent <= window


@pytest.mark.parametrize(("opts", "least"), [(MSS, 48), (TS, 36)])
def test_of_a_tiny_window_a_segment_is_all_but_no_smaller_than_68_octets_with_its_headers(opts, least):
    """tcp.h: tcp_bound_to_half_wnd. A window that ends inside the first segment lets nothing out."""
    for window, sizes in ((least - 1, []), (least, [least]), (least + 1, [least + 1])):
        host = established(opts=opts, win=window)
        host.conn.send(100)
        assert [len(segment.payload) for _, segment in host.taken()] == sizes


def test_a_smaller_window_counts_only_from_a_newer_segment():
    # tcp_may_update_window: a newer ACK, a newer number, a larger window, or none at all.
    host = established()
    host.send("A", 1, 1, win=100)
    assert host.conn.sock.connection.snd.wnd == 65535
    host.send("PA", 1, 1, win=100, data=5)
    assert host.conn.sock.connection.snd.wnd == 65535, "that one was not newer either"
    host.send("A", 6, 1, win=100)
    assert host.conn.sock.connection.snd.wnd == 100
    host.send("A", 6, 1, win=90)
    host.send("A", 6, 1, win=110)
    assert host.conn.sock.connection.snd.wnd == 110
    host.send("A", 6, 1, win=0)
    assert host.conn.sock.connection.snd.wnd == 0


def test_an_ack_is_numbered_within_a_window_that_was_taken_back():
    # tcp_acceptable_seq: a number beyond the window might be ignored.
    host = established()
    host.conn.send(1000)
    host.send("PA", 1, 1, data=5)
    host.send("A", 6, 1, win=100)
    host.fresh()
    host.send("PA", 6, 1, data=5, win=100)
    host.expect("1.01 A seq 101 ack 11")


@pytest.mark.parametrize(("beyond", "seq"), [(896, 3073), (1024, 2049), (1152, 1921)])
def test_but_not_for_less_than_one_unit_of_our_own_windows(beyond, seq):
    """tcp_acceptable_seq: the peer may have rounded its window as we do ours, here to 1024 octets."""
    host = established(opts=FULL, win=200)
    host.conn.send(3072)
    host.send("PA", 1, 1, data=5, ts=(120, 0))
    host.send("A", 6, 1, win=(3072 - beyond) >> 7, ts=(121, 0))
    host.fresh()
    host.send("PA", 6, 1, data=5, win=(3072 - beyond) >> 7, ts=(121, 0))
    host.expect(f"1.01 A seq {seq} ack 11")


def test_ten_segments_at_first_then_two_for_each_acknowledged():
    host = established()
    host.conn.send(100_000)
    assert len(host.taken()) == 10
    host.send("A", 1, 1 + 2 * 1460, at=1020 * MS)
    assert len(host.taken()) == 4


def test_nagle_holds_a_small_segment_while_another_is_under_way():
    host = established()
    host.conn.send(10)
    host.conn.send(20)
    host.conn.send(30)
    host.expect("1.01 PA seq 1 len 10")
    host.send("A", 1, 11, at=1050 * MS)
    host.expect("1.05 PA seq 11 len 50")


def test_without_nagle_it_goes_at_once():
    host = established()
    host.conn.setsockopt(*NODELAY, 1)
    host.conn.send(10)
    host.conn.send(20)
    host.expect("1.01 PA seq 1 len 10", "1.01 PA seq 11 len 20")


def test_setting_nodelay_lets_go_what_was_held_and_so_does_taking_the_cork_out():
    host = established()
    host.conn.send(10)
    host.conn.send(20)
    host.fresh()
    host.conn.setsockopt(*NODELAY, 1)
    host.expect("1.01 PA seq 11 len 20")
    host = established()
    host.conn.setsockopt(*CORK, 1)
    host.conn.send(10)
    host.expect()
    host.conn.setsockopt(*CORK, 0)
    host.expect("1.01 PA seq 1 len 10")


# --- sending again --------------------------------------------------------------------------------------


def repeats(host, until, start=1010):
    """When the segments were sent, in milliseconds since the first."""
    host.run(until * SECOND)
    return [at // MS - start for at, _ in host.taken()]


def test_after_the_rto_then_twice_as_long_each_time_up_to_120_s_and_in_the_end_etimedout():
    host = established()
    host.conn.send(100)
    waits = [210 * 2**n for n in range(10)] + [120_000] * 6
    due = [sum(waits[:n]) for n in range(16)]
    assert repeats(host, 2000) == due
    assert host.conn.error == "ETIMEDOUT"
    assert host.table() == ["LISTEN 0 5 8080 *"]
    assert host.moved() == {
        "TCPTimeouts": 16,
        "TcpTimeoutRehash": 15,
        "RetransSegs": 15,
        "TCPLostRetransmit": 14,
        "EstabResets": 1,
        "TCPAbortOnTimeout": 1,
    }
    over = [event.at // MS - 1010 for event in host.events if type(event).__name__ == "TimerFired"]
    assert over == [sum(waits)]


def test_tcp_retries2_bounds_it():
    host = established(retries2=3)
    host.conn.send(100)
    # Given up once as long has passed since the first repeat as three doubled time-outs of 200 ms take: 3 s.
    assert repeats(host, 100) == [0, 210, 630, 1470, 3150]
    over = [event.at // MS - 1010 for event in host.events if type(event).__name__ == "TimerFired"]
    assert over == [6510]
    assert host.conn.error == "ETIMEDOUT"


def test_a_repeated_syn_does_not_count_against_the_data():
    """tcp_clean_rtx_queue: with the SYN acknowledged its repeats are over."""
    host = syn_sent(retries2=3)
    host.run(2500 * MS)
    host.send("SA", 0, 1, opts=MSS)
    host.run(60 * SECOND)
    host.fresh()
    host.conn.send(10)
    host.run(300 * SECOND)
    # After a SYN that was repeated the RTO is 3 s.
    assert host.times("PA") == [60, 63]
    over = [event.at // SECOND for event in host.events if type(event).__name__ == "StateChanged"][-1]
    assert (over, host.conn.error) == (69, "ETIMEDOUT")


def test_a_user_timeout_bounds_it_in_milliseconds():
    host = established(options=[(sockopt.IPPROTO_TCP, sockopt.TCP_USER_TIMEOUT, 1000)])
    host.conn.send(100)
    assert repeats(host, 100) == [0, 210, 630]
    assert host.conn.error == "ETIMEDOUT"


def test_rto_max_bounds_each_wait():
    host = established(rto_max_ms=1000)
    host.conn.send(100)
    assert repeats(host, 5) == [0, 210, 630, 1470, 2470, 3470]


def test_rto_max_may_change_while_a_segment_is_repeated():
    host = established()
    host.conn.send(100)
    assert repeats(host, 2) == [0, 210, 630]
    host.conn.setsockopt(sockopt.IPPROTO_TCP, TCP_RTO_MAX_MS, 1000)
    # What is waited for already stays as it was.
    assert repeats(host, 6) == [1470, 2470, 3470, 4470]


def test_the_sysctls_of_time_outs_are_for_sockets_made_later():
    host = established()
    host.host.set_sysctl("net.ipv4.tcp_rto_max_ms", 1001)
    host.host.set_sysctl("net.ipv4.tcp_rto_min_us", 50_000)
    options = (TCP_RTO_MAX_MS, TCP_RTO_MIN_US, TCP_DELACK_MAX_US)
    told = [host.conn.getsockopt(sockopt.IPPROTO_TCP, option) for option in options]
    assert told == [120_000, 200_000, 200_000]
    # What is new has them, in whole ticks.
    fresh = host.socket()
    assert [fresh.getsockopt(sockopt.IPPROTO_TCP, option) for option in options] == [1004, 52_000, 200_000]


def test_connect_to_nobody_takes_the_shortest_rto_back_and_leaves_the_longest():
    host = established()
    for option, value in ((TCP_RTO_MAX_MS, 2000), (TCP_RTO_MIN_US, 50_000), (TCP_DELACK_MAX_US, 20_000)):
        host.conn.setsockopt(sockopt.IPPROTO_TCP, option, value)
    host.conn.sock.disconnect(host.now)
    options = (TCP_RTO_MAX_MS, TCP_RTO_MIN_US, TCP_DELACK_MAX_US)
    told = [host.conn.getsockopt(sockopt.IPPROTO_TCP, option) for option in options]
    assert told == [2000, 200_000, 200_000]


@pytest.mark.parametrize("option", [TCP_RTO_MAX_MS, TCP_RTO_MIN_US, TCP_DELACK_MAX_US])
def test_a_kernel_before_6_15_has_no_option_for_time_outs(option):
    host = established(generation="linux-6.12")
    for call in (
        lambda: host.conn.getsockopt(sockopt.IPPROTO_TCP, option),
        lambda: host.conn.setsockopt(sockopt.IPPROTO_TCP, option, 100_000),
    ):
        with pytest.raises(SocketError, match=r"linux-6\.12 has no TCP_") as caught:
            call()
        assert caught.value.errno == errno.ENOPROTOOPT


@pytest.mark.parametrize(("octets", "least"), [(b"\x41", 65), (b"\x41\0\0\0", 65), (b"", None)])
def test_the_least_ttl_takes_an_octet_or_four_but_not_none(octets, least):
    host = established()
    if least is None:
        with pytest.raises(SocketError, match="an octet at least"):
            host.conn.sock.setsockopt(sockopt.IPPROTO_IP, 21, octets, host.now)
        return
    host.conn.sock.setsockopt(sockopt.IPPROTO_IP, 21, octets, host.now)
    assert host.conn.getsockopt(sockopt.IPPROTO_IP, 21) == least


def test_with_sack_the_first_repeat_is_a_probe_that_does_not_double():
    host = established(opts=SACK)
    host.conn.send(100)
    assert repeats(host, 5) == [0, 210, 420, 840, 1680, 3360]
    assert host.moved()["TCPLossProbes"] == 1
    reasons = [event.reason.name for event in host.events if type(event).__name__ == "Sent"]
    assert reasons == ["SYN_ACK", "DATA_SENT", "LOSS_PROBE", *["RETRANSMIT"] * 4]


def test_with_two_segments_out_the_probe_comes_after_two_round_trips_and_2_ms():
    host = established(opts=SACK)
    host.conn.send(2000)
    host.run(1100 * MS)
    host.expect("1.01 A seq 1 len 1460", "1.01 PA seq 1461 len 540", "1.032 PA seq 1461 len 540")


def test_what_goes_beyond_an_answered_probe_says_that_it_repaired_a_loss():
    host = established(opts=SACK, options=[(*NODELAY, 1)])
    host.conn.send(100)
    host.run(1225 * MS)
    host.conn.send(50)
    host.fresh()
    host.send("A", 1, 151, at=1230 * MS)
    assert host.moved() == {"TCPLossProbeRecovery": 1}
    other = established(opts=SACK)
    other.conn.send(100)
    other.run(1225 * MS)
    other.fresh()
    other.send("A", 1, 101, at=1230 * MS)
    assert other.moved() == {}


def test_without_early_retransmit_there_is_no_probe():
    host = established(opts=SACK, early_retrans=0)
    host.conn.send(100)
    assert repeats(host, 2) == [0, 210, 630]
    assert "TCPLossProbes" not in host.moved()


def test_an_ack_ends_the_repeats_and_the_doubling():
    host = established()
    host.conn.send(100)
    host.run(3 * SECOND)
    host.send("A", 1, 101, at=3 * SECOND)
    host.fresh()
    host.run(100 * SECOND)
    host.expect()
    host.conn.send(100)
    host.run(101 * SECOND)
    # Karn: the repeats told no time, so the RTO is still the doubled one.
    assert next(at // MS for at, _ in host.taken()) == 100_000


def test_when_all_is_acknowledged_nothing_is_waited_for():
    host = established()
    host.conn.send(100)
    assert host.host.next_timer() is not None
    host.send("A", 1, 101, at=1100 * MS)
    assert (list(host.host.pending()), host.host.next_timer()) == ([], None)


def test_a_sample_makes_the_rto_srtt_plus_four_deviations_at_least_200_ms():
    host = established()
    for turn in range(20):
        host.conn.send(10)
        host.send("A", 1, 11 + 10 * turn, at=host.now + 30 * MS)
    conn = host.conn.sock.connection
    assert 25_000 <= conn.rtt.srtt / 8 <= 30_000
    assert 220 * MS < conn.rtt.rto <= 270 * MS


def test_small_segments_are_joined_when_sent_again():
    host = established(options=[(*NODELAY, 1)])
    for size in (10, 20, 30):
        host.conn.send(size)
    host.fresh()
    host.run(1300 * MS)
    host.expect("1.22 PA seq 1 len 60")
    other = established(options=[(*NODELAY, 1)], retrans_collapse=0)
    for size in (10, 20, 30):
        other.conn.send(size)
    other.fresh()
    other.run(1300 * MS)
    other.expect("1.22 PA seq 1 len 10")


def test_a_partly_acknowledged_segment_is_sent_again_from_there():
    host = established()
    host.conn.send(1000)
    host.send("A", 1, 401, at=1020 * MS)
    host.fresh()
    host.run(1500 * MS)
    [*_, (_, last)] = host.taken()
    assert last.payload == pattern(1000)[400:]


# --- a closed window ------------------------------------------------------------------------------------


def test_a_closed_window_is_probed_with_an_old_number_and_doubling_waits():
    host = established()
    host.send("A", 1, 1, win=0)
    host.conn.send(100)
    host.run(4 * SECOND)
    lines = [f"{at} A seq 0 ack 1" for at in ("1.22", "1.64", "2.48")]
    host.expect(*lines)
    assert host.moved() == {"TCPWinProbe": 3}


def test_a_fin_alone_is_probed_for_too_and_goes_on_being_so_when_the_window_is_said_to_be_closed_still():
    """A FIN takes one number, for which a closed window has no room (tcp_ack_probe)."""
    host = established(win=0)
    host.conn.shutdown(1)
    host.run(2 * SECOND)
    assert host.times("A") == [1.22, 1.64]
    host.send("A", 1, 1, win=0, at=2100 * MS)
    host.run(4 * SECOND)
    assert host.times("A") == [2.94]
    host.send("A", 1, 1, win=1, at=4100 * MS)
    host.expect("4.1 FA seq 1 ack 1")


def test_when_it_opens_the_data_goes_out():
    host = established()
    host.send("A", 1, 1, win=0)
    host.conn.send(100)
    host.send("A", 1, 1, win=1000, at=1100 * MS)
    host.expect("1.1 PA seq 1 len 100")


def test_a_small_opening_is_filled_by_the_probe():
    host = established(win=40)
    host.conn.send(100)
    host.expect()
    host.run(1300 * MS)
    host.expect("1.22 PA seq 1 len 40")


def test_an_answered_probe_keeps_the_connection_alive_and_silence_ends_it():
    host = established(retries2=4)
    host.send("A", 1, 1, win=0)
    host.conn.send(100)
    host.run(200 * SECOND)
    assert host.moved()["TCPWinProbe"] == 4
    assert host.conn.error == "ETIMEDOUT"
    alive = established(retries2=4)
    alive.send("A", 1, 1, win=0)
    alive.conn.send(100)
    for turn in range(100):
        alive.run((2 + turn) * SECOND)
        alive.send("A", 1, 1, win=0)
    assert alive.conn.error == ""


def test_a_window_that_was_taken_back_ends_it_after_four_minutes_of_silence():
    # tcp_timer.c: tcp_rtx_probe0_timed_out; a kernel gave up at 252 s.
    host = established()
    host.conn.send(100)
    host.send("A", 1, 1, win=0, at=1020 * MS)
    host.run(400 * SECOND)
    assert host.conn.error == "ETIMEDOUT"


# --- both ends together ---------------------------------------------------------------------------------


@pytest.mark.parametrize("opts", [MSS, SACK, FULL])
def test_a_client_speaks_as_a_server_does(opts):
    server, client = established(opts=opts), connected(opts=opts)
    told = []
    for host in (server, client):
        host.send("PA", 1, 1, data=700, at=2 * SECOND, ts=(120, 0) if opts is FULL else None)
        host.conn.recv()
        host.conn.send(5000)
        told.append([(segment[6], segment[7], segment.payload) for _, segment in host.taken()])
    assert told[0] == told[1]


def test_ecn_marks_data_and_echoes_congestion():
    host = established(opts=MSS)
    assert host.conn.sock.connection.ecn_ok is False
    marked = Bench()
    marked.listener = marked.listen(5)
    marked.send("SEC", opts=MSS)
    marked.send("A", 1, 1)
    marked.conn = marked.accept()
    marked.fresh()
    marked.conn.send(10)
    marked.run(250 * MS)
    (_, data), (_, again) = marked.taken()
    assert (data.tos, again.tos) == (2, 0), "what is sent again says nothing about the path"
    marked.send("PA", 1, 1, data=10, tos=3)
    marked.expect("0.25 AE seq 11 ack 11")
    marked.send("PA", 11, 1, data=10, tos=2)
    marked.expect("0.25 AE seq 11 ack 21")
    marked.send("PAC", 21, 1, data=10, tos=2)
    marked.expect("0.25 A seq 11 ack 31")


# --- the send buffer ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("most", "buffer"), [(4_194_304, 46_080), (46_080, 46_080), (46_079, 46_079), (30_000, 30_000)]
)
def test_the_send_buffer_grows_to_twice_the_window_but_not_beyond_tcp_wmem(most, buffer):
    """tcp_sndbuf_expand: ten segments of 2048 octets, each with the 256 of its sk_buff, twice."""
    host = established(wmem=(4096, 16_384, most))
    assert host.conn.sock.connection.snd.buffer == buffer


@pytest.mark.parametrize(
    ("window", "piece"),
    [(65_535, 22), (100_000, 34), (130_684, 44), (1_000_000, 44)],
)
def test_a_full_buffer_is_half_of_the_peers_window_or_what_goes_out_in_one_piece(window, piece):
    """tcp_xmit_size_goal: 65343 octets at most, in whole segments of 1460."""
    host = established(wmem=(4096, 1_000_000, 4_194_304))
    conn = host.conn.sock.connection
    conn.snd.max_window = window
    host.conn.send(300_000)
    assert {len(buffer.payload) for buffer in list(conn.snd.queue)[1:-1]} == {1460 * piece}


def test_no_segment_is_longer_than_ip_carries_whatever_tcp_min_snd_mss_asks_for():
    host = established(min_snd_mss=65535, opts=FULL)
    host.conn.send(200_000)
    lengths = [len(encode(segment)) for _, segment in host.taken()]
    assert max(lengths) == 65495 + 40
