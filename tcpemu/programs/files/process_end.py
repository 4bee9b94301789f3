"""The end of a process: its threads end, its files are closed."""

from __future__ import annotations

import logging
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from tcpemu.programs.files.open_files import OpenFile
from tcpemu.programs.waiting.computers import Process
from tcpemu.programs.waiting.whereabouts import current_thread


@contextmanager
def muted() -> Iterator[None]:
    """Nobody wants to read what thread pools and tasks have to say of their sudden end."""
    loudness, hook = logging.root.manager.disable, sys.unraisablehook
    logging.disable(logging.CRITICAL)
    sys.unraisablehook = lambda _: None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            yield
    finally:
        logging.disable(loudness)
        sys.unraisablehook = hook


def end_process(process: Process) -> None:
    """It is over, as after exit(): its threads end, but for the one that says so; its files are closed."""
    if process.over:
        return
    process.over = True
    own = current_thread()
    with muted():
        for thread in process.threads:
            if thread is not own and not thread.done:
                thread.end()
    for number in sorted(process.files):
        file = process.files.pop(number, None)
        process.computers.files.pop(number, None)
        if isinstance(file, OpenFile):
            file.let_go()
            os.close(number)
    for tell in process.at_end:
        tell()
