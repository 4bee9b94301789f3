"""The text of a file of answers, however an editor saved it, and what it says line by line."""

import codecs
import re
from collections.abc import Collection
from pathlib import Path

from tcpemu.scenario.format.toml_text import file_octets

_QUOTES = "\"'`´“”„‟‘’‚‛«»‹›"
"""What stands around an answer: quotes of TOML, and those that word processors and other languages have for them."""
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # ahead of UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_LINE = re.compile(
    r"""^[^\S\n]*(\w+)[^\S\n]*[=:][^\S\n]*("[^"\n]*"|'[^'\n]*'|\#[^\S\n]*[0-9]+|[^#\n]*)""", re.MULTILINE
)


class AnswersTextError(ValueError):
    """A file that is no text. Its text says why, and what to do."""


def answers_text(path: Path) -> tuple[str, str]:
    """The text of the file, and a remark where it had to be guessed how it was saved; empty where not.

    A byte order mark says it; what has none is UTF-8, and what is not UTF-8 is taken for Windows-1252, which has all
    that is printed of Latin-1. Raises AnswersTextError, and ScenarioError for what is not read at all.
    """
    octets = file_octets(path, str(path))
    if octets.startswith(b"PK\3\4"):
        raise AnswersTextError("this is a zip archive; unpack it first")
    text, remark = _decoded(octets)
    if "\0" in text:
        raise AnswersTextError("this is no text; save the file as UTF-8")
    return text.replace("\r\n", "\n"), remark


def _decoded(octets: bytes) -> tuple[str, str]:
    mark, coding = next((each for each in _MARKS if octets.startswith(each[0])), (b"", "utf-8"))
    try:
        return octets.removeprefix(mark).decode(coding), ""
    except UnicodeDecodeError as error:
        if mark:
            at = len(mark) + error.start
            raise AnswersTextError(f"octet {at}: not {coding.upper()}; save the file as UTF-8") from None
        remark = f"octet {error.start}: not UTF-8; it was read as Latin-1 (Windows-1252)"
        return octets.decode("cp1252", errors="replace"), remark


def line_by_line(text: str, names: Collection[str]) -> dict[str, object]:
    """What a text says that is no TOML, as after `reason = b` without quotes: each line by itself, if it is known."""
    said: dict[str, str] = {}
    for match in _LINE.finditer(text):
        said[match[1]] = unquoted(match[2]) or said.get(match[1], "")
    head: dict[str, object] = {name: said[name] for name in ("lab", "student") if name in said}
    return head | {"answers": {name: value for name, value in said.items() if name in names}}


def unquoted(text: str) -> str:
    """The text without white space and quotes around it."""
    return text.strip().strip(_QUOTES).strip()
