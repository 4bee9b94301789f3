"""`tcpemu lab list`, `lesson`, `make`: what there is, and what is written."""

import sys
import textwrap
from pathlib import Path

from tcpemu.cli.printing import check_not_read, check_place, show, width
from tcpemu.cli.progress import Progress, ProgressOfRun
from tcpemu.cli.report_command import PAGE_SUFFIXES
from tcpemu.cli.user_mistakes import complain
from tcpemu.explain.lines.count_words import count
from tcpemu.explain.lines.style import Line, Role, Span, line
from tcpemu.lab.format.class_list import read_class, read_secret
from tcpemu.lab.format.lab_error import LabError
from tcpemu.lab.format.load_lab import BUILT_IN_LABS, Lab, load_lab
from tcpemu.lab.making.make_class import make_class
from tcpemu.lab.making.notebook_text import NOTEBOOK_FILE, can_make_notebooks
from tcpemu.lab.pages.handout_page import points_text
from tcpemu.lab.pages.lesson_page import lesson_text
from tcpemu.scenario.running.worker_process import usual_jobs
from tcpemu.wire.atomic_write import write_whole

FEW = 20
"""Students for whom it takes longer to start a process than to make their variants."""


def show_labs() -> None:
    """Print name, title and questions of each lab."""
    longest = max(map(len, BUILT_IN_LABS))
    for name in BUILT_IN_LABS:
        show(_entry(load_lab(name), longest))


def _entry(lab: Lab, longest: int) -> list[Line]:
    kinds = [question.kind for question in lab.file.questions]
    each = ", ".join(f"{kinds.count(kind)} {kind}" for kind in dict.fromkeys(kinds))
    about = f"{lab.file.minutes} minutes, {points_text(lab.points)}: {each}"
    wrapped = textwrap.wrap(about, max(20, width() - longest - 2))
    return [
        (Span(f"{lab.name:<{longest}}", Role.OPEN), Span(f"  {lab.file.title}", Role.TITLE)),
        *((Span(" " * (longest + 2) + text, Role.QUIET),) for text in wrapped),
    ]


def show_lesson(name: str, output: Path | None) -> None:
    """Print a lesson, or write it as a page."""
    if output is not None:
        check_place(output, PAGE_SUFFIXES)
    lab = load_lab(name)
    if not lab.lesson:
        raise LabError(name, "it has no lesson", "write one into its folder: lesson.md")
    if output is None:
        show([line(text) for text in lab.lesson.rstrip().split("\n")])
        return
    write_whole(output, lesson_text(lab))
    show([line(f"Written: {output}")])


def make_lab(name: str, students: Path, secret: Path, output: Path, jobs: int | None = None) -> None:
    """Make the lab for a class, with a word on how far it is."""
    check_not_read(output, [str(students), str(secret)])
    lab = load_lab(name)
    listed, hidden = read_class(students), read_secret(secret)
    notebooks = can_make_notebooks()
    made = [0]

    def standing() -> ProgressOfRun:
        words = f"{made[0]} of {count(len(listed), 'student')}"
        return ProgressOfRun(f"making {lab.name}", made[0] / len(listed), words)

    with Progress().of(standing):
        make_class(
            lab,
            listed,
            hidden,
            output,
            notebooks=notebooks,
            done=lambda number: made.__setitem__(0, number),
            jobs=jobs or min(usual_jobs(), max(len(listed) // FEW, 1)),
        )
    sys.stdout.flush()
    if not notebooks:
        complain(f"no {NOTEBOOK_FILE}: nbformat is not there; pip install 'tcpemu[lab]' brings it")
    show(
        [
            line(f"Written: {output / 'students'}: a folder for each of {count(len(listed), 'student')}"),
            line(f"Written: {output / 'teacher'}: key.html, key.csv, rubric.md, gradescope.zip, moodle.xml"),
            line(f"Mark what comes back: tcpemu lab grade DIR --key {output / 'teacher' / 'key.json'}"),
        ]
    )
