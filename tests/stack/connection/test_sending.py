"""What goes out, and when: where a piece ends, what waits for an ACK, probes, repeats, urgent pointers, ACKs put off.

`established` has a round-trip time of 10 ms at 1.01 s. Segments are 1460 octets.
"""

from dataclasses import replace

import pytest

from tcpemu.stack.base import socket_constants as sockopt
from tcpemu.stack.connection.sending import compressed_acks, data_out, delayed_acks
from tcpemu.stack.control.cwnd_changes import with_cwnd
from tcpemu.stack.records.sent_pieces import RETRANS
from tcpemu.stack.sockets.message_flags import MSG_OOB
from tcpemu.testing.bench import MS, SACK, SECOND, crossed, established
from tcpemu.wire.segment import URG

SNDBUF = (sockopt.SOL_SOCKET, sockopt.SO_SNDBUF)
US = MS // 1000


def connection(host):
    return host.conn.sock.connection


# --- Where a piece ends ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("srtt", "waits"),
    [
        # The ACK of what went out 200 us ago is due in 800 us: more than half a round trip of 1 ms.
        (1000, False),
        # In 200 us: less than half of one.
        (400, True),
        # In 1.8 ms: less than half of a long one, and more than a millisecond.
        (2000, False),
    ],
)
def test_a_larger_piece_is_waited_for_no_longer_than_half_a_round_trip_or_a_millisecond(srtt, waits):
    host = established(opts=SACK, tcp_tso_win_divisor=3)
    host.conn.send(1460 * 40)
    conn = connection(host)
    conn.rtt.srtt = srtt << 3
    conn.congestion = with_cwnd(conn.congestion, 12)
    conn.host.now += 200 * US
    assert data_out._defers(conn, 10) is waits


@pytest.mark.parametrize(("closed", "length"), [(True, 1960), (False, 1460)])
def test_the_small_rest_goes_into_the_same_piece_if_a_fin_follows_it(closed, length):
    host = established()
    host.conn.send(100)
    host.send("A", 1, 1, win=0)
    host.conn.send(1960)
    if closed:
        host.conn.shutdown(1)
    conn = connection(host)
    conn.snd.wnd = 10_000
    assert data_out._split_point(conn, 1460, 10, True, False) == length


def test_a_buffer_that_went_out_while_there_is_room_for_no_other_leaves_nothing_to_mark():
    host = established(win=5000, options=[(*SNDBUF, 1)])
    taken = host.conn.send(10_000)
    assert 0 < taken < 10_000
    assert not connection(host).snd.queue
    assert sum(len(segment.payload) for _, segment in host.taken()) == taken


# --- Window probes --------------------------------------------------------------------------------------


def test_a_window_with_just_room_for_what_waits_ends_the_probing():
    host = established()
    host.conn.send(1000)
    host.send("A", 1, 1001, win=0, at=1020 * MS)
    host.conn.send(500)
    host.run(2 * SECOND)
    conn = connection(host)
    assert conn.rtt.backoff > 0
    host.send("A", 1, 1001, win=500)
    assert conn.rtt.backoff == 0
    assert conn.rtx.probes_began is None


# --- Repeats --------------------------------------------------------------------------------------------


def test_what_was_sent_again_is_not_looked_at_again():
    """The walk begins where the first piece is that is neither SACKED nor under way again."""
    host = established(opts=SACK)
    host.conn.send(14_600)
    host.send("A", 1, 1, sack=[(1461, 1 + 4 * 1460)], at=1020 * MS)
    host.send("A", 1, 1, sack=[(1461, 1 + 6 * 1460), (1 + 7 * 1460, 1 + 9 * 1460)], at=1021 * MS)
    board = connection(host).scoreboard
    assert [bool(piece.tags & RETRANS) for piece in board.queue] == [True, False, True, False, False]
    assert board.hint is board[3]


def test_a_syn_ack_of_a_simultaneous_open_that_goes_again_is_no_syn():
    host = crossed()
    host.events.clear()
    host.run(3500 * MS)
    again = [event.reason.name for event in host.events if type(event).__name__ == "Sent"]
    assert again == ["RETRANSMIT"]


# --- Urgent data ----------------------------------------------------------------------------------------


def test_what_follows_the_urgent_octet_does_not_point_back_to_it():
    host = established(options=[(sockopt.IPPROTO_TCP, sockopt.TCP_NODELAY, 1)])
    host.conn.send(b"abc", MSG_OOB)
    for data in (b"def", b"ghi"):
        host.conn.send(data)
    (_, first), *others = host.taken()
    assert (first.flags & URG, first.urgent) == (URG, 3)
    assert [(segment.flags & URG, segment.urgent) for _, segment in others] == [(0, 0)] * 2


# --- ACKs that wait -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("least", "wait"),
    [
        # A tick of 4 ms less than the shortest RTO.
        (200_000, 196),
        (20_000, 16),
        # One tick where that RTO is next to none.
        (1, 4),
        # And 200 ms at most.
        (1_000_000, 200),
    ],
)
def test_an_ack_does_not_wait_for_as_long_as_the_shortest_rto(least, wait):
    conn = connection(established())
    conn.rtt.srtt, conn.ack.ato = 0, 300 * MS
    conn.options = replace(conn.options, rto_min_us=least)
    delayed_acks.delay(conn)
    assert (conn.ack.due - conn.host.tick(conn.host.now)) // MS == wait


def many_beyond_a_hole(host, at, numbers):
    for number in numbers:
        host.send("A", 1001 + 100 * number, 1, data=100, at=at)


def test_another_ack_ends_the_wait_of_the_compressed_one():
    host = established(opts=SACK, tcp_comp_sack_slack_ns=0)
    conn = connection(host)
    conn.rcv.rtt = conn.rtt.srtt = 16_000 << 3
    many_beyond_a_hole(host, 1100 * MS, range(5))
    timer = conn.compression_timer
    assert timer.armed
    host.conn.send(100)
    assert not timer.armed
    assert not conn.ack.compressed


@pytest.mark.parametrize(("own", "senders", "wait"), [(8000, 0, 50_000), (8000, 4000, 25_000), (8, 9, 50)])
def test_a_compressed_ack_waits_a_twentieth_of_the_shorter_round_trip(own, senders, wait):
    """Both are eight times microseconds."""
    conn = connection(established(opts=SACK))
    conn.rcv.rtt, conn.rtt.srtt = own, senders
    assert compressed_acks._delay(conn) == wait


def test_reading_tells_of_a_window_that_has_doubled_while_it_is_at_most_half_of_the_largest():
    host = established(opts=SACK)
    conn = connection(host)
    host.send("PA", 1, 1, data=1000, at=1100 * MS)
    host.run(1500 * MS)
    host.fresh()
    # The window that was told of is just above half of the largest: however much came free, that is no news.
    conn.rcv.wnd, conn.rcv.wup = 20_000, conn.rcv.nxt
    conn.rcv.window_clamp = 39_999
    conn.rcv.ssthresh = 65_535
    host.conn.recv(1)
    assert host.taken() == []
    conn.rcv.window_clamp = 40_000
    host.conn.recv(1)
    [(_, told)] = host.taken()
    assert told.window >= 39_000
