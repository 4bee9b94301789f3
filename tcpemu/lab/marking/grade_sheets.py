"""Marks as CSV, as JSON, as lines."""

import csv
import io
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from tcpemu.lab.drawing.filled_texts import number_text
from tcpemu.lab.drawing.key_file import KeyFile
from tcpemu.lab.marking.marked import MarkedStudent


def grade_table(key: KeyFile, marked: Sequence[MarkedStudent]) -> str:
    """A line for each student: id, name, points, most, each question, and what is said. CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    names = [question.name for question in key.questions]
    writer.writerow(["id", "name", "points", "most", *names, "remarks"])
    for each in marked:
        points = {mark.name: number_text(mark.points) for mark in each.marks}
        total = [number_text(each.points), number_text(each.most)] if each.marks else ["", ""]
        remarks = " | ".join(remarks_of(each))
        writer.writerow(
            [
                _plain(each.id),
                _plain(each.name),
                *total,
                *(points.get(name, "") for name in names),
                _plain(remarks),
            ]
        )
    return text.getvalue()


def _plain(text: str) -> str:
    """A cell that no spreadsheet takes for a formula: what students write gets into them."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def remarks_of(marked: MarkedStudent) -> Iterator[str]:
    """What is said of a submission, and of each answer that is not right."""
    if not marked.handed_in:
        yield "nothing was handed in"
        return
    yield from marked.problems
    for mark in marked.marks:
        if not mark.right:
            yield f"{mark.name}: {mark.said}"


def grade_data(key: KeyFile, marked: Sequence[MarkedStudent]) -> dict[str, Any]:
    """All of it for programs: numbers are numbers, and `problems` is what is wrong with a file."""
    return {
        "lab": key.lab,
        "students": [
            {
                "id": each.id,
                "name": each.name,
                "handed_in": each.handed_in,
                "points": plain_number(each.points),
                "most": plain_number(each.most),
                "problems": each.problems,
                "questions": [
                    {
                        "name": mark.name,
                        "points": plain_number(mark.points),
                        "most": plain_number(mark.most),
                        "right": mark.right,
                        "given": mark.given,
                        "said": mark.said,
                    }
                    for mark in each.marks
                ],
            }
            for each in marked
        ],
    }


def plain_number(number: Decimal) -> int | float:
    """A number as JSON has it."""
    return int(number) if number == int(number) else float(number)
