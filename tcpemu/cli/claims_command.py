"""`tcpemu claims`: what texts say, and what a run in each kernel says to it."""

import textwrap
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TypeAlias

from tcpemu.cli.printing import patience, show, width
from tcpemu.cli.progress import Progress, ProgressOfRun
from tcpemu.cli.user_mistakes import UsageError
from tcpemu.explain.catalogue.claim_grid import claim_grid
from tcpemu.explain.catalogue.claim_verdicts import claim_lines, verdict_sentence
from tcpemu.explain.facts.client_outcomes import client_outcome_lines, client_outcomes
from tcpemu.explain.ladder.ladder_lines import ladder_lines
from tcpemu.explain.lines.count_words import count
from tcpemu.explain.lines.heading import Heading
from tcpemu.explain.lines.style import Line, Role, line
from tcpemu.generations import DEFAULT, GENERATIONS, generation
from tcpemu.scenario.claims.load_claims import Claim, built_in, from_file
from tcpemu.scenario.claims.verdicts import (
    KERNELS_OF_CLAIMS,
    Bench,
    ClaimVerdict,
    play_claim,
    spoken_of,
    telling,
)
from tcpemu.scenario.format.problems import did_you_mean

EVERY = "all"


ChosenKernels: TypeAlias = Callable[[Claim], list[str]]
"""The kernels in which a claim is judged."""


def show_claims(name: str | None, kernels: str | None, file: Path | None, *, grid: bool) -> None:
    """Print the verdicts of all claims, first as a grid; or those of one with the packets that decide."""
    choice = _choice(kernels)
    own = from_file(file) if file is not None else []
    known = [*_but(own, built_in()), *own]
    if name is not None:
        if grid:
            raise UsageError(f"--grid is of all claims; leave it out, or {name}")
        _show_one(_claim(name, known), choice)
        show([(), *_some_of_all(kernels)] if kernels is None else [])
        return
    verdicts = _all_judged(known, choice)
    show([*claim_grid(verdicts, width()), *_some_of_all(kernels)])
    if grid:
        return
    for claim in known:
        show([(), *claim_lines(claim, verdicts[claim.name], width())])
    show(_foot(known[-1].name))


def _all_judged(claims: Sequence[Claim], choice: ChosenKernels) -> dict[str, list[ClaimVerdict]]:
    """The verdicts of every claim, by its name."""
    bench, progress = Bench(), Progress()
    verdicts = {}
    for number, claim in enumerate(claims):
        part = f"claim {number + 1} of {len(claims)}"
        verdicts[claim.name] = _judged(claim, choice(claim), bench, progress, part)
    return verdicts


def _judged(
    claim: Claim, kernels: Sequence[str], bench: Bench, progress: Progress, part: str = ""
) -> list[ClaimVerdict]:
    """The verdict of each kernel. These runs are many and short, so kernels are counted, not seconds."""
    verdicts: list[ClaimVerdict] = []

    def standing() -> ProgressOfRun:
        detail = f"{len(verdicts)} of {count(len(kernels), 'kernel')}"
        words = f"running the scenarios of {claim.name}{part and f', {part}'}"
        return ProgressOfRun(words, len(verdicts) / max(len(kernels), 1), detail)

    with progress.of(standing):
        for each in kernels:
            verdicts.append(bench.judge(claim, each))  # noqa: PERF401 - it is read while it grows
    return verdicts


def _but(own: Sequence[Claim], others: Sequence[Claim]) -> list[Claim]:
    """A claim of the user's own file takes the place of one that comes with the program."""
    names = {claim.name for claim in own}
    return [claim for claim in others if claim.name not in names]


def _choice(kernels: str | None) -> ChosenKernels:
    """Those asked for, whatever the claim is about; else the telling ones, or all, that it is about."""
    if kernels is None:
        return spoken_of
    if kernels == EVERY:
        return partial(spoken_of, generations=GENERATIONS)
    names = [generation(each.strip()).name for each in kernels.split(",")]
    return lambda _: names


def _claim(name: str, claims: Sequence[Claim]) -> Claim:
    found = {claim.name: claim for claim in claims}
    if name not in found:
        raise UsageError(f"there is no claim {name!r}; {did_you_mean(name, found)}")
    return found[name]


def _show_one(claim: Claim, choice: ChosenKernels) -> None:
    verdicts = _judged(claim, choice(claim), Bench(), Progress())
    show(claim_lines(claim, verdicts, width()))
    decisive = telling(verdicts) if verdicts else None
    if decisive is not None and decisive.runs:
        show(_packets(decisive))


def _some_of_all(kernels: str | None) -> Iterator[Line]:
    """That there are more kernels than those asked, where nobody chose them."""
    if kernels is None:
        words = (
            f"These are {len(KERNELS_OF_CLAIMS)} of {len(GENERATIONS)} kernels, those that differ most. To ask all of "
            "them: --generation all"
        )
        yield from (line(each, Role.QUIET) for each in textwrap.wrap(words, width()))


def _packets(verdict: ClaimVerdict) -> Iterator[Line]:
    """The ladder of the run that decided, and how its clients fared."""
    run = verdict.claim.runs[verdict.decisive]
    with patience(f"running the scenario of {verdict.claim.name} once more, on {verdict.generation}"):
        result = play_claim(verdict.claim, verdict.decisive, verdict.generation)
    title = f"{verdict.generation}: the claim {_VERB[verdict.outcome.value]}"
    facts = [f"run {run.name!r}, one of {len(verdict.claim.runs)}"] if run.name else []
    clients = dict.fromkeys(group.generation for group in run.scenario.clients if not group.raw)
    facts += [f"server {verdict.generation}", *(f"clients {each}" for each in clients)]
    facts.append(f"seed {run.scenario.seed}")
    yield ()
    heading = Heading(title, verdict_sentence(verdict), tuple(facts))
    yield from ladder_lines(result.record, heading, width(), hosts=result.hosts)
    yield ()
    yield line("How the clients fared", Role.TITLE)
    yield from client_outcome_lines(client_outcomes(result.record, result.starts, result.ended), width())


_VERB = {"holds": "holds", "fails": "fails", "unspecified": "is not decided"}


def _foot(example: str) -> list[Line]:
    words = f"Each verdict is that of a run in the kernel named; clients are {DEFAULT}. To see the packets:"
    return [
        (),
        *(line(each) for each in textwrap.wrap(words, width())),
        line(f"  tcpemu claims {example}", Role.QUIET),
    ]
