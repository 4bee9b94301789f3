"""One answer: right, a usual mistake, wrong, or none."""

import re
from decimal import Decimal

from tcpemu.lab.drawing.filled_texts import number_text
from tcpemu.lab.drawing.key_file import AnswerKey
from tcpemu.lab.format.lab_file import Question
from tcpemu.lab.marking.answers_text import unquoted
from tcpemu.lab.marking.marked import Mark

NOT_ANSWERED = "not answered"
LONGEST_SHOWN = 80
"""Characters of an answer that are shown again."""
_BEFORE = re.compile(r"(?:(?:frame|packet|port|number|no|nr)[.:]?\s*|\#\s*)*")
"""What people write before a number, in small letters."""


def mark_answer(question: Question, answer: AnswerKey, given: object) -> Mark:
    """The mark for an answer as TOML gives it."""
    shown = _shown(given)
    if given is None or (isinstance(given, str) and not unquoted(given)):
        return Mark(question.name, Decimal(0), question.points, NOT_ANSWERED)
    if question.kind == "choice":
        points, said = _choice(question, answer, given)
    else:
        points, said = _number(question, answer, given)
    return Mark(question.name, points, question.points, said, shown)


def _shown(given: object) -> str:
    text = "" if given is None else str(given)
    return text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 4] + " ..."


def _choice(question: Question, answer: AnswerKey, given: object) -> tuple[Decimal, str]:
    letter = unquoted(str(given)).strip("().").lower()
    option = next((option for option in answer.options if option.letter == letter), None)
    if option is None:
        letters = ", ".join(option.letter for option in answer.options)
        return Decimal(0), f"{_shown(given)!r} is none of the letters {letters}"
    if option.right:
        return question.points, ""
    return Decimal(0), option.say or "not so"


def _number(question: Question, answer: AnswerKey, given: object) -> tuple[Decimal, str]:
    number = number_of(given, question.unit or ("frame" if question.kind == "frame" else ""))
    if number is None:
        return Decimal(0), f"{_shown(given)!r} is no number"
    if abs(number - Decimal(answer.right)) <= question.tolerance:
        return question.points, ""
    for slip in answer.slips:
        if abs(number - slip.answer) <= question.tolerance:
            return question.points * slip.share, slip.say
    within = f" (within {number_text(question.tolerance)} is enough)" if question.tolerance else ""
    return Decimal(0), f"not so{within}"


def number_of(given: object, unit: str = "") -> Decimal | None:
    """The number of an answer: as TOML has it, or a text such as "0,25", "0.25 s" or "frame 12"; else None."""
    if isinstance(given, bool) or not isinstance(given, int | float | str | Decimal):
        return None
    text = str(given).strip()
    if isinstance(given, str):
        text = unquoted(text).lower().removesuffix(unit.lower()).strip()
        text = _BEFORE.sub("", text, count=1).replace(",", ".", 1).replace("_", "")
    try:
        number = Decimal(text)
    except ArithmeticError:
        return None
    # Ahead of sums with it, which would write out a number such as 1e999999999.
    return number if number.is_finite() and abs(number.adjusted()) < 40 else None
