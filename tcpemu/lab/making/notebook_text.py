"""The handout as a notebook, by nbformat: the capture as rows, a cell for each answer, and one that writes them."""

import json
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

from tcpemu.lab.drawing.variant import Variant
from tcpemu.lab.format.load_lab import Lab
from tcpemu.lab.making.answer_form import form_text
from tcpemu.lab.pages.handout_page import ANSWERS_FILE, CAPTURE_FILE, READING, points_text, whose

NOTEBOOK_FILE = "handout.ipynb"


def can_make_notebooks() -> bool:
    """Whether nbformat is there."""
    return find_spec("nbformat") is not None


def notebook_text(lab: Lab, variant: Variant) -> str:
    """The notebook. Raises ModuleNotFoundError without nbformat."""
    import nbformat  # noqa: PLC0415 - an extra
    from nbformat import v4  # noqa: PLC0415

    cells = [
        v4.new_markdown_cell(text) if kind == "words" else v4.new_code_cell(text)
        for kind, text in _cells(lab, variant)
    ]
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"  # the same notebook each time
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    whole: Any = v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
    nbformat.validate(whole)
    return str(nbformat.writes(whole)) + "\n"


def _cells(lab: Lab, variant: Variant) -> Iterator[tuple[str, str]]:
    facts = f"{whose(variant)} · about {lab.file.minutes} minutes · {points_text(lab.points)} in all"
    yield "words", f"# {lab.file.title}\n\n{facts}\n\n{variant.about.strip()}\n\n{READING.strip()}"
    yield "code", _BEGIN
    for number, (question, answer) in enumerate(zip(lab.file.questions, variant.key.answers, strict=True), 1):
        options = "".join(f"\n\n**{option.letter})** {option.text}" for option in answer.options)
        points = points_text(float(question.points))
        yield "words", f"## {number}. `{question.name}` ({points})\n\n{answer.text.strip()}{options}"
        if not question.handed_in:
            unit = f"  # {question.unit}" if question.unit else ""
            yield "code", f'answers["{question.name}"] = ""{unit}'
    yield "words", f"## Handing in\n\nThis writes `{ANSWERS_FILE}`, which is what you hand in."
    yield "code", _END.format(form=json.dumps(form_text(lab, variant).partition("[answers]")[0]))


_BEGIN = f"""\
from tcpemu.lab import capture_rows

answers = {{}}
rows = capture_rows("{CAPTURE_FILE}")  # as dictionaries: pandas.DataFrame(rows) makes a table of them
rows[:6]"""
_END = f"""\
from tcpemu.lab import write_answers

write_answers("{ANSWERS_FILE}", answers, {{form}})"""
