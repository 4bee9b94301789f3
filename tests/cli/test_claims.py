"""`tcpemu claims`."""

import re

import pytest
from typer.testing import CliRunner

from tcpemu.cli.app import app
from tcpemu.generations import GENERATIONS
from tcpemu.scenario.claims.load_claims import built_in
from tcpemu.scenario.claims.verdicts import Bench, ClaimOutcome

OWN = """
[[claims]]
name = "mine"
claim = "Two fit."
source = "a lecture"
scenario = "listen-1-vs-5"
holds_when = { run = "listen(1)", queued = 2 }
"""


@pytest.fixture
def own(tmp_path):
    path = tmp_path / "my.toml"
    path.write_text(OWN)
    return path


def claims(*arguments):
    return CliRunner().invoke(app, ["claims", *map(str, arguments)])


def words(text):
    return " ".join(text.split())


@pytest.mark.parametrize("columns", [80, 100])
def test_the_table_has_every_claim_and_fits(columns, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(columns))
    done = claims("--generation", "linux-6.18")
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= columns
    names = [claim.name for claim in built_in()]
    assert [each for each in lines if each in names] == names


def test_kernels_of_one_mind_stand_together():
    shown = words(
        claims("backlog-1-holds-one", "--generation", "linux-1.2,linux-2.0,linux-6.18,bsd-4.4").stdout
    )
    assert "holds linux-1.2, 2.0: 1 waits" in shown
    assert "fails linux-6.18, bsd-4.4: 2 wait" in shown


def test_one_claim_shows_the_packets_of_the_newest_kernel_that_fails():
    shown = claims("backlog-1-holds-one").stdout
    assert "linux-6.18: the claim fails" in shown
    assert "accept 2/1" in shown
    assert "client-3   has been trying to connect since 0.04 s" in shown


def test_of_the_kernels_that_were_asked_for():
    shown = claims("backlog-1-holds-one", "--generation", "linux-2.0").stdout
    assert "linux-2.0: the claim holds" in shown
    assert "accept 1/1" in shown


def test_the_run_that_decides_among_several_is_named():
    shown = claims("zero-refuses-all", "--generation", "linux-6.18").stdout
    assert "run 'listen(0)', one of 2" in shown


def test_without_a_run_there_are_no_packets():
    shown = claims("abort-on-overflow-at-the-ack", "--generation", "linux-2.2").stdout
    assert shown.splitlines()[-1] == "  cannot be tested  linux-2.2: it has no such sysctl"


def test_all_is_every_kernel_that_the_claim_is_about():
    shown = words(claims("one-queue", "--generation", "all").stdout)
    assert "bsd-4.4" in shown
    assert "linux" not in shown.partition("clients")[0]
    assert "linux-2.6.32" not in words(claims("advisory").stdout)
    assert "2.6.32" in words(claims("advisory", "--generation", "all").stdout)


def test_a_claim_of_ones_own_without_words_tells_what_was_measured(own):
    shown = words(claims("mine", "--file", own, "--generation", "linux-6.18,linux-2.0").stdout)
    assert "holds linux-6.18: queued 2 and 6" in shown
    assert "fails linux-2.0: queued 1 and 5" in shown


def test_ones_own_claims_come_last_and_take_the_place_of_others(own):
    lines = claims("--file", own, "--generation", "linux-2.0").stdout.splitlines()
    names = [claim.name for claim in built_in()]
    assert [each for each in lines if each in {*names, "mine"}] == [*names, "mine"]
    assert lines[-1].strip() == "tcpemu claims mine"
    own.write_text(OWN.replace('"mine"', '"advisory"'))
    shown = claims("advisory", "--file", own, "--generation", "linux-6.18").stdout
    assert "Two fit." in shown


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["backlog-1-holds-on"],
            "there is no claim 'backlog-1-holds-on'; did you mean 'backlog-1-holds-one'?",
        ),
        (["--generation", "linux-6.99"], "there is no generation 'linux-6.99'"),
        (["--file", "nowhere.toml"], "nowhere.toml: cannot be read: No such file or directory"),
    ],
)
def test_wrong_use(arguments, said):
    done = claims(*arguments)
    assert done.exit_code == 2
    assert said in done.stderr
    assert not done.stdout


def test_mistakes_in_a_file_are_all_told(own):
    own.write_text(OWN.replace("queued", "quued").replace("listen-1-vs-5", "listen-1-vs-6"))
    done = claims("--file", own)
    assert done.exit_code == 2
    assert len(done.stderr.splitlines()) == 2
    assert all(f"tcpemu: {own}: claims[0]." in each for each in done.stderr.splitlines())


MARKS = {"+": ClaimOutcome.HOLDS, "-": ClaimOutcome.FAILS, "?": ClaimOutcome.UNSPECIFIED}


def marks(lines, kernel):
    """What the grid says of a kernel, by claim: the marks that stand under its version."""
    family, _, version = kernel.partition("-")
    found = {}
    for number, head in enumerate(lines):
        at = re.search(rf"(?<=\s){re.escape(version)}(?=\s|$)", head)
        if at is None or family[:4] not in lines[number - 1]:
            continue
        for row in lines[number + 1 :]:
            if not row:
                break
            found[row.split()[0]] = MARKS.get(row[at.start() : at.start() + 1])
    return found


@pytest.mark.parametrize(
    ("columns", "kernels"), [(80, "all"), (100, None), (100, "linux-2.2,linux-6.18,windows-2003")]
)
def test_the_grid_has_a_mark_for_each_verdict_and_fits(columns, kernels, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(columns))
    done = claims("--grid", *(["--generation", kernels] if kernels else []))
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= columns
    bench = Bench()
    for kernel in ("linux-2.2", "linux-6.18"):
        said = marks(lines, kernel)
        assert list(said) == [claim.name for claim in built_in()]
        for claim in built_in()[:12]:
            judged = claim.is_about(kernel) or kernels not in {"all", None}
            assert said[claim.name] == (bench.judge(claim, kernel).outcome if judged else None)


def test_the_grid_comes_before_the_words():
    kernels = ("--generation", "linux-6.18")
    alone, whole = claims("--grid", *kernels).stdout, claims(*kernels).stdout
    assert whole.startswith(alone + "\n" + built_in()[0].name + "\n")


def test_heads_that_are_cut_short_are_explained():
    shown = claims("--grid", "--generation", "freebsd-14,windows-2003").stdout
    assert "fre: freebsd-14; wind: windows-2003" in words(shown)


def test_the_grid_is_of_all_claims():
    done = claims("one-queue", "--grid")
    assert done.exit_code == 2
    assert "--grid is of all claims" in done.stderr


def test_how_many_kernels_were_not_asked_is_told():
    known = len(GENERATIONS)
    assert f"These are 14 of {known} kernels, those that differ most. To ask all of them:" in words(
        claims("zero-is-one").stdout
    )
    assert f"of {known} kernels" not in claims("zero-is-one", "--generation", "all").stdout
