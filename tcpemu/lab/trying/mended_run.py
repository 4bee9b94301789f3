"""A scenario that was mended: what was changed, and whether it does now what it should."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tcpemu.explain.capture.seen_by import SeenBy
from tcpemu.lab.asking.fact_base import Value
from tcpemu.lab.format.lab_file import Measured
from tcpemu.lab.trying.goals import Attempt, judged
from tcpemu.lab.trying.lab_run import about_figures, facts_of, run_to_end
from tcpemu.scenario.format.load_scenario import from_document, tables_of
from tcpemu.scenario.format.problems import ScenarioError, in_toml

MOST_SAID = 5
"""Mistakes, and changes that are not allowed, of which each is told."""


@dataclass(frozen=True, slots=True)
class MendingTask:
    """What is wanted of whoever mends a scenario."""

    start: str
    """The scenario as it was given to the student."""
    may_change: tuple[str, ...]
    goals: tuple[Measured, ...]
    known: Mapping[str, Value]


def try_mended(task: MendingTask, text: str, source: str) -> Attempt:
    """What comes of a scenario that is handed in under that name."""
    try:
        document = tables_of(text, source)
        scenario = from_document(document, source)
    except ScenarioError as error:
        told = [str(problem) for problem in error.problems[:MOST_SAID]]
        return Attempt((), tuple(f"{source}: {each}" for each in told))
    forbidden = list(changed_settings(tables_of(task.start, source), document, task.may_change))
    if forbidden:
        allowed = ", ".join(task.may_change)
        told = [f"{source}: {each} was changed; only {allowed} may be" for each in forbidden[:MOST_SAID]]
        return Attempt((), tuple(told))
    result = run_to_end(scenario, figures=about_figures(goal.value for goal in task.goals))
    facts = facts_of(result, SeenBy.SERVER)
    try:
        return judged(facts, task.goals, task.known)
    finally:
        facts.close()


def changed_settings(
    before: Mapping[str, Any], after: Mapping[str, Any], may_change: Sequence[str]
) -> Iterator[str]:
    """What differs between two scenarios and may not: `server.accept.never: true`. Words for people may."""
    old, new = dict(_flat(before)), dict(_flat(after))
    for path in sorted(old.keys() | new.keys()):
        if path in ("title", "about", "look_at") or old.get(path) == new.get(path):
            continue
        if not any(_allows(pattern, path) for pattern in may_change):
            yield f"{path} = {in_toml(new[path])}" if path in new else f"{path} (it is gone)"


def _flat(value: object, above: str = "") -> Iterator[tuple[str, object]]:
    """Every setting with its path: an entry of a list by its name, if it has one, else by its number."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flat(inner, f"{above}.{key}" if above else str(key))
    elif isinstance(value, list | tuple):
        for number, inner in enumerate(value):
            name = inner.get("name") if isinstance(inner, Mapping) else None
            yield from _flat(inner, f"{above}.{name}" if isinstance(name, str) else f"{above}[{number}]")
        yield f"{above}, how many", len(value)
    else:
        yield above, value


def _allows(pattern: str, path: str) -> bool:
    """Whether a setting may be changed: `server.backlog`, or all below `server.sysctls.*`."""
    if pattern.startswith("net."):
        pattern = f"server.sysctls.{pattern}"
    if pattern.endswith(".*"):
        pattern = pattern[:-2]
        return path.startswith((f"{pattern}.", f"{pattern}[", f"{pattern},"))
    return path == pattern or path.startswith((f"{pattern}[", f"{pattern},"))
