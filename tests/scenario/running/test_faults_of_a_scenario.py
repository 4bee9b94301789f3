"""Faults of a scenario file: packets by their role, connections and hosts at a time."""

import pytest

from tcpemu.network import MILLISECOND, SECOND, Fault, Point
from tcpemu.scenario.format import load_scenario
from tcpemu.scenario.format.problems import ScenarioError
from tcpemu.scenario.running import build
from tcpemu.wire.segment import flag_letters

TALK = """
title = "t"
duration = "20 s"
[server]
answer = "echo"
[[clients]]
name = "c"
count = 3
start = { every = "1 s" }
do = ["connect", { send = "a" }, "recv", { wait = "3 s" }, { send = "b" }, "recv", "close"]
"""


def ran(*faults):
    (run,) = load_scenario.runs(
        load_scenario.from_text(TALK + "".join(f"[[faults]]\n{one}\n" for one in faults))
    )
    return build.run(run)


def lost(result):
    return [
        (packet.node, flag_letters(packet.segment.flags))
        for packet in result.record.packets(point=Point.LOST)
    ]


@pytest.mark.parametrize(
    ("lines", "what"),
    [
        ("what = 'lose'\nrole = 'third-ack'\nof = 'c'\nconnection = 2", [("c", "A")]),
        ("what = 'lose'\nrole = 'syn'\ntimes = 2\nconnection = 1", [("c", "S")] * 2),
        ("what = 'lose'\nrole = 'data 1'\nof = 'c'\nby = 'server'\nconnection = 3", [("server", "PA")]),
        ("what = 'delay'\nrole = 'syn'\ntime = '300 ms'", []),
        ("what = 'duplicate'\nrole = 'data 1'", []),
    ],
)
def test_packets_by_their_role(lines, what):
    result = ran(lines)
    assert lost(result) == what
    assert result.network.unmet_faults == []
    assert [client.error for client in result.clients] == [""] * 3
    assert [client.received for client in result.clients] == [2] * 3


def test_a_reset_of_one_connection():
    result = ran("what = 'reset'\nat = '2.5 s'\nof = 'c'\nconnection = 2")
    assert [client.error for client in result.clients] == ["", "ECONNRESET", ""]


def test_a_cut_between_two_times():
    result = ran("what = 'cut'\nat = '2.5 s'\nuntil = '4.5 s'\nof = 'c'")
    at = [packet.at for packet in result.record.packets(point=Point.LOST)]
    assert len(at) == 7, "the second line of two clients, sent again in vain"
    assert 2_500 * MILLISECOND <= min(at) <= max(at) < 4_500 * MILLISECOND
    assert [(client.error, client.received) for client in result.clients] == [("", 2)] * 3
    assert all(4_500 * MILLISECOND < client.ended < 5_500 * MILLISECOND for client in result.clients)


def test_a_server_that_crashes_is_there_again_and_listens():
    result = ran("what = 'crash'\nof = 'server'\nat = '1.5 s'\nuntil = '4 s'")
    assert [client.error for client in result.clients] == ["ECONNRESET", "ECONNRESET", ""]
    listens = [call.at for call in result.record.calls("server") if call.text.startswith("listen(")]
    assert listens == [0, 4 * SECOND]
    assert result.clients[2].connected > 4 * SECOND


def test_clients_whose_host_has_crashed_do_nothing_more():
    result = ran("what = 'crash'\nof = 'c'\nat = '1.5 s'\nuntil = '1.9 s'")
    assert [(client.received, client.ended) for client in result.clients[:2]] == [(1, None)] * 2
    assert result.clients[2].received == 2


def test_what_goes_wrong_is_the_same_value_as_in_python():
    (table,) = load_scenario.from_text(TALK + "[[faults]]\nwhat = 'cut'\nat = '1 s'\nof = 'c'").faults
    assert table.fault == Fault("cut", of="c", at=SECOND)


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ("what = 'lose'", "faults[0].role: missing; a lose takes it"),
        ("what = 'lose'\nrole = 'third ack'", "'third ack' is no part that a packet plays"),
        ("what = 'reset'", "faults[0].at: missing"),
        ("what = 'crash'\nat = '1 s'", "faults[0].of: missing"),
        ("what = 'cut'\nat = '1 s'\nrole = 'syn'", 'faults[0].role: role beside what = "cut"; leave it out'),
        ("what = 'cut'\nat = '2 s'\nuntil = '1 s'", "faults[0].until: not after at"),
        ("what = 'explode'", "faults[0].what"),
        ("what = 'reset'\nat = '1 s'\nof = 'd'", 'faults[0].of: found "d", which is no host'),
        ("what = 'delay'\nrole = 'syn'", "faults[0].time: missing"),
    ],
)
def test_mistakes_are_told_with_their_place(lines, told):
    with pytest.raises(ScenarioError) as caught:
        ran(lines)
    assert told in str(caught.value)


def test_a_group_of_bare_syns_cannot_crash():
    raw = (
        TALK.replace('do = ["connect"', 'do = ["syn"]\n#')
        .replace("count = 3", "count = 1")
        .replace("start = {", "# {")
    )
    with pytest.raises(ScenarioError, match="has no TCP that could be lost"):
        load_scenario.from_text(raw + "[[faults]]\nwhat = 'crash'\nof = 'c'\nat = '1 s'")
