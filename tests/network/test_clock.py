"""Times in words, the loop, and where random streams come from."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcpemu.network import MICROSECOND, MILLISECOND, SECOND, duration, seconds_text
from tcpemu.network.loop import Loop
from tcpemu.network.seeds import derive
from tcpemu.stack.base.errors import ConfigurationError


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("10 ms", 10 * MILLISECOND),
        ("1.5s", 3 * SECOND // 2),
        (" 250 us ", 250 * MICROSECOND),
        ("7ns", 7),
        ("2 min", 120 * SECOND),
        ("0.000001 s", 1000),
    ],
)
def test_a_duration_in_words(text, nanoseconds):
    assert duration(text) == nanoseconds


@pytest.mark.parametrize("text", ["", "10", "ms", "-1 s", "1,5 s", "1 h", "1e3 ms", "1.s.s", "²s"])
def test_what_is_no_duration(text):
    with pytest.raises(ConfigurationError, match="is no duration; write it as '10 ms'"):
        duration(text)


@given(st.integers(0, 10**15))
def test_seconds_in_words_lose_nothing(at):
    assert duration(seconds_text(at)) == at


def test_seconds_in_words():
    assert [seconds_text(at) for at in (0, SECOND, 1_003_000_000, 1)] == [
        "0 s",
        "1 s",
        "1.003 s",
        "0.000000001 s",
    ]


def test_the_loop_runs_in_order_of_time_and_then_of_asking():
    loop, done = Loop(), []
    for when, name in [(5, "a"), (3, "b"), (5, "c"), (3, "d"), (0, "e")]:
        loop.at(when, done.append, name)
    loop.run(10)
    assert done == ["e", "b", "d", "a", "c"]


def test_the_loop_runs_what_is_due_at_the_end_and_nothing_later():
    loop, done = Loop(), []
    loop.at(
        10, lambda: (done.append(loop.now), loop.at(10, done.append, "at once"), loop.at(11, done.append, 11))
    )
    loop.run(10)
    assert (done, loop.now) == ([10, "at once"], 10)
    loop.run(20)
    assert (done, loop.now) == ([10, "at once", 11], 20)


def test_what_is_asked_for_in_the_past_happens_now():
    loop, times = Loop(), []
    loop.run(10)
    loop.at(3, lambda: times.append(loop.now))
    loop.run(10)
    assert times == [10]


def test_seeds_are_the_same_on_every_run_and_differ_by_name():
    assert derive(1, "link", "a", "b") == 16_920_629_940_204_887_781
    assert (
        len({derive(*parts) for parts in [(1, "ab"), (1, "a", "b"), (2, "ab"), (1, "ba"), (1, "ab", 1)]}) == 5
    )
