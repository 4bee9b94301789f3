"""The words for what servers and clients do with a connection: requests and answers, ends early and late, options."""

from itertools import pairwise

import pytest

from tcpemu.network import Point
from tcpemu.scenario.format.load_scenario import from_document, from_text, runs
from tcpemu.scenario.format.problems import ScenarioError
from tcpemu.scenario.running.build import run, run_all
from tcpemu.stack.base.events import IcmpArrived
from tcpemu.stack.base.units import MILLISECOND as MS
from tcpemu.stack.base.units import SECOND
from tcpemu.wire.segment import ACK, FIN, RST, SYN, flag_names

TALK = ["connect", {"send": "GET /\r\n"}, "read_to_end", "close"]


def scenario(client=None, **tables):
    group = {"name": "c", "do": TALK, **(client or {})}
    return from_document({"title": "t", "clients": [group], **tables})


def ran(client=None, **tables):
    (one,) = runs(scenario(client, **tables))
    return run(one)


def calls(result, node="server"):
    return [(call.at // MS, call.text, call.result) for call in result.record.calls(node)]


def sent(result, node):
    return [(seen.at // MS, seen.segment) for seen in result.record.packets(node, Point.SENT)]


def refused(words, client=None, **tables):
    with pytest.raises(ScenarioError) as caught:
        scenario(client, **tables)
    assert words in str(caught.value)


# What a server does with a connection.


def test_it_reads_the_request_then_answers_then_closes():
    result = ran(server={"do": ["recv", {"send": 3000}, "close"]})
    done = [call.text for call in result.record.calls("server", "server-1") if call.result != "waits"]
    assert done == ["recv(65536)", "send(3000 octets)", "close()", "ends"]
    (client,) = result.clients
    assert (client.sent, client.received, client.error) == (7, 3000, "")
    assert not any(segment.flags & RST for _, segment in [*sent(result, "server"), *sent(result, "c")])
    assert sum(len(segment.payload) for _, segment in sent(result, "server")) == 3000


def test_it_waits_and_ends_as_it_is_told():
    result = ran(server={"do": [{"recv": 7}, {"wait": "200 ms"}, {"send": "ok"}, {"wait": "1 s"}, "abort"]})
    (answer,) = [at for at, segment in sent(result, "server") if segment.payload]
    (reset,) = [at for at, segment in sent(result, "server") if segment.flags & RST]
    assert (answer, reset) == (215, 1215)
    assert result.clients[0].error == "ECONNRESET"


def test_it_takes_line_after_line_until_the_client_ends():
    lines = [step for _ in range(3) for step in ({"send": "ping\n"}, {"recv": 5})]
    do = ["connect", *lines, "half_close", "read_to_end", "close"]
    result = ran({"do": do}, server={"do": ["recv_line", {"send": "pong\n"}, "again"]})
    assert result.clients[0].received == 20, "three lines, and the answer to the end"
    assert calls(result)[-2][1] == "close()"


def test_it_half_closes_and_reads_on():
    do = ["connect", "read_to_end", {"send": 10}, "close"]
    result = ran({"do": do}, server={"do": [{"send": "hi"}, "half_close", "read_to_end", "close"]})
    assert (result.clients[0].sent, result.clients[0].received, result.clients[0].error) == (10, 2, "")


def test_it_closes_a_connection_that_is_idle():
    result = ran({"do": ["connect", {"wait": "5 s"}]}, server={"answer": "echo", "idle_timeout": "2 s"})
    assert ("close()", "") in [call[1:] for call in calls(result)]
    (fin,) = [at for at, segment in sent(result, "server") if segment.flags & FIN]
    assert fin == 2015
    busy = [step for _ in range(4) for step in ({"send": 1}, {"recv": 1}, {"wait": "1 s"})]
    server = {"answer": "echo", "then": "close", "idle_timeout": "2 s"}
    result = ran({"do": ["connect", *busy, "close"]}, server=server)
    assert min(at for at, segment in sent(result, "server") if segment.flags & FIN) > 4000


def test_an_answer_of_octets_and_an_end_that_comes_later():
    result = ran(
        {"do": ["connect", "read_to_end"]},
        server={"answer": {"octets": 500}, "then": "close", "then_after": "3 s"},
    )
    (fin,) = [at for at, segment in sent(result, "server") if segment.flags & FIN]
    assert (fin, result.clients[0].received) == (3015, 500)
    result = ran({"do": ["connect", "read_to_end"]}, server={"then": "abort"})
    assert result.clients[0].error == "ECONNRESET"


def test_what_contradicts_itself_is_told():
    refused(
        "server.answer: answer beside do; keep one of the two", server={"do": ["close"], "answer": "echo"}
    )
    refused("server.do[1]: send after close; close is the last", server={"do": ["close", {"send": 1}]})
    refused('server.do[0]: found "connect"; must be one of', server={"do": ["connect"]})


# Clients.


def test_a_client_has_a_port_of_its_own_and_the_next_the_next():
    result = ran({"own_port": 5000, "count": 2})
    assert sorted({segment.sport for _, segment in sent(result, "c")}) == [5000, 5001]
    refused("own_port: found 65535; too high for 3 ports", {"own_port": 65535, "count": 3})
    refused("own_port beside a bare SYN", {"own_port": 5, "do": ["syn"]})


def test_options_are_those_of_the_socket():
    two = ["connect", {"send": 10}, {"wait": "1 ms"}, {"send": 10}, {"wait": "1 s"}]
    gaps = {}
    for nodelay in (False, True):
        data = [
            at
            for at, segment in sent(ran({"do": two, "options": {"nodelay": nodelay}}), "c")
            if segment.payload
        ]
        gaps[nodelay] = data[1] - data[0]
    assert gaps[True] == 1
    assert gaps[False] >= 10, "Nagle's rule waits for the ACK"
    corked = [at for at, segment in sent(ran({"do": two, "options": {"cork": True}}), "c") if segment.payload]
    assert corked[0] >= 200
    result = ran({"do": ["connect", {"wait": "1 s"}, "close"], "options": {"linger": 0}})
    assert any(segment.flags & RST for _, segment in sent(result, "c"))


def test_a_client_chooses_its_congestion_control_and_the_server_its_highest_pace():
    """Reno's segments leave as ACKs come, BBR's at its pace."""
    times = {}
    for name in ("reno", "bbr"):
        result = ran(
            {"do": ["connect", {"send": 60_000}, {"wait": "1 s"}], "options": {"congestion": name}},
            link={"delay": "50 ms"},
        )
        times[name] = {at for at, segment in sent(result, "c") if segment.payload}
    assert len(times["reno"]) < len(times["bbr"]) - 5
    server = {"do": [{"send": 40_000}], "options": {"max_pacing_rate": 146_000}}
    result = ran({"do": ["connect", {"wait": "1 s"}]}, server=server)
    times = [at for at, segment in sent(result, "server") if segment.payload]
    assert 150 <= times[-1] - times[0] <= 250, "26,000 octets in 178 ms, once ten segments have gone"
    refused("clients[0].options.congestion: ", {"options": {"congestion": "vegas"}})


def test_user_timeout_gives_up_early_on_either_side():
    options = {"user_timeout": "2 s"}
    lossy = {"drop": [{"to": "server", "data": True}]}
    result = ran({"do": ["connect", {"send": 5}, "recv"], "options": options}, link=lossy, duration="60 s")
    assert result.clients[0].error == "ETIMEDOUT"
    assert result.clients[0].ended < 4 * SECOND
    lossy = {"drop": [{"to": "client", "data": True}]}
    server = {"do": [{"send": 5}, "recv"], "options": options}
    result = ran({"do": ["connect", {"wait": "50 s"}]}, server=server, link=lossy, duration="60 s")
    timed_out, *_ = [at for at, _, what in calls(result) if what == "ETIMEDOUT"]
    assert timed_out < 4000
    refused("must be a whole number of milliseconds", {"options": {"user_timeout": "1 us"}})


@pytest.mark.parametrize("key", ["rcvlowat", "md5sig"])
def test_an_option_that_is_not_emulated_is_told_so(key):
    refused(f"clients[0].options.{key}: unknown key; known to Linux, but not emulated", {"options": {key: 1}})
    refused(
        f"server.options.{key}: unknown key; known to Linux, but not emulated", server={"options": {key: 1}}
    )


def test_a_silent_peer_is_asked_and_given_up():
    options = {"keepalive": True, "keepidle": 2, "keepintvl": 1, "keepcnt": 3}
    client = {"do": ["connect", {"wait": "500 ms"}, "abandon"]}
    result = ran(client, server={"do": ["recv"], "options": options}, duration="30 s")
    timed_out, *_ = [at for at, _, what in calls(result) if what == "ETIMEDOUT"]
    assert 4500 <= timed_out <= 5600


# Links and attackers.


def test_a_rule_drops_between_two_times():
    do = ["connect", *[step for _ in range(5) for step in ({"send": 1}, {"wait": "1 s"})]]
    drop = {"to": "server", "data": True, "from": "1500 ms", "until": "2500 ms"}
    result = ran({"do": do}, link={"drop": [drop]})
    lost = [seen.at // MS for seen in result.record.packets() if seen.why]
    assert lost
    assert all(1500 <= at < 2500 for at in lost)
    refused("drop[0].until: not after from", link={"drop": [{**drop, "until": "1 s"}]})
    for port in ({"dport": 81}, {"sport": 80}):
        assert not [
            seen for seen in ran(link={"drop": [{"to": "server", **port}]}).record.packets() if seen.why
        ]


def test_a_queue_of_the_link_is_as_long_as_it_says():
    link = {"rate": "1 Mbit/s", "queue": 3}
    result = ran({"do": ["connect", {"send": 20000}, "close"]}, link=link, server={"then": "read_to_end"})
    assert any(seen.why == "the link's queue is full (3 packets)" for seen in result.record.packets())


@pytest.mark.parametrize("spoof", [{}, {"spoof": "198.18.0.0/24"}])
def test_an_attacker_that_is_there_answers_with_a_rst(spoof):
    result = ran({"do": ["syn"], "count": 3, "replies": "rst", **spoof}, duration="5 s")
    flags = [flag_names(segment.flags) for _, segment in sent(result, "c")]
    assert flags == ["SYN"] * 3 + ["RST"] * 3
    answers = [segment for _, segment in sent(result, "server")]
    assert [segment.flags for segment in answers] == [SYN | ACK] * 3, "none comes again"
    resets = [segment for _, segment in sent(result, "c") if segment.flags & RST]
    assert [segment.seq for segment in resets] == [segment.ack for segment in answers]
    refused("replies without a bare SYN", {"replies": "rst"})


# SO_LINGER with time: close() waits.


def closes(result, node):
    return [(at, outcome) for at, text, outcome in calls(result, node) if text == "close()"]


def test_a_client_that_lingers_goes_on_when_its_fin_is_acknowledged():
    """The server's program neither reads nor closes; its TCP puts the ACK of the FIN off by 40 ms."""
    result = ran(
        {"do": ["connect", {"send": 100}, "close"], "options": {"linger": 5}}, link={"delay": "30 ms"}
    )
    assert closes(result, "c") == [(60, "waits"), (160, "after 0.1 s")]
    assert result.clients[0].ended == 160 * MS


def test_a_client_whose_peer_is_cut_off_waits_for_so_many_seconds():
    result = ran(
        {"do": ["connect", {"send": 100}, "close"], "options": {"linger": 2}},
        link={"delay": "30 ms"},
        faults=[{"what": "cut", "of": "server", "at": "50 ms"}],
    )
    assert closes(result, "c") == [(60, "waits"), (2060, "after 2 s")]


def test_a_server_that_lingers_takes_the_next_one_only_then():
    result = ran(
        {"do": ["connect", "read_to_end", "close"], "count": 2},
        server={"answer": "time", "then": "close", "options": {"linger": 5}},
        link={"delay": "30 ms"},
    )
    accepted = [at for at, text, outcome in calls(result) if text == "accept()" and outcome != "waits"]
    assert accepted[1] - accepted[0] == 60


def test_a_server_that_stops_waits_for_nobody():
    result = ran(
        {"do": ["connect", {"wait": "3 s"}, "close"]},
        server={"then": "keep", "options": {"linger": 5}, "stop_at": "1 s"},
    )
    assert closes(result, "server") == [(1000, ""), (1000, "")]


# The MTU of the path.


@pytest.mark.parametrize(
    ("link", "words"),
    [
        ({"mtu": 67}, "link.mtu"),
        ({"mtu": 1500}, "link.mtu: found 1500, and no host sends packets of more than 1500 octets"),
        ({"icmp": False}, "link.icmp: icmp without an mtu"),
        ({"to_server": {"mtu": 9000}}, "link.to_server.mtu: found 9000"),
    ],
)
def test_a_path_whose_mtu_cannot_be_or_says_nothing_is_refused(link, words):
    refused(words, link=link)


def test_a_path_of_ipv6_carries_1280_octets():
    refused("over IPv6 give 1280 at least", link={"mtu": 1000}, server={"address": "2001:db8::1"})


def test_the_mtu_of_one_way_holds_for_that_way():
    result = ran(
        {"do": ["connect", {"send": 3000}, "read_to_end", "close"]},
        server={"do": [{"recv": 3000}, {"send": 3000}, "close"]},
        link={"to_server": {"mtu": 1000}},
    )
    assert {entry.node for entry in result.record.events(IcmpArrived)} == {"c"}
    assert result.clients[0].received == 3000


def test_a_limit_of_accepted_connections_is_that_of_one_listener_after_the_other():
    result = ran(
        {"do": ["connect", "close"], "count": 6, "start": {"every": "1 s"}},
        server={"accept": {"limit": 3}, "close_at": "1500 ms", "listen_at": ["2500 ms"], "then": "close"},
        duration="9 s",
    )
    accepted = [outcome for _, text, outcome in calls(result) if text == "accept()" and ":" in outcome]
    assert len(accepted) == 3


def accepted_at(accept, count=6, seed=1):
    text = f"""
title = "A server with its own pace"
seed = {seed}
duration = "20 s"
[server]
backlog = 1000
accept = {accept}
[[clients]]
name = "c"
count = {count}
"""
    (result,) = run_all(from_text(text))
    return [each.at for each in result.accepted]


def test_the_server_does_not_accept_in_a_pause():
    times = accepted_at('{ every = "100 ms", pauses = [{ from = "150 ms", lasts = "1 s" }] }')
    assert [round(at / 1e6) for at in times] == [15, 115, 1150, 1250, 1350, 1450]
    times = accepted_at('{ every = "100 ms", pauses = [{ lasts = "500 ms", every = "1 s" }] }')
    assert [round(at / 1e6) for at in times] == [500, 600, 700, 800, 900, 1500]


def test_pauses_that_touch_are_one():
    pauses = '[{ lasts = "1 s" }, { from = "500 ms", lasts = "1 s" }]'
    assert accepted_at(f"{{ pauses = {pauses} }}", count=1) == [1_500_000_000]


def test_a_server_that_is_busy_by_chance_has_that_mean():
    times = accepted_at('{ every = "10 ms", by_chance = true }', count=400)
    waits = [after - before for before, after in pairwise(times)]
    assert len(set(waits)) > 300
    assert 8.5e6 < sum(waits) / len(waits) < 11.5e6
    assert times == accepted_at('{ every = "10 ms", by_chance = true }', count=400)
    assert times != accepted_at('{ every = "10 ms", by_chance = true }', count=400, seed=2)


def test_some_connections_take_longer():
    times = accepted_at('{ every = "1 ms", slow = { share = "10 %", every = "20 ms" } }', count=400)
    waits = [after - before for before, after in pairwise(times)]
    assert set(waits) == {1_000_000, 20_000_000}
    assert 20 < waits.count(20_000_000) < 65
