"""What turning points are called."""

from tcpemu.explain.story.turning_titles import TITLES
from tcpemu.stack.base.reasons import REASONS


def test_every_title_is_of_a_reason_that_there_is():
    assert set(TITLES) - {"LOSS", "NOBODY"} <= set(REASONS)
