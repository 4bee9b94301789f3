"""A sweep as a picture: measures over one setting, over two as a heat map, over all seeds, over time."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import inf, isinf

from tcpemu.explain.plots.picture import (
    Curve,
    HeatMap,
    Meaning,
    NothingToDrawError,
    Panel,
    PanelBlock,
    Picture,
)
from tcpemu.stack.base.units import SECOND
from tcpemu.sweep.estimates import Estimate
from tcpemu.sweep.run_measures import Measure, Value
from tcpemu.sweep.swept import PointEstimates, Swept

KINDS = ("lines", "heat", "distribution", "time")
MOST_CURVES = 6
PANELS_UPON_ONE_ANOTHER, MOST_PANELS = 4, 16
"""In a column, and in a picture: what is measured beyond that is left out with a word."""
MOST_DOTS = 40
"""On a curve; of more, none is marked."""


def sweep_picture(swept: Swept, title: str, kind: str | None) -> Picture:
    """The picture of that kind, or of the one that fits. Raises NothingToDrawError."""
    kind = kind or _fitting(swept)
    seeds = swept.plan.seeds
    if kind == "distribution":
        by_point = [values for _, values in swept.by_point()]
        note = f"all {seeds} seeds: which share of the runs has at most that value"
        if any(value == inf for values in by_point for some in values.values() for value in some):
            note += "; where a curve ends below 1, the rest of the runs is infinite: never"
        return Picture(title, note + _left_out(swept), _distribution(swept, by_point))
    points = list(swept.points())
    makers = {"lines": _lines, "heat": _heat, "time": _over_time}
    note = _note(kind, seeds, points) + (_left_out(swept) if kind != "time" else "")
    return Picture(title, note, makers[kind](swept, points))


def _left_out(swept: Swept) -> str:
    """What there is no room for."""
    beyond = _measured(swept)[MOST_PANELS:]
    return f"; not drawn, beyond {MOST_PANELS} measures: {', '.join(beyond)}" if beyond else ""


def _measured(swept: Swept) -> list[str]:
    return [measure.name for measure in swept.plan.measures if measure.at is None]


def _note(kind: str, seeds: int, points: Sequence[PointEstimates]) -> str:
    words = f"mean of {seeds} seeds" if seeds > 1 else "one seed"
    if kind == "time" and seeds > 1:
        words += ", with the band that eight runs of ten are in"
    if kind == "lines" and seeds > 1:
        words += ", with its 95 % confidence interval"
    if kind == "lines" and any(
        found is not None and isinf(found.mean) for point in points for found in point.measures.values()
    ):
        words += "; where a curve is not drawn, the value is infinite: never"
    return words


def _fitting(swept: Swept) -> str:
    if any(measure.at is not None for measure in swept.plan.measures):
        return "time"
    if not swept.grid.axes or all(len(axis.values) == 1 for axis in swept.grid.axes):
        return "distribution"
    numeric = [axis for axis in swept.grid.axes if axis.numbers and len(axis.values) > 1]
    return "heat" if len(numeric) == 2 == len(swept.grid.axes) and _many(swept) else "lines"


def _many(swept: Swept) -> bool:
    """Whether curves of one setting for each value of the other would be too many."""
    return len(swept.grid) // len(swept.grid.axes[_across_axis(swept)].values) > MOST_CURVES


def _across_axis(swept: Swept) -> int:
    """The setting that is drawn across: of those with numbers, the one with the most values."""
    numeric = [place for place, axis in enumerate(swept.grid.axes) if axis.numbers and len(axis.values) > 1]
    if not numeric:
        raise NothingToDrawError("no setting is varied over numbers; try --kind distribution")
    return max(numeric, key=lambda place: len(swept.grid.axes[place].values))


# Over one setting.


def _lines(swept: Swept, points: Sequence[PointEstimates]) -> tuple[PanelBlock, ...]:
    across = _across_axis(swept)
    axis = swept.grid.axes[across]
    numbers = axis.numbers or ()
    curves: dict[tuple[str, ...], dict[float, PointEstimates]] = {}
    for point in points:
        others = point.labels[:across] + point.labels[across + 1 :]
        at = numbers[axis.labels.index(point.labels[across])]
        curves.setdefault(others, {})[at] = point
    if len(curves) > MOST_CURVES:
        raise NothingToDrawError(
            f"{len(curves)} curves, one for each combination of the other settings; {MOST_CURVES} can be told apart: "
            "vary fewer, or take --kind heat"
        )
    panels: list[Panel] = []
    for name in _drawable(swept):
        drawn = tuple(_curve(swept, across, others, along, name) for others, along in curves.items())
        if any(curve.points for curve in drawn):
            panels.append(Panel(_upwards(name), drawn, legend=False, whole=_whole(drawn)))
    if not panels:
        raise NothingToDrawError("nothing that was measured is a number at any point")
    span, words = (min(numbers), max(numbers)), swept.grid.shown[across] + _unit(axis.labels[0])
    columns = range(0, len(panels), PANELS_UPON_ONE_ANOTHER)
    parts = [panels[begin : begin + PANELS_UPON_ONE_ANOTHER] for begin in columns]
    legend = bool(curves.keys() - {()})
    return tuple(PanelBlock("", (replace(head, legend=legend), *rest), span, words) for head, *rest in parts)


def _unit(label: str) -> str:
    unit = label.lstrip("-0123456789.").strip()
    return f" ({unit})" if unit else ""


def _drawable(swept: Swept) -> list[str]:
    return _measured(swept)[:MOST_PANELS]


def _curve(
    swept: Swept, across: int, others: tuple[str, ...], points: dict[float, PointEstimates], name: str
) -> Curve:
    """What was measured along one setting; a curve without points, so that the others keep their colours, if never."""
    found = [
        (at, estimate)
        for at, point in sorted(points.items())
        if (estimate := point.measures[name]) is not None
    ]
    shown = [(at, estimate) for at, estimate in found if not isinf(estimate.mean)]
    names = swept.grid.shown[:across] + swept.grid.shown[across + 1 :]
    label = ", ".join(f"{axis}={value}" for axis, value in zip(names, others, strict=True)) or name
    between = tuple((at, *_interval(estimate)) for at, estimate in shown)
    return Curve(
        Meaning.ONE_OF_SEVERAL,
        label,
        tuple((at, estimate.mean) for at, estimate in shown),
        steps=False,
        dots=len(shown) <= MOST_DOTS,
        between=between if any(estimate.half for _, estimate in shown) else (),
    )


def _interval(estimate: Estimate) -> tuple[float, float]:
    half = estimate.half or 0.0
    return estimate.mean - half, estimate.mean + half


def _upwards(name: str) -> str:
    head = name.partition(".")[0]
    unit = {
        "connect_time": " (s)",
        "first_octet_time": " (s)",
        "throughput": " (bit/s)",
        "goodput": " (bit/s)",
    }
    return f"{name}{unit.get(head, '')}"


def _whole(curves: Sequence[Curve]) -> bool:
    return max((value for curve in curves for _, value in curve.points), default=0) >= 10


# Over two settings.


def _heat(swept: Swept, points: Sequence[PointEstimates]) -> tuple[PanelBlock, ...]:
    axes = swept.grid.axes
    if len(axes) != 2 or not all(axis.numbers for axis in axes):
        raise NothingToDrawError("--kind heat needs two settings that are varied over numbers, and no third")
    wide = len(axes[1].values)
    blocks = []
    across, upwards = swept.grid.shown[1], swept.grid.shown[0]
    for name in _drawable(swept):
        cells = [None if (found := point.measures[name]) is None else found.mean for point in points]
        rows = tuple(tuple(cells[begin : begin + wide]) for begin in range(0, len(cells), wide))
        heat = HeatMap(axes[1].labels, axes[0].labels, rows)
        blocks.append(
            PanelBlock(_upwards(name), (Panel(upwards, heat=heat, legend=False),), (0, wide), across)
        )
    return tuple(blocks)


# Over the seeds.


def _distribution(swept: Swept, by_point: Sequence[Mapping[str, Sequence[Value]]]) -> tuple[PanelBlock, ...]:
    if len(swept.grid) > MOST_CURVES:
        raise NothingToDrawError(
            f"{len(swept.grid)} points; the distributions of {MOST_CURVES} can be told apart"
        )
    blocks = []
    for name in _drawable(swept):
        curves = tuple(_shares(swept, name, [values[name] for values in by_point]))
        if any(curve.points for curve in curves):
            ends = [at for curve in curves for at, _ in curve.points]
            edge = (max(ends) - min(ends)) * 0.02 or 0.5
            panel = Panel("share of the runs", curves, whole=False, legend=len(swept.grid) > 1)
            blocks.append(PanelBlock("", (panel,), (min(ends) - edge, max(ends) + edge), _upwards(name)))
    if not blocks:
        raise NothingToDrawError("nothing that was measured is a number")
    return tuple(blocks)


def _shares(swept: Swept, name: str, by_point: Sequence[Sequence[Value]]) -> Iterator[Curve]:
    """For each point, which share of its runs has at most that value."""
    for point, values in zip(swept.grid, by_point, strict=True):
        found = sorted(value for value in values if value is not None and not isinf(value))
        shares = [(value, (turn + 1) / len(values)) for turn, value in enumerate(found)]
        begin = [(found[0], 0.0)] if found else []
        yield Curve(
            Meaning.ONE_OF_SEVERAL,
            (swept.grid.words(point.labels) or name) + ": never" * (not found),
            (*begin, *shares),
        )


# Over time.


def _over_time(swept: Swept, points: Sequence[PointEstimates]) -> tuple[PanelBlock, ...]:
    sampled: dict[str, list[Measure]] = {}
    for measure in swept.plan.measures:
        if measure.at is not None:
            sampled.setdefault(measure.name.partition(".")[0], []).append(measure)
    if not sampled:
        raise NothingToDrawError("--kind time draws a queue over time: measure accept_queue.every.100ms")
    if len(points) > MOST_CURVES:
        raise NothingToDrawError(f"{len(points)} points; the queues of {MOST_CURVES} can be told apart")
    panels: list[Panel] = []
    for queue, some in sampled.items():
        curves = tuple(curve for point in points if (curve := _queue(swept, point, some)) is not None)
        panels.append(
            Panel(
                queue.replace("_", " "), curves, legend=not panels and len(points) > 1, whole=_whole(curves)
            )
        )
    times = [measure.at or 0 for some in sampled.values() for measure in some]
    return (PanelBlock("", tuple(panels), (min(times) / SECOND, max(times) / SECOND), "time (s)"),)


def _queue(swept: Swept, point: PointEstimates, sampled: Sequence[Measure]) -> Curve | None:
    found = [
        ((measure.at or 0) / SECOND, estimate)
        for measure in sorted(sampled, key=lambda measure: measure.at or 0)
        if (estimate := point.measures[measure.name]) is not None
    ]
    if not found:
        return None
    return Curve(
        Meaning.ONE_OF_SEVERAL,
        swept.grid.words(point.labels) or "the queue",
        tuple((at, estimate.mean) for at, estimate in found),
        steps=False,
        between=tuple((at, estimate.low, estimate.high) for at, estimate in found),
    )
