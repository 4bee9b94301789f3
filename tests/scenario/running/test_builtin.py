"""Every built-in scenario runs, always in the same way, and shows what it says one should look at."""

import itertools

import pytest

from tcpemu.network import Point
from tcpemu.scenario.format.consistency import SERVER
from tcpemu.scenario.format.load_scenario import BUILT_IN_SCENARIOS, load, runs
from tcpemu.scenario.running.build import host_addresses, run, run_all
from tcpemu.scenario.running.result import Result
from tcpemu.scenario.running.summary import Summary, summarize
from tcpemu.stack.base.events import IcmpArrived, StateChanged, Verdict
from tcpemu.stack.base.states import State
from tcpemu.stack.base.units import MILLISECOND, SECOND
from tcpemu.wire.segment import ACK, RST, SYN, address

MS = MILLISECOND


def only(name: str) -> Result:
    (result,) = run_all(load(name))
    return result


def sent(result: Result, node: str, to: str, flags: int) -> list[int]:
    """When the node sent a packet with exactly these flags, PSH apart, to that host."""
    target = address(host_addresses(result.scenario)[to])
    return [
        seen.at
        for seen in result.record.packets(node, Point.SENT)
        if seen.segment.dst == target and seen.segment.flags & (SYN | ACK | RST | 1) == flags
    ]


def verdicts(result: Result, client: str) -> list[tuple[int, str]]:
    """When a packet of the client reached the server, and what became of it."""
    source = address(host_addresses(result.scenario)[client])
    return [
        (entry.at, entry.event.reason.name)
        for entry in result.record.events(Verdict, node=SERVER)
        if entry.event.segment.src == source
    ]


def states(result: Result, node: str) -> list[tuple[State, int, int]]:
    """State, Recv-Q and Send-Q of the node's sockets at the end."""
    return sorted(
        (row.state, row.recv_q, row.send_q) for row in result.network.table(result.network.nodes[node])
    )


def client(result: Result, name: str):
    (found,) = (outcome for outcome in result.clients if outcome.name == name)
    return found


@pytest.mark.parametrize("name", BUILT_IN_SCENARIOS)
def test_the_same_seed_gives_the_same_record(name):
    one = runs(load(name))[0]
    assert run(one).record.entries == run(one).record.entries


@pytest.mark.parametrize("name", BUILT_IN_SCENARIOS)
def test_another_seed_gives_other_numbers(name):
    some, other = (run(runs(load(name, {"seed": seed}))[0]) for seed in (1, 2))
    assert some.record.entries != other.record.entries


@pytest.mark.parametrize("name", BUILT_IN_SCENARIOS)
def test_it_says_what_to_look_at(name):
    scenario = load(name)
    assert scenario.title
    assert not scenario.title.endswith(".")
    assert len(scenario.about) > 80
    assert len(scenario.look_at) > 40


def test_handshake():
    result = only("handshake")
    lengths = {at: (accept, syn) for at, accept, syn, _ in result.record.queue_lengths(SERVER, 80)}
    assert lengths == {0: (0, 0), 5 * MS: (0, 1), 15 * MS: (1, 0), 100 * MS: (0, 0)}
    flags = [seen.segment.flags for seen in result.record.packets(point=Point.SENT)]
    assert flags == [SYN, SYN | ACK, ACK]
    assert client(result, "client").connected == 10 * MS


def test_time_server():
    result = only("time-server")
    assert [outcome.received for outcome in result.clients] == [29, 29]
    texts = [
        seen.segment.payload for seen in result.record.packets(SERVER, Point.SENT) if seen.segment.payload
    ]
    assert texts == [b"2026-01-01 00:00:00.015 UTC\r\n", b"2026-01-01 00:00:00.215 UTC\r\n"]
    assert states(result, SERVER) == [(State.TIME_WAIT, 0, 0)] * 2 + [(State.LISTEN, 0, 5)]
    assert states(result, "client") == []


def test_listen_1_vs_5():
    one, five = run_all(load("listen-1-vs-5"))
    assert (State.LISTEN, 2, 1) in states(one, SERVER)
    assert (State.LISTEN, 6, 5) in states(five, SERVER)
    for result, connected in (one, 2), (five, 6):
        assert sum(outcome.connected is not None for outcome in result.clients) == connected
        assert [state for state, _, _ in states(result, "client")].count(State.SYN_SENT) == 8 - connected


