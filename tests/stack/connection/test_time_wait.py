"""TIME_WAIT, and the bucket that an orphan in FIN_WAIT2 becomes.

The connection is in TIME_WAIT since 2.02 s; the peer's next number is 2, and so is the host's.
"""

import pytest

from tcpemu.stack.base import socket_constants as sockopt
from tcpemu.testing.bench import FULL, MS, MSS, SECOND, TS, fails, fin_wait1, fin_wait2, time_wait
from tcpemu.wire.options import Timestamps

TW = "TIME-WAIT 0 0 8080 41001"
LISTEN = "LISTEN 0 5 8080 *"


def ends(host):
    """When the flow was forgotten, in seconds; nothing was sent until then."""
    host.run(host.now + 500 * SECOND)
    host.expect()
    return [event.at / SECOND for event in host.events if type(event).__name__ == "TimerFired"]


def test_it_lasts_60_seconds():
    host = time_wait()
    assert host.table() == [LISTEN, TW]
    assert ends(host) == [62.02]
    assert host.table() == [LISTEN]
    assert host.changes()[-1] == ("TIME_WAIT", "CLOSE")


@pytest.mark.parametrize(("seconds", "name"), [(60, "TW"), (5, "TW"), (4, "TWKilled")])
def test_a_bucket_is_counted_when_it_is_made_a_short_one_as_killed(seconds, name):
    host = fin_wait1(orphan=True, fin_timeout=seconds)
    host.send("A", 1, 2)
    assert host.moved() == {name: 1}


def test_an_exact_bare_ack_begins_it_anew_in_silence():
    host = time_wait()
    assert host.send("A", 2, 2, at=30 * SECOND) == "TIME_WAIT_QUIET"
    assert ends(host) == [90]


def test_an_exact_rst_kills_it_unless_rfc_1337_is_heeded():
    host = time_wait()
    assert host.send("R", 2) == "TIME_WAIT_KILLED"
    assert host.table() == [LISTEN]
    host = time_wait(rfc1337=1)
    assert host.send("R", 2, at=30 * SECOND) == "TIME_WAIT_QUIET"
    assert ends(host) == [62.02]


@pytest.mark.parametrize("seq", [1, 3, 10**9])
def test_another_rst_does_nothing(seq):
    host = time_wait()
    assert host.send("R", seq, at=30 * SECOND) == "TIME_WAIT_QUIET"
    assert ends(host) == [62.02]


@pytest.mark.parametrize(
    ("flags", "seq", "ack", "data"),
    [
        ("FA", 1, 2, 0),
        ("PA", 2, 2, 10),
        ("PA", 500, 2, 10),
        ("A", 1, 1, 0),
        ("SA", 0, 2, 0),
        ("FPA", 0, 0, 99),
    ],
)
def test_anything_else_with_ack_draws_the_last_ack_again_and_begins_it_anew(flags, seq, ack, data):
    host = time_wait()
    assert host.send(flags, seq, ack, data=data, at=10 * SECOND) == "TIME_WAIT_ACK"
    host.expect("10 A seq 2 ack 2 win 64240 <>")
    assert ends(host) == [70]


def test_without_ack_it_is_answered_but_not_begun_anew():
    host = time_wait()
    assert host.send("S", 1, at=10 * SECOND) == "TIME_WAIT_OLD_SYN"
    host.expect("10 A seq 2 ack 2")
    assert ends(host) == [62.02]


def test_what_it_sends_has_no_ip_id_and_a_scaled_window_and_fresh_timestamps():
    host = time_wait(opts=FULL)
    host.send("FA", 1, 2, ts=(111, 0), at=3 * SECOND)
    [(_, segment)] = host.taken()
    assert (segment.ip_id, segment.window) == (0, 65536 >> 10)
    stamp = segment.options[2]
    assert (stamp.val - host.flow().stamp, stamp.ecr) == (2000, 111)


