"""What a picture can show: points thinned, time stretched."""

from itertools import pairwise

from tcpemu.explain.plots.picture import (
    crowded_at_first,
    thinned,
    thinned_moments,
)


def test_thinning_keeps_every_peak():
    points = [(at, 100 if at == 7_777 else at % 3) for at in range(50_000)]
    kept = thinned(points, 50)
    assert len(kept) <= 4 * 51
    assert (7_777, 100) in kept
    assert {value for _, value in kept} == {0, 1, 2, 100}
    assert kept[0] == points[0]
    assert kept[-1] == points[-1]
    assert list(kept) == sorted(kept, key=lambda point: point[0])


def test_few_points_stay_as_they_are():
    points = [(at, at % 2) for at in range(40)]
    assert thinned(points, 10) == tuple(points)
    assert thinned_moments([3, 5, 5], 3) == (3, 5, 5)


def test_thinned_moments_leave_no_gap():
    kept = thinned_moments(range(10_000), 100)
    assert 100 <= len(kept) <= 101
    assert max(later - earlier for earlier, later in pairwise(kept)) <= 101


def test_crowded():
    assert crowded_at_first([1, 2, 500, 900], (0, 1_000))
    assert not crowded_at_first([100, 300, 500, 900], (0, 1_000))
    assert not crowded_at_first([], (0, 1_000))
