"""What a host tells about itself: events, reasons, counters. And that the same seed gives the same bytes."""

import dataclasses
from contextlib import suppress

import pytest

from tcpemu.generations import generation
from tcpemu.stack import REASONS, Counted, Outcome, QueueChanged, Sent, StateChanged, TimerFired, Verdict
from tcpemu.stack.base import socket_constants as sockopt
from tcpemu.stack.base.errors import SocketError
from tcpemu.stack.base.events import IcmpArrived
from tcpemu.stack.sockets.message_flags import MSG_FASTOPEN
from tcpemu.testing.bench import (
    FULL,
    MS,
    MSS,
    SACK,
    SECOND,
    TS,
    Bench,
    close_wait,
    closed_window,
    connected,
    crossed,
    established,
    fin_wait1,
    fin_wait2,
    last_ack,
    listening,
    syn_recv,
    syn_sent,
    time_wait,
    unaccepted,
)
from tcpemu.testing.bench.bench_values import GENERATION
from tcpemu.wire.codec import encode
from tcpemu.wire.options import FastOpen, Garbage, Timestamps
from tcpemu.wire.refused import Refused, RefusedReason
from tcpemu.wire.segment import address
from tests.stack.connection.test_icmp import icmp

# --- one event after the other --------------------------------------------------------------------------


