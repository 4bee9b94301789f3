"""The key of a class as a page, and of each student with the reasons and the ladder of the run."""

from collections.abc import Iterator, Sequence
from html import escape

from tcpemu.explain.ladder.ladder_lines import ladder_lines
from tcpemu.explain.lines.style import lines_text
from tcpemu.lab.drawing.filled_texts import number_text
from tcpemu.lab.drawing.key_file import AnswerKey, KeyFile, StudentKey
from tcpemu.lab.drawing.variant import Variant
from tcpemu.lab.format.lab_file import Question
from tcpemu.lab.format.load_lab import Lab
from tcpemu.lab.pages.handout_page import points_text, whose
from tcpemu.lab.pages.lab_page import page_text, table_text
from tcpemu.lab.pages.markdown_text import html_of, line_html

LADDER_WIDTH = 118


def key_text(key: KeyFile) -> str:
    """The page with everybody's answers."""
    return page_text(f"Key: {key.title}", _class_body(key), "wide")


def _class_body(key: KeyFile) -> Iterator[str]:
    yield f"<h1>Key: {escape(key.title)}</h1>"
    count = len(key.students)
    yield f'<p class="facts">{count} student{"s" if count != 1 else ""} · for teachers only</p>'
    yield "<h2>Questions</h2>"
    yield table_text(
        ("", "question", "kind", "points", "as the first student has it"),
        (
            (
                str(number),
                f"<code>{question.name}</code>",
                question.kind,
                number_text(question.points),
                line_html(key.students[0].answers[number - 1].text),
            )
            for number, question in enumerate(key.questions, 1)
        ),
    )
    yield "<h2>Answers</h2>"
    asked = [question for question in key.questions if not question.handed_in]
    yield table_text(
        ("student", *(f"{each.name}<small>{escape(each.unit)}</small>" for each in asked)),
        ((_link(student), *_rights(student, asked)) for student in key.students),
        "key",
    )


def _link(student: StudentKey) -> str:
    return f'<a href="keys/{escape(student.id)}.html">{escape(student.id)}</a> {escape(student.name)}'


def _rights(student: StudentKey, asked: Sequence[Question]) -> Iterator[str]:
    for question in asked:
        yield escape(next(each.right for each in student.answers if each.name == question.name))


def student_key_text(lab: Lab, variant: Variant) -> str:
    """The page of one student: each answer with its reason, and what happened."""
    return page_text(f"Key of {whose(variant)}: {lab.file.title}", _student_body(lab, variant), "wide")


def _student_body(lab: Lab, variant: Variant) -> Iterator[str]:
    key = variant.key
    yield f"<h1>{escape(lab.file.title)}</h1>"
    facts = [f"key of {whose(variant)}", f"seed {key.seed}", f"drawn again {key.attempt} times"]
    yield f'<p class="facts">{escape(" · ".join(facts))} · <a href="../key.html">all students</a></p>'
    drawn = ((escape(name), escape(value)) for name, value in key.shown.items())
    yield table_text(("drawn or measured", ""), drawn)
    for number, (question, answer) in enumerate(zip(lab.file.questions, key.answers, strict=True), 1):
        yield from _answer(number, question, answer, lab)
    yield "<h2>What happened</h2>"
    ladder = lines_text(ladder_lines(variant.result.record, width=LADDER_WIDTH, hosts=variant.result.hosts))
    yield f'<pre class="ladder">{escape(ladder)}</pre>'


def _answer(number: int, question: Question, answer: AnswerKey, lab: Lab) -> Iterator[str]:
    yield f'<section class="question"><span class="number">{number}.</span>'
    yield html_of(answer.text)
    if question.handed_in:
        solution = lab.files[str(question.solution)] if question.kind == "program" else answer.start
        about = "One solution:" if question.kind == "program" else "As it is given out:"
        yield f"<p>{about}</p><pre><code>{escape(solution)}</code></pre>"
    else:
        unit = f" {question.unit}" if question.unit else ""
        yield f'<p class="right">{escape(answer.answer_words)}{escape(unit)}</p>'
    if answer.because:
        yield f'<div class="because">{html_of(answer.because)}</div>'
    for slip in answer.slips:
        yield f"<p>Whoever says {escape(number_text(slip.answer))}: {line_html(slip.say)}</p>"
    yield f'<span class="points">{points_text(float(question.points))} · <code>{question.name}</code></span></section>'
