"""Socket tables, counters, fates, and runs side by side, as they are printed."""

from tcpemu.explain.compare.number_table import number_table
from tcpemu.explain.facts.client_outcomes import client_outcome_lines, client_outcomes
from tcpemu.explain.facts.counter_meanings import MEANING, TCP_GROUP
from tcpemu.explain.lines.style import lines_text, plain
from tcpemu.explain.tables.counter_table import counter_lines, counters_in_short
from tcpemu.explain.tables.socket_table import (
    FIRST_OF_MANY,
    SOCKETS_LISTED,
    socket_lines,
    socket_lines_of_hosts,
)
from tcpemu.network.record import Call, Record
from tcpemu.scenario import build, load
from tcpemu.stack.states import State
from tcpemu.stack.table import SocketRow
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
        SocketRow(State.LISTEN, 0, 5, (six, 80), None),
        SocketRow(State.ESTABLISHED, 0, 0, (six, 80), (six, 9)),
    ]
    lines = [plain(line) for line in socket_lines(rows)]
    assert lines[1].endswith("[2001:db8::1]:80             [::]:*")
    assert lines[2].endswith("[2001:db8::1]:80    [2001:db8::1]:9")


def test_very_many_sockets_are_counted():
    rows = [OPEN._replace(remote=(CLIENT, 40000 + number)) for number in range(SOCKETS_LISTED + 1)]
    half_open = HALF_OPEN._replace(remote=(CLIENT, 50000))
    lines = [plain(line) for line in socket_lines([*rows[1:], half_open, LISTENER])]
    assert len(lines) == 1 + FIRST_OF_MANY + 1
    hidden = SOCKETS_LISTED + 2 - FIRST_OF_MANY
    assert lines[-1] == f"  … and {hidden:,} more: {hidden - 1} ESTAB, 1 SYN-RECV"


def test_counters_with_what_they_count_and_the_bulk_last():
    counters = {"InSegs": 1234, "ListenDrops": 4, "ListenOverflows": 4, "OutRsts": 0, "RetransSegs": 5}
    assert lines_text(counter_lines(counters)) == (
        "  TcpExt  ListenDrops          4  a listener dropped a SYN or a final ACK, for any reason\n"
        "  TcpExt  ListenOverflows      4  the accept queue was full: a SYN or a final ACK was ignored\n"
        "  Tcp     RetransSegs          5  segments sent again\n"
        "  Tcp     InSegs           1,234  segments that arrived\n"
    )


def test_a_counter_line_is_cut_to_the_width_and_unknown_names_have_no_words():
    lines = [plain(line) for line in counter_lines({"ListenDrops": 1, "TCPNewThing": 1}, 50)]
    assert lines == [
        "  TcpExt  ListenDrops  1  a listener dropped a SY…",
        "  TcpExt  TCPNewThing  1",
    ]


def test_counters_in_short_leave_out_the_bulk():
    counters = {"ActiveOpens": 1, "InSegs": 3, "TCPSYNChallenge": 5}
    assert lines_text(counters_in_short("late", counters)) == "  late: ActiveOpens 1, TCPSYNChallenge 5\n"
    assert counters_in_short("late", {"InSegs": 3}) == []
    long = counters_in_short("late", {f"TCPCounter{number}": 10 for number in range(10)}, 60)
    assert max(len(plain(line)) for line in long) <= 60
    assert all("TCPCounter" not in plain(line)[-11:] for line in long)  # a name and its value stay together


def test_every_group_member_is_explained():
    assert set(MEANING) >= TCP_GROUP


def calls(*entries):
    record = Record()
    for entry in entries:
        record.add(Call(*entry))
    return record


def test_fates_of_clients():
    record = calls(
        (0, "server", "server", "accept()", "waits"),
        (0, "c", "c-1", "connect(10.0.0.1:80)", "waits"),
        (10**6, "c", "c-2", "connect(10.0.0.1:80)", "waits"),
        (2 * 10**6, "c", "c-3", "connect(10.0.0.1:80)", "waits"),
        (10 * 10**6, "c", "c-1", "connect(10.0.0.1:80)", "connected"),
        (70 * 10**9, "c", "c-1", "recv(1)", "ECONNRESET"),
        (70 * 10**9, "c", "c-1", "ends", "ECONNRESET"),
        (131 * 10**9, "c", "c-3", "connect(10.0.0.1:80)", "ETIMEDOUT"),
    )
    assert lines_text(client_outcome_lines(client_outcomes(record))) == (
        "  c-1  connected at 0.01 s, after 10 ms; ECONNRESET at 70 s\n"
        "  c-2  has been trying to connect since 0.001 s\n"
        "  c-3  connect() failed with ETIMEDOUT at 131 s\n"
    )


