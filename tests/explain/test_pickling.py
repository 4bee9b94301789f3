"""Whatever a user gets back can be pickled and copied, and is equal to what it was."""

import copy
import pickle

import pytest

from tcpemu import capture_of, run_scenario
from tcpemu.explain.compare.comparison_lines import ComparedRun, comparison_lines
from tcpemu.explain.compare.first_difference import first_differences
from tcpemu.explain.facts.client_outcomes import client_outcomes
from tcpemu.explain.facts.rows import rows_of
from tcpemu.explain.facts.run_digest import digest_of
from tcpemu.explain.lines.heading import Heading
from tcpemu.explain.story.turning_points import turning_points
from tcpemu.scenario.claims import load_claims
from tcpemu.scenario.claims.verdicts import Bench
from tcpemu.scenario.running.summary import summarize

RUN = run_scenario("ignored-ack")
OTHER = run_scenario("ignored-ack", {"server.generation": "linux-4.4"})
DIGESTS = [digest_of(run.record, "server") for run in (RUN, OTHER)]
COMPARED = [ComparedRun(kernel, run.record, kernel, "") for kernel, run in (("6.18", RUN), ("4.4", OTHER))]

GIVEN = {
    "run": RUN,
    "rows": rows_of(RUN.record),
    "capture": capture_of(RUN.record),
    "outcomes": client_outcomes(RUN.record, RUN.result.starts, RUN.result.ended),
    "turning points": turning_points(RUN.record, "server", RUN.result.hosts),
    "summary": summarize(RUN.result),
    "digests": DIGESTS,
    "differences": first_differences(*DIGESTS),
    "compared runs": COMPARED,
    "verdict": Bench().judge(load_claims.built_in()[0], "linux-6.18"),
    "comparison": list(comparison_lines(COMPARED, "server", [], [], Heading("t", "l", ()))),
}


@pytest.mark.parametrize("what", GIVEN)
def test_what_is_given_back_survives(what):
    given = GIVEN[what]
    assert pickle.loads(pickle.dumps(given)) == given
    assert copy.deepcopy(given) == given


def test_so_does_what_is_told_of_a_run():
    again = pickle.loads(pickle.dumps(RUN))
    assert again.ladder() == RUN.ladder()
    assert again.story() == RUN.story()
    assert again.counters() == RUN.counters()
