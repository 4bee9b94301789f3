"""From a folder, or a name, to a Lab without mistakes in its files."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from pydantic import ValidationError

from tcpemu.lab.format.lab_error import LabError, raise_all
from tcpemu.lab.format.lab_file import LabFile, Question
from tcpemu.scenario.format import toml_text, validation_errors
from tcpemu.scenario.format.load_scenario import (
    BUILT_IN_SCENARIOS,
    from_document,
    load,
    tables_of,
    to_document,
)
from tcpemu.scenario.format.problems import Problem, ScenarioError, did_you_mean
from tcpemu.scenario.format.setting_paths import Document

BUILT_IN_LABS = ("listen-queues", "ignored-final-ack", "syn-flood", "retransmission", "closing")
"""The labs that come with the program, in the order in which they teach."""
LAB_FILE, LESSON_FILE = "lab.toml", "lesson.md"
LARGEST = 2**20
"""Octets of a file in a lab's folder."""
_PLAIN = ".txt"
"""`client.py.txt` counts as `client.py`: so a program of a lab is no module of the package that it lies in."""


@dataclass(frozen=True, slots=True)
class Lab:
    """A lab whose files are sound. What its queries give is known once a variant is drawn."""

    name: str
    file: LabFile
    scenario: Document
    """The tables of its scenario, before anything is drawn."""
    files: Mapping[str, str]
    """All files of its folder by their names: texts."""

    @property
    def lesson(self) -> str:
        """Its lesson page, in Markdown; empty if it has none."""
        return self.files.get(LESSON_FILE, "")

    @property
    def points(self) -> float:
        """Of all questions."""
        return float(sum(question.points for question in self.file.questions))


def load_lab(name: str) -> Lab:
    """The lab of that name, or the one in that folder. Raises LabError with all mistakes at once."""
    folder, called = _folder(name)
    files = dict(_texts(folder, name))
    if LAB_FILE not in files:
        raise LabError(name, f"there is no {LAB_FILE} in it", "tcpemu lab new FOLDER makes one to begin with")
    file = _lab_file(files[LAB_FILE], f"{called}/{LAB_FILE}")
    document = _scenario(file.scenario, files, called)
    lab = Lab(called, file, document, files)
    raise_all(f"{called}/{LAB_FILE}", _missing_files(lab))
    return lab


def _folder(name: str) -> tuple[Traversable, str]:
    if name in BUILT_IN_LABS:
        return resources.files("tcpemu.lab").joinpath("builtin", name), name
    path = Path(name)
    if not name or not path.is_dir():
        raise LabError(
            name or "''", "there is no lab and no folder of this name", did_you_mean(name, BUILT_IN_LABS)
        )
    return path, path.resolve().name


def _texts(folder: Traversable, name: str) -> Iterator[tuple[str, str]]:
    for entry in sorted(folder.iterdir(), key=lambda each: each.name):
        if not entry.is_file() or entry.name.startswith("."):
            continue
        octets = entry.read_bytes()
        if len(octets) > LARGEST:
            raise LabError(f"{name}/{entry.name}", f"{len(octets)} octets", f"at most {LARGEST}")
        try:
            yield entry.name.removesuffix(_PLAIN), octets.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            place = f"octet {error.start}"
            raise LabError(f"{name}/{entry.name}", "not UTF-8", "a lab is made of texts", place) from None


def _lab_file(text: str, source: str) -> LabFile:
    try:
        return LabFile.model_validate(toml_text.tables(text))
    except toml_text.TomlTextError as error:
        raise LabError(source, problems=[error.problem]) from None
    except ValidationError as error:
        told = [problem for each in error.errors() for problem in validation_errors.told(each, LabFile)]
        raise LabError(source, problems=toml_text.with_lines(text, told)) from None


def _scenario(wanted: str, files: Mapping[str, str], called: str) -> Document:
    if wanted in files:
        return checked_scenario(files[wanted], f"{called}/{wanted}")
    if wanted in BUILT_IN_SCENARIOS:
        return {key: value for key, value in to_document(load(wanted)).items() if key != "variants"}
    hint = did_you_mean(wanted, [*(name for name in files if name.endswith(".toml")), *BUILT_IN_SCENARIOS])
    raise LabError(f"{called}/{LAB_FILE}", f"there is no scenario {wanted!r}", hint, "scenario")


def checked_scenario(text: str, source: str) -> Document:
    """The tables of a scenario without variants. Raises LabError with all mistakes at once."""
    try:
        document = tables_of(text, source)
        from_document(document, source)
    except ScenarioError as error:
        raise LabError(source, problems=toml_text.with_lines(text, error.problems)) from None
    if "variants" in document:
        raise LabError(source, "it has variants", "a lab has one run for each student", "variants")
    return document


def _missing_files(lab: Lab) -> Iterator[Problem]:
    for number, question in enumerate(lab.file.questions):
        for key, name in _files_of(question):
            if name not in lab.files:
                mend = did_you_mean(name, [each for each in lab.files if each != LAB_FILE])
                yield Problem(f"questions[{number}].{key}", f"there is no file {name!r}", mend)


def _files_of(question: Question) -> Iterator[tuple[str, str]]:
    if question.solution is not None:
        yield "solution", question.solution
    if question.kind == "scenario" and question.file is not None:
        yield "file", question.file
    for number, peer in enumerate(question.peers):
        yield f"peers[{number}].program", peer.program.split()[0]
