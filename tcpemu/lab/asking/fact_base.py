"""The rows of a run in SQLite, in memory, and queries that give one answer."""

import re
import sqlite3
import time
from collections.abc import Mapping
from decimal import Decimal
from typing import TypeAlias

from tcpemu.lab.asking.fact_rows import TABLES
from tcpemu.lab.asking.gather_facts import FinishedRun, Rows, gather

Value: TypeAlias = int | float | str
LONGEST_QUERY = 5.0
"""Seconds of real time that a query may take."""
_STEPS = 100_000
_READS = frozenset(
    {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}
)


class QueryError(ValueError):
    """A query that is no SQL, or gives what is not wanted. Its text is what is wrong."""


class NoOneAnswerError(QueryError):
    """A query that is sound, but does not give one answer of this run."""


class FactBase:
    """What happened in one run, to be asked."""

    def __init__(self, rows: Rows) -> None:
        self.connection = sqlite3.connect(":memory:", isolation_level=None)
        for name, row in TABLES.items():
            fields: tuple[str, ...] = row._fields  # type: ignore[attr-defined]
            self.connection.execute(f"create table {name} ({', '.join(fields)})")
            marks = ", ".join("?" * len(fields))
            self.connection.executemany(f"insert into {name} values ({marks})", rows.get(name, ()))
        self.connection.execute(
            "create view frames as select * from packets where frame is not null order by frame"
        )
        self.connection.set_authorizer(_may_read)

    @classmethod
    def of(cls, run: FinishedRun) -> "FactBase":
        """The facts of a run that is over."""
        return cls(gather(run))

    def close(self) -> None:
        """Give the memory back."""
        self.connection.close()

    def rows(
        self, query: str, known: Mapping[str, Value]
    ) -> tuple[list[str], list[tuple[Value | None, ...]]]:
        """The columns and all rows that a query gives. Raises QueryError."""
        end = time.monotonic() + LONGEST_QUERY
        self.connection.set_progress_handler(lambda: int(time.monotonic() > end), _STEPS)
        try:
            cursor = self.connection.execute(query, dict(known))
            if cursor.description is None:
                raise QueryError("this asks for nothing; begin with select")
            return [column[0] for column in cursor.description], cursor.fetchall()
        except sqlite3.Error as error:
            raise QueryError(_told(error)) from None
        finally:
            self.connection.set_progress_handler(None, 0)

    def one(self, query: str, known: Mapping[str, Value]) -> Value:
        """The one answer of a query. Raises QueryError where it gives none, or several."""
        columns, rows = self.rows(query, known)
        if len(columns) != 1:
            raise QueryError(f"gives {len(columns)} columns ({', '.join(columns)}), where one is wanted")
        if len(rows) != 1:
            raise NoOneAnswerError(f"gives {len(rows)} rows, where one is wanted")
        if rows[0][0] is None:
            raise NoOneAnswerError("gives null")
        return rows[0][0]

    def number(self, query: str, known: Mapping[str, Value]) -> Decimal:
        """The one answer of a query, which is a number. Raises QueryError."""
        value = self.one(query, known)
        if isinstance(value, str):
            raise QueryError(f"gives {value!r}, where a number is wanted")
        return exact(value)


def exact(value: float) -> Decimal:
    """A number of a query as a decimal; times are cut behind the nanosecond, where a float has no more to say."""
    if isinstance(value, int):
        return Decimal(value)
    return Decimal(repr(round(value, 9)))


def _may_read(action: int, *_: object) -> int:
    return sqlite3.SQLITE_OK if action in _READS else sqlite3.SQLITE_DENY


def _told(error: sqlite3.Error) -> str:
    text = str(error)
    if text == "interrupted":
        return f"takes longer than {LONGEST_QUERY:.0f} s"
    if text == "not authorized":
        return "changes something; a query only reads: begin with select"
    if "did not supply a value" in text:
        name = next(iter(re.findall(r":\w+", text)), "a name behind a colon")
        return f"is not understood: {name} is no draw and no value"
    return f"is not understood: {text}"
