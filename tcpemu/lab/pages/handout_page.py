"""What a student gets to read: what it is about, what there is, the questions with room for answers."""

from collections.abc import Iterator
from html import escape

from tcpemu.lab.drawing.filled_texts import number_text
from tcpemu.lab.drawing.key_file import AnswerKey
from tcpemu.lab.drawing.variant import Variant
from tcpemu.lab.format.lab_file import Question
from tcpemu.lab.format.load_lab import Lab
from tcpemu.lab.pages.lab_page import page_text, table_text
from tcpemu.lab.pages.lesson_page import LESSON_PAGE
from tcpemu.lab.pages.markdown_text import html_of, line_html

HANDOUT_PAGE = "handout.html"
ANSWERS_FILE = "answers.toml"
CAPTURE_FILE = "capture.pcapng"


def handout_text(lab: Lab, variant: Variant, frames: int) -> str:
    """The page; `frames` is how many packets the capture has."""
    return page_text(lab.file.title, _body(lab, variant, frames))


def whose(variant: Variant) -> str:
    """The student's name and id."""
    key = variant.key
    return f"{key.name} ({key.id})" if key.name else key.id


def _body(lab: Lab, variant: Variant, frames: int) -> Iterator[str]:
    facts = [whose(variant), f"about {lab.file.minutes} minutes", f"{points_text(lab.points)} in all"]
    yield f"<h1>{escape(lab.file.title)}</h1>"
    yield f'<p class="facts">{escape(" · ".join(facts))}</p>'
    yield html_of(variant.about)
    yield "<h2>What you have</h2>"
    yield table_text((), _files(lab, frames))
    yield html_of(READING)
    yield "<h3>Hosts</h3>"
    hosts = [
        (escape(name), f'<span class="mono">{escape(address)}</span>') for name, address in variant.hosts
    ]
    yield table_text(("host", "address"), hosts)
    yield "<h2>Questions</h2>"
    pairs = zip(lab.file.questions, variant.key.answers, strict=True)
    for number, (question, answer) in enumerate(pairs, 1):
        yield from _question(number, question, answer)
    yield "<h2>Handing in</h2>"
    yield html_of(_HANDING_IN)


READING = """
The capture opens in Wireshark. Its column *Time* counts seconds from the first packet, its column *No.* is the number \
of the frame, and sequence numbers are relative: a SYN has 0. A number with a unit is wanted in that unit."""

_HANDING_IN = f"""
Write your answers into `{ANSWERS_FILE}`, behind the equals signs, and hand in that file together with what a question \
asks for by name. Nobody else has your capture, so nobody else has your answers."""


def points_text(points: float) -> str:
    """`1 point`, `2.5 points`."""
    return f"{points:g} point" + ("" if points == 1 else "s")


def _files(lab: Lab, frames: int) -> Iterator[tuple[str, str]]:
    yield f"<code>{CAPTURE_FILE}</code>", f"your capture, {frames} packets, taken at the {lab.file.capture}"
    yield f"<code>{ANSWERS_FILE}</code>", "where your answers go"
    for question in lab.file.questions:
        if question.kind == "scenario":
            yield f"<code>{question.file}</code>", "a scenario to be mended"
    for name in sorted({peer.program.split()[0] for each in lab.file.questions for peer in each.peers}):
        yield f"<code>{escape(name)}</code>", "a program that runs beside yours"
    if lab.lesson:
        yield (
            f'<a href="{LESSON_PAGE}"><code>{LESSON_PAGE}</code></a>',
            "the lesson: experiments, and what words mean",
        )


def _question(number: int, question: Question, answer: AnswerKey) -> Iterator[str]:
    yield '<section class="question">'
    yield f'<span class="number">{number}.</span>'
    yield html_of(answer.text)
    if answer.options:
        items = "".join(
            f'<li><span class="box"></span><span class="letter">{option.letter})</span>{line_html(option.text)}</li>'
            for option in answer.options
        )
        yield f'<ul class="options">{items}</ul>'
    elif question.handed_in:
        yield f"<p>Hand in: <code>{question.file}</code></p>"
    else:
        before = "frame " if question.kind == "frame" else ""
        yield f'<p>{before}<span class="blank"></span> {escape(question.unit)}{_tolerance(question)}</p>'
    yield f'<span class="points">{points_text(float(question.points))} · <code>{question.name}</code></span>'
    yield "</section>"


def _tolerance(question: Question) -> str:
    if not question.tolerance:
        return ""
    unit = f" {question.unit}" if question.unit else ""
    return escape(f" (within {number_text(question.tolerance)}{unit})")
