"""Several runs in one picture: the congestion windows, the round-trip times and the data of each upon one another.

So Reno stands beside CUBIC, a short way beside a long one. All begin with the first segment of the connection.
"""

from collections.abc import Callable, Sequence

from tcpemu.explain.plots.cwnd_plot import curve_of
from tcpemu.explain.plots.picture import (
    Curve,
    Meaning,
    NothingToDrawError,
    Panel,
    PanelBlock,
    Picture,
    PlotPoint,
    thinned,
)
from tcpemu.explain.plots.transfer_view import TransferView, viewed
from tcpemu.scenario.running.result import Result

MOST_COMPARED = 6
"""Runs that can be told apart in one picture."""
_KB = 1000


def runs_picture(title: str, note: str, named: Sequence[tuple[str, Result]], client: str | None) -> Picture:
    """One block with a curve for each run, by its name. Raises NothingToDrawError."""
    if not 2 <= len(named) <= MOST_COMPARED:
        there = "is one run" if len(named) == 1 else f"are {len(named)} runs"
        raise NothingToDrawError(
            f"there {there}, and 2 to {MOST_COMPARED} can be compared in a picture; a scenario with variants has "
            "several, and so has --vary KEY=VALUE,VALUE"
        )
    views = [(name, viewed(result, client)) for name, result in named]
    end = max(view.end - view.span[0] for _, view in views)
    windows = _curves(views, end, lambda view: _figures(view, "cwnd", 1))
    data = _curves(views, end, _data)
    times = _curves(views, end, lambda view: _figures(view, "srtt", 1000))
    longest = max((value for curve in times for _, value in curve.points), default=0)
    panels = (
        Panel("congestion window\n(segments)", windows, height=1.4),
        Panel("acknowledged\n(kB)", data, height=1.0, legend=False),
        Panel("smoothed RTT\n(ms)", times, height=0.8, legend=False, whole=longest >= 10),
    )
    return Picture(title, note, (PanelBlock("", panels, (0, end)),))


def _curves(
    views: Sequence[tuple[str, TransferView]],
    end: int,
    points: Callable[[TransferView], tuple[PlotPoint, ...]],
) -> tuple[Curve, ...]:
    curves = []
    for name, view in views:
        begin = view.way.sent[0][0]
        moved = tuple((at - begin, value) for at, value in points(view) if at - begin <= end)
        if moved:
            curves.append(Curve(Meaning.ONE_OF_SEVERAL, name, moved))
    return tuple(curves)


def _figures(view: TransferView, name: str, unit: int) -> tuple[PlotPoint, ...]:
    """Up to when the last of it was acknowledged."""
    end = view.end
    changes = [change for change in view.changes if change.at <= end and getattr(change.figures, name)]
    return curve_of(changes, end, lambda one: getattr(one, name) / unit) if changes else ()


def _data(view: TransferView) -> tuple[PlotPoint, ...]:
    return thinned([(float(at), max(number - 1, 0) / _KB) for at, number in view.way.acked])
