"""The benchmarks: they measure what they say, and miss a target when it is missed."""

import sys
from pathlib import Path

import pytest
from scapy.layers.inet import IP, TCP

from tcpemu.stack import SocketError
from tcpemu.wire import SACK_OK, Mss, Timestamps, WScale, decode, encode, flag_letters

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

import _bench_growth as growth
import _bench_memory as memory
import _bench_speed as speed
import _bench_traffic as traffic
import bench
from _bench_naive import NaiveResponder

LITTLE = bench.Effort(1, 20, 5, 30, 3, 2, 400, 60, (50, 100), (50, 100), 20, 100_000)
SAMPLES = 90


@pytest.fixture
def lenient(monkeypatch):
    """Targets that say nothing of speed, which a busy machine would miss."""
    monkeypatch.setattr(bench, "FASTER", 0)
    monkeypatch.setattr(bench, "GROWTH", 1000)
    monkeypatch.setattr(bench, "SCENARIO", 60.0)
    monkeypatch.setattr(bench, "ECHO", 60.0)


# --- the program ---------------------------------------------------------------------------------------------


def test_it_measures_everything(lenient, capsys):
    assert bench.run(LITTLE) == 0
    out = capsys.readouterr().out
    for words in (
        "handshakes, naive Scapy responder",
        "handshakes, octets in and out",
        "data both ways, segments in and out",
        "echo, both ends, every 50th lost",
        "bulk, both ends, a queue of 100",
        "end to end, run",
        "end to end, ladder",
        "end to end, plain capture",
        "end to end, report",
        "memory of a packet in the record",
        "tcpemu run, 20 connections",
        "tcpemu run -o x.pcapng, 20 connections",
        "100 half-open requests",
        "start of the command",
        "memory of a half-open request",
        "memory of an accepted connection",
        "a segment, 100 half-open",
        "a segment, 100 established",
        "scenario ignored-ack",
        "asyncio echo, 3 clients at 20 ms, 2 lines each",
        "every target is met",
    ):
        assert words in out


TARGETS = {
    "FASTER": (10**9, "handshakes, octets in and out"),
    "REQUEST": (10, "memory of a half-open request"),
    "CONNECTION": (10, "memory of an accepted connection"),
    "GROWTH": (0, "a segment, 100 half-open"),
    "SCENARIO": (0.0, "scenario ignored-ack"),
    "ECHO": (0.0, "asyncio echo, 3 clients"),
}


def test_each_target_that_is_missed_is_named(lenient, monkeypatch, capsys):
    for target, (value, _) in TARGETS.items():
        monkeypatch.setattr(bench, target, value)
    assert bench.run(LITTLE) == 1
    last = capsys.readouterr().out.splitlines()[-1]
    missed = last.removeprefix("missed: ").split("; ")
    for _, words in TARGETS.values():
        assert sum(one.startswith(words) for one in missed) == 1


def test_what_the_memory_is_for(capsys):
    bench.show_breakdown()
    out = capsys.readouterr().out
    for words in ("Request ", ".key", "Connection ", "Socket ", "together"):
        assert words in out


def test_where_the_time_goes(capsys):
    bench.show_profile(20)
    assert "decode" in capsys.readouterr().out


# --- speed ---------------------------------------------------------------------------------------------------


def test_a_round_compares_with_the_first():
    times = iter((2.0, 1.0, 4.0, 1.0, 2.0, 1.0))
    found = speed.rates([lambda _: next(times)] * 2, [10, 10], rounds=3)
    assert found == [speed.Rate(5.0, 1.0), speed.Rate(10.0, 2.0)]


def test_handshakes_that_fail_are_no_result(monkeypatch):
    monkeypatch.setattr(
        speed, "final_acks", lambda answers: [ack._replace(ack=0) for ack in traffic.final_acks(answers)]
    )
    with pytest.raises(SocketError, match="temporarily unavailable"):
        speed.octets(3)
    with pytest.raises(RuntimeError, match="0 of 3 connections"):
        speed.naive(3)


def test_every_octet_comes_back(monkeypatch):
    assert speed.echo_rate(10, as_octets=True) > 0
    monkeypatch.setattr(speed, "PAYLOAD", 0)
    with pytest.raises(SocketError, match="temporarily unavailable"):
        speed.echo_rate(10, as_octets=False)


