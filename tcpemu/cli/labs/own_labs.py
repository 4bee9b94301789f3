"""`tcpemu lab new`, `check`, `ask`: labs of one's own."""

from collections import Counter
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

from tcpemu.cli.printing import show
from tcpemu.cli.progress import Progress, ProgressOfRun
from tcpemu.cli.user_mistakes import UsageError
from tcpemu.explain.lines.style import Line, Role, Span, line
from tcpemu.lab.asking.fact_base import FactBase, QueryError
from tcpemu.lab.asking.fact_rows import TABLES
from tcpemu.lab.asking.gather_facts import FinishedRun
from tcpemu.lab.drawing.filled_texts import number_text
from tcpemu.lab.drawing.variant import Variant, draw_variant, program_solution
from tcpemu.lab.format.class_list import Student
from tcpemu.lab.format.lab_error import LabError
from tcpemu.lab.format.load_lab import Lab, load_lab
from tcpemu.wire.atomic_write import write_whole

CHECKED_WITH = b"tcpemu lab check"
"""The secret of variants that nobody gets."""
MOST_SHOWN = 6
"""Answers of one question that are shown."""


def make_new(folder: Path) -> None:
    """Write a small lab into a folder that is not there."""
    if folder.exists():
        raise LabError(str(folder), "there is something already", "give the name of one that is not there")
    folder.mkdir(parents=True)
    for entry in resources.files("tcpemu.lab").joinpath("example").iterdir():
        if entry.is_file():
            write_whole(folder / entry.name, entry.read_bytes())
    show(
        [line(f"Written: {folder}"), line(f"Next: tcpemu lab check {folder}, and read {folder / 'lab.toml'}")]
    )


def check_lab(name: str, variants: int) -> None:
    """Draw variants, show their answers, try the solutions. Raises LabError for what is wrong."""
    lab = load_lab(name)
    drawn: list[Variant] = []

    def standing() -> ProgressOfRun:
        return ProgressOfRun(
            f"drawing variants of {lab.name}", len(drawn) / variants, f"{len(drawn)} of {variants}"
        )

    with Progress().of(standing):
        drawn.extend(
            draw_variant(lab, CHECKED_WITH, Student(f"student-{number + 1}")) for number in range(variants)
        )
    again = sum(each.key.attempt for each in drawn)
    show([line(f"{lab.name}: {variants} variants, {again} drawn again; {lab.points:g} points")])
    show(list(_answers(lab, drawn)))
    for question in lab.file.questions:
        if question.kind == "program":
            attempt = program_solution(lab, question, drawn[0])
            if attempt.share != 1:
                what = f"the solution {question.solution} does not reach all: {' '.join(attempt.said)}"
                raise LabError(f"{lab.name}/lab.toml", what, place=f"questions: {question.name}")
            show([line(f"{question.name}: {question.solution} solves it")])


def _answers(lab: Lab, drawn: list[Variant]) -> Iterator[Line]:
    for at, question in enumerate(lab.file.questions):
        if question.kind == "program":
            continue
        answers = [each.key.answers[at] for each in drawn]
        if question.kind == "scenario":
            yield (Span(question.name, Role.OPEN), Span(f": {question.solution} solves it in every variant"))
            continue
        words = answers[0].answer_words.partition(": ")[2] if question.kind == "choice" else ""
        counted = Counter(each.answer_words.partition(": ")[2] if words else each.right for each in answers)
        shown = ", ".join(f"{text} ({times})" for text, times in counted.most_common(MOST_SHOWN))
        more = f", {len(counted) - MOST_SHOWN} others" if len(counted) > MOST_SHOWN else ""
        yield (Span(question.name, Role.OPEN), Span(f": {shown}{more}"))
        for slip in answers[0].slips:
            yield (Span(f"  {number_text(slip.answer)}: {slip.say}", Role.QUIET),)


def ask_lab(name: str, query: str | None) -> None:
    """Print what a query gives of one variant's run; or the tables."""
    lab = load_lab(name)
    if query is None:
        show([line(f"{table}: {', '.join(row._fields)}") for table, row in TABLES.items()])  # type: ignore[attr-defined]
        return
    variant = draw_variant(lab, CHECKED_WITH, Student("student-1"))
    facts = FactBase.of(FinishedRun(variant.result.network, variant.seen_by, variant.result))
    try:
        columns, rows = facts.rows(query, variant.key.known)
    except QueryError as error:
        raise UsageError(f"{query}: {error}") from None
    finally:
        facts.close()
    cells = [columns, *(["" if cell is None else str(cell) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        show([line("  ".join(f"{cell:<{wide}}" for cell, wide in zip(row, widths, strict=True)).rstrip())])
