"""The table that says by what each generation is judged."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

import judged

from tcpemu.generations import GENERATIONS
from tests.scenario.traces.test_truths import TRACES, load

OF_5_10 = sorted((TRACES / "linux-5.10.218").glob("*.json"))[:5]


def truths():
    return ((path.stem, load(path)) for path in OF_5_10)


def test_what_is_the_same_and_what_differs_is_counted():
    own, other = judged.judged("linux-5.10.218", truths()), judged.judged("linux-6.18", truths())
    assert (own.kernel, own.traces, own.same, own.differs) == ("5.10.218", 5, 5, {})
    assert (other.traces, other.same) == (5, 0)
    assert sum(other.differs.values()) == 5


def test_each_generation_has_a_row():
    names = {row[0].strip("`").partition("@")[0] for row in judged.rows()}
    assert names == set(GENERATIONS)


def test_what_a_kernel_has_judged_agrees_to_98_in_100():
    """The counts are of all answers, those that differ by the clock's phase among them."""
    counted = judged.kept()
    for name in ("linux-5.10.218@debian", "linux-6.1@debian", "linux-6.12@debian"):
        assert counted[name].same >= 0.98 * counted[name].traces > 0
