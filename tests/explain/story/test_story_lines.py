"""The story laid out."""

import pytest

from tcpemu.explain.lines.heading import Heading
from tcpemu.explain.lines.style import lines_text
from tcpemu.explain.story.story_lines import story_lines
from tcpemu.scenario import build, load
from tests.explain.story.stories import story


@pytest.mark.parametrize("name", load.BUILT_IN)
def test_every_built_in_scenario_has_a_story_that_fits(name):
    for run in load.runs(load.load(name)):
        turns = story(build.run(run, 3 * 10**9))
        assert len(turns) < 15
        assert turns == sorted(turns, key=lambda turn: turn.at)
        for width in (80, 100):
            lines = lines_text(story_lines(Heading("t"), turns, [], width)).splitlines()
            assert max(map(len, lines)) <= width
