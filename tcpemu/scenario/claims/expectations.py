"""What a claim expects of runs, held against what they came to."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from tcpemu.scenario.claims.claim_file import NO_MEASURE, Checks, Range, RateCheck
from tcpemu.scenario.claims.measure import Measures

_Rule = Callable[[Checks, Any, Measures], bool]


def all_hold(checks: Sequence[Checks], runs: Sequence[Measures]) -> bool:
    """Whether all of it is true of the runs."""
    return failing(checks, runs) is None


def failing(checks: Sequence[Checks], runs: Sequence[Measures]) -> int | None:
    """Which run is the first of which something is not true; None if all is true."""
    return next(_failing(checks, runs), None)


def _failing(checks: Sequence[Checks], runs: Sequence[Measures]) -> Iterator[int]:
    for number, run in enumerate(runs):
        if not all(_of_run(each, run) for each in checks if each.run in {None, run.name}):
            yield number
    if not all(_between(each, runs) for each in checks):
        yield 0


def _of_run(checks: Checks, run: Measures) -> bool:
    given = ((name, getattr(checks, name)) for name in sorted(checks.model_fields_set))
    return all(_rule_of(name)(checks, value, run) for name, value in given if name not in NO_MEASURE)


def _between(checks: Checks, runs: Sequence[Measures]) -> bool:
    """What `same` and `differs` say of all runs together."""
    alike = all(not _differs(name, runs) for name in checks.same or ())
    return alike and all(_differs(name, runs) for name in checks.differs or ())


def _differs(name: str, runs: Sequence[Measures]) -> bool:
    return len({getattr(run, name) for run in runs}) > 1


def _rule_of(name: str) -> _Rule:
    return _RULES.get(name) or _measured(name)


def _measured(name: str) -> _Rule:
    """The measure of that name lies in the range, or is the value."""

    def rule(_: Checks, expected: Any, run: Measures) -> bool:
        measured = getattr(run, name)
        return expected.holds(measured) if isinstance(expected, Range) else bool(measured == expected)

    return rule


def _queued_as_asked(_: Checks, expected: bool, run: Measures) -> bool:
    return (run.queued == run.asked) == expected


def _repeats_at(checks: Checks, expected: tuple[int, ...], run: Measures) -> bool:
    """As many repeats, each near its time."""
    pairs = zip(expected, run.repeats_at, strict=False)
    return len(expected) == run.repeats and all(abs(a - b) <= checks.within for a, b in pairs)


def _given_up_after(checks: Checks, expected: int, run: Measures) -> bool:
    return run.given_up_after is not None and abs(expected - run.given_up_after) <= checks.within


def _rst_answers(_: Checks, expected: tuple[str, ...], run: Measures) -> bool:
    return run.rst_answers in expected if run.rst_answers else not expected


def _rate(_: Checks, expected: RateCheck, run: Measures) -> bool:
    formula = run.backlog_rate if expected.queue == "backlog" else run.places_rate
    return bool(formula) and abs(run.accept_rate / formula - 1) <= expected.within


_RULES: dict[str, _Rule] = {
    "queued_as_asked": _queued_as_asked,
    "repeats_at": _repeats_at,
    "given_up_after": _given_up_after,
    "rst_answers": _rst_answers,
    "rate": _rate,
}
"""Checks that are more than a measure that has a value."""
