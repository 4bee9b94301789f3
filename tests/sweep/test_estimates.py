from math import inf
from statistics import NormalDist

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcpemu.sweep.estimates import estimate, student


def test_mean_and_interval():
    found = estimate([1, 2, 3, 4, 5])
    assert (found.mean, found.median, found.runs) == (3, 3, 5)
    assert found.half == pytest.approx(2.776 * 1.5811388 / 5**0.5, rel=1e-4)


def test_nothing_to_measure():
    assert estimate([None, None]) is None
    assert estimate([None, 4]).mean == 4
    assert estimate([4]).half is None


def test_what_never_came_is_not_averaged_away():
    found = estimate([1.0, inf, 2.0])
    assert (found.mean, found.half, found.median) == (inf, None, 2.0)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50))
def test_the_interval_is_around_the_mean_and_quantiles_are_values(values):
    found = estimate(values)
    assert {found.median, found.low, found.high} <= set(values)
    assert found.lowest <= found.low <= found.median <= found.high <= found.highest


def test_student_comes_down_to_the_normal_distribution():
    steps = [student(degrees) for degrees in range(1, 2000)]
    assert steps == sorted(steps, reverse=True)
    assert steps[-1] == pytest.approx(NormalDist().inv_cdf(0.975), abs=0.002)
    assert student(40) == pytest.approx(2.021, abs=0.002)
