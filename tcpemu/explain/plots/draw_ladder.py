"""Draws a ladder with matplotlib: lines of hosts, arrows with words along them, none upon another."""

import textwrap
from collections import Counter
from collections.abc import Sequence
from io import BytesIO
from math import atan2, cos, degrees, hypot, log2, sin
from typing import TYPE_CHECKING, Any

from tcpemu.explain.lines.style import Role
from tcpemu.explain.plots.draw import METADATA, STYLE, USUAL_DPI, broken, require_library
from tcpemu.explain.plots.in_grey import in_grey
from tcpemu.explain.plots.ladder_plot import Arrow, Beside, LadderPicture
from tcpemu.explain.plots.picture import Style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ROW = 0.27
"""Inches of a row that is legible."""
WIDE, _HEAD, _FOOT = 10.0, 1.05, 0.1
"""Inches of a picture that nobody gave a size, and what stands above and below the ladder."""
_TIMES, _LEFT, _RIGHT = 1.0, 1.5, 2.3
"""Inches beside the lines of the hosts."""
_LETTER = 0.074
"""Inches of a letter on an arrow."""
_APART = 0.11
"""Inches between the middles of two lines of words at least."""
_COLOURS = {
    Role.OPEN: "#0072B2",
    Role.CLOSE: "#8F3F7C",
    Role.RESET: "#D55E00",
    Role.LOST: "#D55E00",
    Role.AGAIN: "#8A6100",
    Role.STATE: "#00705A",
}
_LINES = {Role.LOST: ":", Role.AGAIN: "--", Role.CLOSE: "-."}
_PLAIN = "#333333"
_URGENT = frozenset({Role.LOST, Role.AGAIN, Role.RESET})
"""What gets its words first."""
_LINE = 0.135
"""Inches of a line of words beside a host."""
_BESIDE = 0.3
"""By so much of a row arrows are apart that would lie upon one another."""


def rows_that_fit(size: tuple[float, float] | None, most: float = 60.0) -> float:
    """How many rows of a ladder are legible in a picture of that size, in inches."""
    return most if size is None else max((size[1] - _HEAD - _FOOT) / ROW, 4.0)


def drawn_ladder(
    picture: LadderPicture,
    kind: str,
    size: tuple[float, float] | None = None,
    dpi: int = USUAL_DPI,
    style: Style = Style.LIGHT,
) -> bytes:
    """The ladder as a file: `svg`, `png` or `pdf`. Raises MissingLibraryError."""
    require_library()
    import matplotlib as mpl  # noqa: PLC0415 - an optional dependency
    from matplotlib.figure import Figure  # noqa: PLC0415

    wide, high = size or (WIDE, _HEAD + _FOOT + ROW * picture.height)
    content = BytesIO()
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(wide, high))
        figure.text(
            0.1 / wide,
            1 - 0.1 / high,
            broken(f"{picture.title}\n{picture.note}", wide),
            va="top",
            fontsize=12,
        )
        ax = figure.add_axes((0, 0, 1, 1))
        ax.set_xlim(0, wide)
        ax.set_ylim(0, high)
        ax.axis("off")
        _Drawing(ax, picture, wide, high).draw()
        if style is Style.PRINT:
            in_grey(figure)
        figure.savefig(content, format=kind, dpi=dpi, metadata=METADATA[kind])
    return content.getvalue()


