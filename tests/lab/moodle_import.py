"""What the import of Moodle makes of a file of questions: what it would refuse, and what it would leave unread.

By `question/format/xml/format.php`, `question/format.php` and the `save_question_options` of the types, Moodle 4.
"""

import base64
import re
from decimal import Decimal
from xml.etree import ElementTree as ET

from tcpemu.lab.making.moodle_xml import GRADES

COMMON = {"name", "questiontext", "generalfeedback", "defaultgrade", "penalty", "hidden", "idnumber"}
OWN = {
    "category": {"category", "info", "idnumber"},
    "description": set(),
    "numerical": {"answer", "units", "unitgradingtype", "unitpenalty", "showunits", "unitsleft"},
    "multichoice": {"answer", "single", "shuffleanswers", "answernumbering", "showstandardinstruction"},
    "essay": {
        *("responseformat", "responserequired", "responsefieldlines", "attachments", "attachmentsrequired"),
        *("graderinfo", "responsetemplate", "filetypeslist", "maxbytes"),
    },
}
NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?")
FORMATS = {"html", "moodle_auto_format", "plain_text", "markdown"}


def faults(text):
    """All that it would not take, or not read."""
    root = ET.fromstring(text)
    assert root.tag == "quiz"
    return [f"{each.get('type')} {name_of(each)}: {fault}" for each in root for fault in _faults(each)]


def name_of(question):
    return question.findtext("name/text", "")


def _faults(question):
    kind = question.get("type")
    if question.tag != "question" or kind not in OWN:
        yield f"unknown: {question.tag}"
        return
    known = OWN[kind] | (COMMON if kind != "category" else set())
    yield from (f"{each.tag} is not read" for each in question if each.tag not in known)
    if kind == "category":
        if not re.fullmatch(r"\$course\$/top(/[^/]+)+", question.findtext("category/text", "")):
            yield "no path of a category"
        return
    if not 0 < len(name_of(question)) <= 251:
        yield "its name is empty or too long"
    if not question.findtext("questiontext/text", "").strip():
        yield "no text"
    if not NUMBER.fullmatch(question.findtext("defaultgrade", "1")):
        yield "defaultgrade is no number"
    yield from (
        f"{each.tag} has an unknown format"
        for each in question.iter()
        if each.get("format", "html") not in FORMATS
    )
    yield from _files(question.find("questiontext"))
    yield from {"numerical": _numerical, "multichoice": _choice, "essay": _essay}.get(kind, _nothing)(
        question
    )


def _nothing(question):
    assert not question.findall("answer")
    return ()


def _files(text):
    there = {each.get("name") for each in text.findall("file")}
    for each in text.findall("file"):
        base64.b64decode(each.text, validate=True)
        if (each.get("encoding"), each.get("path")) != ("base64", "/"):
            yield "a file that is not read"
    asked = set(re.findall(r'@@PLUGINFILE@@/([^"]+)"', text.findtext("text")))
    if asked != there:
        yield f"files {asked ^ there} are linked or there, and not both"


def _answers(question):
    fractions = [Decimal(each.get("fraction")) for each in question.findall("answer")]
    if 100 not in fractions:
        yield "no answer has all points"
    yield from (
        f"no grade {one}" for one in fractions if all(abs(one - grade) > Decimal("0.001") for grade in GRADES)
    )


def _numerical(question):
    yield from _answers(question)
    for each in question.findall("answer"):
        for value in (each.findtext("text"), each.findtext("tolerance", "0")):
            if not NUMBER.fullmatch(value):
                yield f"{value!r} is no number"
    if question.findtext("showunits") not in {"0", "1", "2", "3"}:
        yield "showunits"


def _choice(question):
    yield from _answers(question)
    texts = [each.findtext("text") for each in question.findall("answer")]
    if len(texts) < 2 or not all(texts) or len(set(texts)) < len(texts):
        yield "its answers are too few, empty or alike"
    if question.findtext("single") not in {"true", "false"}:
        yield "single"
    if question.findtext("answernumbering") not in {"abc", "ABCD", "123", "iii", "IIII", "none"}:
        yield "answernumbering"


def _essay(question):
    if question.findtext("responseformat") not in {
        "editor",
        "editorfilepicker",
        "plain",
        "monospaced",
        "noinline",
    }:
        yield "responseformat"
    most, least = (int(question.findtext(name)) for name in ("attachments", "attachmentsrequired"))
    if not 0 <= least <= most <= 3:
        yield "attachments"
    if question.findtext("responseformat") == "noinline" and not least:
        yield "nothing can be handed in"
    if not re.fullmatch(r"\.\w+(,\.\w+)*", question.findtext("filetypeslist")):
        yield "filetypeslist"
