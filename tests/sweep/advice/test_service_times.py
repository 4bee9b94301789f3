"""The pace of a server, in words."""

import pytest

from tcpemu.stack.base.units import MILLISECOND
from tcpemu.sweep.advice.clients_coming import QuestionError
from tcpemu.sweep.advice.service_times import pause_of, service_of


@pytest.mark.parametrize(
    ("text", "accept", "mean"),
    [
        ("1000/s", {"every": "1 ms"}, 1),
        ("0.5/s", {"every": "2 s"}, 2000),
        ("2 ms", {"every": "2 ms"}, 2),
        ("exponential 2 ms", {"every": "2 ms", "by_chance": True}, 2),
        ("2 ms, 10 % 52 ms", {"every": "2 ms", "slow": {"share": 0.1, "every": "52 ms"}}, 7),
    ],
)
def test_a_pace(text, accept, mean):
    found = service_of(text)
    assert found.accept == accept
    assert found.mean == pytest.approx(mean * MILLISECOND)
    assert found.rate == pytest.approx(1000 / mean)


@pytest.mark.parametrize(
    "text", ["", "fast", "0/s", "2", "-1 ms", "exponential", "2 ms, 200 % 5 ms", "2 ms, 1 % soon"]
)
def test_a_mistake_says_what_would_be_right(text):
    with pytest.raises(QuestionError, match=r"must be|above 0"):
        service_of(text)


def test_pauses():
    assert pause_of("200 ms every 2 s")[1:] == ({"lasts": "200 ms", "every": "2 s"}, 0.1)
    assert pause_of("1 s")[1:] == ({"lasts": "1 s"}, 0.0)


@pytest.mark.parametrize("text", ["", "long", "2 s every 1 s", "1 s every now"])
def test_a_mistake_in_a_pause(text):
    with pytest.raises(QuestionError):
        pause_of(text)
