"""The rubric of a lab in Markdown: what each question is worth, and what is still worth something."""

from collections.abc import Iterator

from tcpemu.lab.drawing.filled_texts import number_text
from tcpemu.lab.format.lab_file import Question
from tcpemu.lab.format.load_lab import Lab

RUBRIC_FILE = "rubric.md"


def rubric_text(lab: Lab) -> str:
    """The rubric."""
    return "\n".join(_lines(lab)) + "\n"


def _lines(lab: Lab) -> Iterator[str]:
    yield f"# Rubric: {lab.file.title}"
    yield ""
    yield f"{lab.points:g} points in all. `tcpemu lab grade` gives them; `{{name}}` stands for a value of each student."
    for number, question in enumerate(lab.file.questions, 1):
        yield ""
        yield f"## {number}. `{question.name}`: {number_text(question.points)}, {question.kind}"
        yield ""
        yield " ".join(question.text.split())
        yield ""
        yield from _points(question)


def _points(question: Question) -> Iterator[str]:
    points = question.points
    if question.handed_in:
        each = number_text(round(points / len(question.holds), 2))
        for goal in question.holds:
            yield f"- {each} unless: {goal.say or goal.value}"
        if question.kind == "scenario":
            yield f"- 0 if anything is changed but {', '.join(question.may_change)}"
        return
    within = f" (within {number_text(question.tolerance)} {question.unit})" if question.tolerance else ""
    yield f"- {number_text(points)} for the right answer{within}"
    for slip in question.wrong:
        yield f"- {number_text(points * slip.share)}: {slip.say}"
    for option in question.options:
        if option.say:
            yield f'- 0 for "{option.text}": {option.say}'
    if question.because:
        yield ""
        yield f"Why: {question.because}"
