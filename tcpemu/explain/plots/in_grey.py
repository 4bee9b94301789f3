"""A figure of matplotlib in black and greys, for print: lines differ by their dashes, bands by their patterns."""

from typing import Any

_LIGHTEST_LINE = 0.55
_HELPER = 0.8
"""What is lighter is a line of the grid, or paper, and stays."""


def in_grey(figure: Any) -> None:
    """Change all colours in place. What is coloured keeps how light it is, as far as it stays legible."""
    from matplotlib.collections import Collection  # noqa: PLC0415 - an optional dependency
    from matplotlib.lines import Line2D  # noqa: PLC0415
    from matplotlib.patches import Patch  # noqa: PLC0415
    from matplotlib.text import Annotation, Text  # noqa: PLC0415

    for artist in figure.findobj(Line2D):
        artist.set_color(_grey(artist.get_color(), most=_LIGHTEST_LINE))
        for get, change in (
            (artist.get_markerfacecolor, artist.set_markerfacecolor),
            (artist.get_markeredgecolor, artist.set_markeredgecolor),
        ):
            change(_grey(get(), most=_LIGHTEST_LINE))
    for artist in figure.findobj(Collection):
        artist.set_facecolor([_grey(each, most=1.0) for each in artist.get_facecolor()])
        artist.set_edgecolor([_grey(each, most=_LIGHTEST_LINE) for each in artist.get_edgecolor()])
    arrows = [artist.arrow_patch for artist in figure.findobj(Annotation) if artist.arrow_patch is not None]
    for artist in [*figure.findobj(Patch), *arrows]:
        artist.set_facecolor(_grey(artist.get_facecolor()))
        artist.set_edgecolor(_grey(artist.get_edgecolor()))
    for artist in figure.findobj(Text):
        artist.set_color(_grey(artist.get_color(), most=0.35))


def _grey(colour: Any, most: float = 1.0) -> Any:
    from matplotlib.colors import to_rgba  # noqa: PLC0415 - an optional dependency

    if isinstance(colour, str) and colour in {"none", "None", "auto"}:
        return colour
    red, green, blue, alpha = to_rgba(colour)
    light = 0.299 * red + 0.587 * green + 0.114 * blue
    light = light if light > _HELPER else min(light, most)
    return (light, light, light, alpha)
