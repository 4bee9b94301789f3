"""When clients start."""

from itertools import pairwise
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from tcpemu.scenario.format.scenario_file import ClientGroup
from tcpemu.scenario.running.start_times import each_start, starts_ahead
from tcpemu.stack.base.units import MILLISECOND, SECOND


def times(count=None, seed=1, **start):
    group = ClientGroup.model_validate({"name": "c", "count": count, "start": start})
    return list(each_start(group, Random(seed)))


def test_one_client_starts_at_once():
    assert list(each_start(ClientGroup(name="c"), Random(1))) == [0]


def test_all_at_one_time():
    group = ClientGroup.model_validate({"name": "c", "count": 3, "start": "2 s"})
    assert list(each_start(group, Random(1))) == [2 * SECOND] * 3


def test_one_after_the_other():
    assert times(3, every="10 ms", **{"from": "1 s"}) == [
        SECOND,
        SECOND + 10 * MILLISECOND,
        SECOND + 20 * MILLISECOND,
    ]


def test_at_given_times():
    assert times(at=["1 s", "1 s", 3]) == [SECOND, SECOND, 3 * SECOND]


def test_as_many_as_start_before_a_time():
    assert times(every=1, until=3) == [0, SECOND, 2 * SECOND]
    assert len(times(rate=1000, until="3 s")) == 3000


def test_a_rate_does_not_drift():
    assert times(4, rate=3) == [0, SECOND // 3, 2 * SECOND // 3, SECOND]
    assert times(2, rate=0.1) == [0, 10 * SECOND]


@given(st.integers(1, 10**6), st.integers(1, 200))
def test_in_each_second_there_are_as_many_as_the_rate_says(rate, count):
    for number, at in enumerate(times(count, rate=rate)):
        assert at * rate <= number * SECOND < (at + 1) * rate


def test_poisson_starts_are_random_but_repeatable():
    some, same, other = (
        times(2000, 1, rate=100, poisson=True),
        times(2000, 1, rate=100, poisson=True),
        times(2000, 2, rate=100, poisson=True),
    )
    assert some == same != other
    assert some == sorted(some)
    mean = (some[-1] - some[0]) / 1999
    assert 9 * MILLISECOND < mean < 11 * MILLISECOND
    gaps = [later - earlier for earlier, later in pairwise(some)]
    shorter_than_the_mean = sum(gap < 10 * MILLISECOND for gap in gaps) / len(gaps)
    assert 0.60 < shorter_than_the_mean < 0.66


@given(st.integers(0, 2**32), st.integers(1, 50), st.booleans())
def test_what_is_drawn_beside_the_starts_comes_behind_them_all(seed, count, poisson):
    start = {"rate": 10, "poisson": poisson}
    group = ClientGroup.model_validate({"name": "c", "count": count, "start": start})
    random, same = Random(seed), Random(seed)
    times = list(each_start(group, random))
    ahead, several = starts_ahead(group, same)
    assert several is (len(times) > 1)
    assert next(ahead) == times[0]
    assert random.random() == same.random()
    assert list(ahead) == times[1:]
