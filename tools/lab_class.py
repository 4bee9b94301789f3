"""How long a lab for a class takes to make and to mark, and that the marks are those that were earned.

    python tools/lab_class.py [LAB ...] [--students 100] [--jobs 2]

Of the labs that come with the program, or of these: makes the class, has every third student hand in all that is right,
every third usual mistakes and what was given out, every third nothing but a file that is broken, and marks them. It
prints real seconds and processor seconds (of this process and those that it started) of both, and the mean of the
marks. The exit status is 1 if a mark is not what was earned, or with 100 students and an idle machine in mind if making
takes two minutes of processor time or marking one.
"""

import argparse
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import forkserver
from pathlib import Path
from typing import TypeVar

from tcpemu.lab import (
    BUILT_IN_LABS,
    KeyFile,
    Lab,
    Student,
    load_lab,
    make_class,
    mark_class,
    read_key,
    submissions,
)
from tcpemu.lab.drawing.filled_texts import filled_scenario
from tcpemu.lab.drawing.key_file import StudentKey
from tcpemu.lab.making.notebook_text import can_make_notebooks
from tcpemu.lab.marking.marked import MarkedStudent

T = TypeVar("T")
SECRET = b"the secret of tools/lab_class.py"
MAKING, MARKING = 1.2, 0.6
"""Seconds for each student that are allowed."""
LEAST = 20.0
"""Seconds that even a small class may take: most of them go into the start of processes."""


@dataclass(frozen=True)
class Took:
    """Seconds."""

    real: float
    processor: float

    def __str__(self) -> str:
        return f"{self.real:6.1f} s ({self.processor:5.1f} s of processor)"


def timed(work: Callable[[], T]) -> tuple[T, Took]:
    begun, used = time.monotonic(), _processor()
    result = work()
    return result, Took(time.monotonic() - begun, _processor() - used)


def _processor() -> float:
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in both)


def hand_in(lab: Lab, key: StudentKey, folder: Path, number: int) -> None:
    """What the student of that number hands in: all right, usual mistakes, or a broken file."""
    if number % 3 == 2:
        (folder / "answers.toml").write_text("[answers\n")
        return
    right = number % 3 == 0
    lines = [f'lab = "{lab.name}"', f'student = "{key.id}"', "[answers]"]
    for answer in key.answers:
        if right and answer.right:
            lines.append(f'{answer.name} = "{answer.right}"')
        elif answer.slips:
            lines.append(f'{answer.name} = "{answer.slips[0].answer}"')
    (folder / "answers.toml").write_text("\n".join(lines) + "\n")
    for question in lab.file.questions if right else ():
        if question.handed_in:
            solution = lab.files[str(question.solution)]
            filled = filled_scenario(solution, key.shown) if question.kind == "scenario" else solution
            (folder / str(question.file)).write_text(filled)


def earned(lab: Lab, key: StudentKey, number: int) -> float:
    """The points of what `hand_in` has handed in."""
    if number % 3 == 0:
        return lab.points
    if number % 3 == 2:
        return 0.0
    pairs = zip(lab.file.questions, key.answers, strict=True)
    return float(sum(question.points * answer.slips[0].share for question, answer in pairs if answer.slips))


def wrong_marks(lab: Lab, key: KeyFile, marked: list[MarkedStudent]) -> list[str]:
    """Whose mark is not what was earned."""
    found = []
    for number, (each, student) in enumerate(zip(marked, key.students, strict=True)):
        points, wanted = float(each.points), earned(lab, student, number)
        if abs(points - wanted) > 1e-3:
            found.append(f"{each.id} has {points:g} and has earned {wanted:g}")
    return found


def measure(name: str, count: int, jobs: int) -> bool:
    """Print one lab; whether all is as it should be."""
    lab = load_lab(name)
    students = [Student(f"s{number:04}", f"Student {number}") for number in range(count)]
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "class"
        notebooks = can_make_notebooks()
        _, making = timed(lambda: make_class(lab, students, SECRET, folder, notebooks=notebooks, jobs=jobs))
        key = read_key(folder / "teacher" / "key.json")
        for number, each in enumerate(key.students):
            hand_in(lab, each, folder / "students" / each.id, number)
        marked, marking = timed(lambda: _marked(folder, key, jobs))
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    again = sum(each.attempt for each in key.students)
    mean = sum(float(each.points) for each in marked) / len(marked)
    print(
        f"{name:18} made in {making}, marked in {marking}; {again} drawn again, {size / 1e6:.1f} MB, "
        f"mean {mean:.1f} of {lab.points:g}",
        flush=True,
    )
    wrong = wrong_marks(lab, key, marked)
    for line in wrong:
        print(f"  {line}")
    made_in, marked_in = max(MAKING * count, LEAST), max(MARKING * count, LEAST)
    slow = making.processor > made_in or marking.processor > marked_in
    if slow:
        print(f"  too slow: {made_in:g} s and {marked_in:g} s of processor are allowed")
    return not wrong and not slow


def _marked(folder: Path, key: KeyFile, jobs: int) -> list[MarkedStudent]:
    marked = mark_class(key, submissions(folder, key), everybody=True, jobs=jobs)
    forkserver._forkserver._stop()  # type: ignore[attr-defined] # so that what its processes used is counted
    return marked


def main() -> int:
    parser = argparse.ArgumentParser(description="Make and mark labs for a class, and time it.")
    parser.add_argument("labs", nargs="*", metavar="LAB", default=list(BUILT_IN_LABS))
    parser.add_argument("--students", type=int, default=100, metavar="N")
    parser.add_argument(
        "--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="processes at a time"
    )
    options = parser.parse_args()
    if options.students < 1:
        parser.error("--students: 1 or more")
    print(f"{options.jobs} at a time; load of the machine {os.getloadavg()[0]:.1f}", flush=True)
    good = [measure(name, options.students, options.jobs) for name in options.labs]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
