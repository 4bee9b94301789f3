"""What each generation says of a reason: its function, its words; and which counters it has."""

import ast
from pathlib import Path

import pytest

import tcpemu.stack
from tcpemu.explain.facts.counter_meanings import MEANING
from tcpemu.generations import GENERATIONS, generation
from tcpemu.generations.linux_counters import MIB_II, counters_of
from tcpemu.stack.base.events import Sent, TimerFired, Verdict
from tcpemu.stack.base.reasons import REASONS
from tcpemu.stack.base.units import MILLISECOND as MS
from tcpemu.stack.base.units import SECOND
from tcpemu.testing.bench import MSS, established, fails
from tcpemu.testing.bench.bench_values import PORT
from tests.generations.rows import LINUX, MODERN, OTHERS, bench, each, listener, rows, since, soon


def told(name, reason):
    """The reason as this generation has it."""
    return generation(name).reasons.get(reason, REASONS[reason])


def sources(name, *reasons):
    return tuple(told(name, reason).source for reason in reasons)


# --- functions ----------------------------------------------------------------------------------------

_CHECK_REQ = "tcp_minisocks.c: tcp_check_req"
_STATE = "tcp_input.c: tcp_rcv_state_process"


@each(
    {
        "linux-1.2": ("tcp.c: tcp_conn_request", "tcp.c: tcp_rcv"),
        "linux-2.0": ("tcp_input.c: tcp_conn_request", "tcp_input.c: tcp_rcv"),
        **rows(since("linux-2.2", "linux-3.10"), ("tcp_ipv4.c: tcp_v4_conn_request", _STATE)),
        **rows(MODERN, ("tcp_input.c: tcp_conn_request", _STATE)),
        "bsd-4.4": ("4.4BSD, tcp_input.c: tcp_input", "4.4BSD, tcp_input.c: tcp_input"),
        "freebsd-14": ("FreeBSD, tcp_syncache.c: syncache_add", "FreeBSD, tcp_syncache.c: syncache_expand"),
        "macos-15": ("XNU, tcp_input.c: tcp_input", "XNU, tcp_input.c: tcp_input"),
        "solaris": ("illumos, tcp_input.c: tcp_input_listener", "illumos, tcp_input.c: tcp_input_listener"),
        "windows-2003": ("Windows, whose source is not public", "Windows, whose source is not public"),
    }
)
def test_who_takes_a_syn_and_who_refuses_a_stray_ack(name, value):
    assert sources(name, "SYN_QUEUED", "LISTENER_ACK") == value


@each(
    {
        "linux-2.2": "tcp_ipv4.c: tcp_v4_syn_recv_sock",
        **rows(since("linux-2.4"), _CHECK_REQ),
    },
    only=since("linux-2.2"),
)
def test_who_tests_the_accept_queue_at_the_final_ack(name, value):
    assert sources(name, "ACCEPT_QUEUE_FULL") == (value,)


@each(
    {"linux-2.2": "tcp_input.c: tcp_check_req", **rows(since("linux-2.4"), _CHECK_REQ)},
    only=since("linux-2.2"),
)
def test_who_checks_a_segment_for_a_request(name, value):
    names = ("DEFER_ACCEPT", "ABORT_ON_OVERFLOW", "DUPLICATE_SYN", "HANDSHAKE_DONE")
    assert set(sources(name, *names)) == {value}


