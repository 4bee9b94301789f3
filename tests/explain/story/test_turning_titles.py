"""What turning points are called."""

from tcpemu.explain.facts.row_notes import (
    BLACK_HOLE,
    HOST_OFF,
    KEEPALIVE_ANSWERED,
    NOBODY,
    PROBE_ANSWERED,
    PROBE_NOT_ANSWERED,
    ZERO_WINDOW,
)
from tcpemu.explain.story.turning_titles import LOSS, TITLES
from tcpemu.network.record import FORGED_RST
from tcpemu.stack.base.reasons import REASONS


def test_every_title_is_of_a_reason_that_there_is():
    made_here = {
        LOSS,
        BLACK_HOLE,
        NOBODY,
        HOST_OFF,
        ZERO_WINDOW,
        PROBE_ANSWERED,
        PROBE_NOT_ANSWERED,
        KEEPALIVE_ANSWERED,
    }
    made_here.add(FORGED_RST.name)
    assert set(TITLES) - made_here <= set(REASONS)
