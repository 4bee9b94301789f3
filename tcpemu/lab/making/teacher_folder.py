"""What the teacher keeps: the key of the class in several forms, the rubric, archives for other systems."""

import csv
import io
from dataclasses import dataclass
from pathlib import Path

from tcpemu.lab.drawing.key_file import KEY_FILE, KeyFile, StudentKey
from tcpemu.lab.drawing.variant import Variant
from tcpemu.lab.format.load_lab import Lab
from tcpemu.lab.making.gradescope_zip import GRADESCOPE_FILE, archive
from tcpemu.lab.making.moodle_xml import MOODLE_FILE, questions_text, quiz_text
from tcpemu.lab.making.rubric_text import RUBRIC_FILE, rubric_text
from tcpemu.lab.pages.teacher_pages import key_text, student_key_text
from tcpemu.wire.atomic_write import write_whole

KEY_TABLE, KEY_PAGE, KEYS = "key.csv", "key.html", "keys"


@dataclass(frozen=True, slots=True)
class TeachersPart:
    """What the teacher keeps of one student."""

    key: StudentKey
    page: str
    questions: str
    """For Moodle."""


def teachers_part(lab: Lab, variant: Variant) -> TeachersPart:
    """Made where the student's variant is drawn, which may be another process."""
    return TeachersPart(variant.key, student_key_text(lab, variant), questions_text(lab, variant))


class TeacherFolder:
    """Written as students come, and finished when all have."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self._lab, self._folder = lab, folder
        self._questions: list[str] = []
        (folder / KEYS).mkdir(parents=True)

    def add(self, part: TeachersPart) -> None:
        """One more student. Raises OSError from the disk."""
        self._questions.append(part.questions)
        write_whole(self._folder / KEYS / f"{part.key.id}.html", part.page)

    def finish(self, key: KeyFile) -> None:
        """All students are there."""
        folder = self._folder
        write_whole(folder / KEY_FILE, key.as_text())
        write_whole(folder / KEY_TABLE, key_table(key))
        write_whole(folder / KEY_PAGE, key_text(key))
        write_whole(folder / RUBRIC_FILE, rubric_text(self._lab))
        write_whole(folder / MOODLE_FILE, quiz_text(self._questions))
        write_whole(folder / GRADESCOPE_FILE, archive(key))


def key_table(key: KeyFile) -> str:
    """A line for each student with the right answers: CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    asked = [question.name for question in key.questions if not question.handed_in]
    writer.writerow(["id", "name", "seed", *asked])
    for student in key.students:
        rights = {answer.name: answer.right for answer in student.answers}
        writer.writerow([student.id, student.name, student.seed, *(rights[name] for name in asked)])
    return text.getvalue()