class _Drawing:
    """Places in inches, from the lower left corner."""

    def __init__(self, ax: "Axes", picture: LadderPicture, wide: float, high: float) -> None:
        self._ax, self._picture = ax, picture
        gaps = max(len(picture.hosts) - 1, 1)
        step = (wide - _TIMES - _LEFT - _RIGHT) / gaps
        self._xs = [_TIMES + _LEFT + step * number for number in range(len(picture.hosts))]
        self._top = high - _HEAD
        self._row = min((high - _HEAD - _FOOT) / max(picture.height, 1.0), ROW * 1.6)
        self._taken: list[tuple[float, float]] = []
        """Middles of letters that are there already."""
        self._shifts = _shifts(picture.arrows)
        self._lowest: dict[int, float] = {}
        """By host, how far down words beside its line reach."""

    def draw(self) -> None:
        picture, bottom = self._picture, self._y(self._picture.height)
        for name, x in zip(picture.hosts, self._xs, strict=True):
            self._ax.text(x, self._top + 0.08, name, ha="center", va="bottom", fontweight="bold")
            self._ax.plot([x, x], [self._top, bottom], color="#BBBBBB", linewidth=1.2, zorder=0)
        for at, words in picture.times:
            self._ax.text(
                _TIMES - 0.1, self._y(at), words, ha="right", va="center", fontsize=8, color="#555555"
            )
        for beside in picture.beside:
            self._beside(beside)
        thick_first = sorted(picture.arrows, key=lambda one: -one.count)
        for arrow in thick_first:
            self._arrow(arrow)
        for arrow in sorted(thick_first, key=lambda one: one.role not in _URGENT):
            self._words(arrow)

    def _x(self, host: float) -> float:
        low = min(int(host), len(self._xs) - 2) if len(self._xs) > 1 else 0
        if len(self._xs) == 1:
            return self._xs[0] + (host - low) * 2.0
        return self._xs[low] + (self._xs[low + 1] - self._xs[low]) * (host - low)

    def _y(self, at: float) -> float:
        return self._top - at * self._row

    def _ends(self, arrow: Arrow) -> tuple[float, float, float, float]:
        (host, at), (other, until) = arrow.begin, arrow.end
        shift = self._shifts.get(id(arrow), 0.0)
        return self._x(host), self._y(at + shift), self._x(other), self._y(until + shift)

    def _arrow(self, arrow: Arrow) -> None:
        x, y, u, v = self._ends(arrow)
        colour = _COLOURS.get(arrow.role, _PLAIN)
        width = 1.3 if arrow.count == 1 else min(2.0 + log2(arrow.count), 8.0)
        head: dict[str, Any] = {"arrowstyle": "-" if arrow.lost else "-|>", "mutation_scale": 9 + width}
        line = _LINES.get(arrow.role, "-")
        self._ax.annotate(
            "",
            (u, v),
            (x, y),
            arrowprops={
                **head, "color": colour, "linewidth": width, "linestyle": line, "shrinkA": 0, "shrinkB": 0
            },
        )  # fmt: skip
        if arrow.lost:
            self._ax.text(u, v, "✗", color=colour, ha="center", va="center", fontsize=12, fontweight="bold")

    def _words(self, arrow: Arrow) -> None:
        """The longest that fits somewhere along the arrow where no others are; nothing where none does."""
        x, y, u, v = self._ends(arrow)
        length, angle = hypot(u - x, v - y), atan2(v - y, u - x)
        upright = angle if abs(angle) <= 1.5708 else angle - 3.14159265
        for words in arrow.wordings:
            size = len(words) * _LETTER
            if size > length - 0.25:
                continue
            for part in (0.5, 0.35, 0.65, 0.25, 0.75):
                reach = size / 2 / length + 0.02
                middle = min(max(part, reach), 1 - reach)
                a, b = x + (u - x) * middle, y + (v - y) * middle
                spots = _letters(a, b, upright, size)
                if all(hypot(p - q, r - s) >= _APART for p, r in spots for q, s in self._taken):
                    self._taken += spots
                    self._say(a, b, words, upright, arrow)
                    return

    def _say(self, x: float, y: float, words: str, angle: float, arrow: Arrow) -> None:
        self._ax.text(
            x - sin(angle) * 0.08,
            y + cos(angle) * 0.08,
            words,
            rotation=degrees(angle),
            rotation_mode="anchor",
            ha="center",
            va="center",
            fontsize=8.5,
            color=_COLOURS.get(arrow.role, "#111111"),
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.4},
        )

    def _beside(self, beside: Beside) -> None:
        side = 1 if beside.right else -1
        room = _RIGHT if beside.right else _LEFT
        most = int((room - 0.15) / 0.068)
        lines = [line for each in beside.words.split("\n") for line in textwrap.wrap(each, most)]
        x, y = self._xs[beside.host] + side * 0.1, self._y(beside.at)
        half = len(lines) * _LINE / 2
        middle = min(y, self._lowest.get(beside.host, self._top + 1) - half)
        self._lowest[beside.host] = middle - half
        alignment = "left" if beside.right else "right"
        colour = _COLOURS.get(beside.role, "#111111")
        self._ax.text(
            x, y, "\n".join(lines), ha=alignment, va="center", fontsize=8, color=colour, linespacing=1.05
        )
        self._ax.plot([self._xs[beside.host]], [y], "o", color="#333333", markersize=3)


def _shifts(arrows: Sequence[Arrow]) -> dict[int, float]:
    """How far down each arrow is moved, since others go the same way from the same place, the thickest first."""
    seen: Counter[tuple[tuple[float, float], bool]] = Counter()
    found = {}
    for arrow in sorted(arrows, key=lambda one: -one.count):
        way = arrow.begin, arrow.end[0] > arrow.begin[0]
        found[id(arrow)] = _BESIDE * seen[way]
        seen[way] += 1
    return found


def _letters(x: float, y: float, angle: float, size: float) -> Sequence[tuple[float, float]]:
    """Middles of the letters of some words above an arrow."""
    a, b = x - sin(angle) * 0.08, y + cos(angle) * 0.08
    count = max(int(size / 0.06), 1)
    return [
        (a + cos(angle) * size * (n / count - 0.5), b + sin(angle) * size * (n / count - 0.5))
        for n in range(count + 1)
    ]
