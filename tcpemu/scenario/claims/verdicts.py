"""Verdicts: whether a claim holds in a kernel, decided by a run in that kernel."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from tcpemu.generations import GENERATIONS
from tcpemu.generations import generation as generation_named
from tcpemu.scenario.claims import expectations
from tcpemu.scenario.claims.claim_file import Saying
from tcpemu.scenario.claims.load_claims import Claim
from tcpemu.scenario.claims.measure import Measures, measure
from tcpemu.scenario.format import load_scenario
from tcpemu.scenario.format.scenario_file import Scenario
from tcpemu.scenario.running import build
from tcpemu.scenario.running.result import Result
from tcpemu.stack.base.generation import Generation

KERNELS_OF_CLAIMS = (
    "linux-1.2",
    "linux-2.0",
    "linux-2.2",
    "linux-2.4",
    "linux-3.0",
    "linux-3.10",
    "linux-4.4",
    "linux-4.10",
    "linux-6.18",
    "bsd-4.4",
    "freebsd-14",
    "macos-15",
    "solaris",
    "windows-2003",
)
"""Kernels that differ in what the claims are about."""


class ClaimOutcome(Enum):
    """What became of a claim."""

    HOLDS = "holds"
    FAILS = "fails"
    UNSPECIFIED = "unspecified"
    """The claim says nothing about this kernel, or the emulator cannot tell."""


@dataclass(frozen=True, slots=True)
class ClaimVerdict:
    """What became of a claim in a kernel, and why."""

    claim: Claim
    generation: str
    outcome: ClaimOutcome
    say: str = ""
    """The sentence of the claim for it, with names of measures in braces; empty if the claim has none."""
    runs: tuple[Measures, ...] = ()
    """What the runs came to; none where the claim is unspecified without a run."""
    decisive: int = 0
    """The run that decided it: the first of which something was not as the claim says, or the first."""


class Bench:
    """Runs scenarios, each once in each kernel, whatever number of claims it decides.

    What a run came to is kept; its record is not, for all of them together are large.
    """

    def __init__(self) -> None:
        self._measured: dict[tuple[str, ...], Measures] = {}

    def _measures(self, claim: Claim, number: int, generation: str) -> Measures:
        key = (claim.keys[number], claim.table.client, generation)
        found = self._measured.get(key)
        if found is None:
            found = self._measured[key] = measure(play_claim(claim, number, generation), claim.table.client)
        return found

    def judge(self, claim: Claim, generation: str) -> ClaimVerdict:
        """Whether the claim holds in that kernel."""
        why = _out_of_reach(claim, generation_named(generation))
        if why:
            return ClaimVerdict(claim, generation, ClaimOutcome.UNSPECIFIED, why)
        runs = tuple(self._measures(claim, number, generation) for number in range(len(claim.runs)))
        table = claim.table
        missing = expectations.failing(table.given, runs)
        if missing is not None:
            return ClaimVerdict(
                claim, generation, ClaimOutcome.UNSPECIFIED, _said(table.unspecified, runs), runs, missing
            )
        wrong = expectations.failing(table.holds_when, runs)
        if wrong is None:
            return ClaimVerdict(claim, generation, ClaimOutcome.HOLDS, _said(table.holds, runs), runs)
        return ClaimVerdict(claim, generation, ClaimOutcome.FAILS, _said(table.fails, runs), runs, wrong)


def play_claim(claim: Claim, number: int, generation: str) -> Result:
    """The claim's run of that number, with that kernel as the server's; sysctls that it has not are left out."""
    run = claim.runs[number]
    return build.run(replace(run, scenario=_on(run, generation_named(generation))))


def spoken_of(claim: Claim, generations: Iterable[str] = KERNELS_OF_CLAIMS) -> list[str]:
    """Those of the kernels that the claim speaks of."""
    return [name for name in generations if claim.is_about(name)]


def telling(verdicts: Sequence[ClaimVerdict]) -> ClaimVerdict:
    """The verdict to look at: the newest kernel that fails, Linux before others; else the newest at all.

    A verdict without a run has nothing to show, so others go before it.
    """
    known = list(GENERATIONS)
    return max(
        verdicts,
        key=lambda one: (
            bool(one.runs),
            one.outcome is ClaimOutcome.FAILS,
            one.generation.startswith("linux-"),
            known.index(one.generation),
        ),
    )


def _on(run: load_scenario.Run, generation: Generation) -> Scenario:
    """The scenario with that kernel as the server's."""
    server = run.scenario.server
    sysctls: Mapping[str, object] = {
        name: value for name, value in server.sysctls.items() if name not in generation.missing
    }
    changed = server.model_copy(update={"generation": generation.name, "sysctls": sysctls})
    return run.scenario.model_copy(update={"server": changed})


def _out_of_reach(claim: Claim, generation: Generation) -> str:
    """Why nothing can be said of this kernel before any run; empty if something can."""
    return "; ".join(dict.fromkeys(_lacking(claim.table.needs, generation)))


def _lacking(needs: Sequence[str], generation: Generation) -> Iterator[str]:
    for name in needs:
        if name in generation.missing:
            yield "it has no such sysctl"


def _said(sayings: Sequence[Saying], runs: Sequence[Measures]) -> str:
    """The first sentence that is right for these runs."""
    return next((each.say for each in sayings if expectations.all_hold(each.when, runs)), "")