def test_bare_segments_are_answered_twice_a_second_at_most():
    host = time_wait()
    verdicts = [host.send("A", 1, 1, at=at * MS) for at in (3000, 3400, 3499, 3500, 3600)]
    assert verdicts == [
        "TIME_WAIT_ACK",
        "TIME_WAIT_LIMITED",
        "TIME_WAIT_LIMITED",
        "TIME_WAIT_ACK",
        "TIME_WAIT_LIMITED",
    ]
    host.expect("3 A", "3.5 A")
    assert host.moved() == {"TCPACKSkippedTimeWait": 3}
    # Data and FIN are answered always.
    assert [host.send("FA", 1, 2) for _ in range(3)] == ["TIME_WAIT_ACK"] * 3


def test_an_older_timestamp_is_answered_and_begins_it_anew():
    host = time_wait(opts=TS)
    assert host.send("S", 900, opts=(Timestamps(50, 0),), at=20 * SECOND) == "TIME_WAIT_OLD_SYN"
    host.expect("20 A seq 2 ack 2")
    assert host.moved() == {"PAWSTimewait": 1}
    assert ends(host) == [80]


def test_an_exact_ack_brings_the_timestamp_up_to_date():
    host = time_wait(opts=TS)
    assert host.send("A", 2, 2, ts=(500, 0)) == "TIME_WAIT_QUIET"
    assert host.send("S", 1, opts=(Timestamps(300, 0),)) == "TIME_WAIT_OLD_SYN"
    host.expect("2.02 A seq 2 ack 2 <nop, nop, TS 1020 500>")


@pytest.mark.parametrize(("at", "verdict"), [(62_010, "TIME_WAIT_QUIET"), (62_030, "TIME_WAIT_KILLED")])
def test_a_rst_with_an_older_timestamp_is_believed_once_the_last_one_is_a_minute_old(at, verdict):
    host = time_wait(opts=TS)
    # Without a timestamp this keeps it alive, and its timestamp as old as it is.
    host.send("A", 2, 2, at=40 * SECOND)
    assert host.send("R", 2, ts=(50, 0), at=at * MS) == verdict


# --- a new SYN takes the flow ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seq", "ts", "opens"),
    [
        *[(3, None, True), (10**6, None, True), (2**31 + 1, None, True), (2, None, False), (1, None, False)],
        (2**31 + 3, None, False),
    ],
)
def test_a_syn_beyond_the_next_number_opens_the_flow_anew(seq, ts, opens):
    host = time_wait()
    old = host.flow().isn
    verdict = host.send("S", seq, at=3 * SECOND, opts=MSS)
    assert verdict == ("TIME_WAIT_SYN_NEWER_NUMBER" if opens else "TIME_WAIT_OLD_SYN")
    if opens:
        [(_, segment)] = host.taken()
        # Beyond all that the old connection used.
        assert segment.seq == (old + 2 + 65537) % 2**32
        assert host.table() == [LISTEN, "SYN-RECV 0 0 8080 41001"]
        assert host.send("A", seq + 1, 1) == "HANDSHAKE_DONE"
        assert host.changes()[-3:] == [
            ("TIME_WAIT", "CLOSE"),
            ("CLOSE", "SYN_RECV"),
            ("SYN_RECV", "ESTABLISHED"),
        ]
    else:
        assert host.table() == [LISTEN, TW]


@pytest.mark.parametrize(("stamp", "opens"), [(112, True), (111, False), (110, False)])
def test_a_newer_timestamp_opens_it_whatever_the_number(stamp, opens):
    host = time_wait(opts=TS)
    verdict = host.send("S", 1, opts=(Timestamps(stamp, 0),))
    assert verdict == ("TIME_WAIT_SYN_NEWER_TIMESTAMP" if opens else "TIME_WAIT_OLD_SYN")


@pytest.mark.parametrize("flags", ["SA", "SR"])
def test_but_not_with_ack_or_rst(flags):
    host = time_wait()
    host.send(flags, 1000, 2)
    assert host.table() == [LISTEN, TW]


def test_without_a_listener_it_is_answered_by_the_ack_too():
    host = time_wait()
    host.listener.close()
    assert host.send("S", 1000) == "TIME_WAIT_SYN_UNHEARD"
    host.expect("2.02 A seq 2 ack 2")
    assert host.table() == [TW]


def test_it_skips_the_test_of_the_syn_queue():
    host = time_wait(backlog=0, syncookies=0)
    host.send("S", port=1)
    assert host.send("S", port=2) == "SYN_QUEUE_FULL"
    assert host.send("S", 1000) == "TIME_WAIT_SYN_NEWER_NUMBER"
    assert host.queues() == (0, 2, 0)


