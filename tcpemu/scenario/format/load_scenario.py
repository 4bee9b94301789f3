"""From a name or a file to a Scenario, or to everything that is wrong with it."""

import copy
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from importlib import resources
from pathlib import Path

from pydantic import ValidationError

from tcpemu.scenario.format import consistency, validation_errors
from tcpemu.scenario.format.missing_sysctls import LeftOut, without_missing
from tcpemu.scenario.format.problems import Problem, ScenarioError, did_you_mean
from tcpemu.scenario.format.scenario_file import Scenario, Variant
from tcpemu.scenario.format.setting_paths import Document, put_all
from tcpemu.scenario.format.written_values import flat
from tcpemu.wire.capture_file import is_capture

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
)
"""The scenarios that come with the program, in the order in which they teach."""


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


def load(name: str, settings: Mapping[str, object] | None = None) -> Scenario:
    """The built-in scenario of that name, or the one in that file, with these settings (see `setting_paths`).

    `{"server.backlog": 5, "net.ipv4.tcp_syncookies": 0}` changes those two. Raises ScenarioError with all mistakes at
    once.
    """
    return from_text(_text(name), name, settings)


def from_text(text: str, source: str = "scenario", settings: Mapping[str, object] | None = None) -> Scenario:
    """The scenario that the text of a file says; `source` names it in mistakes. Raises ScenarioError."""
    return from_document(tables_of(text, source), source, settings)


def tables_of(text: str, source: str) -> Document:
    """The tables of a TOML text. Raises ScenarioError."""
    try:
        return tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(source, [_syntax_problem(error)]) from None
    except RecursionError:
        raise ScenarioError(source, [Problem("", "nested too deeply", "give tables and lists")]) from None


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
        wrong = [problem for details in error.errors() for problem in validation_errors.told(details)]
        return None, [*wrong, *_between_sound_parts(document, wrong)]
    return scenario, list(consistency.broken(scenario))


def to_document(scenario: Scenario) -> Document:
    """The tables that say the scenario, with what its author said and no more."""
    return scenario.model_dump(mode="json", by_alias=True, exclude_unset=True)


def runs(scenario: Scenario) -> tuple[Run, ...]:
    """The runs that the scenario asks for: one for each variant, or one of itself."""
    if not scenario.variants:
        return (Run("", scenario),)
    document = to_document(scenario)
    return tuple(Run(variant.name, _variant(document, variant)) for variant in scenario.variants)


def load_runs(name: str, settings: Mapping[str, object] | None = None) -> tuple[Run, ...]:
    """The runs of a scenario with these settings, without what the kernels that they choose do not have.

    Variants that differ in such a thing only are one run. Raises ScenarioError.
    """
    document, left_out = without_missing(tables_of(_text(name), name), settings or {})
    found = runs(from_document(document, name, settings))
    return tuple(_united(found, left_out)) if left_out else found


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
        yield Run(" / ".join(names), group[0].scenario, of_these, names if len(names) > 1 else ())


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


def _syntax_problem(error: tomllib.TOMLDecodeError) -> Problem:
    """A file that is not TOML: its line and column, which `tomllib` has in its message alone (before Python 3.14)."""
    text = str(error)
    match = re.fullmatch(r"(.*?) \(at (?:line ([0-9]+), column ([0-9]+)|end of document)\)", text, re.DOTALL)
    if match is None:
        return Problem("", text, "")
    place = f"line {match[2]}, column {match[3]}" if match[2] else "end of file"
    return Problem(place, match[1], "this is not TOML: https://toml.io")


def _text(name: str) -> str:
    if name in BUILT_IN_SCENARIOS:
        return resources.files("tcpemu.scenario").joinpath("builtin", f"{name}.toml").read_text("utf-8")
    path = Path(name)
    if not path.exists() and path.suffix != ".toml":
        what = f"there is no built-in scenario and no file {name!r}"
        raise ScenarioError(name, [Problem("", what, did_you_mean(name, BUILT_IN_SCENARIOS))])
    try:
        octets = path.read_bytes()
        if is_capture(octets):
            mend = f"to see what became of one of its packets: tcpemu explain {name} --frame 1"
            raise ScenarioError(name, [Problem("", "this is a capture, not a scenario", mend)])
        return octets.decode("utf-8")
    except OSError as error:
        raise ScenarioError(name, [Problem("", f"cannot be read: {error.strerror}", "")]) from None
    except UnicodeDecodeError as error:
        problem = Problem(f"octet {error.start}", "not UTF-8", "save the file as UTF-8")
        raise ScenarioError(name, [problem]) from None
