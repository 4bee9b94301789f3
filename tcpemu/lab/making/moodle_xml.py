"""The questions for Moodle: its XML format, with a category for each student that holds the questions and the capture.

Usual wrong answers are answers with a fraction of their own and their sentence as feedback. What is handed in as a file
becomes an essay with an attachment, to be marked by `tcpemu lab grade`. The form is what the import of Moodle 3 and
later reads (`question/format/xml/format.php` there); a test holds the fields to that, but no Moodle was at hand.
"""

import base64
from collections.abc import Iterable
from decimal import Decimal
from xml.etree import ElementTree as ET

from tcpemu.lab.drawing.filled_texts import number_text
from tcpemu.lab.drawing.key_file import AnswerKey
from tcpemu.lab.drawing.variant import Variant
from tcpemu.lab.format.lab_file import Question
from tcpemu.lab.format.load_lab import Lab
from tcpemu.lab.making.student_folder import given_files
from tcpemu.lab.pages.handout_page import CAPTURE_FILE
from tcpemu.lab.pages.markdown_text import html_of
from tcpemu.wire import pcapng

MOODLE_FILE = "moodle.xml"
GRADES = tuple(map(Decimal, (
    "100", "90", "83.33333", "80", "75", "70", "66.66667", "60", "50", "40", "33.33333", "30", "25", "20",
    "16.66667", "14.28571", "12.5", "11.11111", "10", "5", "0",
)))  # fmt: skip
"""Hundredths of a question's points that an answer may have in Moodle: a file with others is refused."""


def quiz_text(students: Iterable[str]) -> str:
    """The whole file, of what `questions_text` gave of each student."""
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<quiz>\n{"".join(students)}</quiz>\n'


def questions_text(lab: Lab, variant: Variant) -> str:
    """The questions of one student."""
    key, root = variant.key, ET.Element("quiz")
    category = ET.SubElement(root, "question", type="category")
    _text(ET.SubElement(category, "category"), f"$course$/top/{lab.name}/{key.id}")
    _description(root, lab, variant)
    for number, (question, answer) in enumerate(zip(lab.file.questions, key.answers, strict=True), 1):
        _question(root, f"{number:02}. {question.name} ({key.id})", question, answer)
    ET.indent(root, " ")
    return ET.tostring(root, encoding="unicode").removeprefix("<quiz>\n").removesuffix("</quiz>")


def _description(root: ET.Element, lab: Lab, variant: Variant) -> None:
    """What stands before the questions, with the files."""
    files = {CAPTURE_FILE: pcapng.dump(variant.capture())}
    files |= {name: text.encode() for name, text in given_files(lab, variant).items()}
    links = "".join(f'<li><a href="@@PLUGINFILE@@/{name}">{name}</a></li>' for name in files)
    words = f"{html_of(variant.about)}<ul>{links}</ul>"
    element = _element(root, "description", f"00. {lab.file.title} ({variant.key.id})", words)
    place = element.find("questiontext")
    assert place is not None
    for name, octets in files.items():
        file = ET.SubElement(place, "file", name=name, path="/", encoding="base64")
        file.text = base64.b64encode(octets).decode("ascii")
    ET.SubElement(element, "defaultgrade").text = "0"


def _question(root: ET.Element, title: str, question: Question, answer: AnswerKey) -> None:
    kind = {"choice": "multichoice", "scenario": "essay", "program": "essay"}.get(question.kind, "numerical")
    element = _element(root, kind, title, html_of(answer.text))
    _html(ET.SubElement(element, "generalfeedback"), html_of(answer.because))
    ET.SubElement(element, "defaultgrade").text = number_text(question.points)
    if kind == "essay":
        _essay(element, str(question.file))
    elif kind == "multichoice":
        _choice(element, answer)
    else:
        _number(element, question, answer)


def _element(root: ET.Element, kind: str, title: str, html: str) -> ET.Element:
    element = ET.SubElement(root, "question", type=kind)
    _text(ET.SubElement(element, "name"), title)
    _html(ET.SubElement(element, "questiontext"), html)
    return element


def _text(element: ET.Element, words: str) -> None:
    ET.SubElement(element, "text").text = words


def _html(element: ET.Element, words: str) -> None:
    element.set("format", "html")
    _text(element, words)


def _answer(element: ET.Element, fraction: str, text: str, feedback: str, kind: str) -> ET.Element:
    answer = ET.SubElement(element, "answer", fraction=fraction, format=kind)
    _text(answer, text)
    _html(ET.SubElement(answer, "feedback"), feedback)
    return answer


def nearest_grade(hundredths: Decimal) -> Decimal:
    """What Moodle knows of shares: the one of those that is nearest, and of two the smaller one."""
    return min(reversed(GRADES), key=lambda grade: abs(grade - hundredths))


def _number(element: ET.Element, question: Question, answer: AnswerKey) -> None:
    rows = [("100", answer.right, "")]
    rows += [
        (str(nearest_grade(Decimal(str(slip.share)) * 100)), number_text(slip.answer), slip.say)
        for slip in answer.slips
    ]
    for fraction, text, feedback in rows:
        each = _answer(element, fraction, text, feedback, "moodle_auto_format")
        ET.SubElement(each, "tolerance").text = number_text(question.tolerance)
    ET.SubElement(element, "showunits").text = "3"  # no unit is asked for


def _choice(element: ET.Element, answer: AnswerKey) -> None:
    ET.SubElement(element, "single").text = "true"
    ET.SubElement(element, "shuffleanswers").text = "true"
    ET.SubElement(element, "answernumbering").text = "abc"
    for option in answer.options:
        feedback = "" if option.right else option.say
        _answer(element, "100" if option.right else "0", html_of(option.text), feedback, "html")


def _essay(element: ET.Element, file: str) -> None:
    for key, value in (
        ("responseformat", "noinline"),
        ("responserequired", "0"),
        ("attachments", "1"),
        ("attachmentsrequired", "1"),
        ("filetypeslist", f".{file.rpartition('.')[2]}"),
    ):
        ET.SubElement(element, key).text = value
