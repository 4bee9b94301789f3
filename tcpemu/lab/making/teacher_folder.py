"""What the teacher keeps: the key of the class in several forms, the rubric, archives for other systems."""

import csv
import io
from pathlib import Path

from tcpemu.lab.drawing.key_file import KEY_FILE, KeyFile
from tcpemu.lab.drawing.variant import Variant
from tcpemu.lab.format.load_lab import Lab
from tcpemu.lab.making.gradescope_zip import GRADESCOPE_FILE, archive
from tcpemu.lab.making.moodle_xml import MOODLE_FILE, MoodleQuiz
from tcpemu.lab.making.rubric_text import RUBRIC_FILE, rubric_text
from tcpemu.lab.pages.teacher_pages import key_text, student_key_text
from tcpemu.wire.atomic_write import write_whole

KEY_TABLE, KEY_PAGE, KEYS = "key.csv", "key.html", "keys"


class TeacherFolder:
    """Written as students come, and finished when all have."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self._lab, self._folder = lab, folder
        self._quiz = MoodleQuiz(lab)
        (folder / KEYS).mkdir(parents=True)

    def add(self, variant: Variant) -> None:
        """One more student. Raises OSError from the disk."""
        self._quiz.add(variant)
        write_whole(self._folder / KEYS / f"{variant.key.id}.html", student_key_text(self._lab, variant))

    def finish(self, key: KeyFile) -> None:
        """All students are there."""
        folder = self._folder
        write_whole(folder / KEY_FILE, key.as_text())
        write_whole(folder / KEY_TABLE, key_table(key))
        write_whole(folder / KEY_PAGE, key_text(key))
        write_whole(folder / RUBRIC_FILE, rubric_text(self._lab))
        write_whole(folder / MOODLE_FILE, self._quiz.as_text())
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
