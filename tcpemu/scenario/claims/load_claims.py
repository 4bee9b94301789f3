"""From files to claims, or to everything that is wrong with them."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tcpemu.scenario.claims.claim_file import Checks, ClaimTable, Saying
from tcpemu.scenario.format import load_scenario, validation_errors
from tcpemu.scenario.format.load_scenario import BUILT_IN_SCENARIOS as SCENARIOS
from tcpemu.scenario.format.problems import Problem, ScenarioError, did_you_mean, in_toml
from tcpemu.scenario.format.scenario_file import Scenario
from tcpemu.scenario.format.setting_paths import Document
from tcpemu.scenario.format.toml_text import file_text
from tcpemu.scenario.format.written_values import flat

BUILT_IN_CLAIMS = ("backlog", "full-queue", "overflow", "rate")
"""The files that come with the program, in the order in which they teach."""

_KEYS = ("claims", "scenarios")


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim and its scenario, both without mistakes."""

    table: ClaimTable
    scenario: Scenario
    runs: tuple[load_scenario.Run, ...]
    keys: tuple[str, ...]
    """For each run, a text that is the same where another claim's run is the same."""

    @property
    def name(self) -> str:
        return self.table.name

    def is_about(self, generation: str) -> bool:
        """Whether the claim speaks of that kernel."""
        return not self.table.about or any(fnmatch(generation, each) for each in self.table.about)


def built_in() -> list[Claim]:
    """The claims that come with the program."""
    folder = resources.files("tcpemu.scenario.claims").joinpath("builtin")
    return [
        claim
        for name in BUILT_IN_CLAIMS
        for claim in claims_from_text(folder.joinpath(f"{name}.toml").read_text("utf-8"), f"{name}.toml")
    ]


def from_file(path: Path) -> list[Claim]:
    """The claims of a file. Raises ScenarioError with all mistakes at once."""
    return claims_from_text(file_text(path, str(path)), str(path))


def claims_from_text(text: str, source: str = "claims") -> list[Claim]:
    """The claims that the text of a file says; `source` names it in mistakes. Raises ScenarioError."""
    reader = _Reader(load_scenario.tables_of(text, source))
    claims = list(reader.claims())
    if reader.problems:
        raise ScenarioError(source, reader.problems)
    return claims


class _Reader:
    """Reads one file, and goes on after a mistake."""

    def __init__(self, document: Document) -> None:
        self.problems = [
            Problem(key, "unknown key", did_you_mean(key, _KEYS)) for key in document if key not in _KEYS
        ]
        self._scenarios = self._named(document.get("scenarios", {}))
        self._entries = self._listed(document.get("claims"))

    def _named(self, scenarios: object) -> dict[str, Document]:
        """The scenarios that several claims may use; their own mistakes are told once, here."""
        if not isinstance(scenarios, dict) or not all(isinstance(each, dict) for each in scenarios.values()):
            what = f"found {in_toml(scenarios)}"
            self.problems.append(Problem("scenarios", what, "write [scenarios.NAME] for each"))
            return {}
        for name, document in scenarios.items():
            try:
                load_scenario.from_document({"title": "", **document})
            except ScenarioError as error:
                self.problems += [_below(f"scenarios.{name}", each) for each in error.problems]
        return scenarios

    def _listed(self, entries: object) -> Sequence[object]:
        if isinstance(entries, list) and entries:
            return entries
        found = "missing" if entries is None else f"found {in_toml(entries)}"
        self.problems.append(Problem("claims", found, "write [[claims]] for each claim"))
        return []

    def claims(self) -> Iterator[Claim]:
        """The claims without mistakes, one after the other."""
        names: Counter[str] = Counter()
        for number, entry in enumerate(self._entries):
            place = f"claims[{number}]"
            table, wrong = _table(entry)
            scenario = self._scenario(place, entry)
            self.problems += [_below(place, each) for each in wrong]
            if table is None:
                continue
            names[table.name] += 1
            if names[table.name] > 1:
                what = f'found "{table.name}", which another claim has already'
                self.problems.append(Problem(f"{place}.name", what, "give another name"))
            if scenario is not None:
                claim = _claim(table, scenario)
                self.problems += [_below(place, each) for each in _crossed(claim)]
                yield claim

    def _scenario(self, place: str, entry: object) -> Scenario | None:
        """The claim's scenario with its settings and variants, if there is nothing wrong with it."""
        document = self._document(place, entry)
        if document is None or not isinstance(entry, dict):
            return None
        own = {"variants": entry["variants"]} if "variants" in entry else {}
        document = {"title": str(entry.get("claim", "")), **document, **own}
        try:
            return load_scenario.from_document(document, "", _settings(entry.get("settings", {})))
        except ScenarioError as error:
            told = (self._placed(place, entry, problem) for problem in error.problems)
            self.problems += [problem for problem in told if problem is not None]
            return None

    def _placed(self, place: str, entry: Document, problem: Problem) -> Problem | None:
        """The mistake where it stands in the file; None for one of a shared scenario, which is told there."""
        if problem.place.startswith("variants") and "variants" in entry:
            return _below(place, problem)
        if isinstance(entry["scenario"], dict):
            return _below(f"{place}.scenario", problem)
        if _below(f"scenarios.{entry['scenario']}", problem) in self.problems:
            return None
        return _below(f"{place}.settings", problem)

    def _document(self, place: str, entry: object) -> Document | None:
        """The tables of the scenario that the claim names or holds."""
        wanted = entry.get("scenario") if isinstance(entry, dict) else None
        if isinstance(wanted, dict):
            return wanted
        if not isinstance(wanted, str):
            return None
        if wanted in self._scenarios:
            return self._scenarios[wanted]
        if wanted in SCENARIOS:
            return load_scenario.to_document(load_scenario.load(wanted))
        known = [*self._scenarios, *SCENARIOS]
        what = f"there is no scenario {wanted!r}"
        self.problems.append(Problem(f"{place}.scenario", what, did_you_mean(wanted, known)))
        return None


