"""The text of a TOML file: to tables, within limits that keep it from taking minutes; and where in it a key stands.

Files larger than `MOST_OCTETS`, keys of more than `DEEPEST` parts and tables nested deeper than that are no slips of
the pen but take a reader minutes and gigabytes, so they are refused at once.
"""

import codecs
import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeAlias

from tcpemu.scenario.format.problems import Problem, ScenarioError
from tcpemu.wire.capture_file import is_capture

MOST_OCTETS = 2**20
"""Of a file with a scenario or claims."""
DEEPEST = 50
"""Tables in tables, or parts of a key with dots."""
_PACKED = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd")
"""How files begin that gzip or zstd has packed."""
_LONG_KEY = re.compile(r"""(?m)(?:^|[\[{,])[ \t]*(?:(?:[\w-]+|"[^"\n]*"|'[^'\n]*')[ \t]*\.[ \t]*){50}""")
_HEADER = re.compile(r"\s*(\[\[?)\s*([\w.\s-]+?)\s*\]")
_KEY = re.compile(r"""\s*["']?([\w-]+)["']?[ \t]*(?=[.=])""")
_STEP = re.compile(r"""([\w-]+|"[^"]*")((?:\[[0-9]+\])*)""")


_PathOfLine: TypeAlias = tuple[int, list[tuple[str, int | None]]]
"""The number of a line and the names on the way to what it opens or gives, each with its place in a list."""


