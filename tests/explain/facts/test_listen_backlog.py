"""Why listen() gave another backlog than was asked for, in every kernel."""

import pytest

from tcpemu.explain.facts.listen_backlog import backlog_words
from tcpemu.explain.facts.rows import CallRow, ListenerQueues
from tcpemu.generations import GENERATIONS, generation
from tcpemu.stack.host import Host
from tcpemu.wire.segment import address


def asked_of(host, asked, text="listen(80, backlog {})"):
    """The words, and the backlog that the host gives."""
    socket = host.socket()
    socket.bind(None, 80)
    socket.listen(asked, now=0)
    (row,) = host.sockets()
    call = CallRow(0, "server", "", text.format(asked), "", ListenerQueues("server", 80, 0, 0, row.send_q))
    return backlog_words(call, host), row.send_q


def words_of(kernel, asked, **sysctls):
    host = Host([address("10.0.0.1")], generation(kernel), sysctls={"net.core.somaxconn": sysctls["most"]})
    return asked_of(host, asked)[0]


@pytest.mark.parametrize("asked", [-7, -1, 0, 1, 3, 5, 6, 128, 129, 4096, 4097, 70_000, 2**31 - 1])
@pytest.mark.parametrize("kernel", GENERATIONS)
def test_what_the_words_say_is_what_the_kernel_did(kernel, asked):
    host = Host([address("10.0.0.1")], generation(kernel))
    words, given = asked_of(host, asked)
    assert bool(words) == (given != asked)
    if words:
        assert words.startswith(f"asked for {asked}, gets {given}: ")
        assert ("caps it" in words) == (asked > host.sysctls.somaxconn)
        assert ("most there is" in words) == (asked <= 0 and given == host.sysctls.somaxconn)
        assert ("counts as" in words) == (asked <= 0)


def test_the_limit_has_the_name_that_it_has_in_that_kernel():
    assert words_of("linux-6.18", 5, most=0) == "asked for 5, gets 0: net.core.somaxconn, now 0, caps it"
    assert words_of("linux-6.18", -1, most=9) == (
        "asked for -1, gets 9: a negative backlog counts as the most there is, net.core.somaxconn, now 9"
    )
    assert words_of("freebsd-14", 5, most=4) == (
        "asked for 5, gets 4: this kernel's limit (net.core.somaxconn here), now 4, caps it"
    )
    fixed = asked_of(Host([address("10.0.0.1")], generation("linux-2.2")), 1000)[0]
    assert fixed == "asked for 1000, gets 128: SOMAXCONN, which is fixed at 128 in this kernel, caps it"
    assert asked_of(Host([address("10.0.0.1")], generation("linux-2.2")), 0)[0] == (
        "asked for 0, gets 1: in this kernel a backlog of 0 counts as 1"
    )


def test_a_limit_too_large_for_16_bits_wraps():
    assert words_of("linux-2.6.32", 70_000, most=65536) == (
        "asked for 70000, gets 0: net.core.somaxconn, now 65536, caps it; held in 16 bits, 65536 is 0"
    )
    assert words_of("linux-2.6.32", 65537, most=100_000) == (
        "asked for 65537, gets 1: held in 16 bits, 65537 is 1"
    )


def test_a_further_listen_is_read_too_and_other_calls_are_not():
    host = Host([address("10.0.0.1")], generation("linux-6.18"), sysctls={"net.core.somaxconn": 3})
    assert asked_of(host, 5, text="listen({})")[0].startswith("asked for 5, gets 3")
    queues = ListenerQueues("server", 80, 0, 0, 3)
    assert backlog_words(CallRow(0, "server", "", "accept()", "", queues), host) == ""
    assert backlog_words(CallRow(0, "server", "", "listen(80, backlog 5)", "", queues), None) == ""
    assert backlog_words(CallRow(0, "server", "", "listen(80, backlog 5)", "EADDRINUSE"), host) == ""