def test_listen_0():
    result = only("listen-0")
    assert client(result, "first").connected == 10 * MS
    assert [name for _, name in verdicts(result, "second")] == ["ACCEPT_QUEUE_FULL_SYN"] * 3 + [
        "SYN_QUEUED",
        "HANDSHAKE_DONE",
    ]
    assert client(result, "second").connected == 3110 * MS
    assert [accepted.at for accepted in result.accepted] == [2500 * MS]


def test_ignored_ack():
    result = only("ignored-ack")
    arrived = 106 * MS
    assert sent(result, SERVER, "late", SYN | ACK) == [arrived + s * SECOND for s in (0, 1, 3, 7, 15, 31)]
    # The client answers each of them, in vain.
    answers = [at for at, name in verdicts(result, "late") if name == "ACCEPT_QUEUE_FULL"]
    assert answers == [arrived + 10 * MS + s * SECOND for s in (0, 1, 3, 7, 15, 31)]
    # It believes that it is connected, and the server does not.
    assert client(result, "late").connected == 111 * MS
    # At 63 s the request goes without a word.
    gone = [
        entry.at
        for entry in result.record.events(StateChanged, node=SERVER)
        if entry.event.new is State.CLOSE and entry.event.flow[0] == address("10.0.0.4")
    ]
    assert gone == [arrived + 63 * SECOND]
    assert not [
        seen for seen in result.record.packets(SERVER, Point.SENT) if 32 * SECOND < seen.at < 70 * SECOND
    ]
    # What the client sends then meets a RST.
    assert sent(result, SERVER, "late", RST) == [70005 * MS]
    assert (client(result, "late").error, client(result, "late").ended) == ("ECONNRESET", 70010 * MS)
    assert states(result, SERVER) == [(State.ESTABLISHED, 0, 0)] * 2 + [(State.LISTEN, 2, 1)]


def test_while_the_ack_is_ignored_the_two_ends_disagree():
    (one,) = runs(load("ignored-ack"))
    result = run(one, until=62 * SECOND)
    assert states(result, "late") == [(State.ESTABLISHED, 0, 0)]
    assert (State.SYN_RECV, 0, 0) in states(result, SERVER)


