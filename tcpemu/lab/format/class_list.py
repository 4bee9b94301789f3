"""The students of a class, from a CSV file, and the secret that their variants are made of."""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tcpemu.lab.format.lab_error import LabError, raise_all
from tcpemu.scenario.format.problems import Problem

SHORTEST_SECRET = 16
"""Octets. Whoever knows the secret can make everybody's key."""
MOST_STUDENTS = 100_000
_ID = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._@+-]{0,62}[A-Za-z0-9])?")
_ID_MEND = "letters, digits and . _ @ + - between them, 64 at most: it names a folder"
_COLUMNS = ("id", "name", "email")


@dataclass(frozen=True, slots=True)
class Student:
    """One line of the list."""

    id: str
    name: str = ""
    """As it is to stand on the handout; empty if the list has none."""
    email: str = ""
    """As Gradescope knows it; empty if the list has none."""


def read_class(path: Path) -> list[Student]:
    """The students of a CSV file: a column `id`, and `name` and `email` if there are; or ids alone, one a line.

    Raises LabError with all mistakes at once, OSError from the disk.
    """
    rows = _rows(path)
    if not rows:
        raise LabError(str(path), "no student in it", "one line for each, with a column id")
    columns, rows = _columns(path, rows)
    students = [(line, _student(row, columns)) for line, row in rows]
    raise_all(str(path), _problems(students))
    return [student for _, student in students]


def _rows(path: Path) -> list[tuple[int, list[str]]]:
    """The lines that are not empty, each with its number."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise LabError(str(path), "not UTF-8", "save the file as UTF-8", f"octet {error.start}") from None
    dialect = ";" if ";" in text.partition("\n")[0] else ","
    try:
        reader = csv.reader(text.splitlines(), delimiter=dialect, strict=True)
        rows = [(reader.line_num, [cell.strip() for cell in row]) for row in reader]
    except csv.Error as error:
        raise LabError(str(path), f"this is not CSV: {error}", "commas between columns") from None
    return [(line, row) for line, row in rows if any(row)]


def _columns(
    path: Path, rows: list[tuple[int, list[str]]]
) -> tuple[dict[str, int], list[tuple[int, list[str]]]]:
    """Where each column is, and the lines below the head; a list without a head has ids alone."""
    head = [cell.lower() for cell in rows[0][1]]
    if "id" in head:
        if len(rows) == 1:
            raise LabError(str(path), "no student in it", "one line for each below the head")
        return {name: head.index(name) for name in _COLUMNS if name in head}, rows[1:]
    if max(len(row) for _, row in rows) > 1:
        mend = "call one of them id in the first line, as in: id,name,email"
        raise LabError(str(path), "several columns, and none is called id", mend, f"line {rows[0][0]}")
    return {"id": 0}, rows


def _student(row: Sequence[str], columns: dict[str, int]) -> Student:
    return Student(
        **{name: row[at] for name, at in columns.items() if at < len(row)} | _without_id(row, columns)
    )


def _without_id(row: Sequence[str], columns: dict[str, int]) -> dict[str, str]:
    return {} if columns["id"] < len(row) else {"id": ""}


def _problems(students: Sequence[tuple[int, Student]]) -> Iterator[Problem]:
    known: dict[str, int] = {}
    for line, student in students:
        place = f"line {line}"
        if not _ID.fullmatch(student.id):
            yield Problem(place, f"found the id {student.id!r}", _ID_MEND)
            continue
        first = known.setdefault(student.id.lower(), line)
        if first != line:
            yield Problem(place, f"{student.id} stands in line {first} already", "one line for each student")
    if len(students) > MOST_STUDENTS:
        yield Problem("", f"{len(students)} students", f"at most {MOST_STUDENTS}")


def read_secret(path: Path) -> bytes:
    """The secret in a file, without white space around it. Raises LabError, OSError from the disk."""
    secret = path.read_bytes().strip()
    if len(secret) < SHORTEST_SECRET:
        mend = f"at least {SHORTEST_SECRET}, as from: head -c 32 /dev/urandom | base64 > {path}"
        raise LabError(str(path), f"a secret of {len(secret)} octets can be guessed", mend)
    return secret
