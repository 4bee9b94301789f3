"""Draws pictures with matplotlib, and is the only module that knows it.

The colours are those of Okabe and Ito, which the colour-blind can tell apart; what differs in colour differs in
shape too, for print. The same picture gives the same octets: no date, and no names made by chance.
"""

import textwrap
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import cycle
from math import ceil, isfinite, nan
from typing import TYPE_CHECKING, Any

from tcpemu.explain.plots.in_grey import in_grey
from tcpemu.explain.plots.picture import (
    Bands,
    Bars,
    Curve,
    HeatMap,
    Marks,
    Meaning,
    NothingToDrawError,
    Panel,
    PanelBlock,
    Picture,
    Spots,
    Style,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

PICTURE_SUFFIXES = (".svg", ".png", ".pdf")
USUAL_DPI = 120
_BLACK, _ORANGE, _SKY, _GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
_BLUE, _RED, _PURPLE, _GREY = "#0072B2", "#D55E00", "#CC79A7", "#555555"

_UNITS = ((1e9, "s"), (1e6, "ms"), (1e3, "µs"))
_LANE = 0.13
"""The height of a lane of marks, as a part of the height of what is below it."""
_LETTERS_TO_THE_INCH = 10.5
"""Of a title."""
_INCHES_OF_A_WORD = 2.4
"""What an entry of the legend takes."""
_INCHES_BESIDE = 0.7
"""What stands left of the axes."""
_LETTERS_OF_A_LEGEND, _LETTERS_OF_A_HANDLE = 15, 5
"""To the inch, and what the sample of a line takes."""
_MOST_TICKS = 12
_FEW = 60
"""More marks than this are drawn smaller."""
STYLE: Any = {
    "svg.hashsalt": "tcpemu",
    "svg.fonttype": "none",
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#DDDDDD",
    "grid.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.fontsize": 9,
    "legend.frameon": False,
    "legend.borderaxespad": 0.2,
    "legend.columnspacing": 1.0,
    "legend.handlelength": 1.6,
    "legend.handletextpad": 0.5,
    "savefig.facecolor": "white",
}
METADATA: dict[str, dict[str, Any]] = {
    "svg": {"Date": None, "Creator": "tcpemu"},
    "pdf": {"CreationDate": None, "Creator": "tcpemu", "Producer": None},
    "png": {"Software": "tcpemu"},
}


@dataclass(frozen=True, slots=True)
class _Look:
    colour: str
    shape: str = "o"
    line: str = "-"
    width: float = 1.8


_LOOKS = {
    Meaning.ACCEPT_QUEUE: _Look(_BLUE),
    Meaning.SYN_QUEUE: _Look(_GREEN),
    Meaning.LIMIT: _Look(_BLACK, line="--", width=1.2),
    Meaning.SYN_DROPPED: _Look(_RED, "x"),
    Meaning.ACK_IGNORED: _Look(_ORANGE, "v"),
    Meaning.SYN_ACK_AGAIN: _Look(_SKY, "^"),
    Meaning.COOKIE_SENT: _Look(_BLACK, "P"),
    Meaning.RST: _Look(_PURPLE, "s"),
    Meaning.SENT: _Look(_BLACK, "_"),
    Meaning.SENT_AGAIN: _Look(_RED, "D"),
    Meaning.LOST: _Look(_PURPLE, "x"),
    Meaning.SACKED: _Look(_SKY, "_"),
    Meaning.ACKED: _Look(_GREEN, width=1.5),
    Meaning.WINDOW: _Look(_ORANGE, line="-.", width=1.5),
    Meaning.FORMULA: _Look(_BLACK, line="--", width=1.2),
    Meaning.CWND: _Look(_BLUE, width=3.0),
    Meaning.SSTHRESH: _Look(_RED, line="--", width=1.5),
    Meaning.IN_FLIGHT: _Look(_BLACK, width=0.8),
    Meaning.PEER_WINDOW: _Look(_GREEN, line="-.", width=2.4),
    Meaning.FAST_AGAIN: _Look(_RED, "D"),
    Meaning.TIMED_OUT: _Look(_BLACK, "s"),
    Meaning.AFTER_TIME_OUT: _Look(_ORANGE, "v"),
    Meaning.PROBE: _Look(_GREEN, "^"),
    Meaning.SMALLER_AGAIN: _Look(_BLUE, "v"),
    Meaning.DISORDER: _Look("#CFE8F7"),
    Meaning.CWR: _Look("#D5D5D5"),
    Meaning.RECOVERY: _Look("#FBE3B0"),
    Meaning.LOSS: _Look("#F6C9B5"),
    Meaning.RTT_SAMPLE: _Look(_SKY, "o"),
    Meaning.SRTT: _Look(_BLUE, width=2.0),
    Meaning.RTO: _Look(_RED, line="--", width=1.5),
}
_PATTERNS = {
    Meaning.DISORDER: ("0.97", "..."),
    Meaning.CWR: ("0.94", "\\\\\\\\"),
    Meaning.RECOVERY: ("0.9", "////"),
    Meaning.LOSS: ("0.85", "xx"),
}
"""The grey and the pattern of bands in print."""
_ABOVE = frozenset({Meaning.SRTT})
"""Curves that many spots would hide."""
_RUN_LINES = ("-", "--", "-.", ":", "-", "--")
_RUNS = tuple(zip((_BLUE, _RED, _GREEN, _PURPLE, _ORANGE, _SKY), ("o", "s", "^", "D", "v", "P"), strict=True))


class MissingLibraryError(ValueError):
    """matplotlib is not installed; the message says how to install it."""


def require_library() -> None:
    """Find out whether there is anything to draw with. Raises MissingLibraryError."""
    try:
        import matplotlib.figure  # noqa: F401, PLC0415 - an optional dependency
    except ImportError:
        raise MissingLibraryError(
            "plots need matplotlib; install it with: pip install 'tcpemu[plot]', or '.[plot]' in a checkout"
        ) from None


def drawn(
    picture: Picture,
    kind: str,
    size: tuple[float, float] | None = None,
    dpi: int = USUAL_DPI,
    style: Style = Style.LIGHT,
) -> bytes:
    """The picture as a file: `svg`, `png` or `pdf`, of that size in inches, or of one that fits what is in it.

    Raises MissingLibraryError, and NothingToDrawError for a size that is too small.
    """
    require_library()
    import matplotlib as mpl  # noqa: PLC0415 - an optional dependency

    content = BytesIO()
    with mpl.rc_context(STYLE):
        figure = _figure(picture, size, style)
        if style is Style.PRINT:
            in_grey(figure)
        with warnings.catch_warnings():
            warnings.filterwarnings("error", message="constrained_layout not applied")
            try:
                figure.savefig(content, format=kind, dpi=dpi, metadata=METADATA[kind])
            except UserWarning:
                raise NothingToDrawError(
                    "the picture is too small for what is in it; give more room"
                ) from None
    return content.getvalue()


def _figure(picture: Picture, size: tuple[float, float] | None, style: Style) -> "Figure":
    from matplotlib.figure import Figure  # noqa: PLC0415 - an optional dependency

    columns = 2 if len(picture.blocks) > 1 else 1
    rows = ceil(len(picture.blocks) / columns)
    tall = 1.0 + rows * max(_tall(block) for block in picture.blocks)
    wide, high = size or (10.0 if columns == 1 else 8.0 * columns, tall)
    figure = Figure(figsize=(wide, high), layout="constrained")
    figure.suptitle(broken(f"{picture.title}\n{picture.note}", wide), x=0.01, ha="left", fontsize=12)
    parts = figure.subfigures(rows, columns, squeeze=False).flat
    stretched = any(block.stretched for block in picture.blocks)
    for part, block in zip(parts, picture.blocks, strict=False):
        _block(part, block, _Frame(picture.blocks, stretched, style))
    return figure


def broken(text: str, wide: float) -> str:
    """The lines of a title, none of them wider than the picture."""
    most = max(int(wide * _LETTERS_TO_THE_INCH), 20)
    return "\n".join("\n".join(textwrap.wrap(each, most)) for each in text.split("\n"))


def _tall(block: PanelBlock) -> float:
    """Inches."""
    return 0.7 + 2.3 * max(sum(panel.height for panel in block.panels), 1.8)


@dataclass(frozen=True, slots=True)
class _Frame:
    """What the blocks of a picture have in common, so that they can be compared."""

    blocks: Sequence[PanelBlock]
    stretched: bool
    style: Style

    def lanes(self, place: int) -> list[Meaning]:
        """The lanes of the panels at that place."""
        panels = self._panels(place)
        return list(dict.fromkeys(marks.meaning for panel in panels for marks in panel.marks))

    def top(self, place: int) -> float:
        """How far up those panels reach. A limit that is far above the queue is told, and not drawn."""
        return max(_top(panel) for panel in self._panels(place))

    def _panels(self, place: int) -> list[Panel]:
        return [block.panels[place] for block in self.blocks if place < len(block.panels)]


def _top(panel: Panel) -> float:
    peaks = [_peak(curve) for curve in panel.curves if curve.meaning is not Meaning.LIMIT]
    peaks += [upper for bars in panel.bars for *_, upper in bars.spans]
    peaks += [upper for curve in panel.curves for *_, upper in curve.between]
    peaks += [value for spots in panel.spots for _, value in spots.points]
    top = max(peaks, default=1) or 1
    limits = [_peak(curve) for curve in panel.curves if curve.meaning is Meaning.LIMIT]
    return max([top, *(limit for limit in limits if limit <= 10 * top + 10)])


def _peak(curve: Curve) -> float:
    return max((value for _, value in curve.points), default=0)


# One block.


def _block(part: "SubFigure", block: PanelBlock, frame: _Frame) -> None:
    heights = [panel.height for panel in block.panels]
    axes = part.subplots(len(heights), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0]
    if block.heading:
        part.suptitle(block.heading, fontsize=11, fontweight="bold", x=0.02, ha="left")
    scale = 1.0 if block.across else _unit(block.span)[0]
    for place, (ax, panel) in enumerate(zip(axes, block.panels, strict=True)):
        _panel(ax, panel, scale, frame.lanes(place), frame.top(place), frame.style)
    if block.panels[-1].heat is None:
        _across(axes[-1], block, scale, stretched=frame.stretched and not block.across)
    else:
        axes[-1].set_xlabel(block.across)


def _unit(span: tuple[float, float]) -> tuple[float, str]:
    """Nanoseconds in the unit that fits, and its name."""
    wide = span[1] - span[0]
    return next((unit for unit in _UNITS if wide >= unit[0] / 2), _UNITS[-1])


def _across(ax: "Axes", block: PanelBlock, scale: float, *, stretched: bool) -> None:
    begin, end = block.span[0] / scale, block.span[1] / scale
    words = block.across or f"time ({_unit(block.span)[1]})"
    if stretched:
        first = min(_moments(block), default=block.span[1]) / scale
        ax.set_xscale("symlog", linthresh=first)
        ax.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        begin, end, words = -first / 8, end * 1.15, words + ", log scale"
    ax.set_xlim(begin, end)
    ax.set_xlabel(words)


def _moments(block: PanelBlock) -> Iterable[float]:
    """When something happens, but for the very beginning."""
    for panel in block.panels:
        yield from (at for curve in panel.curves for at, _ in curve.points if at > 0)
        yield from (at for marks in panel.marks for at in marks.at if at > 0)
        yield from (at for bars in panel.bars for at, *_ in bars.spans if at > 0)


def _panel(
    ax: "Axes", panel: Panel, scale: float, lanes: Sequence[Meaning], top: float, style: Style
) -> None:
    if panel.heat is not None:
        _heat(ax, panel.heat)
        ax.set_ylabel(panel.upwards)
        return
    for bands in panel.bands:
        _bands(ax, bands, scale, style)
    several = (_Look(colour, line=style) for (colour, _), style in cycle(zip(_RUNS, _RUN_LINES, strict=True)))
    for curve in panel.curves:
        _curve(ax, curve, scale, top, _LOOKS.get(curve.meaning) or next(several))
    for bars in panel.bars:
        _bars(ax, bars, scale)
    runs = cycle(_RUNS)
    for number, spots in enumerate(panel.spots):
        look = _LOOKS.get(spots.meaning) or _Look(*next(runs))
        small = len(spots.points) > _FEW
        size = 8 if small else 45 + 90 * _hidden(panel.spots[:number], spots, top)
        _spots(ax, spots, scale, look, size)
    for marks in panel.marks:
        _marks(ax, marks, scale, top * (1.05 + _LANE * (lanes.index(marks.meaning) + 0.5)))
    _upwards(ax, panel, len(lanes), top)
    ax.set_ylabel(panel.upwards)
    columns = 4 if len(panel.spots) < 4 else 2
    wide = _frame_width(ax)
    columns = max(min(columns, int(wide / _INCHES_OF_A_WORD)), 1)
    if panel.legend:
        handles, labels = ax.get_legend_handles_labels()
        broken = _narrower(labels, columns, wide - _INCHES_BESIDE)
        ax.legend(handles, broken, loc="lower left", bbox_to_anchor=(0, 1), ncols=columns)


def _narrower(labels: Sequence[str], columns: int, wide: float) -> list[str]:
    """The words of a legend, broken where they would not fit into so many columns."""
    rows = ceil(len(labels) / columns) or 1
    longest = [max(map(len, labels[place : place + rows])) for place in range(0, len(labels), rows)]
    if sum(each + _LETTERS_OF_A_HANDLE for each in longest) <= wide * _LETTERS_OF_A_LEGEND:
        return list(labels)
    most = max(int(wide / columns * _LETTERS_OF_A_LEGEND) - _LETTERS_OF_A_HANDLE, 12)
    return [textwrap.fill(label, most, break_on_hyphens=False) for label in labels]


def _frame_width(ax: "Axes") -> float:
    """Inches of the part of the picture that the axes are in."""
    part = ax.get_figure()
    assert part is not None
    return float(part.bbox.width / part.dpi)


def _hidden(drawn_before: Sequence[Spots], spots: Spots, top: float) -> int:
    """How many runs are drawn where this one goes: it is drawn larger, around them."""
    near = 0.03 * top
    return sum(
        abs(across - x) < near and abs(value - y) < near
        for other in drawn_before
        for (across, value), (x, y) in zip(other.points[:1], spots.points, strict=False)
        if spots.meaning is Meaning.MEASURED
    )


def _upwards(ax: "Axes", panel: Panel, lanes: int, top: float) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator  # noqa: PLC0415 - an optional dependency

    locator = MaxNLocator(nbins=6, steps=[1, 2, 5, 10], integer=panel.whole)
    form = ",.0f" if panel.whole else ",g"
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: format(value, form)))
    if not panel.from_zero:
        ax.yaxis.set_major_locator(MaxNLocator(nbins=3, integer=True, min_n_ticks=1))
        ax.margins(y=0.3)
        return
    ax.set_yticks([tick for tick in locator.tick_values(0, top) if 0 <= tick <= top])
    upper = top * (1.08 + _LANE * lanes)
    ax.set_ylim(-0.04 * top, upper)
    if lanes:
        ax.axhspan(top * 1.05, upper, color="#F3F3F3", zorder=0, linewidth=0)