def test_but_not_of_the_accept_queue_and_then_both_are_lost():
    host = time_wait(backlog=0)
    host.send("S", port=1)
    host.send("A", 1, 1, port=1)
    host.fresh()
    assert host.send("S", 1000) == "ACCEPT_QUEUE_FULL_SYN"
    host.expect()
    assert host.moved() == {"ListenDrops": 1, "ListenOverflows": 1}
    assert TW not in host.table()


def test_and_never_gets_a_cookie_even_if_all_others_do():
    host = time_wait(backlog=5)
    host.host.set_sysctl("net.ipv4.tcp_syncookies", 2)
    assert host.send("S", 1000) == "TIME_WAIT_SYN_NEWER_NUMBER"


# --- an orphan in FIN_WAIT2 -----------------------------------------------------------------------------


def orphan(**settings):
    host = fin_wait2(orphan=True, **settings)
    assert host.table() == ["FIN-WAIT-2 0 0 8080 41001", LISTEN]
    return host


@pytest.mark.parametrize(("settings", "end"), [({}, 62.01), ({"fin_timeout": 10}, 12.01)])
def test_it_is_given_up_after_tcp_fin_timeout(settings, end):
    host = orphan(**settings)
    assert ends(host) == [end]
    assert host.changes()[-1] == ("FIN_WAIT2", "CLOSE")


@pytest.mark.parametrize(("seconds", "end"), [(5, 7.01), (120, 122.01)])
def test_or_after_tcp_linger2(seconds, end):
    host = orphan(options=[(sockopt.IPPROTO_TCP, sockopt.TCP_LINGER2, seconds)])
    assert ends(host) == [end]


def test_a_negative_tcp_linger2_resets_at_once():
    host = fin_wait2(options=[(sockopt.IPPROTO_TCP, sockopt.TCP_LINGER2, -1)])
    host.conn.close()
    host.expect("2.01 RA seq 2 ack 1")
    assert host.moved() == {"TCPAbortOnLinger": 1, "OutRsts": 1}
    assert host.table() == [LISTEN]


@pytest.mark.parametrize("flags", ["PA", "FPA"])
def test_data_draws_a_rst(flags):
    host = orphan()
    host.send(flags, 1, 2, data=10, at=3 * SECOND)
    host.expect("3 R seq 2 ack zero")
    assert host.table() == [LISTEN]


def test_its_fin_begins_time_wait():
    host = orphan()
    assert host.send("FA", 1, 2, at=10 * SECOND) == "TIME_WAIT_FIN"
    host.expect("10 A seq 2 ack 2")
    assert host.table() == [LISTEN, TW]
    assert host.changes()[-1] == ("FIN_WAIT2", "TIME_WAIT")
    assert ends(host) == [70]


@pytest.mark.parametrize(("flags", "seq", "data"), [("A", 1, 0), ("", 1, 0), ("F", 1, 0), ("P", 1, 5)])
def test_nothing_new_is_dropped(flags, seq, data):
    host = orphan()
    assert host.send(flags, seq, 2 if "A" in flags else None, data=data, at=10 * SECOND) == "TIME_WAIT_QUIET"
    assert ends(host) == [62.01]


@pytest.mark.parametrize(
    ("flags", "seq", "data"), [("A", 0, 0), ("PA", 0, 1), ("A", 10**6, 0), ("R", 10**6, 0)]
)
def test_what_is_out_of_its_window_is_answered(flags, seq, data):
    host = orphan()
    assert host.send(flags, seq, 2, data=data, at=10 * SECOND) == "TIME_WAIT_ACK"
    host.expect("10 A seq 2 ack 1")
    assert ends(host) == [62.01]


def test_bare_ones_twice_a_second_at_most():
    host = orphan()
    assert host.send("A", 0, 2) == "TIME_WAIT_ACK"
    assert host.send("A", 0, 2) == "TIME_WAIT_LIMITED"
    assert host.moved() == {"TCPACKSkippedFinWait2": 1}


