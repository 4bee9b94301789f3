"""The story laid out."""

import pytest

from tcpemu.explain.lines.heading import Heading
from tcpemu.explain.lines.style import lines_text
from tcpemu.explain.story.story_lines import story_lines
from tcpemu.scenario.format import load_scenario
from tcpemu.scenario.running import build
from tests.explain.story.stories import story


@pytest.mark.parametrize("name", load_scenario.BUILT_IN_SCENARIOS)
def test_every_built_in_scenario_has_a_story_that_fits(name):
    for run in load_scenario.runs(load_scenario.load(name)):
        turns = story(build.run(run, 3 * 10**9))
        assert len(turns) < 15
        assert turns == sorted(turns, key=lambda turn: turn.at)
        for width in (80, 100):
            lines = lines_text(story_lines(Heading("t"), turns, [], width)).splitlines()
            assert max(map(len, lines)) <= width
