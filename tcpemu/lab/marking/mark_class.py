"""A whole class, one after the other: nobody's mistake stops the marking of others."""

from collections.abc import Callable, Iterator, Sequence

from tcpemu.lab.drawing.key_file import KeyFile
from tcpemu.lab.marking.mark_student import mark_student, nothing_handed_in
from tcpemu.lab.marking.marked import MarkedStudent
from tcpemu.lab.marking.submission import Submission


def mark_class(
    key: KeyFile,
    found: Sequence[Submission],
    *,
    everybody: bool,
    done: Callable[[int], object] = lambda _: None,
) -> list[MarkedStudent]:
    """The marks of all submissions, in the order of the key, then those of nobody.

    With `everybody` students who handed in nothing are among them. Who handed in twice gets the marks of the latest
    by the time at which its file was modified, and is told so. `done` hears how many submissions are marked.
    """
    by_student: dict[str, MarkedStudent] = {}
    strangers: list[MarkedStudent] = []
    chosen: dict[str, Submission] = {}
    for number, submission in enumerate(sorted(found, key=Submission.rank, reverse=True)):
        student = submission.student
        if student is None:
            strangers.append(MarkedStudent(str(submission.path), problems=list(submission.problems)))
        elif student.id in by_student:
            by_student[student.id].problems += _not_marked(submission, chosen[student.id])
        else:
            chosen[student.id] = submission
            by_student[student.id] = mark_student(key, student, submission)
        done(number + 1)
    strangers.sort(key=lambda each: each.id)
    if everybody:
        for student in key.students:
            by_student.setdefault(student.id, nothing_handed_in(key, student))
    order = [by_student[student.id] for student in key.students if student.id in by_student]
    return order + strangers


def _not_marked(submission: Submission, chosen: Submission) -> Iterator[str]:
    """Why another submission of the same student was marked, and not this one."""
    if submission.refused:
        yield from submission.problems
        return
    if submission.modified < chosen.modified:
        why = "which was modified later"
    elif submission.modified == chosen.modified:
        why = "the last by name of those modified at the same time"
    else:
        why = "for this one has no file of answers"
    yield f"{submission.path}: handed in too, and not marked: {chosen.path} was, {why}"
