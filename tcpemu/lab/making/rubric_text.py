"""The rubric of a lab in Markdown: what each question is worth, and what is still worth something."""

from collections.abc import Iterator

from tcpemu.lab.drawing.filled_texts import names_in, number_text
from tcpemu.lab.format.lab_file import Draw, Question
from tcpemu.lab.format.load_lab import Lab

RUBRIC_FILE = "rubric.md"


def rubric_text(lab: Lab) -> str:
    """The rubric."""
    return "\n".join(_lines(lab)) + "\n"


def _lines(lab: Lab) -> Iterator[str]:
    yield f"# Rubric: {lab.file.title}"
    yield ""
    yield f"{lab.points:g} points in all. `tcpemu lab grade` gives them."
    yield "What stands in braces is another one for each student: below a question is where it comes from, and key.html"
    yield "has everybody's."
    for number, question in enumerate(lab.file.questions, 1):
        yield ""
        yield f"## {number}. `{question.name}`: {number_text(question.points)}, {question.kind}"
        yield ""
        yield " ".join(question.text.split())
        yield ""
        yield from _points(question)
        yield from _names(lab, "\n".join([question.text, *_points(question)]))


def _names(lab: Lab, text: str) -> Iterator[str]:
    """What each name in braces stands for."""
    known = {name: _drawn(draw) for name, draw in lab.file.draw.items()}
    known |= {
        name: f"what `{' '.join(query.split())}` gives in the student's run"
        for name, query in lab.file.values.items()
    }
    known["answer"] = "the right answer"
    names = [f"`{{{name}}}` is {known[name]}" for name in names_in(text) if name in known]
    if names:
        yield ""
        yield f"In braces: {'; '.join(names)}."


def _drawn(draw: Draw) -> str:
    if draw.one_of is not None:
        return f"one of {', '.join(str(each) for each in draw.one_of)}, as drawn"
    step = f" in steps of {draw.step}" if draw.step is not None else ""
    above = f", added to {{{draw.above}}}" if draw.above is not None else ""
    return f"drawn from {draw.begin} to {draw.to}{step}{above}"


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
