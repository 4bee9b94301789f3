"""Places for files, and text for a terminal or a pipe."""

import os
import shutil
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from tcpemu.cli.user_mistakes import UsageError
from tcpemu.explain.lines.style import Line, Span, lines_text
from tcpemu.wire.visible_text import visible

NARROWEST, USUAL, WIDEST = 40, 100, 160
LONGEST_NAME = 255
"""Octets of a file's name, in most file systems."""
PATIENCE = 1.0
"""Seconds after which a word is said about what takes so long."""

_SIMPLE = str.maketrans("─▶◀✗└→…·", "->" + "<x`>.-")
"""For terminals that cannot show more than ASCII."""


def check_place(path: Path, suffixes: tuple[str, ...] = ()) -> None:
    """Find out before the work, not after it, that a file cannot be written there."""
    if suffixes and path.suffix.lower() not in suffixes:
        raise UsageError(f"{path}: name the file {' or '.join('*' + suffix for suffix in suffixes)}")
    if len(os.fsencode(path.name)) > LONGEST_NAME:
        raise UsageError(f"{path.name[:40]}...: a file's name has {LONGEST_NAME} octets at most; shorten it")
    if path.is_dir():
        raise UsageError(f"{path} is a directory; name a file in it")
    if not path.parent.is_dir():
        raise UsageError(f"{path}: there is no directory {path.parent}; make it first")
    if not path.exists() and not os.access(path.parent, os.W_OK):
        raise UsageError(f"{path}: nothing can be written into {path.parent}; choose another place")


def check_not_read(path: Path, sources: Iterable[str | Path]) -> None:
    """Find out before the work that a file would take the place of one that is read."""
    for source in map(Path, sources):
        if path.exists() and source.exists() and path.samefile(source):
            raise UsageError(f"{path} is the file that is read; give another name to what is written")


def free_name(directory: Path, stem: str, suffix: str, taken: Iterable[Path]) -> Path:
    """A path that none of the others has, also where small and capital letters are the same, and not too long."""
    known = {path.name.lower() for path in taken}
    number, ending = 1, suffix
    while True:
        room = LONGEST_NAME - len(os.fsencode(ending))
        name = os.fsencode(stem)[:room].decode("utf-8", "ignore") + ending
        if name.lower() not in known:
            return directory / name
        number += 1
        ending = f"-{number}{suffix}"


def show(lines: Iterable[Line], stream: TextIO | None = None) -> None:
    """Print lines to standard output, or to that stream, with colours only where they are welcome."""
    stream = stream or sys.stdout
    shown = (tuple(Span(visible(span.text), span.role) for span in each) for each in lines)
    whole = lines_text(shown, colour=_colour_wanted(stream))
    try:
        whole.encode(stream.encoding or "utf-8")
    except UnicodeEncodeError:
        whole = whole.translate(_SIMPLE).encode("ascii", "replace").decode("ascii")
    stream.write(whole)
    stream.flush()


def _colour_wanted(stream: TextIO) -> bool:
    """A terminal that knows colours, and no NO_COLOR (https://no-color.org) in the way."""
    return is_terminal(stream) and not os.environ.get("NO_COLOR")


def is_terminal(stream: TextIO) -> bool:
    """Whether more can be done there than to print one line after the other."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def width() -> int:
    """As wide as the terminal between 40 and 160 columns; 100 where there is no terminal."""
    return min(max(shutil.get_terminal_size((USUAL, 24)).columns, NARROWEST), WIDEST)


@contextmanager
def patience(what: str) -> Iterator[None]:
    """Say on standard error what is being done, if it takes longer than a moment."""
    timer = threading.Timer(PATIENCE, lambda: print(f"tcpemu: {what} ...", file=sys.stderr, flush=True))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
