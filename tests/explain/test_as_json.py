"""A run as JSON: its values are those of the record, of the hosts and of what else is printed."""

import json
from collections import Counter
from dataclasses import asdict

import pytest

from tcpemu.explain import as_json
from tcpemu.explain.as_json import json_data, json_text, row_data
from tcpemu.explain.capture.annotated_capture import capture_of
from tcpemu.explain.facts.client_outcomes import client_outcomes
from tcpemu.explain.facts.rows import CallRow, TimerRow, rows_of
from tcpemu.network.record import Point
from tcpemu.scenario.format import load_scenario
from tcpemu.scenario.format.load_scenario import BUILT_IN_SCENARIOS
from tcpemu.scenario.running import build
from tcpemu.scenario.running.summary import summarize
from tcpemu.stack.base import reasons
from tcpemu.wire import options as opt
from tcpemu.wire.codec import decode
from tcpemu.wire.segment import address, address_text
from tests.explain.hand_made import CLIENT_ISN, MS, SERVER_ISN, SYN_OPTIONS, Script

SECOND = 1000 * MS


def results_of(name, **settings):
    return [build.run(run) for run in load_scenario.runs(load_scenario.load(name, settings))]


@pytest.fixture(scope="module")
def ignored_ack():
    return results_of("ignored-ack")


@pytest.fixture(scope="module")
def syn_flood():
    return results_of("syn-flood")


def runs_of(results):
    return json_data("x", results)["runs"]


def kind(run, name):
    return [row for row in run["rows"] if row["kind"] == name]


def reason_names(run):
    return (row["verdict"]["reason"]["name"] for row in kind(run, "packet") if row["verdict"])


def of_script(script):
    return [row_data(row) for row in rows_of(script.record, every_call=True)]


# The values of a record.


def sights(result, point):
    return {seen.number: seen for seen in result.record.packets(point=point)}


def headers_in(row):
    names = ("source_address", "source_port", "destination_address", "destination_port")
    return (*(row[name] for name in names), row["seq"], row["ack"], row["window"], row["payload"])


def headers_of(segment):
    src, sport, dst, dport = segment[:4]
    ends = address_text(src), sport, address_text(dst), dport
    return (*ends, segment.seq, segment.ack, segment.window, segment.payload.hex())


@pytest.mark.parametrize("name", ["ignored_ack", "syn_flood"])
def test_every_packet_is_there_as_it_was_sent_and_as_it_ended(name, request):
    for result in request.getfixturevalue(name):
        (run,) = runs_of([result])
        packets = kind(run, "packet")
        sent, received, lost = (sights(result, point) for point in (Point.SENT, Point.RECEIVED, Point.LOST))
        assert [row["number"] for row in packets] == list(sent)
        for row in packets:
            number = row["number"]
            assert (row["at"], row["sender"]) == (sent[number].at, sent[number].node)
            assert headers_in(row) == headers_of(sent[number].segment)
            assert row["arrived"] == (received[number].at if number in received else None)
            assert (row["lost"], row["lost_at"]) == (
                (lost[number].why, lost[number].at) if number in lost else (None, None)
            )


@pytest.mark.parametrize("name", ["ignored_ack", "syn_flood"])
def test_reasons_are_those_of_the_record(name, request):
    for result in request.getfixturevalue(name):
        (run,) = runs_of([result])
        verdicts, sent = result.record.verdicts(), result.record.reasons_sent()
        told = {row["number"]: row for row in kind(run, "packet")}
        assert {number for number, row in told.items() if row["verdict"]} == set(verdicts)
        assert {number for number, row in told.items() if row["sent"]} == set(sent)
        for number, verdict in verdicts.items():
            reason = verdict.reason
            assert told[number]["verdict"] == {
                "outcome": verdict.outcome.value,
                "reason": {"name": reason.name, "words": reason.text, "source": reason.source},
            }
        for number, why in sent.items():
            assert told[number]["sent"]["reason"]["name"] == why.reason.name
            assert told[number]["sent"]["repeat"] == why.repeat


@pytest.mark.parametrize("name", ["ignored_ack", "syn_flood"])
def test_every_call_is_there_in_order(name, request):
    for result in request.getfixturevalue(name):
        (run,) = runs_of([result])
        assert [
            (row["at"], row["host"], row["application"], row["call"], row["result"], *ends(row))
            for row in kind(run, "call")
        ] == [(*call[:5], *(call.flow or [None] * 4)) for call in result.record.calls()]


