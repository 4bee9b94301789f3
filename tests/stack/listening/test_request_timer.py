"""SYN|ACKs sent again: when, how often, and when the request is given up. All in silence at the end."""

from dataclasses import replace
from itertools import accumulate

import pytest

from tcpemu.generations import generation
from tcpemu.stack.base import socket_constants as sockopt
from tcpemu.testing.bench import FULL, MS, MSS, SECOND, established, listening, syn_recv
from tcpemu.testing.bench.bench_values import PORT
from tcpemu.testing.bench.made_states import ack_of

DEFER = (sockopt.IPPROTO_TCP, sockopt.TCP_DEFER_ACCEPT)
SYNCNT = (sockopt.IPPROTO_TCP, sockopt.TCP_SYNCNT)


def waits(count):
    """1, 2, 4 .. 64, 120, 120 .. seconds."""
    return [min(2**n, 120) for n in range(count)]


def schedule(host, until, port=41001):
    """When SYN|ACKs went to a port, in seconds, when nothing else did."""
    host.run(until)
    out = host.taken()
    assert {int(segment.flags) for _, segment in out} <= {0x12}
    return [at / SECOND for at, segment in out if segment.dport == port]


def ends(host):
    """When requests were removed without a connection, in seconds."""
    return [
        event.at / SECOND
        for event in host.events
        if type(event).__name__ == "StateChanged"
        and (event.old.name, event.new.name) == ("SYN_RECV", "CLOSE")
    ]


@pytest.mark.parametrize("retries", range(9))
def test_they_go_out_after_1_2_4_seconds_and_the_request_dies_in_silence(retries):
    host = listening(synack_retries=retries)
    host.send("S")
    *times, end = accumulate(waits(retries + 1))
    assert schedule(host, 2000 * SECOND) == [0, *times]
    assert ends(host) == [end]
    assert host.moved() == {
        "TCPTimeouts": retries + 1,
        **({"RetransSegs": retries, "TCPSynRetrans": retries} if retries else {}),
    }
    assert host.table() == ["LISTEN 0 5 8080 *"]
    assert host.queues() == (0, 0, 5)


def test_by_default_they_go_out_at_1_3_7_15_31_and_end_at_63_seconds():
    host = listening()
    host.send("S")
    assert schedule(host, 62_999 * MS) == [0, 1, 3, 7, 15, 31]
    assert host.queues() == (0, 1, 5)
    host.run(63 * SECOND)
    assert host.queues() == (0, 0, 5)
    assert ends(host) == [63]


def test_repeats_are_numbered():
    host = listening()
    host.send("S")
    host.run(100 * SECOND)
    repeats = [event.repeat for event in host.events if type(event).__name__ == "Sent"]
    assert repeats == [0, 1, 2, 3, 4, 5]


def test_tcp_syncnt_of_the_listener_goes_before_the_sysctl():
    host = listening(options=[(*SYNCNT, 2)])
    host.send("S")
    assert schedule(host, 100 * SECOND) == [0, 1, 3]
    assert ends(host) == [7]


@pytest.mark.parametrize("name", ["rto_max_ms", "syn_linear_timeouts"])
def test_what_bounds_other_timers_does_not_touch_these(name):
    host = listening(**{name: {"rto_max_ms": 2000, "syn_linear_timeouts": 9}[name]})
    host.send("S")
    assert schedule(host, 100 * SECOND) == [0, 1, 3, 7, 15, 31]


def test_the_sysctl_is_read_at_each_firing():
    host = syn_recv()
    host.run(2 * SECOND)
    host.host.set_sysctl("net.ipv4.tcp_synack_retries", 1)
    host.fresh()
    assert schedule(host, 200 * SECOND) == []
    assert ends(host) == [4]


def test_who_answers_after_the_end_meets_a_rst():
    host = listening()
    host.send("S")
    host.run(70 * SECOND)
    host.fresh()
    assert host.send("PA", 1, 1, data=10) == "LISTENER_ACK"
    host.expect("70 R seq 1 ack zero win 0")


# --- the accept queue is full ---------------------------------------------------------------------------


@pytest.mark.parametrize("answers", [False, True])
def test_a_dropped_final_ack_does_not_stop_them(answers):
    host = listening(0)
    host.send("S", port=1)
    host.send("A", 1, 1, port=1)
    host.listener.listen(1)
    host.send("S")
    host.listener.listen(0)
    host.fresh()
    assert host.send("A", 1, 1, at=10 * MS) == "ACCEPT_QUEUE_FULL"
    times = []
    for until in (1, 3, 7, 15, 31):
        host.run(until * SECOND)
        if answers:
            assert host.send("A", 1, 1, at=host.now + 10 * MS) == "ACCEPT_QUEUE_FULL"
        times += host.times("SA")
    assert times == [1, 3, 7, 15, 31]
    assert host.table()[-1] == "SYN-RECV 0 0 8080 41001"
    host.run(63 * SECOND)
    host.expect()
    assert host.table()[-1] == "LISTEN 1 0 8080 *"
    count = 6 if answers else 1
    assert host.moved() == {
        "ListenDrops": count,
        "ListenOverflows": count,
        "RetransSegs": 5,
        "TCPSynRetrans": 5,
        "TCPTimeouts": 6,
    }