ALONE = """
title = "A client that the server never knows"
duration = "10 s"
[server]
backlog = 1
accept.at = ["4 s"]
[[clients]]
name = "crowd"
count = 4
start.every = "1 ms"
do = ["connect", { send = "hello" }, "read_to_end"]
[[clients]]
name = "tardy"
start = "12 s"
"""


def test_a_fate_says_what_the_server_made_of_it():
    result = build.run(load.runs(load.from_text(ALONE))[0])
    shown = lines_text(client_outcome_lines(client_outcomes(result.record, result.starts, result.ended)))
    assert shown == (
        "  crowd-1  connected at 0.01 s, after 10 ms; still waits in recv() since 0.01 s\n"
        "  crowd-2  connected at 0.011 s, after 10 ms; still waits in recv() since 0.011 s\n"
        "  crowd-3  connected at 0.012 s, after 10 ms; still waits in recv() since 0.012 s\n"
        "  crowd-4  connected at 0.013 s, after 10 ms, on its side only: the server never completed it; "
        "still waits in recv() since 0.013 s\n"
        "  tardy    starts at 12 s, after the end at 10 s\n"
    )
    assert len([row for row in result.network.table(result.network.nodes["server"]) if row.remote]) == 3
    narrow = lines_text(client_outcome_lines(client_outcomes(result.record), 80)).splitlines()
    assert max(map(len, narrow)) <= 80
    assert narrow[-3:] == [
        "  crowd-4  connected at 0.013 s, after 10 ms,",
        "           on its side only: the server never completed it;",
        "           still waits in recv() since 0.013 s",
    ]
    assert "tardy" not in lines_text(client_outcome_lines(client_outcomes(result.record)))


def test_what_the_server_completes_late_is_a_connection_like_any_other():
    (result,) = build.run_all(load.load("ignored-ack-then-accept"))
    assert [fate.words for fate in client_outcomes(result.record)] == ["connected"] * 3
    (early,) = build.run_all(load.load("ignored-ack-then-accept"), 12 * 10**9)
    assert [fate.words for fate in client_outcomes(early.record)] == [
        "connected",
        "connected, still waits in recv()",
        "connected on its side only, still waits in recv()",
    ]


def test_fates_of_many_clients_are_counted():
    entries = [(0, "c", f"c-{number}", "connect(10.0.0.1:80)", "waits") for number in range(30)]
    entries += [(9, "c", f"c-{number}", "connect(10.0.0.1:80)", "connected") for number in range(20)]
    entries += [(99, "c", "c-1", "send(1 octet)", "EPIPE")]
    assert lines_text(client_outcome_lines(client_outcomes(calls(*entries)))) == (
        "  19  connected\n  10  still trying to connect\n   1  connected, later EPIPE\n"
    )


def test_runs_side_by_side():
    rows = [("clients", ["8", "8"]), ("SYNs dropped", ["15", "4"])]
    assert lines_text(number_table(["listen(1)", "listen(5)"], rows)) == (
        "                listen(1)  listen(5)\n"
        "  clients               8          8\n"
        "  SYNs dropped         15          4\n"
    )


def test_runs_with_long_names_are_numbered():
    names = ["a very long name of a run", "another very long name"]
    assert lines_text(number_table(names, [("clients", ["8", "10"])], width=40)) == (
        "  1  a very long name of a run\n  2  another very long name\n\n           1   2\n  clients  8  10\n"
    )


def test_long_labels_give_way_to_the_values():
    rows = [("what a server can do in a second", ["8", "10"])]
    assert lines_text(number_table(["one", "two"], rows, width=40)) == (
        "                                one  two\n"
        "  what a server can do in a\n"
        "  second                          8   10\n"
    )
