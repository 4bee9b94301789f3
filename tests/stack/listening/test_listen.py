"""listen(), its two queues and its end. FACTS of Linux 6.18: A > N, Q > N, so each queue holds one more than asked."""

import dataclasses

import pytest

from tcpemu.stack.base import socket_constants as sockopt
from tcpemu.stack.base.generation import QueueRules
from tcpemu.testing.bench import FULL, MS, SECOND, Bench, fails, listening, syn_recv, unaccepted
from tcpemu.testing.bench.bench_values import GENERATION, PORT


def half_open(host, *ports, **fields):
    """A SYN from each port; their verdicts."""
    return [host.send("S", port=port, **fields) for port in ports]


def complete(host, *ports):
    """A handshake from each port; the verdicts of the final ACKs."""
    verdicts = []
    for port in ports:
        host.send("S", port=port)
        verdicts.append(host.send("A", 1, 1, port=port))
    return verdicts


# --- the limit ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("backlog", "somaxconn", "limit"),
    [
        *[(5, 4096, 5), (0, 4096, 0), (4096, 4096, 4096), (4097, 4096, 4096), (2**31 - 1, 4096, 4096)],
        *[(-1, 4096, 4096), (-(2**31), 4096, 4096), (7, 3, 3), (7, 0, 0), (0, 0, 0), (-1, 0, 0)],
        (100_000, 2**31 - 1, 100_000),
    ],
)
def test_the_backlog_is_clamped_to_somaxconn_and_a_negative_one_is_huge(backlog, somaxconn, limit):
    host = listening(backlog, somaxconn=somaxconn)
    assert host.queues() == (0, 0, limit)
    assert host.table() == [f"LISTEN 0 {limit} 8080 *"]


def test_somaxconn_is_read_at_listen_only():
    host = listening(10)
    host.host.set_sysctl("net.core.somaxconn", 3)
    assert host.queues() == (0, 0, 10)
    host.listener.listen(10)
    assert host.queues() == (0, 0, 3)


def test_a_generation_may_clamp_and_count_otherwise():
    old = dataclasses.replace(
        GENERATION,
        name="something else",
        clamp_backlog=lambda backlog, _: min(max(backlog, 1), 2),
        queues=QueueRules(
            syn_full=lambda queues, _: queues.syn_queue >= 2 * queues.backlog,
            full_for_syn=lambda queues: queues.accepting >= queues.backlog,
            full_for_ack=lambda queues: queues.accepting >= queues.backlog,
        ),
    )
    host = listening(9, generation=old, syncookies=0)
    assert host.queues() == (0, 0, 2)
    assert half_open(host, 1, 2, 3, 4, 5) == ["SYN_QUEUED"] * 4 + ["SYN_QUEUE_FULL"]
    assert [host.send("A", 1, 1, port=port) for port in (1, 2, 3)] == [
        "HANDSHAKE_DONE",
        "HANDSHAKE_DONE",
        "ACCEPT_QUEUE_FULL",
    ]


def test_listen_again_changes_the_limit_at_once_and_nothing_else():
    host = listening(3, syncookies=0)
    complete(host, 1, 2, 3)
    half_open(host, 4, 5)
    host.listener.listen(1)
    assert host.queues() == (3, 2, 1)
    assert host.send("S", port=6) == "SYN_QUEUE_FULL"
    assert host.send("A", 1, 1, port=4) == "ACCEPT_QUEUE_FULL"
    host.listener.listen(5)
    assert host.queues() == (3, 2, 5)
    assert host.send("A", 1, 1, port=4) == "HANDSHAKE_DONE"
    assert host.send("S", port=6) == "SYN_QUEUED"
    assert host.changes().count(("CLOSE", "LISTEN")) == 1


def test_listen_without_bind_takes_a_free_port():
    host = Bench()
    one, two = host.socket(), host.socket()
    one.listen(1)
    two.listen(1)
    ports = {one.sock.local[1], two.sock.local[1]}
    assert len(ports) == 2
    assert all(32768 <= port <= 60999 for port in ports)


# --- the accept queue -----------------------------------------------------------------------------------


