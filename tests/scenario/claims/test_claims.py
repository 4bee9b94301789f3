"""Claims of texts: each verdict comes of a run, and mistakes in a file of claims are all told at once."""

import time
from dataclasses import replace

import pytest

from tcpemu.generations import GENERATIONS
from tcpemu.scenario.claims import expectations
from tcpemu.scenario.claims.claim_file import Checks
from tcpemu.scenario.claims.load_claims import built_in, claims_from_text, from_file
from tcpemu.scenario.claims.measure import measure
from tcpemu.scenario.claims.verdicts import (
    KERNELS_OF_CLAIMS,
    Bench,
    ClaimOutcome,
    play_claim,
    spoken_of,
    telling,
)
from tcpemu.scenario.format.problems import ScenarioError

HOLDS, FAILS, UNSPECIFIED = ClaimOutcome.HOLDS, ClaimOutcome.FAILS, ClaimOutcome.UNSPECIFIED
CLAIMS = {claim.name: claim for claim in built_in()}

SMALL = """
[[claims]]
name = "two"
claim = "listen(1) holds two."
source = "a lecture"
scenario = "listen-1-vs-5"
holds_when = { run = "listen(1)", queued = 2 }
"""


@pytest.fixture(scope="module")
def bench():
    return Bench()


def problems(text):
    with pytest.raises(ScenarioError) as caught:
        claims_from_text(text, "my.toml")
    return [str(problem) for problem in caught.value.problems]


def verdict(bench, name, generation):
    return bench.judge(CLAIMS[name], generation)


# --- the claims that come with the program --------------------------------------------------------


