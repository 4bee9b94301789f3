"""From scenario to network: what each table of a file makes hosts, links and programs do."""

import tracemalloc

import pytest

from tcpemu.network import Point
from tcpemu.scenario.format.actions import WORDS
from tcpemu.scenario.format.consistency import SERVER
from tcpemu.scenario.format.load_scenario import from_document, runs
from tcpemu.scenario.running.build import build, host_addresses, run
from tcpemu.scenario.running.client import AT_WORD, payload
from tcpemu.scenario.running.result import Result
from tcpemu.scenario.running.server import time_text
from tcpemu.stack.base.states import State
from tcpemu.stack.base.units import MILLISECOND, SECOND
from tcpemu.wire.options import Mss, WScale
from tcpemu.wire.segment import ACK, FIN, RST, SYN, address

MS = MILLISECOND


def scenario(*clients, **tables):
    groups = [{"name": f"c{number}", **group} for number, group in enumerate(clients)]
    return from_document({"title": "t", "look_at": "l", "clients": groups, **tables})


def ran(*clients, until=None, **tables) -> Result:
    (one,) = runs(scenario(*clients, **tables))
    return run(one, until)


def packets(result: Result, node: str, point=Point.SENT):
    return [(seen.at, seen.segment) for seen in result.record.packets(node, point)]


def states(result: Result, node: str) -> list[State]:
    return sorted(row.state for row in result.network.table(result.network.nodes[node]))


def calls(result: Result, node: str) -> list[tuple[int, str, str]]:
    return [(call.at, call.text, call.result) for call in result.record.calls(node)]


def test_a_client_knows_what_to_do_at_every_word():
    assert {*AT_WORD, "syn"} == set(WORDS)


# Hosts.


def test_hosts_get_the_addresses_that_are_free():
    made = scenario({}, {"address": "10.0.0.1"}, {}, server={"address": "10.0.0.2"})
    assert host_addresses(made) == {SERVER: "10.0.0.2", "c0": "10.0.0.3", "c1": "10.0.0.1", "c2": "10.0.0.4"}


def test_where_one_has_an_address_of_ipv6_all_get_one():
    made = scenario({}, {"address": "2001:db8::2"}, {})
    assert host_addresses(made) == {
        SERVER: "2001:db8::1",
        "c0": "2001:db8::3",
        "c1": "2001:db8::2",
        "c2": "2001:db8::4",
    }


def test_a_scenario_runs_over_ipv6_with_its_own_numbers():
    result = ran({"do": ["connect", {"send": "x" * 3000}, "close"]}, server={"address": "2001:db8::9"})
    segments = [seen.segment for seen in result.record.packets(None, Point.SENT)]
    assert {len(segment.src) for segment in segments} == {16}
    assert [option.value for option in segments[0].options if isinstance(option, Mss)] == [1440]
    assert max(len(segment.payload) for segment in segments) == 1428
    assert all(segment.flow_label for segment in segments)


def test_a_flood_over_ipv6_comes_from_addresses_of_ipv6():
    result = ran(
        {"do": ["syn"], "count": 3, "spoof": "2001:db8:5::/64"},
        server={"address": "2001:db8::9", "backlog": 1},
    )
    segments = [seen.segment for seen in result.record.packets(None, Point.SENT)]
    syns = [segment for segment in segments if segment.src.startswith(address("2001:db8:5::")[:8])]
    assert [[option.value for option in syn.options] for syn in syns] == [[1440]] * 3


def test_sysctls_and_mtu_are_those_of_the_host():
    result = ran({"sysctls": {"net.ipv4.tcp_window_scaling": 0}, "mtu": 1000}, {})
    first, second = (packets(result, node)[0][1] for node in ("c0", "c1"))
    assert not any(isinstance(option, WScale) for option in first.options)
    assert any(isinstance(option, WScale) for option in second.options)
    assert first.options[0].value == 960
    assert second.options[0].value == 1460


def test_hz_makes_timers_late():
    drop = {"drop": [{"to": "server", "flags": "S"}]}
    exact, late = (packets(ran(group, link=drop), "c0")[1][0] for group in ({}, {"hz": 100}))
    assert exact == SECOND
    assert SECOND < late <= SECOND + 80 * MS


# Links.


def test_delay_and_rate():
    result = ran({"link": {"delay": "7 ms"}}, {"link": {"rate": "60 kbit/s"}})
    assert packets(result, SERVER, Point.RECEIVED)[0][0] == 7 * MS
    (at, syn), *_ = [entry for entry in packets(result, SERVER, Point.RECEIVED) if entry[1].src[-1] == 3]
    assert at == 5 * MS + 60 * 8 * SECOND // 60_000
    assert syn.flags == SYN


