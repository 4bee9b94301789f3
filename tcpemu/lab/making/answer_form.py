"""The file of answers, to be filled in: TOML with one line for each question."""

import textwrap
from collections.abc import Iterator

from tcpemu.lab.drawing.filled_texts import number_text
from tcpemu.lab.drawing.variant import Variant
from tcpemu.lab.format.lab_file import Question
from tcpemu.lab.format.load_lab import Lab

WIDTH = 100


def form_text(lab: Lab, variant: Variant) -> str:
    """The file."""
    return "\n".join(_lines(lab, variant)) + "\n"


def _lines(lab: Lab, variant: Variant) -> Iterator[str]:
    yield f"# {lab.file.title}"
    yield '# Write each answer behind its equals sign. What is left as "" counts as not answered.'
    yield f'lab = "{lab.name}"'
    yield f'student = "{variant.key.id}"'
    yield ""
    yield "[answers]"
    for number, (question, answer) in enumerate(zip(lab.file.questions, variant.key.answers, strict=True), 1):
        yield ""
        yield from _commented(f"{number}. {' '.join(answer.text.split())}")
        yield from (
            line for option in answer.options for line in _commented(f"   {option.letter}) {option.text}")
        )
        yield from _commented(f"   {_wanted(question)}")
        if not question.handed_in:
            yield f'{question.name} = ""'


def _commented(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent="# ", subsequent_indent="#    ", drop_whitespace=True)


def _wanted(question: Question) -> str:
    if question.handed_in:
        return f"(hand in {question.file} beside this file)"
    if question.kind == "choice":
        return "(a letter)"
    if question.kind == "frame":
        return "(the number of a frame)"
    unit = f" of {question.unit}" if question.unit else ""
    within = f", within {number_text(question.tolerance)}" if question.tolerance else ""
    return f"(a number{unit}{within})"
