"""results.json, as Gradescope reads it, and who handed in according to it.

https://gradescope-autograders.readthedocs.io/en/latest/specs/ and .../submission_metadata/
"""

import json
from pathlib import Path
from typing import Any

from tcpemu.lab.drawing.key_file import KeyFile, StudentKey
from tcpemu.lab.format.lab_error import LabError
from tcpemu.lab.marking.grade_sheets import plain_number
from tcpemu.lab.marking.marked import MarkedStudent
from tcpemu.lab.marking.submission import Submission


def results_data(key: KeyFile, marked: MarkedStudent) -> dict[str, Any]:
    """What stands in results.json: a test for each question."""
    lines = list(marked.problems) if marked.handed_in else ["Nothing was handed in."]
    if not marked.marks:
        return {
            "score": 0,
            "output": "\n".join(lines),
            "output_format": "text",
            "visibility": "visible",
            "tests": [],
        }
    return {
        "output": "\n".join(lines),
        "output_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": [
            {
                "number": str(number),
                "name": mark.name,
                "score": plain_number(mark.points),
                "max_score": plain_number(mark.most),
                "status": "passed" if mark.right else "failed",
                "output": mark.said or "right",
                "output_format": "text",
                "visibility": "visible",
            }
            for number, mark in enumerate(marked.marks, 1)
        ],
        "extra_data": {"lab": key.lab, "student": marked.id},
    }


def results_text(key: KeyFile, marked: MarkedStudent) -> str:
    """The file."""
    return json.dumps(results_data(key, marked), indent=2, ensure_ascii=False) + "\n"


def check_who(path: Path, key: KeyFile, submission: Submission) -> None:
    """Hold the student of a submission against those whom Gradescope's metadata names.

    Whoever the list has with that address, or with the part before the @ as id, is whose answers are marked; answers
    of another student are nobody's. Raises LabError for a file that is no such metadata.
    """
    known = _students(path, key)
    if not known:
        return  # the list has no addresses: what stands in the file of answers is believed
    if submission.student is None:
        submission.student = known[0]
    elif submission.student not in known:
        said = ", ".join(each.id for each in known)
        submission.problems.append(f"these are the answers of {submission.student.id}, handed in by {said}")
        submission.student = None


def _students(path: Path, key: KeyFile) -> list[StudentKey]:
    try:
        users = json.loads(path.read_bytes())["users"]
        addresses = [str(user["email"]).lower() for user in users]
    except (ValueError, KeyError, TypeError):
        raise LabError(
            str(path), "this is no metadata of Gradescope", "it has users, each with an email"
        ) from None
    by_address = {each.email.lower(): each for each in key.students if each.email}
    found = [
        by_address.get(address) or key.student(address.partition("@")[0]) or key.student(address)
        for address in addresses
    ]
    return [each for each in found if each is not None]
