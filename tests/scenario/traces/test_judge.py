"""The judge finds each kind of difference, and lets pass what two runs of one kernel differ in."""

from copy import deepcopy

import pytest

from tcpemu.scenario.traces.judge import difference

SYN_ACK_OPTIONS = [["mss", 1460], ["sackOK"], ["TS", 0, 100]]


def packet(t, flags="SA", port=41001, **changes):
    fields = {"seq": 0, "ack": 1, "win": 65160, "len": 0, "opts": deepcopy(SYN_ACK_OPTIONS)}
    fixed = {"df": 1, "ttl": 64, "tos": 0, "ipid0": 1}
    return {"t": t, "out": port, "flags": flags, **fields, **fixed, **changes}


def segment(t, port=41001, flags="S", **options):
    return {"t": t, "in": [port, flags, 0, None, options]}


def call(t, *words, ret=0):
    return {"t": t, "do": list(words), "ret": ret}


def sample(t, rows=(), **counters):
    return call(t, "sample", ret={"ss": [list(row) for row in rows], "mib": counters})


def trace(*log, until=100.0):
    return {"name": "test", "sysctl": {}, "until": until, "steps": [], "log": list(log)}


HANDSHAKE = (call(0, "listen", 5), segment(1.0), packet(1.001))


def test_a_trace_is_the_same_as_itself():
    one = trace(*HANDSHAKE, sample(2, [("LISTEN", 0, 5, "8080", "*")], PassiveOpens=1))
    assert difference(one, deepcopy(one)) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("flags", "A"), ("seq", 1), ("seq", {"abs": 0}), ("ack", 2), ("win", 65159), ("len", 1)],
        *[("df", 0), ("ttl", 63), ("tos", 2), ("lport", 50001), ("opts", [["mss", 1460]])],
        ("opts", [["mss", 1460], ["sackOK"], ["TS", 0, 101]]),
    ],
)
def test_content_must_be_equal(name, value):
    changed = packet(1.001, **{name: value})
    found = difference(trace(*HANDSHAKE), trace(*HANDSHAKE[:2], changed))
    assert found is not None
    assert found.startswith("flow of 41001, packet 1: expected SA seq 0 ack 1")


def test_the_ip_id_is_nobodys_business():
    assert difference(trace(*HANDSHAKE), trace(*HANDSHAKE[:2], packet(1.001, ipid0=0))) is None


def test_a_missing_packet_is_found():
    found = difference(trace(*HANDSHAKE), trace(*HANDSHAKE[:2]))
    assert found is not None
    assert found.endswith("got nothing")


def test_a_surplus_packet_is_found():
    found = difference(trace(*HANDSHAKE), trace(*HANDSHAKE, packet(1.2)))
    assert found is not None
    assert "packet 2: expected nothing" in found


def test_order_within_a_flow_counts():
    syn_ack, reset = packet(1.001), packet(1.001, "R", seq=1)
    found = difference(trace(*HANDSHAKE[:2], syn_ack, reset), trace(*HANDSHAKE[:2], reset, syn_ack))
    assert found is not None


def test_order_between_flows_does_not_count():
    first, second = packet(1.001), packet(1.001, port=41002)
    steps = (segment(1.0), segment(1.0, port=41002))
    assert difference(trace(*steps, first, second), trace(*steps, second, first)) is None


def test_peers_of_one_port_and_two_addresses_are_two_flows():
    steps = (segment(1.0), segment(1.0, ip="192.0.2.9"))
    first, second = packet(1.001), packet(1.001, ip="192.0.2.9", win=1)
    assert difference(trace(*steps, first, second), trace(*steps, second, first)) is None
    assert difference(trace(*steps, first, second), trace(*steps, first, {**second, "win": 2})) is not None


@pytest.mark.parametrize(("at", "same"), [(2.15, True), (1.9, True), (2.16, False), (1.84, False)])
def test_slack_grows_with_the_time_since_the_flows_last_step(at, same):
    """One second after the SYN it is 30 ms and 125 ms."""
    found = difference(trace(*HANDSHAKE[:2], packet(2.0)), trace(*HANDSHAKE[:2], packet(at)))
    assert (found is None) is same
    assert same or "within 0.155 s" in (found or "")


def test_any_call_counts_as_a_step_of_every_flow():
    steps = (*HANDSHAKE, call(8.9, "accept"))
    found = difference(trace(*steps, packet(9.0, "A")), trace(*steps, packet(9.05, "A")))
    assert found is not None
    assert difference(trace(*HANDSHAKE, packet(9.0, "A")), trace(*HANDSHAKE, packet(9.05, "A"))) is None


