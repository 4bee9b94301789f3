"""All of one student: answers against the key, and runs of what was handed in beside them."""

import shutil
import tempfile
from decimal import Decimal
from functools import partial
from pathlib import Path

from tcpemu.lab.drawing.key_file import AnswerKey, KeyFile, StudentKey
from tcpemu.lab.format.lab_file import Question
from tcpemu.lab.marking.mark_answer import NOT_ANSWERED, mark_answer
from tcpemu.lab.marking.marked import Mark, MarkedStudent
from tcpemu.lab.marking.submission import LARGEST, Submission
from tcpemu.lab.trying.bounded_work import bounded
from tcpemu.lab.trying.goals import Attempt
from tcpemu.lab.trying.mended_run import MendingTask, try_mended
from tcpemu.lab.trying.program_run import ProgramTask, try_program
from tcpemu.stack.base.units import SECOND

NOT_MARKED = "not marked"


def mark_student(key: KeyFile, student: StudentKey, submission: Submission) -> MarkedStudent:
    """The marks of a submission. Nothing in it raises."""
    marked = MarkedStudent(student.id, student.name, problems=list(submission.problems))
    for question, answer in zip(key.questions, student.answers, strict=True):
        if question.handed_in:
            marked.marks.append(_file(key, student, submission, question, answer))
        elif submission.refused:
            marked.marks.append(Mark(question.name, Decimal(0), question.points, NOT_MARKED))
        else:
            marked.marks.append(mark_answer(question, answer, submission.answers.get(question.name)))
    return marked


def nothing_handed_in(key: KeyFile, student: StudentKey) -> MarkedStudent:
    """The marks of who handed in nothing."""
    marks = [Mark(question.name, Decimal(0), question.points, NOT_ANSWERED) for question in key.questions]
    return MarkedStudent(student.id, student.name, marks, handed_in=False)


def _file(
    key: KeyFile, student: StudentKey, submission: Submission, question: Question, answer: AnswerKey
) -> Mark:
    """The mark for a file."""
    name = str(question.file)
    path = submission.folder / name
    mark = partial(Mark, question.name)
    try:
        octets = path.read_bytes() if path.is_file() else b""
    except OSError as error:
        return mark(Decimal(0), question.points, f"{name} cannot be read: {error.strerror}")
    if not octets.strip():
        return mark(Decimal(0), question.points, f"{NOT_ANSWERED}: there is no {name}")
    if len(octets) > LARGEST:
        return mark(
            Decimal(0), question.points, f"{name} has {len(octets)} octets; at most {LARGEST} are read"
        )
    if question.kind == "scenario" and octets.decode(errors="replace") == answer.start:
        return mark(Decimal(0), question.points, f"{NOT_ANSWERED}: {name} is as it was given out", name)
    attempt = _tried(key, student, question, answer, octets)
    points = question.points * attempt.share
    return mark(round(points, 4), question.points, " ".join(attempt.said), name)


def _tried(
    key: KeyFile, student: StudentKey, question: Question, answer: AnswerKey, octets: bytes
) -> Attempt:
    """What comes of the file, within the time that the question gives."""
    seconds = question.real / SECOND
    if question.kind == "scenario":
        task = MendingTask(answer.start, question.may_change, question.holds, student.known)
        try:
            text = octets.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            return Attempt((), (f"{question.file}: octet {error.start}: not UTF-8; save the file as UTF-8",))
        return bounded(try_mended, (task, text, str(question.file)), seconds)
    folder = Path(tempfile.mkdtemp(prefix="tcpemu-lab-"))
    try:
        for name, text in key.files.items():
            (folder / name).write_text(text, encoding="utf-8")
        (folder / str(question.file)).write_bytes(octets)
        task_of_program = ProgramTask(question, student.known, student.seed % 2**32)
        return bounded(try_program, (task_of_program, folder), seconds)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
