"""What a host says of its causes: which setting gave up, which call reset, how long a wait was."""

import pytest

from tcpemu.stack import Sent, StateChanged, TimerFired
from tcpemu.stack.base import socket_constants as sockopt
from tcpemu.testing.bench import (
    SECOND,
    established,
    fin_wait1,
    fin_wait2,
    last_ack,
    syn_sent,
    time_wait,
    unaccepted,
)

USER_TIMEOUT = (sockopt.IPPROTO_TCP, sockopt.TCP_USER_TIMEOUT, 3000)
SYNCNT = (sockopt.IPPROTO_TCP, sockopt.TCP_SYNCNT, 2)


def given_up(host, until=2000):
    """The reason of the timer that gives up, with the setting and value that decided."""
    host.run(until * SECOND)
    [fired] = [event for event in host.events if isinstance(event, TimerFired) and event.given_up]
    return fired.reason.name, fired.given_up.setting, fired.given_up.value


def causes(host):
    return [event.cause for event in host.events if isinstance(event, StateChanged)]


def resets(host):
    return [event.reason.name for event in host.events if isinstance(event, Sent)]


def sending(**settings):
    host = established(**settings)
    host.conn.send(5)
    return host


@pytest.mark.parametrize(
    ("host", "told"),
    [
        (syn_sent, ("SYN_TIMED_OUT", "net.ipv4.tcp_syn_retries", 6)),
        (lambda: syn_sent([SYNCNT]), ("SYN_TIMED_OUT", "TCP_SYNCNT", 2)),
        (lambda: syn_sent([USER_TIMEOUT]), ("SYN_TIMED_OUT", "TCP_USER_TIMEOUT", 3000)),
        (lambda: sending(retries2=3), ("TIMED_OUT", "net.ipv4.tcp_retries2", 3)),
        (lambda: sending(options=[USER_TIMEOUT]), ("TIMED_OUT", "TCP_USER_TIMEOUT", 3000)),
        (lambda: fin_wait1(orphan=True), ("ORPHAN_TIMED_OUT", "net.ipv4.tcp_orphan_retries", 0)),
        (lambda: last_ack(orphan_retries=2), ("ORPHAN_TIMED_OUT", "net.ipv4.tcp_orphan_retries", 2)),
    ],
)
def test_what_decided_that_it_is_given_up(host, told):
    assert given_up(host()) == told


def test_how_long_it_waited_and_how_long_it_might():
    host = sending(retries2=3)
    host.run(100 * SECOND)
    [fired] = [event.given_up for event in host.events if isinstance(event, TimerFired)]
    assert fired.allowed == 3 * SECOND
    assert fired.waited > fired.allowed


def test_close_with_data_unread_counts_it():
    host = established()
    host.send("PA", 1, 1, data=6)
    host.conn.recv(1)
    host.conn.close()
    assert causes(host)[-1] == "close() with 5 octets unread"
    assert resets(host)[-1] == "UNREAD_RST"


@pytest.mark.parametrize("call", ["close", "shutdown"])
def test_a_listener_that_ends_resets_what_nobody_accepted(call):
    host = unaccepted()
    host.listener.close() if call == "close" else host.listener.shutdown(2)
    assert causes(host)[-2:] == [f"{call}()", f"{call}() on the listener"]
    assert resets(host)[-1] == "UNACCEPTED_RST"


@pytest.mark.parametrize("seconds", [10, 60, 100])
def test_the_end_of_fin_wait2_says_the_time_that_passed_and_what_set_it(seconds):
    host = fin_wait2(orphan=True, fin_timeout=seconds)
    host.run(200 * SECOND)
    assert causes(host)[-1] == f"{seconds} s in FIN-WAIT-2 have passed (net.ipv4.tcp_fin_timeout)"


def test_the_end_of_time_wait_says_the_time_that_passed():
    host = time_wait()
    host.run(200 * SECOND)
    assert causes(host)[-1] == "60 s in TIME-WAIT have passed"


def test_data_for_a_closed_socket_is_no_rst_that_arrives():
    host = fin_wait1(orphan=True)
    host.send("PA", 1, 1, data=5)
    assert causes(host)[-1] == "data for a socket that is closed"