# --- duplicates of the SYN ------------------------------------------------------------------------------


def test_a_duplicate_syn_is_answered_and_begins_the_wait_anew():
    host = listening()
    host.send("S")
    assert host.send("S", at=100 * MS) == "DUPLICATE_SYN"
    assert host.send("S", at=200 * MS) == "DUPLICATE_SYN_LIMITED"
    assert host.send("S", at=700 * MS) == "DUPLICATE_SYN"
    assert host.moved() == {"RetransSegs": 2, "TCPSynRetrans": 2, "TCPACKSkippedSynRecv": 1}
    # The number of time-outs is still 0: a whole second follows, then 2, 4, 8, 16 and 32.
    assert schedule(host, 200 * SECOND) == [0, 0.1, 0.7, 1.7, 3.7, 7.7, 15.7, 31.7]
    assert ends(host) == [63.7]
    assert host.queues() == (0, 0, 5)


def test_a_duplicate_late_in_life_begins_a_wait_of_its_present_length():
    host = listening()
    host.send("S")
    host.send("S", at=10 * SECOND)
    assert schedule(host, 17_999 * MS) == [0, 1, 3, 7, 10]
    assert schedule(host, 200 * SECOND) == [18, 34]
    assert ends(host) == [66]


def test_a_client_that_never_stops_keeps_its_request_for_ever():
    host = listening()
    for second in range(100):
        host.send("S", at=second * 900 * MS)
    assert host.queues() == (0, 1, 5)
    assert "TCPTimeouts" not in host.moved()


# --- fewer repeats under load ---------------------------------------------------------------------------


def lives(host, ports):
    """How many SYN|ACKs each port got until the end."""
    host.run(200 * SECOND)
    counts = dict.fromkeys(ports, 0)
    for _, segment in host.taken():
        counts[segment.dport] += 1
    return list(counts.values())


@pytest.mark.parametrize(
    ("backlog", "requests", "shortened"),
    [(8, 5, 1), (8, 4, 0), (20, 21, 11), (20, 10, 0), (20, 11, 1), (2, 3, 0), (100, 51, 1)],
)
def test_when_old_requests_fill_half_the_queue_some_die_after_two_repeats(backlog, requests, shortened):
    host = listening(backlog)
    ports = range(1, requests + 1)
    for port in ports:
        host.send("S", port=port)
    # The first to fire die; when fewer are left than half the queue, the others live on.
    assert lives(host, ports) == [3] * shortened + [6] * (requests - shortened)
    assert sorted(set(ends(host))) == ([7, 63] if shortened else [63])
    assert host.queues() == (0, 0, backlog)


def test_young_requests_do_not_make_the_old_ones_die():
    # Q < 2 * Y: most of the queue is young.
    host = listening(10)
    host.send("S", port=1)
    host.send("S", port=2)
    host.run(6900 * MS)
    for port in range(10, 15):
        host.send("S", port=port)
    assert host.queues() == (0, 7, 10)
    assert host.host.tables.listeners[PORT][0].young == 5
    host.run(7 * SECOND)
    assert host.queues() == (0, 7, 10)


def test_two_repeats_are_left_whatever_the_load():
    host = listening(8, options=[(*SYNCNT, 1)])
    for port in range(1, 10):
        host.send("S", port=port)
    assert lives(host, range(1, 10)) == [2] * 9


# --- TCP_DEFER_ACCEPT -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0, 0),
        (-1, 0),
        (1, 1),
        (2, 3),
        (3, 3),
        (4, 7),
        (5, 7),
        (30, 31),
        (127, 127),
        (128, 247),
        (10**6, 29887),
    ],
)
def test_seconds_are_rounded_up_to_whole_timeouts(seconds, told):
    host = listening(options=[(*DEFER, seconds)])
    assert host.listener.getsockopt(*DEFER) == told


@pytest.mark.parametrize(
    ("seconds", "acked", "times", "end"),
    [
        (5, False, [0, 1, 3, 7, 15, 31], 63),
        (5, True, [0, 7, 15, 31], 63),
        (1, True, [0, 1, 3, 7, 15, 31], 63),
        (30, True, [0, 31], 63),
        (60, True, [0, 63], 127),
        (60, False, [0, 1, 3, 7, 15, 31], 63),
    ],
)
def test_a_client_that_has_acknowledged_is_left_alone_until_the_last_period(seconds, acked, times, end):
    host = listening(options=[(*DEFER, seconds)])
    host.send("S")
    if acked:
        assert host.send("A", 1, 1, at=10 * MS) == "DEFER_ACCEPT"
        assert host.moved() == {"TCPDeferAcceptDrop": 1}
    assert schedule(host, 300 * SECOND) == times
    assert ends(host) == [end]


