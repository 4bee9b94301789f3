"""The rate against what the formula says."""

import pytest

from tcpemu.explain.plots.picture import (
    NothingToDrawError,
)
from tcpemu.explain.plots.rate_plot import rate_picture
from tests.explain.plots.drawn_runs import runs_of


def test_each_run_is_a_point_beside_the_line():
    [block] = rate_picture("", "", runs_of("accept-rate")).blocks
    [panel] = block.panels
    points = [spots.points[0] for spots in panel.spots]
    assert [across for across, _ in points] == [50, 250, 500, 50, 100, 500]
    assert all(0.9 * across < rate <= across for across, rate in points[:5])
    assert points[5][1] == pytest.approx(50)
    assert panel.curves[0].points == ((0, 0), (500, 500))


def test_no_rate_without_several_runs_at_a_rate(ignored_ack):
    with pytest.raises(NothingToDrawError, match="two runs or more"):
        rate_picture("", "", ignored_ack)