@each(
    {
        "linux-1.2": ("tcp.c: retransmit_timer", "tcp.c: tcp_write_timeout"),
        "linux-2.0": ("tcp_timer.c: tcp_retransmit_timer", "tcp_timer.c: tcp_write_timeout"),
        "linux-2.2": ("tcp_timer.c: tcp_syn_recv_timer",) * 2,
        "linux-2.4": ("tcp_timer.c: tcp_synack_timer",) * 2,
        **rows(
            since("linux-2.6.32", "linux-3.10"), ("inet_connection_sock.c: inet_csk_reqsk_queue_prune",) * 2
        ),
        **rows(MODERN, ("inet_connection_sock.c: reqsk_timer_handler",) * 2),
        "bsd-4.4": ("4.4BSD, tcp_timer.c: tcp_timers", "4.4BSD, tcp_subr.c: tcp_drop"),
        "freebsd-14": ("FreeBSD, tcp_syncache.c: syncache_timer",) * 2,
        "macos-15": ("XNU, tcp_timer.c: tcp_timers", "XNU, tcp_subr.c: tcp_drop"),
        "solaris": ("illumos, tcp_timers.c: tcp_timer",) * 2,
        "windows-2003": ("Windows, whose source is not public",) * 2,
    }
)
def test_who_sends_syn_acks_again_and_who_gives_up(name, value):
    host = listener(name)
    host.send("S", at=10 * MS, opts=MSS)
    host.drain()
    host.run(2000 * SECOND)
    events = [event for event in host.events if isinstance(event, Sent | TimerFired)]
    again = {event.reason.source for event in events if event.reason.name == "SYN_ACK_AGAIN"}
    ended = {event.reason.source for event in events if event.reason.name.startswith("REQUEST_EXPIRED")}
    assert (again, ended) == ({value[0]}, {value[1]})


@each(
    {
        "linux-1.2": "tcp.c: tcp_conn_request",
        "linux-2.0": "tcp_input.c: tcp_conn_request",
        "bsd-4.4": "4.4BSD, uipc_socket2.c: sonewconn1",
        "macos-15": "XNU, uipc_socket2.c: sonewconn_internal",
        "windows-2003": "Windows, whose source is not public",
    },
    only=["linux-1.2", "linux-2.0", "bsd-4.4", "macos-15", "windows-2003"],
)
def test_who_says_that_a_single_queue_is_full(name, value):
    assert sources(name, "QUEUE_FULL_SYN") == (value,)


@each(
    {
        "linux-1.2": "tcp.c: tcp_rcv",
        "linux-2.0": "tcp_input.c: tcp_rcv",
        **rows(since("linux-2.2"), "tcp_ipv4.c: tcp_v4_rcv"),
        "bsd-4.4": "4.4BSD, tcp_input.c: tcp_input",
        "freebsd-14": "FreeBSD, tcp_input.c: tcp_input",
        "macos-15": "XNU, tcp_input.c: tcp_input",
        "solaris": "illumos, tcp_output.c: tcp_xmit_listeners_reset",
        "windows-2003": "Windows, whose source is not public",
    }
)
def test_who_finds_that_nobody_listens(name, value):
    host = bench(name)
    host.send("S", at=10 * MS, opts=MSS)
    host.drain()
    [verdict] = [event for event in host.events if isinstance(event, Verdict)]
    assert (verdict.reason.name, verdict.reason.source) == ("NO_SOCKET", value)


def test_each_system_throws_out_half_open_connections_by_a_function_of_its_own():
    assert sources("macos-15", "REQUEST_EVICTED") == ("XNU, tcp_input.c: tcp_dropdropablreq",)
    assert sources("solaris", "REQUEST_EVICTED") == ("illumos, tcp_input.c: tcp_drop_q0",)


def test_what_is_linux_6_18s_on_another_kernel_is_called_that():
    assert sources("bsd-4.4", "LOSS_PROBE") == ("as in Linux 6.18: tcp_output.c: tcp_send_loss_probe",)
    assert sources("linux-2.2", "REQUEST_ACK") == ("as in Linux 6.18: tcp_ipv4.c: tcp_v4_reqsk_send_ack",)
    assert sources("linux-2.6.32", "CHALLENGE_ACK") == (
        "as in Linux 6.18: tcp_input.c: tcp_send_challenge_ack",
    )


@pytest.mark.parametrize("name", GENERATIONS)
def test_a_reason_is_the_same_but_for_its_source_and_words(name):
    for reason, here in generation(name).reasons.items():
        assert (here.name, here.outcome) == (reason, REASONS[reason].outcome)
        assert ".c: " in here.source or "not public" in here.source


# --- words --------------------------------------------------------------------------------------------

