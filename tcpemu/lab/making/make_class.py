"""A lab for a class: each student's folder and the teacher's, student by student, some at a time."""

import multiprocessing
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path

from tcpemu.lab.drawing.key_file import KeyFile, StudentKey
from tcpemu.lab.drawing.variant import draw_variant, key_of
from tcpemu.lab.format.class_list import Student
from tcpemu.lab.format.lab_error import LabError
from tcpemu.lab.format.load_lab import Lab
from tcpemu.lab.making.student_folder import write_student
from tcpemu.lab.making.teacher_folder import TeacherFolder, TeachersPart, teachers_part
from tcpemu.scenario.running.worker_process import worker_begins

STUDENTS, TEACHER = "students", "teacher"


def make_class(
    lab: Lab,
    students: Sequence[Student],
    secret: bytes,
    folder: Path,
    *,
    notebooks: bool,
    done: Callable[[int], object] = lambda _: None,
    jobs: int = 1,
) -> KeyFile:
    """Write the lab of a class into a folder that is empty or not there; `done` hears how many students are.

    The same lab, secret and id give the same files. With more `jobs` than one so many processes do it. Where it
    cannot be finished there is no folder. Raises LabError, and OSError from the disk.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        mend = "give the name of one that is not there: what students have written is never overwritten"
        raise LabError(str(folder), "there is something already", mend)
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".partial", dir=folder.parent))
    try:
        key = _write(_Work(lab, secret, draft / STUDENTS, notebooks), students, draft / TEACHER, jobs, done)
        draft.chmod(0o755)  # as any folder, which one for drafts is not
        if folder.exists():
            folder.rmdir()
        draft.rename(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return key


@dataclass(frozen=True, slots=True)
class _Work:
    """What is to be done for each student, by this process or by others."""

    lab: Lab
    secret: bytes
    folder: Path
    notebooks: bool

    def make(self, student: Student) -> TeachersPart:
        """Draw the variant, and write what its student gets."""
        variant = draw_variant(self.lab, self.secret, student)
        write_student(self.lab, variant, self.folder / student.id, notebook=self.notebooks)
        return teachers_part(self.lab, variant)


def _write(
    work: _Work, students: Sequence[Student], folder: Path, jobs: int, done: Callable[[int], object]
) -> KeyFile:
    teacher = TeacherFolder(work.lab, folder)
    keys: list[StudentKey] = []
    for number, part in enumerate(_parts(work, students, min(jobs, len(students)))):
        teacher.add(part)
        keys.append(part.key)
        done(number + 1)
    key = key_of(work.lab, keys)
    teacher.finish(key)
    return key


def _parts(work: _Work, students: Sequence[Student], jobs: int) -> Iterator[TeachersPart]:
    """What the teacher keeps of each, in order."""
    if jobs <= 1:
        yield from map(work.make, students)
        return
    context = multiprocessing.get_context("spawn")  # one server of forks is enough, and marking has it
    with ProcessPoolExecutor(jobs, context, _begin, (work,)) as pool:
        try:
            yield from pool.map(_make, students)
        except BrokenProcessPool:
            mend = "with --jobs 1 there are no others, and less memory is taken"
            raise LabError(
                work.lab.name, "a process that made variants was ended from outside", mend
            ) from None
        finally:
            pool.shutdown(cancel_futures=True)


_work: _Work | None = None
"""Of a process that works for another."""


def _begin(work: _Work) -> None:
    global _work  # noqa: PLW0603 - given once to a process, and not with each student
    _work = work
    worker_begins()


def _make(student: Student) -> TeachersPart:
    assert _work is not None
    return _work.make(student)