@pytest.mark.parametrize("name", CLAIMS)
def test_every_claim_has_words_for_what_comes_of_it(name, bench):
    table = CLAIMS[name].table
    assert table.claim.endswith((".", ".)"))
    assert table.holds
    assert table.fails
    said = [bench.judge(CLAIMS[name], each) for each in spoken_of(CLAIMS[name])]
    assert said
    assert all(each.say for each in said)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("five-and-the-sixth-dropped", {"linux-2.0": HOLDS, "linux-6.18": FAILS, "windows-2003": FAILS}),
        ("one-more-than-the-backlog", {"linux-2.0": FAILS, "linux-2.2": HOLDS, "linux-6.18": HOLDS}),
        ("backlog-1-holds-one", {"linux-2.0": HOLDS, "macos-15": HOLDS, "linux-6.18": FAILS}),
        ("three-halves", {"bsd-4.4": HOLDS, "freebsd-14": HOLDS, "linux-6.18": FAILS}),
        ("zero-refuses-all", {"linux-1.2": HOLDS, "linux-2.0": FAILS, "linux-6.18": FAILS}),
        ("zero-is-one", {"linux-2.2": HOLDS, "linux-2.4": FAILS}),
        ("zero-lets-one-in", {"linux-6.18": HOLDS, "bsd-4.4": HOLDS, "linux-2.2": FAILS}),
        (
            "zero-lets-one-in-without-cookies",
            {"linux-6.18": HOLDS, "linux-5.10.218": FAILS, "linux-4.4": FAILS},
        ),
        ("negative-is-zero", {"bsd-4.4": HOLDS, "linux-6.18": FAILS}),
        ("cut-to-5", {"linux-1.2": HOLDS, "bsd-4.4": HOLDS, "linux-2.0": FAILS}),
        ("cut-to-128", {"linux-2.0": HOLDS, "linux-4.19": HOLDS, "linux-5.4": FAILS}),
        ("cut-to-somaxconn", {"linux-6.18": HOLDS, "linux-2.4": UNSPECIFIED}),
        ("rounded-up-to-16", {"linux-3.10": HOLDS, "linux-2.4": FAILS, "linux-4.4": FAILS}),
        ("advisory", {"linux-6.18": HOLDS, "bsd-4.4": HOLDS, "linux-2.0": FAILS}),
        ("two-queues", {"linux-2.2": HOLDS, "linux-6.18": HOLDS, "linux-2.0": FAILS, "bsd-4.4": FAILS}),
        ("one-queue", {"bsd-4.4": HOLDS, "macos-15": HOLDS, "freebsd-14": FAILS}),
        ("syn-dropped-without-rst", {"bsd-4.4": HOLDS, "linux-2.2": FAILS, "windows-2003": FAILS}),
        ("client-gets-an-error", {"windows-2003": HOLDS, "linux-6.18": FAILS, "linux-3.10": FAILS}),
        ("new-ones-are-rejected", {"windows-2003": HOLDS, "freebsd-14": HOLDS, "linux-6.18": FAILS}),
        ("dropped-only-with-young-ones", {"linux-2.4": HOLDS, "linux-4.4": HOLDS, "linux-4.10": FAILS}),
        ("tcp-max-syn-backlog-bounds-the-syn-queue", {"linux-2.2": HOLDS, "linux-6.18": FAILS}),
        ("tcp-max-syn-backlog-below-the-backlog", {"linux-2.2": HOLDS, "linux-6.18": FAILS}),
        ("no-limit-with-syn-cookies", {"linux-6.18": FAILS, "linux-2.0": UNSPECIFIED}),
        (
            "final-ack-ignored",
            {"linux-2.2": HOLDS, "linux-6.18": HOLDS, "freebsd-14": FAILS, "bsd-4.4": UNSPECIFIED},
        ),
        ("accept-in-time-saves", {"linux-6.18": HOLDS, "freebsd-14": FAILS, "solaris": UNSPECIFIED}),
        ("rst-answers-the-data", {"linux-2.2": HOLDS, "linux-6.18": HOLDS, "freebsd-14": FAILS}),
        ("rst-when-giving-up", {"linux-3.10": FAILS, "linux-6.18": FAILS, "linux-2.0": UNSPECIFIED}),
        ("who-waits-never-learns", {"linux-6.18": HOLDS, "freebsd-14": FAILS}),
        (
            "syn-ack-again-as-in-the-trace",
            {"linux-3.10": HOLDS, "linux-3.0": FAILS, "linux-4.4": FAILS, "linux-6.18": FAILS},
        ),
        ("syn-ack-again-and-63-seconds", {"linux-4.4": HOLDS, "linux-6.18": HOLDS, "linux-3.10": FAILS}),
        ("abort-on-overflow-at-the-syn", {"linux-4.4": FAILS, "linux-6.18": FAILS, "linux-2.2": UNSPECIFIED}),
        ("abort-on-overflow-at-the-ack", {"linux-2.4": HOLDS, "linux-6.18": HOLDS, "linux-2.2": UNSPECIFIED}),
        ("abort-on-overflow-at-a-cookie", {"linux-6.18": FAILS, "linux-2.2": UNSPECIFIED}),
        ("syn-cookies-avoid-the-reset", {"linux-6.18": FAILS, "linux-2.0": UNSPECIFIED}),
        ("rate-is-places-over-round-trip", {"linux-6.18": HOLDS, "bsd-4.4": HOLDS, "linux-2.2": UNSPECIFIED}),
        ("rate-is-backlog-over-round-trip", {"linux-2.0": HOLDS, "linux-6.18": FAILS, "bsd-4.4": FAILS}),
        ("no-listen-for-udp", {"linux-6.18": HOLDS}),
    ],
)
def test_telling_verdicts(name, expected, bench):
    assert {each: verdict(bench, name, each).outcome for each in expected} == expected


def test_the_table_above_speaks_of_every_claim():
    (mark,) = test_telling_verdicts.pytestmark
    assert {name for name, _ in mark.args[1]} == CLAIMS.keys()


@pytest.mark.parametrize(
    ("name", "generation", "measured"),
    [
        ("five-and-the-sixth-dropped", "linux-6.18", {"queued": 6, "syn_dropped": (7, 8, 9, 10)}),
        ("five-and-the-sixth-dropped", "bsd-4.4", {"queued": 8, "first_dropped": 9}),
        ("five-and-the-sixth-dropped", "windows-2003", {"queued": 5, "first_reset": 6, "syns_dropped": 0}),
        ("five-and-the-sixth-dropped", "linux-2.2", {"queued": 6, "acks_ignored": 4, "turned_away": 0}),
        ("client-gets-an-error", "linux-6.18", {"client_sees": "ETIMEDOUT", "client_connected": False}),
        ("rst-answers-the-data", "linux-6.18", {"rst_answers": "data", "given_up_after": 63_000_000_000}),
        ("final-ack-ignored", "linux-2.2", {"repeats": 7, "rst_answers": None}),
        ("abort-on-overflow-at-the-ack", "linux-6.18", {"rst_answers": "ACK", "client_sees": "ECONNRESET"}),
        ("no-limit-with-syn-cookies", "linux-6.18", {"half_open": 6, "cookies": 134}),
    ],
)
def test_what_was_measured(name, generation, measured, bench):
    (run,) = verdict(bench, name, generation).runs
    assert {key: getattr(run, key) for key in measured} == measured