def ends(row):
    """The connection of a row, as a host keeps it."""
    return (
        row["remote_address"] and address(row["remote_address"]),
        row["remote_port"],
        row["local_address"] and address(row["local_address"]),
        row["local_port"],
    )


def test_an_eviction_says_who_had_to_go():
    scenario = load_scenario.from_text(FLOOD_OF_SOLARIS)
    (run,) = runs_of(build.run_all(scenario))
    gone = [row for row in kind(run, "packet") if row["evicted"]]
    assert gone
    for row in gone:
        assert row["evicted"]["local_port"] == 80
        assert row["evicted"]["oldest"]
        assert row["evicted"]["waited"] > 0
        peer = row["evicted"]["remote_address"], row["evicted"]["remote_port"]
        came = [
            one
            for one in kind(run, "packet")
            if (one["source_address"], one["source_port"]) == peer and one["arrived"] < row["arrived"]
        ]
        assert came[-1]["arrived"] == row["arrived"] - row["evicted"]["waited"]
        assert "throws out the oldest half-open connection" in row["comment"]


FLOOD_OF_SOLARIS = """
title = "A flood on a kernel that throws out the oldest"
duration = "2 s"
[server]
generation = "solaris"
backlog = 2
[[clients]]
name = "flood"
start = { rate = 2000, until = "2 s" }
do = ["syn"]
spoof = "198.18.0.0/16"
"""


@pytest.mark.parametrize("name", ["ignored_ack", "syn_flood"])
def test_hosts_stand_as_the_network_says(name, request):
    for result in request.getfixturevalue(name):
        (run,) = runs_of([result])
        assert [host["name"] for host in run["hosts"]] == list(result.network.nodes)
        for host in run["hosts"]:
            node = result.network.nodes[host["name"]]
            assert host["addresses"] == list(node.addresses)
            if host["kernel"] is None:
                assert (host["sockets"], host["counters"]) == ([], {})
                continue
            assert host["counters"] == result.network.counters(node)
            assert [(each["state"], each["recv_q"], each["local_port"]) for each in host["sockets"]] == [
                (row.state.ss_name, row.recv_q, row.local[1]) for row in result.network.table(node)
            ]


def test_the_run_says_what_it_was(syn_flood):
    first, second = runs_of(syn_flood)
    assert (first["name"], second["name"]) == ("cookies off", "cookies on")
    assert first["kernel"] == "linux-6.18"
    assert first["ended"] == 6 * SECOND
    assert {host["name"]: host["kernel"] for host in first["hosts"]} == {
        "server": "linux-6.18",
        **{group.name: None if group.raw else group.generation for group in syn_flood[0].scenario.clients},
    }
    assert {**first["summary"], "name": "cookies off"} == asdict(summarize(syn_flood[0]))


def test_the_rows_of_a_flood_come_to_the_numbers_of_its_summary(syn_flood):
    off, on = runs_of(syn_flood)
    names = [Counter(reason_names(run)) for run in (off, on)]
    assert names[0]["SYN_QUEUE_FULL"] == off["summary"]["syns_dropped"] > 100
    assert names[1]["SYN_QUEUE_FULL"] == 0
    cookies = [
        row for row in kind(on, "packet") if row["sent"] and row["sent"]["reason"]["name"] == "SYN_ACK_COOKIE"
    ]
    assert len(cookies) == on["summary"]["cookies_sent"] > 100
    # A cookie leaves nothing behind at the server.
    assert {row["sender_state"]["after"] for row in cookies} == {None}
    # The spoofed senders have no TCP: what comes there is taken without a verdict.
    answers = [row for row in cookies if row["receiver"] == "flood"]
    assert len(answers) > 100
    assert {row["verdict"] for row in answers} == {None}


@pytest.mark.parametrize("name", BUILT_IN_SCENARIOS)
def test_clients_fared_as_the_ladder_says(name):
    for result in results_of(name, duration="0.5 s") if name == "accept-rate" else results_of(name):
        (run,) = runs_of([result])
        begun = [client for client in run["clients"] if client["started"] <= run["ended"]]
        told = sorted((client["name"], client["connected"], client["fate"]) for client in begun)
        assert told == sorted(
            (fate.application, fate.connected, fate.words) for fate in client_outcomes(result.record)
        )


