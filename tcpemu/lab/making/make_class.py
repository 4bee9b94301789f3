"""A lab for a class: each student's folder and the teacher's, student by student."""

import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from tcpemu.lab.drawing.key_file import KeyFile, StudentKey
from tcpemu.lab.drawing.variant import draw_variant, key_of
from tcpemu.lab.format.class_list import Student
from tcpemu.lab.format.lab_error import LabError
from tcpemu.lab.format.load_lab import Lab
from tcpemu.lab.making.student_folder import write_student
from tcpemu.lab.making.teacher_folder import TeacherFolder

STUDENTS, TEACHER = "students", "teacher"


def make_class(
    lab: Lab,
    students: Sequence[Student],
    secret: bytes,
    folder: Path,
    *,
    notebooks: bool,
    done: Callable[[int], object] = lambda _: None,
) -> KeyFile:
    """Write the lab of a class into a folder that is empty or not there; `done` hears how many students are.

    The same lab, secret and id give the same files. Where it cannot be finished there is no folder. Raises LabError,
    and OSError from the disk.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        mend = "give the name of one that is not there: what students have written is never overwritten"
        raise LabError(str(folder), "there is something already", mend)
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".partial", dir=folder.parent))
    try:
        key = _write(lab, students, secret, draft, notebooks=notebooks, done=done)
        draft.chmod(0o755)  # as any folder, which one for drafts is not
        if folder.exists():
            folder.rmdir()
        draft.rename(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return key


def _write(
    lab: Lab,
    students: Sequence[Student],
    secret: bytes,
    folder: Path,
    *,
    notebooks: bool,
    done: Callable[[int], object],
) -> KeyFile:
    teacher = TeacherFolder(lab, folder / TEACHER)
    keys: list[StudentKey] = []
    for number, student in enumerate(students):
        variant = draw_variant(lab, secret, student)
        write_student(lab, variant, folder / STUDENTS / student.id, notebook=notebooks)
        teacher.add(variant)
        keys.append(variant.key)
        done(number + 1)
    key = key_of(lab, keys)
    teacher.finish(key)
    return key
