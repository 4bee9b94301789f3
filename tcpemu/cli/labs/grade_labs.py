"""`tcpemu lab grade`: marks as lines, CSV, JSON, results.json."""

import json
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import typer

from tcpemu.cli.printing import show, width
from tcpemu.cli.progress import Progress, ProgressOfRun
from tcpemu.cli.user_mistakes import UsageError
from tcpemu.explain.lines.count_words import count
from tcpemu.explain.lines.style import Line, Role, Span, line
from tcpemu.lab.drawing.filled_texts import number_text
from tcpemu.lab.drawing.key_file import KeyFile, read_key
from tcpemu.lab.marking.grade_sheets import grade_data, grade_table, remarks_of
from tcpemu.lab.marking.gradescope import check_who, results_text
from tcpemu.lab.marking.mark_class import mark_class
from tcpemu.lab.marking.marked import MarkedStudent
from tcpemu.lab.marking.submission import Submission, find_key, submissions
from tcpemu.scenario.running.worker_process import usual_jobs
from tcpemu.wire.atomic_write import write_whole

RESULTS, GRADES = "results.json", "grades.csv"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to come of the marking."""

    as_json: bool
    output: Path | None
    metadata: Path | None
    results: Path | None
    jobs: int | None = None
    """At a time; None for one on each processor."""


def grade_lab(place: Path, key_file: Path | None, wanted: Wanted) -> None:
    """Mark it, and tell."""
    if wanted.metadata is not None and wanted.results is None:
        raise UsageError("--metadata goes with --results: it says whose submission this is")
    key = read_key(find_key(place, key_file))
    found = submissions(place, key)
    if wanted.results is not None:
        marked = _for_gradescope(key, found, wanted)
    else:
        marked = _marked(key, found, wanted.jobs, everybody=place.is_dir())
    if wanted.output is not None:
        _write(wanted.output, key, marked)
    if wanted.as_json:
        typer.echo(json.dumps(grade_data(key, marked), indent=2, ensure_ascii=False))
        return
    for each in marked:
        show(list(_lines(each)))
    if wanted.output is not None:
        show([line(f"Written: {wanted.output / GRADES}, and {RESULTS} of each student")])


def _for_gradescope(key: KeyFile, found: Sequence[Submission], wanted: Wanted) -> list[MarkedStudent]:
    """One submission; its student must be one of those whom the metadata names."""
    assert wanted.results is not None
    if len(found) > 1:
        raise UsageError(
            f"--results is for one submission, and there are {len(found)}; -o DIR writes one for each"
        )
    if wanted.metadata is not None:
        check_who(wanted.metadata, key, found[0])
    marked = _marked(key, found, wanted.jobs, everybody=False)
    write_whole(wanted.results, results_text(key, marked[0]))
    return marked


def _marked(
    key: KeyFile, found: Sequence[Submission], jobs: int | None, *, everybody: bool
) -> list[MarkedStudent]:
    done = [0]

    def standing() -> ProgressOfRun:
        words = f"{done[0]} of {count(len(found), 'submission')}"
        return ProgressOfRun(f"marking {key.lab}", done[0] / len(found), words)

    with Progress().of(standing):
        return mark_class(
            key,
            found,
            everybody=everybody,
            done=lambda number: done.__setitem__(0, number),
            jobs=jobs or usual_jobs(),
        )


def _write(folder: Path, key: KeyFile, marked: Sequence[MarkedStudent]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / GRADES, grade_table(key, marked))
    for each in marked:
        if key.student(each.id) is not None:
            (folder / each.id).mkdir(exist_ok=True)
            write_whole(folder / each.id / RESULTS, results_text(key, each))


def _lines(marked: MarkedStudent) -> Iterator[Line]:
    name = f" {marked.name}" if marked.name else ""
    of = f"{number_text(marked.points)} of {number_text(marked.most)}" if marked.marks else "not marked"
    yield (Span(marked.id, Role.TITLE), Span(f"{name}: {of}"))
    for remark in remarks_of(marked):
        for text in textwrap.wrap(remark, width(), initial_indent="  ", subsequent_indent="    "):
            yield (Span(text, Role.QUIET),)
