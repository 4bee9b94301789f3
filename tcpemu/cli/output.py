"""Places for files, and text for a terminal or a pipe."""

import os
import shutil
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tcpemu.cli.errors import UsageError
from tcpemu.explain.style import Line, text

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


def show(lines: Iterable[Line]) -> None:
    """Print lines to standard output, with colours only where they are welcome."""
    whole = text(lines, colour=_colour_wanted())
    try:
        whole.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        whole = whole.translate(_SIMPLE).encode("ascii", "replace").decode("ascii")
    sys.stdout.write(whole)
    sys.stdout.flush()


def _colour_wanted() -> bool:
    """A terminal that knows colours, and no NO_COLOR (https://no-color.org) in the way."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


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
