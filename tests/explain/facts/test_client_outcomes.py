"""How the clients of a run fared."""

from tcpemu.explain.facts.client_outcomes import client_outcome_lines, client_outcomes
from tcpemu.explain.lines.style import lines_text
from tcpemu.network.record import Call, Record
from tcpemu.scenario.format import load_scenario
from tcpemu.scenario.running import build


def calls(*entries):
    record = Record()
    for entry in entries:
        record.add(Call(*entry))
    return record


def test_what_became_of_each_client():
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


def test_an_outcome_says_what_the_server_made_of_it():
    result = build.run(load_scenario.runs(load_scenario.from_text(ALONE))[0])
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
    (result,) = build.run_all(load_scenario.load("ignored-ack-then-accept"))
    assert [outcome.words for outcome in client_outcomes(result.record)] == ["connected"] * 3
    (early,) = build.run_all(load_scenario.load("ignored-ack-then-accept"), 12 * 10**9)
    assert [outcome.words for outcome in client_outcomes(early.record)] == [
        "connected",
        "connected, still waits in recv()",
        "connected on its side only, still waits in recv()",
    ]


def test_outcomes_of_many_clients_are_counted():
    entries = [(0, "c", f"c-{number}", "connect(10.0.0.1:80)", "waits") for number in range(30)]
    entries += [(9, "c", f"c-{number}", "connect(10.0.0.1:80)", "connected") for number in range(20)]
    entries += [(99, "c", "c-1", "send(1 octet)", "EPIPE")]
    assert lines_text(client_outcome_lines(client_outcomes(calls(*entries)))) == (
        "  19  connected\n  10  still trying to connect\n   1  connected, later EPIPE\n"
    )