class TomlTextError(ValueError):
    """A text that is no TOML, or more than is read. `problem` says what is wrong."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


def tables(text: str) -> dict[str, Any]:
    """The tables of a TOML text; numbers with a point are Decimals. Raises TomlTextError."""
    if len(text) > MOST_OCTETS:
        raise _refused(f"has {len(text)} characters", f"at most {MOST_OCTETS} are read")
    if _LONG_KEY.search(text):
        raise _refused("nested too deeply", f"a key has {DEEPEST} parts at most")
    try:
        document = tomllib.loads(text, parse_float=_number)
    except tomllib.TOMLDecodeError as error:
        raise TomlTextError(_syntax_problem(error)) from None
    except RecursionError:
        raise _refused("nested too deeply", "give tables and lists") from None
    except ValueError:  # a whole number of thousands of digits
        raise _refused("a number with too many digits", "no number here needs more than 20") from None
    if _deeper_than(document, DEEPEST):
        raise _refused("nested too deeply", "give tables and lists")
    return document


def _refused(what: str, mend: str) -> TomlTextError:
    return TomlTextError(Problem("", what, mend))


def _number(text: str) -> Decimal:
    try:
        return Decimal(text.replace("_", ""))
    except ArithmeticError:
        raise ValueError(text) from None


def _deeper_than(value: object, levels: int) -> bool:
    level: list[object] = [value]
    for _ in range(levels):
        inner: list[object] = []
        for each in level:
            inner += each.values() if isinstance(each, dict) else each if isinstance(each, list) else ()
        if not inner:
            return False
        level = inner
    return True


def _syntax_problem(error: tomllib.TOMLDecodeError) -> Problem:
    text = str(error)
    match = re.fullmatch(r"(.*?) \(at (?:line ([0-9]+), column ([0-9]+)|end of document)\)", text, re.DOTALL)
    if match is None:
        return Problem("", text, "")
    place = f"line {match[2]}, column {match[3]}" if match[2] else "end of file"
    return Problem(place, match[1], "this is not TOML: https://toml.io")


def file_text(path: Path, name: str) -> str:
    """The text of a file, without the byte order mark that some editors put before it. Raises ScenarioError."""
    octets = file_octets(path, name)
    try:
        return octets.removeprefix(codecs.BOM_UTF8).decode("utf-8")
    except UnicodeDecodeError as error:
        at = error.start
        problem = Problem(f"octet {at}", "not UTF-8", "save the file as UTF-8")
        raise ScenarioError(name, [problem]) from None


def file_octets(path: Path, name: str) -> bytes:
    """What is in a file of text. Raises ScenarioError for what cannot be read or is too large, and for a capture."""
    try:
        with path.open("rb") as file:
            octets = file.read(MOST_OCTETS + 1)
    except OSError as error:
        raise ScenarioError(name, [Problem("", f"cannot be read: {error.strerror}", "")]) from None
    mend = f"to read it: tcpemu diagnose {name}; one of its packets: tcpemu explain {name} --frame 1"
    if is_capture(octets):
        raise ScenarioError(name, [Problem("", "this is a capture, not a scenario", mend)])
    if octets.startswith(_PACKED):
        what = "packed, and a scenario is text"
        raise ScenarioError(name, [Problem("", what, f"if it is a capture, {mend}")])
    if len(octets) > MOST_OCTETS:
        what = f"more than {MOST_OCTETS} octets"
        raise ScenarioError(name, [Problem("", what, "a scenario is a small file of text")])
    return octets


# ------------------------------------------------------------------------------------------ where a key stands


def with_lines(text: str, found: Iterable[Problem], settings: Iterable[str] = ()) -> list[Problem]:
    """The same mistakes, each with the line of the text at which it stands, where that can be told.

    What is wrong with a setting from elsewhere, given by its path, stands in no line.
    """
    elsewhere = [
        path.partition("net.")[1:] if "net." in path else (path.rpartition(".")[2],) for path in settings
    ]
    ends = ["".join(parts) for parts in elsewhere]
    lines = text.split("\n")
    paths: dict[str, list[_PathOfLine]] = {}
    for number, path in _paths(lines):
        paths.setdefault(path[0][0], []).append((number, path))
    problems = list(found)
    for number, each in enumerate(problems):
        if each.line is None and not any(end in each.place for end in ends):
            problems[number] = replace(each, line=_line_of(lines, paths, each.place))
    return problems


def _line_of(lines: list[str], paths: dict[str, list[_PathOfLine]], place: str) -> int | None:
    """The line of `clients[0].do[1]`, counted from 1; None where there is none, or it cannot be told."""
    steps = [
        (name.strip('"'), [int(number) for number in re.findall("[0-9]+", indices)])
        for name, indices in _STEP.findall(place)
    ]
    best: tuple[int, int] | None = None
    for number, path in paths.get(steps[0][0], ()) if steps else ():
        depth = _agreement(path, steps)
        if depth and (best is None or depth > best[0]):
            best = depth, number
    if best is None:
        return None
    depth, number = best
    inside = steps[depth - 1][1] if depth == len(steps) or steps[depth - 1][1] else []
    if inside and "=" in lines[number] and not _HEADER.match(lines[number]):
        number = _entry_line(lines, number, inside[0])
    return number + 1


def _paths(lines: list[str]) -> Iterator[_PathOfLine]:
    """Each line that opens a table or gives a key, with its path."""
    above: list[tuple[str, int | None]] = []
    counts: dict[tuple[str, ...], int] = {}
    for number, text in enumerate(lines):
        if header := _HEADER.match(text):
            names = tuple(each.strip() for each in header[2].split("."))
            if header[1] == "[[":
                counts[names] = counts.get(names, -1) + 1
            above = [(name, counts.get(names[: at + 1])) for at, name in enumerate(names)]
            yield number, above
        elif key := _KEY.match(text):
            dotted = [each.strip().strip("\"'") for each in text.partition("=")[0].split(".")]
            yield number, [*above, *((name, None) for name in (dotted if len(dotted) < 3 else [key[1]]))]


def _agreement(path: list[tuple[str, int | None]], steps: list[tuple[str, list[int]]]) -> int:
    """How many steps of the place the path of a line goes; 0 where it leads elsewhere."""
    if len(path) > len(steps):
        return 0
    for (name, index), (wanted, indices) in zip(path, steps, strict=False):
        if name != wanted or (index is not None and indices[:1] != [index]):
            return 0
    return len(path)


def _entry_line(lines: list[str], number: int, entry: int) -> int:
    """The line of an entry of the list that begins on that line."""
    text, at, depth, seen = "\n".join(lines[number:]), lines[number].index("=") + 1, 0, 0
    for token in re.finditer(
        r"""\"(?:\\.|[^"\\\n])*\"|'[^'\n]*'|\#[^\n]*|[\[\]{},]|[^\s\[\]{},#"']+""", text[at:]
    ):
        if token[0][0] == "#":
            continue
        if depth == 1 and seen == entry and token[0] not in ",]":
            return number + text[: at + token.start()].count("\n")
        depth += (token[0] in "[{") - (token[0] in "]}")
        seen += depth == 1 and token[0] == ","
        if not depth:
            break
    return number