# What is in a panel.


def _heat(ax: "Axes", heat: HeatMap) -> None:
    """Dark is much. What is infinite or not there is left white, with a word."""
    finite = [
        [value if value is not None and isfinite(value) else nan for value in row] for row in heat.cells
    ]
    image = ax.imshow(finite, cmap="viridis_r", origin="lower", aspect="auto", interpolation="nearest")
    part = ax.get_figure()
    assert part is not None
    part.colorbar(image, ax=ax, pad=0.02)
    ax.grid(visible=False)
    for labels, set_ticks in ((heat.across, ax.set_xticks), (heat.upwards, ax.set_yticks)):
        every = max(ceil(len(labels) / _MOST_TICKS), 1)
        set_ticks(range(0, len(labels), every), labels[::every])
    for y, row in enumerate(heat.cells):
        for x, value in enumerate(row):
            if value is None or not isfinite(value):
                ax.text(x, y, "-" if value is None else "never", ha="center", va="center", fontsize=8)


def _bands(ax: "Axes", bands: Bands, scale: float, style: Style) -> None:
    look: dict[str, Any] = {"color": _LOOKS[bands.meaning].colour}
    if style is Style.PRINT:
        grey, pattern = _PATTERNS[bands.meaning]
        look = {"facecolor": grey, "edgecolor": "0.6", "hatch": pattern}
    for number, (begin, end) in enumerate(bands.spans):
        label = bands.label if not number else None
        ax.axvspan(begin / scale, end / scale, **look, linewidth=0.6, zorder=0, label=label)