# One packet.


def test_the_ack_that_is_ignored(ignored_ack):
    (run,) = runs_of(ignored_ack)
    ack = next(
        row
        for row in kind(run, "packet")
        if row["verdict"] and row["verdict"]["reason"]["name"] == "ACCEPT_QUEUE_FULL"
    )
    assert (ack["at"], ack["arrived"]) == (111 * MS, 116 * MS)
    assert (ack["sender"], ack["receiver"], ack["flags"]) == ("late", "server", "ACK")
    assert (ack["relative_seq"], ack["relative_ack"]) == (1, 1)
    assert (ack["window"], ack["scaled_window"]) == (63, 64512)
    assert ack["verdict"]["outcome"] == "dropped"
    assert ack["verdict"]["reason"]["source"] == "tcp_minisocks.c: tcp_check_req"
    assert ack["sender_state"] == {"before": "ESTAB", "after": "ESTAB"}
    assert ack["receiver_state"] == {"before": "SYN-RECV", "after": "SYN-RECV"}
    assert ack["queues"] == {"host": "server", "port": 80, "accept": 2, "syn": 1, "backlog": 1}
    assert ack["queues_changed"] is False
    assert ack["counters"]["ListenOverflows"] == ack["counters"]["ListenDrops"] == 1
    assert "The two ends disagree" in ack["comment"]


