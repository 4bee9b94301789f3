"""The tables of a scenario as the text of a file, which reads back as the same tables."""

import json
import re
from collections.abc import Iterator
from decimal import Decimal

from tcpemu.scenario.format.setting_paths import Document

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_WIDE = 100


def toml_of(document: Document) -> str:
    """The text: what stands at the top first, then a heading for each table; tables within those are in line."""
    return "\n".join(_lines(document)) + "\n"


def _lines(document: Document) -> Iterator[str]:
    tables = {key: value for key, value in document.items() if isinstance(value, dict)}
    lists = {key: value for key, value in document.items() if _of_tables(value)}
    for key, value in document.items():
        if key not in tables and key not in lists:
            yield from _entry(key, value)
    for key, table in tables.items():
        yield from ("", f"[{_key(key)}]", *_entries(table))
    for key, some in lists.items():
        for table in some:
            yield from ("", f"[[{_key(key)}]]", *_entries(table))


def _of_tables(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(each, dict) for each in value)


def _entries(table: Document) -> Iterator[str]:
    for key, value in table.items():
        if value not in ({}, [], None):
            yield from _entry(key, value)


def _entry(key: str, value: object) -> Iterator[str]:
    """One line, or several for a list that is long."""
    line = f"{_key(key)} = {_value(value)}"
    if len(line) <= _WIDE or not isinstance(value, list | tuple):
        yield line
        return
    yield f"{_key(key)} = ["
    yield from (f"    {_value(each)}," for each in value)
    yield "]"


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else _quoted(key)


def _quoted(text: str) -> str:
    """As JSON has it, but that TOML wants DEL escaped too."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007F")


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, dict):
        given = (f"{_key(key)} = {_value(inner)}" for key, inner in value.items() if inner is not None)
        return "{ " + ", ".join(given) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_value, value)) + "]"
    return str(value) if isinstance(value, Decimal) else repr(value)