def _curve(ax: "Axes", curve: Curve, scale: float, top: float, look: _Look) -> None:
    label = curve.label
    if curve.meaning is Meaning.LIMIT and min(value for _, value in curve.points) > top:
        label += ", above the picture"
    ax.plot(
        [at / scale for at, _ in curve.points],
        [value for _, value in curve.points],
        look.line,
        color=look.colour,
        linewidth=look.width,
        drawstyle="steps-post" if curve.steps else "default",
        marker="o" if curve.dots else "",
        markersize=3.5,
        label=label,
        zorder=5 if curve.meaning in _ABOVE else 2,
    )
    if curve.between:
        ends = [[each[place] for each in curve.between] for place in range(3)]
        ax.fill_between(
            [at / scale for at in ends[0]], ends[1], ends[2], color=look.colour, alpha=0.2, linewidth=0
        )
    if curve.filled:
        _fill(ax, curve, scale)


def _fill(ax: "Axes", curve: Curve, scale: float) -> None:
    """A filled curve that is drawn later covers what is below it of the ones before."""
    across, values = [at / scale for at, _ in curve.points], [value for _, value in curve.points]
    step: Any = "post" if curve.steps else None
    colour = _LOOKS[curve.meaning].colour
    ax.fill_between(across, values, step=step, color="white", linewidth=0)
    ax.fill_between(across, values, step=step, color=colour, alpha=0.25, linewidth=0)


