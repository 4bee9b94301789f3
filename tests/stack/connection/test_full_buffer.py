"""A full receive buffer: what is refused, tidied up, thrown away; the buffer follows what is read.

Another window in each segment keeps header prediction away, which does not look at the buffer.
"""

from itertools import pairwise

from tcpemu.stack.base import socket_constants as sockopt
from tcpemu.stack.base.units import MILLISECOND as MS
from tcpemu.stack.connection.arriving import memory_pressure
from tcpemu.testing.bench import FULL, SACK, established

RCVBUF = (sockopt.SOL_SOCKET, sockopt.SO_RCVBUF)


def filling(seqs, size, buffer, **settings):
    """A connection whose buffer is made small, and segments; the verdicts on these."""
    host = established(**settings)
    host.conn.setsockopt(*RCVBUF, buffer)
    verdicts = [
        host.send("PA", seq, 1, data=size, win=6000 + number, at=(1100 + 50 * number) * MS)
        for number, seq in enumerate(seqs)
    ]
    return host, verdicts


def test_what_does_not_fit_is_answered_with_a_window_of_0_until_it_is_read():
    host, verdicts = filling(range(1, 4000, 1000), 1000, 1)
    assert verdicts == ["DATA", "DATA", "PROTO_MEM", "OUT_OF_WINDOW"]
    told = host.moved()
    assert (told["PruneCalled"], told["RcvPruned"], told["TCPRcvQDrop"]) == (1, 1, 1)
    assert [segment.window for _, segment in host.taken()][-2:] == [0, 0]
    assert len(host.conn.recv()) == 2000
    [(_, segment)] = host.taken()
    assert segment.window > 0
    assert host.moved() == {"TCPFromZeroWindowAdv": 1}


def test_a_buffer_that_nobody_has_set_grows_instead():
    host = established(rmem=(4096, 8192, 100_000))
    for number in range(30):
        assert host.send("PA", 1 + 100 * number, 1, data=100, win=6000 + number) == "DATA"
        host.conn.sock.connection.rcv.queue[-1].room = 0  # as where another segment's memory comes in between
    told = host.moved()
    assert told["PruneCalled"] > 1
    assert "RcvPruned" not in told
    assert host.conn.sock.connection.rcv.buffer > 8192


def test_pieces_that_waste_their_memory_are_copied_into_full_ones():
    host, verdicts = filling(range(1, 4801, 300), 300, 4000)
    assert host.moved()["TCPRcvCollapsed"] > 5
    assert len(host.conn.recv()) == 300 * verdicts.count("DATA")


def test_beyond_a_hole_the_furthest_is_thrown_away_for_what_is_nearer():
    host, _ = filling((9001, 7001, 5001, 3001, 2001, 1001), 1000, 4000, opts=SACK)
    assert host.moved()["OfoPruned"] >= 1
    host.send("A", 1, 1, data=1000)
    assert len(host.conn.recv()) > 1000


def test_a_window_may_be_taken_back_where_that_is_allowed():
    kept = []
    for shrink in (0, 1):
        host = established(opts=FULL, shrink_window=shrink)
        host.conn.setsockopt(*RCVBUF, 20_000)
        for number in range(14):
            host.send(
                "PA", 1 + 500 * number, 1, data=500, ts=(200 + 60 * number, 0), at=(1200 + 60 * number) * MS
            )
        scale, start = host.conn.sock.connection.rcv.wscale, host.flow().peer_isn
        edges = [segment.ack - start + (segment.window << scale) for _, segment in host.taken()]
        kept.append(all(one <= following for one, following in pairwise(edges)))
    assert kept == [True, False]


def test_the_buffer_follows_what_is_read_in_a_round_trip():
    sizes = {}
    for moderate in (0, 1):
        host = established(moderate_rcvbuf=moderate)
        seq = 1
        for burst in range(8):
            for _ in range(min(4 << burst, 40)):
                host.send("A", seq, 1, data=1460)
                seq += 1460
                host.conn.recv()
            host.run(host.now + 100 * MS)
        sizes[moderate] = host.conn.sock.connection.rcv.buffer
    assert sizes[0] == 131072 < sizes[1]


def test_pieces_with_holes_between_them_are_not_copied():
    host = established(opts=SACK)
    for seq in (1001, 3001):
        host.send("A", seq, 1, data=100)
    conn = host.conn.sock.connection
    before = list(conn.rcv.out_of_order)
    memory_pressure._collapse_out_of_order(conn)
    assert all(one is other for one, other in zip(conn.rcv.out_of_order, before, strict=True))
    assert "TCPRcvCollapsed" not in host.moved()