def test_a_syn_resets_and_ends_it():
    host = orphan()
    assert host.send("S", 1) == "TIME_WAIT_RST"
    host.expect("2.01 RA seq zero ack 2")
    assert host.table() == [LISTEN]


def test_a_rst_kills_it():
    host = orphan()
    assert host.send("R", 1) == "TIME_WAIT_KILLED"
    assert host.table() == [LISTEN]


def test_with_an_owner_fin_wait2_waits_for_ever():
    host = fin_wait2()
    host.run(5000 * SECOND)
    assert host.conn.state == "FIN_WAIT2"
    host.expect()
    host.conn.close()
    assert host.table()[0] == "FIN-WAIT-2 0 0 8080 41001"
    host.run(5060 * SECOND)
    assert host.table() == [LISTEN]


# --- connect() in the place of a TIME_WAIT --------------------------------------------------------------


REUSE = [(sockopt.SOL_SOCKET, sockopt.SO_REUSEADDR, 1)]


def connecting_again(host, own_port=True, at=5 * SECOND):
    """connect() to the same peer from the same port, chosen by the program or the only one that there is."""
    host.listener.close()
    host.run(at)
    sock = host.socket()
    if own_port:
        sock.setsockopt(sockopt.SOL_SOCKET, sockopt.SO_REUSEADDR, 1)
        sock.bind(8080)
    host.fresh()
    with fails("EINPROGRESS"):
        sock.connect()
    return sock


def test_a_port_that_the_program_chose_is_taken_over_where_both_had_timestamps():
    host = time_wait(opts=TS, options=REUSE, tw_reuse=0)
    old = host.flow().isn + 2
    connecting_again(host, at=2030 * MS)
    [(_, syn)] = host.taken()
    assert syn.seq == old + 65537  # beyond all that the old connection used
    [stamps] = [option for option in syn.options if isinstance(option, Timestamps)]
    assert stamps.ecr == 111  # the peer's last one
    assert host.table()[-1] == "SYN-SENT 0 1 8080 41001"
    assert host.moved()["TWRecycled"] == 1


def test_without_timestamps_it_is_not():
    host = time_wait(options=REUSE, tw_reuse=1)
    host.listener.close()
    sock = host.socket()
    sock.setsockopt(sockopt.SOL_SOCKET, sockopt.SO_REUSEADDR, 1)
    sock.bind(8080)
    with fails("EADDRNOTAVAIL"):
        sock.connect()


@pytest.mark.parametrize(
    ("settings", "at", "taken"),
    [
        ({"tw_reuse": 1}, 3020, False),
        ({"tw_reuse": 1}, 3021, True),
        ({"tw_reuse": 1, "tw_reuse_delay": 300}, 2321, True),
        ({"tw_reuse": 2}, 9000, False),  # the default: on loopback only
        ({"tw_reuse": 0}, 9000, False),
    ],
)
def test_a_port_that_the_kernel_chooses_is_taken_over_by_tcp_tw_reuse_after_its_delay(settings, at, taken):
    """Asked of a Linux 6.18 on loopback: with 2 from 1.0 s on, with a delay of 300 ms from 0.3 s on, never with 0."""
    host = time_wait(opts=TS, ip_local_port_range=(8080, 8080), **settings)
    if taken:
        connecting_again(host, own_port=False, at=at * MS)
        assert host.moved()["TWRecycled"] == 1
    else:
        host.listener.close()
        host.run(at * MS)
        with fails("EADDRNOTAVAIL"):
            host.socket().connect()


def test_as_many_as_tcp_max_tw_buckets_allows():
    host = fin_wait2(max_tw_buckets=1)
    host.conn.close()
    assert sorted(host.table()) == ["FIN-WAIT-2 0 0 8080 41001", LISTEN]
    host.send("S", port=41002, opts=MSS)
    host.send("A", 1, 1, port=41002)
    other = host.accept()
    other.shutdown(1)
    host.send("A", 1, 2, port=41002)
    host.fresh()
    other.close()
    assert host.moved() == {"TCPTimeWaitOverflow": 1}
    assert sorted(host.table()) == ["FIN-WAIT-2 0 0 8080 41001", LISTEN]
    ends(host)
    assert host.host.tables.host.time_waits == 0
