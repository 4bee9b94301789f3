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
from tcpemu.explain.lines.style import Line, lines_text

NARROWEST, WIDEST = 80, 100
PATIENCE = 1.0
"""Seconds after which a word is said about what takes so long."""

_SIMPLE = str.maketrans("─▶◀✗└→…·", "->" + "<x`>.-")
"""For terminals that cannot show more than ASCII."""


def check_place(path: Path, suffixes: tuple[str, ...] = ()) -> None:
    """Find out before the work, not after it, that a file cannot be written there."""
    if suffixes and path.suffix.lower() not in suffixes:
        raise UsageError(f"{path}: name the file {' or '.join('*' + suffix for suffix in suffixes)}")
    if path.is_dir():
        raise UsageError(f"{path} is a directory; name a file in it")
    if not path.parent.is_dir():
        raise UsageError(f"{path}: there is no directory {path.parent}; make it first")
    if not path.exists() and not os.access(path.parent, os.W_OK):
        raise UsageError(f"{path}: nothing can be written into {path.parent}; choose another place")


def show(lines: Iterable[Line], stream: TextIO | None = None) -> None:
    """Print lines to standard output, or to that stream, with colours only where they are welcome."""
    stream = stream or sys.stdout
    whole = lines_text(lines, colour=_colour_wanted(stream))
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
    """As wide as the terminal between 80 and 100 columns; 100 where there is no terminal."""
    return min(max(shutil.get_terminal_size((WIDEST, 24)).columns, NARROWEST), WIDEST)


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