@pytest.mark.parametrize("backlog", [0, 1, 2, 5])
def test_the_accept_queue_holds_one_more_than_the_backlog(backlog):
    host = listening(backlog, syncookies=0)
    ports = range(1, backlog + 2)
    assert complete(host, *ports) == ["HANDSHAKE_DONE"] * (backlog + 1)
    host.fresh()
    assert host.send("S", port=99) == "ACCEPT_QUEUE_FULL_SYN"
    host.expect()
    assert host.moved() == {"ListenOverflows": 1, "ListenDrops": 1}
    assert host.queues() == (backlog + 1, 0, backlog)
    assert host.table() == sorted(
        [f"LISTEN {backlog + 1} {backlog} 8080 *", *(f"ESTAB 0 0 8080 {port}" for port in ports)]
    )
    host.accept()
    assert host.send("S", port=99) == "SYN_QUEUED"


def test_accept_takes_them_in_the_order_of_completion():
    host = listening(5)
    half_open(host, 1, 2, 3)
    for port in (2, 3, 1):
        host.send("A", 1, 1, port=port)
    assert [host.accept().sock.remote[1] for _ in range(3)] == [2, 3, 1]
    with fails("EAGAIN"):
        host.accept()


def test_a_connection_that_is_reset_before_accept_still_counts_and_is_still_returned():
    host = unaccepted(0)
    assert host.send("R", 1) == "RESET"
    assert host.queues() == (1, 0, 0)
    assert host.table() == ["LISTEN 1 0 8080 *"]
    assert host.send("S", port=2) == "ACCEPT_QUEUE_FULL_SYN"
    child = host.accept()
    assert child.state == "CLOSE"
    assert child.sock.remote[1] == 41001
    with fails("ECONNRESET"):
        child.recv()
    assert child.recv() == b""
    with fails("EPIPE"):
        child.send(b"x")
    assert host.queues() == (0, 0, 0)


def test_data_that_came_before_the_reset_is_read_first():
    # tcp_reset purges what was to be sent, not what was received.
    host = unaccepted(0)
    host.send("PA", 1, 1, data=b"hello")
    host.send("R", 6)
    child = host.accept()
    assert child.recv() == b"hello"
    with fails("ECONNRESET"):
        child.recv()


# --- the SYN queue --------------------------------------------------------------------------------------


@pytest.mark.parametrize("backlog", [0, 1, 4, 10])
def test_the_syn_queue_holds_one_more_than_the_backlog(backlog):
    host = listening(backlog, syncookies=0)
    assert half_open(host, *range(1, backlog + 2)) == ["SYN_QUEUED"] * (backlog + 1)
    host.fresh()
    assert host.send("S", port=99) == "SYN_QUEUE_FULL"
    host.expect()
    # ListenOverflows does not move.
    assert host.moved() == {"TCPReqQFullDrop": 1, "ListenDrops": 1}
    assert host.queues() == (0, backlog + 1, backlog)


@pytest.mark.parametrize("backlog", [0, 1, 4, 10])
def test_beyond_it_there_are_cookies(backlog):
    host = listening(backlog)
    half_open(host, *range(1, backlog + 2))
    host.fresh()
    assert host.send("S", port=99) == "SYN_COOKIE"
    assert host.moved() == {"TCPReqQFullDoCookies": 1, "SyncookiesSent": 1}
    host.expect("0 SA to 99 seq 0 ack 1 win 64240 <mss 1460>")
    assert host.queues() == (0, backlog + 1, backlog)


def test_the_queues_do_not_count_each_others_entries():
    host = listening(20, syncookies=0)
    complete(host, 1, 2, 3)
    half_open(host, 4, 5, 6)
    host.listener.listen(2)
    assert host.queues() == (3, 3, 2)
    host.listener.listen(3)
    assert host.send("S", port=7) == "SYN_QUEUED"
    assert host.send("A", 1, 1, port=4) == "HANDSHAKE_DONE"
    assert host.queues() == (4, 3, 3)


@pytest.mark.parametrize(
    ("syncookies", "counters", "verdict"),
    [
        (0, {"TCPReqQFullDrop": 1, "ListenDrops": 1}, "SYN_QUEUE_FULL"),
        (1, {"TCPReqQFullDoCookies": 1, "ListenOverflows": 1, "ListenDrops": 1}, "ACCEPT_QUEUE_FULL_SYN"),
    ],
)
def test_with_both_queues_full_the_syn_queue_is_asked_first(syncookies, counters, verdict):
    host = listening(5, syncookies=syncookies)
    complete(host, 1, 2)
    half_open(host, 3, 4)
    host.listener.listen(1)
    host.fresh()
    assert host.send("S", port=99) == verdict
    host.expect()
    assert host.moved() == counters


