"""Sequence numbers wrap at 2**32 and compare by the shorter way round."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcpemu.stack.base.sequence_numbers import add, after, before, between, distance, in_window, offset

numbers = st.integers(0, 2**32 - 1) | st.sampled_from([0, 1, 2**31 - 1, 2**31, 2**32 - 1])
HALF = 2**31


@given(numbers, st.integers(1, HALF - 1))
def test_what_is_less_than_half_the_space_further_comes_after(a, n):
    b = add(a, n)
    assert after(b, a)
    assert before(a, b)
    assert not before(b, a)
    assert not after(a, b)


@given(numbers)
def test_a_number_is_neither_before_nor_after_itself(a):
    assert not before(a, a)
    assert not after(a, a)
    assert distance(a, a) == offset(a, a) == 0
    assert between(a, a, a)


@given(numbers)
def test_half_the_space_away_each_is_before_the_other_as_in_the_kernel(a):
    b = add(a, HALF)
    assert before(a, b)
    assert before(b, a)
    assert after(a, b)


@given(numbers, numbers)
def test_before_is_the_sign_of_the_signed_distance(a, b):
    assert before(a, b) is (offset(b, a) < 0)
    assert after(a, b) is before(b, a)


@given(numbers, st.integers(-(2**33), 2**33))
def test_add_wraps_and_has_an_inverse(a, n):
    assert 0 <= add(a, n) < 2**32
    assert add(add(a, n), -n) == a
    assert distance(a, add(a, n)) == n % 2**32


@given(numbers, st.integers(-HALF, HALF - 1))
def test_offset_is_the_signed_distance(a, n):
    assert offset(a, add(a, n)) == n


@given(numbers, numbers, numbers)
def test_between_goes_upwards_from_low(x, low, high):
    assert between(x, low, high) is (distance(low, x) <= distance(low, high))
    assert between(low, low, high)
    assert between(high, low, high)


@pytest.mark.parametrize(
    ("x", "low", "high", "inside"),
    [
        (2**32 - 1, 2**32 - 2, 3, True),
        (2, 2**32 - 2, 3, True),
        (4, 2**32 - 2, 3, False),
        (2**32 - 3, 2**32 - 2, 3, False),
        (5, 3, 4, False),
    ],
)
def test_between_over_the_wrap(x, low, high, inside):
    assert between(x, low, high) is inside


def test_the_wrap():
    assert after(0, 2**32 - 1)
    assert before(2**32 - 1, 5)
    assert add(2**32 - 1, 1) == 0
    assert add(0, -1) == 2**32 - 1
    assert distance(2**32 - 1, 1) == 2
    assert offset(1, 2**32 - 1) == -2


@pytest.mark.parametrize(
    ("seq", "end", "inside"),
    [
        (100, 100, True),  # nothing at the lower edge
        (100, 300, True),
        (90, 100, False),  # ends where the window begins
        (90, 101, True),
        (199, 300, True),
        (200, 201, False),  # begins where the window ends
        (200, 200, True),  # nothing at the upper edge
        (201, 201, False),
        (99, 99, False),
    ],
)
@pytest.mark.parametrize("turned", [0, 2**32 - 150, 2**31])
def test_a_window_and_what_lies_in_it(seq, end, inside, turned):
    assert in_window(*(add(each, turned) for each in (seq, end, 100, 200))) is inside