@pytest.mark.parametrize("generation", ["linux-6.18", "bsd-4.4"])
def test_rates_come_near_the_formula_and_stay_below_it(generation, bench):
    runs = verdict(bench, "rate-is-places-over-round-trip", generation).runs
    assert [run.asked for run in runs] == [4, 9, 4, 9]
    assert [run.round_trip // 10**6 for run in runs] == [50, 50, 100, 100]
    for run in runs:
        assert 0.9 < run.accept_rate / run.places_rate <= 1


def test_all_of_it_takes_no_time_worth_speaking_of():
    began = time.process_time()
    fresh = Bench()
    for claim in CLAIMS.values():
        for generation in spoken_of(claim):
            fresh.judge(claim, generation)
    assert time.process_time() - began < 20


def test_the_telling_kernels_are_there_and_a_pattern_finds_its_own():
    assert set(KERNELS_OF_CLAIMS) <= GENERATIONS.keys()
    assert all(each.startswith("linux-") for each in spoken_of(CLAIMS["final-ack-ignored"], ["linux-2.2"]))
    assert spoken_of(CLAIMS["one-queue"], GENERATIONS) == ["bsd-4.4", "freebsd-14", "macos-15"]


def test_every_kernel_can_be_asked_everything(bench):
    """Also what a claim is not about, as --generation lets a user do: a verdict, never an exception."""
    for claim in CLAIMS.values():
        for generation in ("linux-1.2", "linux-2.6.32", "solaris"):
            assert bench.judge(claim, generation).outcome in ClaimOutcome


# --- how verdicts come about ----------------------------------------------------------------------


@pytest.mark.parametrize("generation", ["linux-2.0", "linux-6.18"])
def test_the_opposite_check_has_the_opposite_verdict(generation, bench):
    claim = CLAIMS["advisory"]
    flipped = claim.table.model_copy(update={"holds_when": (Checks(queued_as_asked=True),)})
    before = bench.judge(claim, generation).outcome
    after = bench.judge(replace(claim, table=flipped), generation).outcome
    assert {before, after} == {HOLDS, FAILS}


def test_another_number_changes_the_verdict(bench):
    text = SMALL.replace("queued = 2", "queued = 1")
    (two,), (one,) = claims_from_text(SMALL), claims_from_text(text)
    for generation, expected in (("linux-6.18", (HOLDS, FAILS)), ("linux-2.0", (FAILS, HOLDS))):
        assert tuple(bench.judge(each, generation).outcome for each in (two, one)) == expected


def test_settings_change_the_run(bench):
    cut = SMALL.replace("queued = 2", "limit = 0") + "settings.net.core.somaxconn = 0\n"
    (claim,) = claims_from_text(cut)
    assert bench.judge(claim, "linux-6.18").outcome is HOLDS
    assert bench.judge(claim, "linux-2.2").outcome is FAILS, "it has no such sysctl, so it is left out"


def test_the_run_that_decides_is_the_first_that_is_not_as_claimed(bench):
    text = SMALL.replace('{ run = "listen(1)", queued = 2 }', '[{ run = "listen(5)", queued = 5 }]')
    (claim,) = claims_from_text(text)
    decisive = bench.judge(claim, "linux-6.18").decisive
    assert claim.runs[decisive].name == "listen(5)"
    assert measure(play_claim(claim, decisive, "linux-6.18"), "").queued == 6


def test_the_newest_linux_that_fails_is_looked_at(bench):
    claim = CLAIMS["backlog-1-holds-one"]
    verdicts = [bench.judge(claim, each) for each in ("linux-2.0", "linux-6.18", "linux-4.4", "freebsd-14")]
    assert telling(verdicts).generation == "linux-6.18"
    assert telling([verdicts[0], verdicts[3]]).generation == "freebsd-14"
    assert telling([verdicts[0]]).generation == "linux-2.0"


@pytest.mark.parametrize(
    ("checks", "holds"),
    [
        ({"repeats_at": ["1 s", "3 s", "7 s", "15 s", "31 s"]}, True),
        ({"repeats_at": ["1 s", "3 s", "7 s", "15 s"]}, False),
        ({"repeats_at": [1.2, 3.2, 7.2, 15.2, 31.2]}, False),
        ({"repeats_at": [1.2, 3.2, 7.2, 15.2, 31.2], "within": "200 ms"}, True),
        ({"given_up_after": "63 s"}, True),
        ({"given_up_after": "60 s"}, False),
        ({"rst_answers": []}, True),
        ({"rst_answers": ["SYN", "nothing"]}, False),
        ({"repeats": {"at_least": 5, "at_most": 6}}, True),
        ({"repeats": {"at_least": 6}}, False),
        ({"acks_ignored": {"at_most": 1}}, False),
        ({"client_sees": "no error", "client_connected": True, "client_accepted": False}, True),
        ({"errno": "EADDRINUSE"}, False),
        ({"syn_dropped": []}, True),
        ({"syn_dropped": [6]}, False),
    ],
)
def test_checks_of_one_run(checks, holds, bench):
    runs = verdict(bench, "final-ack-ignored", "linux-6.18").runs
    assert expectations.all_hold([Checks.model_validate(checks)], runs) is holds


# --- mistakes -------------------------------------------------------------------------------------


def test_all_mistakes_at_once_with_place_and_mend():
    told = problems(
        """
        colour = "red"
        [scenarios.mine]
        duration = "soon"
        [[claims]]
        name = "one"
        claim = "c"
        source = "s"
        scenario = "listen-1-vs-6"
        holds_when = { quued = 5 }
        [[claims]]
        name = "two"
        claim = "c"
        source = "s"
        scenario = "handshake"
        settings.server.backlog = "many"
        client = "nobody"
        about = ["minix-*"]
        needs = ["net.ipv4.tcp_syncookie"]
        holds_when = { run = "first", errno = "EBROKEN" }
        fails = "{queud} wait"
        [[claims]]
        name = "three"
        claim = "c"
        source = "s"
        client = "nobody"
        holds_when = [{ run = "first", queued = 1 }, { same = "queued" }]
        scenario.clients = [{ name = "a" }]
        [[claims]]
        name = "three"
        source = "s"
        scenario = "mine"
        holds_when = {}
        """
    )
    for words in (
        "colour: unknown key; known: claims, scenarios",
        'scenarios.mine.duration: found "soon"; must be a time',
        "claims[0].scenario: there is no scenario 'listen-1-vs-6'; did you mean 'listen-1-vs-5'?",
        "claims[0].holds_when.quued: unknown key; did you mean 'queued'?",
        'claims[1].settings.server.backlog: found "many"; must be a whole number',
        'claims[1].holds_when.errno: found "EBROKEN"',
        'claims[1].fails: found "{queud} wait"; must be a text with measures in braces; did you',
        'claims[1].about[0]: found "minix-*"; must be a kernel',
        'claims[1].needs[0]: found "net.ipv4.tcp_syncookie"; must be a sysctl; did you mean',
        'claims[2].client: found "nobody"; must be a group of the scenario',
        'claims[2].holds_when[0].run: found "first"; it has only one run',
        "claims[2].holds_when[1]: a comparison of runs; the scenario has only one",
        "claims[3].claim: missing",
        "claims[3].holds_when: nothing to check",
    ):
        assert any(each.startswith(words) for each in told), (words, told)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "claims: missing; write [[claims]] for each claim"),
        ("[claims]\nname = 'a'", "claims: found"),
        ("claims = [3]", "claims[0]: found 3; must be a table"),
        ("[[claims", "end of file: "),
        (SMALL + SMALL, 'claims[1].name: found "two", which another claim has already; give another name'),
        (SMALL.replace("queued = 2", "queued = 'two'"), "claims[0].holds_when.queued: found \"two\""),
        (SMALL.replace("queued = 2", "rst_answers = 'dta'"), "claims[0].holds_when.rst_answers"),
        (SMALL.replace("queued = 2", "within = '1 s'"), "claims[0].holds_when.within: within without a time"),
        (SMALL.replace("queued = 2", "same = 'queued'"), "claims[0].holds_when.same: same beside run"),
        (SMALL.replace("queued = 2", "queued = {}"), "claims[0].holds_when.queued"),
        (SMALL + 'variants = [{ name = "a", set.server.bcklog = 1 }]', 'claims[0].variants[0].set."server.bcklog"'),
        (SMALL + 'holds = "{queued"', "claims[0].holds"),
        ("scenarios = 3\n" + SMALL, "scenarios: found 3; write [scenarios.NAME] for each"),
        (SMALL.replace('"listen-1-vs-5"', "7"), "claims[0].scenario: found 7; must be the name of a scenario"),
    ],
)  # fmt: skip
def test_one_mistake(text, words):
    assert any(each.startswith(words) for each in problems(text)), problems(text)


def test_a_file_that_is_not_text(tmp_path):
    path = tmp_path / "my.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ScenarioError, match="save the file as UTF-8"):
        from_file(path)
