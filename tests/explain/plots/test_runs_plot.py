"""Several runs upon one another: a curve for each, from the first segment on."""

import pytest

from tcpemu.explain.plots.picture import NothingToDrawError
from tcpemu.explain.plots.runs_plot import runs_picture
from tests.explain.plots.transfers import watched


@pytest.fixture(scope="module")
def two():
    near, far = (watched(settings={"link.delay": delay})[0] for delay in ("5 ms", "50 ms"))
    return [("near", near), ("far", far)]


def test_windows_data_and_times_have_a_curve_of_each_run(two):
    [block] = runs_picture("", "", two, None).blocks
    windows, data, times = block.panels
    assert [[curve.label for curve in panel.curves] for panel in block.panels] == [["near", "far"]] * 3
    assert [panel.legend for panel in block.panels] == [True, False, False]
    assert [max(value for _, value in curve.points) for curve in data.curves] == [
        300.001,
        300.001,
    ]  # the FIN too
    assert [curve.points[0][1] for curve in windows.curves] == [10, 10]
    assert times.curves[0].points[0][1] < times.curves[1].points[0][1] == pytest.approx(100, abs=1)


def test_all_begin_at_once(two):
    late = watched(settings={"clients.client.start": "2 s"})[0]
    [block] = runs_picture("", "", [*two, ("late", late)], None).blocks
    assert [curve.points[0][0] for curve in block.panels[0].curves] == [0, 0, 0]
    assert block.span[1] < 2_000_000_000


def test_one_run_and_very_many_are_told_so(two):
    with pytest.raises(NothingToDrawError, match="there is one run, and 2 to 6 can be compared"):
        runs_picture("", "", two[:1], None)
    with pytest.raises(NothingToDrawError, match="8 runs, and 2 to 6"):
        runs_picture("", "", two * 4, None)
