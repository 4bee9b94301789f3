"""Open files and the numbers they go by.

A number is that of a real descriptor, which is reserved for as long as the file is open: so it is unique in the
whole process, and a call that knows nothing of emulated files meets nobody else's.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable

from tcpemu.programs.waiting.computers import Process

IN, PRI, OUT, ERR, HUP, RDHUP = 1, 2, 4, 8, 16, 0x2000
"""Bits of poll(), by Linux's numbers."""
_RESERVE = getattr(os, "eventfd", None)
"""Kept here: nothing else may be put in its place."""


class OpenFile:
    """What a descriptor leads to; several may, after dup()."""

    __slots__ = ("process", "references", "watchers")

    def __init__(self, process: Process) -> None:
        self.process = process
        self.references = 0
        self.watchers: dict[Callable[[], None], None] = {}
        """Called when it may have become ready for something."""

    @property
    def listens(self) -> bool:
        """Whether it waits for whoever connects."""
        return False

    @property
    def words(self) -> str:
        """What it is, for whoever asks what somebody waits for."""
        return "a file"

    def poll(self) -> int:
        """The bits of poll() that hold now."""
        raise NotImplementedError

    def release(self) -> None:
        """Nobody refers to it any more."""
        raise NotImplementedError

    def changed(self) -> None:
        """Tell whoever waits for it."""
        for watcher in list(self.watchers):
            watcher()

    def let_go(self) -> None:
        """One reference less."""
        self.references -= 1
        if self.references == 0:
            self.release()


def open_descriptor(file: OpenFile) -> int:
    """A number that leads to the file."""
    number = _reserved_number()
    file.references += 1
    file.process.files[number] = file
    file.process.computers.files[number] = file
    return number


def close_descriptor(process: Process, number: int) -> None:
    """Take the number away; the file closes with its last one. EBADF."""
    file = process.files.pop(number, None)
    process.computers.files.pop(number, None)
    if file is None:
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))
    try:
        file.let_go()
    finally:
        os.close(number)


def file_of(process: Process, number: int) -> OpenFile | None:
    """What the number leads to in this process."""
    file = process.files.get(number)
    assert file is None or isinstance(file, OpenFile)
    return file


def _reserved_number() -> int:
    if _RESERVE is not None:
        return int(_RESERVE(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK))
    return os.open(os.devnull, os.O_RDONLY)