def test_the_naive_responder_answers_as_the_stack_does():
    arriving = encode(traffic.syn(7))
    naive = decode(NaiveResponder().receive(arriving))
    host, _ = traffic.listening(1)
    host.receive(decode(arriving), 0)
    ours = host.transmit()[0]
    assert naive[:4] == ours[:4]
    assert (naive.ack, naive.flags, naive.window) == (ours.ack, ours.flags, ours.window)
    assert [type(option) for option in naive.options] == [type(option) for option in ours.options]


def test_the_naive_responder_wants_the_right_ack():
    responder = NaiveResponder()
    answer = decode(responder.receive(encode(traffic.syn(7))))
    wrong = traffic.final_ack(answer)._replace(ack=answer.seq)
    assert responder.receive(encode(wrong)) is None
    assert not responder.established
    responder.receive(encode(traffic.final_ack(answer)))
    assert responder.established == {("10.0.0.1", 10007)}


# --- traffic -------------------------------------------------------------------------------------------------


def test_a_syn_is_like_that_of_linux():
    packet = IP(encode(traffic.syn(50_001)))
    assert (packet.src, packet[TCP].sport, packet[TCP].flags) == ("10.0.0.2", 10001, "S")
    kinds = [type(option) for option in traffic.syn(0).options]
    assert (kinds[0], kinds[1:3], kinds[4]) == (Mss, [type(SACK_OK), Timestamps], WScale)


def test_clients_differ():
    assert len({segment[:2] for segment in traffic.syns(60_000, 40_000)}) == 60_000


def test_data_follows_the_handshake():
    host, _ = traffic.listening(1)
    host.receive(traffic.syn(0), 0)
    answer = host.transmit()[0]
    third = traffic.data(answer, 2, 100, answered=True)
    assert (third.seq, third.ack) == (traffic.IRS + 201, answer.seq + 201 & 0xFFFFFFFF)
    assert (flag_letters(third.flags), len(third.payload)) == ("PA", 100)


# --- memory --------------------------------------------------------------------------------------------------


def test_a_request_and_a_connection_are_small():
    request, connection = memory.per_request(3000), memory.per_connection(3000)
    assert 200 < request <= 1.2 * 1024
    assert request < connection <= 4 * 1024


def test_everything_that_is_kept_is_counted(monkeypatch):
    plain = memory.per_request(500)
    kept = []
    monkeypatch.setattr(memory, "syn", lambda number: kept.append(bytes(1000)) or traffic.syn(number))
    assert 1000 <= memory.per_request(500) - plain <= 1100


class Thing:
    __slots__ = ("first", "second", "third")

    def __init__(self, first, second):
        self.first, self.second = first, second


def test_a_breakdown_leaves_out_what_others_hold():
    shared, big = bytes(500), bytes(3000)
    sizes = memory.breakdown(Thing(shared, (big, big)), [Thing(shared, None)])
    assert set(sizes) == {"Thing", ".second"}
    assert 3000 < sizes[".second"] < 3200


# --- growth --------------------------------------------------------------------------------------------------


def test_requests_stay_as_many():
    population = growth.half_open(300, SAMPLES)
    (cost,) = growth.costs([population])
    assert set(cost.kinds) == {"new SYN", "SYN again", "final ACK", growth.TIMER}
    host = population.host
    assert len(host.tables.host.flows) - host.counters["CurrEstab"] == 300
    assert host.counters["CurrEstab"] == SAMPLES // 3
    assert host.counters["TCPTimeouts"] == SAMPLES // 3


def test_connections_stay_as_many():
    population = growth.established(100, SAMPLES)
    (cost,) = growth.costs([population])
    assert set(cost.kinds) == {"data", "bare ACK"}
    assert len(population.host.tables.host.flows) == 100


def test_a_cost_is_the_mean_of_its_kinds():
    population = growth.half_open(20, 6)
    population.took = {"a": [1000, 3000, 900_000], "b": [5000], growth.TIMER: [77_000]}
    population.samples, population.timers = [], 0
    (cost,) = growth.costs([population])
    assert cost == growth.Cost(20, 4.0, pytest.approx(227.25), {"a": 3.0, "b": 5.0, growth.TIMER: 77.0})


def test_a_population_is_as_large_as_it_says():
    host, _ = traffic.listening(1)
    with pytest.raises(RuntimeError, match="0 flows where 5 were wanted"):
        growth.Population(host, 5, [], 0)