_NOT_WITHOUT = {"SYN_COOKIE_ALWAYS", "ABORT_ON_OVERFLOW", "SYN_BACKLOG_LAST_QUARTER", "SYN_QUEUED_KNOWN_PEER"}
"""Reasons that there are not where there is not the sysctl that they name."""


@pytest.mark.parametrize("name", GENERATIONS)
def test_no_reason_names_a_sysctl_that_is_missing(name):
    missing = {sysctl.rpartition(".")[2] for sysctl in generation(name).missing}
    for reason in REASONS.keys() - _NOT_WITHOUT:
        assert not [sysctl for sysctl in missing if sysctl in told(name, reason).text], reason


def test_a_full_syn_queue_is_told_with_the_sysctl_where_there_is_one():
    assert "tcp_syncookies is 0" in told("linux-2.2", "SYN_QUEUE_FULL").text
    assert told("solaris", "SYN_QUEUE_FULL").text == "the SYN queue is full, so the SYN is dropped"


# --- counters -----------------------------------------------------------------------------------------


def counters(name):
    """What has moved after a bit of everything."""
    server = listener(name, 1)
    for port in range(1, 30):
        server.send("S", at=soon(server), opts=MSS, port=port)
        server.send("S", at=soon(server), opts=MSS, port=port)
        server.send("A", 1, 1, at=soon(server), port=port)
    server.run(300 * SECOND)
    data = established(generation=generation(name), opts=MSS)
    data.conn.send(3000)
    data.send("S", 100, at=2 * SECOND)
    data.run(50 * SECOND)
    client = bench(name)
    conn = client.socket()
    conn.bind(PORT)
    with fails("EINPROGRESS"):
        conn.connect()
    client.run(200 * SECOND)
    return {each for host in (server, data, client) for each in host.host.counters}


_SINCE_2_4 = {"TCPTimeouts", "ListenOverflows"}
_SINCE_3_6 = {*_SINCE_2_4, "TCPChallengeACK"}
_SINCE_3_16 = {*_SINCE_3_6, "TCPSynRetrans"}
_SINCE_5_10 = {*_SINCE_3_16, "TcpTimeoutRehash"}


@each(
    {
        **rows(["linux-1.2", "linux-2.0", "linux-2.2", *OTHERS], set()),
        **rows(since("linux-2.4", "linux-3.0"), _SINCE_2_4),
        "linux-3.10": _SINCE_3_6,
        **rows(since("linux-4.4", "linux-5.4"), _SINCE_3_16),
        **rows(since("linux-5.10.218"), _SINCE_5_10),
    }
)
def test_a_counter_that_a_kernel_does_not_have_is_not_there(name, value):
    """net/ipv4/proc.c of each kernel."""
    moved = counters(name)
    assert {"InSegs", "OutSegs", "RetransSegs"} <= moved
    assert moved & _SINCE_5_10 == value


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_not_linux_counts_what_the_mib_has(name):
    assert counters(name) <= MIB_II


@pytest.mark.parametrize("name", LINUX)
def test_a_counter_once_there_stays_but_for_one(name):
    own = generation(name).counters or frozenset()
    later = [generation(other).counters for other in since(name)]
    gone = {counter for counters in later if counters is not None for counter in own - counters}
    assert gone <= {"TCPAbortOnSyn"}


def test_every_counter_that_is_explained_has_its_first_kernel():
    assert MEANING.keys() <= counters_of((6, 18)) | {"TCPAbortOnSyn"}
    assert "TCPAbortOnSyn" in counters_of((3, 5))


def test_every_counter_that_the_stack_moves_is_one_of_the_newest_linux():
    """A name that is not in the table would never move, and nobody would see it."""
    stack = Path(tcpemu.stack.__file__).parent
    names = set()
    for path in stack.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            called = (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr == "count"
            )
            if called and node.args:
                names |= {
                    each.value
                    for each in ast.walk(node.args[0])
                    if isinstance(each, ast.Constant)
                    and isinstance(each.value, str)
                    and each.value[:1].isupper()
                }
    assert len(names) > 60
    assert names - counters_of((6, 18)) - MIB_II == {"TCPAbortOnSyn"}