def test_a_sample_is_no_step():
    steps = (*HANDSHAKE, sample(8.9))
    assert difference(trace(*steps, packet(9.0, "A")), trace(*steps, packet(9.05, "A"))) is None


def test_a_repeat_runs_on_a_timer_as_old_as_the_packet_before():
    """The ACK in between does not make the SYN/ACK's timer any more precise."""
    steps = (*HANDSHAKE, segment(8.9, flags="A"))
    repeat, late = packet(9.0), packet(9.9)
    assert difference(trace(*steps, repeat), trace(*steps, late)) is None
    other = difference(trace(*steps, packet(9.0, seq=5)), trace(*steps, packet(9.9, seq=5)))
    assert other is not None


def test_connect_is_the_first_step_of_its_flow():
    steps = (call(50.0, "connect", 50001, 46001, ret="EINPROGRESS"),)
    syn = {"flags": "S", "port": 46001}
    found = difference(trace(*steps, packet(50.0, **syn)), trace(*steps, packet(50.04, **syn)))
    assert found is not None


@pytest.mark.parametrize(
    ("value", "same"), [(29, True), (2**32 - 29, True), (40, False), (2**32 - 40, False)]
)
def test_timestamps_have_the_slack_of_their_packet(value, same):
    changed = packet(1.001, opts=[["mss", 1460], ["sackOK"], ["TS", value, 100]])
    found = difference(trace(*HANDSHAKE), trace(*HANDSHAKE[:2], changed))
    assert (found is None) is same
    assert same or "timestamp" in (found or "")


@pytest.mark.parametrize("missing", ["truth", "candidate"])
def test_a_packet_just_before_the_end_may_be_missing(missing):
    without = trace(*HANDSHAKE, until=32)
    late = trace(*HANDSHAKE, packet(31.5), until=32)
    pair = (late, without) if missing == "candidate" else (without, late)
    assert difference(*pair) is None
    assert difference(*({**one, "until": 60.0} for one in pair)) is not None


def test_results_of_calls_must_be_equal():
    found = difference(trace(call(0, "accept", ret=41001)), trace(call(0, "accept", ret="EAGAIN")))
    assert found == "['accept'] at 0.000: expected 41001, got EAGAIN"


def test_calls_must_be_the_same_ones():
    both = (call(0, "listen", 5), call(1, "accept"))
    for other in (both[:1], both[::-1], (call(0, "listen", 6), both[1])):
        found = difference(trace(*both), trace(*other))
        assert found is not None
        assert found.startswith("expected the call")


def test_the_time_of_a_call_does_not_count():
    assert difference(trace(call(0, "accept")), trace(call(0.004, "accept"))) is None


def test_socket_tables_must_be_equal():
    row, other = ("LISTEN", 0, 5, "8080", "*"), ("LISTEN", 1, 5, "8080", "*")
    found = difference(trace(sample(1, [row])), trace(sample(1, [other])))
    assert found is not None
    assert "['LISTEN', 0, 5, '8080', '*']] are missing" in found
    assert difference(trace(sample(1, [row, row])), trace(sample(1, [row]))) is not None


def test_counters_must_be_equal_and_those_that_did_not_move_may_be_absent():
    one = trace(sample(1, ListenDrops=2))
    assert difference(one, trace(sample(1, ListenDrops=2, ListenOverflows=0))) is None
    found = difference(one, trace(sample(1, ListenDrops=1, PassiveOpens=1)))
    assert found is not None
    assert found.endswith("counters (expected, got): {'ListenDrops': (2, 1), 'PassiveOpens': (0, 1)}")


def test_packets_come_before_calls_and_the_earlier_flow_before_the_later():
    truth = trace(packet(5.0, port=41002), packet(1.0), call(0, "accept"))
    worse = trace(packet(5.0, port=41002, win=1), packet(1.0, win=1), call(0, "accept", ret="EAGAIN"))
    found = difference(truth, worse)
    assert found is not None
    assert found.startswith("flow of 41001")


def test_an_unanswered_trace_cannot_be_judged():
    steps = {"name": "steps only", "sysctl": {}, "until": 1, "steps": []}
    with pytest.raises(ValueError, match="'steps only' has no log"):
        difference(steps, steps)
