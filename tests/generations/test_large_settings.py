"""Settings near their upper ends cost no more time than usual ones do."""

from itertools import accumulate

import pytest

from tcpemu import Host, SocketError, address, generation
from tcpemu.generations import GENERATIONS
from tcpemu.stack import SYSCTLS
from tcpemu.stack.base import socket_constants as sockopt
from tcpemu.stack.base.units import SECOND
from tcpemu.wire import SYN, Segment, mss

LOCAL, PEER = address("192.0.2.1"), address("10.0.0.1")


def times_of_syns(kernel, retries, until):
    """When a client sends its SYN to nobody, and when connect() has failed, in seconds."""
    host = Host([LOCAL], generation(kernel))
    socket = host.socket()
    socket.setsockopt(sockopt.IPPROTO_TCP, sockopt.TCP_SYNCNT, retries, now=0)
    with pytest.raises(SocketError, match="in progress"):
        socket.connect(PEER, 80, now=0)
    times = [0] * len(host.transmit())
    while (due := host.next_timer()) is not None and due <= until:
        host.advance(due)
        times += [due // SECOND] * len(host.transmit())
    return times, host.now // SECOND


def test_many_syn_retries_of_2_6_32_are_reckoned_by_arithmetic():
    """204.6 s of doubling from 200 ms, then 120 s for each of 118 more: tcp.h, retransmits_timed_out."""
    times, end = times_of_syns("linux-2.6.32", 127, 20_000 * SECOND)
    assert times == [0, *accumulate([3, 6, 12, 24, 48, 96, *[120] * (len(times) - 7)])]
    assert end == times[-1] + 120
    assert end - times[1] >= 1023 // 5 + 118 * 120 > times[-1] - times[1]


@pytest.mark.parametrize("retries", [1, 5, 9, 10, 24, 40])
def test_they_end_at_the_first_time_out_past_the_limit(retries):
    limit = ((2 << min(retries, 9)) - 1) / 5 + max(retries - 9, 0) * 120
    times, end = times_of_syns("linux-2.6.32", retries, 20_000 * SECOND)
    assert end - times[1] >= limit > times[-1] - times[1]


@pytest.mark.parametrize("kernel", GENERATIONS)
def test_a_syn_queue_as_large_as_can_be_is_gone_through_by_arithmetic(kernel):
    kind = generation(kernel)
    name = "net.ipv4.tcp_max_syn_backlog"
    most = kind.limits.get(name, SYSCTLS[name].high)
    settings = {} if name in kind.missing else {name: most}
    host = Host([LOCAL], kind, sysctls=settings)
    listener = host.socket()
    listener.bind(None, 80)
    listener.listen(5, now=0)
    host.receive(Segment(PEER, 5000, LOCAL, 80, 1, 0, SYN, 65535, (mss(1460),)), 0)
    for at in range(200):
        host.advance(at * SECOND // 10)
    assert [row.state.name for row in host.sockets()] == ["LISTEN"] + ["SYN_RECV"] * (len(host.sockets()) - 1)
