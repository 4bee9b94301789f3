"""Claims and their verdicts, grouped so that kernels of one mind stand together."""

import string
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction

from tcpemu.explain.lines.style import Line, Role, Span, line
from tcpemu.explain.lines.time_words import span_words
from tcpemu.scenario.claims.claim_file import ClaimTable
from tcpemu.scenario.claims.load_claims import Claim
from tcpemu.scenario.claims.measure import MEASURES, Measures
from tcpemu.scenario.claims.verdicts import ClaimOutcome, ClaimVerdict

_ROLES = {ClaimOutcome.HOLDS: Role.STATE, ClaimOutcome.FAILS: Role.LOST, ClaimOutcome.UNSPECIFIED: Role.QUIET}
_WORDS = {
    ClaimOutcome.HOLDS: "holds",
    ClaimOutcome.FAILS: "fails",
    ClaimOutcome.UNSPECIFIED: "cannot be tested",
}
_VERDICT = max(map(len, _WORDS.values()))
_TIMES = frozenset({"repeats_at", "given_up_after", "client_sees_after", "round_trip"})
_NONE = "none"


def claim_lines(claim: Claim, verdicts: Sequence[ClaimVerdict], width: int = 100) -> Iterator[Line]:
    """One claim: what it says, who says so, and in which kernels it holds, fails or says nothing."""
    table = claim.table
    yield line(table.name, Role.TITLE)
    yield from (line(f"  {each}") for each in textwrap.wrap(table.claim, width - 2))
    yield from (line(f"  {each}", Role.QUIET) for each in textwrap.wrap(f"({table.source})", width - 2))
    for tolerance in dict.fromkeys(_tolerances(table)):
        yield from (line(f"  {each}", Role.QUIET) for each in textwrap.wrap(tolerance, width - 2))
    for outcome in ClaimOutcome:
        yield from _outcome_lines(outcome, [each for each in verdicts if each.outcome is outcome], width)


def _tolerances(table: ClaimTable) -> Iterator[str]:
    """How far from what the claim says a measure may be."""
    for checks in table.holds_when:
        if checks.rate is not None:
            yield f"tolerance: a rate holds within {float(checks.rate.within):.0%} of the formula"
        if checks.repeats_at is not None or checks.given_up_after is not None:
            yield f"tolerance: a time holds within {span_words(checks.within)} of the one claimed"


def _outcome_lines(outcome: ClaimOutcome, verdicts: Sequence[ClaimVerdict], width: int) -> Iterator[Line]:
    head = Span(f"  {_WORDS[outcome]:<{_VERDICT}}  ", _ROLES[outcome])
    for words, kernels in _grouped(verdicts).items():
        whole = kernel_names(kernels) + (f": {words}" if words else "")
        for each in textwrap.wrap(whole, width - len(head.text), break_on_hyphens=False):
            yield head, Span(each)
            head = Span(" " * len(head.text))


def _grouped(verdicts: Iterable[ClaimVerdict]) -> dict[str, list[str]]:
    """Kernels by the sentence that is said of them."""
    groups: dict[str, list[str]] = {}
    for verdict in verdicts:
        groups.setdefault(verdict_sentence(verdict), []).append(verdict.generation)
    return groups


def kernel_names(names: Iterable[str]) -> str:
    """`linux-2.2, 2.4, bsd-4.4`: a family is named once."""
    shown, family = [], ""
    for name in names:
        before, _, version = name.partition("-")
        shown.append(version if before == family else name)
        family = before
    return ", ".join(shown)


def verdict_sentence(verdict: ClaimVerdict) -> str:
    """What is said of a verdict, with what was measured. A claim without words tells what was measured."""
    if not verdict.runs:
        return verdict.say
    template = verdict.say or _plain_template(verdict.claim.table)
    names = {name for _, name, _, _ in string.Formatter().parse(template) if name}
    return template.format_map({name: _values(name, verdict.runs) for name in names})


def _plain_template(table: ClaimTable) -> str:
    """The measures that the claim's checks are about."""
    checked = {name for checks in table.holds_when for name in checks.measures}
    return ", ".join(f"{name} {{{name}}}" for name in MEASURES if name in checked)


def _values(name: str, runs: Sequence[Measures]) -> str:
    """The value in every run, or the one value that all runs have."""
    values = dict.fromkeys(_value(name, getattr(run, name)) for run in runs)
    *first, last = values if len(values) == 1 else [_value(name, getattr(run, name)) for run in runs]
    return f"{', '.join(first)} and {last}" if first else last


def _value(name: str, value: object) -> str:
    match value:
        case None:
            return _NONE
        case bool():
            return "yes" if value else "no"
        case tuple():
            return ", ".join(_value(name, each) for each in value) or _NONE
        case Fraction():
            return f"{float(value):.0f}"
        case int() if name in _TIMES:
            return span_words(value)
        case int():
            return f"{value:,}"
        case _:
            return str(value)
