"""From a name or a file to a Scenario, or to everything that is wrong with it."""

import copy
import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path

from pydantic import ValidationError

from tcpemu.scenario.format import consistency, toml_text, validation_errors
from tcpemu.scenario.format.missing_sysctls import LeftOut, without_missing
from tcpemu.scenario.format.problems import Problem, ScenarioError, in_toml
from tcpemu.scenario.format.scenario_file import Scenario, Variant
from tcpemu.scenario.format.setting_paths import Document, put_all
from tcpemu.scenario.format.written_values import flat

BUILT_IN_SCENARIOS = (
    "handshake",
    "time-server",
    "listen-1-vs-5",
    "listen-0",
    "ignored-ack",
    "article",
    "ignored-ack-then-accept",
    "abort-on-overflow",
    "syn-dropped",
    "syn-flood",
    "accept-rate",
    "slow-start",
    "fast-retransmit",
    "lost-retransmission",
    "loss-burst",
    "time-out",
    "reno-cubic",
    "shared-bottleneck",
    "red-ecn",
    "nagle",
    "zero-window",
    "close-unread",
    "time-wait",
    "half-open",
    "path-mtu",
)
"""The scenarios that come with the program, in the order in which they teach."""


ITSELF = "as it stands"
"""The name of the run of a scenario itself, beside its one variant."""
MOST_TOLD = 100
"""Mistakes that are told one by one."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a scenario."""

    name: str
    """The name of the variant; empty for a scenario without variants, and all names of variants that are one here."""
    scenario: Scenario
    """Without variants."""
    left_out: tuple[LeftOut, ...] = ()
    """Sysctls that the scenario sets and the kernel it was given does not have."""
    variants: tuple[str, ...] = ()
    """The names of the variants that are one run here; empty where it is one variant's or nobody's."""
    given: tuple[str, ...] = ()
    """What was set beside the file, each as `server.backlog = 5`: not the seed and not the kernel, as those are told of
    any run."""


def load(name: str, settings: Mapping[str, object] | None = None) -> Scenario:
    """The built-in scenario of that name, or the one in that file, with these settings (see `setting_paths`).

    `{"server.backlog": 5, "net.ipv4.tcp_syncookies": 0}` changes those two. Raises ScenarioError with all mistakes at
    once, each with the line of the file where that can be told.
    """
    return from_file_text(text_of(name), name, settings)


def from_file_text(text: str, name: str, settings: Mapping[str, object] | None = None) -> Scenario:
    """The scenario of that text as `load` has it: mistakes have their lines. Raises ScenarioError."""
    try:
        return from_text(text, name, settings)
    except ScenarioError as error:
        raise ScenarioError(name, toml_text.with_lines(text, error.problems, settings or ())) from None


def from_text(text: str, source: str = "scenario", settings: Mapping[str, object] | None = None) -> Scenario:
    """The scenario that the text of a file says; `source` names it in mistakes. Raises ScenarioError."""
    return from_document(tables_of(text, source), source, settings)


def tables_of(text: str, source: str) -> Document:
    """The tables of a TOML text. Raises ScenarioError."""
    try:
        return toml_text.tables(text)
    except toml_text.TomlTextError as error:
        raise ScenarioError(source, [error.problem]) from None


def from_document(
    document: Document, source: str = "scenario", settings: Mapping[str, object] | None = None
) -> Scenario:
    """The scenario that tables say. Raises ScenarioError."""
    document = copy.deepcopy(document)
    problems = put_all(document, settings or {})
    _settle_variants(document, settings or {})
    scenario, wrong = _checked(document)
    problems += [*wrong, *_wrong_variants(document, wrong)]
    if scenario is None or problems:
        raise ScenarioError(source, problems)
    return scenario


def _checked(document: Document) -> tuple[Scenario | None, list[Problem]]:
    """The scenario, if its tables are sound, and all that is wrong with it."""
    try:
        scenario = Scenario.model_validate(document)
    except ValidationError as error:
        first, number = error.errors()[:MOST_TOLD], error.error_count()
        wrong = [problem for details in first for problem in validation_errors.told(details)]
        if number > MOST_TOLD:
            wrong.append(Problem("", f"{number - MOST_TOLD} more mistakes", "mend those above first"))
        return None, [*wrong, *_between_sound_parts(document, wrong)]
    return scenario, list(consistency.broken(scenario))


def to_document(scenario: Scenario) -> Document:
    """The tables that say the scenario, with what its author said and no more."""
    return scenario.model_dump(mode="json", by_alias=True, exclude_unset=True)


def runs(scenario: Scenario) -> tuple[Run, ...]:
    """The runs that the scenario asks for: one for each variant, or one of itself.

    A single variant has the scenario as it stands beside it.
    """
    if not scenario.variants:
        return (Run("", scenario),)
    document = to_document(scenario)
    itself = (Run(ITSELF, from_document(_plain(document))),) if len(scenario.variants) == 1 else ()
    return itself + tuple(Run(variant.name, _variant(document, variant)) for variant in scenario.variants)


def load_runs(name: str, settings: Mapping[str, object] | None = None) -> tuple[Run, ...]:
    """The runs of a scenario with these settings, without what the kernels that they choose do not have.

    Variants that differ in such a thing only are one run. Raises ScenarioError.
    """
    text = text_of(name)
    try:
        document, left_out = without_missing(tables_of(text, name), settings or {})
        found = runs(from_document(document, name, settings))
    except ScenarioError as error:
        raise ScenarioError(name, toml_text.with_lines(text, error.problems, settings or ())) from None
    given = given_words(settings or {})
    found = tuple(replace(each, given=given) for each in found)
    return tuple(_united(found, left_out)) if left_out else found