def test_a_bare_ack_is_good_once_the_periods_are_over():
    host = listening(options=[(*DEFER, 5)])
    host.send("S")
    assert host.send("A", 1, 1, at=10 * MS) == "DEFER_ACCEPT"
    host.run(7 * SECOND)
    assert host.times("SA") == [0, 7]
    assert host.queues() == (0, 1, 5)
    assert host.send("A", 1, 1, at=7010 * MS) == "HANDSHAKE_DONE"
    assert host.queues() == (1, 0, 5)


@pytest.mark.parametrize(("flags", "data"), [("PA", 10), ("FA", 0), ("FPA", 10)])
def test_data_or_fin_make_the_connection_at_once(flags, data):
    host = listening(options=[(*DEFER, 5)])
    host.send("S")
    assert host.send("A", 1, 1, at=10 * MS) == "DEFER_ACCEPT"
    assert host.send(flags, 1, 1, data=data, at=20 * MS) == "HANDSHAKE_DONE"
    assert host.accept().state == ("CLOSE_WAIT" if "F" in flags else "ESTABLISHED")


def test_a_deferred_request_for_which_nothing_is_sent_says_so():
    host = listening(options=[(*DEFER, 5)])
    host.send("S")
    host.send("A", 1, 1, at=10 * MS)
    host.run(200 * SECOND)
    fired = [
        (event.at / SECOND, event.reason.name)
        for event in host.events
        if type(event).__name__ == "TimerFired"
    ]
    assert fired == [(1, "REQUEST_SILENT"), (3, "REQUEST_SILENT"), (63, "REQUEST_EXPIRED")]


def test_an_ack_that_the_accept_queue_had_no_room_for_counts_as_acknowledged_too():
    host = listening(1, options=[(*DEFER, 5)])
    host.send("S", port=1)
    host.send("PA", 1, 1, port=1, data=1)
    host.send("S")
    host.listener.listen(0)
    host.fresh()
    assert host.send("PA", 1, 1, data=1, at=10 * MS) == "ACCEPT_QUEUE_FULL"
    assert schedule(host, 300 * SECOND) == [7, 15, 31]


# --- what the repeats do to the connection --------------------------------------------------------------


@pytest.mark.parametrize(("repeats", "window"), [(0, 10), (1, 10), (2, 1), (3, 1)])
def test_a_handshake_that_took_two_repeats_begins_with_one_segment(repeats, window):
    host = listening()
    host.send("S", opts=MSS)
    host.send("A", 1, 1, at=(2**repeats - 1) * SECOND + 10 * MS)
    child = host.accept()
    host.fresh()
    child.send(20_000)
    assert len(host.taken()) == window


@pytest.mark.parametrize(("echo", "window"), [(0, 10), (1000, 1), (3000, 1)])
def test_unless_the_echo_is_of_the_first_which_was_only_slow(echo, window):
    host = listening()
    host.send("S", opts=FULL)
    host.send("A", 1, 1, at=3010 * MS, ts=(3110, echo))
    child = host.accept()
    host.fresh()
    child.send(20_000)
    assert len(host.taken()) == window


def test_without_a_round_trip_time_the_first_rto_is_3_seconds():
    host = listening()
    host.send("S", opts=MSS)
    host.send("A", 1, 1, at=1010 * MS)
    child = host.accept()
    host.fresh()
    child.send(100)
    host.run(20 * SECOND)
    assert host.times("PA") == [1.01, 4.01, 10.01]


def test_with_timestamps_the_echo_gives_the_round_trip_time_of_a_repeat():
    host = listening()
    host.send("S", opts=FULL)
    host.send("A", 1, 1, at=1050 * MS, ts=(1150, 1000))
    assert host.accept().sock.connection.rtt.srtt == 50_000 * 8
    # The echo of the first SYN|ACK says that it was only slow: 1.05 s.
    host = listening()
    host.send("S", opts=FULL)
    host.send("A", 1, 1, at=1050 * MS, ts=(1150, 0))
    assert host.accept().sock.connection.rtt.srtt == 1_050_000 * 8


def test_a_round_trip_time_of_a_syn_ack_sent_once_is_exact():
    host = established(opts=FULL)
    assert ack_of(FULL) == (110, 0)
    assert host.conn.sock.connection.rtt.srtt == 10_000 * 8
    assert host.conn.sock.connection.rtt.rto == 210 * MS


def test_a_slice_of_an_old_kernels_table_has_an_entry_at_least():
    """A table of 16 entries, looked at 30 times in the first time-out."""
    kernel = replace(generation("linux-3.0"), initial_rto=6 * SECOND)
    host = listening(generation=kernel)
    host.send("S")
    host.run(30 * SECOND)
    assert len(host.taken()) > 1
