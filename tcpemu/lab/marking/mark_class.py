"""A whole class, some at a time: nobody's mistake stops the marking of others."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

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
    jobs: int = 1,
) -> list[MarkedStudent]:
    """The marks of all submissions, in the order of the key, then those of nobody.

    With `everybody` students who handed in nothing are among them. Who handed in twice gets the marks of the latest
    by the time at which its file was modified, and is told so. `done` hears how many submissions are marked. So many
    `jobs` are at work at a time: what was handed in is run in processes of its own in any case.
    """
    strangers: list[MarkedStudent] = []
    chosen: dict[str, Submission] = {}
    others: dict[str, list[str]] = {}
    for submission in sorted(found, key=Submission.rank, reverse=True):
        student = submission.student
        if student is None:
            strangers.append(MarkedStudent(str(submission.path), problems=list(submission.problems)))
        elif student.id in chosen:
            others.setdefault(student.id, []).extend(_not_marked(submission, chosen[student.id]))
        else:
            chosen[student.id] = submission
    by_student: dict[str, MarkedStudent] = {}
    for marked in _marked(key, list(chosen.values()), jobs):
        marked.problems += others.get(marked.id, [])
        by_student[marked.id] = marked
        done(len(found) - len(chosen) + len(by_student))
    strangers.sort(key=lambda each: each.id)
    if everybody:
        for student in key.students:
            by_student.setdefault(student.id, nothing_handed_in(key, student))
    order = [by_student[student.id] for student in key.students if student.id in by_student]
    return order + strangers


def _marked(key: KeyFile, found: Sequence[Submission], jobs: int) -> Iterator[MarkedStudent]:
    """The marks of each, in order. This process only waits for those in which it is run."""

    def mark(submission: Submission) -> MarkedStudent:
        assert submission.student is not None
        return mark_student(key, submission.student, submission)

    with ThreadPoolExecutor(jobs) as pool:
        try:
            yield from pool.map(mark, found)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


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