@pytest.mark.parametrize(("limit", "capacity"), [(20, 16), (8, 7), (4, 4), (3, 4), (1, 2), (0, 1)])
def test_without_cookies_the_last_quarter_of_tcp_max_syn_backlog_is_for_known_peers(limit, capacity):
    host = listening(100, syncookies=0, max_syn_backlog=limit)
    assert half_open(host, *range(1, capacity + 1)) == ["SYN_QUEUED"] * capacity
    host.fresh()
    assert host.send("S", port=99) == "SYN_BACKLOG_LAST_QUARTER"
    host.expect()
    assert host.moved() == {"ListenDrops": 1}


def test_a_peer_is_known_once_a_connection_with_it_has_ended_well():
    host = listening(100, syncookies=0, max_syn_backlog=4)
    host.send("S", port=1, ip="10.0.0.7")
    host.send("A", 1, 1, port=1, ip="10.0.0.7", at=10 * MS)
    child = host.accept()
    host.send("FA", 1, 1, port=1, ip="10.0.0.7")
    child.close()
    host.send("A", 2, 2, port=1, ip="10.0.0.7", at=20 * MS)
    half_open(host, 1, 2, 3, 4)
    assert host.send("S", port=5) == "SYN_BACKLOG_LAST_QUARTER"
    assert host.send("S", port=5, ip="10.0.0.7") == "SYN_QUEUED_KNOWN_PEER"


def test_with_cookies_tcp_max_syn_backlog_is_not_asked():
    host = listening(100, max_syn_backlog=4)
    assert half_open(host, *range(1, 20)) == ["SYN_QUEUED"] * 19


def young(host):
    return host.host.tables.listeners[PORT][0].young


def test_a_request_is_young_until_its_timer_fires():
    host = listening(5)
    half_open(host, 1, 2, 3)
    assert young(host) == 3
    host.send("A", 1, 1, port=1)
    assert (host.queues()[1], young(host)) == (2, 2)
    host.run(1 * SECOND)
    assert (host.queues()[1], young(host)) == (2, 0)
    host.send("A", 1, 1, port=2)
    half_open(host, 4)
    assert (host.queues()[1], young(host)) == (2, 1)
    host.run(100 * SECOND)
    assert (host.queues()[1], young(host)) == (0, 0)


def test_every_change_of_a_queue_is_told():
    host = listening(1)
    half_open(host, 1)
    host.send("A", 1, 1, port=1)
    host.accept()
    half_open(host, 2)
    host.send("R", 1, port=2)
    host.listener.listen(7)
    told = [
        (event.accept, event.syn, event.backlog)
        for event in host.events
        if type(event).__name__ == "QueueChanged"
    ]
    # A request leaves before its connection comes, and a listener says its limit when it begins.
    assert told == [(0, 0, 1), (0, 1, 1), (0, 0, 1), (1, 0, 1), (0, 0, 1), (0, 1, 1), (0, 0, 1), (0, 0, 7)]


# --- the end of a listener ------------------------------------------------------------------------------


def test_close_resets_what_nobody_has_accepted_in_the_order_of_acceptance():
    host = listening(9)
    half_open(host, 1, 2, 3)
    for port in (3, 1):
        host.send("A", 1, 1, port=port)
    host.send("PA", 1, 1, port=1, data=10)
    host.fresh()
    host.listener.close()
    host.expect("0 RA to 3 seq 1 ack 1 win 64240 <>", "0 RA to 1 seq 1 ack 11")
    assert host.moved() == {"EstabResets": 2, "OutRsts": 2}
    assert host.table() == ["SYN-RECV 0 0 8080 2"]
    assert host.queues() is None


def test_close_resets_connections_whose_peer_has_closed_and_carries_their_timestamps():
    host = unaccepted(opts=FULL)
    host.send("FA", 1, 1, at=1200 * MS, ts=(120, 0))
    host.run(1300 * MS)
    host.fresh()
    host.listener.close()
    host.expect("1.3 RA seq 1 ack 2 <nop, nop, TS 300 120>")


@pytest.mark.parametrize("end", ["close", "shutdown"])
def test_requests_outlive_their_listener_until_their_timer_fires(end):
    host = syn_recv()
    host.listener.close() if end == "close" else host.listener.shutdown(2)
    host.expect()
    assert host.table() == ["SYN-RECV 0 0 8080 41001"]
    host.run(1999 * MS)
    assert host.table() == ["SYN-RECV 0 0 8080 41001"]
    host.run(200 * SECOND)
    host.expect()
    assert host.table() == []
    # Nothing is counted, not even a time-out.
    assert host.moved() == {}


