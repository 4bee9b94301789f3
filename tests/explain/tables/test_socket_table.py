"""Socket tables, as `ss` prints them."""

from tcpemu.explain.lines.style import lines_text, plain
from tcpemu.explain.tables.socket_table import (
    FIRST_OF_MANY,
    SOCKETS_LISTED,
    socket_lines,
    socket_lines_of_hosts,
)
from tcpemu.stack.base.states import State
from tcpemu.stack.sockets.ss_table import SocketRow
from tcpemu.wire.segment import address

SERVER, CLIENT = address("10.0.0.1"), address("10.0.0.2")


LISTENER = SocketRow(State.LISTEN, 2, 1, (b"", 80), None)


HALF_OPEN = SocketRow(State.SYN_RECV, 0, 0, (SERVER, 80), (CLIENT, 40002))


OPEN = SocketRow(State.ESTABLISHED, 0, 12, (SERVER, 80), (CLIENT, 40001))


def test_a_socket_table_looks_like_that_of_ss():
    assert lines_text(socket_lines([HALF_OPEN, OPEN, LISTENER])) == (
        "  State     Recv-Q  Send-Q  Local Address:Port  Peer Address:Port\n"
        "  LISTEN    2       1             0.0.0.0:80         0.0.0.0:*\n"
        "  ESTAB     0       12           10.0.0.1:80        10.0.0.2:40001\n"
        "  SYN-RECV  0       0            10.0.0.1:80        10.0.0.2:40002\n"
    )


def test_sockets_of_several_hosts_in_one_table():
    far = SocketRow(State.SYN_SENT, 0, 1, (CLIENT, 40001), (SERVER, 80))
    assert lines_text(socket_lines_of_hosts({"server": [LISTENER], "late": [far]})) == (
        "  Host    State     Recv-Q  Send-Q  Local Address:Port   Peer Address:Port\n"
        "  server  LISTEN    2       1             0.0.0.0:80          0.0.0.0:*\n"
        "  late    SYN-SENT  0       1            10.0.0.2:40001      10.0.0.1:80\n"
    )


def test_ipv6_addresses_stand_in_brackets():
    six = address("2001:db8::1")
    rows = [
        SocketRow(State.LISTEN, 0, 5, (six, 80), None, ipv6=True),
        SocketRow(State.ESTABLISHED, 0, 0, (six, 80), (six, 9), ipv6=True),
    ]
    lines = [plain(line) for line in socket_lines(rows)]
    assert lines[1].endswith("[2001:db8::1]:80             [::]:*")
    assert lines[2].endswith("[2001:db8::1]:80    [2001:db8::1]:9")


def test_a_dual_stack_listener_and_its_peer_of_ipv4_stand_as_in_ss():
    rows = [
        SocketRow(State.LISTEN, 0, 5, (b"", 80), None, ipv6=True),
        SocketRow(State.LISTEN, 0, 5, (b"", 81), None, ipv6=True, v6only=True),
        SocketRow(State.ESTABLISHED, 0, 0, (SERVER, 80), (CLIENT, 9), ipv6=True),
    ]
    lines = [" ".join(plain(line).split()) for line in socket_lines(rows)]
    assert lines[1:] == [
        "LISTEN 0 5 *:80 *:*",
        "LISTEN 0 5 [::]:81 [::]:*",
        "ESTAB 0 0 [::ffff:10.0.0.1]:80 [::ffff:10.0.0.2]:9",
    ]


def test_very_many_sockets_are_counted():
    rows = [OPEN._replace(remote=(CLIENT, 40000 + number)) for number in range(SOCKETS_LISTED + 1)]
    half_open = HALF_OPEN._replace(remote=(CLIENT, 50000))
    lines = [plain(line) for line in socket_lines([*rows[1:], half_open, LISTENER])]
    assert len(lines) == 1 + FIRST_OF_MANY + 1
    hidden = SOCKETS_LISTED + 2 - FIRST_OF_MANY
    assert lines[-1] == f"  … and {hidden:,} more: {hidden - 1} ESTAB, 1 SYN-RECV"
