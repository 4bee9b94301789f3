"""What a plot shows, as plain data: curves, marks and bars in panels. `draw` draws it and decides nothing.

Times are nanoseconds, as everywhere; a plot turns them into seconds. A run with a hundred thousand changes is
thinned to what a picture can show: of each small span of time the first, the last, the least and the greatest
value stay, so that no peak is lost.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

PlotPoint: TypeAlias = tuple[float, float]

SPANS = 600
"""So many spans of time are told apart; a picture is hardly wider in dots of a printer's eye."""


class Style(Enum):
    """How a picture is drawn."""

    LIGHT = "light"
    """In colours that the colour-blind can tell apart, on white."""
    PRINT = "print"
    """In black and greys, with patterns where greys would be alike."""


class Meaning(Enum):
    """What a curve, a mark or a bar stands for. A plot gives each its own colour and its own shape."""

    ACCEPT_QUEUE = "accept queue"
    SYN_QUEUE = "SYN queue"
    LIMIT = "limit"
    SYN_DROPPED = "SYN dropped"
    ACK_IGNORED = "final ACK ignored"
    SYN_ACK_AGAIN = "SYN|ACK sent again"
    COOKIE_SENT = "SYN cookie sent"
    RST = "RST sent"
    SENT = "sent"
    SENT_AGAIN = "sent again"
    LOST = "lost on the way"
    ACKED = "acknowledged"
    SACKED = "SACKed"
    WINDOW = "window"
    CWND = "congestion window"
    SSTHRESH = "slow start threshold"
    IN_FLIGHT = "in flight"
    PEER_WINDOW = "peer's window"
    FAST_AGAIN = "sent again by fast retransmit"
    TIMED_OUT = "sent again by a time-out"
    AFTER_TIME_OUT = "sent again after a time-out"
    PROBE = "sent again as a probe"
    SMALLER_AGAIN = "sent again in smaller segments"
    DISORDER = "Disorder"
    CWR = "CWR"
    RECOVERY = "Recovery"
    LOSS = "Loss"
    RTT_SAMPLE = "round-trip time"
    SRTT = "smoothed"
    RTO = "RTO"
    ONE_OF_SEVERAL = "one of several"
    """Curves of several runs or connections, each of which gets its own colour."""
    FORMULA = "formula"
    MEASURED = "measured"


@dataclass(frozen=True, slots=True)
class Curve:
    """A value that changes. With `steps` it stays as it is up to the next point; `filled` colours what is below."""

    meaning: Meaning
    label: str
    points: tuple[PlotPoint, ...]
    steps: bool = True
    filled: bool = False
    dots: bool = False
    """Whether each of its points is marked."""
    between: tuple[tuple[float, float, float], ...] = ()
    """A band around it: place, lower and upper end."""


@dataclass(frozen=True, slots=True)
class Marks:
    """Moments at which something happened; they get a lane of their own, so that none hides another."""

    meaning: Meaning
    label: str
    at: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Spots:
    """Points that stand for themselves, with a word beside each, or an empty one."""

    meaning: Meaning
    label: str
    points: tuple[PlotPoint, ...]
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Bars:
    """At a moment, from one value up to another: segments in a time-sequence graph."""

    meaning: Meaning
    label: str
    spans: tuple[tuple[int, int, int], ...]
    """Time, lower end, upper end."""


@dataclass(frozen=True, slots=True)
class Bands:
    """Spans of time in which something held, behind all else."""

    meaning: Meaning
    label: str
    spans: tuple[tuple[int, int], ...]
    """Begin and end."""


@dataclass(frozen=True, slots=True)
class HeatMap:
    """A value for each pair, as a field of coloured cells; None where there is none."""

    across: tuple[str, ...]
    upwards: tuple[str, ...]
    cells: tuple[tuple[float | None, ...], ...]
    """A row for each of `upwards`, from below."""


@dataclass(frozen=True, slots=True)
class Panel:
    """One pair of axes."""

    upwards: str
    """What the vertical axis measures, with its unit."""
    curves: tuple[Curve, ...] = ()
    marks: tuple[Marks, ...] = ()
    spots: tuple[Spots, ...] = ()
    bars: tuple[Bars, ...] = ()
    height: float = 1.0
    """Beside the other panels of its block."""
    from_zero: bool = True
    """Whether the vertical axis begins at 0."""
    bands: tuple[Bands, ...] = ()
    legend: bool = True
    """Whether it says what its curves are; the panel above it may have said it."""
    whole: bool = True
    """Whether only whole numbers stand on the vertical axis."""
    heat: HeatMap | None = None
    """In place of all else."""


@dataclass(frozen=True, slots=True)
class PanelBlock:
    """Panels one upon the other, over the same horizontal axis."""

    heading: str
    panels: tuple[Panel, ...]
    span: tuple[float, float]
    """What the horizontal axis shows."""
    across: str = ""
    """What the horizontal axis measures, with its unit; empty for time."""
    stretched: bool = False
    """Whether time is drawn on a log scale, as most happens right at the beginning."""


@dataclass(frozen=True, slots=True)
class Picture:
    """All of a plot."""

    title: str
    note: str
    """What one needs to have the same run again."""
    blocks: tuple[PanelBlock, ...]


class NothingToDrawError(ValueError):
    """The run cannot give this plot; the message says what would be right."""


def thinned(points: Sequence[PlotPoint], spans: int = SPANS) -> tuple[PlotPoint, ...]:
    """The points in order; where there are many, of each span the first, least, greatest and last."""
    if len(points) <= 4 * spans:
        return tuple(points)
    kept: list[PlotPoint] = []
    for group in _by_span(points, spans):
        values = [value for _, value in group]
        places = {0, values.index(min(values)), values.index(max(values)), len(group) - 1}
        kept += [group[place] for place in sorted(places)]
    return tuple(kept)


def thinned_moments(moments: Sequence[int], spans: int = SPANS) -> tuple[int, ...]:
    """The moments in order; where there are many, the first of each span."""
    if len(moments) <= spans:
        return tuple(moments)
    return tuple(int(group[0][0]) for group in _by_span([(at, 0) for at in moments], spans))


def _by_span(points: Sequence[PlotPoint], spans: int) -> list[list[PlotPoint]]:
    first, width = points[0][0], (points[-1][0] - points[0][0]) / spans or 1
    groups: dict[int, list[PlotPoint]] = {}
    for point in points:
        groups.setdefault(int((point[0] - first) / width), []).append(point)
    return list(groups.values())


def crowded_at_first(moments: Iterable[float], span: tuple[float, float]) -> bool:
    """Whether a quarter of what happens falls into the first hundredth of the time, where it cannot be told apart."""
    begin, end = span
    times = sorted(moments)
    return bool(times) and times[len(times) // 4] - begin < (end - begin) / 100