def test_syn_acks_sent_again_count_and_say_when_the_last_one_was(ignored_ack):
    (run,) = runs_of(ignored_ack)
    again = [
        row["sent"] for row in kind(run, "packet") if row["sender"] == "server" and row["sent"]["repeat"]
    ]
    assert [each["repeat"] for each in again] == [1, 2, 3, 4, 5]
    assert [each["since_last"] // SECOND for each in again] == [1, 2, 4, 8, 16]


def test_the_timer_that_ends_the_request(ignored_ack):
    (run,) = runs_of(ignored_ack)
    (timer,) = [row for row in kind(run, "timer") if row["reason"]]
    assert (timer["at"] // SECOND, timer["host"]) == (63, "server")
    assert timer["reason"]["name"] == "REQUEST_EXPIRED"
    assert timer["state"] == {"before": "SYN-RECV", "after": "UNCONN"}
    assert (timer["local_port"], timer["remote_address"]) == (80, "10.0.0.4")
    assert timer["queues"]["syn"] == 0


def test_comments_are_those_of_the_capture(ignored_ack):
    (run,) = runs_of(ignored_ack)
    capture = capture_of(ignored_ack[0].record)
    noted = {}
    for row in kind(run, "packet"):
        at = row["arrived"] if row["receiver"] == "server" else row["at"]
        noted[at, row["seq"], row["ack"], row["source_port"]] = row["comment"]
    assert len(noted) == len(capture.packets)
    for packet in capture.packets:
        segment = decode(packet.data)
        comment = packet.comments[0] if packet.comments else ""
        assert noted[packet.at, segment.seq, segment.ack, segment.sport] == comment


def test_changes_of_state_stand_on_the_side_that_made_them():
    script = Script()
    script.handshake(0, 40001)
    _, syn, syn_ack, ack = of_script(script)
    assert syn["sender_state"] == {"before": "UNCONN", "after": "SYN-SENT"}
    assert syn["receiver_state"] == {"before": "LISTEN", "after": "SYN-RECV"}
    assert syn_ack["receiver_state"] == {"before": "SYN-SENT", "after": "ESTAB"}
    assert ack["receiver_state"] == {"before": "SYN-RECV", "after": "ESTAB"}
    assert (syn["seq"], syn_ack["ack"]) == (CLIENT_ISN, CLIENT_ISN + 1)
    assert (syn_ack["seq"], syn_ack["relative_seq"], syn_ack["relative_ack"]) == (SERVER_ISN, 0, 1)
    assert (syn["ack"], syn["relative_ack"]) == (0, None)
    assert (syn["flags"], syn_ack["flags"]) == ("SYN", "SYN|ACK")


def test_a_lost_packet_a_copy_and_one_that_is_on_its_way():
    result = results_of_link(loss=1.0)
    (lost,) = kind(runs_of([result])[0], "packet")
    assert (lost["arrived"], lost["verdict"], lost["receiver"]) == (None, None, "server")
    assert "lost" in lost["lost"]
    assert lost["lost_at"] is not None
    result = results_of_link(duplicate=1.0)
    packets = kind(runs_of([result])[0], "packet")
    copy = next(row for row in packets if row["copy_of"] == packets[0]["number"])
    assert (copy["seq"], copy["sender"], copy["sent"]) == (packets[0]["seq"], "c", None)
    assert copy["at"] == copy["arrived"]
    result = results_of_link(until=1 * MS)
    (under_way,) = kind(runs_of([result])[0], "packet")
    assert (under_way["arrived"], under_way["lost"], under_way["verdict"]) == (None, None, None)


def results_of_link(until=500 * MS, **link):
    tables = {"title": "t", "look_at": "l", "clients": [{"name": "c"}], "link": link}
    (one,) = load_scenario.runs(load_scenario.from_document(tables))
    return build.run(one, until)


def test_payload_and_flags():
    script = Script()
    script.client_sends(0, 40001, "", payload=b"")
    script.client_sends(0, 40001, "PA", 1, 1, payload=b"\x00h\xff")
    none, data = of_script(script)
    assert (none["flags"], none["payload"], none["payload_length"]) == ("", "", 0)
    assert (data["flags"], data["payload"], data["payload_length"]) == ("PSH|ACK", "0068ff", 3)


def test_every_option_has_a_form():
    every = (
        opt.Mss(1460),
        opt.WScale(7),
        opt.SackOk(),
        opt.Sack(((1, 2), (3, 4))),
        opt.Timestamps(5, 6),
        opt.FastOpen(b"\xab"),
        opt.Unknown(99, b"\x01"),
        opt.Nop(),
        opt.Garbage(b"\x02"),
        opt.Eol(b"\x00"),
    )
    assert {type(option) for option in every} == set(opt.Option.__args__)
    script = Script()
    script.client_sends(0, 40001, "S", options=every)
    assert of_script(script)[0]["options"] == [
        {"option": "mss", "value": 1460},
        {"option": "window_scale", "shift": 7},
        {"option": "sack_permitted"},
        {"option": "sack", "blocks": [[1, 2], [3, 4]]},
        {"option": "timestamps", "val": 5, "ecr": 6},
        {"option": "fast_open", "cookie": "ab", "experimental": False},
        {"option": "unknown", "number": 99, "data": "01"},
        {"option": "nop"},
        {"option": "garbage", "data": "02"},
        {"option": "eol", "padding": "00"},
    ]


def test_windows_are_told_as_they_stand_and_scaled():
    script = Script()
    script.handshake(0, 40001)
    packets = [row for row in of_script(script) if row["kind"] == "packet"]
    shift = next(option.shift for option in SYN_OPTIONS if isinstance(option, opt.WScale))
    assert packets[0]["scaled_window"] == packets[0]["window"]
    assert packets[2]["scaled_window"] == packets[2]["window"] << shift


# Every call and the rows of a ladder.


def test_a_ladder_leaves_out_calls_that_json_has(ignored_ack):
    record = ignored_ack[0].record
    few, all_of_them = rows_of(record), rows_of(record, every_call=True)
    assert [row for row in all_of_them if row in few] == few
    assert {type(row) for row in all_of_them if row not in few} == {CallRow}


def test_a_timer_without_a_reason_and_without_a_change():
    flow = (address("10.0.0.2"), 40001, address("10.0.0.1"), 80)
    data = row_data(TimerRow(5, "server", flow, reasons.REQUEST_EXPIRED))
    assert data["state"] is None
    assert data["queues"] is None
    assert row_data(TimerRow(5, "server", flow, None))["reason"] is None


# The text.


def test_the_text_is_the_data_with_each_row_on_a_line(syn_flood):
    text, data = "".join(json_text("syn-flood", syn_flood)), json_data("syn-flood", syn_flood)
    assert json.loads(text) == data
    assert data["format"] == 1
    assert data["scenario"] == "syn-flood"
    assert text.isascii()
    assert text.endswith("}\n")
    lines = [line.rstrip(",") for line in text.splitlines() if line.startswith('{"kind"')]
    assert [json.loads(line) for line in lines] == [row for run in data["runs"] for row in run["rows"]]


def test_the_same_run_gives_the_same_octets():
    one, two = ("".join(json_text("x", results_of("listen-1-vs-5"))) for _ in range(2))
    assert one == two
    assert one != "".join(json_text("x", results_of("listen-1-vs-5", seed=9)))


def keys_in(value, inside=""):
    """Every key, but those that are names of counters or of the summary's numbers."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if inside not in ("counters", "sender_counters", "summary"):
                yield key
            yield from keys_in(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from keys_in(inner, inside)


@pytest.mark.parametrize("name", ["ignored_ack", "syn_flood"])
def test_every_key_is_told_in_the_docstring(name, request):
    keys = set(keys_in(json_data("x", request.getfixturevalue(name))))
    assert len(keys) > 60
    assert {key for key in keys if f"`{key}`" not in as_json.__doc__} == set()


# What waited, what was gone, what gave up.


def run_of(**scenario):
    (run,) = load_scenario.runs(load_scenario.from_document({"title": "t", **scenario}))
    return json_data("x", [build.run(run)])["runs"][0]


def test_data_for_a_connection_that_is_gone():
    client = {"name": "c", "do": ["connect", {"wait": "6 ms"}, {"send": 10}, {"wait": "1 s"}]}
    run = run_of(server={"then": "abort"}, clients=[client], duration="9 s")
    data, reset = (row for row in kind(run, "packet") if row["gone"])
    assert (data["payload_length"], reset["flags"]) == (10, "RST")
    assert data["gone"] == {"at": 15 * MS, "before": "ESTAB", "cause": "close() with SO_LINGER on and 0 s"}
    assert (reset["gone"]["at"], reset["gone"]["before"]) == (20 * MS, "ESTAB")


def test_a_full_buffer_and_held_data():
    sender = {"name": "c", "do": ["connect", {"send": 200_000}]}
    run = run_of(server={"options": {"rcvbuf": 4096}}, clients=[sender], duration="2 s")
    shut = [row for row in kind(run, "packet") if row["unread"]]
    assert shut
    assert all(row["scaled_window"] == 0 and row["sender"] == "server" for row in shut)
    twice = {"name": "c", "do": ["connect", {"send": 10}, {"send": 10}]}
    run = run_of(server={"then": "read_to_end"}, clients=[twice])
    assert [row["waited"] for row in kind(run, "packet") if row["waited"]] == [10 * MS]


def test_what_made_a_timer_give_up_and_a_call_fail():
    lost = {"drop": [{"to": "server", "data": True}]}
    client = {"name": "c", "sysctls": {"net.ipv4.tcp_retries2": 2}, "do": ["connect", {"send": 10}, "recv"]}
    run = run_of(link=lost, clients=[client, {"name": "d", "do": ["connect"], "own_port": 9}], duration="9 s")
    [given_up] = [row["given_up"] for row in kind(run, "timer") if row["given_up"]]
    assert given_up["setting"] == "net.ipv4.tcp_retries2"
    assert (given_up["value"], given_up["allowed"]) == (2, 1400 * MS)
    assert given_up["waited"] >= given_up["allowed"]
    crowded = {"name": "c", "count": 2, "sysctls": {"net.ipv4.ip_local_port_range": "2000 2000"}}
    run = run_of(clients=[crowded])
    assert [row["why"] for row in kind(run, "call") if row["why"]] == ["every local port is taken"]


# The inner life of connections.


def followed_run(watch):
    client = {"name": "c", "do": ["connect", {"send": 40_000}]}
    document = {"title": "t", "server": {"then": "read_to_end"}, "clients": [client], "duration": "1 s"}
    (run,) = load_scenario.runs(load_scenario.from_document(document))
    return build.run(run, watch=watch)


def test_transfers_are_there_where_somebody_followed_them():
    assert json_data("x", [followed_run(None)])["runs"][0]["transfers"] is None
    result = followed_run(lambda network, _: network.watch_transfers())
    data = json_data("x", [result])
    assert json.loads("".join(json_text("x", [result]))) == data
    transfers = data["runs"][0]["transfers"]
    assert {(each["host"], each["remote_port"] == 80) for each in transfers} == {
        ("c", True),
        ("server", False),
    }
    changes = next(each["changes"] for each in transfers if each["host"] == "c")
    assert (changes[1]["cwnd"], changes[1]["ca_state"], changes[1]["notsent"]) == (10, "Open", 0)
    assert changes[-1]["acked"] == 40_001  # the SYN too
    missing = {key for key in keys_in(transfers) if f"`{key}`" not in as_json.__doc__}
    assert missing == set()
