"""What a listener's children have in common is worked out once: each is as if it were the first of its listener."""

import dataclasses

import pytest

from tcpemu.stack.base import socket_constants as sockopt
from tcpemu.testing.bench import FULL, MSS, SECOND, TS, Bench
from tcpemu.wire.options import NOP, Mss, WScale

SCALED = (Mss(1460), NOP, WScale(3))
SMALL = (Mss(300),)
KINDS = [
    # port, options of the SYN, window of the final ACK
    (1, MSS, 65535),
    (2, TS, 65535),
    (3, FULL, 65535),
    (4, FULL, 100),
    (5, SCALED, 65535),
    (6, SMALL, 65535),
    (7, SMALL, 60),
    (8, MSS, 0),
]


def opens(host, port, options, window, late=0):
    """A client's handshake; its connection as it then is."""
    port += 40000
    stamped = any(type(one).__name__ == "Timestamps" for one in options)
    host.send("S", 0, port=port, opts=options)
    if late:
        host.run(late)
    host.send("A", 1, 1, port=port, ts=(101, 0) if stamped else None, win=window)
    [conn] = [one for key, one in host.host.tables.host.flows.items() if key[1] == port]
    return sizes_of(conn)


def sizes_of(conn):
    """What does not tell one flow from another."""
    flow = {"iss", "una", "nxt", "write_seq", "sml", "pushed_seq"}
    snd = {one.name: getattr(conn.snd, one.name) for one in dataclasses.fields(conn.snd)}
    rcv = {one.name: getattr(conn.rcv, one.name) for one in dataclasses.fields(conn.rcv)}
    return (
        {name: value for name, value in snd.items() if name not in flow},
        rcv,
        conn.ack.rcv_mss,
        conn.congestion,
    )


def listener(**settings):
    host = Bench(**settings)
    return host, host.listen(100)


@pytest.mark.parametrize(
    "kernel", ["linux-6.18", "linux-5.10", "linux-2.6.32", "freebsd-14", "windows-2003", "macos-15"]
)
def test_children_of_one_listener_are_as_the_only_child_of_another(kernel):
    together, _ = listener(generation=kernel)
    for again in (0, 100):
        for port, options, window in KINDS:
            alone, _ = listener(generation=kernel)
            assert opens(together, port + again, options, window) == opens(
                alone, port + again, options, window
            )


CHANGES = {
    "SO_RCVBUF": lambda _, own: own.setsockopt(sockopt.SOL_SOCKET, sockopt.SO_RCVBUF, 5000),
    "SO_SNDBUF": lambda _, own: own.setsockopt(sockopt.SOL_SOCKET, sockopt.SO_SNDBUF, 5000),
    "TCP_MAXSEG": lambda _, own: own.setsockopt(sockopt.IPPROTO_TCP, sockopt.TCP_MAXSEG, 500),
    "tcp_wmem": lambda host, _: host.host.set_sysctl("net.ipv4.tcp_wmem", "4096 16384 20000"),
    "tcp_min_snd_mss": lambda host, _: host.host.set_sysctl("net.ipv4.tcp_min_snd_mss", 1000),
    "tcp_app_win": lambda host, _: host.host.set_sysctl("net.ipv4.tcp_app_win", 3),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize(("port", "options", "window"), [(3, FULL, 65535), (6, SMALL, 65535)])
def test_a_setting_holds_for_the_next_child(change, port, options, window):
    """Also for one whose SYN came before: what its SYN|ACK said stands, and the rest is as it is now."""
    first, own = listener()
    opens(first, port, options, window)
    first.send("S", 0, port=40500, opts=options)
    change(first, own)
    stamped = options is FULL
    first.send("A", 1, 1, port=40500, ts=(101, 0) if stamped else None, win=window)
    other, own = listener()
    other.send("S", 0, port=40500, opts=options)
    change(other, own)
    other.send("A", 1, 1, port=40500, ts=(101, 0) if stamped else None, win=window)
    made = [
        next(sizes_of(conn) for key, conn in host.host.tables.host.flows.items() if key[1] == 40500)
        for host in (first, other)
    ]
    assert made[0] == made[1]
    alone, own = listener()
    change(alone, own)
    assert opens(first, port + 100, options, window) == opens(alone, port + 100, options, window)


def test_a_child_whose_syn_ack_was_repeated_begins_as_it_would_alone():
    together, _ = listener()
    opens(together, 3, MSS, 65535)
    late = opens(together, 13, MSS, 65535, late=4 * SECOND)
    alone, _ = listener()
    assert late == opens(alone, 13, MSS, 65535, late=4 * SECOND)
    assert late[-1].cwnd == 1


def test_what_peers_say_by_the_thousand_is_not_all_remembered():
    """Whoever sends SYNs with every MSS and window there is does not fill the memory."""
    host, own = listener()
    for number in range(5000):
        opens(host, 1, (Mss(88 + number),), number)
        host.send("R", 1, port=40001)
        own.accept().close()
    kept = own.sock.listener
    assert max(len(kept.terms), len(kept.first_sizes)) <= 4096
    assert opens(host, 2, SMALL, 65535) == opens(listener()[0], 2, SMALL, 65535)
