"""The end of a connection: FINs in every order, orphans, and what the application sees of it."""

import pytest

from tcpemu.stack.base import socket_constants as sockopt
from tcpemu.testing.bench import (
    FULL,
    MS,
    MSS,
    SECOND,
    close_wait,
    closing,
    crossed,
    established,
    fails,
    fin_wait1,
    fin_wait2,
    last_ack,
    listening,
    pattern,
    syn_recv,
)
from tcpemu.wire.segment import flag_letters

LISTEN = "LISTEN 0 5 8080 *"


def states(host):
    """The states that the connection went through, from ESTABLISHED on."""
    passed = [new for _, new in host.changes()]
    return passed[passed.index("ESTABLISHED") :]


# --- who closes first -----------------------------------------------------------------------------------


def test_the_host_closes_first():
    host = established()
    host.conn.close()
    host.expect("1.01 FA seq 1 ack 1 win 64240")
    assert host.send("A", 1, 2, at=1020 * MS) == "ACKED"
    assert host.send("FA", 1, 2, at=1030 * MS) == "TIME_WAIT_FIN"
    host.expect("1.03 A seq 2 ack 2")
    assert states(host) == ["ESTABLISHED", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT"]


def test_the_peers_fin_acknowledges_ours():
    host = established()
    host.conn.shutdown(1)
    host.send("FA", 1, 2, at=1020 * MS)
    host.expect("1.01 FA seq 1 ack 1", "1.02 A seq 2 ack 2")
    assert states(host) == ["ESTABLISHED", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT"]
    assert host.table() == [LISTEN, "TIME-WAIT 0 0 8080 41001"]
    assert host.conn.recv() == b""


def test_both_close_at_once():
    host = closing()
    assert host.send("A", 2, 2, at=2020 * MS) == "ACKED"
    host.expect()
    assert states(host) == ["ESTABLISHED", "FIN_WAIT1", "CLOSING", "TIME_WAIT"]
    assert host.table() == [LISTEN, "TIME-WAIT 0 0 8080 41001"]


def test_the_peer_closes_first():
    host = established()
    assert host.send("FA", 1, 1, at=1500 * MS) == "FIN"
    host.run(1600 * MS)
    host.expect("1.5 A seq 1 ack 2")
    assert host.conn.recv() == b""
    host.conn.send(10)
    host.conn.close()
    host.expect("1.6 PA seq 1 ack 2 len 10", "1.6 FA seq 11 ack 2")
    assert host.send("A", 2, 12, at=1700 * MS) == "LAST_ACK_DONE"
    host.expect()
    assert states(host) == ["ESTABLISHED", "CLOSE_WAIT", "LAST_ACK", "CLOSE"]
    assert host.table() == [LISTEN]
    host.run(100 * SECOND)
    host.expect()


def test_a_fin_rides_on_the_last_data_that_has_not_gone_out_yet():
    host = established()
    host.conn.send(10)
    host.conn.send(20)
    host.conn.close()
    host.expect("1.01 PA seq 1 len 10", "1.01 FPA seq 11 len 20")


def test_a_fin_waits_behind_data_for_which_there_is_no_window():
    host = established(win=100)
    host.conn.send(150)
    host.conn.close()
    sent = sum(len(segment.payload) for _, segment in host.taken())
    assert sent <= 100
    host.send("A", 1, 1 + sent, win=1000, at=2 * SECOND)
    [(_, last)] = [one for one in host.taken() if one[1].flags & 1]
    assert len(last.payload) == 150 - sent


def test_a_fin_takes_a_place_in_the_window_too():
    host = established(win=10)
    host.conn.send(10)
    host.conn.close()
    host.expect("1.01 PA seq 1 len 10")
    host.send("A", 1, 11, win=10, at=1050 * MS)
    host.expect("1.05 FA seq 11 ack 1")


# --- FIN and data from the peer -------------------------------------------------------------------------


def test_data_and_fin_in_one_segment():
    host = established()
    assert host.send("FPA", 1, 1, data=b"bye") == "DATA"
    assert host.conn.state == "CLOSE_WAIT"
    assert host.table()[0] == "CLOSE-WAIT 4 0 8080 41001"
    assert (host.conn.recv(), host.conn.recv()) == (b"bye", b"")


def test_a_fin_beyond_a_hole_waits_for_the_hole():
    host = established()
    assert host.send("FA", 101, 1, data=pattern(10)) == "DATA_AHEAD"
    assert host.conn.state == "ESTABLISHED"
    host.send("A", 1, 1, data=pattern(100))
    assert host.conn.state == "CLOSE_WAIT"
    assert host.conn.recv() == pattern(100) + pattern(10)
    assert host.conn.recv() == b""
    assert host.shown(*host.taken()[-1])["ack"] == 112


def test_so_it_does_when_it_is_kept_with_the_data_before_it():
    host = established()
    host.send("A", 101, 1, data=pattern(10))
    assert host.send("FA", 111, 1, data=pattern(5)) == "DATA_AHEAD"
    assert host.conn.state == "ESTABLISHED"
    host.send("A", 1, 1, data=pattern(100))
    assert host.conn.state == "CLOSE_WAIT"
    assert host.conn.recv() == pattern(100) + pattern(10) + pattern(5)


@pytest.mark.parametrize("make", [close_wait, last_ack, closing])
def test_data_after_the_fin_is_not_taken(make):
    host = make()
    rows = host.table()
    host.send("PA", 2, 1, data=10)
    assert host.table() == rows


@pytest.mark.parametrize("make", [close_wait, last_ack, closing])
def test_the_fin_again_is_acknowledged_again(make):
    host = make()
    assert host.send("FA", 1, 1) == "OLD_DATA"
    [(_, segment)] = host.taken()
    assert segment.ack - host.flow().peer_isn == 2


@pytest.mark.parametrize("make", [fin_wait1, fin_wait2])
def test_a_socket_that_has_only_shut_down_writing_still_reads(make):
    host = make()
    host.send("PA", 1, 1 if make is fin_wait1 else 2, data=b"late")
    assert host.conn.recv() == b"late"
    with fails("EPIPE"):
        host.conn.send(b"x")


# --- FINs that get lost ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "flags", "start", "seq", "ack"), [(fin_wait1, "FA", 2000, 1, 1), (last_ack, "FA", 2100, 1, 2)]
)
def test_a_fin_is_sent_again_as_data_is(make, flags, start, seq, ack):
    host = make()
    host.run(6 * SECOND)
    out = host.taken()
    assert [at // MS - start for at, _ in out] == [210, 630, 1470, 3150]
    assert {host.shown(0, segment)["flags"] for _, segment in out} == {flags}
    assert {(host.shown(0, segment)["seq"], host.shown(0, segment)["ack"]) for _, segment in out} == {
        (seq, ack)
    }


def test_a_fin_that_was_received_twice_says_so_by_sack():
    host = close_wait(opts=FULL)
    host.send("FA", 1, 1, at=3 * SECOND, ts=(120, 0))
    host.expect("3 A seq 1 ack 2 <nop, nop, TS 2000 120, nop, nop, sack 1-2>")


# --- orphans --------------------------------------------------------------------------------------------


def test_an_orphan_gives_up_after_eight_repeats():
    host = fin_wait1(orphan=True)
    host.run(500 * SECOND)
    assert [at // MS - 2000 for at, _ in host.taken()] == [210 * (2**n - 1) for n in range(1, 9)]
    assert host.table() == [LISTEN]
    assert host.moved()["TCPAbortOnTimeout"] == 1


@pytest.mark.parametrize(("retries", "sent"), [(1, 2), (2, 3), (3, 4)])
def test_or_after_tcp_orphan_retries(retries, sent):
    # As long as that many doubled time-outs of 200 ms would take; its own are of 210 ms.
    host = fin_wait1(orphan=True, orphan_retries=retries)
    host.run(500 * SECOND)
    assert len(host.taken()) in (sent - 1, sent)
    assert host.table() == [LISTEN]


@pytest.mark.parametrize(("flags", "data"), [("PA", 10), ("FPA", 10)])
def test_data_for_an_orphan_draws_a_rst(flags, data):
    host = fin_wait1(orphan=True)
    assert host.send(flags, 1, 2, data=data) == "ABORT_ON_DATA"
    host.expect("2 R seq 2 ack zero win 0")
    assert host.table() == [LISTEN]
    assert host.moved()["TCPAbortOnData"] == 1


def test_with_a_negative_tcp_linger2_an_orphan_does_not_wait_for_the_peers_fin():
    host = established(options=[(sockopt.IPPROTO_TCP, sockopt.TCP_LINGER2, -1)])
    host.conn.close()
    host.fresh()
    assert host.send("A", 1, 2) == "ABORT_ON_DATA"
    host.expect("1.01 R seq 2 ack zero")
    assert host.table() == [LISTEN]


def test_an_orphan_still_delivers_its_data():
    host = established()
    whole = pattern(20_000)
    taken = host.conn.send(whole)
    host.conn.close()
    got = b""
    for _ in range(30):
        for _, segment in host.taken():
            got += segment.payload
            fin = segment.flags & 1
        if len(got) == taken and fin:
            break
        host.send("A", 1, 1 + len(got), at=host.now + 10 * MS)
    assert got == whole[:taken]
    assert host.send("A", 1, 2 + taken) == "ACKED"
    assert host.table() == ["FIN-WAIT-2 0 0 8080 41001", LISTEN]


def test_an_orphan_whose_window_never_opens_gives_up():
    host = established()
    host.send("A", 1, 1, win=0)
    host.conn.send(10)
    host.conn.close()
    host.run(1000 * SECOND)
    assert host.table() == [LISTEN]
    assert host.moved()["TCPWinProbe"] == 8


# --- before the connection is open ----------------------------------------------------------------------


def test_close_of_a_simultaneous_open_sends_its_fin_at_once():
    host = crossed()
    host.conn.close()
    [(_, segment)] = host.taken()
    assert segment.flags & 1
    assert host.changes()[-1] == ("SYN_RECV", "FIN_WAIT1")


def test_shutdown_of_a_simultaneous_open_waits_until_it_is_open():
    host = crossed()
    host.conn.shutdown(1)
    host.expect()
    host.send("A", 1, 1, at=1020 * MS)
    host.expect("1.02 FA seq 1 ack 1")
    assert host.changes()[-2:] == [("SYN_RECV", "ESTABLISHED"), ("ESTABLISHED", "FIN_WAIT1")]


def test_the_peer_may_close_before_accept():
    host = syn_recv()
    host.send("FPA", 1, 1, data=b"hello", at=1010 * MS)
    child = host.accept()
    assert child.state == "CLOSE_WAIT"
    assert (child.recv(), child.recv()) == (b"hello", b"")
    assert child.send(b"hi") == 2


# --- more orphans than there may be ---------------------------------------------------------------------


def closed_one_after_another(count, apart=200 * MS, **settings):
    """As many connections, each accepted, then closed with so much time between them."""
    host = listening(**settings)
    children = []
    for port in range(41001, 41001 + count):
        host.send("S", port=port, opts=MSS)
        host.send("A", 1, 1, port=port)
        children.append(host.accept())
    host.fresh()
    for number, child in enumerate(children):
        host.run(1 * SECOND + number * apart)
        child.close()
    return host


def test_an_orphan_beyond_tcp_max_orphans_is_reset_at_close():
    host = closed_one_after_another(3, apart=60 * MS, max_orphans=1)
    assert [(at, flag_letters(segment.flags)) for at, segment in host.taken() if segment.dport == 41003] == [
        (1120 * MS, "FA"),
        (1120 * MS, "RA"),
    ]
    assert host.moved()["TCPAbortOnMemory"] == 1
    assert host.host.tables.host.orphans == 2


def test_the_sum_is_of_the_last_tenth_of_a_second():
    host = closed_one_after_another(3, apart=0, max_orphans=1)
    assert "TCPAbortOnMemory" not in host.moved()


def test_a_timer_of_an_orphan_ends_it_where_there_are_too_many():
    host = closed_one_after_another(3, apart=0, max_orphans=1)
    host.run(2 * SECOND)
    assert host.moved()["TCPAbortOnMemory"] == 3  # each at its first time-out, within one tenth of a second
    assert host.host.tables.host.orphans == 0


def test_no_orphan_is_left_over():
    host = closed_one_after_another(3)
    host.run(500 * SECOND)
    assert host.host.tables.host.orphans == 0
    host = fin_wait2(options=[(sockopt.IPPROTO_TCP, sockopt.TCP_LINGER2, -1)])
    host.conn.close()
    assert host.host.tables.host.orphans == 0


# --- SO_LINGER ------------------------------------------------------------------------------------------


def lingering(seconds=2, host=None):
    """close() was called at 1.01 s and waits."""
    host = host or established()
    host.conn.sock.linger(True, seconds)
    host.conn.close()
    return host


def left_over(host):
    """Whether close() still waits, and how many orphans there are."""
    return host.conn.sock.lingering, host.host.tables.host.orphans


def test_close_waits_until_its_fin_is_acknowledged_and_only_then_is_there_a_bucket():
    host = lingering()
    assert left_over(host) == (True, 0)
    assert host.table() == ["FIN-WAIT-1 0 1 8080 41001", LISTEN]
    host.host.woken()
    host.send("A", 1, 2, at=1500 * MS)
    assert left_over(host) == (False, 0)
    assert host.host.woken() == [host.conn.sock]
    assert host.table() == ["FIN-WAIT-2 0 0 8080 41001", LISTEN]


def test_an_ack_of_some_of_the_data_does_not_end_the_wait():
    host = established()
    host.conn.send(2000)
    lingering(host=host)
    host.send("A", 1, 1461, at=1100 * MS)
    assert left_over(host) == (True, 0)
    host.send("A", 1, 2002, at=1200 * MS)
    assert left_over(host) == (False, 0)


def test_after_so_many_seconds_it_waits_no_longer_and_leaves_an_orphan():
    host = lingering(3)
    assert ("close() waits no longer", 4010 * MS) in [(one.what, one.due) for one in host.host.pending()]
    host.run(4009 * MS)
    assert left_over(host) == (True, 0)
    host.run(4010 * MS)
    assert left_over(host) == (False, 1)


def test_a_negative_number_of_seconds_is_for_ever():
    host = lingering(-1)
    host.run(20 * SECOND)
    assert left_over(host) == (True, 0)


@pytest.mark.parametrize("more", [("R", 1), ("FA", 1, 2), ("PA", 1, 1, {"size": 5})])
def test_whatever_ends_the_connection_ends_the_wait(more):
    host = lingering()
    *segment, options = more if isinstance(more[-1], dict) else (*more, {})
    host.send(*segment, at=1500 * MS, **({"data": b"xxxxx"} if options else {}))
    assert left_over(host) == (False, 0)


def test_the_end_of_a_process_waits_for_nothing():
    host = established()
    host.conn.sock.linger(True, 5)
    host.conn.sock.close(1010 * MS, exiting=True)
    assert left_over(host) == (False, 1)


@pytest.mark.parametrize("make", [fin_wait2, close_wait])
def test_only_a_fin_that_is_not_acknowledged_is_waited_for(make):
    host = lingering(host=make())
    assert host.conn.sock.lingering == (make is close_wait)
