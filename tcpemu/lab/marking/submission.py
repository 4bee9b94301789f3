"""Folders and files with answers, and whose they are."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tcpemu.lab.drawing.key_file import KEY_FILE, KeyFile, StudentKey
from tcpemu.lab.format.lab_error import LabError
from tcpemu.lab.marking.answers_text import AnswersTextError, answers_text, line_by_line
from tcpemu.lab.pages.handout_page import ANSWERS_FILE
from tcpemu.scenario.format.problems import ScenarioError, did_you_mean
from tcpemu.scenario.format.toml_text import TomlTextError, tables

TEACHER = "teacher"
"""The folder beside those of students, where the key is."""
LARGEST = 2**20
"""Octets of a file that is handed in."""


@dataclass(slots=True)
class Submission:
    """What one student handed in."""

    path: Path
    """The file of answers; it need not be there."""
    student: StudentKey | None = None
    """Whose it is; None for nobody's."""
    answers: Mapping[str, object] = field(default_factory=dict)
    """By the names of questions, as they were written."""
    problems: list[str] = field(default_factory=list)
    """What is wrong with it."""
    refused: bool = False
    """Whether no answer of it can be marked; `problems` say why."""
    modified: int = 0
    """When its file was modified, in ns of the machine's clock; of several files, the newest."""

    def rank(self) -> tuple[bool, bool, int, str]:
        """By this the last of several is the one that counts: with answers, then the latest, then the last by name."""
        return not self.refused, self.path.is_file(), self.modified, str(self.path)

    @property
    def folder(self) -> Path:
        """Where further files are."""
        return self.path.parent


def find_key(place: Path, given: Path | None) -> Path:
    """The file of the key: as given, or in a folder `teacher` of the place or of one above it. Raises LabError."""
    if given is not None:
        return given
    start = place.resolve()
    for folder in (start, *start.parents):
        found = folder / TEACHER / KEY_FILE
        if found.is_file():
            return found
    raise LabError(
        str(place),
        f"there is no {TEACHER}/{KEY_FILE} here or above",
        "say where it is: --key DIR/teacher/key.json",
    )


def submissions(place: Path, key: KeyFile) -> list[Submission]:
    """Everything handed in at that place: a file of answers, or a folder with such, at any depth. Raises LabError."""
    if not place.exists():
        raise LabError(str(place), "there is no such file or folder")
    paths = [place] if place.is_file() else sorted(_answer_files(place))
    found = [_read(path, key) for path in paths]
    if place.is_dir():
        found += _without_answers(place, key, {each.folder.resolve() for each in found})
        if found:
            found += _packed(place, key, {each.folder.resolve() for each in found})
    if not found:
        packed = next(iter(_archives(place)), None)
        mend = f"unpack {packed} first" if packed else f"what students hand in has a file {ANSWERS_FILE}"
        raise LabError(str(place), f"there is no {ANSWERS_FILE} in it", mend)
    return found


def _answer_files(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*.toml"):
        if path.name.lower().endswith(ANSWERS_FILE) and TEACHER not in path.relative_to(folder).parts:
            yield path


def _without_answers(place: Path, key: KeyFile, known: set[Path]) -> Iterator[Submission]:
    """Students who handed in files of other questions and no file of answers."""
    wanted = {question.file for question in key.questions if question.file}
    for folder in sorted({path.parent for name in wanted for path in place.rglob(name)}):
        if TEACHER in folder.relative_to(place).parts or folder.resolve() in known:
            continue
        student = _named(folder / ANSWERS_FILE, key)
        if student is not None:
            problem = f"{folder}: there is no {ANSWERS_FILE} in it"
            times = [_modified(folder / name) for name in wanted]
            yield Submission(folder / ANSWERS_FILE, student, problems=[problem], modified=max(times))


def _archives(place: Path) -> list[Path]:
    found = [path for path in place.rglob("*") if path.suffix.lower() == ".zip" and path.is_file()]
    return sorted(path for path in found if TEACHER not in path.relative_to(place).parts)


def _packed(place: Path, key: KeyFile, known: set[Path]) -> Iterator[Submission]:
    """Archives that nobody unpacked; beside what is in folders, one at the top is what all of them came from."""
    for path in _archives(place):
        if path.parent != place and path.parent.resolve() not in known:
            problem = f"{path}: handed in, but not marked: unpack {path.name} first"
            yield Submission(
                path, _named(path, key), problems=[problem], refused=True, modified=_modified(path)
            )


def _modified(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _read(path: Path, key: KeyFile) -> Submission:
    """What a file of answers says; its mistakes stand in it, and stop nobody."""
    found = Submission(path, _named(path, key), modified=_modified(path))
    known = [question.name for question in key.questions]
    try:
        text, remark = answers_text(path)
    except (ScenarioError, AnswersTextError) as error:
        why = str(error).removeprefix(f"{path}: ")
        found.problems.append(f"{path}: handed in, but not marked: {why}")
        found.refused = True
        return found
    if remark:
        found.problems.append(f"{path}: {remark}")
    try:
        document = tables(text)
    except TomlTextError as error:
        found.problems.append(f"{path}: {error.problem}; what can be read line by line was marked")
        document = line_by_line(text, known)
    _note_whose(found, document, key)
    if found.refused:
        return found
    if "answers" not in document and not document.keys().isdisjoint(known):
        found.problems.append(f"{path}: [answers] is missing above them; they were marked all the same")
        document["answers"] = {name: document[name] for name in known if name in document}
    answers = document.get("answers", {})
    if isinstance(answers, dict):
        found.answers = answers
        for name in answers.keys() - set(known):
            found.problems.append(f"{path}: answers.{name}: unknown question; {did_you_mean(name, known)}")
    else:
        found.problems.append(
            f"{path}: answers: no table; write [answers] above them, as in the file you got"
        )
    return found


def _named(path: Path, key: KeyFile) -> StudentKey | None:
    """The student after whom the folder of the file is called."""
    return key.student(path.resolve().parent.name)


def _note_whose(found: Submission, document: Mapping[str, object], key: KeyFile) -> None:
    said, lab = document.get("student"), document.get("lab")
    if isinstance(lab, str) and lab != key.lab:
        why = f"lab: found {lab!r}, and the key is of {key.lab!r}; hand in the file of this lab"
        found.problems.append(f"{found.path}: handed in, but not marked: {why}")
        found.refused = True
    if said is None and found.student is not None:
        return
    student = key.student(said) if isinstance(said, str) else None
    if said is None:
        found.problems.append(
            f'{found.path}: whose it is does not stand in it; write student = "ID" above [answers]'
        )
        return
    if student is None:
        hint = did_you_mean(said, [each.id for each in key.students]) if len(key.students) < 10 else ""
        found.problems.append(
            f"{found.path}: student: found {said!r}, who is not in the key; {hint}".rstrip("; ")
        )
        return
    if found.student is not None and student is not found.student:
        found.problems.append(
            f"{found.path}: student: {student.id} stands in the folder of {found.student.id}"
        )
    found.student = student