def test_the_trace_of_the_article():
    result = only("article")
    (first, *again) = sent(result, SERVER, "traced", SYN | ACK)
    # One timer of the listener, each 200 ms: late by 0.2 or 0.6 s, as the article has it.
    assert [(at - first) / SECOND for at in again] == [1.2, 3.4, 7.6, 15.6, 31.6]
    # The data's own schedule: 208 ms and twice as long each time.
    data = [seen.at for seen in result.record.packets("traced", Point.SENT) if seen.segment.payload]
    (began, *repeats) = data
    assert [(at - began) // MS for at in repeats] == [208 * (2**n - 1) for n in range(1, 10)]
    # The ACK of the handshake is repeated for each SYN|ACK, and each is ignored, as is the data.
    ignored = [at for at, name in verdicts(result, "traced") if name == "ACCEPT_QUEUE_FULL"]
    assert len(ignored) == 1 + 9 + 5
    # At about 63 s the request goes without a word; so what comes at 106 s meets a RST.
    assert sent(result, SERVER, "traced", RST) == [repeats[-1] + 4 * MS]
    assert client(result, "traced").error == "ECONNRESET"


def test_ignored_ack_then_accept():
    result = only("ignored-ack-then-accept")
    arrived = 106 * MS
    assert sent(result, SERVER, "late", SYN | ACK) == [arrived + s * SECOND for s in (0, 1, 3, 7, 15)]
    done = [at for at, name in verdicts(result, "late") if name == "HANDSHAKE_DONE"]
    assert done == [arrived + 15 * SECOND + 10 * MS]
    assert [accepted.at for accepted in result.accepted] == [10 * SECOND, 16 * SECOND, 17 * SECOND]
    assert [outcome.received for outcome in result.clients] == [17, 17, 17]


def test_abort_on_overflow():
    result = only("abort-on-overflow")
    assert sent(result, SERVER, "late", RST) == [116 * MS]
    assert client(result, "late").error == "ECONNRESET"
    assert sent(result, SERVER, "latest", RST) == []
    assert {name for _, name in verdicts(result, "latest")} == {"ACCEPT_QUEUE_FULL_SYN"}
    assert states(result, "latest") == [(State.SYN_SENT, 0, 1)]


def test_syn_dropped():
    result = only("syn-dropped")
    schedule = [0, 1, 2, 3, 4, 5, 7, 11, 19, 35, 67]
    assert sent(result, "lucky", SERVER, SYN) == [100 * MS + s * SECOND for s in schedule[:7]]
    assert client(result, "lucky").connected == 7110 * MS
    assert sent(result, "unlucky", SERVER, SYN) == [200 * MS + s * SECOND for s in schedule]
    assert (client(result, "unlucky").error, client(result, "unlucky").ended) == ("ETIMEDOUT", 131200 * MS)
    assert sent(result, SERVER, "unlucky", SYN | ACK) == []


def test_syn_flood():
    off, on = run_all(load("syn-flood"))
    assert client(off, "honest").connected is None
    assert {name for _, name in verdicts(off, "honest")} == {"SYN_QUEUE_FULL"}
    assert client(on, "honest").connected == 1010 * MS
    assert [name for _, name in verdicts(on, "honest")] == ["SYN_COOKIE", "COOKIE_GOOD"]
    assert on.network.counters(on.network.nodes[SERVER])["SyncookiesRecv"] == 1
    assert summarize(off).syns_dropped > 250
    assert summarize(off).cookies_sent == 0


@pytest.fixture(scope="module")
def rates() -> dict[str, Summary]:
    summaries = [summarize(result) for result in run_all(load("accept-rate"))]
    return {summary.name: summary for summary in summaries}


@pytest.mark.parametrize(
    ("name", "places", "milliseconds"),
    [
        ("backlog 0, 20 ms", 1, 20),
        ("backlog 4, 20 ms", 5, 20),
        ("backlog 9, 20 ms", 10, 20),
        ("backlog 4, 100 ms", 5, 100),
        ("backlog 9, 100 ms", 10, 100),
    ],
)
def test_accept_rate_is_what_the_queue_lets_in_each_round_trip(rates, name, places, milliseconds):
    summary = rates[name]
    assert summary.accept_rate_limit == places * 1000 / milliseconds
    # SYNs come a millisecond apart, so a place that becomes free is empty for up to one.
    assert places * 1000 / (milliseconds + 1) * 0.99 < summary.accept_rate < summary.accept_rate_limit


def test_accept_rate_of_a_slow_server_is_the_servers(rates):
    slow = rates["backlog 9, 20 ms, slow server"]
    assert slow.accept_rate == slow.accept_rate_limit == pytest.approx(50)
    assert slow.accept_queue == 10


def test_red_ecn():
    """A plain queue makes the round trip four times as long; RED keeps it short, and with ECN nothing is sent again."""
    runs = {result.name: result for result in run_all(load("red-ecn"))}
    again = {
        name: result.network.counters(result.network.nodes["client"]).get("RetransSegs", 0)
        for name, result in runs.items()
    }
    assert again == {"full queue": 7, "RED": 13, "RED and ECN": 0}
    full, early, marked = (max(_waits(result)) for result in runs.values())
    assert full > 2.5 * early
    assert full > 2.5 * marked
    assert all(result.clients[0].sent == 3_000_000 for result in runs.values())


def _waits(result):
    """For how long each segment of the second half was under way."""
    sent = {seen.number: seen.at for seen in result.record.packets("client", Point.SENT)}
    return [
        seen.at - sent[seen.number]
        for seen in result.record.packets(SERVER, Point.RECEIVED)
        if seen.at > 1000 * MS and seen.number in sent
    ]


def test_path_mtu():
    """The answer's full segments are lost; the router's word takes as long as the link, and then they are smaller."""
    result = only("path-mtu")
    told = [(entry.at, entry.node, entry.event.error.mtu) for entry in result.record.events(IcmpArrived)]
    assert told
    assert {one[1:] for one in told} == {(SERVER, 1400)}
    assert told[0][0] == 80 * MS
    lost = list(result.record.packets(SERVER, Point.LOST))
    assert {(seen.at, len(seen.segment.payload)) for seen in lost} == {(60 * MS, 1448)}
    again = [seen.segment for seen in result.record.packets(SERVER, Point.SENT) if seen.at == 80 * MS]
    assert max(len(segment.payload) for segment in again) == 1348
    assert result.clients[0].received == 4000


# Transfers.


def why_sent(result: Result, *names: str) -> list[int]:
    """When what left for one of these reasons did, at whomever."""
    return [each.at for each in result.record.reasons_sent().values() if each.reason.name in names]


def both(name: str) -> dict[str, Result]:
    return {each.name: each for each in run_all(load(name))}


def test_slow_start_doubles_the_window_each_round_trip():
    result = only("slow-start")
    data = [seen.at for seen in result.record.packets("client", Point.SENT) if seen.segment.payload]
    trip = 40 * MS  # and the bits of each packet
    starts = [data[0] - 10 * MS + number * trip for number in range(3)]
    trips = [sum(start <= at < start + trip for at in data) for start in starts]
    assert trips == [10, 20, 40]
    assert not result.record.packets(point=Point.LOST)


def test_one_loss_is_repeated_without_a_time_out():
    result = only("fast-retransmit")
    [lost] = result.record.packets(point=Point.LOST)
    [again] = why_sent(result, "FAST_RETRANSMIT", "REORDERING_RETRANSMIT")
    assert 40 * MS <= again - lost.at < 100 * MS
    assert not why_sent(result, "RETRANSMIT")


def test_a_lost_repeat_is_repeated_without_a_time_out():
    result = only("lost-retransmission")
    assert result.hosts["client"].counters["TCPLostRetransmit"] == 1
    assert len(why_sent(result, "FAST_RETRANSMIT", "REORDERING_RETRANSMIT")) == 2
    assert not why_sent(result, "RETRANSMIT")


def test_a_burst_takes_a_round_trip_with_sack_and_many_without():
    ended = {name: client(result, "client").ended for name, result in both("loss-burst").items()}
    assert ended["no SACK"] > ended["SACK"] + 300 * MS


def test_time_outs_double():
    result = only("time-out")
    times = why_sent(result, "RETRANSMIT")
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert len(gaps) >= 4
    assert all(two == 2 * one for one, two in itertools.pairwise(gaps))
    assert why_sent(result, "SLOW_START_RETRANSMIT")[0] > times[-1]


def test_cubic_is_done_before_reno():
    ended = {name: client(result, "client").ended for name, result in both("reno-cubic").items()}
    assert ended["cubic"] < ended["reno"]


def test_two_transfers_share_one_queue_and_one_rate():
    result = only("shared-bottleneck")
    received = [
        seen for seen in result.record.packets(SERVER, Point.RECEIVED) if SECOND <= seen.at < 2 * SECOND
    ]
    octets = {}
    for seen in received:
        octets[seen.segment.sport] = octets.get(seen.segment.sport, 0) + len(seen.segment.payload)
    assert len(octets) == 2
    assert 8_000_000 < 8 * sum(octets.values()) <= 10_000_000
    assert {seen.why for seen in result.record.packets(point=Point.LOST)} == {
        "the link's queue is full (40 packets)"
    }


def test_nagle_waits_for_the_delayed_ack_and_nodelay_does_not():
    runs_of = both("nagle")
    waits, quick = (client(runs_of[name], "client").ended for name in ("as it is", "TCP_NODELAY"))
    assert waits - quick >= 80 * MS
    assert why_sent(runs_of["as it is"], "HELD_DATA_SENT")
    assert not why_sent(runs_of["TCP_NODELAY"], "HELD_DATA_SENT")


def test_a_closed_window_is_probed_and_opened_again():
    result = only("zero-window")
    probes = why_sent(result, "WINDOW_PROBE")
    assert len(probes) == 4
    assert all(later > 1.9 * earlier for earlier, later in itertools.pairwise(probes))
    assert any(not seen.segment.window for seen in result.record.packets(SERVER, Point.SENT))
    assert client(result, "client").error == ""


def test_unread_data_makes_a_reset_of_close():
    result = only("close-unread")
    assert len(why_sent(result, "UNREAD_RST")) == 1
    assert (client(result, "client").error, client(result, "client").received) == ("ECONNRESET", 100)


def test_ports_run_out_in_time_wait_unless_they_may_be_used_again():
    errors = {name: [each.error for each in result.clients] for name, result in both("time-wait").items()}
    assert errors == {"tw_reuse 0": [""] * 4 + ["EADDRNOTAVAIL"] * 2, "tw_reuse 1": [""] * 6}
    assert [state for state, *_ in states(both("time-wait")["tw_reuse 0"], "client")] == [State.TIME_WAIT] * 4


def test_keepalive_finds_out_that_a_peer_is_gone():
    errors = {name: client(result, "client").error for name, result in both("half-open").items()}
    assert errors == {"starts again at 4 s": "ECONNRESET", "asked while it is off": "ETIMEDOUT"}
