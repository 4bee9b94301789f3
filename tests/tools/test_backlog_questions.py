"""One of the ten questions, as a fast sample; each can be asked."""

import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

import backlog_questions
from backlog_questions import QUESTIONS, question_of

from tcpemu.scenario import load


def test_each_question_is_a_scenario():
    assert len(QUESTIONS) == 10
    for asked in QUESTIONS:
        assert question_of(asked, 1).scenario(asked.backlog).server.backlog == asked.backlog


def test_one_of_them_is_answered(tmp_path):
    done = subprocess.run(
        [sys.executable, backlog_questions.__file__, "--only", "5", "--jobs", "1", "--keep", str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        timeout=200,
    )
    assert "asked about 1, advised 19" in done.stdout
    scenario = tmp_path / "5.toml"
    assert f"tcpemu explain {scenario} --set server.backlog=18 --seed 1" in done.stdout
    assert load(str(scenario)).server.backlog == 1