def told(host):
    """The events so far, each as a short tuple; those of counters left out."""
    lines = []
    for event in host.events:
        match event:
            case Verdict(at, segment, outcome, reason):
                lines.append((at // MS, outcome.value, reason.name))
                assert segment is not None
            case Sent(at, _, reason, repeat):
                lines.append((at // MS, "sent", reason.name, repeat))
            case StateChanged(at, _, old, new, _):
                lines.append((at // MS, old.name, new.name))
            case QueueChanged(at, port, accept, syn, backlog):
                lines.append((at // MS, port, accept, syn, backlog))
            case TimerFired(at, _, reason):
                lines.append((at // MS, "timer", reason.name))
    return lines


def test_the_story_of_an_ignored_ack():
    host = listening(0, synack_retries=1)
    host.send("S", port=1)
    host.send("S", port=2, at=10 * MS)
    assert told(host)[-1] == (10, "answered", "SYN_COOKIE")
    host.send("A", 1, 1, port=2, at=20 * MS)
    host.send("A", 1, 1, port=1, at=30 * MS)
    host.run(10 * SECOND)
    assert told(host) == [
        (0, "CLOSE", "LISTEN"),
        (0, 8080, 0, 0, 0),
        (0, "CLOSE", "SYN_RECV"),
        (0, 8080, 0, 1, 0),
        (0, "sent", "SYN_ACK", 0),
        (0, "accepted", "SYN_QUEUED"),
        (10, "sent", "SYN_ACK_COOKIE", 0),
        (10, "answered", "SYN_COOKIE"),
        (20, 8080, 1, 1, 0),
        (20, "SYN_RECV", "ESTABLISHED"),
        (20, "accepted", "COOKIE_GOOD"),
        (30, "dropped", "ACCEPT_QUEUE_FULL"),
        (1000, "sent", "SYN_ACK_AGAIN", 1),
        (3000, "timer", "REQUEST_EXPIRED"),
        (3000, 8080, 1, 0, 0),
        (3000, "SYN_RECV", "CLOSE"),
    ]


def test_the_story_of_a_connection():
    host = established()
    host.events.clear()
    host.conn.send(10)
    host.send("A", 1, 11, at=1100 * MS)
    host.conn.close()
    host.send("FA", 1, 12, at=1200 * MS)
    host.run(100 * SECOND)
    assert told(host) == [
        (1010, "sent", "DATA_SENT", 0),
        (1100, "accepted", "ACKED"),
        (1100, "ESTABLISHED", "FIN_WAIT1"),
        (1100, "sent", "FIN_SENT", 0),
        (1200, "FIN_WAIT1", "FIN_WAIT2"),
        (1200, "sent", "ACK", 0),
        (1200, "FIN_WAIT2", "TIME_WAIT"),
        (1200, "accepted", "FIN"),
        (61200, "timer", "TIME_WAIT_OVER"),
        (61200, "TIME_WAIT", "CLOSE"),
    ]


def test_flows_are_told_as_the_host_sees_them():
    host = syn_recv()
    [change] = [
        event for event in host.events if isinstance(event, StateChanged) and event.new.name == "SYN_RECV"
    ]
    assert change.flow == (address("10.0.0.2"), 41001, address("10.0.0.1"), 8080)


def test_timers_fire_at_their_own_time_however_late_the_driver_asks():
    host = syn_recv()
    host.host.advance(100 * SECOND)
    sent = [event.at / SECOND for event in host.host.events() if isinstance(event, Sent)]
    assert sent == [2, 4, 8, 16, 32]
    assert host.host.now == 100 * SECOND


def test_events_are_given_once():
    host = Bench()
    host.host.receive(host.segment("S"), 0)
    assert host.host.events()
    assert host.host.events() == []
    assert len(host.host.transmit()) == 1
    assert host.host.transmit() == []


def test_events_of_counters_add_up_to_the_counters():
    for host in (time_wait(), fin_wait1(orphan=True), listening(0, syncookies=2)):
        host.send("S", port=5)
        host.run(200 * SECOND)
        counters = {name: value for name, value in host.host.counters.items() if value}
        # Some counters move too often to be told one by one.
        told_of = {name: by for name, by in host.counted().items() if by}
        assert {name: counters[name] for name in told_of} == told_of
        silent = counters.keys() - told_of.keys()
        assert silent <= {"InSegs", "OutSegs"}


def test_current_connections_are_a_gauge():
    host = listening()
    gauge = []
    for step in (
        lambda: host.send("S"),
        lambda: host.send("A", 1, 1),
        lambda: host.send("FA", 1, 1),
        lambda: host.accept().close(),
    ):
        step()
        gauge.append(host.host.counters.get("CurrEstab", 0))
    assert gauge == [0, 1, 1, 0]


def test_segments_in_and_out_are_counted():
    host = established()
    host.conn.send(5000)
    host.send("A", 1, 1, at=1100 * MS)
    host.run(3 * SECOND)
    counters = host.host.counters
    sent = sum(isinstance(event, Sent) for event in host.events)
    repeats = sum(isinstance(event, Sent) and event.repeat > 0 for event in host.events)
    # tcp_output.c: __tcp_transmit_skb counts what is sent for the first time, and ACKs without data.
    assert (counters["InSegs"], counters["OutSegs"]) == (3, sent - repeats)
    assert counters["RetransSegs"] == repeats > 0


# --- every reason ---------------------------------------------------------------------------------------


def after(host, *sends, until=None):
    """A host that has got these segments."""
    for flags, *rest in sends:
        fields = rest.pop() if rest and isinstance(rest[-1], dict) else {}
        host.send(flags, *rest, **fields)
    if until is not None:
        host.run(until * SECOND)
    return host


def fast_opened(*sends, until=None, bits=0x202, **fields):
    """A host that a SYN with data has reached, by Fast Open, and these segments after it."""
    listener_option = (sockopt.IPPROTO_TCP, sockopt.TCP_FASTOPEN, 5)
    host = listening(options=[listener_option], fastopen=bits)
    return after(host, ("S", {"data": 10, **fields}), *sends, until=until)


def fast_open_client(*sends, bits=5):
    """A host that connects by Fast Open, and gets these segments."""
    host = Bench(fastopen=bits)
    client = host.socket()
    client.bind(8080)
    with suppress(SocketError):
        client.sendto(10, MSG_FASTOPEN)
    return after(host, *sends)


def full(cookies=0):
    host = listening(1, syncookies=cookies)
    after(host, ("S",), ("S", {"port": 1}), ("A", 1, 1, {"port": 1}))
    host.listener.listen(0)
    return host


def overflow(abort):
    host = full()
    host.host.set_sysctl("net.ipv4.tcp_abort_on_overflow", abort)
    return after(host, ("A", 1, 1))


def calling(host, *calls):
    for name, *arguments in calls:
        getattr(host.conn, name)(*arguments)
    return host


def probing_mtu():
    bench = established(mtu_probing=2)
    return after(calling(bench, ("send", 30000)), ("A", 1, 1 + 2 * 1460))


def ten_sent():
    """Ten segments are under way, on a connection with SACK."""
    return calling(established(opts=SACK), ("send", 14_600))


def sacked(count):
    """A segment by which the peer says that the first is missing of so many and one."""
    return "A", 1, 1, {"sack": [(1461, 1461 + 1460 * count)]}


def kept_alive():
    host = established()
    for name in (sockopt.TCP_KEEPIDLE, sockopt.TCP_KEEPINTVL, sockopt.TCP_KEEPCNT):
        host.conn.setsockopt(sockopt.IPPROTO_TCP, name, 1)
    host.conn.setsockopt(sockopt.SOL_SOCKET, sockopt.SO_KEEPALIVE, 1)
    return host


def no_window(**settings):
    return calling(established(win=0, **settings), ("send", 100))


def no_window_within_the_user_timeout():
    host = no_window()
    host.conn.setsockopt(sockopt.IPPROTO_TCP, sockopt.TCP_USER_TIMEOUT, 3000)
    return after(host, until=100)


def crowd_of_requests():
    """More than half of a queue is taken by requests that nobody answers."""
    return after(listening(16), *(("S", {"port": port}) for port in range(1, 13)), until=200)


def window_taken_back():
    """Data is under way when the peer closes its window, and then is silent."""
    host = calling(established(), ("send", 100))
    return after(host, ("A", 1, 1, {"win": 0}), until=1000)


def told_by_icmp(host, *error, **fields):
    icmp(host, *error, **fields)
    return host


def too_many_orphans(close_at):
    """Two connections are closed where one orphan may be, the second at that time; then their timers fire."""
    host = listening(max_orphans=0)
    for port in (41001, 41002):
        host.send("S", port=port, opts=MSS)
        host.send("A", 1, 1, port=port)
        host.accept().close()
        host.run(close_at)
    return after(host, until=5)


def closed_before_accept():
    host = unaccepted()
    host.listener.close()
    return host


def closed_in_fin_wait2(linger2):
    host = fin_wait2()
    host.conn.setsockopt(sockopt.IPPROTO_TCP, sockopt.TCP_LINGER2, linger2)
    return calling(host, ("close",))


def close_that_waits():
    host = established()
    host.conn.sock.linger(True, 5)
    return after(calling(host, ("close",)), until=10)


def known_peer():
    """A connection with the peer has ended well; then the last quarter is all there is."""
    host = after(last_ack(), ("A", 2, 2))
    host.host.set_sysctl("net.ipv4.tcp_syncookies", 0)
    host.host.set_sysctl("net.ipv4.tcp_max_syn_backlog", 4)
    for port in range(3, 8):
        host.send("S", port=port)
    return host


def syn_for_a_closed_listener():
    host = time_wait()
    host.listener.close()
    return after(host, ("S", 9))


def refused_octets(reason):
    host = Bench()
    host.give(Refused(reason, "as it were"))
    return host


def elsewhere():
    host = Bench()
    host.give(host.segment("S")._replace(dst=address("10.9.9.9")))
    return host


def closed_listener():
    host = syn_recv()
    host.listener.close()
    return after(host, until=10)


def no_room():
    """A kernel that tests the window less strictly finds out when the data is to be queued."""
    host, seq = closed_window(generation=dataclasses.replace(GENERATION, beyond_window=False))
    return after(host, ("PA", seq, 1, {"data": 100}))


def full_buffer(first=1, **settings):
    host = established(**settings)
    host.conn.setsockopt(sockopt.SOL_SOCKET, sockopt.SO_RCVBUF, 1)
    segments = [("PA", first + 1000 * number, 1, {"data": 1000, "win": 6000 - number}) for number in range(3)]
    return after(host, *segments)


def full_beyond_a_hole():
    return full_buffer(101)


def many_beyond_a_hole():
    host = established(opts=SACK)
    return after(host, *[("A", 1001 + 100 * number, 1, {"data": 100}) for number in range(5)], until=2)


def request_that_finds_no_room():
    host = syn_recv()
    host.host.set_queue_limit(0)
    return after(host, until=3)


def deferred(*sends, until=None):
    return after(syn_recv(options=[(sockopt.IPPROTO_TCP, sockopt.TCP_DEFER_ACCEPT, 5)]), *sends, until=until)


def cookie(*sends, backlog=5):
    return after(listening(backlog, syncookies=2), ("S",), *sends)


def full_of_cookies():
    return cookie(("S", {"port": 1}), ("A", 1, 1), ("A", 1, 1, {"port": 1}), backlog=0)


def cookie_of_a_request():
    host = after(listening(0), ("S", {"port": 1}), ("S",), ("R", 1, {"port": 1}))
    cookie = host.flow().isn
    host.send("S")
    host.flow().isn = cookie
    return after(host, ("A", 1, 1))


def paws_old_ack():
    host = established(opts=TS)
    return after(host, ("PA", 1, 1, {"data": 5, "ts": (200, 0)}), ("A", 1, 1, {"ts": (150, 0)}))


def old_kernel(name, *sends, backlog=1, until=None):
    return after(listening(backlog, generation=generation(name)), *sends, until=until)


def reading():
    host, _ = closed_window()
    host.conn.recv()
    return host


W, FAR = 64240, 10**6
OLD = {"opts": (Timestamps(50, 0),)}
BAD_ECHO = {"opts": (*MSS, Timestamps(50, 12345))}
AT_ONCE = [("R", 9), ("R", 9)]
WAYS = {
    "TCP_CSUM": lambda: refused_octets(RefusedReason.BAD_TCP_CHECKSUM),
    "TCP_AUTH_HDR": lambda: after(
        listening(generation="linux-6.18@debian"), ("S", 0, {"opts": (Garbage(b"\xfe\0\0\0\0"),)})
    ),
    "TCP_MINTTL": lambda: after(listening(options=[(0, 21, 65)]), ("S",)),
    "PKT_TOO_SMALL": lambda: refused_octets(RefusedReason.TRUNCATED),
    "NOT_LOCAL": elsewhere,
    "NO_SOCKET": lambda: after(Bench(), ("S",)),
    "NO_SOCKET_RST": lambda: after(Bench(), ("R",)),
    "SYN_QUEUED": lambda: after(listening(), ("S",)),
    "SYN_QUEUED_KNOWN_PEER": known_peer,
    "SYN_COOKIE": lambda: after(listening(0), ("S",), ("S", {"port": 2})),
    "SYN_COOKIE_ALWAYS": cookie,
    "SYN_QUEUE_FULL": lambda: after(listening(0, syncookies=0), ("S",), ("S", {"port": 2})),
    "ACCEPT_QUEUE_FULL_SYN": lambda: after(full(1), ("S", {"port": 2})),
    "NO_ROUTE": lambda: after(listening(routes=[]), ("S",)),
    "SYN_BACKLOG_LAST_QUARTER": lambda: after(
        listening(syncookies=0, max_syn_backlog=0), ("S",), ("S", {"port": 2})
    ),
    "LISTENER_RST": lambda: after(listening(), ("R",)),
    "LISTENER_ACK": lambda: after(listening(), ("A", 1, 1)),
    "LISTENER_ACK_RST": lambda: after(listening(), ("RA", 1, 1)),
    "LISTENER_SYN_FIN": lambda: after(listening(), ("SF",)),
    "LISTENER_FLAGS": lambda: after(listening(), ("F",)),
    "COOKIE_GOOD": lambda: cookie(("A", 1, 1)),
    "COOKIE_FLOW_TAKEN": cookie_of_a_request,
    "COOKIE_ACCEPT_QUEUE_FULL": full_of_cookies,
    "DUPLICATE_SYN": lambda: after(syn_recv(), ("S",)),
    "DUPLICATE_SYN_LIMITED": lambda: after(syn_recv(), ("S",), ("S",)),
    "REQUEST_BAD_ACK": lambda: after(syn_recv(), ("A", 1, 9)),
    "REQUEST_PAWS": lambda: after(syn_recv(opts=TS), ("A", 1, 1, OLD)),
    "REQUEST_TSECR": lambda: after(syn_recv(opts=TS), ("A", 1, 1, {"ts": (110, 9)})),
    "REQUEST_OUT_OF_WINDOW": lambda: after(syn_recv(), ("A", FAR, 1)),
    "REQUEST_REFUSED_QUIETLY": lambda: after(syn_recv(), ("R", FAR)),
    "REQUEST_RST_INEXACT": lambda: after(syn_recv(), ("R", 9)),
    "REQUEST_RST_LIMITED": lambda: after(syn_recv(), *AT_ONCE),
    "REQUEST_RST": lambda: after(syn_recv(), ("R", 1)),
    "REQUEST_SYN": lambda: after(syn_recv(), ("S", 1)),
    "REQUEST_NO_ACK": lambda: after(syn_recv(), ("F", 1)),
    "DEFER_ACCEPT": lambda: deferred(("A", 1, 1)),
    "ACCEPT_QUEUE_FULL": lambda: overflow(0),
    "ABORT_ON_OVERFLOW": lambda: overflow(1),
    "HANDSHAKE_DONE": unaccepted,
    "SYN_SENT_BAD_ACK": lambda: after(syn_sent(), ("SA", 0, 9)),
    "SYN_SENT_BAD_ACK_RST": lambda: after(syn_sent(), ("RA", 0, 9)),
    "SYN_SENT_TSECR": lambda: after(syn_sent(), ("SA", 0, 1, BAD_ECHO)),
    "SYN_SENT_TSECR_RST": lambda: after(syn_sent(), ("RA", 0, 1, BAD_ECHO)),
    "REFUSED": lambda: after(syn_sent(), ("RA", 0, 1)),
    "SYN_SENT_NO_SYN": lambda: after(syn_sent(), ("A", 0, 1)),
    "SYN_SENT_RST": lambda: after(syn_sent(), ("R", 0)),
    "CONNECTED": connected,
    "CROSSED_SYN": crossed,
    "PAWS": lambda: after(established(opts=TS), ("PA", 1, 1, {"data": 5, **OLD})),
    "PAWS_LIMITED": lambda: after(
        established(opts=TS), *[("A", 1, 1, {"opts": (Timestamps(2**31 + 200, 0),)})] * 2
    ),
    "PAWS_OLD_ACK": paws_old_ack,
    "OUT_OF_WINDOW": lambda: after(established(), ("A", FAR, 1)),
    "OUT_OF_WINDOW_LIMITED": lambda: after(established(), ("A", FAR, 1), ("A", FAR, 1)),
    "OUT_OF_WINDOW_RST": lambda: after(established(), ("R", FAR)),
    "RESET": lambda: after(established(), ("R", 1)),
    "CHALLENGE_RST": lambda: after(established(), ("R", 9)),
    "CHALLENGE_SYN": lambda: after(established(), ("S", 9)),
    "CHALLENGE_LIMITED": lambda: after(established(), *AT_ONCE),
    "TCP_FLAGS": lambda: after(established(), ("F", 1)),
    "ACK_UNSENT_DATA": lambda: after(established(), ("A", 1, 9)),
    "ACK_UNSENT_SILENT": lambda: after(established(generation="linux-6.12"), ("A", 1, 9)),
    "ACK_UNSENT_RST": lambda: after(crossed(), ("A", 1, 9)),
    "ACK_TOO_OLD": lambda: after(established(), ("A", 1, -FAR)),
    "ACK_CLOSING": lambda: after(fin_wait1(), ("A", 1, 9)),
    "ACKED": lambda: after(established(), ("A", 1, 1)),
    "DATA": lambda: after(established(), ("PA", 1, 1, {"data": 5})),
    "DATA_AHEAD": lambda: after(established(), ("PA", 9, 1, {"data": 5})),
    "OLD_DATA": lambda: after(close_wait(), ("FA", 1, 1)),
    "ZEROWINDOW": no_room,
    "PROTO_MEM": full_buffer,
    "PROTO_MEM_SILENT": lambda: full_buffer(generation="linux-5.10"),
    "PROTO_MEM_AHEAD": full_beyond_a_hole,
    "COMPRESSED_ACK": many_beyond_a_hole,
    "OVERWINDOW": lambda: after(established(), ("A", W + 1, 1, {"data": 5})),
    "FIN": lambda: after(established(), ("FA", 1, 1)),
    "ABORT_ON_DATA": lambda: after(fin_wait1(orphan=True), ("PA", 1, 1, {"data": 5})),
    "LAST_ACK_DONE": lambda: after(last_ack(), ("A", 2, 2)),
    "TIME_WAIT_ACK": lambda: after(time_wait(), ("FA", 1, 2)),
    "TIME_WAIT_OLD_SYN": lambda: after(time_wait(), ("S", -9)),
    "TIME_WAIT_SYN_UNHEARD": syn_for_a_closed_listener,
    "TIME_WAIT_SYN_NEWER_NUMBER": lambda: after(time_wait(), ("S", 9)),
    "TIME_WAIT_SYN_NEWER_TIMESTAMP": lambda: after(
        time_wait(TS), ("S", -9, {"opts": (Timestamps(10**6, 0),)})
    ),
    "TIME_WAIT_LIMITED": lambda: after(time_wait(), ("A", 1, 2), ("A", 1, 2)),
    "TIME_WAIT_QUIET": lambda: after(time_wait(), ("A", 2, 2)),
    "TIME_WAIT_KILLED": lambda: after(time_wait(), ("R", 2)),
    "TIME_WAIT_RST": lambda: after(fin_wait2(orphan=True), ("PA", 1, 2, {"data": 5})),
    "TIME_WAIT_FIN": time_wait,
    "SYN": syn_sent,
    "SYN_AT_ONCE": lambda: after(syn_sent(), ("SA", 0, 9), until=2),
    "SYN_AGAIN": lambda: after(syn_sent(), until=3),
    "SYN_ACK": syn_recv,
    "SYN_ACK_COOKIE": cookie,
    "SYN_ACK_AGAIN": lambda: after(syn_recv(), until=3),
    "SYN_ACK_DUPLICATE": lambda: after(syn_recv(), ("S",)),
    "SYN_ACK_CROSSED": crossed,
    "REQUEST_ACK": lambda: after(syn_recv(), ("A", FAR, 1)),
    "RST": lambda: after(Bench(), ("S",)),
    "ACTIVE_RST": lambda: calling(established(), ("abort",)),
    "UNREAD_RST": lambda: calling(after(established(), ("PA", 1, 1, {"data": 5})), ("close",)),
    "UNACCEPTED_RST": closed_before_accept,
    "LINGER2_RST": lambda: closed_in_fin_wait2(-1),
    "SENT_SMALLER": lambda: told_by_icmp(calling(established(), ("send", 1400)), 3, 4, seq=1, mtu=1000),
    "MTU_PROBE": probing_mtu,
    "ICMP_REFUSED": lambda: told_by_icmp(syn_sent(), 3, 1),
    "ICMP_TOLD": lambda: told_by_icmp(established(options=[(sockopt.IPPROTO_IP, 11, 1)]), 3, 1, seq=1),
    "ICMP_SOFT": lambda: told_by_icmp(established(), 3, 1, seq=1),
    "ICMP_TOO_LARGE": lambda: told_by_icmp(established(), 3, 4, seq=1, mtu=1000),
    "ICMP_REQUEST_GONE": lambda: told_by_icmp(syn_recv(), 3, 1),
    "ICMP_OUT_OF_WINDOW": lambda: told_by_icmp(established(), 3, 1, seq=9),
    "ICMP_IGNORED": lambda: told_by_icmp(established(), 4, 0, seq=1),
    "ICMP_NO_FLOW": lambda: told_by_icmp(time_wait(), 3, 1),
    "TOO_MANY_ORPHANS_RST": lambda: too_many_orphans(close_at=1 * SECOND),
    "TW_ACK": lambda: after(time_wait(), ("FA", 1, 2)),
    "ACK": connected,
    "DELAYED_ACK": lambda: after(established(), ("FPA", 1, 1, {"data": 5}), until=3),
    "CHALLENGE_ACK": lambda: after(established(), ("S", 9)),
    "DUP_ACK": lambda: after(established(), ("A", FAR, 1)),
    "WINDOW_UPDATE": reading,
    "DATA_SENT": lambda: calling(established(), ("send", 5)),
    "HELD_DATA_SENT": lambda: after(calling(established(), ("send", 5), ("send", 5)), ("A", 1, 6)),
    "FIN_SENT": fin_wait1,
    "RETRANSMIT": lambda: after(calling(established(), ("send", 5)), until=3),
    "FAST_RETRANSMIT": lambda: after(ten_sent(), sacked(5)),
    "REORDERING_RETRANSMIT": lambda: after(ten_sent(), sacked(2), until=3),
    "SLOW_START_RETRANSMIT": lambda: after(after(ten_sent(), until=3), ("A", 1, 1461)),
    "LOSS_PROBE": lambda: after(calling(established(opts=SACK), ("send", 5)), until=3),
    "WINDOW_PROBE": lambda: after(no_window(), until=3),
    "KEEPALIVE": lambda: after(kept_alive(), until=5),
    "KEEPALIVE_OVER": lambda: after(kept_alive(), until=10),
    "KEEPALIVE_RST": lambda: after(kept_alive(), until=10),
    "FAST_OPENED": fast_opened,
    "FAST_OPEN_SYN": lambda: fast_opened(("S", 20)),
    "SYN_ACK_FAST_OPEN": fast_opened,
    "SYN_ACK_FAST_OPEN_AGAIN": lambda: fast_opened(until=2),
    "FAST_OPEN_TIMED_OUT": lambda: fast_opened(until=200),
    "SYN_ACK_WITH_COOKIE": lambda: fast_opened(bits=2, opts=(*MSS, FastOpen(b""))),
    "SYN_FAST_OPEN_REQUEST": lambda: fast_open_client(bits=1),
    "SYN_WITH_DATA": fast_open_client,
    "SYN_DATA_AGAIN": lambda: fast_open_client(("SA", 0, 1)),
    "REQUEST_EXPIRED": lambda: after(syn_recv(), until=70),
    "REQUEST_CROWDED_OUT": crowd_of_requests,
    "REQUEST_ORPHANED": closed_listener,
    "REQUEST_NOT_SENT": request_that_finds_no_room,
    "REQUEST_SILENT": lambda: deferred(("A", 1, 1), until=3),
    "SYN_TIMED_OUT": lambda: after(syn_sent(), until=200),
    "TIMED_OUT": lambda: after(calling(established(), ("send", 5)), until=2000),
    "ORPHAN_TIMED_OUT": lambda: after(calling(established(), ("close",)), until=200),
    "PROBES_TIMED_OUT": lambda: after(no_window(), until=2000),
    "CLOSED_WINDOW_TIMED_OUT": no_window_within_the_user_timeout,
    "SHUT_WINDOW_TIMED_OUT": window_taken_back,
    "TOO_MANY_ORPHANS": lambda: too_many_orphans(close_at=0),
    "TIME_WAIT_OVER": lambda: after(time_wait(), until=70),
    "FIN_WAIT2_OVER": lambda: after(fin_wait2(orphan=True), until=70),
    "LINGER_OVER": close_that_waits,
}
OTHER_KERNELS = {
    "QUEUE_FULL_SYN": lambda: old_kernel("linux-2.0", ("S",), ("S", {"port": 2})),
    "SYN_REFUSED": lambda: old_kernel("windows-2003", ("S",), ("S", {"port": 2})),
    "DUPLICATE_SYN_IGNORED": lambda: old_kernel("linux-2.0", ("S",), ("S",)),
    "ACCEPT_QUEUE_FULL_RST": lambda: old_kernel(
        "freebsd-14", ("S",), ("S", {"port": 1}), ("A", 1, 1), ("A", 1, 1, {"port": 1}), backlog=0
    ),
    "SYN_RESETS": lambda: after(established(generation=generation("linux-2.4")), ("S", 9)),
    "REQUEST_EXPIRED_RST": lambda: old_kernel("macos-15", ("S",), until=200),
    "RST_AT_END": lambda: old_kernel("macos-15", ("S",), until=200),
    "REQUEST_EVICTED": lambda: old_kernel("macos-15", ("S",), ("S", {"port": 2})),
}
WAYS |= OTHER_KERNELS


@pytest.mark.parametrize("name", sorted(WAYS))
def test_a_way_to_every_reason(name):
    host = WAYS[name]()
    host.drain()
    reasons = {
        event.reason for event in host.events if isinstance(event, Verdict | Sent | TimerFired | IcmpArrived)
    }
    assert REASONS[name] in reasons


def test_no_reason_is_forgotten():
    assert WAYS.keys() == REASONS.keys()


@pytest.mark.parametrize("reason", REASONS.values(), ids=REASONS)
def test_each_reason_says_the_rule_and_where_the_kernel_has_it(reason):
    assert REASONS[reason.name] is reason
    assert reason.name == reason.name.upper()
    assert reason.text
    assert not reason.text.endswith(".")
    assert ".c: " in reason.source or reason is REASONS["SYN_REFUSED"]
    assert isinstance(reason.outcome, Outcome)


# --- determinism ----------------------------------------------------------------------------------------


def script(**settings):
    """A host that has met a bit of everything."""
    host = listening(2, **settings)
    for port in range(1, 8):
        host.send("S", port=port, opts=FULL if port % 2 else MSS, at=port * MS)
    for port in (1, 2, 4):
        host.send("PA", 1, 1, port=port, data=port, ts=(110, 0) if port % 2 else None, at=(100 + port) * MS)
    one, two = host.accept(), host.accept()
    one.send(5000)
    two.close()
    client = host.socket()
    try:
        client.connect(80)
    except OSError:
        host.drain()
    host.send("S", port=99, at=2 * SECOND)
    host.send("R", 1, port=3, at=3 * SECOND)
    host.send("A", 5000, 77, port=55)
    host.run(200 * SECOND)
    return host


def octets(host):
    return [(at, encode(segment)) for at, segment in host.taken()]


def test_the_same_seed_gives_the_same_bytes_and_the_same_story():
    one, two = script(seed=7), script(seed=7)
    assert one.events == two.events
    assert one.host.counters == two.host.counters
    bytes_of_one = octets(one)
    assert bytes_of_one == octets(two)
    assert len(bytes_of_one) > 40


def test_another_seed_gives_other_numbers_and_the_same_story():
    one, two = script(seed=7), script(seed=8)
    first = [segment.seq for _, segment in one.out if segment.flags & 2]
    second = [segment.seq for _, segment in two.out if segment.flags & 2]
    assert len(first) == len(second)
    assert not set(first) & set(second)
    assert told(one) == told(two)


@pytest.mark.parametrize("hz", [None, 250])
def test_unobserved_it_does_the_same(hz):
    seen, unseen = script(seed=7, hz=hz), script(seed=7, hz=hz, observe=False)
    assert unseen.events == []
    assert octets(seen) == octets(unseen)
    assert seen.host.counters == unseen.host.counters
    assert seen.table() == unseen.table()


def test_counters_are_told_by_name_and_step():
    host = syn_recv()
    host.send("A", FAR, 9)
    assert Counted(1 * SECOND, "OutRsts", 1) in host.events
