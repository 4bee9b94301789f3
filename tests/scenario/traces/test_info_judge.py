"""TCP_INFO of two answers: counts are to be the same, times and rates alike."""

from dataclasses import replace

import pytest

from tcpemu.scenario.traces.info_judge import info_difference
from tcpemu.testing.bench import MS, established


@pytest.fixture(scope="module")
def info():
    host = established()
    host.conn.send(1000)
    host.run(host.now + 10 * MS)
    host.send("A", 1, 1001)
    return host.conn.sock.tcp_info(host.now)


def judged(one, other, length=280):
    return info_difference(one.octets(length).hex(), other.octets(length).hex())


def test_the_same_is_no_difference(info):
    assert judged(info, info) is None


@pytest.mark.parametrize("field", ["segs_in", "snd_cwnd", "bytes_sent", "delivery_rate_app_limited", "state"])
def test_a_count_is_exact(info, field):
    more = replace(info, **{field: getattr(info, field) ^ 1})
    assert judged(info, more) == (
        f"{field} of TCP_INFO: expected {getattr(info, field)}, got {getattr(more, field)}"
    )


@pytest.mark.parametrize(
    ("field", "alike", "other"),
    [
        ("last_data_recv", 25, 45),
        ("rttvar", 7_000, 12_000),
        ("rto", 20_000, 60_000),
        ("busy_time", 25_000, 50_000),
    ],
)
def test_a_time_may_differ_by_what_runs_of_one_kernel_do(info, field, alike, other):
    value = getattr(info, field)
    assert judged(info, replace(info, **{field: value + alike})) is None
    assert judged(info, replace(info, **{field: value + other})).startswith(f"{field} of TCP_INFO")


def test_the_pace_is_judged_by_the_window_that_it_takes_in_a_round_trip(info):
    longer = replace(info, rtt=info.rtt * 11 // 10, pacing_rate=info.pacing_rate * 10 // 11)
    assert judged(info, longer) is None
    assert judged(info, replace(info, pacing_rate=info.pacing_rate * 11 // 10)) is not None


def test_what_never_happened_is_as_old_as_the_machine(info):
    one, other = (replace(info, last_data_recv=since) for since in (70_000_000, 600_000_000))
    assert judged(one, other) is None
    assert judged(one, info) is not None


def test_another_length_is_one(info):
    assert info_difference(info.octets(280).hex(), info.octets(104).hex()) == (
        "expected 280 octets of TCP_INFO, got 104"
    )
