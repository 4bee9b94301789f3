"""The best of a window: never better than its best, never older than it, and exact where it must be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcpemu.stack.records.windowed_filter import largest_of, least_of

MEASURED = st.lists(st.tuples(st.integers(0, 5), st.integers(1, 1000)), min_size=1, max_size=60)


@given(MEASURED, st.booleans())
def test_it_gives_a_measurement_of_the_window_and_none_that_the_newest_beats(steps, largest):
    at, seen, best = 0, [], max if largest else min
    found = largest_of(0, steps[0][1]) if largest else least_of(0, steps[0][1])
    seen.append((0, steps[0][1]))
    for gap, value in steps:
        at += gap
        seen.append((at, value))
        given_back = found.take(10, at, value)
        window = [measured for when, measured in seen if at - when <= 10]
        assert given_back in window
        assert best(given_back, value) == given_back
        assert best(given_back, best(window)) == best(window)


@pytest.mark.parametrize("make", [largest_of, least_of])
def test_a_steady_measurement_stays(make):
    found = make(0, 7)
    assert {found.take(10, at, 7) for at in range(100)} == {7}


def test_what_is_too_old_is_followed_by_the_best_since():
    found = largest_of(0, 100)
    for at in range(1, 11):
        assert found.take(10, at, 50 - at) == 100
    assert found.take(10, 11, 5) < 50