def _marks(ax: "Axes", marks: Marks, scale: float, height: float) -> None:
    look = _LOOKS[marks.meaning]
    edge: dict[str, Any] = {} if look.shape == "x" else {"edgecolors": _BLACK}
    ax.scatter(
        [at / scale for at in marks.at],
        [height] * len(marks.at),
        s=34 if len(marks.at) <= _FEW else 14,
        marker=look.shape,
        color=look.colour,
        linewidths=1.4 if look.shape == "x" else 0.5,
        label=marks.label,
        zorder=3,
        **edge,
    )


def _bars(ax: "Axes", bars: Bars, scale: float) -> None:
    look = _LOOKS[bars.meaning]
    times = [at / scale for at, *_ in bars.spans]
    lower, upper = [low for _, low, _ in bars.spans], [high for *_, high in bars.spans]
    many = len(times) > _FEW
    ax.vlines(times, lower, upper, color=look.colour, linewidth=1 if many else 2)
    ends = [*lower, *upper] if look.shape == "_" else upper
    places = times * 2 if look.shape == "_" else times
    ax.scatter(
        places, ends, s=10 if many else 45, marker=look.shape, color=look.colour, label=bars.label, zorder=3
    )


def _spots(ax: "Axes", spots: Spots, scale: float, look: _Look, size: float) -> None:
    across, values = [at / scale for at, _ in spots.points], [value for _, value in spots.points]
    if spots.label:
        hollow: dict[str, Any] = {} if look.shape == "x" else {"facecolors": "none"}
        ax.scatter(
            across,
            values,
            s=size,
            marker=look.shape,
            edgecolors=look.colour if hollow else None,
            color=None if hollow else look.colour,
            linewidths=1.8,
            label=spots.label,
            zorder=4,
            **hollow,
        )
    for x, y, word in zip(across, values, spots.words, strict=False):
        ax.annotate(word, (x, y), xytext=(5, 3), textcoords="offset points", fontsize=9)