_TOLD_ANYWAY = frozenset({"seed", "server.generation", "about", "look_at"})


def given_words(settings: Mapping[str, object]) -> tuple[str, ...]:
    """Settings as a file would say them, but for those that are told of every run."""
    return tuple(f"{path} = {in_toml(value)}" for path, value in settings.items() if path not in _TOLD_ANYWAY)


def _united(found: Sequence[Run], left_out: Sequence[LeftOut]) -> Iterator[Run]:
    """The runs with what was left out of each; those that are the same without it as one."""
    alike: list[list[Run]] = []
    for each in found:
        same = next((group for group in alike if group[0].scenario == each.scenario), None)
        if same is None:
            alike.append([each])
        else:
            same.append(each)
    for group in alike:
        names = tuple(each.name for each in group)
        of_these = tuple(each for each in left_out if each.run in {"", *names})
        one = group[0]
        yield Run(" / ".join(names), one.scenario, of_these, names if len(names) > 1 else (), one.given)


def _variant(document: Document, variant: Variant) -> Scenario:
    return from_document(_plain(document), variant.name, variant.set)


def _plain(document: Document) -> Document:
    return {key: value for key, value in document.items() if key != "variants"}


def _wrong_variants(document: Document, already: Sequence[Problem]) -> Iterator[Problem]:
    """What becomes wrong only when a variant's settings are made."""
    for number, variant in enumerate(_variants(document)):
        changed = copy.deepcopy(_plain(document))
        problems = put_all(changed, variant["set"]) + _checked(changed)[1]
        for problem in problems:
            if problem not in already:
                place = problem.place if '"' in problem.place else f'"{problem.place}"'
                yield Problem(f"variants[{number}].set.{place}", problem.what, problem.mend)


def _variants(document: Document) -> list[Document]:
    """The variants as far as they are tables with settings; in place of others an empty one."""
    variants = document.get("variants")
    return [
        {"set": flat(variant["set"])}
        if isinstance(variant, dict) and isinstance(variant.get("set"), dict)
        else {"set": {}}
        for variant in (variants if isinstance(variants, list) else [])
    ]


def _settle_variants(document: Document, settings: Mapping[str, object]) -> None:
    """Let settings from outside hold in every variant, also where the variant says otherwise."""
    for number, variant in enumerate(_variants(document)):
        if variant["set"]:
            document["variants"][number]["set"] = {**variant["set"], **settings}


def _between_sound_parts(document: Document, problems: Sequence[Problem]) -> list[Problem]:
    """What is wrong between tables, in spite of mistakes inside some of them.

    The parts with mistakes are put aside, what is left is checked, and nothing is said of what was put aside.
    """
    aside = {_part(problem.place) for problem in problems}
    try:
        scenario = Scenario.model_validate(_with_stand_ins(document, aside))
    except ValidationError:
        return []
    return [problem for problem in consistency.broken(scenario) if _part(problem.place) not in aside]


def _part(place: str) -> str:
    """The table of the file, or the entry of a list of tables, that the place is in."""
    match = re.match(r"\w+(\[[0-9]+\])?", place)
    return match[0] if match else ""


def _with_stand_ins(document: Document, aside: Iterable[str]) -> Document:
    whole: Document = {"title": ""}
    for key, value in document.items():
        if isinstance(value, list):
            whole[key] = [
                _stand_in(key, number) if f"{key}[{number}]" in aside else entry
                for number, entry in enumerate(value)
            ]
        elif key not in aside:
            whole[key] = value
    return whole


def _stand_in(key: str, number: int) -> Document:
    name = f"put-aside-{number}"
    return {"name": name} if key == "clients" else {"name": name, "set": {}}


MOST_NEAR = 3
"""Built-in scenarios that are named where one is asked for that there is not."""


def _nearest(name: str) -> str:
    """Which built-in scenarios may have been meant: those written alike, or those that have a word of it in theirs."""
    asked = name.lower()
    words = [word for word in re.split(r"[\W_]+", asked) if len(word) >= _LEAST_WORD]
    near = (
        difflib.get_close_matches(asked, BUILT_IN_SCENARIOS, 1, _A_SLIP)
        or [known for known in BUILT_IN_SCENARIOS if any(word in known for word in words)][:MOST_NEAR]
        or difflib.get_close_matches(asked, BUILT_IN_SCENARIOS, 1)
    )
    return f"did you mean {' or '.join(map(repr, near))}?" if near else "tcpemu list shows all that there are"


_LEAST_WORD, _A_SLIP = 3, 0.8
"""Letters of a word that says something, and how alike two names are that differ by a slip of the pen."""


def text_of(name: str) -> str:
    """The text of a built-in scenario or of a file. Raises ScenarioError."""
    if name in BUILT_IN_SCENARIOS:
        return resources.files("tcpemu.scenario").joinpath("builtin", f"{name}.toml").read_text("utf-8")
    if not name:
        raise ScenarioError(
            "''", [Problem("", "an empty name", "name a scenario (see tcpemu list) or a file")]
        )
    path = Path(name)
    if not path.exists() and path.suffix != ".toml":
        what = f"there is no built-in scenario and no file {name!r}"
        raise ScenarioError(name, [Problem("", what, _nearest(name))])
    return toml_text.file_text(path, name)