def test_each_direction_of_a_link_may_have_values_of_its_own():
    link = {"delay": "10 ms", "to_client": {"delay": "30 ms"}}
    result = ran({}, {"link": {"to_server": {"delay": "1 ms"}}}, {"link": {"delay": "2 ms"}}, link=link)
    assert [client.connected for client in result.clients] == [40 * MS, 31 * MS, 4 * MS]
    result = ran({}, link={"to_client": {"loss": 1.0}}, until=SECOND // 2)
    assert len(packets(result, SERVER)) == 1
    assert result.clients[0].connected is None


def test_drop_rules_are_for_one_direction():
    result = ran({}, link={"drop": [{"to": "client", "flags": "A", "nth": [1, 2]}]})
    lost = [(seen.node, seen.segment.flags) for seen in result.record.packets(point=Point.LOST)]
    assert lost == [(SERVER, SYN | ACK)] * 2
    assert result.clients[0].connected is not None
    assert result.clients[0].connected > SECOND


def test_loss_is_the_same_for_the_same_seed_only():
    def lost(seed):
        result = ran({"count": 50}, link={"loss": "30 %"}, seed=seed, until=100 * MS)
        return [seen.number for seen in result.record.packets(point=Point.LOST)]

    assert lost(1) == lost(1) != lost(2)
    assert 10 < len(lost(1)) < 70


# The server.


def test_it_accepts_as_fast_as_connections_come():
    result = ran({"start": "1 s"}, {})
    assert [accepted.at for accepted in result.accepted] == [15 * MS, SECOND + 15 * MS]


def test_it_accepts_when_it_is_told():
    result = ran({"count": 4}, server={"accept": {"at": ["1 s", "3 s"]}})
    assert [accepted.at for accepted in result.accepted] == [SECOND, 3 * SECOND]


def test_it_accepts_at_a_pace():
    result = ran({"count": 4}, server={"accept": {"from": "1 s", "every": "1 s", "limit": 3}})
    assert [accepted.at for accepted in result.accepted] == [SECOND, 2 * SECOND, 3 * SECOND]


def test_a_pace_counts_from_the_last_connection():
    result = ran({"start": {"at": ["0 s", "5 s", "5 s"]}}, server={"accept": {"every": "1 s"}})
    assert [accepted.at for accepted in result.accepted] == [
        15 * MS,
        5 * SECOND + 15 * MS,
        6 * SECOND + 15 * MS,
    ]


def test_it_never_accepts():
    result = ran({"count": 2}, server={"accept": {"never": True}})
    assert result.accepted == []
    assert not [text for _, text, _ in calls(result, SERVER) if text.startswith("accept")]


def test_it_answers_with_a_text_and_closes():
    result = ran(
        {"do": ["connect", "read_to_end", "close"]}, server={"answer": {"text": "hé"}, "then": "close"}
    )
    assert result.clients[0].received == 3
    assert states(result, SERVER) == [State.TIME_WAIT, State.LISTEN]


def test_it_echoes_while_others_are_served():
    talk = [
        "connect",
        {"send": 3000},
        {"recv": 3000},
        {"wait": "1 s"},
        {"send": "more"},
        {"recv": 4},
        "half_close",
    ]
    result = ran(
        {"count": 2, "do": [*talk, "read_to_end", "close"]}, server={"answer": "echo", "then": "close"}
    )
    assert [(client.sent, client.received, client.error) for client in result.clients] == [
        (3004, 3004, "")
    ] * 2


def test_it_reads_to_the_end_and_closes():
    result = ran({"do": ["connect", {"wait": "1 s"}, "close"]}, server={"then": "read_to_end"})
    closes = [(at, text) for at, text, _ in calls(result, SERVER) if text == "close()"]
    assert closes == [(SECOND + 15 * MS, "close()")]
    assert states(result, "c0") == [State.TIME_WAIT]


def test_it_survives_a_client_that_resets_before_it_is_served():
    result = ran(
        {"do": ["connect", "abort"]},
        {"start": "1 s", "do": ["connect", "read_to_end"]},
        server={"accept": {"from": "2 s"}, "answer": "time", "then": "close"},
    )
    assert len(result.accepted) == 2
    assert result.clients[1].received == len(time_text(0)) + 2


def test_it_listens_again_with_another_backlog():
    result = ran(
        {"start": {"at": ["0 s", "1 s", "2.2 s"]}},
        server={"backlog": 0, "accept": {"never": True}, "relisten": [{"at": "1.5 s", "backlog": 1}]},
        until=3 * SECOND,
    )
    assert [client.connected for client in result.clients] == [10 * MS, 2010 * MS, None]
    assert (1500 * MS, "listen(1)", "") in calls(result, SERVER)


@pytest.mark.parametrize("key", ["close_at", "shutdown_at"])
def test_it_stops_to_listen(key):
    result = ran({}, {"start": "2 s"}, server={"accept": {"at": ["5 s"]}, key: "1 s"})
    # The connection that waits is reset, and later SYNs are refused.
    assert [segment.flags for at, segment in packets(result, SERVER) if at == SECOND] == [RST | ACK]
    assert result.clients[1].error == "ECONNREFUSED"
    assert result.accepted == []


def test_a_program_that_stops_closes_all_and_comes_back():
    reuse = {"options": {"reuseaddr": True}}
    result = ran(
        {"do": ["connect", {"send": 3}, "read_to_end", "close"]},
        {"start": "1500 ms"},
        {"start": "2500 ms"},
        server={"stop_at": "1 s", "listen_at": "2 s", "do": ["recv", {"send": 3}, "recv"], **reuse},
        until=3 * SECOND,
    )
    assert [client.error for client in result.clients] == ["", "ECONNREFUSED", ""]
    assert [accepted.at for accepted in result.accepted] == [15 * MS, 2515 * MS]
    assert [at for at, text, _ in calls(result, SERVER) if text == "close()"] == [SECOND, SECOND]
    assert [segment.flags & FIN for at, segment in packets(result, SERVER) if at == SECOND] == [FIN]


def test_each_time_of_listen_at_is_a_try_until_one_succeeds():
    """Its FIN came first, so TIME_WAIT holds the port until 61 s, unless SO_REUSEADDR was set before and after."""
    times = ["2 s", "30 s", "65 s", "70 s"]
    table = {"stop_at": "1 s", "listen_at": times, "do": ["recv"]}
    client = {"do": ["connect", "read_to_end", "close"]}
    for options, expected in (({}, ["", "EADDRINUSE", "EADDRINUSE", ""]), ({"reuseaddr": True}, ["", ""])):
        result = ran(client, server=table | {"options": options}, until=80 * SECOND)
        assert [what for _, text, what in calls(result, SERVER) if text.startswith("listen")] == expected


def test_a_group_of_listeners_shares_a_port():
    result = ran(
        {"count": 20, "do": ["connect", "recv"]},
        server={"listeners": 2, "accept": {"never": True}, "close_at": "1 s"},
        until=2 * SECOND,
    )
    reset = [client for client in result.clients if client.error == "ECONNRESET"]
    assert 0 < len(reset) < 20  # those of the first listener, by a hash of their addresses and ports
    assert states(result, SERVER).count(State.LISTEN) == 1


def test_closing_the_listener_ends_accept():
    result = ran(server={"close_at": "1 s"})
    assert states(result, SERVER) == []
    ended = [(at, text) for at, text, _ in calls(result, SERVER) if text == "ends"]
    assert (SECOND, "ends") in ended


def test_options_of_the_listener():
    result = ran(
        {}, server={"options": {"maxseg": 1000, "rcvbuf": 4096, "syncnt": 1, "defer_accept": 1}}, until=SECOND
    )
    _, syn_ack = packets(result, SERVER)[0]
    assert syn_ack.options[0].value == 1000
    assert syn_ack.window < 4096
    # The bare ACK only marks the request, for defer_accept waits for data.
    assert State.SYN_RECV in states(result, SERVER)


# Clients.


def test_all_that_a_client_can_do():
    do = [
        "connect",
        {"wait": "1 s"},
        {"send": "ab"},
        {"wait_until": "3 s"},
        {"send": 1},
        "half_close",
        "read_to_end",
        "close",
    ]
    result = ran({"do": do}, server={"then": "read_to_end"})
    data = [(at, segment.payload) for at, segment in packets(result, "c0") if segment.payload]
    assert data == [(SECOND + 10 * MS, b"ab"), (3 * SECOND, b"a")]
    fins = [at for at, segment in packets(result, "c0") if segment.flags & FIN]
    assert fins == [3 * SECOND]
    assert (result.clients[0].sent, result.clients[0].ended) == (3, 3 * SECOND + 10 * MS)


def test_a_client_reads_so_many_octets_or_to_the_end():
    server = {"answer": {"text": "0123456789"}, "then": "close"}
    result = ran({"do": ["connect", {"recv": 4}]}, {"do": ["connect", {"recv": 40}]}, server=server)
    assert [client.received for client in result.clients] == [10, 10]
    assert [client.ended for client in result.clients] == [20 * MS, 20 * MS]


def test_a_client_aborts():
    result = ran({"do": ["connect", {"wait": 1}, "abort"]})
    assert packets(result, "c0")[-1][1].flags == RST | ACK
    assert states(result, "c0") == []


def test_a_client_is_gone_without_a_word():
    result = ran(
        {"do": ["connect", {"send": "x"}, {"wait": "1 s"}, "abandon"]},
        server={"accept": {"from": "2 s"}, "answer": {"text": "anybody?"}},
    )
    assert packets(result, "c0", Point.RECEIVED)[-1][0] < SECOND
    lost = result.record.packets(SERVER, Point.LOST)
    assert len(lost) > 2
    assert {seen.why for seen in lost} == {"dropped by rule: the client is gone without a word"}
    assert result.clients[0].error == ""


def test_only_the_client_that_is_gone_is_silent():
    result = ran(
        {"do": ["connect", "abandon"], "count": 1},
        {"do": ["connect", "read_to_end"]},
        server={"accept": {"from": "1 s"}, "answer": {"text": "x"}, "then": "close"},
    )
    assert result.clients[1].received == 1


def test_a_client_that_is_refused():
    result = ran({"port": 81, "do": ["connect", {"send": "x"}]})
    (client,) = result.clients
    assert (client.connected, client.error, client.ended, client.sent) == (None, "ECONNREFUSED", 10 * MS, 0)


def test_clients_are_named_by_their_group():
    result = ran({"count": 2}, {})
    assert [(client.name, client.group) for client in result.clients] == [
        ("c0-1", "c0"),
        ("c0-2", "c0"),
        ("c1", "c1"),
    ]


def test_clients_start_when_they_are_told():
    result = ran({"count": 3, "start": {"every": "10 ms", "from": "1 s"}})
    syns = [at for at, segment in packets(result, "c0") if segment.flags == SYN]
    assert syns == [SECOND, SECOND + 10 * MS, SECOND + 20 * MS]
    assert [client.started for client in result.clients] == syns


# Bare SYNs.


def test_a_bare_syn_is_answered_and_nothing_comes_back():
    result = ran({"do": ["syn", {"wait": "200 ms"}, "syn", {"wait_until": "4 s"}, "syn"]}, until=5 * SECOND)
    sent = packets(result, "c0")
    assert [at for at, _ in sent] == [0, 200 * MS, 4 * SECOND]
    assert len({segment for _, segment in sent}) == 1
    assert result.clients == []
    assert states(result, SERVER) == [State.SYN_RECV, State.LISTEN]
    answers = [at for at, _ in packets(result, SERVER)]
    # The SYN that comes again is answered again, and the timer starts again with it.
    assert answers[:2] == [5 * MS, 205 * MS]


def test_spoofed_syns_come_from_everywhere():
    result = ran({"count": 40, "do": ["syn"], "spoof": "198.18.0.0/24", "start": {"every": "1 ms"}})
    sources = {segment.src for _, segment in packets(result, "c0")}
    assert len(sources) > 20
    assert {source[:3] for source in sources} == {bytes([198, 18, 0])}
    # What the server answers reaches nobody, for no host has these addresses.
    assert packets(result, "c0", Point.RECEIVED) == []
    assert len(packets(result, "c0")) == 40


def test_syns_that_are_not_spoofed_come_from_the_host():
    result = ran({"count": 3, "do": ["syn"]})
    flows = [(segment.src, segment.sport) for _, segment in packets(result, "c0")]
    assert flows == [(bytes([10, 0, 0, 2]), port) for port in (1024, 1025, 1026)]


# Small things.


def test_a_network_can_be_run_step_by_step():
    (one,) = runs(scenario({}))
    result = build(one)
    result.network.run(5 * MS)
    assert result.ended == 5 * MS
    assert states(result, "c0") == [State.SYN_SENT]
    result.network.run(10 * MS)
    assert states(result, "c0") == [State.ESTABLISHED]


def test_payloads():
    assert payload("é") == b"\xc3\xa9"
    assert payload(28) == b"abcdefghijklmnopqrstuvwxyzab"


def test_the_time_is_the_virtual_one():
    assert time_text(0) == "2026-01-01 00:00:00.000 UTC"
    assert time_text(86400 * SECOND + 1_999_999) == "2026-01-02 00:00:00.001 UTC"


def test_a_flood_takes_no_room_before_it_comes():
    flood = {"do": ["syn"], "spoof": "198.18.0.0/15", "start": {"rate": 100_000, "until": "9 s"}}
    (one,) = runs(scenario(flood))
    tracemalloc.start()
    try:
        build(one)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()
