"""How clients come, in words and in files."""

import pytest

from tcpemu.scenario.format.load_scenario import Run, from_document
from tcpemu.scenario.running.build import build
from tcpemu.stack.base.units import MILLISECOND, SECOND
from tcpemu.sweep.advice.clients_coming import (
    QuestionError,
    arrivals_at,
    arrivals_of,
    arrivals_without_rate,
    times_in,
)


def starts(arrivals):
    groups = [{**group, "do": ["connect"]} for group in arrivals.groups]
    scenario = from_document({"title": "x", "duration": "100 s", "clients": groups})
    return sorted(client.started for client in build(Run("", scenario)).clients)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("even", [0, 10, 20, 30, 40]),
        ("bursts of 2", [0, 0, 20, 20, 40]),
        ("burst of 5", [0, 0, 0, 0, 0]),
    ],
)
def test_clients_that_come_in_order(pattern, expected):
    assert starts(arrivals_of(pattern, 100, 5)) == [at * MILLISECOND for at in expected]


def test_by_chance_at_that_rate():
    times = starts(arrivals_of("poisson", 1000, 2000))
    assert len(times) == 2000
    assert times[-1] / SECOND == pytest.approx(2.0, rel=0.1)


def test_after_an_outage_all_come_at_once():
    arrivals = arrivals_of("outage of 2 s", 50, 150)
    times = starts(arrivals)
    assert (times.count(0), len(times), arrivals.number, arrivals.endless) == (100, 150, 150, False)


def test_the_times_of_a_file(tmp_path):
    path = tmp_path / "arrivals.csv"
    path.write_text("time,who\n1700000000.000000001,a\n1700000000.25,b # late\n\n1700000001.5,c\n")
    arrivals = arrivals_at(times_in(path), "arrivals.csv")
    assert starts(arrivals) == [0, 249_999_999, 1_499_999_999]
    assert arrivals.rate == pytest.approx(2 / 1.5)


@pytest.mark.parametrize(
    ("text", "words"),
    [("1\nsoon\n", "line 2: 'soon'"), ("", "no client"), ("head\n", "no client"), ("1\n-3\n", "line 2")],
)
def test_a_mistake_in_a_file_says_where(tmp_path, text, words):
    path = tmp_path / "arrivals"
    path.write_text(text)
    with pytest.raises(QuestionError, match=words):
        arrivals_at(times_in(path), "arrivals")


def test_a_capture_is_no_list_of_times(tmp_path):
    path = tmp_path / "x.pcap"
    path.write_bytes(b"\xd4\xc3\xb2\xa1\xff\xfe")
    with pytest.raises(QuestionError, match="--capture"):
        times_in(path)


@pytest.mark.parametrize("pattern", ["poison", "bursts of 0", "outage of 1 ns", "outage of long", "bursts"])
def test_a_mistake_in_a_pattern_says_what_there_is(pattern):
    with pytest.raises(QuestionError, match=r"poisson|must be|longer one"):
        arrivals_of(pattern, 100, 10)


def test_retries_come_together_beside_the_others():
    arrivals = arrivals_of("retries of 30 every 500 ms", 100, 100)
    times = starts(arrivals)
    assert [times.count(at * SECOND // 2) for at in range(4)] == [30, 30, 30, 0]
    assert (len(times), arrivals.number, arrivals.rate, arrivals.endless) == (190, 190, 160, True)


@pytest.mark.parametrize(
    "pattern", ["retries of 30 every 0", "retries of 5 every now", "retries of 0 every 1 s"]
)
def test_retries_that_cannot_be(pattern):
    with pytest.raises(QuestionError):
        arrivals_of(pattern, 100, 100)


def test_some_at_once_and_nobody_else():
    arrivals = arrivals_without_rate("30 at once")
    assert starts(arrivals) == [0] * 30
    assert (arrivals.words, arrivals.endless) == ("30 at once", False)
    assert arrivals_without_rate("poisson") is None
    with pytest.raises(QuestionError):
        arrivals_without_rate("0 at once")