def _claim(table: ClaimTable, scenario: Scenario) -> Claim:
    runs = load_scenario.runs(scenario)
    return Claim(table, scenario, runs, tuple(run.name + _behaviour(run.scenario) for run in runs))


def _behaviour(scenario: Scenario) -> str:
    """All of the scenario but its words."""
    return scenario.model_dump_json(by_alias=True, exclude={"title", "about", "look_at"})


def _settings(settings: object) -> dict[str, Any]:
    """The settings by their full names; none, where they are no table, which is told elsewhere."""
    found = flat(settings)
    return found if isinstance(found, dict) else {}


def _table(entry: object) -> tuple[ClaimTable | None, list[Problem]]:
    try:
        return ClaimTable.model_validate(entry), []
    except ValidationError as error:
        told = (problem for each in error.errors() for problem in validation_errors.told(each, ClaimTable))
        return None, [_as_written(entry, problem) for problem in told]


def _as_written(entry: object, problem: Problem) -> Problem:
    """One table or text may stand for a list of one: then the file has no [0], nor a `say`."""
    key, number, rest = problem.place.partition("[0]")
    if not number or not isinstance(entry, dict) or isinstance(entry.get(key), list):
        return problem
    return replace(problem, place=key + ("" if rest == ".say" else rest))


def _below(place: str, problem: Problem) -> Problem:
    return replace(problem, place=_joined(place, problem.place))


def _joined(above: str, place: str) -> str:
    return f"{above}.{place}" if place and not place.startswith("[") else above + place


# ---------------------------------------------------------------------------------- between tables


def _crossed(claim: Claim) -> Iterator[Problem]:
    """What must hold between a claim, its scenario and what the program knows."""
    groups = [group.name for group in claim.scenario.clients]
    if claim.table.client and claim.table.client not in groups:
        mend = f"must be a group of the scenario; {did_you_mean(claim.table.client, groups)}"
        yield Problem("client", f'found "{claim.table.client}"', mend)
    runs = [run.name for run in claim.runs]
    for place, checks in _all_checks(claim.table):
        if checks.run is not None and checks.run not in runs:
            mend = f"the scenario has {', '.join(map(in_toml, runs))}" if any(runs) else "it has only one run"
            yield Problem(f"{place}.run", f"found {in_toml(checks.run)}", mend)
        if (checks.same or checks.differs) and len(runs) == 1:
            yield Problem(place, "a comparison of runs", "the scenario has only one; give it variants")


def _all_checks(table: ClaimTable) -> Iterator[tuple[str, Checks]]:
    yield from _placed("given", table.given)
    yield from _placed("holds_when", table.holds_when)
    for key in ("holds", "fails", "unspecified"):
        sayings: tuple[Saying, ...] = getattr(table, key)
        for number, saying in enumerate(sayings):
            yield from _placed(f"{key}[{number}].when", saying.when)


def _placed(place: str, checks: Sequence[Checks]) -> Iterator[tuple[str, Checks]]:
    if len(checks) == 1:
        yield place, checks[0]
        return
    for number, each in enumerate(checks):
        yield f"{place}[{number}]", each