@pytest.mark.parametrize(
    ("flags", "seq", "ack", "answer"),
    [("A", 1, 1, "1.5 R seq 1 ack zero"), ("S", 0, None, "1.5 RA seq zero ack 1"), ("R", 1, None, None)],
)
def test_a_segment_for_a_request_whose_listener_is_gone_ends_it(flags, seq, ack, answer):
    host = syn_recv()
    host.listener.close()
    host.send(flags, seq, ack, at=1500 * MS)
    host.expect(*[answer] if answer else [])
    assert host.table() == []


def test_a_syn_for_such_a_request_goes_to_the_next_listener():
    host = syn_recv()
    host.listener.close()
    host.listener = host.listen(3)
    assert host.queues() == (0, 0, 3)
    assert host.send("S") == "SYN_QUEUED"
    assert host.queues() == (0, 1, 3)
    assert host.send("A", 1, 1) == "HANDSHAKE_DONE"


def test_shutdown_for_writing_does_nothing_to_a_listener():
    host = listening()
    host.listener.shutdown(1)
    assert complete(host, 1) == ["HANDSHAKE_DONE"]


@pytest.mark.parametrize("how", [0, 2])
def test_shutdown_for_reading_ends_the_listening(how):
    host = unaccepted()
    host.listener.shutdown(how)
    host.expect("1.01 RA seq 1 ack 1")
    assert host.listener.state == "CLOSE"
    assert host.listener.sock.readable
    with fails("EINVAL"):
        host.accept()
    assert host.send("S", port=2) == "NO_SOCKET"
    host.expect("1.01 RA to 2 seq zero ack 1")
    host.listener.listen(3)
    assert host.queues() == (0, 0, 3)
    with fails("EAGAIN"):
        host.accept()


def test_listening_again_revives_the_requests_that_are_left():
    host = syn_recv()
    host.listener.shutdown(2)
    host.listener.listen(4)
    assert host.queues() == (0, 1, 4)
    assert host.send("A", 1, 1, at=1500 * MS) == "HANDSHAKE_DONE"
    assert host.queues() == (1, 0, 4)
    assert host.accept().state == "ESTABLISHED"


def test_a_listener_on_one_address_is_preferred_to_one_on_any():
    host = Bench()
    any_address, one_address = host.socket(), host.socket()
    any_address.setsockopt(sockopt.SOL_SOCKET, sockopt.SO_REUSEPORT, 1)
    one_address.setsockopt(sockopt.SOL_SOCKET, sockopt.SO_REUSEPORT, 1)
    any_address.bind(PORT)
    one_address.bind(PORT, "10.0.0.1")
    any_address.listen(3)
    one_address.listen(4)
    assert complete(host, 1, 2, 3, 4, 5) == ["HANDSHAKE_DONE"] * 5
    assert accepted(one_address) == [1, 2, 3, 4, 5]
    one_address.close()
    complete(host, 6)
    assert accepted(any_address) == [6]


def sharing(*backlogs):
    """Several listeners on one port, by SO_REUSEPORT."""
    host = Bench()
    listeners = []
    for backlog in backlogs:
        listener = host.socket()
        listener.setsockopt(sockopt.SOL_SOCKET, sockopt.SO_REUSEPORT, 1)
        listener.bind(PORT)
        listener.listen(backlog)
        listeners.append(listener)
    return host, listeners


def accepted(listener):
    """The peers' ports of all that wait."""
    ports = []
    while listener.sock.readable:
        ports.append(listener.accept().sock.remote[1])
    return ports


def test_listeners_that_share_a_port_are_chosen_by_the_flow_alone():
    host, (one, two) = sharing(100, 100)
    complete(host, *range(1, 41))
    first, second = accepted(one), accepted(two)
    assert sorted(first + second) == list(range(1, 41))
    assert min(len(first), len(second)) > 8
    # So the same flow meets the same listener again, also when that one is full and the other is not.
    host, (one, two) = sharing(0, 100)
    complete(host, first[0])
    assert half_open(host, *first[1:]) == ["ACCEPT_QUEUE_FULL_SYN"] * (len(first) - 1)
    assert half_open(host, *second) == ["SYN_QUEUED"] * len(second)
