"""What is wanted, in words."""

from math import inf

import pytest

from tcpemu.sweep.advice.advice_target import target_of
from tcpemu.sweep.advice.clients_coming import QuestionError


@pytest.mark.parametrize(
    ("text", "measure", "limit", "good", "bad"),
    [
        ("p99 connect < 1 s", "connect_time.p99", 1, 0.99, 1.0),
        ("p50 answer <= 200 ms", "first_octet_time.p50", 0.2, 0.2, inf),
        ("failed < 0.1 %", "failed.share", 0.001, 0, 0.001),
        ("served >= 0.99", "served.share", 0.99, 0.99, 0.98),
        ("ListenOverflows < 1", "ListenOverflows", 1, 0, 1),
        ("accept_queue.max <= 5", "accept_queue.max", 5, 5, 6),
    ],
)
def test_a_target(text, measure, limit, good, bad):
    target = target_of(text)
    assert (target.measure, target.limit) == (measure, pytest.approx(limit))
    assert target.met(good)
    assert not target.met(bad)
    assert not target.met(None)


@pytest.mark.parametrize(
    "text",
    ["", "p99 connect", "p99 join < 1 s", "p99 connect < soon", "failed < many", "ListenOverflow < 1"],
)
def test_a_mistake_says_what_would_be_right(text):
    with pytest.raises(QuestionError, match="--target"):
        target_of(text)
