"""Pictures for print: no colour is left, and what a colour told, a pattern or a dash tells."""

import re

import pytest

from tcpemu.explain.plots.cwnd_plot import cwnd_picture
from tcpemu.explain.plots.draw import drawn
from tcpemu.explain.plots.picture import Style
from tcpemu.explain.plots.sequence_plot import sequence_picture
from tests.explain.plots.transfers import watched

pytest.importorskip("matplotlib", reason="plots need matplotlib")
COLOUR = re.compile(rb"#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})\b")


def colours_of(svg):
    """Those that are no grey."""
    return {match[0] for match in COLOUR.finditer(svg) if len({match[1], match[2], match[3]}) > 1}


@pytest.mark.parametrize("kind", ["cwnd", "sequence"])
def test_print_has_no_colour_and_light_has(kind):
    results = watched()
    picture = (
        cwnd_picture("", "", results, None) if kind == "cwnd" else sequence_picture("", "", results[0], None)
    )
    assert colours_of(drawn(picture, "svg"))
    assert not colours_of(drawn(picture, "svg", style=Style.PRINT))


def test_bands_have_patterns_in_print():
    picture = cwnd_picture("", "", watched(), None)
    assert b"<pattern" in drawn(picture, "svg", style=Style.PRINT)
    assert b"<pattern" not in drawn(picture, "svg")
